//! What happened to entries, out of the repository's history, in words.
//!
//! git says which files changed. What that means only the plaintexts tell: whether a password was changed, or
//! only who can read it. They are compared in memory, where they can be decrypted here.

pub mod access;
pub mod diff;
mod error;
mod lists;
pub mod log;
mod marks;
pub mod restore;
pub mod versions;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

pub use error::HistoryError;
pub(in crate::ops) use lists::Lists;
pub use lists::{Listed, Who};
pub use marks::{Mark, Marks};

use super::{Context, OpError};
use crate::crypto::LARGEST_OF_MANY;
use crate::crypto::openpgp::{Body, body};
use crate::git::history::{Details, History};
use crate::git::{Oid, Repo, renames};
use crate::model::KeyId;
use crate::store::StoreError;

/// What happened to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It came to be.
    Added,
    /// Its first line stayed, others changed.
    Edited,
    /// Its first line changed.
    Password,
    /// It says what it said before.
    Reencrypted,
    /// It changed; nobody looked how.
    Changed,
    /// It changed, and cannot be read here.
    Unreadable,
    /// It came from another path in the store.
    Moved {
        /// The file that it was.
        from: PathBuf,
        /// Whether it was encrypted anew.
        anew: bool,
    },
    /// It went to another path in the store, where nobody asked about it.
    Left {
        /// The file that it became.
        to: PathBuf,
    },
    /// It is another entry's copy.
    Copied {
        /// The other one's file.
        from: PathBuf,
        /// Whether it was encrypted anew.
        anew: bool,
    },
    /// It says again what it said once.
    Restored {
        /// The first digits of the commit that held it.
        of: String,
    },
    /// It went.
    Removed,
    /// It was there: older history is not here.
    Held,
    /// Its folders cannot be read.
    Damaged,
}

/// A commit, as people know it. Nothing but the id is safe to show as it is.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// Its id.
    pub id: String,
    /// When its author made it, in seconds since 1970; none if it does not say.
    pub when: Option<i64>,
    /// Its author's name.
    pub name: String,
    /// Its author's e-mail address.
    pub email: String,
    /// The first line of its message.
    pub subject: String,
    /// What there is to say of its signature.
    pub mark: Mark,
}

/// How many digits of a commit's id are shown.
pub const SHORT: usize = 10;

impl Stamp {
    /// Returns the first digits of the id.
    pub fn short(&self) -> &str {
        &self.id[..SHORT]
    }

    fn of(
        repo: &Repo,
        history: &History<'_>,
        place: usize,
        details: &Details,
        marks: &mut Marks<'_, '_>,
    ) -> Self {
        let commit = &history.commits()[place];
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Stamp {
            id: commit.id.to_string(),
            when: commit.when,
            name: text(&details.name),
            email: text(&details.email),
            subject: text(&details.subject),
            mark: if details.is_signed { marks.mark(repo, commit.id) } else { Mark::Unsigned },
        }
    }
}

/// What is kept of a plaintext to compare it with others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Print {
    whole: [u8; 32],
    password: [u8; 32],
}

/// Tells what became of entries by what they say.
pub struct Judge<'a, 'c> {
    context: &'a Context<'c>,
    decrypts: bool,
    prints: HashMap<Oid, Option<Print>>,
    /// The key IDs of all parts of the user's own keys; none if they could not be listed.
    own: Option<Option<BTreeSet<KeyId>>>,
}

impl<'a, 'c> Judge<'a, 'c> {
    /// Begins to judge; without `decrypts`, by what can be seen alone.
    pub fn new(context: &'a Context<'c>, decrypts: bool) -> Self {
        if decrypts {
            context.crypto.decryptor().expect(2);
        }
        Judge { context, decrypts, prints: HashMap::new(), own: None }
    }

    /// Whether two messages say the same, as far as can be told.
    pub fn same(&mut self, repo: &Repo, one: Oid, other: Oid) -> bool {
        one == other
            || self.same_body(repo, one, other)
            || self.print(repo, one).is_some_and(|print| {
                self.print(repo, other).is_some_and(|theirs| theirs.whole == print.whole)
            })
    }

    /// Whether two messages hold the same encrypted data: only who can read them differs.
    fn same_body(&self, repo: &Repo, one: Oid, other: Oid) -> bool {
        let body_of = |blob| -> Option<Body> { body(&repo.blob(blob).ok()?) };
        body_of(one).is_some_and(|body| body_of(other) == Some(body))
    }

    /// Returns what became of an entry that stays at its path.
    pub fn compare(&mut self, repo: &Repo, before: &[Option<Oid>], after: Oid) -> What {
        let before: Vec<Oid> = before.iter().copied().flatten().collect();
        if before.iter().any(|blob| self.same_body(repo, *blob, after)) {
            return What::Reencrypted;
        }
        if !self.decrypts {
            return What::Changed;
        }
        let Some(now) = self.print(repo, after) else { return What::Unreadable };
        let then: Vec<Print> = before.iter().filter_map(|blob| self.print(repo, *blob)).collect();
        if then.contains(&now) {
            What::Reencrypted
        } else if then.iter().any(|print| print.password == now.password) {
            What::Edited
        } else if then.is_empty() {
            What::Unreadable
        } else {
            What::Password
        }
    }

    /// Returns how an entry came to be that was moved from nowhere. What the commit's message says of it is
    /// checked.
    fn brought(
        &mut self,
        repo: &Repo,
        history: &History<'_>,
        place: usize,
        details: &Details,
        path: &Path,
        blob: Oid,
    ) -> What {
        if let Some(of) = self.restored(repo, details, path, blob) {
            return What::Restored { of };
        }
        for from in renames::sources(&details.subject, "Copy ", path) {
            let Ok(Some(theirs)) = history.in_parents(place, &from) else { continue };
            if self.same(repo, theirs, blob) {
                return What::Copied { from, anew: theirs != blob };
            }
        }
        What::Added
    }

    /// Returns the first digits of the commit as of which an entry was restored, if the message says one and it
    /// is true.
    fn restored(&mut self, repo: &Repo, details: &Details, path: &Path, blob: Oid) -> Option<String> {
        let of = restored_commit(&details.subject).map(|id| (id, false));
        let (id, before) = of.or_else(|| reverted_commit(&details.body).map(|id| (id, true)))?;
        let mut commit = repo.commit_named(&id).ok()?;
        if before {
            commit = repo.first_parent(commit).ok()??;
        }
        let (theirs, _) = repo.tree_of(commit).ok()?.entry(path).ok()??;
        self.same(repo, theirs, blob).then(|| commit.to_string()[..SHORT].to_owned())
    }

    /// Returns what is kept of the plaintext of a blob; none if it cannot be read here, or is not to be.
    fn print(&mut self, repo: &Repo, blob: Oid) -> Option<Print> {
        if !self.decrypts {
            return None;
        }
        if let Some(known) = self.prints.get(&blob) {
            return *known;
        }
        let read = repo.blob(blob).ok().filter(|message| self.may_be_ours(message)).and_then(|message| {
            let text = self.context.decrypt_one_of_many(blob, &message).ok()?;
            let hash = |bytes: &[u8]| Sha256::digest(bytes).into();
            Some(Print { whole: hash(text.expose()), password: hash(text.line(1).unwrap_or_default()) })
        });
        self.prints.insert(blob, read);
        read
    }

    /// Whether a message may be for a key of the user's: of others gpg need not be asked.
    pub(in crate::ops) fn may_be_ours(&mut self, message: &[u8]) -> bool {
        if message.len() as u64 > LARGEST_OF_MANY {
            return false;
        }
        let Ok(readers) = self.context.crypto.recipients_of(message) else { return true };
        let context = self.context;
        let own = self.own.get_or_insert_with(|| own_parts(context).ok());
        own.as_ref().is_none_or(|own| readers.iter().any(|id| *id == KeyId::HIDDEN || own.contains(id)))
    }
}

/// Returns the key IDs of all parts of the user's own keys.
pub(in crate::ops) fn own_parts(context: &Context<'_>) -> Result<BTreeSet<KeyId>, OpError> {
    let own = context.crypto.own_keys().map_err(|source| OpError::OwnKeys { source })?;
    let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
    let own = keys.iter().filter(|key| own.contains(&key.fingerprint));
    Ok(own.flat_map(|key| key.subkeys.iter().map(|part| part.fingerprint.key_id())).collect())
}

/// Returns the id that a subject of ours says an entry was restored as of.
fn restored_commit(subject: &[u8]) -> Option<String> {
    let rest = str::from_utf8(subject).ok()?.strip_prefix("Restore ")?.strip_suffix('.')?;
    hexadecimal(rest.rsplit_once(" as of ")?.1)
}

/// Returns the id of the commit that git's own message says is reverted.
fn reverted_commit(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("This reverts commit ")?;
    hexadecimal(rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?)
}

/// Returns the text if it can be a commit's id, whole or in part: nothing else that a message says is looked up.
fn hexadecimal(text: &str) -> Option<String> {
    let right = (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then(|| text.to_owned())
}

/// Opens the innermost repository that holds the folder `path` of the store.
pub(in crate::ops) fn repository(context: &Context<'_>, folder: &Path) -> Result<Repo, OpError> {
    let root = context.store.root();
    let prefix = Repo::prefix_of(root, folder).ok_or(HistoryError::NoGit)?;
    Ok(Repo::open(root, &prefix).map_err(StoreError::from)?)
}

/// Returns a path of a repository as one of the store.
fn in_store(repo: &Repo, path: &Path) -> PathBuf {
    if repo.prefix().as_os_str().is_empty() { path.to_path_buf() } else { repo.prefix().join(path) }
}

/// Returns what became of an entry, its paths being those of the store.
fn what_in_store(repo: &Repo, what: What) -> What {
    match what {
        What::Moved { from, anew } => What::Moved { from: in_store(repo, &from), anew },
        What::Copied { from, anew } => What::Copied { from: in_store(repo, &from), anew },
        What::Left { to } => What::Left { to: in_store(repo, &to) },
        other => other,
    }
}

/// Returns a path of the store as one of a repository in it, which holds it.
pub(in crate::ops) fn in_repository<'p>(repo: &Repo, path: &'p Path) -> &'p Path {
    path.strip_prefix(repo.prefix()).expect("the repository holds the path")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_commits_by_their_ids_alone() {
        assert_eq!(restored_commit(b"Restore a as of b as of 0123456789."), Some("0123456789".to_owned()));
        assert_eq!(restored_commit(b"Restore a as of HEAD~3."), None);
        let body = b"\n\nThis reverts commit 0123456789abcdef0123456789abcdef01234567.\n";
        assert_eq!(reverted_commit(body), Some("0123456789abcdef0123456789abcdef01234567".to_owned()));
        assert_eq!(reverted_commit(b"This reverts commit main."), None);
    }
}
