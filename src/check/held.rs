//! Entries that hold what was encrypted for others elsewhere: encrypting them anew would hand it over.

use std::path::PathBuf;

use super::{Check, CheckError, Facts, Finding, Severity, quoted};
use crate::model::entry::shown_entry;

/// The check.
pub struct HeldBack;

impl Check for HeldBack {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let finding = |(path, told): (&PathBuf, &String)| Finding {
            severity: Severity::Error,
            subject: shown_entry(path),
            message: format!("is held back: {told}"),
            hint: format!(
                "`passel recipients review {}` says what can be done",
                quoted(&path.with_extension(""))
            ),
        };
        Ok(facts.held.iter().map(finding).collect())
    }
}
