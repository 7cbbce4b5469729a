//! Where and when content came to be in a repository's history.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;

use git2::{DiffDelta, DiffOptions, Oid};

use super::{GitError, Repo, git_error};

/// What a file's content is recognised by.
pub type Mark = [u8; 32];

/// A commit that put content at a path which did not hold it in its parent.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The content.
    pub mark: Mark,
    /// The path in the repository.
    pub path: Rc<Path>,
    /// The commit.
    pub commit: Oid,
    /// In a merge that takes the content from one side, the parent on the other one; none if the content is
    /// new to all parents.
    pub beside: Option<Oid>,
}

/// What is kept while the history is walked.
struct Walk<'r, 'f> {
    repo: &'r Repo,
    mark: &'f dyn Fn(&[u8]) -> Option<Mark>,
    marks: HashMap<Oid, Option<Mark>>,
    paths: HashSet<Rc<Path>>,
    arrivals: Vec<Arrival>,
}

impl Repo {
    /// Returns every arrival of a file that `wanted` says yes to (by its path) and `mark` recognises, in all
    /// history that is here, each commit's before those of its parents. Each content is looked at once.
    pub fn arrivals(
        &self,
        wanted: &dyn Fn(&Path) -> bool,
        mark: &dyn Fn(&[u8]) -> Option<Mark>,
    ) -> Result<Vec<Arrival>, GitError> {
        let mut found =
            Walk { repo: self, mark, marks: HashMap::new(), paths: HashSet::new(), arrivals: Vec::new() };
        for id in self.all_commits()? {
            found.commit(id, wanted)?;
        }
        Ok(found.arrivals)
    }
}

impl Walk<'_, '_> {
    /// Adds what came with the commit `id`.
    fn commit(&mut self, id: Oid, wanted: &dyn Fn(&Path) -> bool) -> Result<(), GitError> {
        let repo = &self.repo.repo;
        let failed = || git_error("read the history");
        let commit = repo.find_commit(id).map_err(failed())?;
        let tree = commit.tree().map_err(failed())?;
        // Of a shallow clone's oldest commits, the parents are not there.
        let parents: Vec<Oid> =
            commit.parent_ids().filter(|parent| repo.find_commit(*parent).is_ok()).collect();
        let sides: Vec<Option<Oid>> = match parents.is_empty() {
            true => vec![None],
            false => parents.into_iter().map(Some).collect(),
        };
        let mut come: HashMap<(Mark, Rc<Path>), Vec<Option<Oid>>> = HashMap::new();
        for side in &sides {
            let old = side.map(|side| repo.find_commit(side).and_then(|c| c.tree())).transpose();
            let old = old.map_err(failed())?;
            let mut options = DiffOptions::new();
            options.skip_binary_check(true).ignore_submodules(true);
            let diff = repo.diff_tree_to_tree(old.as_ref(), Some(&tree), Some(&mut options));
            for delta in diff.map_err(failed())?.deltas() {
                if let Some((mark, path)) = self.come(&delta, wanted) {
                    come.entry((mark, path)).or_default().push(*side);
                }
            }
        }
        for ((mark, path), from) in come {
            if from.len() == sides.len() {
                self.arrivals.push(Arrival { mark, path, commit: id, beside: None });
            } else {
                let beside = from.into_iter().flatten();
                let path = &path;
                self.arrivals.extend(beside.map(|b| Arrival {
                    mark,
                    path: Rc::clone(path),
                    commit: id,
                    beside: Some(b),
                }));
            }
        }
        Ok(())
    }

    /// Returns the content that a change brings, with its path; none if it was there before.
    fn come(&mut self, delta: &DiffDelta<'_>, wanted: &dyn Fn(&Path) -> bool) -> Option<(Mark, Rc<Path>)> {
        let path = Path::new(OsStr::from_bytes(delta.new_file().path_bytes()?));
        if !wanted(path) {
            return None;
        }
        let mark = self.mark(delta.new_file().id())?;
        if self.mark(delta.old_file().id()) == Some(mark) {
            return None;
        }
        Some((mark, self.path(path)))
    }

    /// Returns the mark of a blob; none if it has none, or is none.
    fn mark(&mut self, blob: Oid) -> Option<Mark> {
        if let Some(known) = self.marks.get(&blob) {
            return *known;
        }
        let mark = self.repo.repo.find_blob(blob).ok().and_then(|blob| (self.mark)(blob.content()));
        self.marks.insert(blob, mark);
        mark
    }

    /// Returns a path that is kept but once.
    fn path(&mut self, path: &Path) -> Rc<Path> {
        if let Some(known) = self.paths.get(path) {
            return Rc::clone(known);
        }
        let path: Rc<Path> = path.into();
        self.paths.insert(Rc::clone(&path));
        path
    }
}
