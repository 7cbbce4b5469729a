//! Public keys that travel in the store: `.public-keys/FINGERPRINT`, armored, at its root.
//!
//! gopass keeps them so (`internal/store/leaf/crypto.go`): it looks for the file that is called as the
//! recipient is in `.gpg-id`, which with us is the fingerprint. prs takes the fingerprint always.

mod everyone;
mod files;

use std::collections::BTreeSet;

use super::lists::{self, ListChange, Others};
use super::reencrypt::Changed;
use super::{Context, OpError};
use crate::crypto::lookup;
use crate::model::{Fingerprint, FolderName, Key, KeyProblem, Shown};
use crate::store::accepted::Keys;

pub use everyone::{Everyone, Line};
pub use files::{FOLDER, KeyFile, KeyFileError, KeyFiles, files, path_of, waiting};

/// Returns the files of `.public-keys` that must change so that `keys` travel with the store; those that
/// are as good as the keyring's are left out, and one that knows more than the keyring stays.
pub fn exported(context: &Context<'_>, keys: &Keys) -> Result<Others, OpError> {
    let mut others = Others::new();
    for key in keys {
        if let Some(block) = fresh(context, key, false)? {
            others.insert(path_of(key), Some(block));
        }
    }
    Ok(others)
}

/// Returns what has to be written for `key`, none if what is there is as good. Where the keyring is `merged`
/// with the file, it knows best.
fn fresh(context: &Context<'_>, key: &Fingerprint, merged: bool) -> Result<Option<Vec<u8>>, OpError> {
    let failed = |action| move |source| OpError::KeyWork { action, key: key.clone(), source };
    let block = context.crypto.export(key).map_err(failed("export"))?;
    let stored = match files::file_of(context, key)? {
        Some(Ok(stored)) => stored,
        // A link is not replaced, only told of: somebody has put it there.
        Some(Err(error @ KeyFileError::NoFile(_))) => {
            return Err(OpError::KeyFile { path: Shown::os(&path_of(key)).to_string(), source: error });
        }
        Some(Err(_)) | None => return Ok(Some(block)),
    };
    if stored.block == block {
        return Ok(None);
    }
    // Other versions of gpg write the same key in other bytes: that alone is no reason for a commit.
    let ours = context.crypto.inspect(&block).map_err(failed("export"))?;
    let Some(ours) = ours.first() else { return Ok(None) };
    let (more, less) = (knows_more(ours, &stored.key), knows_more(&stored.key, ours));
    let is_fresh = if merged { more || less } else { more && !less };
    Ok(is_fresh.then_some(block))
}

/// Whether the two forms of a key are not the same. Which is the newer one only gpg knows for sure.
fn differ(one: &Key, other: &Key) -> bool {
    knows_more(one, other) || knows_more(other, one)
}

/// Whether `one` says something of a key that `other` does not: a user ID, a subkey, an end or a later one,
/// a revocation.
fn knows_more(one: &Key, other: &Key) -> bool {
    let end = |expires: Option<i64>| expires.unwrap_or(i64::MIN);
    let whole = matches!(one.problem, None | Some(KeyProblem::CannotEncrypt));
    let revoked = |key: &Key| key.problem == Some(KeyProblem::Revoked);
    revoked(one) && !revoked(other)
        || end(one.expires) > end(other.expires)
        || one.user_ids.iter().any(|id| !other.user_ids.contains(id))
        || one.subkeys.iter().any(|part| {
            match other.subkeys.iter().find(|known| known.fingerprint == part.fingerprint) {
                // gpg leaves expired subkeys out of what it exports.
                None => part.can_encrypt,
                Some(known) => {
                    part.can_encrypt && end(part.expires) > end(known.expires)
                        || (whole && known.can_encrypt && !part.can_encrypt)
                }
            }
        })
}

/// What the store's keys and the keyring have to do with each other.
#[derive(Debug)]
pub struct Overview {
    /// The files of `.public-keys`.
    pub files: KeyFiles,
    /// Everybody whom a recipients file names.
    pub everyone: Everyone,
    /// The keyring.
    pub keyring: Vec<Key>,
}

impl Overview {
    /// Looks at the store and the keyring.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        let keyring = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
        Ok(Overview { files: files(context)?, everyone: Everyone::read(context)?, keyring })
    }

    /// Returns the keyring's own form of a key.
    pub fn known(&self, key: &Fingerprint) -> Option<&Key> {
        self.keyring.iter().find(|known| known.fingerprint == *key)
    }

    /// Returns the keys in the store that the keyring lacks.
    pub fn new_keys(&self) -> impl Iterator<Item = &KeyFile> {
        self.files.good.values().filter(|file| !self.has(file))
    }

    /// Whether the keyring has the key of a file.
    pub fn has(&self, file: &KeyFile) -> bool {
        self.known(&file.key.fingerprint).is_some()
    }

    /// Whether a list of one of `folders`, or any list, names the key or may mean it.
    pub fn is_needed(&self, file: &KeyFile, folders: Option<&BTreeSet<FolderName>>) -> bool {
        let named = self.everyone.folders_of(&file.key, &self.keyring);
        named.into_iter().any(|folder| folders.is_none_or(|folders| folders.contains(folder)))
    }

    /// Whether the keyring has the key in another form, older or newer.
    pub fn differs(&self, file: &KeyFile) -> bool {
        self.known(&file.key.fingerprint).is_some_and(|known| differ(&file.key, known))
    }

    /// Returns the keys that no recipients file names; an error where a line may name anybody.
    pub fn nobodys(&self) -> Result<Vec<Fingerprint>, OpError> {
        let vague = self.everyone.unknown(&self.keyring).find(|line| !lookup::names_one(&line.id));
        if let Some(line) = vague {
            return Err(OpError::Vague {
                id: Shown::new(&line.id).to_string(),
                place: format!("{} line {}", Shown::os(&line.folder.gpg_id()), line.number),
            });
        }
        let named = |file: &&KeyFile| self.everyone.folders_of(&file.key, &self.keyring).is_empty();
        Ok(self.files.good.values().filter(named).map(|file| file.key.fingerprint.clone()).collect())
    }

    /// Returns the recipients in the keyring whose keys are not in the store.
    pub fn missing(&self) -> Keys {
        let mut keys = self.everyone.keys(&self.keyring);
        keys.retain(|key| !self.files.good.contains_key(key));
        keys
    }

    /// Returns the lines whose keys are neither in the keyring nor in the store.
    pub fn absent(&self) -> Vec<&Line> {
        let stored = |line: &&Line| !self.files.good.values().any(|f| lookup::may_name(&line.id, &f.key));
        self.everyone.unknown(&self.keyring).filter(stored).collect()
    }
}

/// Imports a key that a person has confirmed; ownertrust is left as it is.
pub fn import(context: &Context<'_>, file: &KeyFile) -> Result<(), OpError> {
    let key = &file.key.fingerprint;
    let failed = |source| OpError::KeyWork { action: "import", key: key.clone(), source };
    context.crypto.import(&file.block, key).map_err(failed)
}

/// Brings keys of the keyring up to date with the store's: only what their owners have signed counts.
/// Returns those that changed.
pub fn renew(context: &Context<'_>, overview: &Overview) -> Result<Vec<Key>, OpError> {
    let newer: Vec<&KeyFile> = overview.files.good.values().filter(|file| overview.differs(file)).collect();
    if newer.is_empty() {
        return Ok(Vec::new());
    }
    newer.iter().try_for_each(|file| import(context, file))?;
    let keyring = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
    let is_new = |key: &Key| {
        newer.iter().any(|file| file.key.fingerprint == key.fingerprint)
            && overview.known(&key.fingerprint) != Some(key)
    };
    Ok(keyring.into_iter().filter(is_new).collect())
}

/// What an export of all recipients' keys came to.
#[derive(Debug)]
pub struct Exported {
    /// What was changed.
    pub changed: Changed,
    /// Keys that were written.
    pub written: Vec<Fingerprint>,
    /// Keys that no list names; an error where that cannot be told.
    pub nobodys: Result<Vec<Fingerprint>, OpError>,
    /// Whether those were removed.
    pub pruned: bool,
    /// What was there before.
    pub before: Overview,
}

/// Writes the public keys of all recipients into the store, in one commit; with `prune`, takes out those of
/// nobody.
pub fn export(context: &Context<'_>, prune: bool) -> Result<Exported, OpError> {
    let mut done = None;
    let changed = lists::change(context, || {
        let before = Overview::read(context)?;
        // What the store's copy knows more must not be lost: the keyring takes it in first.
        renew(context, &before)?;
        let mut others = Others::new();
        for key in before.everyone.keys(&before.keyring) {
            if let Some(block) = fresh(context, &key, true)? {
                others.insert(path_of(&key), Some(block));
            }
        }
        let written: Vec<Fingerprint> = others.keys().filter_map(|path| key_of(path)).collect();
        let nobodys = before.nobodys();
        if prune {
            let gone = before.nobodys()?;
            others.extend(gone.iter().map(|key| (path_of(key), None)));
        }
        let seen = before.everyone.seen.clone();
        let subject = subject(&others, &written);
        done = Some((written, nobodys, before));
        Ok(ListChange { others, subject, seen, prune: vec![FOLDER.into()], ..ListChange::default() })
    })?;
    let (written, nobodys, before) = done.expect("a change is computed before it is published");
    Ok(Exported { changed, written, nobodys, pruned: prune, before })
}

/// Returns the key whose file has this path.
fn key_of(path: &std::path::Path) -> Option<Fingerprint> {
    path.file_name().and_then(std::ffi::OsStr::to_str).and_then(Fingerprint::parse)
}

/// Returns the commit's subject.
fn subject(others: &Others, written: &[Fingerprint]) -> String {
    match (written.len(), others.len() - written.len()) {
        (0, _) => "Remove public keys of nobody.".to_owned(),
        (1, 0) => format!("Export public key {}.", written[0]),
        (count, 0) => format!("Export {count} public keys."),
        (count, gone) => format!("Export {count} public keys, remove {gone}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Crypto as _;
    use crate::crypto::fake::Fake;

    fn key() -> Key {
        let fake = Fake::new(["a"]);
        fake.keys().unwrap().remove(0)
    }

    #[test]
    fn knows_which_form_of_a_key_says_more() {
        let old = key();
        assert!(!knows_more(&old, &old));
        let mut renewed = old.clone();
        renewed.user_ids.push("A <new@x>".into());
        assert!(knows_more(&renewed, &old) && !knows_more(&old, &renewed));
        let [mut one, mut later] = [old.clone(), old.clone()];
        (one.expires, later.expires) = (Some(1), Some(2));
        assert!(knows_more(&later, &one) && !knows_more(&one, &later) && knows_more(&one, &old));
        let mut revoked = old.clone();
        revoked.problem = Some(KeyProblem::Revoked);
        revoked.subkeys.iter_mut().for_each(|part| part.can_encrypt = false);
        assert!(knows_more(&revoked, &old) && !knows_more(&old, &revoked));
        let mut cut = old.clone();
        cut.problem = Some(KeyProblem::CannotEncrypt);
        cut.subkeys.iter_mut().for_each(|part| part.can_encrypt = false);
        assert!(knows_more(&cut, &old) && !knows_more(&old, &cut));
    }
}
