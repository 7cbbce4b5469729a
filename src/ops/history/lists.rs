//! What a commit changes beside entries: who can read folders, groups and rules, public keys.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::in_store;
use crate::config::{self, Config, GroupName};
use crate::crypto::RecipientError;
use crate::git::history::{Changed, History};
use crate::git::{GitError, Oid, Repo};
use crate::model::{Fingerprint, FolderName, GpgId};
use crate::ops::Context;
use crate::ops::guard::list_in;
use crate::ops::keys;

/// Somebody that a list names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The primary key of this fingerprint.
    Key(Fingerprint),
    /// A name that leads to no key here; not safe to show.
    Name(String),
}

/// A change of something that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// Who can read a folder; nobody gains or loses where the same keys are only written otherwise.
    Recipients {
        /// The folder.
        folder: PathBuf,
        /// Who can read it since.
        gained: Vec<Who>,
        /// Who no longer can.
        lost: Vec<Who>,
        /// Whether the folder has a list of its own afterwards.
        stands: bool,
    },
    /// The members of a group.
    Group {
        /// The group.
        name: GroupName,
        /// New members.
        gained: Vec<Fingerprint>,
        /// Former ones.
        lost: Vec<Fingerprint>,
        /// Whether there is such a group afterwards.
        stands: bool,
    },
    /// The groups and keys that a folder's recipients are to be.
    Rule {
        /// The folder.
        folder: FolderName,
        /// Whether it has a rule afterwards.
        stands: bool,
    },
    /// Groups and rules, in a way that cannot be read, or that is none of the above.
    Config,
    /// A public key that travels in the store.
    Key {
        /// The key.
        key: Fingerprint,
        /// Whether it was there before.
        was: bool,
        /// Whether it is there afterwards.
        stands: bool,
    },
    /// Another file.
    File {
        /// Its path.
        path: PathBuf,
        /// Whether it was there before.
        was: bool,
        /// Whether it is there afterwards.
        stands: bool,
    },
}

/// Tells what changes of such files come to.
pub(in crate::ops) struct Lists<'a, 'c> {
    context: &'a Context<'c>,
    /// Whom lines stand for now.
    known: HashMap<String, Vec<Who>>,
}

impl<'a, 'c> Lists<'a, 'c> {
    pub fn new(context: &'a Context<'c>) -> Self {
        Lists { context, known: HashMap::new() }
    }

    /// Returns what a change of a file that is no entry comes to.
    pub fn tell(
        &mut self,
        repo: &Repo,
        history: &History<'_>,
        place: usize,
        change: &Changed,
    ) -> Result<Vec<Listed>, GitError> {
        let path = in_store(repo, &change.path);
        let (was, stands) = (change.before().is_some(), change.after.is_some());
        if path.ends_with(".gpg-id") {
            return Ok(vec![self.recipients(repo, history, place, &path, stands)?]);
        }
        if path == Path::new(config::FILE) {
            return configuration(repo, change);
        }
        Ok(vec![match key_of(&path) {
            Some(key) => Listed::Key { key, was, stands },
            None => Listed::File { path, was, stands },
        }])
    }

    /// Returns who gained and lost access by the change of a list: one that comes or goes is compared with the one
    /// above.
    fn recipients(
        &mut self,
        repo: &Repo,
        history: &History<'_>,
        place: usize,
        list: &Path,
        stands: bool,
    ) -> Result<Listed, GitError> {
        let folder = list.parent().unwrap_or(Path::new(""));
        let ruling = |commit: Oid| list_in(repo, &repo.tree_of(commit)?, folder);
        let now = ruling(history.commits()[place].id)?.unwrap_or_default();
        let then = match history.parents(place).next() {
            Some(parent) => ruling(parent)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let (now, then) = (self.readers(now), self.readers(then));
        let gained = now.difference(&then).cloned().collect();
        let lost = then.difference(&now).cloned().collect();
        Ok(Listed::Recipients { folder: folder.to_path_buf(), gained, lost, stands })
    }

    /// Returns whom a list names.
    pub fn readers(&mut self, list: Vec<u8>) -> BTreeSet<Who> {
        let lines: Vec<String> = GpgId::from_bytes(list).lines().into_iter().map(|line| line.id).collect();
        let unknown: Vec<&str> =
            lines.iter().map(String::as_str).filter(|id| !self.known.contains_key(*id)).collect();
        if !unknown.is_empty() {
            for (id, found) in unknown.iter().zip(self.context.crypto.resolve_all(&unknown)) {
                let who = match found {
                    Ok(keys) => keys.into_iter().map(|key| Who::Key(key.fingerprint)).collect(),
                    Err(RecipientError::Unusable { fingerprint, .. }) => vec![Who::Key(fingerprint)],
                    // Of people who have left, the key may be gone.
                    Err(_) => match Fingerprint::of_name(id) {
                        Some(key) => vec![Who::Key(key)],
                        None => vec![Who::Name((*id).to_owned())],
                    },
                };
                self.known.insert((*id).to_owned(), who);
            }
        }
        lines.iter().flat_map(|id| self.known[id].iter().cloned()).collect()
    }
}

/// Returns the key that a file of the store's folder for keys is named by.
fn key_of(path: &Path) -> Option<Fingerprint> {
    let key = Fingerprint::parse(path.strip_prefix(keys::FOLDER).ok()?.to_str()?)?;
    (keys::path_of(&key) == path).then_some(key)
}

/// Returns what a change of the store's configuration comes to.
fn configuration(repo: &Repo, change: &Changed) -> Result<Vec<Listed>, GitError> {
    let read = |blob: Option<Oid>| -> Result<Option<Config>, GitError> {
        let bytes = blob.map(|blob| repo.blob(blob)).transpose()?;
        Ok(Config::of(bytes.as_deref()).ok())
    };
    let (Some(then), Some(now)) = (read(change.before())?, read(change.after)?) else {
        return Ok(vec![Listed::Config]);
    };
    let none = BTreeSet::new();
    let mut found = Vec::new();
    for name in then.groups.keys().chain(now.groups.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (then.groups.get(name), now.groups.get(name));
        if old != new {
            let (old, members) = (old.unwrap_or(&none), new.unwrap_or(&none));
            found.push(Listed::Group {
                name: name.clone(),
                gained: members.difference(old).cloned().collect(),
                lost: old.difference(members).cloned().collect(),
                stands: new.is_some(),
            });
        }
    }
    for folder in then.rules.keys().chain(now.rules.keys()).collect::<BTreeSet<_>>() {
        let new = now.rules.get(folder);
        if then.rules.get(folder) != new {
            found.push(Listed::Rule { folder: folder.clone(), stands: new.is_some() });
        }
    }
    if found.is_empty() {
        found.push(Listed::Config);
    }
    Ok(found)
}
