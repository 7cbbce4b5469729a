//! Where encrypted data have been, and how they came there.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use crate::crypto::openpgp::{Body, body};
use crate::git::graph::Graph;
use crate::git::provenance::CommitInfo;
use crate::git::{Oid, Repo};
use crate::model::entry::is_entry;
use crate::ops::guard::list_in;
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::walked::{self, Seen};

/// How much is read of each file in the work tree: the session-key packets of hundreds of recipients, and the
/// beginning of the encrypted data.
const START: u64 = 1 << 18;

/// A path at which data arrived.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Below the store's root.
    pub path: Rc<Path>,
    /// None for what is in the work tree only.
    pub when: Option<When>,
}

impl Place {
    /// Whether no merge took the data from one of its sides.
    pub fn came_anew(&self) -> bool {
        self.when.is_none_or(|when| when.beside.is_none())
    }
}

/// The commit that brought data to a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    history: usize,
    /// The commit.
    pub commit: Oid,
    /// In a merge that took them from one side, the parent on the other one.
    beside: Option<Oid>,
}

/// A repository and its history.
struct History {
    repo: Repo,
    graph: Graph,
    head: Option<Oid>,
    /// The entries in HEAD, by their paths in the repository.
    files: OnceCell<HashMap<PathBuf, Oid>>,
}

/// Where all encrypted data that are known here have been.
pub(super) struct Places {
    histories: Vec<History>,
    /// What history knows, in the order of the bodies; of one body, older commits first.
    committed: Vec<(Body, Place)>,
    /// What stands in the work tree now. Only where there is no repository does that count.
    standing: Option<HashMap<Body, Vec<Rc<Path>>>>,
}

impl Places {
    /// Looks through all history.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        let mut places = Places { histories: Vec::new(), committed: Vec::new(), standing: None };
        for prefix in &context.store.beneath().below(Path::new(""))?.repositories {
            match Repo::open(context.store.root(), prefix) {
                Ok(repo) => places.add_history(repo)?,
                Err(error) if prefix.as_os_str().is_empty() => return Err(StoreError::from(error).into()),
                // A repository of another kind inside of the store: its files still count as they are.
                Err(_) => {}
            }
        }
        places.committed.sort_by_key(|(body, _)| *body);
        places.committed.shrink_to_fit();
        Ok(places)
    }

    /// Adds the history of a repository.
    fn add_history(&mut self, repo: Repo) -> Result<(), OpError> {
        let mark = |bytes: &[u8]| body(bytes).map(|body| body.0);
        // First: what it leads to is then among what is walked.
        let head = repo.head_commit().map_err(StoreError::from)?;
        let known = walked::read(&repo, Seen::Arrivals);
        let arrivals = repo.arrivals(known.as_deref(), &is_entry, &mark).map_err(StoreError::from)?;
        if let Some(walked) = arrivals.walked {
            walked::write(&repo, Seen::Arrivals, &walked);
        }
        let history = self.histories.len();
        let inside = repo.prefix().as_os_str().is_empty();
        self.committed.extend(arrivals.all.into_iter().map(|arrival| {
            let path = if inside { arrival.path } else { repo.prefix().join(&arrival.path).into() };
            let when = Some(When { history, commit: arrival.commit, beside: arrival.beside });
            (Body(arrival.mark), Place { path, when })
        }));
        self.histories.push(History { repo, graph: arrivals.graph, head, files: OnceCell::new() });
        Ok(())
    }

    /// Returns where a body has been, to judge what stands at `path`. What is in the work tree only is newer
    /// than all that is committed: it comes last, and only if `path` is in no repository.
    pub fn of(&mut self, context: &Context<'_>, path: &Path, body: &Body) -> Result<Vec<Place>, OpError> {
        let start = self.committed.partition_point(|(other, _)| other < body);
        let same = self.committed[start..].iter().take_while(|(other, _)| other == body);
        let mut places: Vec<Place> = same.map(|(_, place)| place.clone()).collect();
        if !has_history(context, path) {
            let standing = match &mut self.standing {
                Some(standing) => standing,
                none => none.insert(standing(context)?),
            };
            for path in standing.get(body).into_iter().flatten() {
                if places.iter().all(|place| place.path != *path) {
                    places.push(Place { path: Rc::clone(path), when: None });
                }
            }
        }
        Ok(places)
    }

    /// Returns what a person knows a commit by.
    pub fn commit_info(&self, when: When) -> Result<CommitInfo, OpError> {
        Ok(self.histories[when.history].repo.commit_info(when.commit).map_err(StoreError::from)?)
    }

    /// Returns the list that ruled `folder` at a commit; none if it had none.
    pub fn list(&self, when: When, folder: &Path) -> Result<Option<Vec<u8>>, OpError> {
        let repo = &self.histories[when.history].repo;
        let tree = repo.tree_of(when.commit);
        Ok(tree.and_then(|tree| list_in(repo, &tree, folder)).map_err(StoreError::from)?)
    }

    /// Returns how what stands at `path` now came there: the latest arrivals that HEAD knows, or else any.
    pub fn arrivals_here(
        &self,
        context: &Context<'_>,
        path: &Path,
        body: &Body,
        places: &[Place],
    ) -> Result<Vec<Place>, OpError> {
        let mut found: Vec<(When, Place)> = Vec::new();
        for place in places.iter().filter(|place| *place.path == *path) {
            let Some(when) = place.when else { continue };
            let Some(head) = self.histories[when.history].head else { continue };
            if self.is_in(when.history, head, when.commit) && self.counts(place, places) {
                found.push((when, place.clone()));
            }
        }
        let mut latest = Vec::new();
        for (when, place) in &found {
            let mut overtaken = false;
            for (other, _) in &found {
                overtaken |= other.commit != when.commit && self.follows(other, when);
            }
            if !overtaken {
                latest.push(place.clone());
            }
        }
        let committed = match latest.first().and_then(|place| place.when) {
            Some(when) => self.stands_in_head(when, path, body)?,
            None => false,
        };
        if committed {
            return Ok(latest);
        }
        if !has_history(context, path) {
            return Ok(vec![Place { path: path.into(), when: None }]);
        }
        // What is not committed was put there on this machine: an extension moves entries so. But it may have
        // been taken out of a commit that was fetched (`git checkout origin/main -- FILE`).
        Ok(places.iter().filter(|place| *place.path == *path && place.when.is_some()).cloned().collect())
    }

    /// Whether the data can have come from `place` to where `here` is.
    pub fn may_be_origin(&self, place: &Place, here: &Place, places: &[Place]) -> bool {
        if !self.counts(place, places) {
            return false;
        }
        match (place.when, here.when) {
            // What is in the work tree only is newer than all that is committed.
            (None, Some(_)) => false,
            (None, None) => place.path != here.path,
            (Some(when), None) => match (place.path == here.path, self.histories[when.history].head) {
                (true, Some(head)) => self.is_in(when.history, head, when.commit),
                (true, None) => false,
                (false, _) => true,
            },
            // An old version of the same entry must be one from before. Elsewhere it must not be from after;
            // on branches side by side nobody can tell.
            (Some(when), Some(then)) => match place.path == here.path {
                true => when.commit != then.commit && self.follows(&then, &when),
                false => when.commit == then.commit || !self.follows(&when, &then),
            },
        }
    }

    /// Whether data arrived here at all: a merge that takes them from one side brings them back only where
    /// the other side had known and replaced them.
    fn counts(&self, place: &Place, places: &[Place]) -> bool {
        let Some(When { history, beside: Some(beside), .. }) = place.when else { return true };
        for other in places.iter().filter(|other| other.path == place.path) {
            if let Some(when) = other.when
                && when.beside.is_none()
                && when.history == history
                && self.is_in(history, beside, when.commit)
            {
                return true;
            }
        }
        false
    }

    /// Whether the commit of `later` comes after, or is, that of `earlier`.
    fn follows(&self, later: &When, earlier: &When) -> bool {
        later.history == earlier.history && self.is_in(later.history, later.commit, earlier.commit)
    }

    /// Whether the history that ends in `commit` holds `ancestor`.
    fn is_in(&self, history: usize, commit: Oid, ancestor: Oid) -> bool {
        self.histories[history].graph.holds(commit, ancestor)
    }

    /// Whether the HEAD of that history holds a message of this body at `path`.
    pub fn stands_in_head(&self, when: When, path: &Path, wanted: &Body) -> Result<bool, OpError> {
        let History { repo, files, .. } = &self.histories[when.history];
        if files.get().is_none() {
            let _ = files.set(repo.head_files(&is_entry).map_err(StoreError::from)?);
        }
        let inside = path.strip_prefix(repo.prefix()).unwrap_or(path);
        let Some(blob) = files.get().and_then(|files| files.get(inside)) else { return Ok(false) };
        Ok(body(&repo.blob(*blob).map_err(StoreError::from)?).as_ref() == Some(wanted))
    }
}

/// Whether a repository records the file at `path`.
fn has_history(context: &Context<'_>, path: &Path) -> bool {
    Repo::prefix_of(context.store.root(), path.parent().unwrap_or(Path::new(""))).is_some()
}

/// Returns the bodies of all entries that stand in the work tree, with their paths.
fn standing(context: &Context<'_>) -> Result<HashMap<Body, Vec<Rc<Path>>>, OpError> {
    let mut found: HashMap<Body, Vec<Rc<Path>>> = HashMap::new();
    for (path, kind) in context.store.beneath().below(Path::new(""))?.files {
        if kind == FileType::RegularFile
            && is_entry(&path)
            && let Some(start) = context.store.beneath().read_start(&path, START)?
            && let Some(body) = body(&start)
        {
            found.entry(body).or_default().push(path.into());
        }
    }
    Ok(found)
}
