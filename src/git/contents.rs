//! What a history ever held.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use git2::{ObjectType, Odb, Oid};

use super::graph::Graph;
use super::objects::{Parents, Quick, RawCommit};
use super::trees::Trees;
use super::{GitError, Repo, git_error};

/// How a file is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// It may be there.
    None,
    /// It depends on what it holds.
    Content,
    /// It should never have been there.
    Always,
}

/// A file that some commit holds and none should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its path in the repository.
    pub path: PathBuf,
    /// The first commit that held it so.
    pub commit: Oid,
}

/// What was found in a history.
#[derive(Debug, Default)]
pub struct Contents {
    /// Files that should not be there, each once.
    pub held: Vec<Held>,
    /// How many commits were looked at.
    pub commits: usize,
    /// Commits, trees and blobs that could not be looked at, and why.
    pub unread: Vec<(Oid, GitError)>,
}

/// A walk under way.
struct Walk<'o, 'f> {
    odb: &'o Odb<'o>,
    trees: Trees<'o>,
    suspicion: &'f dyn Fn(&Path) -> Suspicion,
    is_sound: &'f dyn Fn(&[u8]) -> bool,
    /// Whether each blob that was read may be there.
    sound: HashMap<Oid, bool>,
    told: HashSet<PathBuf>,
    found: Contents,
}

impl Repo {
    /// Returns every file that `suspicion` speaks against by its path, and of those whose content counts, every one
    /// of which `is_sound` does not say yes to a version: in all commits that branches, tags, the stash and
    /// remote-tracking branches lead to. Each version is looked at once, however many commits hold it.
    pub fn contents(
        &self,
        suspicion: &dyn Fn(&Path) -> Suspicion,
        is_sound: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Contents, GitError> {
        let _quick = Quick::new();
        let odb = self.repo.odb().map_err(git_error("read the history"))?;
        let mut walk = Walk {
            odb: &odb,
            trees: Trees::new(&odb),
            suspicion,
            is_sound,
            sound: HashMap::new(),
            told: HashSet::new(),
            found: Contents::default(),
        };
        let parents = walk.commits(self.ref_tips()?, &self.shallow());
        let graph = Graph::new(&parents);
        let mut ids: Vec<Oid> = parents.keys().copied().collect();
        // One after the other: most trees are read for the commit before already.
        ids.sort_by_key(|id| graph.number(*id));
        walk.found.commits = ids.len();
        for id in ids {
            if let Err(error) = walk.commit(id) {
                walk.found.unread.push((id, error));
            }
        }
        Ok(walk.found)
    }

    /// Returns the commits that HEAD and refs stand for; a tag of a tree or a file is among them.
    pub(super) fn ref_tips(&self) -> Result<Vec<Oid>, GitError> {
        let mut tips: Vec<Oid> = self.head_commit()?.into_iter().collect();
        for found in self.repo.references().map_err(git_error("list the refs"))? {
            let found = found.map_err(git_error("read a ref"))?;
            // A symbolic ref leads to one that comes by itself; a tag is an object of its own.
            let tip = found.peel(ObjectType::Commit).map(|object| object.id()).ok().or(found.target());
            tips.extend(tip);
        }
        Ok(tips)
    }
}

impl Walk<'_, '_> {
    /// Returns the commits that lead to `tips`, with their parents.
    fn commits(&mut self, mut open: Vec<Oid>, shallow: &HashSet<Oid>) -> Parents {
        let (mut parents, mut seen) = (Parents::new(), HashSet::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            // A tag may stand for a tree or a file: that is none.
            match self.odb.read_header(id) {
                Ok((_, kind)) if kind != ObjectType::Commit => continue,
                _ => {}
            }
            match RawCommit::read(self.odb, id) {
                Ok(commit) => {
                    if !shallow.contains(&id) {
                        open.extend(&commit.parents);
                    }
                    parents.insert(id, commit.parents);
                }
                Err(error) => self.found.unread.push((id, error)),
            }
        }
        parents
    }

    /// Looks at what a commit holds and its first parent does not: what comes from another parent was seen there.
    fn commit(&mut self, id: Oid) -> Result<(), GitError> {
        let commit = RawCommit::read(self.odb, id)?;
        let parent = commit.parents.first().and_then(|parent| RawCommit::read(self.odb, *parent).ok());
        self.trees.step();
        let suspicion = self.suspicion;
        let wanted = |path: &Path| suspicion(path) != Suspicion::None;
        let new = self.trees.new_files(parent.map(|parent| parent.tree), commit.tree, &wanted);
        for file in new.map_err(|error| error.in_commit(id))? {
            if !self.told.contains(&file.path)
                && (suspicion(&file.path) == Suspicion::Always || !self.is_sound(file.blob))
            {
                self.told.insert(file.path.clone());
                self.found.held.push(Held { path: file.path, commit: id });
            }
        }
        Ok(())
    }

    /// Whether a blob may be there; what cannot be read is noted, and counts as sound.
    fn is_sound(&mut self, blob: Oid) -> bool {
        if let Some(known) = self.sound.get(&blob) {
            return *known;
        }
        let sound = match self.odb.read(blob) {
            Ok(object) => (self.is_sound)(object.data()),
            Err(error) => {
                self.found.unread.push((blob, git_error("read an object")(error)));
                true
            }
        };
        self.sound.insert(blob, sound);
        sound
    }
}
