//! Commits that changed who can read what.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::lists::Lists;
use super::{Listed, SHORT, Who, repository};
use crate::git::history::History;
use crate::git::{GitError, Oid, Repo};
use crate::model::Shown;
use crate::ops::{Context, OpError};
use crate::store::StoreError;

/// A commit, as the log of an incident names it. Its author is not safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The first digits of its id.
    pub commit: String,
    /// When its author made it, in seconds since 1970.
    pub when: i64,
    /// Its author, name and address.
    pub author: String,
}

/// A change of the recipients of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The commit.
    pub by: By,
    /// The folder.
    pub folder: PathBuf,
    /// Who can read it since.
    pub gained: Vec<Who>,
    /// Who no longer can.
    pub lost: Vec<Who>,
}

/// The history of the store's own repository, asked about people and files.
pub struct Chronicle<'h> {
    repo: &'h Repo,
    history: Option<History<'h>>,
}

/// Opens the store's own repository.
pub fn open(context: &Context<'_>) -> Result<Repo, OpError> {
    repository(context, Path::new(""))
}

impl<'h> Chronicle<'h> {
    /// Reads the history.
    pub fn read(repo: &'h Repo) -> Result<Self, OpError> {
        Ok(Chronicle { repo, history: repo.history().map_err(StoreError::from)? })
    }

    /// Returns the commits by which somebody gained or lost access to a folder, the oldest first, and what could not be
    /// looked at.
    pub fn access(&self, context: &Context<'_>) -> (Vec<Change>, Vec<String>) {
        let Some(history) = &self.history else { return Default::default() };
        let told = |commit: Oid, error: &GitError| {
            let commit = &commit.to_string()[..SHORT];
            format!("commit {commit} cannot be read: {}", Shown::new(&error.to_string()))
        };
        let mut found = Vec::new();
        let mut gaps: Vec<String> =
            history.damaged.iter().map(|(commit, error)| told(*commit, error)).collect();
        let mut lists = Lists::new(context);
        for place in (0..history.commits().len()).rev() {
            match self.changes(history, place, &mut lists) {
                Ok(changes) => found.extend(changes),
                Err(error) => gaps.push(told(history.commits()[place].id, &error)),
            }
        }
        (found, gaps)
    }

    fn changes(
        &self,
        history: &History<'_>,
        place: usize,
        lists: &mut Lists<'_, '_>,
    ) -> Result<Vec<Change>, GitError> {
        // What the oldest commit that is here holds, others may have brought.
        if history.commits()[place].is_cut && history.parents(place).next().is_none() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for change in history.changes(place)?.iter().filter(|change| change.path.ends_with(".gpg-id")) {
            for listed in lists.tell(self.repo, history, place, change)? {
                if let Listed::Recipients { folder, gained, lost, .. } = listed
                    && !(gained.is_empty() && lost.is_empty())
                {
                    found.push(Change { by: self.by(history, place)?, folder, gained, lost });
                }
            }
        }
        Ok(found)
    }

    /// Returns where commits stand in the history, by the first digits of their ids: each after its parents.
    pub fn order(&self) -> HashMap<String, usize> {
        let commits = self.history.iter().flat_map(|history| history.commits().iter().rev());
        commits
            .enumerate()
            .map(|(place, commit)| (commit.id.to_string()[..SHORT].to_owned(), place))
            .collect()
    }

    /// Returns the commits that changed the file `path`, the oldest first.
    pub fn of_file(&self, path: &Path) -> Result<Vec<By>, OpError> {
        let Some(history) = &self.history else { return Ok(Vec::new()) };
        let places = history.touching(path).into_iter().rev();
        let by = places.map(|place| self.by(history, place)).collect::<Result<_, _>>();
        Ok(by.map_err(StoreError::from)?)
    }

    fn by(&self, history: &History<'_>, place: usize) -> Result<By, GitError> {
        let commit = &history.commits()[place];
        let info = self.repo.commit_info(commit.id)?;
        Ok(By { commit: info.id, when: commit.when.unwrap_or_default(), author: info.author })
    }
}
