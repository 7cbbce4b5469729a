//! Entries that nobody but one can read: lost with that one key.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Check, CheckError, Facts, Finding, Severity, entries, quoted, some_of, subject};
use crate::model::entry::shown_entry;
use crate::model::{Fingerprint, KeyId};

/// The check.
pub struct Single;

impl Check for Single {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let mut alone: BTreeMap<&Fingerprint, (Vec<String>, &Path)> = BTreeMap::new();
        for entry in &facts.survey.entries {
            let bearer = |id: &KeyId| facts.survey.keyring.bearers(*id).first();
            let (known, first) = (entry.readers.iter().all(|id| bearer(id).is_some()), entry.readers.first());
            // Several packets may be for subkeys of one key. Of unknown keys nobody knows whose they are.
            if let Some(key) = first.and_then(bearer)
                && known
                && entry.readers.iter().all(|id| bearer(id) == Some(key))
            {
                let folder = entry.list.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
                let (names, _) = alone.entry(key).or_insert_with(|| (Vec::new(), folder));
                names.push(shown_entry(&entry.path));
            }
        }
        let finding = |(key, (names, folder)): (&Fingerprint, (Vec<String>, &Path))| Finding {
            severity: Severity::Warning,
            subject: facts.survey.keyring.get(key).map_or_else(|| key.to_string(), subject),
            message: format!("nobody else can read {}: {}", entries(names.len()), some_of(&names)),
            hint: format!(
                "`passel recipients add {} KEY` lets a second key in, lest they are lost with the first",
                if folder == Path::new("") { "/".to_owned() } else { quoted(folder) }
            ),
        };
        Ok(alone.into_iter().map(finding).collect())
    }
}
