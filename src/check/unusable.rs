//! Recipients whose keys cannot be encrypted to: expired, revoked, disabled, without a part that encrypts.

use super::{Check, CheckError, Facts, Finding, Severity, recipients};
use crate::crypto::RecipientError;
use crate::model::{KeyProblem, Shown};

/// The check.
pub struct Unusable;

impl Check for Unusable {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let unusable = recipients(facts.survey).into_iter().filter_map(|(id, named)| {
            let Err(RecipientError::Unusable { fingerprint, problem, .. }) = &**named.found else {
                return None;
            };
            let mend = match problem {
                KeyProblem::Expired(_) => "import the renewed key",
                KeyProblem::Disabled => "enable the key (`gpg --edit-key`)",
                _ => "ask its owner for a new key",
            };
            Some(Finding {
                severity: Severity::Error,
                subject: Shown::new(id).to_string(),
                message: format!("key {fingerprint} {problem} ({})", named.told()),
                hint: format!("{mend}, or `passel recipients remove FOLDER` it"),
            })
        });
        Ok(unusable.collect())
    }
}
