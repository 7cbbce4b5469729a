//! Keys that can be broken: RSA, Elgamal and DSA of fewer than 2,048 bits.

use super::{Check, CheckError, Facts, Finding, Severity, keys, subject, take_out};
use crate::model::{Algorithm, Subkey};

/// The check.
pub struct Weak;

impl Check for Weak {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let weak = keys(facts.survey).into_iter().filter_map(|(_, key)| {
            // The primary key binds the others: whoever breaks it adds a subkey of their own.
            let counts = |(index, part): &(usize, &Subkey)| *index == 0 || part.can_encrypt;
            let parts = key.subkeys.iter().enumerate().filter(counts);
            let weakest =
                parts.map(|(_, part)| part.algorithm).filter(|a| a.is_weak()).min_by_key(|a| a.bits)?;
            Some(Finding {
                severity: Severity::Warning,
                subject: subject(key),
                message: format!("is weak: {} of {} bits", name(weakest), weakest.bits),
                hint: format!(
                    "ask its owner for a new key, let that in (`passel recipients add`), and take this one out: {}",
                    take_out(facts.survey, &key.fingerprint)
                ),
            })
        });
        Ok(weak.collect())
    }
}

/// Returns an algorithm's name (RFC 9580, section 9.1).
fn name(algorithm: Algorithm) -> &'static str {
    match algorithm.number {
        1..=3 => "RSA",
        17 => "DSA",
        _ => "Elgamal",
    }
}
