//! The user's own keys: the parts whose secret the agent has.

use std::collections::HashMap;

use super::keys::{self, Part, PublicParts};
use crate::crypto::colons::{self, SecretPart};
use crate::crypto::gpg::Gpg;
use crate::model::{Fingerprint, KeyId, Subkey, day};

/// Own keys, by the key ID that messages name them by.
pub type OwnKeys = HashMap<KeyId, OwnKey>;

/// A part of a key whose secret the agent has.
pub struct OwnKey {
    /// Its public numbers.
    pub part: Part,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What the agent knows it by.
    pub keygrip: String,
    /// What the key is called.
    pub name: String,
    /// What pinentry shows.
    pub description: String,
    /// Whether a smartcard has the secret.
    pub on_card: bool,
}

/// Returns the parts of keys whose secret is with the agent, by key ID, with their public numbers.
pub fn own_keys(gpg: &Gpg) -> Option<OwnKeys> {
    let listing = gpg.secret_listing().ok()?;
    let keys = colons::keys(&listing);
    let primaries: Vec<&Fingerprint> = keys.iter().map(|key| &key.fingerprint).collect();
    let exported = read_together(gpg, &primaries).unwrap_or_else(|| {
        // One key that the library cannot read is no reason to do without the others.
        primaries.iter().filter_map(|key| read_together(gpg, &[*key])).flatten().collect()
    });
    let mut own = HashMap::new();
    for SecretPart { fingerprint, keygrip, on_card } in colons::secret_parts(&listing) {
        let bearer = keys.iter().find(|key| key.subkeys.iter().any(|part| part.fingerprint == fingerprint));
        let part = exported.iter().find_map(|key| key.part(&fingerprint));
        if let (Some(key), Some(part)) = (bearer, part) {
            let description =
                describe(key.name(), key.subkeys.iter().find(|p| p.fingerprint == fingerprint)?);
            let name = key.name().to_owned();
            own.insert(
                fingerprint.key_id(),
                OwnKey { part, fingerprint, keygrip, name, description, on_card },
            );
        }
    }
    Some(own)
}

/// Exports keys and reads them.
fn read_together(gpg: &Gpg, keys: &[&Fingerprint]) -> Option<Vec<PublicParts>> {
    if keys.is_empty() {
        // gpg would export the whole keyring.
        return Some(Vec::new());
    }
    keys::read(&gpg.export_binary(keys).ok()?)
}

/// Returns what gpg has pinentry say.
fn describe(name: &str, part: &Subkey) -> String {
    let kind = match part.algorithm.number {
        18 => "ECDH",
        _ => "RSA",
    };
    format!(
        "Please enter the passphrase to unlock the OpenPGP secret key:\n\"{name}\"\n{}-bit {kind} key, ID {},\n\
         created {}.\n",
        part.algorithm.bits,
        part.fingerprint.key_id(),
        day(part.created)
    )
}
