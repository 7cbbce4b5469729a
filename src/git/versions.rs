//! All versions of files that a repository's history holds, with what their content says of itself.
//!
//! Walked are all commits that a ref or a reflog leads to; which of the two is told apart. What was walked is kept as
//! bytes (`versions/kept.rs`), by the ids of commits and blobs, so that the next walk reads only what is new.

mod kept;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{ObjectType, Odb, Oid};

use super::graph::Graph;
use super::history::{Commit, read_commit};
use super::objects::{Parents, Quick};
use super::provenance::files_below;
use super::trees::Trees;
use super::{GitError, Repo, git_error};
use crate::model::KeyId;

/// What a file's content says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A message.
    Message {
        /// The key IDs in its packets, sorted; who knows a passphrase counts as hidden.
        readers: Rc<[KeyId]>,
        /// What tells its encrypted data from all others; none if there are none.
        body: Option<[u8; 32]>,
    },
    /// Something else.
    Other,
    /// Nobody can tell: it is not here, or cannot be read.
    Missing,
}

/// What leads to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Only a reflog of this machine's.
    Log,
    /// A branch, a tag or another ref.
    Ref,
    /// HEAD.
    Head,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Its id.
    pub id: Oid,
    /// When its author made it, in seconds since 1970; none if it does not say.
    pub when: Option<i64>,
    /// When it was committed.
    pub committed: i64,
    /// What leads to it.
    pub reach: Reach,
    parents: Vec<Oid>,
}

impl Walked {
    /// Returns its parents, here or not.
    pub fn parents(&self) -> &[Oid] {
        &self.parents
    }
}

/// A file that a commit holds otherwise than all of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    /// The place of the commit in [`Versions::commits`].
    pub commit: usize,
    /// The file's path in the repository.
    pub path: Rc<Path>,
    /// Its blob; none if the commit removes it.
    pub blob: Option<Oid>,
    /// Whether a parent has the file as well.
    pub was: bool,
}

/// All versions of the files of a repository.
#[derive(Debug, Default)]
pub struct Versions {
    /// The commits, each after its parents.
    pub commits: Vec<Walked>,
    /// What they brought, in the order of the commits.
    pub came: Vec<Came>,
    /// What the blobs say.
    pub blobs: HashMap<Oid, Content>,
    /// Commits that cannot be read, and why.
    pub damaged: Vec<(Oid, String)>,
    /// Whether older commits were left out when the repository was cloned.
    pub is_shallow: bool,
    /// What to hand in the next time; none if nothing is new.
    pub kept: Option<Vec<u8>>,
}

impl Versions {
    /// Returns the blobs that came with some commit, and are not here or cannot be read.
    pub fn missing(&self) -> impl Iterator<Item = Oid> {
        self.blobs.iter().filter(|(_, content)| **content == Content::Missing).map(|(id, _)| *id)
    }

    /// Whether all of the history was looked at.
    pub fn is_whole(&self) -> bool {
        !self.is_shallow && self.damaged.is_empty() && self.missing().next().is_none()
    }
}

/// Tells which files are wanted, by their paths.
pub type Wanted<'a> = &'a dyn Fn(&Path) -> bool;

/// Tells what a blob's bytes say.
pub type Reader<'a> = &'a dyn Fn(&[u8]) -> Content;

/// A path, whether a parent has a file there, and the commit's own blob.
type Difference = (PathBuf, (bool, Option<Oid>));

struct Walk<'o, 'f> {
    odb: &'o Odb<'o>,
    trees: Trees<'o>,
    wanted: Wanted<'f>,
    reader: Reader<'f>,
    versions: Versions,
    paths: HashSet<Rc<Path>>,
    /// The trees of commits.
    roots: HashMap<Oid, Oid>,
}

/// The commits that refs and reflogs lead to.
struct Found {
    /// What was known of them, or has been read now.
    commits: HashMap<Oid, Walked>,
    /// Those that were read now.
    new: HashSet<Oid>,
    /// Those whose parents are not all here.
    cut: HashSet<Oid>,
    damaged: Vec<(Oid, String)>,
}

impl Repo {
    /// Returns all versions of the files that `wanted` says yes to. What an earlier call left in `kept` spares reading
    /// the same again; it must come from the same `wanted` and `reader`.
    pub fn versions(
        &self,
        kept: Option<&[u8]>,
        wanted: Wanted<'_>,
        reader: Reader<'_>,
    ) -> Result<Versions, GitError> {
        let _quick = Quick::new();
        let odb = self.repo.odb().map_err(git_error("read the history"))?;
        let known = kept.and_then(kept::parse).unwrap_or_default();
        let before = known.commits.len();
        let mut came: HashMap<Oid, Vec<Came>> = HashMap::new();
        for one in known.came {
            came.entry(known.commits[one.commit].id).or_default().push(one);
        }
        let Found { mut commits, new, cut, damaged } = self.reachable(&odb, known.commits)?;
        let parents: Parents = commits.iter().map(|(id, commit)| (*id, commit.parents.clone())).collect();
        let graph = Graph::new(&parents);
        let mut order: Vec<Oid> = commits.keys().copied().collect();
        order.sort_by_key(|id| graph.number(*id));
        let mut walk = Walk {
            odb: &odb,
            trees: Trees::new(&odb),
            wanted,
            reader,
            paths: HashSet::new(),
            versions: Versions {
                blobs: known.blobs,
                damaged,
                is_shallow: self.is_shallow(),
                ..Versions::default()
            },
            roots: HashMap::new(),
        };
        for (place, id) in order.iter().enumerate() {
            match came.remove(id) {
                _ if new.contains(id) => walk.commit(place, *id, &parents[id]),
                known => walk.take(place, known.unwrap_or_default()),
            }
        }
        let mut versions = walk.versions;
        versions.commits = order.iter().filter_map(|id| commits.remove(id)).collect();
        let unsure: BTreeSet<Oid> =
            cut.into_iter().chain(versions.damaged.iter().map(|(id, _)| *id)).collect();
        if !new.iter().all(|id| unsure.contains(id)) || before > versions.commits.len() {
            versions.kept = Some(kept::bytes(&versions, &unsure));
        }
        Ok(versions)
    }

    /// Returns all commits that refs and reflogs lead to.
    fn reachable(&self, odb: &Odb<'_>, known: Vec<Walked>) -> Result<Found, GitError> {
        let mut known: HashMap<Oid, Walked> = known.into_iter().map(|commit| (commit.id, commit)).collect();
        let shallow = self.shallow();
        let mut found =
            Found { commits: HashMap::new(), new: HashSet::new(), cut: HashSet::new(), damaged: Vec::new() };
        let mut missing = HashSet::new();
        for (reach, tips) in self.beginnings()? {
            let mut open = tips;
            while let Some(id) = open.pop() {
                if found.commits.contains_key(&id) || missing.contains(&id) {
                    continue;
                }
                let commit = match known.remove(&id) {
                    Some(commit) => Walked { reach, ..commit },
                    None => match read_commit(odb, id) {
                        Ok((commit, parents)) => {
                            found.new.insert(id);
                            let Commit { when, committed, .. } = commit;
                            Walked { id, when, committed, reach, parents }
                        }
                        Err(error) => {
                            missing.insert(id);
                            // What a reflog names may have been cleared away; that is no damage.
                            if reach != Reach::Log {
                                found.damaged.push((id, error.to_string()));
                            }
                            continue;
                        }
                    },
                };
                if !shallow.contains(&id) {
                    open.extend(&commit.parents);
                }
                found.commits.insert(id, commit);
            }
        }
        let is_here = |id: &Oid| found.commits.contains_key(id);
        let cut = found.commits.values().filter(|commit| !commit.parents.iter().all(is_here));
        found.cut = cut.map(|commit| commit.id).collect();
        found.damaged.retain(|(id, _)| !shallow.contains(id));
        Ok(found)
    }

    /// Returns where walks begin, what HEAD leads to first.
    fn beginnings(&self) -> Result<[(Reach, Vec<Oid>); 3], GitError> {
        let head = self.head_commit()?.into_iter().collect();
        let odb = self.repo.odb().map_err(git_error("list the refs"))?;
        let is_commit = |id: &Oid| odb.read_header(*id).map_or(true, |(_, kind)| kind == ObjectType::Commit);
        let mut refs = self.ref_tips()?;
        refs.retain(is_commit);
        // Those of other work trees of the repository are somebody's as well.
        let worktrees = files_below(&self.common().join("worktrees"));
        let heads = worktrees.iter().filter(|file| file.file_name().is_some_and(|name| name == "HEAD"));
        let mut logs: BTreeSet<Oid> = BTreeSet::new();
        for log in files_below(&self.common().join("logs"))
            .iter()
            .chain([&self.gitdir().join("logs/HEAD")])
            .chain(heads)
        {
            logs.extend(ids_in(log));
        }
        Ok([(Reach::Head, head), (Reach::Ref, refs), (Reach::Log, logs.into_iter().collect())])
    }
}

/// Returns the ids that the lines of a reflog, or a HEAD that is on no branch, begin with.
fn ids_in(log: &Path) -> Vec<Oid> {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let ids = text.lines().flat_map(|line| line.split_ascii_whitespace().take(2));
    let ids = ids.filter(|id| id.len() == 40).filter_map(|id| Oid::from_str(id).ok());
    ids.filter(|id| !id.is_zero()).collect()
}

impl Walk<'_, '_> {
    /// Takes what was known of a commit.
    fn take(&mut self, place: usize, known: Vec<Came>) {
        for Came { path, blob, was, .. } in known {
            let path = self.path(&path);
            self.versions.came.push(Came { commit: place, path, blob, was });
            if let Some(blob) = blob {
                self.read(blob);
            }
        }
    }

    /// Adds what came with the commit `id`.
    fn commit(&mut self, place: usize, id: Oid, parents: &[Oid]) {
        match self.differences(id, parents) {
            Ok(found) => {
                for (path, (was, blob)) in found {
                    let path = self.path(&path);
                    self.versions.came.push(Came { commit: place, path, blob, was });
                    if let Some(blob) = blob {
                        self.read(blob);
                    }
                }
            }
            Err(error) => self.versions.damaged.push((id, error.to_string())),
        }
    }

    /// Returns the files that a commit holds otherwise than all of its parents that are here.
    fn differences(&mut self, id: Oid, parents: &[Oid]) -> Result<Vec<Difference>, GitError> {
        let own = self.root(id)?;
        let sides: Vec<Oid> = parents.iter().filter_map(|parent| self.root(*parent).ok()).collect();
        let sides = sides.into_iter().map(Some).chain(parents.is_empty().then_some(None));
        let mut sides: Vec<Option<Oid>> = sides.collect();
        if sides.is_empty() {
            sides.push(None);
        }
        self.trees.step();
        let mut found: Option<BTreeMap<PathBuf, (bool, Option<Oid>)>> = None;
        for side in sides {
            let differences = self.trees.file_changes(side, own, self.wanted);
            let differences = differences.map_err(|error| error.in_commit(id))?.into_iter();
            found = Some(match found {
                None => differences.collect(),
                Some(earlier) => {
                    let both = differences.filter_map(|(path, (was, after))| {
                        let (earlier, _) = earlier.get(&path)?;
                        Some((path, (was || *earlier, after)))
                    });
                    both.collect()
                }
            });
        }
        Ok(found.unwrap_or_default().into_iter().collect())
    }

    fn root(&mut self, id: Oid) -> Result<Oid, GitError> {
        if let Some(known) = self.roots.get(&id) {
            return Ok(*known);
        }
        let tree = super::objects::RawCommit::read(self.odb, id)?.tree;
        self.roots.insert(id, tree);
        Ok(tree)
    }

    /// Reads a blob, unless it is known what it says.
    fn read(&mut self, blob: Oid) {
        if self.versions.blobs.get(&blob).is_some_and(|known| *known != Content::Missing) {
            return;
        }
        let content = match self.odb.read(blob) {
            Ok(object) if object.kind() == ObjectType::Blob => (self.reader)(object.data()),
            _ => Content::Missing,
        };
        self.versions.blobs.insert(blob, content);
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
