//! Keys of groups that nobody on this machine has accepted in any list. Whoever can push can write them into
//! the configuration; the next folder that follows the group would let them in.

use super::{Check, CheckError, Facts, Finding, Severity, Stranger, key_name};
use crate::config::FILE;

/// The check.
pub struct Strangers;

impl Check for Strangers {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let finding = |Stranger { group, key }: &Stranger| {
            let look = match facts.has_git {
                true => format!("`passel git log -p -- {FILE}` shows who put it there"),
                false => "ask who put it there".to_owned(),
            };
            Finding {
                severity: Severity::Warning,
                subject: format!("group {group}"),
                message: format!(
                    "names a key that nobody here has accepted: {}",
                    key_name(facts.survey, key)
                ),
                hint: format!("{look}; if that is wrong: `passel group remove {group} {key}`"),
            }
        };
        Ok(facts.strangers.iter().map(finding).collect())
    }
}
