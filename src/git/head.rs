//! A commit's tree, to look at many paths of it.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

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

    /// Returns the id of what stands at `path`, of the whole tree for an empty one; none if nothing does.
    pub fn id(&self, path: &Path) -> Result<Option<Oid>, GitError> {
        match path.as_os_str().is_empty() {
            true => Ok(self.tree.as_ref().map(git2::Tree::id)),
            false => Ok(self.entry(path)?.map(|(id, _)| id)),
        }
    }

    /// Returns all blobs below `folder` with their modes: files, links, and submodules with their commits.
    pub fn below(&self, folder: &Path) -> Result<Vec<(PathBuf, Oid, u32)>, GitError> {
        let mut found = Vec::new();
        let mut trees = match (folder.as_os_str().is_empty(), self.entry(folder)?) {
            (true, _) => self.tree.iter().map(|tree| (PathBuf::new(), tree.id())).collect(),
            (false, Some((id, 0o040_000))) => vec![(folder.to_path_buf(), id)],
            (false, _) => Vec::new(),
        };
        while let Some((folder, id)) = trees.pop() {
            let tree = self.repo.repo.find_tree(id).map_err(git_error("read a tree"))?;
            self.repo.refuse_malformed(&tree)?;
            for entry in &tree {
                let path = folder.join(OsStr::from_bytes(entry.name_bytes()));
                #[allow(clippy::cast_sign_loss, reason = "file modes are not negative")]
                match entry.kind() {
                    Some(git2::ObjectType::Tree) => trees.push((path, entry.id())),
                    _ => found.push((path, entry.id(), entry.filemode() as u32)),
                }
            }
        }
        Ok(found)
    }
}

impl Repo {
    /// Fails unless the names of a tree are names, in git's order, each once. git itself reads names one after
    /// another, libgit2 looks them up by halves, and misses what is out of order.
    pub(super) fn refuse_malformed(&self, tree: &git2::Tree<'_>) -> Result<(), GitError> {
        if self.well_formed.borrow().contains(&tree.id()) {
            return Ok(());
        }
        let mut before: Option<Vec<u8>> = None;
        let mut names: HashSet<Vec<u8>> = HashSet::new();
        for entry in tree {
            let mut name = entry.name_bytes().to_vec();
            let is_new = names.insert(name.clone());
            // git takes a slash in a name for a folder's end when it writes the file.
            let is_odd = name.is_empty()
                || name.contains(&b'/')
                || [&b"."[..], b"..", b".git"].iter().any(|odd| name.eq_ignore_ascii_case(odd));
            // git compares as if folders ended in a slash.
            if entry.kind() == Some(git2::ObjectType::Tree) {
                name.push(b'/');
            }
            if is_odd || !is_new || before.as_ref().is_some_and(|before| *before >= name) {
                return Err(GitError::Malformed { tree: tree.id().to_string() });
            }
            before = Some(name);
        }
        self.well_formed.borrow_mut().insert(tree.id());
        Ok(())
    }
}
