//! Recipients files without the signature that PASSWORD_STORE_SIGNING_KEY asks for: nothing is encrypted to them.

use std::path::PathBuf;

use super::{Check, CheckError, Facts, Finding, Severity, quoted};
use crate::model::Shown;

/// The check.
pub struct Unsigned;

impl Check for Unsigned {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let key = facts.signing_keys.first().map_or("", String::as_str);
        let finding = |file: &PathBuf| Finding {
            severity: Severity::Error,
            subject: Shown::os(file).to_string(),
            message: "its signature is missing, or not by a key in PASSWORD_STORE_SIGNING_KEY".to_owned(),
            hint: format!(
                "ask whoever changed it; if it is right, who has the key signs it: \
                 `gpg --yes --local-user {} --detach-sign {}`, and commits that",
                quoted(key),
                quoted(&facts.root.join(file))
            ),
        };
        Ok(facts.unsigned.iter().map(finding).collect())
    }
}
