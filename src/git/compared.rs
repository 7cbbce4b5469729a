//! What differs between two trees, and how two that come from a third are put together.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid};

use super::{GitError, Repo, git_error};

/// What stands at a path of a tree: a file, a link or a submodule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// The blob; of a submodule, its commit.
    pub id: Oid,
    /// The mode, as git has it.
    pub mode: u32,
}

impl Item {
    /// Whether it is a regular file.
    pub fn is_file(self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether it is a symbolic link.
    pub fn is_link(self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }

    /// Whether it is a submodule.
    pub fn is_submodule(self) -> bool {
        self.mode & 0o170_000 == 0o160_000
    }
}

/// What stood at a path, and what stands there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// What stood there.
    pub old: Option<Item>,
    /// What stands there now.
    pub new: Option<Item>,
}

/// What differs, by path.
pub type Deltas = BTreeMap<PathBuf, Delta>;

/// A tree that is to be, as it differs from another one: what stands at each of these paths.
pub type Edits = BTreeMap<PathBuf, Option<Item>>;

impl Repo {
    /// Returns what differs between two trees; none stands for an empty one. Fails where one of them is malformed.
    pub fn compare(&self, old: Option<Oid>, new: Option<Oid>) -> Result<Deltas, GitError> {
        let mut found = Deltas::new();
        let mut open = vec![(PathBuf::new(), old, new)];
        while let Some((folder, old, new)) = open.pop() {
            if old == new {
                continue;
            }
            let (mut before, mut after) = (self.entries_of(old)?, self.entries_of(new)?);
            let names: BTreeSet<Vec<u8>> = before.keys().chain(after.keys()).cloned().collect();
            for name in names {
                let (old, new) = (before.remove(&name), after.remove(&name));
                if old == new {
                    continue;
                }
                let path = folder.join(OsStr::from_bytes(&name));
                let tree = |entry: Option<Entry>| match entry {
                    Some(Entry::Folder(id)) => Some(id),
                    _ => None,
                };
                let item = |entry: Option<Entry>| match entry {
                    Some(Entry::Item(item)) => Some(item),
                    _ => None,
                };
                if tree(old).is_some() || tree(new).is_some() {
                    open.push((path.clone(), tree(old), tree(new)));
                }
                if item(old) != item(new) {
                    found.insert(path, Delta { old: item(old), new: item(new) });
                }
            }
        }
        Ok(found)
    }

    fn entries_of(&self, tree: Option<Oid>) -> Result<BTreeMap<Vec<u8>, Entry>, GitError> {
        let Some(id) = tree else { return Ok(BTreeMap::new()) };
        let tree = self.repo.find_tree(id).map_err(git_error("read a tree"))?;
        self.refuse_malformed(&tree)?;
        let entry = |entry: git2::TreeEntry<'_>| {
            #[allow(clippy::cast_sign_loss, reason = "file modes are not negative")]
            let (id, mode) = (entry.id(), entry.filemode() as u32);
            let found = match entry.kind() {
                Some(ObjectType::Tree) => Entry::Folder(id),
                _ => Entry::Item(Item { id, mode }),
            };
            (entry.name_bytes().to_vec(), found)
        };
        Ok(tree.iter().map(entry).collect())
    }

    /// Returns what stands at `path` in a tree.
    pub fn item_in(&self, tree: Option<Oid>, path: &Path) -> Result<Option<Item>, GitError> {
        let Some(tree) = tree else { return Ok(None) };
        let tree = self.repo.find_tree(tree).map_err(git_error("read a tree"))?;
        let found = super::Head { repo: self, tree: Some(tree) }.entry(path)?;
        Ok(found.filter(|(_, mode)| mode & 0o170_000 != 0o040_000).map(|(id, mode)| Item { id, mode }))
    }

    /// Whether a tree holds anything at `path`; what cannot be read counts.
    pub fn holds(&self, tree: Oid, path: &Path) -> bool {
        let found = self.repo.find_tree(tree).and_then(|tree| tree.get_path(path).map(drop));
        found.map_or_else(|error| error.code() != git2::ErrorCode::NotFound, |()| true)
    }

    /// Returns the names in a folder of a tree; none where there is no such folder.
    pub fn names_in(&self, tree: Oid, folder: &Path) -> Result<Vec<OsString>, GitError> {
        let failed = || git_error("read a tree");
        let top = self.repo.find_tree(tree).map_err(failed())?;
        let found = match folder.as_os_str().is_empty() {
            true => Some(tree),
            false => top.get_path(folder).ok().filter(|e| e.kind() == Some(ObjectType::Tree)).map(|e| e.id()),
        };
        Ok(self.entries_of(found)?.into_keys().map(OsString::from_vec).collect())
    }

    /// Writes the tree that `edits` make of another one, none for an empty one.
    pub fn edited(&self, tree: Option<Oid>, edits: &Edits) -> Result<Oid, GitError> {
        let failed = || git_error("write a tree");
        let base = match tree {
            Some(tree) => tree,
            None => self.repo.treebuilder(None).and_then(|builder| builder.write()).map_err(failed())?,
        };
        let base_tree = self.repo.find_tree(base).map_err(failed())?;
        let mut update = TreeUpdateBuilder::new();
        let mut is_changed = false;
        for (path, item) in edits {
            let old = self.item_in(Some(base), path)?;
            match item {
                _ if old == *item => continue,
                Some(Item { id, mode }) => drop(update.upsert(path.as_path(), *id, mode_of(*mode))),
                None => drop(update.remove(path.as_path())),
            }
            is_changed = true;
        }
        if !is_changed {
            return Ok(base);
        }
        update.create_updated(&self.repo, &base_tree).map_err(failed())
    }

    /// Writes a blob.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        self.repo.blob(bytes).map_err(git_error("write an object"))
    }

    /// Returns the size of a blob in bytes, without reading it.
    pub fn blob_size(&self, id: Oid) -> Result<usize, GitError> {
        let odb = self.repo.odb().map_err(git_error("read an object"))?;
        Ok(odb.read_header(id).map_err(git_error("read an object"))?.0)
    }

    /// Returns the best common ancestors of two commits: several where histories cross; none where they have
    /// nothing in common.
    pub fn merge_bases(&self, one: Oid, other: Oid) -> Result<Vec<Oid>, GitError> {
        match self.repo.merge_bases(one, other) {
            Ok(bases) => Ok(bases.iter().copied().collect()),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(Vec::new()),
            Err(error) => Err(git_error("walk the history")(error)),
        }
    }

    /// Returns the commits that lead to `tip` and not to any of `known`, the newest first.
    pub fn commits_between(&self, known: &[Oid], tip: Oid) -> Result<Vec<Oid>, GitError> {
        let failed = || git_error("walk the history");
        let mut walk = self.repo.revwalk().map_err(failed())?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME).map_err(failed())?;
        walk.push(tip).map_err(failed())?;
        for commit in known {
            walk.hide(*commit).map_err(failed())?;
        }
        walk.collect::<Result<_, _>>().map_err(failed())
    }

    /// Returns the oldest of the commits that lead to `tip` and not to `known` with this at `path`.
    pub fn brought_to(
        &self,
        known: Option<Oid>,
        tip: Oid,
        path: &Path,
    ) -> Result<Option<super::provenance::CommitInfo>, GitError> {
        let known: Vec<Oid> = known.into_iter().collect();
        let wanted = self.item_in(Some(self.tree_id(tip)?), path)?;
        for commit in self.commits_between(&known, tip)?.into_iter().rev() {
            if self.item_in(Some(self.tree_id(commit)?), path).is_ok_and(|item| item == wanted) {
                return self.commit_info(commit).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns the three-way merge of a text file; none where both changed the same lines.
    pub fn merge_texts(
        &self,
        base: Option<Item>,
        ours: Item,
        theirs: Item,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let text = |item: Item| self.blob(item.id);
        let base = base.filter(|item| item.is_file()).map(text).transpose()?.unwrap_or_default();
        let (ours, theirs) = (text(ours)?, text(theirs)?);
        if [&base, &ours, &theirs].iter().any(|text| text.contains(&0)) {
            return Ok(None);
        }
        let [mut old, mut one, mut other] = std::array::from_fn(|_| git2::MergeFileInput::new());
        let merged = git2::merge_file(old.content(&base), one.content(&ours), other.content(&theirs), None)
            .map_err(git_error("merge a text"))?;
        Ok(merged.is_automergeable().then(|| merged.content().to_vec()))
    }
}

fn mode_of(mode: u32) -> FileMode {
    match mode & 0o170_000 {
        0o120_000 => FileMode::Link,
        0o160_000 => FileMode::Commit,
        _ if mode & 0o111 != 0 => FileMode::BlobExecutable,
        _ => FileMode::Blob,
    }
}

/// An entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder(Oid),
    Item(Item),
}
