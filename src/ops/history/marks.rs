//! Who signed a commit.

use std::collections::BTreeSet;

use super::Context;
use crate::crypto::{RecipientError, Verdict};
use crate::git::{Oid, Repo};
use crate::model::{Fingerprint, GpgId};

/// What there is to say of a commit's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// There is none.
    Unsigned,
    /// It is good, by a key that can read some folder now.
    Good(Fingerprint),
    /// The same, but the key or the signature has expired since.
    Expired(Fingerprint),
    /// It was made with a recipient's key that was revoked.
    Revoked(Fingerprint),
    /// It was made by somebody else: a key of the keyring, or one that is not known.
    Foreign(Option<Fingerprint>),
    /// It was made of something else.
    Bad,
    /// It is of another kind (`ssh`, `x509`), and is not judged.
    Other(&'static str),
    /// Nobody could be asked.
    Unchecked,
}

/// Judges signatures: gpg is asked about each.
pub struct Marks<'a, 'c> {
    context: &'a Context<'c>,
    recipients: Option<BTreeSet<Fingerprint>>,
}

impl<'a, 'c> Marks<'a, 'c> {
    /// Begins to judge.
    pub fn new(context: &'a Context<'c>) -> Self {
        Marks { context, recipients: None }
    }

    /// Returns what there is to say of a commit's signature.
    pub fn mark(&mut self, repo: &Repo, commit: Oid) -> Mark {
        let Some((signature, signed)) = repo.signed_parts(commit) else { return Mark::Unsigned };
        // As git tells them apart (gpg-interface.c).
        if signature.starts_with(b"-----BEGIN SSH SIGNATURE-----") {
            return Mark::Other("ssh");
        }
        if signature.starts_with(b"-----BEGIN SIGNED MESSAGE-----") {
            return Mark::Other("x509");
        }
        let Ok(verdict) = self.context.crypto.judge(&signed, &signature) else { return Mark::Unchecked };
        match verdict {
            Verdict::Good(keys) => self.by(keys, Mark::Good),
            Verdict::Expired(keys) => self.by(keys, Mark::Expired),
            Verdict::Revoked(keys) => self.by(keys, Mark::Revoked),
            Verdict::Unknown => Mark::Foreign(None),
            Verdict::Bad => Mark::Bad,
        }
    }

    /// Returns the mark of a signature by the key that is called one of `keys`.
    fn by(&mut self, keys: Vec<Fingerprint>, mark: impl Fn(Fingerprint) -> Mark) -> Mark {
        let context = self.context;
        let recipients = self.recipients.get_or_insert_with(|| recipients(context));
        match keys.iter().find(|key| recipients.contains(key)) {
            Some(key) => mark(key.clone()),
            None => Mark::Foreign(keys.last().cloned()),
        }
    }
}

/// Returns the primary keys that are recipients of any folder now, usable or not; of a list that cannot be read,
/// nobody is.
fn recipients(context: &Context<'_>) -> BTreeSet<Fingerprint> {
    let mut ids = BTreeSet::new();
    for folder in context.ruled_folders().unwrap_or_default() {
        let list = context.store.read_recipients(&folder.gpg_id()).ok().flatten().unwrap_or_default();
        ids.extend(GpgId::from_bytes(list).lines().into_iter().map(|line| line.id));
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut found = BTreeSet::new();
    for keys in context.crypto.resolve_all(&ids) {
        match keys {
            Ok(keys) => found.extend(keys.into_iter().map(|key| key.fingerprint)),
            Err(RecipientError::Unusable { fingerprint, .. }) => _ = found.insert(fingerprint),
            Err(_) => {}
        }
    }
    found
}
