//! Encryption without gpg: to the very subkeys that it would take, as it would write it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use pgp::packet::PacketTrait as _;

use super::SessionKey;
use super::keys::{self, Part};
use crate::crypto::gpg::Gpg;
use crate::model::{Fingerprint, Key, Plaintext, RecipientId, Subkey};

/// A recipient's fingerprint, and the one subkey asked for.
type Name = (Fingerprint, Option<Fingerprint>);

/// The public keys that were encrypted to.
#[derive(Default)]
pub struct Sealer {
    /// None for those whose messages gpg must write.
    known: Mutex<HashMap<Name, Option<Arc<Chosen>>>>,
}

/// What is encrypted to for a recipient.
struct Chosen {
    part: Part,
    fingerprint: Fingerprint,
    /// The times, in seconds since 1970, from and until which gpg would take it.
    valid: std::ops::Range<i64>,
}

impl Sealer {
    /// Returns `plaintext` encrypted to exactly `to`, the session key, and the fingerprints of the parts of
    /// keys that open it; none where gpg must do it.
    pub fn seal(
        &self,
        gpg: &Gpg,
        plaintext: &Plaintext,
        to: &[RecipientId],
    ) -> Option<(Vec<u8>, SessionKey, Vec<Fingerprint>)> {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
        let mut chosen = self.choose(gpg, to)?;
        if !chosen.iter().all(|key| key.valid.contains(&now)) {
            return None;
        }
        // Two recipients may be parts of one key: gpg writes one packet for them.
        let mut seen = Vec::new();
        chosen.retain(|key| {
            let new = !seen.contains(&key.fingerprint);
            seen.push(key.fingerprint.clone());
            new
        });
        // A time of 32 bits, as the format has it.
        let (message, session) = write(plaintext, &chosen, u32::try_from(now).ok()?)?;
        Some((message, session, seen))
    }

    /// Returns what is encrypted to for each of `to`, exported at its first use.
    fn choose(&self, gpg: &Gpg, to: &[RecipientId]) -> Option<Vec<Arc<Chosen>>> {
        let mut known = self.known.lock().expect("nobody panics holding it");
        let new: Vec<&RecipientId> = to.iter().filter(|to| !known.contains_key(&name(to))).collect();
        if !new.is_empty() {
            let mut found = look_up(gpg, &new).unwrap_or_default();
            known.extend(new.iter().map(|to| (name(to), found.remove(&name(to)).map(Arc::new))));
        }
        to.iter().map(|to| known.get(&name(to))?.clone()).collect()
    }
}

/// Returns what gpg would encrypt to for each of `recipients`, as far as we can do that too.
fn look_up(gpg: &Gpg, recipients: &[&RecipientId]) -> Option<HashMap<Name, Chosen>> {
    let mut fingerprints: Vec<&Fingerprint> = recipients.iter().map(|r| &r.fingerprint).collect();
    fingerprints.sort();
    fingerprints.dedup();
    let listed = gpg.keys_named(&fingerprints).ok()?;
    let exported = keys::read(&gpg.export_binary(&fingerprints).ok()?)?;
    let choose = |recipient: &&RecipientId| {
        // Two keyring files may hold the same key, in different states: then it is gpg's to choose.
        let key = only(listed.iter().filter(|key| key.fingerprint == recipient.fingerprint))?;
        let public = only(exported.iter().filter(|key| key.is(&recipient.fingerprint)))?;
        let part = part_for(key, recipient).filter(|_| public.prefers_aes256)?;
        let from = key.subkeys.first()?.created.max(part.created);
        let until = [key.expires, part.expires].into_iter().flatten().min().unwrap_or(i64::MAX);
        let fingerprint = part.fingerprint.clone();
        let chosen = Chosen { part: public.part(&fingerprint)?, fingerprint, valid: from..until };
        Some((name(recipient), chosen))
    };
    Some(recipients.iter().filter_map(choose).collect())
}

/// Returns what an iterator yields, if that is one thing.
fn only<T>(mut things: impl Iterator<Item = T>) -> Option<T> {
    things.next().filter(|_| things.next().is_none())
}

/// Returns what a recipient is known by here.
fn name(recipient: &RecipientId) -> Name {
    (recipient.fingerprint.clone(), recipient.subkey.clone())
}

/// Returns the part of `key` that gpg would encrypt to.
fn part_for<'k>(key: &'k Key, recipient: &RecipientId) -> Option<&'k Subkey> {
    if key.problem.is_some() {
        return None;
    }
    let part = match &recipient.subkey {
        Some(subkey) => key.subkeys.iter().find(|part| part.fingerprint == *subkey)?,
        None => key.newest_encryption_parts().first()?,
    };
    // What was resolved before must still be so.
    let may = part.can_encrypt && recipient.encryption_keys.contains(&part.fingerprint.key_id());
    may.then_some(part)
}

/// Returns the message, and its session key: a session-key packet for each of `to`, then the data.
fn write(plaintext: &Plaintext, to: &[Arc<Chosen>], now: u32) -> Option<(Vec<u8>, SessionKey)> {
    let session = SessionKey::new();
    let mut message = Vec::new();
    for key in to {
        key.part.seal(&session).ok()?.to_writer_with_header(&mut message).ok()?;
    }
    session.encrypt(plaintext.expose(), now, &mut message)?;
    Some((message, session))
}
