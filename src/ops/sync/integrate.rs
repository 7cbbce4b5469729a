//! Taking what came: the branch, the work tree and the index move to it, or to a merge, in one step or not at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::blend::{self, Blended, Trees};
use super::{Here, SyncError};
use crate::git::commit::IndexChange;
use crate::git::compared::{Deltas, Item};
use crate::git::{GitError, Oid};
use crate::model::Shown;
use crate::ops::{OpError, cache};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::transaction::{Change, Destination, Onto, Outcome, Plan};

/// How often it is tried anew because the store changed meanwhile.
const TRIES: usize = 30;

/// What was taken.
#[derive(Debug)]
pub struct Taken {
    /// HEAD before.
    pub before: Option<Oid>,
    /// What changed here.
    pub deltas: Deltas,
    /// What a merge came to; nothing where there was nothing to merge.
    pub blended: Blended,
    /// What went wrong after all was done.
    pub warnings: Vec<String>,
}

/// What is to be done with what came.
struct Way {
    to: Destination,
    tree: Oid,
    told: String,
    subject: String,
    blended: Blended,
}

impl Here<'_, '_> {
    /// Takes `theirs`; none if all of it is here.
    pub(super) fn integrate(&self, theirs: Oid, rewound: Option<Oid>) -> Result<Option<Taken>, SyncError> {
        let mut last = PathBuf::new();
        for _ in 0..TRIES {
            let head = self.repo.head_commit().map_err(StoreError::from)?;
            let Some(way) = self.way(head, theirs, rewound)? else { return Ok(None) };
            let before = head.map(|head| self.repo.tree_id(head)).transpose().map_err(StoreError::from)?;
            let deltas = self.repo.compare(before, Some(way.tree)).map_err(StoreError::from)?;
            let plan = self.plan(head, &way, &deltas)?;
            match self.context.store.publish(&plan)? {
                Outcome::Stale(path) => last = path,
                Outcome::Done(published) if !published.overtaken.is_empty() => {
                    return Err(OpError::Overtaken(published.overtaken.join("; ")).into());
                }
                Outcome::Done(published) => {
                    cache::settle(self.context);
                    let (blended, warnings) = (way.blended, published.warnings);
                    return Ok(Some(Taken { before: head, deltas, blended, warnings }));
                }
            }
        }
        Err(StoreError::Restless(Shown::os(&last).to_string()).into())
    }

    /// Returns how `theirs` is to be taken on top of `head`; none if there is nothing to take. Of a remote that was
    /// rewound, `seen` is what it held before: what was made here since goes on top of what it holds now.
    fn way(&self, head: Option<Oid>, theirs: Oid, seen: Option<Oid>) -> Result<Option<Way>, SyncError> {
        let name = self.upstream.name();
        let tree = self.repo.tree_id(theirs).map_err(StoreError::from)?;
        let forward = |told: String| {
            let (to, subject) = (Destination::Commit(theirs), format!("Take {name}."));
            Some(Way { to, tree, told, subject, blended: Blended::default() })
        };
        let Some(ours) = head else { return Ok(forward(format!("merge {name}: Fast-forward"))) };
        let holds = |one, other| self.repo.descends(one, other).map_err(StoreError::from);
        if let Some(seen) = seen {
            if holds(seen, ours)? {
                return Ok((ours != theirs).then(|| forward(format!("reset: moving to {name}"))).flatten());
            }
            return self.replayed(ours, theirs, seen).map(Some);
        }
        if holds(ours, theirs)? {
            return Ok(None);
        }
        if holds(theirs, ours)? {
            return Ok(forward(format!("merge {name}: Fast-forward")));
        }
        let bases = self.repo.merge_bases(ours, theirs).map_err(StoreError::from)?;
        if bases.is_empty() {
            return Err(SyncError::Unrelated { place: self.place(), remote: name });
        }
        let (base, our_tree) = (blend::common(self.repo, &bases)?, self.tree(ours)?);
        let blended = blend::blend(self.context, self.repo, Trees { base, ours: our_tree, theirs: tree })?;
        let tree = self.repo.edited(Some(our_tree), &blended.edits).map_err(StoreError::from)?;
        Ok(Some(Way {
            to: Destination::Merge { others: vec![theirs], tree },
            tree,
            told: format!("merge {name}: Merge made by the 'passel' strategy."),
            subject: format!("Merge {name}."),
            blended,
        }))
    }

    /// What was made here since the remote was seen at `seen` goes on top of what it holds now, in one commit.
    fn replayed(&self, ours: Oid, theirs: Oid, seen: Oid) -> Result<Way, SyncError> {
        let (base, our_tree, tree) = (Some(self.tree(seen)?), self.tree(ours)?, self.tree(theirs)?);
        let blended = blend::blend(self.context, self.repo, Trees { base, ours: our_tree, theirs: tree })?;
        let tree = self.repo.edited(Some(our_tree), &blended.edits).map_err(StoreError::from)?;
        let subject = format!("Put what was changed here on {}.", self.upstream.name());
        let commit = self.repo.write_on(theirs, tree, &subject, self.context.store.git());
        let to = Destination::Commit(commit.map_err(StoreError::from)?);
        let told = format!("rebase (finish): onto {theirs}");
        Ok(Way { to, tree, told, subject, blended })
    }

    fn tree(&self, commit: Oid) -> Result<Oid, SyncError> {
        Ok(self.repo.tree_id(commit).map_err(StoreError::from)?)
    }

    /// Returns the change of the store that `way` needs: every file that differs, as HEAD has it and as it is to be.
    fn plan(&self, head: Option<Oid>, way: &Way, deltas: &Deltas) -> Result<Plan, SyncError> {
        let mut plan = Plan { subject: way.subject.clone(), ..Plan::default() };
        let mut index: Vec<IndexChange> = Vec::new();
        let mut emptied: BTreeSet<PathBuf> = BTreeSet::new();
        for (inside, delta) in deltas {
            index.push((inside.clone(), delta.new.map(|item| (item.id, item.mode))));
            let path = self.repo.prefix().join(inside);
            // A submodule's work tree is its own repository's.
            if [delta.old, delta.new].into_iter().flatten().any(Item::is_submodule) {
                continue;
            }
            let new = delta.new.map(|item| self.repo.blob(item.id)).transpose().map_err(StoreError::from)?;
            let seen = self.seen(&path, delta.old, new.as_deref())?;
            if new.is_none() {
                let folders = path.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty());
                emptied.extend(folders.filter(|above| *above != self.repo.prefix()).map(Path::to_path_buf));
            }
            plan.changes.push(Change { path, seen, new });
        }
        // The innermost first.
        plan.prune = emptied.into_iter().rev().collect();
        let prefix = self.repo.prefix().to_path_buf();
        plan.onto = Some(Onto { prefix, head, to: way.to.clone(), index, told: way.told.clone() });
        Ok(plan)
    }

    /// Returns what stands at `path` here, which must be what HEAD has there (`old`), or what comes.
    fn seen(&self, path: &Path, old: Option<Item>, new: Option<&[u8]>) -> Result<State, SyncError> {
        let store = self.context.store;
        let here = store.beneath().state(path).map_err(StoreError::from)?;
        let bytes = old.map(|item| self.repo.blob(item.id)).transpose().map_err(StoreError::from)?;
        let known = match (old, &bytes) {
            (Some(item), Some(bytes)) if item.is_link() => State::of_link(bytes),
            (_, Some(bytes)) => State::of(bytes),
            (_, None) => State::Absent,
        };
        if here == known
            || new.is_some_and(|new| here == State::of(new))
            || (new.is_none() && here == State::Absent)
        {
            return Ok(here);
        }
        match old {
            // What git is told to ignore is nobody's loss to be asked about, and still somebody's file.
            None => {
                let (path, remote) = (Shown::os(path).to_string(), self.upstream.name());
                Err(SyncError::InTheWay { path, remote })
            }
            Some(_) if here == State::Absent => {
                Err(StoreError::from(GitError::Missing { path: Shown::os(path).to_string() }).into())
            }
            Some(_) => Err(store.differing(path).into()),
        }
    }
}
