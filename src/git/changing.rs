//! Which commits changed recipients files, or the store's configuration, for whoever asks about many of those: most
//! commits did not.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use git2::Oid;

use super::objects::Parents;
use super::trees::Trees;
use super::{GitError, Repo, git_error};

/// The files that decide what a list of recipients is on disk, or how one came about.
const NAMES: [&str; 3] = [".gpg-id", ".gitattributes", crate::config::FILE];

/// When the folders of an object database last gained or lost a file.
type Stamp = Vec<(PathBuf, SystemTime)>;

/// What was found, by git directory, as long as the objects stay the same.
#[derive(Debug, Default)]
pub struct Changing(RefCell<HashMap<PathBuf, Found>>);

/// The commits that were found, and when.
type Found = (Stamp, Rc<Vec<Oid>>);

impl Repo {
    /// Returns the commits, on a branch or not, that hold other recipients files than one of their parents;
    /// those without any; and those of which nobody can tell.
    pub(super) fn changing_lists(&self, known: &Changing) -> Result<Rc<Vec<Oid>>, GitError> {
        // Taken first: what comes meanwhile counts the next time.
        let stamp = self.objects_stamp();
        if let Some((then, commits)) = known.0.borrow().get(self.common())
            && Some(then) == stamp.as_ref()
        {
            return Ok(Rc::clone(commits));
        }
        let commits = Rc::new(self.find_changing_lists()?);
        if let Some(stamp) = stamp {
            known.0.borrow_mut().insert(self.common().to_path_buf(), (stamp, Rc::clone(&commits)));
        }
        Ok(commits)
    }

    fn find_changing_lists(&self) -> Result<Vec<Oid>, GitError> {
        let odb = self.repo.odb().map_err(git_error("list the objects"))?;
        let mut commits = Vec::new();
        for id in self.objects(&[], Parents::new())?.new.into_keys() {
            let time = self.repo.find_commit(id).map(|commit| commit.time().seconds());
            commits.push((time.map_err(git_error("read a commit"))?, id));
        }
        // Those that follow each other share most of their trees.
        commits.sort_unstable();
        let mut trees = Trees::new(&odb);
        let ids = commits.into_iter().map(|(_, id)| id);
        Ok(ids.filter(|id| self.changes_lists(*id, &mut trees).unwrap_or(true)).collect())
    }

    fn changes_lists(&self, id: Oid, trees: &mut Trees<'_>) -> Result<bool, GitError> {
        let failed = || git_error("read a commit");
        let is_wanted = |path: &Path| NAMES.iter().any(|name| path.ends_with(name));
        let commit = self.repo.find_commit(id).map_err(failed())?;
        let tree = commit.tree_id();
        trees.step();
        // Without a list as well it says who can read a folder: whoever can read the one above.
        if commit.parent_count() == 0 {
            return Ok(true);
        }
        for parent in commit.parent_ids() {
            let before = self.repo.find_commit(parent).map_err(failed())?.tree_id();
            if trees.have_others(before, tree, &is_wanted)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns what changes whenever an object is added; none where that cannot be told.
    fn objects_stamp(&self) -> Option<Stamp> {
        let objects = self.common().join("objects");
        // Objects that lie elsewhere may come and go unseen.
        if objects.join("info/alternates").exists() {
            return None;
        }
        let mut folders = vec![objects.clone()];
        folders.extend(fs::read_dir(&objects).ok()?.flatten().map(|entry| entry.path()));
        folders.sort();
        let changed = |path: PathBuf| Some((path.clone(), path.metadata().ok()?.modified().ok()?));
        folders.into_iter().map(changed).collect()
    }
}
