//! Which commits changed recipients files, or the store's configuration, for whoever asks about many of those: most
//! commits did not.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use git2::{Odb, Oid};

use super::objects::{Parents, RawCommit};
use super::trees::Trees;
use super::{GitError, Repo, git_error};

/// The files that decide what a list of recipients is on disk, or how one came about.
const NAMES: [&str; 3] = [".gpg-id", ".gitattributes", crate::config::FILE];

/// When the folders of an object database last gained or lost a file.
type Stamp = Vec<(PathBuf, SystemTime)>;

/// What was found, by git directory, as long as the objects stay the same.
#[derive(Debug, Default)]
pub struct Changing {
    found: RefCell<HashMap<PathBuf, Found>>,
    /// All commits that a commit leads to.
    history: RefCell<Option<(Oid, Rc<HashSet<Oid>>)>>,
}

/// The commits that were found, and when.
type Found = (Stamp, Rc<Vec<Change>>);

/// A commit that changes recipients files, as far as anybody can tell.
#[derive(Debug)]
pub struct Change {
    /// The commit.
    pub commit: Oid,
    /// The recipients files that none of its parents holds as they are: path in the repository, and blob.
    pub brings: Vec<(PathBuf, Oid)>,
}

impl Repo {
    /// Returns the commits, on a branch or not, that hold other recipients files than one of their parents;
    /// those without any; and those of which nobody can tell.
    pub(super) fn changing_lists(&self, known: &Changing) -> Result<Rc<Vec<Change>>, GitError> {
        // Taken first: what comes meanwhile counts the next time.
        let stamp = self.objects_stamp();
        if let Some((then, commits)) = known.found.borrow().get(self.common())
            && Some(then) == stamp.as_ref()
        {
            return Ok(Rc::clone(commits));
        }
        let commits = Rc::new(self.find_changing_lists()?);
        if let Some(stamp) = stamp {
            known.found.borrow_mut().insert(self.common().to_path_buf(), (stamp, Rc::clone(&commits)));
        }
        Ok(commits)
    }

    /// Returns the commit and all that it leads to, as far as libgit2 can read them.
    pub(super) fn history_of(&self, commit: Oid, known: &Changing) -> Result<Rc<HashSet<Oid>>, GitError> {
        if let Some((of, history)) = &*known.history.borrow()
            && *of == commit
        {
            return Ok(Rc::clone(history));
        }
        let mut walk = self.repo.revwalk().map_err(git_error("walk the history"))?;
        walk.push(commit).map_err(git_error("walk the history"))?;
        let history: Rc<HashSet<Oid>> = Rc::new(walk.map_while(Result::ok).collect());
        *known.history.borrow_mut() = Some((commit, Rc::clone(&history)));
        Ok(history)
    }

    fn find_changing_lists(&self) -> Result<Vec<Change>, GitError> {
        let odb = self.repo.odb().map_err(git_error("list the objects"))?;
        let mut commits = Vec::new();
        for id in self.objects(&[], Parents::new())?.new.into_keys() {
            let time = self.repo.find_commit(id).map_or(0, |commit| commit.time().seconds());
            commits.push((time, id));
        }
        // Those that follow each other share most of their trees.
        commits.sort_unstable();
        let mut trees = Trees::new(&odb);
        let changes = commits.into_iter().filter_map(|(_, commit)| {
            // Of what cannot be read, nobody can tell.
            let brings = brought(&odb, commit, &mut trees).unwrap_or_else(|_| Some(Vec::new()))?;
            Some(Change { commit, brings })
        });
        Ok(changes.collect())
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

/// Returns the recipients files that a commit brings; none at all if it holds the same files as each of its parents.
fn brought(odb: &Odb<'_>, id: Oid, trees: &mut Trees<'_>) -> Result<Option<Vec<(PathBuf, Oid)>>, GitError> {
    let is_wanted = |path: &Path| NAMES.iter().any(|name| path.ends_with(name));
    let is_list = |path: &Path| path.ends_with(".gpg-id");
    let commit = RawCommit::read(odb, id)?;
    // What a power cut took before anything led to it was never checked out.
    if !odb.exists(commit.tree) {
        return Ok(None);
    }
    trees.step();
    // Without a list as well, the first commit says who can read a folder: whoever can read the one above.
    let mut differs = commit.parents.is_empty();
    let mut brings: Option<Vec<(PathBuf, Oid)>> = None;
    let sides = commit.parents.iter().map(Some).chain(commit.parents.is_empty().then_some(None));
    for parent in sides {
        let before =
            parent.map(|parent| RawCommit::read(odb, *parent)).transpose()?.map(|parent| parent.tree);
        if let Some(before) = before
            && !trees.have_others(before, commit.tree, &is_wanted)?
        {
            brings = Some(Vec::new());
            continue;
        }
        differs = true;
        let new = trees.new_files(before, commit.tree, &is_list)?;
        let new: Vec<(PathBuf, Oid)> = new.into_iter().map(|file| (file.path, file.blob)).collect();
        brings = Some(match brings {
            Some(others) => others.into_iter().filter(|file| new.contains(file)).collect(),
            None => new,
        });
    }
    Ok(differs.then(|| brings.unwrap_or_default()))
}
