//! Steps 3 to 6 of [`super`]: everything that can be seen from outside.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Onto, Outcome, Part, Plan, Published, Work};
use crate::git::publish::made;
use crate::git::summary::Summary;
use crate::git::{GitError, PATIENCE};
use crate::store::beneath::State;
use crate::store::journal::{FilePart, Journal, Phase, RepoPart, escape, staged, state_text};
use crate::store::sync::sync_paths;
use crate::store::{Store, StoreError};

impl Store {
    /// Steps 3 to 6: everything that can be seen from outside.
    pub(super) fn place(&self, work: &Work<'_>) -> Result<Outcome, StoreError> {
        let mut journal = self.journal_of(work)?;
        let folders = match self.stage(work, &mut journal) {
            Ok(Ok(folders)) => folders,
            Ok(Err(stale)) => {
                self.roll_back(&journal)?;
                return Ok(Outcome::Stale(stale));
            }
            // An error may come after the commit point: then the journal stays, to be finished from.
            Err(error) if self.has_moved(&journal) => return Err(StoreError::Unfinished(Box::new(error))),
            Err(error) => {
                // What cannot be undone now is undone by the next command: the journal stays then.
                let _ = self.roll_back(&journal);
                return Err(error);
            }
        };
        let overtaken =
            self.finish(&journal, work).map_err(|error| StoreError::Unfinished(Box::new(error)))?;
        // Only told: a summary that cannot be made is no failure.
        let commits = work.parts.iter().filter_map(|part| part.summary().ok()).collect();
        Ok(Outcome::Done(Published { folders, commits, warnings: work.warnings.clone(), overtaken }))
    }

    /// Returns the journal of a change that is about to be published.
    fn journal_of(&self, work: &Work<'_>) -> Result<Journal, StoreError> {
        let mut journal = Journal::preparing(&work.nonce, &work.plan.subject);
        journal.phase = Phase::Publishing;
        for part in &work.parts {
            journal.repos.push(RepoPart {
                prefix: escape(part.repo.prefix()),
                name: part.branch.clone(),
                old: part.prepared.parent.map(|id| id.to_string()),
                new: part.commit.map(|id| id.to_string()).unwrap_or_default(),
                told: part.told.clone(),
            });
        }
        for change in &work.plan.changes {
            journal.files.push(FilePart {
                path: escape(&change.path),
                old: state_text(&change.seen),
                new: change.new.as_ref().map(|bytes| state_text(&State::of(bytes))),
            });
        }
        for folder in self.missing_folders(work.plan)? {
            journal.folders.push(escape(&folder));
        }
        journal.prune = work.plan.prune.iter().map(|path| escape(path)).collect();
        Ok(journal)
    }

    /// Returns the folders that the plan has to make, outermost first.
    fn missing_folders(&self, plan: &Plan) -> Result<Vec<PathBuf>, StoreError> {
        let mut wanted: BTreeSet<&Path> = plan.folders.iter().map(PathBuf::as_path).collect();
        let written = plan.changes.iter().filter(|change| change.new.is_some());
        wanted.extend(written.filter_map(|change| change.path.parent()));
        let all: BTreeSet<&Path> = wanted.iter().flat_map(|path| path.ancestors()).collect();
        let mut missing = Vec::new();
        for path in all.into_iter().filter(|path| !path.as_os_str().is_empty()) {
            if self.beneath.state(path)? == State::Absent {
                missing.push(path.to_path_buf());
            }
        }
        Ok(missing)
    }

    /// Steps 3 to 5. Returns the folders made; the inner error names what is no longer as the plan saw it.
    fn stage(
        &self,
        work: &Work<'_>,
        journal: &mut Journal,
    ) -> Result<Result<Vec<PathBuf>, PathBuf>, StoreError> {
        let until = Instant::now() + PATIENCE;
        self.expect(&work.nonce, &work.plan.accepts)?;
        journal.write(&self.journal_path(), true)?;
        Journal::remove(&self.preparing_path())?;
        self.check_removable(work.plan)?;
        let folders = self.stage_files(work)?;
        for part in &work.parts {
            part.lock_index(&work.nonce, until)?;
            // A merge may have begun while a hook ran or somebody typed a passphrase.
            part.repo.refuse_operation()?;
        }
        // With git's lock held, stock pass and git cannot commit; what they wrote before shows here.
        if let Some(path) = self.stale(work.plan)? {
            return Ok(Err(path));
        }
        // All branches are locked before one moves, so that another program's lock stops all of it.
        for part in &work.parts {
            let commit = part.commit.expect("the commit was made");
            let (name, old) = (&part.branch, part.prepared.parent);
            // Somebody may have switched to another branch meanwhile.
            if part.repo.branch()? != *name || !part.repo.lock_ref(name, old, commit, &work.nonce, until)? {
                return Ok(Err("HEAD".into()));
            }
        }
        for part in &work.parts {
            part.repo.put_index(&work.nonce)?;
        }
        for part in &work.parts {
            part.repo.move_ref(&part.branch)?;
        }
        if work.parts.is_empty() {
            journal.phase = Phase::Committed;
            journal.write(&self.journal_path(), true)?;
        }
        Ok(Ok(folders))
    }

    /// Fails if a file that is to go cannot be removed: after the commit point it would be too late.
    fn check_removable(&self, plan: &Plan) -> Result<(), StoreError> {
        let gone = plan.changes.iter().filter(|change| change.new.is_none() && change.seen != State::Absent);
        let folders: BTreeSet<&Path> = gone.filter_map(|change| change.path.parent()).collect();
        folders.into_iter().try_for_each(|folder| Ok(self.beneath.check_writable(folder)?))
    }

    /// Makes folders and writes the new files beside their places, all of it durable.
    fn stage_files(&self, work: &Work<'_>) -> Result<Vec<PathBuf>, StoreError> {
        let mut made = Vec::new();
        let mut to_sync: BTreeSet<PathBuf> = BTreeSet::new();
        let mut wanted: BTreeSet<PathBuf> = work.plan.folders.iter().cloned().collect();
        for change in work.plan.changes.iter().filter(|change| change.new.is_some()) {
            wanted.extend(change.path.parent().map(Path::to_path_buf));
        }
        for folder in wanted {
            for new in self.beneath.create_folders(&folder)? {
                to_sync.insert(self.root.join(new.parent().unwrap_or(Path::new(""))));
                made.push(new);
            }
        }
        let executable = work.plan.onto.as_ref().map(Onto::executable).unwrap_or_default();
        for change in &work.plan.changes {
            let Some(bytes) = &change.new else { continue };
            let path = staged(&change.path, &work.nonce);
            let mut mode = match self.beneath.metadata(&change.path)? {
                Some(stat) => stat.st_mode & 0o777,
                None => 0o666 & !self.options.umask,
            };
            // As a commit from elsewhere has it; and git goes by the owner's bit alone.
            if let Some(is_executable) = executable.get(&change.path) {
                mode = if *is_executable { mode | 0o111 & !self.options.umask } else { mode & !0o111 };
            }
            // The file's own name tells more than that of the one that waits beside it.
            self.beneath.write_new(&path, bytes, mode).map_err(|error| error.about(&change.path))?;
            to_sync.insert(self.root.join(path.parent().unwrap_or(Path::new(""))));
            to_sync.insert(self.root.join(path));
        }
        for part in &work.parts {
            to_sync.extend(part.repo.object_folders().into_iter().filter(|folder| folder.exists()));
        }
        sync_paths(&to_sync.into_iter().collect::<Vec<_>>())?;
        Ok(made)
    }

    /// Step 6, from the journal as recovery does it; then the reflogs.
    fn finish(&self, journal: &Journal, work: &Work<'_>) -> Result<Vec<String>, StoreError> {
        let overtaken = self.place_files(journal, None)?;
        for part in &work.parts {
            let prefix = part.repo.prefix();
            let stat = |path: &Path, blob| self.stat_of(&prefix.join(path), blob);
            part.repo.finish_index(&work.nonce, &part.prepared.index, &stat)?;
            let commit = part.commit.expect("the commit was made");
            part.repo.log_move(
                &part.branch,
                part.prepared.parent,
                commit,
                &part.settings.committer,
                &part.told.clone().unwrap_or_else(|| made(part.prepared.parent, &part.prepared.message)),
                part.settings.log_all,
            );
            part.repo.sweep(&work.nonce, &part.branch)?;
            part.repo.sweep_objects();
        }
        self.settle(Some(&work.nonce))?;
        Journal::remove(&self.journal_path())?;
        Ok(overtaken)
    }
}

impl Onto {
    /// Returns which of the files that come may be executed, by their path in the store.
    fn executable(&self) -> HashMap<PathBuf, bool> {
        let files = self.index.iter().filter_map(|(path, new)| Some((path, new.as_ref()?.1)));
        files.map(|(path, mode)| (self.prefix.join(path), mode == 0o100_755)).collect()
    }
}

impl Part {
    /// Whether the commit is one of ours that is to be signed.
    pub(super) fn is_to_sign(&self) -> bool {
        self.settings.sign && (self.commit.is_none() || self.signed.is_some())
    }

    /// Puts the new index inside git's lock; begins again if the index changes meanwhile.
    fn lock_index(&self, nonce: &str, until: Instant) -> Result<(), StoreError> {
        loop {
            let base = self.repo.stage_index(nonce, &self.prepared.index)?;
            self.repo.lock_index(nonce, until)?;
            if self.repo.index_stamp()? == base.stamp {
                self.repo.refuse_conflicts(base.has_conflicts)?;
                return Ok(self.repo.keep_index(nonce)?);
            }
            self.repo.unlock_index(nonce)?;
        }
    }

    fn summary(&self) -> Result<Summary, GitError> {
        let commit = self.commit.expect("the commit was made");
        self.repo.summary(&self.branch, self.prepared.parent, commit)
    }
}
