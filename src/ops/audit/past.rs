//! The versions of all entries, in the histories of all repositories of the store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::AuditError;
use crate::crypto::openpgp::{body, outline};
use crate::git::versions::{Content, Versions, Walked};
use crate::git::{Oid, Repo};
use crate::model::entry::is_credential;
use crate::model::{KeyId, Shown, day};
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::walked::{self, Seen};

/// The histories of a store.
pub struct Past {
    /// One for each repository, the store's own first.
    pub histories: Vec<History>,
    /// Repositories in the store that could not be looked at, and why.
    pub closed: Vec<(PathBuf, String)>,
}

/// The history of one repository.
pub struct History {
    /// The repository.
    pub repo: Repo,
    /// All versions of its entries.
    pub versions: Versions,
}

/// A commit as a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Its id.
    pub commit: Oid,
    /// When it was committed, in seconds since 1970.
    pub when: i64,
}

impl From<&Walked> for Moment {
    fn from(commit: &Walked) -> Self {
        Moment { commit: commit.id, when: commit.committed }
    }
}

impl Past {
    /// Reads all histories.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        let (mut histories, mut closed) = (Vec::new(), Vec::new());
        let mut prefixes = context.store.beneath().below(Path::new(""))?.repositories;
        prefixes.sort();
        for prefix in prefixes {
            match Repo::open(context.store.root(), &prefix) {
                Ok(repo) => histories.push(History::read(repo)?),
                Err(error) if prefix.as_os_str().is_empty() => return Err(StoreError::from(error).into()),
                Err(error) => closed.push((prefix, error.to_string())),
            }
        }
        if histories.is_empty() {
            return Err(AuditError::NoGit.into());
        }
        Ok(Past { histories, closed })
    }

    /// Returns why the answer may lack something; nothing if it does not.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for History { repo, versions } in &self.histories {
            let place = match repo.prefix().as_os_str().is_empty() {
                true => String::new(),
                false => format!(" of `{}`", Shown::os(repo.prefix())),
            };
            if versions.is_shallow {
                gaps.push(format!(
                    "the history{place} is cut off: the repository was cloned without older commits"
                ));
            }
            for (commit, why) in &versions.damaged {
                gaps.push(format!("commit {}{place} cannot be read: {}", short(*commit), Shown::new(why)));
            }
            let missing = versions.missing().count();
            if missing > 0 {
                let versions = if missing == 1 { "1 version" } else { &format!("{missing} versions") };
                gaps.push(format!("{versions}{place} cannot be read, or are not here"));
            }
        }
        for (prefix, why) in &self.closed {
            gaps.push(format!(
                "the repository `{}` was not looked at: {}",
                Shown::os(prefix),
                Shown::new(why)
            ));
        }
        gaps
    }

    /// Returns what a blob says of itself.
    pub fn content(&self, blob: Oid) -> Option<&Content> {
        self.histories.iter().find_map(|history| history.versions.blobs.get(&blob))
    }

    /// Returns the bytes of a blob.
    pub fn blob(&self, history: usize, blob: Oid) -> Result<Vec<u8>, OpError> {
        Ok(self.histories[history].repo.blob(blob).map_err(StoreError::from)?)
    }
}

impl History {
    fn read(repo: Repo) -> Result<Self, OpError> {
        let known = walked::read(&repo, Seen::Versions);
        let mut sets: HashMap<Vec<KeyId>, Rc<[KeyId]>> = HashMap::new();
        let sets = std::cell::RefCell::new(&mut sets);
        let reader = |bytes: &[u8]| content(bytes, &mut sets.borrow_mut());
        let prefix = repo.prefix().to_path_buf();
        // Of a repository inside the store, no folder is that of our records.
        let wanted = |path: &Path| is_credential(&prefix.join(path));
        let mut versions = repo.versions(known.as_deref(), &wanted, &reader).map_err(StoreError::from)?;
        if let Some(kept) = versions.kept.take() {
            walked::write(&repo, Seen::Versions, &kept);
        }
        Ok(History { repo, versions })
    }

    /// Returns a path of the repository as one of the store.
    pub fn in_store(&self, path: &Path) -> PathBuf {
        match self.repo.prefix().as_os_str().is_empty() {
            true => path.to_path_buf(),
            false => self.repo.prefix().join(path),
        }
    }
}

/// Returns what a file says of itself.
pub fn content_of(bytes: &[u8]) -> Content {
    content(bytes, &mut HashMap::new())
}

/// Returns what a file says of itself; equal sets of readers are kept once.
fn content(bytes: &[u8], sets: &mut HashMap<Vec<KeyId>, Rc<[KeyId]>>) -> Content {
    let mut readers = match outline(bytes) {
        Ok(outline) => {
            let hidden = outline.passphrase.then_some(KeyId::HIDDEN);
            outline.recipients.into_iter().chain(hidden).collect()
        }
        // gpg reads more forms than we do (with something in front, or behind): for whom, only it can tell.
        Err(_) if body(bytes).is_some() => vec![KeyId::HIDDEN],
        Err(_) => return Content::Other,
    };
    readers.sort();
    readers.dedup();
    let readers = Rc::clone(sets.entry(readers).or_insert_with_key(|readers| readers.as_slice().into()));
    Content::Message { readers, body: body(bytes).map(|body| body.0) }
}

/// Returns the first digits of a commit's id.
pub fn short(commit: Oid) -> String {
    commit.to_string()[..crate::ops::history::SHORT].to_owned()
}

/// Returns the day of a moment.
pub fn day_of(moment: Moment) -> String {
    day(moment.when)
}
