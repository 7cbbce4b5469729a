//! Where entries and lists differ now, in words that can be said of several entries at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Party, Source};
use crate::model::KeyId;
use crate::store::survey::{Entry, Standing};

/// Entries that somebody reads whom the list does not name, or whom it names cannot read.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// The folder whose list rules them; none if no list does.
    pub folder: Option<PathBuf>,
    /// Who reads them, and is not named.
    pub extra: BTreeSet<Party>,
    /// Who is named, and cannot read them.
    pub missing: BTreeSet<Party>,
    /// Their files.
    pub entries: Vec<PathBuf>,
}

impl Difference {
    /// Whether nobody can tell if there is one: those who read are hidden, and as many as are named.
    pub fn is_hidden(&self) -> bool {
        self.missing.is_empty() && self.extra.iter().eq([&Party::Hidden]) && self.folder.is_some()
    }
}

/// What entries have in common that are told of together.
type Common = (Option<PathBuf>, BTreeSet<Party>, BTreeSet<Party>);

impl Source<'_> {
    /// Returns where entries and lists differ.
    pub(super) fn differences(&self) -> Vec<Difference> {
        let mut found: BTreeMap<Common, Vec<PathBuf>> = BTreeMap::new();
        for entry in &self.survey.entries {
            if let Some(common) = self.difference(entry) {
                found.entry(common).or_default().push(entry.path.clone());
            }
        }
        let found = found.into_iter();
        found
            .map(|((folder, extra, missing), entries)| Difference { folder, extra, missing, entries })
            .collect()
    }

    fn difference(&self, entry: &Entry) -> Option<Common> {
        let folder =
            entry.list.as_deref().and_then(Path::parent).map(|folder| self.within(folder).to_path_buf());
        match &entry.standing {
            Standing::Differs { missing, extra } => {
                let missing = missing.iter().cloned().map(Party::Key).collect();
                Some((folder, self.parties(extra), missing))
            }
            Standing::Hidden => Some((folder, self.parties(&[KeyId::HIDDEN]), BTreeSet::new())),
            // Nobody is named for what no list rules.
            Standing::Broken(_) if folder.is_none() && !entry.readers.is_empty() => {
                Some((None, self.parties(&entry.readers), BTreeSet::new()))
            }
            _ => None,
        }
    }
}
