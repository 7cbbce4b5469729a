//! The public keys that travel in the store.

use std::path::PathBuf;

use super::Context;
use super::OpError;
use super::lists::Others;
use super::rules::RuleError;
use crate::model::Fingerprint;

/// Returns the file of a public key, relative to the store's root.
pub fn public_key_path(key: &Fingerprint) -> PathBuf {
    PathBuf::from(".public-keys").join(key.as_str())
}

/// Returns the files that hold the public keys `keys`, armored, for a change to write.
pub fn exported(context: &Context<'_>, keys: &[Fingerprint]) -> Result<Others, OpError> {
    let export = |key: &Fingerprint| {
        let failed = |source| RuleError::Export { key: key.clone(), source };
        Ok((public_key_path(key), Some(context.crypto.export(key).map_err(failed)?)))
    };
    keys.iter().map(export).collect()
}
