//! A commit's tree, to look at many paths of it.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use git2::Oid;

use super::{GitError, Repo, git_error};

/// The tree of HEAD at one moment; empty before the first commit.
pub struct Head<'r> {
    pub(super) repo: &'r Repo,
    pub(super) tree: Option<git2::Tree<'r>>,
}

impl Head<'_> {
    /// Returns the blob at `path` with its mode, none if there is none. Fails where a tree on the way is
    /// malformed: git would find there what libgit2 does not.
    pub fn entry(&self, path: &Path) -> Result<Option<(Oid, u32)>, GitError> {
        let Some(mut tree) = self.tree.clone() else { return Ok(None) };
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            self.repo.refuse_malformed(&tree)?;
            let Some(entry) = tree.get_name_bytes(part.as_os_str().as_bytes()) else { return Ok(None) };
            #[allow(clippy::cast_sign_loss, reason = "file modes are not negative")]
            let (id, mode, kind) = (entry.id(), entry.filemode() as u32, entry.kind());
            drop(entry);
            match (parts.peek(), kind) {
                (None, _) => return Ok(Some((id, mode))),
                (Some(_), Some(git2::ObjectType::Tree)) => {
                    tree = self.repo.repo.find_tree(id).map_err(git_error("read a tree"))?;
                }
                (Some(_), _) => return Ok(None),
            }
        }
        Ok(None)
    }
}

impl Repo {
    /// Fails unless the names of a tree are in git's order, each once. git itself reads names one after
    /// another, libgit2 looks them up by halves, and misses what is out of order.
    fn refuse_malformed(&self, tree: &git2::Tree<'_>) -> Result<(), GitError> {
        if self.well_formed.borrow().contains(&tree.id()) {
            return Ok(());
        }
        let mut before: Option<Vec<u8>> = None;
        let mut names: HashSet<Vec<u8>> = HashSet::new();
        for entry in tree {
            let mut name = entry.name_bytes().to_vec();
            let is_new = names.insert(name.clone());
            // git compares as if folders ended in a slash.
            if entry.kind() == Some(git2::ObjectType::Tree) {
                name.push(b'/');
            }
            if !is_new || before.as_ref().is_some_and(|before| *before >= name) {
                return Err(GitError::Malformed { tree: tree.id().to_string() });
            }
            before = Some(name);
        }
        self.well_formed.borrow_mut().insert(tree.id());
        Ok(())
    }
}
