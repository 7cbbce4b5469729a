//! What a question is about.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::{Asked, Subject};
use crate::crypto::{RecipientError, lookup};
use crate::git::Oid;
use crate::model::{EntryName, KeyId, Keyring, Shown};
use crate::ops::audit::past::short;
use crate::ops::audit::{AuditError, lives};
use crate::ops::readers::{self, Reader};
use crate::ops::{OpError, readers::keys_named};
use crate::store::StoreError;
use crate::store::beneath::State;

/// What a name is to be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A key, or the person who has it.
    Key,
    /// An entry.
    Entry,
    /// A commit.
    Commit,
}

/// What is asked about.
#[derive(Debug)]
pub enum Target {
    /// These keys.
    Keys(Vec<Reader>),
    /// The entry whose file this is or was.
    Entry(PathBuf),
    /// What this commit brought.
    Commit(Oid),
}

impl Target {
    /// Whether one of the keys asked about is among `ids`.
    pub(super) fn reads(&self, keyring: &Keyring, ids: &[KeyId]) -> bool {
        let Target::Keys(keys) = self else { return false };
        ids.iter().flat_map(|id| readers::of_id(keyring, *id)).any(|reader| keys.contains(&reader))
    }
}

/// Whether nobody has the key.
fn is_missing(error: &OpError) -> bool {
    matches!(error, OpError::Key { source: RecipientError::Missing { .. }, .. })
}

impl Asked<'_> {
    /// Returns what is asked about: an entry before a key before a commit, where nothing else is said. A word that
    /// means several of them is refused.
    pub(super) fn target(&self, subject: &Subject<'_>) -> Result<Target, OpError> {
        match subject {
            Subject::Named(name, kind) => self.named(name, *kind),
            Subject::Keys(keys) => Ok(Target::Keys(keys.to_vec())),
        }
    }

    fn named(&self, name: &OsStr, kind: Option<Kind>) -> Result<Target, OpError> {
        let text = name.to_string_lossy();
        match kind {
            Some(Kind::Entry) => {
                self.entry(name)?.ok_or_else(|| OpError::NotFound(Shown::new(&*text).to_string()))
            }
            Some(Kind::Key) => self.keys(&text),
            Some(Kind::Commit) => self.commit(&text),
            None => {
                let entry = match self.entry(name) {
                    Err(error @ OpError::Store(_)) => return Err(error),
                    found => found.ok().flatten(),
                };
                let key = self.keys(&text);
                let is_id = text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let commit = if is_id || key.is_err() { self.commit(&text).ok() } else { None };
                let found =
                    [("an entry", entry.is_some()), ("a key", key.is_ok()), ("a commit", commit.is_some())];
                let several: Vec<&str> =
                    found.iter().filter(|(_, is_it)| *is_it).map(|(what, _)| *what).collect();
                if several.len() > 1 {
                    let several = several.join(" and ");
                    return Err(
                        AuditError::Ambiguous { name: Shown::new(&*text).to_string(), several }.into()
                    );
                }
                match (entry.or(commit), key) {
                    (Some(target), _) | (None, Ok(target)) => Ok(target),
                    // That we could not look is no answer.
                    (None, Err(error)) if !is_missing(&error) || text.contains('@') => Err(error),
                    (None, Err(_)) => match self.commit(&text) {
                        Err(error @ OpError::Audit(AuditError::NoEntries(_))) => Err(error),
                        _ => Err(AuditError::Nothing(Shown::new(&*text).to_string()).into()),
                    },
                }
            }
        }
    }

    /// Returns the entry of that name, if there is or was one.
    fn entry(&self, name: &OsStr) -> Result<Option<Target>, OpError> {
        let name = EntryName::parse(name)?;
        let file = name.file();
        let stands =
            matches!(self.context.store.beneath().state(&file).map_err(StoreError::from)?, State::File(_));
        let known = stands || lives::is_known(self.lives, &file);
        Ok(known.then_some(Target::Entry(file)))
    }

    /// Returns all keys that bear the name: what a person could read with a key that has expired, was revoked or
    /// replaced counts as well.
    fn keys(&self, name: &str) -> Result<Target, OpError> {
        let parsed = lookup::Name::parse(name);
        if !matches!(parsed, lookup::Name::Hex { .. } | lookup::Name::Mailbox(_)) {
            return keys_named(self.context, self.survey, self.waiting, name).map(Target::Keys);
        }
        let bearers = |keyring: &Keyring| lookup::bearers(&parsed, keyring.keys().cloned().collect());
        let here = bearers(&self.survey.keyring).into_iter().map(|key| Reader::Key(key.fingerprint));
        let mut found: Vec<Reader> = here.collect();
        for key in bearers(self.waiting) {
            // What a file in the store says of a key that the keyring has counts for nothing.
            if self.survey.keyring.get(&key.fingerprint).is_none() {
                found.extend(key.subkeys.iter().map(|part| Reader::Unknown(part.fingerprint.key_id())));
            }
        }
        if found.is_empty() {
            found = keys_named(self.context, self.survey, self.waiting, name)?;
        }
        let hidden =
            |reader: Reader| if reader == Reader::Unknown(KeyId::HIDDEN) { Reader::Hidden } else { reader };
        Ok(Target::Keys(found.into_iter().map(hidden).collect()))
    }

    /// Returns the commit that `rev` names, in the first repository that knows it.
    fn commit(&self, rev: &str) -> Result<Target, OpError> {
        let mut failed = None;
        for history in &self.past.histories {
            let commit = match history.repo.commit_named(rev) {
                Ok(commit) => commit,
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            };
            let mut versions = self.lives.iter().flat_map(|life| &life.versions);
            return match versions.any(|version| version.came.commit == commit) {
                true => Ok(Target::Commit(commit)),
                false => Err(AuditError::NoEntries(short(commit)).into()),
            };
        }
        Err(failed.map_or(AuditError::NoGit.into(), |error| StoreError::from(error).into()))
    }
}
