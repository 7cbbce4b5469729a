//! Finishing or undoing a change that was interrupted.

use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use super::journal::{Journal, JournalError, Phase, RepoPart, staged, unescape};
use super::lock::Lock;
use super::record::RecordError;
use super::sync::sync_paths;
use super::{Store, StoreError};
use crate::git::commit::IndexChange;
use crate::git::{Oid, PATIENCE, Repo};
use crate::model::Shown;

/// A repository named by a journal, opened.
pub(super) struct Found {
    pub(super) repo: Repo,
    name: String,
    old: Option<Oid>,
    new: Option<Oid>,
    /// What the reflogs are to say, if that is not what the commit says.
    told: Option<String>,
    /// Whether its branch holds the journal's commit.
    pub(super) moved: bool,
}

impl Store {
    /// Recovers if there is something to recover and nobody is at work; reading goes on either way.
    pub(super) fn recover_if_idle(&self) -> Result<(), StoreError> {
        if (Journal::exists(&self.journal_path())
            || Journal::exists(&self.preparing_path())
            || self.half_written_acceptance().is_some())
            && let Some(lock) = self.try_lock()?
        {
            self.recover(&lock)?;
        }
        Ok(())
    }

    /// Finishes or undoes what the journal tells of, if there is one.
    pub(super) fn recover(&self, _lock: &Lock<'_>) -> Result<(), StoreError> {
        if let Some(path) = self.half_written_acceptance() {
            // The whole one stands beside it.
            let _ = std::fs::remove_file(path);
        }
        self.sweep_preparation()?;
        let path = self.journal_path();
        if !Journal::exists(&path) {
            // Killed before there was a journal, or after all was done: what was to be accepted is void, or is.
            return self.settle(None);
        }
        let Some(journal) = Journal::read(&path)? else {
            // Only the half-written beginning of one: nothing had been changed.
            self.settle(None)?;
            return Ok(Journal::remove(&path)?);
        };
        let mut repos = self.find_repos(&journal)?;
        let committed = journal.phase == Phase::Committed || repos.iter().any(|found| found.moved);
        let subject = Shown::new(&journal.subject).to_string();
        if committed {
            self.roll_forward(&journal, &mut repos)?;
            self.note(format!("finished a change that was interrupted: {subject}"));
        } else {
            self.roll_back(&journal)?;
            self.note(format!("undid a change that was interrupted: {subject}"));
        }
        Ok(())
    }

    /// Clears what a command left that was killed while it prepared its commit.
    pub(super) fn sweep_preparation(&self) -> Result<(), StoreError> {
        let path = self.preparing_path();
        if !Journal::exists(&path) {
            return Ok(());
        }
        // Damaged by a power cut, it still says that something is to be swept in the store's own repository.
        let known = Journal::read(&path).ok().flatten();
        let mut prefixes: Vec<PathBuf> = Vec::new();
        for part in known.iter().flat_map(|journal| &journal.repos) {
            prefixes.push(self.path_in(&part.prefix)?);
        }
        prefixes.extend(Repo::prefix_of(&self.root, Path::new("")));
        for prefix in prefixes {
            let repo = Repo::open(&self.root, &prefix)?;
            repo.sweep_objects();
            // What was removed must be so for good before nobody is told of it any more.
            let folders = repo.object_folders().into_iter().filter(|folder| folder.exists());
            sync_paths(&folders.collect::<Vec<_>>())?;
            if let Some(journal) = &known {
                repo.take_back_index(&journal.nonce)?;
                repo.sweep(&journal.nonce, &repo.branch()?)?;
            }
        }
        Ok(Journal::remove(&path)?)
    }

    /// Whether a branch holds its commit of the journal, as far as can be told.
    pub(super) fn has_moved(&self, journal: &Journal) -> bool {
        self.find_repos(journal).map_or(!journal.repos.is_empty(), |repos| repos.iter().any(|r| r.moved))
    }

    /// Opens the repositories that the journal names.
    fn find_repos(&self, journal: &Journal) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        for part in &journal.repos {
            let repo = self.repo_of(part)?;
            let (old, new) = (parse_id(part.old.as_deref()), parse_id(Some(&part.new)));
            let moved = match (repo.target(&part.name)?, new) {
                (Some(now), Some(new)) if Some(now) != old => repo.descends(now, new)?,
                _ => false,
            };
            let (name, told) = (part.name.clone(), part.told.clone());
            found.push(Found { repo, name, old, new, told, moved });
        }
        Ok(found)
    }

    /// Undoes a change that did not come to its commit point: nothing but staged files is there.
    pub(super) fn roll_back(&self, journal: &Journal) -> Result<(), StoreError> {
        for file in &journal.files {
            self.beneath.remove(&staged(&self.path_in(&file.path)?, &journal.nonce))?;
        }
        for folder in journal.folders.iter().rev() {
            self.beneath.remove_empty_folder(&self.path_in(folder)?)?;
        }
        for part in &journal.repos {
            let repo = self.repo_of(part)?;
            repo.take_back_index(&journal.nonce)?;
            repo.sweep(&journal.nonce, &part.name)?;
            repo.sweep_objects();
        }
        Journal::remove(&self.preparing_path())?;
        self.settle(None)?;
        Ok(Journal::remove(&self.journal_path())?)
    }

    /// Finishes a change that came to its commit point.
    fn roll_forward(&self, journal: &Journal, repos: &mut [Found]) -> Result<(), StoreError> {
        let until = Instant::now() + PATIENCE;
        for found in repos.iter_mut().filter(|found| !found.moved) {
            if let Some(new) = found.new {
                // Another repository's branch has moved, so this one has to follow.
                if !found.repo.holds_ref_lock(&journal.nonce, &found.name)
                    && !found.repo.lock_ref(&found.name, found.old, new, &journal.nonce, until)?
                {
                    let name = Shown::new(&found.name).to_string();
                    self.note(format!("{name} has moved on: the change is stored, but not committed there"));
                    continue;
                }
                found.repo.move_ref(&found.name)?;
                found.moved = true;
            }
        }
        for found in repos.iter().filter(|found| found.moved) {
            found.repo.sync_ref(&found.name)?;
        }
        for told in self.place_files(journal, Some(repos))? {
            self.note(told);
        }
        for found in repos {
            self.mend_index(journal, found, until)?;
            found.repo.log_recovered(&found.name, found.old, found.new, found.told.as_deref());
            found.repo.sweep(&journal.nonce, &found.name)?;
            found.repo.sweep_objects();
        }
        Journal::remove(&self.preparing_path())?;
        self.settle(Some(&journal.nonce))?;
        Ok(Journal::remove(&self.journal_path())?)
    }

    /// Brings the index in line with HEAD for the journal's files.
    fn mend_index(&self, journal: &Journal, found: &Found, until: Instant) -> Result<(), StoreError> {
        let repo = &found.repo;
        let mut changes: Vec<IndexChange> = Vec::new();
        for file in &journal.files {
            let path = self.path_in(&file.path)?;
            let inside = path.strip_prefix(repo.prefix()).map(Path::to_path_buf);
            let folder = path.parent().unwrap_or(Path::new(""));
            if let Ok(inside) = inside
                && Repo::prefix_of(&self.root, folder).as_deref() == Some(repo.prefix())
            {
                let entry = repo.head_entry(&inside)?;
                changes.push((inside, entry));
            }
        }
        if !repo.holds_index_lock(&journal.nonce) {
            repo.stage_index(&journal.nonce, &changes)?;
            repo.lock_index(&journal.nonce, until)?;
        }
        let stat = |path: &Path, blob| self.stat_of(&repo.prefix().join(path), blob);
        Ok(repo.finish_index(&journal.nonce, &changes, &stat)?)
    }

    /// Opens the repository that a journal names; a forged one cannot lead out of the store, neither
    /// through a link nor by a ref's name.
    fn repo_of(&self, part: &RepoPart) -> Result<Repo, StoreError> {
        let prefix = self.path_in(&part.prefix)?;
        if !Repo::is_ref_name(&part.name) {
            return Err(self.damaged("it names a ref that cannot be"));
        }
        self.beneath.open_folder(&prefix)?;
        Ok(Repo::open(&self.root, &prefix)?)
    }

    /// Returns the path that a journal names; a forged one cannot lead out of the store or into git's
    /// own files.
    pub(super) fn path_in(&self, text: &str) -> Result<PathBuf, StoreError> {
        let path = unescape(text).unwrap_or_else(|| PathBuf::from(".."));
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(self.damaged("it names a path outside of the store"));
        }
        if path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
            return Err(self.damaged("it names a file of git's own"));
        }
        Ok(path)
    }

    fn damaged(&self, what: &str) -> StoreError {
        JournalError(RecordError::damaged(&self.journal_path(), what)).into()
    }
}

fn parse_id(text: Option<&str>) -> Option<Oid> {
    text.and_then(|text| Oid::from_str(text).ok())
}
