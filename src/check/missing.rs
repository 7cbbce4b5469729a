//! Recipients that no key of the keyring has the name of.

use super::{Check, CheckError, Facts, Finding, Severity, recipients};
use crate::crypto::{RecipientError, lookup};
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
                // Nobody who lacks a colleague's key is to be led to drop the colleague.
                hint: match facts.waiting.keys().any(|key| lookup::may_name(id, key)) {
                    true => "it is in the store: `passel keys import`".to_owned(),
                    false => format!(
                        "ask for the key, and import it: `gpg --import FILE`; only if nobody is to encrypt to it \
                         any more: {}",
                        named.take_out(id)
                    ),
                },
            })
        });
        Ok(missing.collect())
    }
}
