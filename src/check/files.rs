//! Recipients files that are none, or name nobody.

use super::{Check, CheckError, Facts, Finding, Severity, place};
use crate::model::{FolderName, Shown};

/// The check.
pub struct Files;

impl Check for Files {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let finding = |folder: &FolderName, message: &str| Finding {
            severity: Severity::Error,
            subject: Shown::os(&folder.gpg_id()).to_string(),
            message: Shown::new(message).to_string(),
            hint: format!("`passel recipients set {} KEY...`", place(folder)),
        };
        let unusable = facts.survey.unusable.iter().map(|(folder, why)| finding(folder, why));
        let empty = facts.survey.lists.values().filter(|list| list.lines.is_empty());
        Ok(unusable.chain(empty.map(|list| finding(&list.folder, "it names no recipient"))).collect())
    }
}
