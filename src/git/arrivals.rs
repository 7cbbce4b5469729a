//! Where and when content came to be in a repository's history.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{ObjectType, Odb, Oid};

use super::graph::Graph;
use super::objects::{Objects, Quick, RawCommit};
use super::trees::Trees;
use super::walked::Walked;
use super::{GitError, Repo, git_error};

/// What a file's content is recognised by.
pub type Mark = [u8; 32];

/// A commit that put content at a path which did not hold it in its parent.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// All arrivals in a history.
pub struct Arrivals {
    /// The arrivals, each commit's after those of its parents.
    pub all: Vec<Arrival>,
    /// The commits.
    pub graph: Graph,
    /// What to hand in the next time, if the walk was long enough for that to be worth while.
    pub walked: Option<Vec<u8>>,
}

/// So many commits are walked anew each time rather than written down.
const FEW: usize = 300;

/// What is kept while the history is walked.
struct Walk<'o, 'f> {
    odb: &'o Odb<'o>,
    trees: Trees<'o>,
    mark: &'f dyn Fn(&[u8]) -> Option<Mark>,
    marks: HashMap<Oid, Option<Mark>>,
    paths: HashSet<Rc<Path>>,
    arrivals: Vec<Arrival>,
    /// Whether all that a commit is compared with is here: something may be fetched later.
    whole: bool,
}

impl Repo {
    /// Returns every arrival of a file that `wanted` says yes to (by its path) and `mark` recognises, in all
    /// history that is here, on a branch or not. What an earlier call left in `walked` spares looking at the
    /// same commits again; it must come from the same `wanted` and `mark`.
    pub fn arrivals(
        &self,
        walked: Option<&[u8]>,
        wanted: &dyn Fn(&Path) -> bool,
        mark: &dyn Fn(&[u8]) -> Option<Mark>,
    ) -> Result<Arrivals, GitError> {
        let Walked { others, commits, arrivals } = walked.and_then(Walked::parse).unwrap_or_default();
        let before = others.len() + commits.len();
        let Objects { others, known: mut commits, new } = self.objects(&others, commits)?;
        let _quick = Quick::new();
        let odb = self.repo.odb().map_err(git_error("read the history"))?;
        let mut walk = Walk {
            odb: &odb,
            trees: Trees::new(&odb),
            mark,
            marks: HashMap::new(),
            paths: arrivals.iter().map(|arrival| Rc::clone(&arrival.path)).collect(),
            arrivals,
            whole: true,
        };
        // git may have cleared some away.
        walk.arrivals.retain(|arrival| commits.contains_key(&arrival.commit));
        let mut ids: Vec<Oid> = new.keys().copied().collect();
        commits.extend(new);
        let graph = Graph::new(&commits);
        // One after the other: most trees are read for the commit before already.
        ids.sort_by_key(|id| graph.number(*id));
        for id in ids {
            walk.whole = true;
            walk.commit(id, wanted)?;
            if !walk.whole {
                commits.remove(&id);
            }
        }
        let mut all = walk.arrivals;
        all.sort_by_key(|arrival| graph.number(arrival.commit));
        let fresh = (others.len() + commits.len()).saturating_sub(before);
        let walked = (fresh > FEW).then(|| {
            let lasting = all.iter().filter(|arrival| commits.contains_key(&arrival.commit));
            let arrivals = lasting.cloned().collect();
            Walked { others, commits, arrivals }.bytes()
        });
        Ok(Arrivals { all, graph, walked })
    }

    /// Returns the blobs of all files in HEAD that `wanted` says yes to; none of what stands there several
    /// times.
    pub fn head_files(&self, wanted: &dyn Fn(&Path) -> bool) -> Result<HashMap<PathBuf, Oid>, GitError> {
        let Some(head) = self.head_commit()? else { return Ok(HashMap::new()) };
        let failed = || git_error("read HEAD");
        let odb = self.repo.odb().map_err(failed())?;
        let tree = self.repo.find_commit(head).map_err(failed())?.tree_id();
        let (mut files, mut several) = (HashMap::new(), Vec::new());
        for file in Trees::new(&odb).new_files(None, tree, wanted)? {
            if files.insert(file.path.clone(), file.blob).is_some() {
                several.push(file.path);
            }
        }
        several.iter().for_each(|path| _ = files.remove(path));
        Ok(files)
    }
}

impl Walk<'_, '_> {
    /// Adds what came with the commit `id`.
    fn commit(&mut self, id: Oid, wanted: &dyn Fn(&Path) -> bool) -> Result<(), GitError> {
        match self.whole_commit(id, wanted) {
            // What a power cut took before anything led to it; or what a partial clone never had.
            Err(GitError::Libgit2 { source, .. }) if source.code() == git2::ErrorCode::NotFound => {
                self.whole = false;
                Ok(())
            }
            done => done,
        }
    }

    /// The same where all its trees are here.
    fn whole_commit(&mut self, id: Oid, wanted: &dyn Fn(&Path) -> bool) -> Result<(), GitError> {
        let commit = RawCommit::read(self.odb, id)?;
        // Of a shallow clone's oldest commits, the parents are not there.
        let parents = commit.parents;
        let known = |id: &Oid| Some((*id, RawCommit::read(self.odb, *id).ok()?.tree));
        let mut sides: Vec<_> = parents.iter().filter_map(known).map(Some).collect();
        self.whole = sides.len() == parents.len();
        if sides.is_empty() {
            sides.push(None);
        }
        self.trees.step();
        let mut come: HashMap<(Mark, Rc<Path>), Vec<Option<Oid>>> = HashMap::new();
        for side in &sides {
            for file in self
                .trees
                .new_files(side.map(|(_, tree)| tree), commit.tree, wanted)
                .map_err(|e| e.in_commit(id))?
            {
                // What the same data stood in before, if in another message, has not come.
                if let Some(mark) = self.mark(file.blob)
                    && !file.before.into_iter().any(|blob| self.mark(blob) == Some(mark))
                {
                    let path = self.path(&file.path);
                    come.entry((mark, path)).or_default().push(side.map(|(parent, _)| parent));
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

    /// Returns the mark of a blob; none if it has none, or is none.
    fn mark(&mut self, blob: Oid) -> Option<Mark> {
        if let Some(known) = self.marks.get(&blob) {
            // What is not here makes every commit that holds it unsure.
            self.whole &= known.is_some() || self.odb.exists(blob);
            return *known;
        }
        let read = self.odb.read(blob);
        self.whole &= read.is_ok();
        let read = read.ok().filter(|object| object.kind() == ObjectType::Blob);
        let mark = read.and_then(|object| (self.mark)(object.data()));
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
