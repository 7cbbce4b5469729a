//! Keys that expire within 30 days.

use super::{Check, CheckError, Facts, Finding, Severity, keys, subject};
use crate::model::key::day;

/// How long before the end is soon, in seconds.
const SOON: i64 = 30 * 86_400;

/// The check.
pub struct Expiring;

impl Check for Expiring {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let expiring = keys(facts.survey).into_iter().filter_map(|(recipient, key)| {
            let part = key.subkeys.iter().find(|part| Some(&part.fingerprint) == recipient.subkey.as_ref());
            let expires = match part {
                // Neither lasts longer than the other lets it.
                Some(part) => [part.expires, key.expires].into_iter().flatten().min(),
                None => key.useless_from(),
            }?;
            (expires <= facts.now.saturating_add(SOON)).then(|| Finding {
                severity: Severity::Warning,
                subject: subject(key),
                message: format!("expires on {}", day(expires)),
                hint: format!(
                    "its owner renews it (`gpg --quick-set-expire {} 1y`, then the same for `'*'`), then \
                     import it",
                    key.fingerprint
                ),
            })
        });
        Ok(expiring.collect())
    }
}
