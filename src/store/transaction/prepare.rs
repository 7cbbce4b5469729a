//! Steps 1 and 2 of [`super`]: objects, hooks, commits and their signatures. Nothing can be seen from outside
//! yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Change, Destination, Onto, Part, Plan, Work, nonce};
use crate::git::commit::Prepared;
use crate::git::settings::Settings;
use crate::git::{FileChange, GitError, Repo};
use crate::model::Shown;
use crate::store::beneath::State;
use crate::store::journal::{Journal, RepoPart, escape};
use crate::store::sync::sync_paths;
use crate::store::{Store, StoreError};

impl Store {
    /// Writes the objects of every repository and runs its hooks.
    pub(super) fn prepare<'p>(
        &self,
        plan: &'p Plan,
        settings: &BTreeMap<PathBuf, Settings>,
    ) -> Result<Work<'p>, StoreError> {
        let mut work =
            Work { plan, nonce: nonce()?, parts: Vec::new(), unstage: Vec::new(), warnings: Vec::new() };
        let mut by_repo: BTreeMap<PathBuf, Vec<&Change>> = BTreeMap::new();
        for change in &plan.changes {
            if let Some(prefix) = self.prefix_of(&change.path) {
                by_repo.entry(prefix).or_default().push(change);
            }
        }
        if let Some(onto) = &plan.onto {
            by_repo.entry(onto.prefix.clone()).or_default();
        }
        if by_repo.is_empty() {
            return Ok(work);
        }
        let mut repos = Vec::new();
        for (prefix, changes) in by_repo {
            let repo = Repo::open(&self.root, &prefix)?;
            repo.refuse_unfinished()?;
            repos.push((repo, changes));
        }
        let journal = self.begin_preparing(&work.nonce, plan, repos.iter().map(|(repo, _)| repo))?;
        for (repo, changes) in repos {
            let settings = settings.get(repo.prefix()).expect("settings of every repository are there");
            let prepared = match &plan.onto {
                Some(onto) if onto.prefix == repo.prefix() => work.prepare_onto(repo, onto, settings),
                _ => work.prepare_part(repo, &changes, settings),
            };
            match prepared {
                Ok(()) => {}
                Err(error) => {
                    self.roll_back(&journal)?;
                    return Err(error);
                }
            }
        }
        Ok(work)
    }

    /// Tells the next command, in case that we are killed, that objects are being written.
    pub(super) fn begin_preparing<'r>(
        &self,
        nonce: &str,
        plan: &Plan,
        repos: impl Iterator<Item = &'r Repo>,
    ) -> Result<Journal, StoreError> {
        let mut journal = Journal::preparing(nonce, &plan.subject);
        for repo in repos {
            let prefix = escape(repo.prefix());
            journal.repos.push(RepoPart {
                prefix,
                name: repo.branch()?,
                old: None,
                new: String::new(),
                told: None,
            });
        }
        journal.write(&self.preparing_path(), false)?;
        // Its name has to last before the first object does; its content need not.
        let folder = self.preparing_path().parent().map(Path::to_path_buf);
        sync_paths(&folder.into_iter().collect::<Vec<_>>())?;
        Ok(journal)
    }

    /// Has the commits signed that are to be.
    pub(super) fn sign_commits(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        for part in work.parts.iter_mut().filter(|part| part.is_to_sign()) {
            let signed = part.repo.sign_commit(&part.prepared, &part.settings, &self.options.git)?;
            part.signed = Some(signed);
        }
        Ok(())
    }

    /// Writes the commit objects; has those signed that are not yet.
    pub(super) fn make_commits(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        if work.parts.iter().any(|part| part.is_to_sign() && part.signed.is_none()) {
            self.sign_commits(work)?;
        }
        for part in work.parts.iter_mut().filter(|part| part.commit.is_none()) {
            part.commit = Some(match &part.signed {
                Some(signed) => part.repo.write_signed(signed)?,
                None => part.repo.write_commit(&part.prepared, &part.settings)?,
            });
        }
        Ok(())
    }
}

impl Work<'_> {
    /// Prepares one repository's commit, if there is anything to commit.
    fn prepare_part(
        &mut self,
        repo: Repo,
        changes: &[&Change],
        settings: &Settings,
    ) -> Result<(), StoreError> {
        let files = self.file_changes(&repo, changes)?;
        let only_removes = changes.iter().all(|change| change.new.is_none());
        let subject = match &self.plan.removal_subject {
            Some(subject) if only_removes && self.plan.changes.iter().any(|c| c.new.is_some()) => subject,
            _ => &self.plan.subject,
        };
        if let Some(prepared) = repo.prepare(&files, subject, settings, &self.nonce)? {
            let branch = repo.branch()?;
            self.parts.push(Part {
                repo,
                branch,
                settings: settings.clone(),
                prepared,
                signed: None,
                commit: None,
                told: None,
            });
        }
        Ok(())
    }

    /// Prepares the branch's move to a commit that is there, or a merge.
    fn prepare_onto(&mut self, repo: Repo, onto: &Onto, settings: &Settings) -> Result<(), StoreError> {
        let (prepared, commit) = match &onto.to {
            Destination::Commit(commit) => {
                let (parent, tree) = (repo.head_commit()?, repo.tree_id(*commit)?);
                let (others, message, index) = (Vec::new(), String::new(), onto.index.clone());
                (Prepared { parent, others, tree, message, index }, Some(*commit))
            }
            Destination::Merge { others, tree } => {
                let (others, index) = (others.clone(), onto.index.clone());
                let subject = &self.plan.subject;
                (repo.prepare_merge(others, *tree, index, subject, settings, &self.nonce)?, None)
            }
        };
        let (branch, settings, told) = (repo.branch()?, settings.clone(), Some(onto.told.clone()));
        self.parts.push(Part { repo, branch, settings, prepared, signed: None, commit, told });
        Ok(())
    }

    /// Returns what git is to record of `changes`: not what it is told to ignore.
    fn file_changes<'c>(
        &mut self,
        repo: &Repo,
        changes: &[&'c Change],
    ) -> Result<Vec<FileChange<'c>>, StoreError> {
        let mut files = Vec::new();
        let (head, sparse) = (repo.head()?, repo.is_sparse());
        for change in changes {
            let path = change.path.strip_prefix(repo.prefix()).expect("the path lies in its repository");
            let known = head.entry(path)?;
            if change.new.is_some() && repo.ignores(&head, path)? {
                let shown = Shown::os(&change.path);
                // Entries would be committed without the list that they are encrypted by.
                if change.path.ends_with(".gpg-id") && change.seen == State::Absent {
                    return Err(GitError::IgnoredList { path: shown.to_string() }.into());
                }
                self.warnings.push(format!("`{shown}` is ignored by git: it is stored, but not committed"));
                continue;
            }
            if sparse && change.seen == State::Absent && known.is_some() {
                return Err(GitError::Sparse { path: Shown::os(&change.path).to_string() }.into());
            }
            if change.new.is_none() && known.is_none() && repo.stages(path)? {
                self.unstage.push((repo.workdir().to_path_buf(), path.to_path_buf()));
            }
            // A file keeps its mode when it is replaced.
            let replaced = matches!(change.seen, State::File(_));
            let executable = replaced && known.is_some_and(|(_, mode)| mode == 0o100_755);
            let new = change.new.as_deref().map(|bytes| (bytes, executable));
            files.push(FileChange { path: path.to_path_buf(), new });
        }
        Ok(files)
    }

    /// Whether every branch still stands where the commits expect it.
    pub(super) fn still_on_top(&self) -> Result<bool, StoreError> {
        for part in &self.parts {
            if part.repo.head_commit()? != part.prepared.parent {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
