//! Which commits were made in this clone, and which came from elsewhere.
//!
//! Only the reflogs can tell. A commit counts as made here if a reflog of this clone, linked work trees
//! included, holds it as `commit:`, `commit (initial):` or `commit (amend):`. Every other commit that this
//! repository holds, on a branch or not, counts as fetched, and what it brings as brought by others; a merge made
//! here brings nothing of its own in what it took from either side. (What a rebase makes counts as fetched: it
//! applies changes to other files than they were made to, where others have renamed those.)

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{Oid, Sort};

use super::changing::Changing;
use super::objects::RawCommit;
use super::{GitError, Head, Repo, git_error};
use crate::model::Shown;
use crate::model::key::day;

/// Commits that came about in this very clone.
#[derive(Default)]
struct LocalCommits {
    made: HashSet<Oid>,
    merged: HashSet<Oid>,
}

/// How a commit came about in this clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By `git commit`.
    Made,
    /// By a merge of what is judged itself.
    Merged,
}

impl Way {
    /// Returns what a reflog's message says; none where it speaks of nothing that was made.
    fn of(message: &str) -> Option<Self> {
        let begins = |words: &[&str]| words.iter().any(|word| message.starts_with(word));
        if begins(&["commit: ", "commit (initial): ", "commit (amend): "]) {
            Some(Way::Made)
        } else if begins(&["commit (merge): "])
            || begins(&["merge ", "pull: ", "pull "]) && message.contains(": Merge made by the '")
        {
            Some(Way::Merged)
        } else {
            None
        }
    }
}

/// A commit, as a person knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// The first digits of its id.
    pub id: String,
    /// Its author: name and e-mail address; not safe to show as they are.
    pub author: String,
    /// The day of it (UTC).
    pub day: String,
}

impl CommitInfo {
    /// Returns what a message says of it, safe to show.
    pub fn told(&self) -> String {
        format!("commit {} of {} by {}", self.id, self.day, Shown::new(&self.author))
    }

    /// Returns what a person knows `commit` by.
    fn of(commit: &git2::Commit<'_>) -> Self {
        let author = commit.author();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        CommitInfo {
            id: commit.id().to_string()[..10].to_owned(),
            author: format!("{} <{}>", text(author.name_bytes()), text(author.email_bytes())),
            day: day(author.when().seconds()),
        }
    }
}

impl Repo {
    /// Returns what a person knows the commit `id` by.
    pub fn commit_info(&self, id: Oid) -> Result<CommitInfo, GitError> {
        let commit = self.repo.find_commit(id).map_err(git_error("read a commit"))?;
        Ok(CommitInfo::of(&commit))
    }

    /// Returns the parent of the commit whose id begins so that holds another version of the file at `path`,
    /// by the first digits of its id; none if there is none.
    pub fn former(&self, id: &str, path: &Path) -> Result<Option<String>, GitError> {
        let failed = || git_error("read a commit");
        let commit = self.repo.find_commit_by_prefix(id).map_err(failed())?;
        let now = self.tree_of(commit.id())?.entry(path)?;
        for parent in commit.parent_ids() {
            // Of a shallow clone's oldest commits, the parents are not there.
            let Ok(tree) = self.tree_of(parent) else { continue };
            let before = tree.entry(path)?;
            if before.is_some() && before != now {
                return Ok(Some(parent.to_string()[..10].to_owned()));
            }
        }
        Ok(None)
    }

    /// Whether everything that `marks` finds in commits came about in this clone: no commit that was fetched
    /// brings a mark that its parents do not have. Marks are of recipients files alone: `changing` knows which
    /// commits change those.
    pub fn was_made_here<M: Clone + Ord>(
        &self,
        changing: &Changing,
        marks: &mut dyn FnMut(&Head<'_>) -> Result<BTreeSet<M>, GitError>,
    ) -> Result<bool, GitError> {
        let local = self.local_commits();
        let mut known: HashMap<Oid, Rc<BTreeSet<M>>> = HashMap::new();
        let mut marks_of = |commit: Oid| -> Result<Rc<BTreeSet<M>>, GitError> {
            if let Some(found) = known.get(&commit) {
                return Ok(Rc::clone(found));
            }
            let found = Rc::new(self.tree_of(commit).and_then(|tree| marks(&tree))?);
            known.insert(commit, Rc::clone(&found));
            Ok(found)
        };
        let odb = self.repo.odb().map_err(git_error("read a commit"))?;
        for commit in self.changing_lists(changing)?.iter().map(|change| change.commit) {
            if local.made.contains(&commit) {
                continue;
            }
            // What cannot be read, a malformed tree say, may bring anything.
            let Ok(found) = marks_of(commit) else { return Ok(false) };
            if found.is_empty() {
                continue;
            }
            // Of a shallow clone's oldest commits, the parents are not there.
            let parents = RawCommit::read(&odb, commit)?.parents.into_iter();
            let parents = parents.map(|id| marks_of(id).unwrap_or_default());
            let inherited = match local.merged.contains(&commit) {
                true => parents.reduce(|one, other| Rc::new(&*one | &*other)),
                false => parents.reduce(|one, other| Rc::new(&*one & &*other)),
            };
            if !found.is_subset(&inherited.unwrap_or_default()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the recipients files, by their paths and blobs, that only commits brought which did not come about
    /// here (and no revert, say, of what did).
    pub fn lists_from_elsewhere(&self, changing: &Changing) -> Result<Vec<(PathBuf, Oid)>, GitError> {
        let local = self.local_commits();
        let changes = self.changing_lists(changing)?;
        let (own, others): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| local.made.contains(&change.commit));
        let own: HashSet<_> = own.into_iter().flat_map(|change| &change.brings).collect();
        let theirs = others.into_iter().flat_map(|change| &change.brings);
        Ok(theirs.filter(|file| !own.contains(file)).cloned().collect())
    }

    /// Returns for each mark the newest commit of HEAD's history that holds it where none of its parents does.
    pub fn brought_by<M: Clone + Ord>(
        &self,
        changing: &Changing,
        marks: &mut dyn FnMut(&Head<'_>) -> Result<BTreeSet<M>, GitError>,
    ) -> Result<BTreeMap<M, CommitInfo>, GitError> {
        let Some(head) = self.head_commit()? else { return Ok(BTreeMap::new()) };
        let history = self.history_of(head, changing)?;
        let odb = self.repo.odb().map_err(git_error("walk the history"))?;
        let mut brought = BTreeMap::new();
        // From the oldest on: the last one to bring it stays.
        for commit in self.changing_lists(changing)?.iter().map(|change| change.commit) {
            if !history.contains(&commit) {
                continue;
            }
            let Ok(found) = self.tree_of(commit).and_then(|tree| marks(&tree)) else { continue };
            let (Ok(raw), Ok(info)) = (RawCommit::read(&odb, commit), self.commit_info(commit)) else {
                continue;
            };
            let mut known = BTreeSet::new();
            for parent in raw.parents {
                known.extend(self.tree_of(parent).and_then(|tree| marks(&tree)).unwrap_or_default());
            }
            brought.extend(found.difference(&known).map(|mark| (mark.clone(), info.clone())));
        }
        Ok(brought)
    }

    /// Returns the newest commit of HEAD's history that changed one of `paths`.
    pub fn last_change(&self, paths: &[PathBuf]) -> Result<Option<CommitInfo>, GitError> {
        let Some(head) = self.head_commit()? else { return Ok(None) };
        let failed = || git_error("walk the history");
        let mut walk = self.repo.revwalk().map_err(failed())?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME).map_err(failed())?;
        walk.push(head).map_err(failed())?;
        // What a malformed tree holds is told by nobody; the commit that brought it is one that changed it.
        let blobs = |tree: &Head<'_>| paths.iter().map(|path| tree.entry(path).ok()).collect::<Vec<_>>();
        for id in walk {
            // What libgit2 cannot read tells nobody's name.
            let Ok(id) = id else { return Ok(None) };
            let Ok(commit) = self.repo.find_commit(id) else { return Ok(None) };
            let now = blobs(&self.tree_of(id)?);
            let mut same = commit.parent_count() == 0 && now.iter().all(|blob| *blob == Some(None));
            for parent in commit.parent_ids() {
                // Of a shallow clone's oldest commits, the parents are not there.
                same |= self.tree_of(parent).is_ok_and(|tree| blobs(&tree) == now);
            }
            if !same {
                return Ok(Some(CommitInfo::of(&commit)));
            }
        }
        Ok(None)
    }

    /// Whether the repository knows any other one.
    pub fn has_remote(&self) -> Result<bool, GitError> {
        Ok(!self.repo.remotes().map_err(git_error("list the remotes"))?.is_empty())
    }

    /// Returns where others can clone the repository from: the URL of `origin`, or of the first remote; none
    /// without a remote. What a web address says about who asks (a user's name, a token) is left out.
    pub fn remote_url(&self) -> Result<Option<String>, GitError> {
        let names = self.repo.remotes().map_err(git_error("list the remotes"))?;
        let names: Vec<&str> = names.iter().flatten().flatten().collect();
        let name = names.iter().find(|name| **name == "origin").or_else(|| names.first());
        let Some(name) = name else { return Ok(None) };
        let remote = self.repo.find_remote(name).map_err(git_error("look at a remote"))?;
        Ok(remote.url().ok().map(without_user))
    }

    /// Returns the first parent of a commit; none if it has none.
    pub fn first_parent(&self, commit: Oid) -> Result<Option<Oid>, GitError> {
        let odb = self.repo.odb().map_err(git_error("read a commit"))?;
        Ok(RawCommit::read(&odb, commit)?.parents.first().copied())
    }

    /// Returns the tree of a commit.
    pub fn tree_of(&self, commit: Oid) -> Result<Head<'_>, GitError> {
        let failed = || git_error("read a commit");
        let id = RawCommit::read(&self.repo.odb().map_err(failed())?, commit)?.tree;
        let tree = self.repo.find_tree(id).map_err(failed())?;
        Ok(Head { repo: self, tree: Some(tree) })
    }

    /// Returns what the reflogs tell of commits that came about here.
    fn local_commits(&self) -> LocalCommits {
        let mut logs = vec![self.gitdir().join("logs/HEAD"), self.common().join("logs/HEAD")];
        let worktrees = fs::read_dir(self.common().join("worktrees")).into_iter().flatten().flatten();
        logs.extend(worktrees.map(|entry| entry.path().join("logs/HEAD")));
        logs.extend(files_below(&self.common().join("logs/refs/heads")));
        let mut local = LocalCommits::default();
        for (id, message) in logs.iter().flat_map(|log| log_lines(log)) {
            match Way::of(&message) {
                Some(Way::Made) => local.made.insert(id),
                Some(Way::Merged) => local.merged.insert(id),
                None => false,
            };
        }
        local
    }
}

/// Returns each line of a reflog: the commit that it leads to, and its message.
pub(super) fn log_lines(log: &Path) -> Vec<(Oid, String)> {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = |line: &str| {
        let (head, message) = line.split_once('\t')?;
        let id = Oid::from_str(head.split(' ').nth(1)?).ok()?;
        Some((id, message.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// Returns the files below a folder; none if it is not there.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Returns a remote's URL without what stands before `@` in a web address: it may be a password.
pub(super) fn without_user(url: &str) -> String {
    let web = ["https://", "http://"].iter().find(|scheme| url.starts_with(**scheme));
    let Some(scheme) = web else { return url.to_owned() };
    let rest = &url[scheme.len()..];
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reflog_tells_how_a_commit_came_about() {
        for (message, way) in [
            ("commit: x", Some(Way::Made)),
            ("commit (initial): x", Some(Way::Made)),
            ("commit (amend): x", Some(Way::Made)),
            ("commit (cherry-pick): x", None),
            ("cherry-pick: x", None),
            ("rebase (pick): x", None),
            ("pull --rebase (pick): commit: x", None),
            ("rebase (finish): returning to refs/heads/master", None),
            ("merge origin/master: Merge made by the 'ort' strategy.", Some(Way::Merged)),
            ("pull -q: Merge made by the 'ort' strategy.", Some(Way::Merged)),
            ("commit (merge): x", Some(Way::Merged)),
            ("merge commit: Fast-forward", None),
            ("pull origin (pick): Fast-forward", None),
            ("pull (pick): x", None),
            ("pull -q --rebase (pick): x", None),
            ("checkout: moving from commit: to x", None),
        ] {
            assert_eq!(Way::of(message), way, "{message}");
        }
    }

    #[test]
    fn a_clone_address_says_nothing_of_who_asks() {
        for (url, told) in [
            ("https://me:to@ken@example.org/a@b.git", "https://example.org/a@b.git"),
            ("http://token@example.org", "http://example.org"),
            ("https://example.org/x", "https://example.org/x"),
            ("git@example.org:x.git", "git@example.org:x.git"),
            ("ssh://git@example.org/x", "ssh://git@example.org/x"),
            ("/srv/x.git", "/srv/x.git"),
        ] {
            assert_eq!(without_user(url), told);
        }
    }
}
