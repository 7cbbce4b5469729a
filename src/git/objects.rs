//! What objects a repository holds, reachable or not.

use std::collections::HashMap;

use git2::{ObjectType, Odb, Oid, opts};

use super::{GitError, Repo, git_error};

/// Commits with their parents, of which some may be missing.
pub(super) type Parents = HashMap<Oid, Vec<Oid>>;

/// The objects of a repository, sorted by what is known of them.
#[derive(Default)]
pub(super) struct Objects {
    /// Those that are no commits, in the order of their ids.
    pub others: Vec<Oid>,
    /// Commits that were known before.
    pub known: Parents,
    /// The other commits.
    pub new: Parents,
}

impl Repo {
    /// Returns all objects that are here; those in `others` (sorted) are known to be no commits, those in
    /// `commits` to be commits, and need not be looked at.
    pub(super) fn objects(&self, others: &[Oid], mut commits: Parents) -> Result<Objects, GitError> {
        let _quick = Quick::new();
        let failed = || git_error("list the objects");
        let odb = self.repo.odb().map_err(failed())?;
        let mut ids = Vec::new();
        odb.foreach(|id| {
            ids.push(*id);
            true
        })
        .map_err(failed())?;
        ids.sort_unstable();
        ids.dedup();
        let mut found = Objects::default();
        for id in ids {
            if others.binary_search(&id).is_ok() {
                found.others.push(id);
            } else if let Some(parents) = commits.remove(&id) {
                found.known.insert(id, parents);
            } else {
                match odb.read_header(id) {
                    Ok((_, ObjectType::Commit)) => {
                        // What names no tree cannot be checked out either.
                        if let Ok(commit) = RawCommit::read(&odb, id) {
                            found.new.insert(id, commit.parents);
                        }
                    }
                    Ok(_) => found.others.push(id),
                    // What cannot be read is looked at again next time.
                    Err(_) => {}
                }
            }
        }
        Ok(found)
    }
}

/// What a commit names, read from its bytes: git takes commits that libgit2 does not, of an author without an
/// address say. Nor does libgit2 know parents of a shallow clone's oldest commits, and it believes `info/grafts`:
/// neither lasts.
#[derive(PartialEq, Eq)]
pub(super) struct RawCommit {
    pub tree: Oid,
    pub parents: Vec<Oid>,
}

impl RawCommit {
    /// Reads the commit `id`.
    pub(super) fn read(odb: &Odb<'_>, id: Oid) -> Result<Self, GitError> {
        let object = odb.read(id).map_err(git_error("read a commit"))?;
        match object.kind() {
            ObjectType::Commit => RawCommit::parse(object.data()).ok_or(GitError::Unreadable),
            _ => Err(GitError::Unreadable),
        }
    }

    /// Reads a commit's bytes: `tree ID`, `parent ID` as often as needed, then all else (git-commit-tree(1)).
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let id = |digits: &[u8]| Oid::from_str(str::from_utf8(digits).ok()?).ok();
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let tree = id(lines.next()?.strip_prefix(b"tree ")?)?;
        let parents = lines.map_while(|line| line.strip_prefix(b"parent ")).filter_map(id).collect();
        Some(RawCommit { tree, parents })
    }
}

/// Until it is dropped, libgit2 does not compute the id of each object that it reads anew (nor does git; what
/// is damaged on disk fails to inflate), and keeps none in memory: of a whole history, both would cost more
/// than all the rest.
pub(super) struct Quick(());

impl Quick {
    pub(super) fn new() -> Self {
        opts::strict_hash_verification(false);
        opts::enable_caching(false);
        Quick(())
    }
}

impl Drop for Quick {
    fn drop(&mut self) {
        opts::strict_hash_verification(true);
        opts::enable_caching(true);
    }
}
