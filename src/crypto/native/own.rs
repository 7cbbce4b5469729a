//! The user's own keys: the parts whose secret the agent has.

use std::collections::HashMap;

use super::keys::{self, Part, PublicParts};
use crate::crypto::colons::{self, SecretPart};
use crate::crypto::gpg::Gpg;
use crate::model::{Fingerprint, Key, KeyId, Subkey, day};

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
    /// Whether it could be encrypted to now: of others, gpg says something when it decrypts.
    pub is_current: bool,
}

/// Returns gpg's listing of secret keys, and binary exports of their public keys that the library reads.
pub fn ask(gpg: &Gpg) -> Option<(String, Vec<Vec<u8>>)> {
    let listing = gpg.secret_listing().ok()?;
    let keys = colons::keys(&listing);
    let primaries: Vec<&Fingerprint> = keys.iter().map(|key| &key.fingerprint).collect();
    let export = |keys: &[&Fingerprint]| {
        let block = gpg.export_binary(keys).ok()?;
        keys::read(&block).map(|_| block)
    };
    let exports = match primaries.is_empty() {
        // gpg would export the whole keyring.
        true => Vec::new(),
        false => match export(&primaries) {
            Some(block) => vec![block],
            // One key that the library cannot read is no reason to do without the others.
            None => primaries.iter().filter_map(|key| export(&[*key])).collect(),
        },
    };
    Some((listing, exports))
}

/// Returns the parts of keys whose secret is with the agent, by key ID, from what gpg answered.
pub fn read(listing: &str, exports: &[Vec<u8>]) -> OwnKeys {
    let keys = colons::keys(listing);
    let exported: Vec<PublicParts> = exports.iter().filter_map(|block| keys::read(block)).flatten().collect();
    let parts = colons::secret_parts(listing);
    parts.into_iter().filter_map(|part| own_key(part, &keys, &exported)).collect()
}

/// Returns a part with all that belongs to it.
fn own_key(part: SecretPart, keys: &[Key], exported: &[PublicParts]) -> Option<(KeyId, OwnKey)> {
    let SecretPart { fingerprint, keygrip, on_card } = part;
    let listed = |key: &Key| key.subkeys.iter().find(|part| part.fingerprint == fingerprint).cloned();
    let (key, subkey) = keys.iter().find_map(|key| Some((key, listed(key)?)))?;
    let part = exported.iter().find_map(|key| key.part(&fingerprint))?;
    let (name, description) = (key.name().to_owned(), describe(key.name(), &subkey));
    let own = OwnKey {
        part,
        keygrip,
        name,
        description,
        on_card,
        is_current: subkey.can_encrypt,
        fingerprint: fingerprint.clone(),
    };
    Some((fingerprint.key_id(), own))
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
