//! Recipients that no key of the keyring has the name of.

use super::{Check, CheckError, Facts, Finding, Severity, recipients};
use crate::crypto::RecipientError;
use crate::model::Shown;

/// The check.
pub struct Missing;

impl Check for Missing {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let missing = recipients(facts.survey).into_iter().filter_map(|(id, named)| {
            let Err(RecipientError::Missing { .. }) = &**named.found else { return None };
            Some(Finding {
                severity: Severity::Error,
                subject: Shown::new(id).to_string(),
                message: format!("no key of the keyring has that name ({})", named.told()),
                hint: "import the key: `gpg --import FILE`, or `passel recipients remove FOLDER` it"
                    .to_owned(),
            })
        });
        Ok(missing.collect())
    }
}
