//! Lists that nobody on this machine has accepted: nothing is encrypted to them. Groups and rules that nobody has:
//! no change is made from them.

use super::{Check, CheckError, Facts, Finding, Severity, argument};

/// The check.
pub struct NotAccepted;

impl Check for NotAccepted {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let finding = |found: &super::Unaccepted| Finding {
            severity: Severity::Error,
            subject: match found.folder.is_root() {
                true => "the store".to_owned(),
                false => found.folder.to_string(),
            },
            message: format!("its recipients were not accepted on this machine: {}", found.told),
            hint: format!(
                "ask whoever changed them; if it is right: `passel recipients accept{}`",
                argument(&found.folder)
            ),
        };
        Ok(facts.unaccepted.iter().map(finding).collect())
    }
}

/// The check of groups and rules.
pub struct RulesNotAccepted;

impl Check for RulesNotAccepted {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let finding = |told: &String| Finding {
            severity: Severity::Error,
            subject: crate::config::FILE.to_owned(),
            message: format!("its groups and rules were not accepted on this machine: {told}"),
            hint: "ask whoever changed them; if it is right: `passel recipients accept`".to_owned(),
        };
        Ok(facts.rules.iter().map(finding).collect())
    }
}
