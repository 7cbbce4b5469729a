//! Recipients whose keys cannot be encrypted to: expired, revoked, disabled, without a part that encrypts.

use super::{Check, CheckError, Facts, Finding, Severity, key_name, recipients};
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
                message: match facts.survey.keyring.primary_of(fingerprint) {
                    Some(key) => format!("{} {problem} ({})", key_name(facts.survey, key), named.told()),
                    None => format!("{fingerprint} {problem} ({})", named.told()),
                },
                hint: format!("{mend}, or take it out: {}", named.take_out(id)),
            })
        });
        Ok(unusable.collect())
    }
}
