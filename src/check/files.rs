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
        if facts.survey.lists.is_empty() && facts.survey.unusable.is_empty() {
            return Ok(vec![Finding {
                severity: Severity::Error,
                subject: "the store".to_owned(),
                message: "nothing says who can read it".to_owned(),
                hint: "`passel init GPG-ID...`".to_owned(),
            }]);
        }
        Ok(unusable.chain(empty.map(|list| finding(&list.folder, "it names no recipient"))).collect())
    }
}
