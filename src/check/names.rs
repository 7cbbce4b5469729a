//! Recipients that are no full fingerprints: key IDs, addresses, user IDs, groups. What they stand for can
//! change with the keyring.

use super::{Check, CheckError, Facts, Finding, Severity, recipients};
use crate::model::Shown;

/// The check.
pub struct Names;

impl Check for Names {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let names = recipients(facts.survey).into_iter().filter_map(|(id, named)| {
            let keys = named.found.as_ref().as_ref().ok()?;
            let is_exact = matches!(keys.as_slice(), [key] if key.gpg_name().eq_ignore_ascii_case(id));
            let meant: Vec<String> = keys.iter().map(|key| key.gpg_name()).collect();
            (!is_exact).then(|| Finding {
                severity: Severity::Warning,
                subject: Shown::new(id).to_string(),
                message: format!(
                    "is {}, and stands for {} now ({})",
                    kind(id, keys.len()),
                    meant.join(", "),
                    named.told()
                ),
                hint: "`passel recipients canonicalize` writes full fingerprints".to_owned(),
            })
        });
        Ok(names.collect())
    }
}

/// Returns what a name is.
fn kind(id: &str, keys: usize) -> &'static str {
    let digits = id.trim_start_matches("0x").trim_end_matches('!');
    let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit() || b == b' ');
    match keys {
        1 if is_hex && digits.len() <= 16 => "a key ID, which another key may have too",
        1 if is_hex => "no plain fingerprint of a whole key",
        1 if id.contains('@') => "an e-mail address, which anybody can put into a key",
        1 => "a name, which anybody can put into a key",
        _ => "a group of gpg.conf, which other machines do not know",
    }
}
