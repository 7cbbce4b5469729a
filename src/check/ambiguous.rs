//! Recipients whose names several usable keys have.

use super::{Check, CheckError, Facts, Finding, Severity, recipients};
use crate::crypto::RecipientError;
use crate::model::Shown;

/// The check.
pub struct Ambiguous;

impl Check for Ambiguous {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let ambiguous = recipients(facts.survey).into_iter().filter_map(|(id, named)| {
            let Err(RecipientError::Ambiguous { keys, .. }) = &**named.found else { return None };
            let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            Some(Finding {
                severity: Severity::Error,
                subject: Shown::new(id).to_string(),
                message: format!("could mean any of {} ({})", keys.join(", "), named.told()),
                hint: "put the full fingerprint of the key meant in its place".to_owned(),
            })
        });
        Ok(ambiguous.collect())
    }
}
