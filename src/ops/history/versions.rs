//! The versions of an entry.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::log::absent;
use super::{
    HistoryError, Judge, Marks, SHORT, Stamp, What, in_repository, in_store, repository, what_in_store,
};
use crate::git::history::{Event, History, Version};
use crate::git::{GitError, Oid, Repo, blob_id};
use crate::model::{EntryName, Plaintext, Shown};
use crate::ops::{Context, OpError, cache};
use crate::store::StoreError;
use crate::store::beneath::State;

/// An entry's history: what happened to it, and where it was.
pub struct Past {
    /// The entry, as it is called now or was last.
    pub name: EntryName,
    /// The repository.
    pub repo: Repo,
    /// Whether older commits were left out when the repository was cloned.
    pub is_shallow: bool,
    /// Commits that cannot be read, and why.
    pub damaged: Vec<(Oid, GitError)>,
    /// What happened, the newest first, with the commits.
    events: Vec<(Version, Oid)>,
}

/// Something that happened to an entry.
#[derive(Debug)]
pub struct Seen {
    /// The number of the version that it made, 1 being the newest; none if it made none.
    pub number: Option<usize>,
    /// Who did it, and when.
    pub stamp: Stamp,
    /// The entry's file in the store.
    pub path: PathBuf,
    /// What happened.
    pub what: What,
}

/// One version of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Old {
    /// Its number, if it is one of the list.
    pub number: Option<usize>,
    /// The commit as of which it is meant.
    pub commit: Oid,
    /// Its file in the store.
    pub path: PathBuf,
    /// Its blob.
    pub blob: Oid,
}

impl Old {
    /// Returns the first digits of the commit's id.
    pub fn short(&self) -> String {
        self.commit.to_string()[..SHORT].to_owned()
    }
}

/// What was found of a file's history.
struct Followed {
    events: Vec<(Version, Oid)>,
    is_shallow: bool,
    damaged: Vec<(Oid, GitError)>,
}

/// Returns what happened to a file of a repository; none before the first commit.
fn follow(repo: &Repo, path: &Path, judge: &mut Judge<'_, '_>) -> Result<Option<Followed>, GitError> {
    let Some(history) = repo.history()? else { return Ok(None) };
    let versions = history.follow(path, &mut |one, other| judge.same(repo, one, other));
    let with_commit = |version: Version| {
        let commit = history.commits()[version.commit].id;
        (version, commit)
    };
    Ok(Some(Followed {
        events: versions.into_iter().map(with_commit).collect(),
        is_shallow: history.is_cut() && repo.is_shallow(),
        damaged: history.damaged,
    }))
}

impl Past {
    /// Returns the history of the entry that `text` names. `judge` compares messages where an entry was moved.
    pub fn read(context: &Context<'_>, text: &OsStr, judge: &mut Judge<'_, '_>) -> Result<Self, OpError> {
        let name = EntryName::parse(text)?;
        let file = name.file();
        let repo = repository(context, name.folder().as_path())?;
        let inside = in_repository(&repo, &file);
        let followed = follow(&repo, inside, judge).map_err(StoreError::from)?;
        match followed.filter(|followed| !followed.events.is_empty()) {
            Some(Followed { events, is_shallow, damaged }) => {
                Ok(Past { name, is_shallow, damaged, events, repo })
            }
            None if context
                .store
                .beneath()
                .state(name.as_path())
                .is_ok_and(|state| state == State::Folder) =>
            {
                Err(HistoryError::Folder(name.to_string()).into())
            }
            None => Err(absent(context, text)),
        }
    }

    /// Returns all that happened, in words.
    pub fn seen(&self, context: &Context<'_>, judge: &mut Judge<'_, '_>) -> Result<Vec<Seen>, OpError> {
        let Some(history) = self.repo.history().map_err(StoreError::from)? else { return Ok(Vec::new()) };
        let mut marks = Marks::new(context);
        let mut found = Vec::new();
        let mut number = 0;
        for (place, (version, _)) in self.events.iter().enumerate() {
            let details = history.details(version.commit);
            let what = self.what(&history, place, judge);
            let made = version.blob.map(|_| {
                number += 1;
                number
            });
            found.push(Seen {
                number: made,
                stamp: Stamp::of(&self.repo, &history, version.commit, &details, &mut marks),
                path: in_store(&self.repo, &version.path),
                what: what_in_store(&self.repo, what),
            });
            context.progress.step(self.events.len());
        }
        context.progress.end();
        cache::settle(context);
        Ok(found)
    }

    /// Returns what happened.
    fn what(&self, history: &History<'_>, place: usize, judge: &mut Judge<'_, '_>) -> What {
        let (version, _) = &self.events[place];
        let Some(blob) = version.blob else {
            return if version.event == Event::Removed { What::Removed } else { What::Damaged };
        };
        match &version.event {
            Event::Moved(from) => {
                let anew = !version.before.contains(&Some(blob));
                return What::Moved { from: from.clone(), anew };
            }
            Event::Held => return What::Held,
            _ => {}
        }
        let plain = match &version.event {
            Event::Changed => judge.compare(&self.repo, &version.before, blob),
            _ => {
                let details = history.details(version.commit);
                judge.brought(&self.repo, history, version.commit, &details, &version.path, blob)
            }
        };
        if matches!(plain, What::Reencrypted | What::Copied { .. } | What::Restored { .. }) {
            return plain;
        }
        // What it said before was judged already.
        let older =
            self.events[place + 1..].iter().filter(|(older, _)| !version.before.contains(&older.blob));
        for (older, commit) in older {
            if older.blob.is_some_and(|theirs| judge.same(&self.repo, theirs, blob)) {
                return What::Restored { of: commit.to_string()[..SHORT].to_owned() };
            }
        }
        plain
    }

    /// Returns the versions, the newest first.
    pub fn versions(&self) -> Vec<Old> {
        let made = self.events.iter().filter_map(|(version, commit)| Some((version, commit, version.blob?)));
        made.zip(1..)
            .map(|((version, commit, blob), number)| Old {
                number: Some(number),
                commit: *commit,
                path: in_store(&self.repo, &version.path),
                blob,
            })
            .collect()
    }

    /// Returns the version that `rev` names: by its number, or by any commit that git knows of (the entry as it
    /// was then).
    pub fn version(&self, rev: &str) -> Result<Old, OpError> {
        let mut versions = self.versions();
        if !rev.is_empty() && rev.len() < 7 && rev.bytes().all(|byte| byte.is_ascii_digit()) {
            let number: usize = rev.parse().expect("it has few digits");
            if (1..=versions.len()).contains(&number) {
                return Ok(versions.swap_remove(number - 1));
            }
            let (name, count) = (self.name.to_string(), versions.len());
            // Digits can be the beginning of an id as well.
            if rev.len() < 4 || self.repo.commit_named(rev).is_err() {
                return Err(HistoryError::NoNumber { name, number, count }.into());
            }
        }
        let commit = self.repo.commit_named(rev).map_err(StoreError::from)?;
        self.as_of(commit, &versions)?.ok_or_else(|| {
            HistoryError::NotThen { name: self.name.to_string(), rev: Shown::new(rev).to_string() }.into()
        })
    }

    /// Returns the entry as it was in a commit, under the name that it had then.
    fn as_of(&self, commit: Oid, versions: &[Old]) -> Result<Option<Old>, OpError> {
        let mut descends: HashMap<Oid, bool> = HashMap::new();
        let mut path = in_repository(&self.repo, &self.name.file()).to_path_buf();
        for (version, then) in &self.events {
            let is_before = match descends.get(then) {
                Some(known) => *known,
                None => {
                    let found = self.repo.descends(commit, *then).map_err(StoreError::from)?;
                    descends.insert(*then, found);
                    found
                }
            };
            path.clone_from(&version.path);
            if is_before {
                break;
            }
            if let Event::Moved(from) = &version.event {
                path.clone_from(from);
            }
        }
        let tree = self.repo.tree_of(commit).map_err(StoreError::from)?;
        let Some((blob, 0o100_000..0o120_000)) = tree.entry(&path).map_err(StoreError::from)? else {
            return Ok(None);
        };
        let path = in_store(&self.repo, &path);
        let number =
            versions.iter().find(|old| old.blob == blob && old.path == path).and_then(|old| old.number);
        Ok(Some(Old { number, commit, path, blob }))
    }

    /// Returns what a version says.
    pub fn plaintext(&self, context: &Context<'_>, old: &Old) -> Result<Plaintext, OpError> {
        context.decrypt(self.called(old), &self.message(old)?)
    }

    /// Returns a version's encrypted bytes.
    pub fn message(&self, old: &Old) -> Result<Vec<u8>, OpError> {
        Ok(self.repo.blob(old.blob).map_err(StoreError::from)?)
    }

    /// Returns what an error calls a version.
    pub fn called(&self, old: &Old) -> String {
        crate::model::entry::shown_entry(&old.path)
    }

    /// Whether the entry's file differs from the newest commit: that is no version yet.
    pub fn is_changed_since(&self, context: &Context<'_>) -> Result<bool, OpError> {
        let file = self.name.file();
        let here = context.store.beneath().read(&file).ok().flatten();
        let inside: &Path = in_repository(&self.repo, &file);
        let Some(head) = self.repo.head_commit().map_err(StoreError::from)? else { return Ok(true) };
        let entry = self.repo.tree_of(head).and_then(|tree| tree.entry(inside)).map_err(StoreError::from)?;
        let head = entry.map(|(blob, _)| blob);
        Ok(here.as_deref().and_then(blob_id) != head)
    }
}
