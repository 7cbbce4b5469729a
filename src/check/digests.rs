//! Keys whose user IDs nothing vouches for but SHA-1, for which collisions can be made. GnuPG takes them,
//! other OpenPGP programs do not.

use std::collections::BTreeSet;

use super::{Check, CheckError, Facts, Finding, Severity, keys, subject};
use crate::model::Fingerprint;

/// The check.
pub struct OldDigests;

impl Check for OldDigests {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let keys = keys(facts.survey);
        let prints: BTreeSet<Fingerprint> = keys.iter().map(|(_, key)| key.fingerprint.clone()).collect();
        if prints.is_empty() {
            return Ok(Vec::new());
        }
        let old = facts.crypto.with_old_digests(&prints.into_iter().collect::<Vec<_>>())?;
        let old = keys.into_iter().filter(|(_, key)| old.contains(&key.fingerprint));
        let finding = |(_, key)| Finding {
            severity: Severity::Warning,
            subject: subject(key),
            message: "is certified by its owner with SHA-1 only".to_owned(),
            hint: format!(
                "its owner signs it anew (`gpg --cert-digest-algo SHA256 --quick-set-expire {} 1y`), then \
                 import it",
                key.fingerprint
            ),
        };
        Ok(old.map(finding).collect())
    }
}
