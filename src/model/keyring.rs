//! The keyring's keys, found by what recipients files and messages name.

use std::collections::BTreeMap;

use super::{Fingerprint, Key, KeyId, RecipientId};

/// The keys of a keyring.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<Fingerprint, Key>,
    parts: BTreeMap<KeyId, Vec<Fingerprint>>,
}

impl Keyring {
    /// Takes a listing.
    pub fn new(listing: Vec<Key>) -> Self {
        let mut parts: BTreeMap<KeyId, Vec<Fingerprint>> = BTreeMap::new();
        for key in &listing {
            for part in &key.subkeys {
                let bearers = parts.entry(part.fingerprint.key_id()).or_default();
                // Two keyring files may hold the same key.
                if !bearers.contains(&key.fingerprint) {
                    bearers.push(key.fingerprint.clone());
                }
            }
        }
        let keys = listing.into_iter().map(|key| (key.fingerprint.clone(), key)).collect();
        Keyring { keys, parts }
    }

    /// Returns the key with this primary fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Key> {
        self.keys.get(fingerprint)
    }

    /// Returns all keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    /// Returns the primary fingerprints of the keys that have a part with this ID: none for an unknown or
    /// hidden one, several where somebody has made a key with the ID of another.
    pub fn bearers(&self, id: KeyId) -> &[Fingerprint] {
        self.parts.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Returns the primary fingerprint of the key that `part` is a part of, or is itself.
    pub fn primary_of(&self, part: &Fingerprint) -> Option<&Fingerprint> {
        let has = |key: &&Fingerprint| {
            self.keys.get(key).is_some_and(|key| key.subkeys.iter().any(|own| own.fingerprint == *part))
        };
        self.bearers(part.key_id()).iter().find(has)
    }

    /// Returns the key IDs of the parts that gpg would encrypt to now: the one part asked for with `!`, or
    /// [`Key::newest_encryption_parts`], any of which is right.
    pub fn chosen(&self, recipient: &RecipientId) -> Vec<KeyId> {
        let key = self.get(&recipient.fingerprint).filter(|_| recipient.subkey.is_none());
        let Some(key) = key else { return recipient.encryption_keys.clone() };
        key.newest_encryption_parts().iter().map(|part| part.fingerprint.key_id()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Algorithm, Subkey, Validity};

    fn key(seed: char, parts: &[(i64, bool)]) -> Key {
        let part = |(digit, (created, can_encrypt)): (usize, &(i64, bool))| Subkey {
            fingerprint: Fingerprint::parse(&format!("{}{digit}", seed.to_string().repeat(39))).unwrap(),
            can_encrypt: *can_encrypt,
            created: *created,
            expires: None,
            algorithm: Algorithm { number: 18, bits: 255 },
        };
        let subkeys: Vec<Subkey> = parts.iter().enumerate().map(part).collect();
        Key {
            fingerprint: subkeys[0].fingerprint.clone(),
            user_ids: Vec::new(),
            mailboxes: Vec::new(),
            subkeys,
            problem: None,
            expires: None,
            validity: Validity::Unknown,
            secret: false,
        }
    }

    fn recipient(key: &Key) -> RecipientId {
        let parts = key.subkeys.iter().filter(|part| part.can_encrypt);
        let encryption_keys = parts.map(|part| part.fingerprint.key_id()).collect();
        RecipientId { fingerprint: key.fingerprint.clone(), subkey: None, encryption_keys }
    }

    /// When each part was made, and whether it may encrypt.
    type Parts = &'static [(i64, bool)];

    #[test]
    fn knows_the_part_that_gpg_would_encrypt_to() {
        let cases: [(Parts, &[usize]); 5] = [
            (&[(9, true), (1, true), (3, true), (2, true)], &[2]),
            (&[(1, false), (1, true), (3, false)], &[1]),
            (&[(1, false), (2, true), (2, true)], &[1, 2]),
            (&[(1, true)], &[0]),
            (&[(1, true), (2, false)], &[0]),
        ];
        for (parts, chosen) in cases {
            let key = key('A', parts);
            let expected: Vec<KeyId> =
                chosen.iter().map(|index| key.subkeys[*index].fingerprint.key_id()).collect();
            let keyring = Keyring::new(vec![key.clone()]);
            assert_eq!(keyring.chosen(&recipient(&key)), expected, "{parts:?}");
        }
    }

    #[test]
    fn finds_keys_by_their_parts() {
        let (one, other) = (key('A', &[(1, false), (1, true)]), key('B', &[(1, true)]));
        let keyring = Keyring::new(vec![one.clone(), other, one.clone()]);
        let part = &one.subkeys[1].fingerprint;
        assert_eq!(keyring.bearers(part.key_id()), std::slice::from_ref(&one.fingerprint));
        assert_eq!(keyring.primary_of(part), Some(&one.fingerprint));
        assert!(keyring.bearers(KeyId::HIDDEN).is_empty());
    }
}
