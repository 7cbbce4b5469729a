//! Which commit settled what a commit's files say, so that nothing came after it that could have said otherwise.
//!
//! Whoever takes a commit's word for something (because it is signed, say) must know that it is the commit's own word,
//! and the last one. A later commit may bring an older state back, a merge may choose a side that was overruled, and a
//! signed commit may stand on what somebody else brought in. So a commit *settles* a claim that is true of HEAD if
//!
//! - it is true of the commit, and of none of its parents: the commit itself has made it true;
//! - of all other commits of HEAD's history that it does not stand on, those that stand on it leave it true, and those
//!   beside it leave it as it was: each agrees with all of its parents;
//! - no branch was ever seen here on which somebody took it back after the commit, and which HEAD no longer holds.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::rc::Rc;

use git2::Oid;

use super::changing::{Change, Changing};
use super::graph::Graph;
use super::objects::{Parents, RawCommit};
use super::provenance::{files_below, log_lines};
use super::{GitError, Head, Repo, git_error};

/// HEAD's history, as far as it concerns recipients files and the store's configuration.
pub struct Lineage<'r> {
    repo: &'r Repo,
    head: Oid,
    graph: Graph,
    parents: Parents,
    /// The commits of HEAD's history that change such files.
    changing: Vec<Oid>,
    /// All changes of recipients files, whether HEAD leads to them or not.
    changes: Rc<Vec<Change>>,
    /// Where a branch was seen to stand that is not in HEAD's history.
    former: Vec<Oid>,
}

/// Whether a claim is true of a commit's files.
pub type Claim<'a> = dyn FnMut(&Head<'_>) -> Result<bool, GitError> + 'a;

impl Repo {
    /// Returns HEAD's history; none where it cannot be told what settled what: there is no commit, some are missing,
    /// or there are several first ones (somebody has merged the history of another store).
    pub fn lineage(&self, known: &Changing) -> Result<Option<Lineage<'_>>, GitError> {
        let Some(head) = self.head_commit()? else { return Ok(None) };
        let odb = self.repo.odb().map_err(git_error("walk the history"))?;
        let (mut parents, mut open) = (Parents::new(), vec![head]);
        while let Some(id) = open.pop() {
            if parents.contains_key(&id) {
                continue;
            }
            let Ok(commit) = RawCommit::read(&odb, id) else { return Ok(None) };
            open.extend(&commit.parents);
            parents.insert(id, commit.parents);
        }
        if parents.values().filter(|parents| parents.is_empty()).count() != 1 {
            return Ok(None);
        }
        let changes = self.changing_lists(known)?;
        let changing = changes.iter().map(|change| change.commit).filter(|id| parents.contains_key(id));
        let mut former: BTreeSet<Oid> = BTreeSet::new();
        for log in files_below(&self.common().join("logs")).iter().chain([&self.gitdir().join("logs/HEAD")]) {
            former.extend(log_lines(log).into_iter().map(|(id, _)| id));
        }
        for kept in self.repo.references_glob("refs/passel/*").map_err(git_error("list the refs"))?.flatten()
        {
            former.extend(kept.target());
        }
        let former = former.into_iter().filter(|id| !parents.contains_key(id));
        let former = former.filter(|id| RawCommit::read(&odb, *id).is_ok()).collect();
        let (changing, graph) = (changing.collect(), Graph::new(&parents));
        Ok(Some(Lineage { repo: self, head, graph, parents, changing, changes, former }))
    }
}

impl Lineage<'_> {
    /// Returns the commits that settled the claim; none if it is not true of HEAD. Where it was true, and taken back,
    /// `again` wants one that came after that.
    pub fn settled(&self, claim: &mut Claim<'_>, again: bool) -> Vec<Oid> {
        let mut known: HashMap<Oid, Option<bool>> = HashMap::new();
        let mut holds = |commit: Oid| {
            // Of what cannot be read, nobody can tell.
            *known
                .entry(commit)
                .or_insert_with(|| self.repo.tree_of(commit).and_then(|tree| claim(&tree)).ok())
        };
        if holds(self.head) != Some(true) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for commit in &self.changing {
            let made_true = holds(*commit) == Some(true)
                && self.parents[commit].iter().all(|parent| holds(*parent) == Some(false));
            if made_true
                && self.stands(*commit, &mut holds)
                && (!again || self.was_true_before(*commit, &mut holds))
                && !self.was_taken_back_elsewhere(*commit, &mut holds)
            {
                found.push(*commit);
            }
        }
        found
    }

    /// Whether nothing that `settling` does not stand on says otherwise.
    fn stands(&self, settling: Oid, holds: &mut dyn FnMut(Oid) -> Option<bool>) -> bool {
        let others = self.changing.iter().filter(|commit| !self.graph.holds(settling, **commit));
        others.into_iter().all(|commit| match (self.graph.holds(*commit, settling), holds(*commit)) {
            (_, None) => false,
            (true, holds) => holds == Some(true),
            (false, now) => self.parents[commit].iter().all(|parent| holds(*parent) == now),
        })
    }

    fn was_true_before(&self, settling: Oid, holds: &mut dyn FnMut(Oid) -> Option<bool>) -> bool {
        let before = self.changing.iter().filter(|commit| **commit != settling);
        before
            .filter(|commit| self.graph.holds(settling, **commit))
            .any(|commit| holds(*commit) == Some(true))
    }

    fn was_taken_back_elsewhere(&self, settling: Oid, holds: &mut dyn FnMut(Oid) -> Option<bool>) -> bool {
        let after = |former: &&Oid| self.repo.descends(**former, settling).unwrap_or(true);
        self.former.iter().filter(after).any(|former| holds(*former) != Some(true))
    }

    /// Returns where and by which commits a recipients file with these bytes came to be, anywhere in the repository.
    pub fn brought(&self, blob: Oid) -> Vec<(Oid, &Path)> {
        let files = self.changes.iter().flat_map(|change| {
            change.brings.iter().map(move |(path, brought)| (change.commit, path.as_path(), *brought))
        });
        files.filter(|(_, _, brought)| *brought == blob).map(|(commit, path, _)| (commit, path)).collect()
    }
}
