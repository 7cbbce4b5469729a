//! Whether every entry is a message, and opens here; of the others, who can open them.
//!
//! Messages are opened as `grep` opens them, one after the other. Nothing of what they hold is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Kind, Report, told};
use super::scene::{Item, Scene};
use crate::check::{entries, some_of};
use crate::crypto::openpgp::{self, Outline};
use crate::crypto::{CryptoError, LARGEST_OF_MANY, Undecryptable};
use crate::model::entry::shown_entry;
use crate::model::{Fingerprint, KeyId, Keyring, Shown, argument};
use crate::ops::readers::{Reader, of_id};
use crate::ops::{OpError, cache};

/// Larger messages are decrypted by gpg alone, and only if nothing else is at hand.
const LARGE: usize = 16 << 20;

/// What entries are opened with.
struct Opening {
    keyring: Keyring,
    own: BTreeSet<Fingerprint>,
    /// Parts of our keys that have opened something.
    working: BTreeSet<KeyId>,
    /// Entries that these parts of our keys did not open, for a reason that gpg did not tell.
    doubtful: BTreeMap<String, Vec<KeyId>>,
    /// Entries for which nobody gave a passphrase.
    locked: Vec<String>,
}

/// Looks at every entry; opens them if they are to be.
pub(super) fn look(scene: &Scene<'_>, decrypt: bool, report: &mut Report) {
    let mut opening = if decrypt { Opening::prepare(scene, report) } else { None };
    if opening.is_some() {
        scene.context.crypto.decryptor().expect(scene.entries().count());
    }
    for item in scene.entries() {
        let name = shown_entry(&item.path);
        let message = match scene.context.store.beneath().read_start(&item.path, LARGEST_OF_MANY + 1) {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            Err(error) => {
                report.failed(name, &error);
                continue;
            }
        };
        report.entries += 1;
        let Some(outline) = structure(item, &name, &message, report) else { continue };
        if message.len() as u64 > LARGEST_OF_MANY {
            report.unseen(name, "it is larger than 256 MiB");
        } else if let Some(opening) = &mut opening {
            opening.open(scene, name, &message, &outline, report);
        }
    }
    if let Some(opening) = opening {
        opening.end(report);
        cache::settle(scene.context);
    }
}

/// Says what is the matter with the form of a message; returns its outline if it is one.
fn structure(item: &Item, name: &str, message: &[u8], report: &mut Report) -> Option<Outline> {
    let back = format!(
        "`passel history {0}` lists its versions, `passel history restore` brings one back; `passel rm {0}` removes it",
        argument(&item.path.with_extension(""))
    );
    if message.is_empty() {
        report.error(Kind::Structure, name, "is empty", &back);
        return None;
    }
    // What is cut short or not protected against changes has an outline, but no normal form.
    match openpgp::normal(message).and_then(|_| openpgp::outline(message)) {
        Ok(outline) => {
            form(name, message, &outline, report);
            Some(outline)
        }
        Err(error) => {
            report.error(Kind::Structure, name, &told(&error), &back);
            None
        }
    }
}

/// Says what is odd about a message that is one.
fn form(name: &str, message: &[u8], outline: &Outline, report: &mut Report) {
    let anew = "`passel edit` and saving it writes it anew";
    if openpgp::is_armored(message) {
        let what = "is armored: passel and pass read it, other programs may not";
        report.warning(Kind::Structure, name, what, anew);
    }
    if outline.passphrase {
        let what = "is encrypted to a passphrase too: whoever knows that can read it";
        report.warning(Kind::Structure, name, what, anew);
    }
    if message.len() > LARGE {
        let what =
            format!("has {} MiB: every clone keeps each of its versions for good", message.len() >> 20);
        report.warning(Kind::Structure, name, &what, "keep files of that size elsewhere");
    }
}

impl Opening {
    /// Lists the keys; none if they cannot be.
    fn prepare(scene: &Scene<'_>, report: &mut Report) -> Option<Self> {
        let crypto = scene.context.crypto;
        match crypto.keys().and_then(|keys| Ok((keys, crypto.own_keys()?))) {
            Ok((keys, own)) => Some(Opening {
                keyring: Keyring::new(keys),
                own: own.into_iter().collect(),
                working: BTreeSet::new(),
                doubtful: BTreeMap::new(),
                locked: Vec::new(),
            }),
            Err(error) => {
                report.failed("the keyring", &error);
                None
            }
        }
    }

    /// Opens an entry if a key of ours may, and throws away what comes out.
    fn open(
        &mut self,
        scene: &Scene<'_>,
        name: String,
        message: &[u8],
        outline: &Outline,
        report: &mut Report,
    ) {
        let ours = self.ours(outline);
        // For a passphrase alone, somebody would be asked.
        if ours.is_empty() && !outline.recipients.contains(&KeyId::HIDDEN) {
            return report.for_others(name, self.readers(outline));
        }
        match scene.context.decrypt_one_of_many(&name, message) {
            Ok(_) => {
                // Of several, nobody says which it was.
                if let [part] = ours[..] {
                    self.working.insert(part);
                }
                report.decrypted += 1;
            }
            Err(OpError::Decrypt { source, .. }) => self.unopened(name, ours, outline, &source, report),
            Err(error) => report.failed(name, &error),
        }
    }

    /// Says what it means that an entry did not open.
    fn unopened(
        &mut self,
        name: String,
        ours: Vec<KeyId>,
        outline: &Outline,
        error: &CryptoError,
        report: &mut Report,
    ) {
        use CryptoError::{Decrypt, Gpgme, NotRun};
        match error {
            Decrypt { why: Undecryptable::NoKey, .. } if ours.is_empty() => {
                report.for_others(name, self.readers(outline));
            }
            Decrypt { why: Undecryptable::Cancelled, .. } => self.locked.push(name),
            // gpg says that there is no key as well where nobody could be asked for its passphrase.
            Decrypt { why: Undecryptable::Other | Undecryptable::NoKey, .. } => {
                _ = self.doubtful.insert(name, ours)
            }
            NotRun { .. } | Gpgme { .. } => report.failed(name, error),
            _ => damaged(&name, &told(error), report),
        }
    }

    /// Returns the key IDs in a message that parts of our keys have.
    fn ours(&self, outline: &Outline) -> Vec<KeyId> {
        let is_ours = |id: &&KeyId| self.keyring.bearers(**id).iter().any(|key| self.own.contains(key));
        outline.recipients.iter().filter(is_ours).copied().collect()
    }

    /// Says what is to be made of entries that did not open: where the same key opened others, it is not for want
    /// of the key, its card or its passphrase.
    fn end(self, report: &mut Report) {
        let (bad, unclear): (Vec<_>, Vec<_>) = self
            .doubtful
            .into_iter()
            .partition(|(_, parts)| parts.iter().any(|part| self.working.contains(part)));
        for (name, _) in bad {
            damaged(&name, "the message is damaged: your key does not open it", report);
        }
        let mut unopened = |names: Vec<String>, why: &str| {
            if !names.is_empty() {
                report.unseen(entries(names.len()), format!("{why}: {}", some_of(&names)));
            }
        };
        unopened(self.locked, "nobody gave the passphrase of the key that opens them");
        let unclear = unclear.into_iter().map(|(name, _)| name).collect();
        unopened(
            unclear,
            "gpg did not decrypt them (is the key locked, or its card missing? `gpg -d` says more)",
        );
    }

    /// Returns who can read a message, with the names that the keyring knows.
    fn readers(&self, outline: &Outline) -> Vec<String> {
        let name = |reader| match reader {
            Reader::Key(key) => match self.keyring.get(&key) {
                Some(known) => format!("{} ({key})", Shown::new(known.name())),
                None => key.to_string(),
            },
            Reader::Unknown(id) => format!("key {id}, which is not in the keyring"),
            Reader::Hidden => "somebody hidden".to_owned(),
        };
        let ids = outline.recipients.iter();
        let readers: BTreeSet<Reader> = ids.flat_map(|id| of_id(&self.keyring, *id)).collect();
        let passphrase = outline.passphrase.then(|| "whoever knows its passphrase".to_owned());
        readers.into_iter().map(name).chain(passphrase).collect()
    }
}

fn damaged(name: &str, why: &str, report: &mut Report) {
    let hint = "`passel history` lists its versions; a colleague's clone may have it whole";
    report.error(Kind::Decrypt, name, &format!("is for you, but does not decrypt: {why}"), hint);
}
