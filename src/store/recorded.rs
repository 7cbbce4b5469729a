//! Whether files are as git's HEAD has them.
//!
//! A commit of ours is HEAD's tree with our changes: what it says as a whole is true only if HEAD already has
//! what the changes were computed from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::beneath::{BeneathError, State};
use super::recipients::Overlay;
use super::{Store, StoreError};
use crate::git::{GitError, Oid, Repo, blob_id};
use crate::model::{FolderName, Shown};

/// A file as HEAD has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// Its blob.
    pub id: Oid,
    /// Its mode.
    mode: u32,
}

impl Blob {
    /// Whether it is a regular file, no link.
    pub fn is_file(self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// What a repository's HEAD holds at a path of its own: a tree or blob, none if nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadPart {
    /// Where the repository lies.
    pub prefix: PathBuf,
    /// The path in it; empty for all of it.
    pub inside: PathBuf,
    /// What stands there.
    pub id: Option<Oid>,
}

/// What HEAD holds below some folders, also in the repositories that lie there.
pub struct Recorded {
    repos: Vec<Repo>,
    /// What was looked at: it must be the same when the change is published.
    pub parts: Vec<HeadPart>,
    /// The files.
    pub files: BTreeMap<PathBuf, Blob>,
    /// The submodules, whether they are here or not.
    pub submodules: Vec<PathBuf>,
}

impl Recorded {
    /// Reads what HEAD holds below `folders` and in the repositories at `inner`.
    pub fn read<'p>(
        store: &Store,
        folders: impl Iterator<Item = &'p Path>,
        inner: impl Iterator<Item = &'p Path>,
    ) -> Result<Self, StoreError> {
        let mut recorded =
            Recorded { repos: Vec::new(), parts: Vec::new(), files: BTreeMap::new(), submodules: Vec::new() };
        let outer = folders.filter_map(|folder| Some((Repo::prefix_of(&store.root, folder)?, folder)));
        let parts: BTreeMap<&Path, PathBuf> = outer
            .map(|(prefix, folder)| (folder, prefix))
            .chain(inner.map(|prefix| (prefix, prefix.to_path_buf())))
            .collect();
        for (folder, prefix) in parts {
            let inside = folder.strip_prefix(&prefix).expect("the repository holds the folder");
            let repo = match recorded.repos.iter().position(|repo| repo.prefix() == prefix) {
                Some(known) => known,
                None => {
                    recorded.repos.push(Repo::open(&store.root, &prefix)?);
                    recorded.repos.len() - 1
                }
            };
            let head = recorded.repos[repo].head()?;
            for (path, id, mode) in head.below(inside)? {
                match mode {
                    0o160_000 => recorded.submodules.push(prefix.join(path)),
                    _ => drop(recorded.files.insert(prefix.join(path), Blob { id, mode })),
                }
            }
            let (id, inside) = (head.id(inside)?, inside.to_path_buf());
            recorded.parts.push(HeadPart { prefix, inside, id });
        }
        Ok(recorded)
    }

    /// Fails unless `here`, the id of what stands at `path` (none for no regular file), is what HEAD has
    /// there. What git ignores counts as recorded, as it never will be.
    pub fn refuse_differing(&self, store: &Store, path: &Path, here: Option<Oid>) -> Result<(), StoreError> {
        let known = self.files.get(path);
        if known.map(|blob| blob.id) == here && known.is_none_or(|blob| blob.is_file()) {
            return Ok(());
        }
        match known.is_none() && self.ignores(path)? {
            true => Ok(()),
            false => Err(store.differing(path)),
        }
    }

    /// Whether git ignores `path`.
    pub fn ignores(&self, path: &Path) -> Result<bool, StoreError> {
        let holding = self.repos.iter().filter(|repo| path.starts_with(repo.prefix()));
        let Some(repo) = holding.max_by_key(|repo| repo.prefix().components().count()) else {
            return Ok(true);
        };
        let inside = path.strip_prefix(repo.prefix()).expect("the repository holds the path");
        Ok(repo.ignores(&repo.head()?, inside)?)
    }
}

impl Store {
    /// Refuses files that are not as HEAD has them: a change of ours would sweep them into its commit.
    pub fn refuse_uncommitted<'p>(
        &self,
        mut paths: impl Iterator<Item = &'p Path>,
    ) -> Result<(), StoreError> {
        let mut repos = BTreeMap::new();
        paths.try_for_each(|path| match self.is_uncommitted_in(&mut repos, path)? {
            true => Err(self.differing(path)),
            false => Ok(()),
        })
    }

    /// Whether the file `path` is not as HEAD has it. What git ignores counts as committed, as does
    /// everything without git.
    pub fn is_uncommitted(&self, path: &Path) -> Result<bool, StoreError> {
        self.is_uncommitted_in(&mut BTreeMap::new(), path)
    }

    fn is_uncommitted_in(
        &self,
        repos: &mut BTreeMap<PathBuf, Repo>,
        path: &Path,
    ) -> Result<bool, StoreError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let Some(prefix) = Repo::prefix_of(&self.root, folder) else { return Ok(false) };
        if !repos.contains_key(&prefix) {
            repos.insert(prefix.clone(), Repo::open(&self.root, &prefix)?);
        }
        let repo = &repos[&prefix];
        let inside = path.strip_prefix(&prefix).expect("the repository holds the path");
        let head = repo.head()?;
        let committed = head.id(inside)?;
        let here = match self.beneath.read(path) {
            Ok(bytes) => bytes.as_deref().and_then(blob_id),
            // A link or the like: HEAD holds nothing that could be the same.
            Err(BeneathError::Link(_) | BeneathError::Kind(..)) => return Ok(!repo.ignores(&head, inside)?),
            Err(error) => return Err(error.into()),
        };
        Ok(committed != here && !(committed.is_none() && repo.ignores(&head, inside)?))
    }

    /// Returns the error for a file that is not as HEAD has it.
    pub fn differing(&self, path: &Path) -> StoreError {
        let shown = Shown::os(path).to_string();
        // In the middle of a merge, say, that is what is the matter.
        let prefix = Repo::prefix_of(&self.root, path.parent().unwrap_or(Path::new("")));
        if let Some(Err(error)) = prefix.map(|prefix| Repo::open(&self.root, &prefix)?.refuse_unfinished()) {
            return error.into();
        }
        let absent = self.beneath.state(path).is_ok_and(|state| state == State::Absent);
        match absent && self.refuse_left_out(path).is_err() {
            true => GitError::Sparse { path: shown }.into(),
            false if absent => GitError::Missing { path: shown }.into(),
            false => GitError::Uncommitted { path: shown }.into(),
        }
    }

    /// Refuses to go on where the lists that change come from, or lead to, lists that are not as HEAD has
    /// them: what somebody has typed would be committed unseen, under another name.
    pub fn refuse_uncommitted_lists(&self, overlay: &Overlay) -> Result<(), StoreError> {
        let mut repos = BTreeMap::new();
        for (path, new) in overlay {
            let Ok(folder) = FolderName::parse(parent(path).as_os_str()) else { continue };
            let before = match new {
                Some(_) => self.rule(&folder, &Overlay::new())?,
                None => self.rule(&folder, overlay)?,
            };
            let own = new.is_some().then(|| path.clone());
            let others = before.and_then(|rule| rule.file).filter(|file| !overlay.contains_key(file));
            for file in own.into_iter().chain(others) {
                // The first list of a store may be new: it changes nothing that HEAD says.
                if self.is_uncommitted_in(&mut repos, &file)? && self.is_ruled_in_head(parent(&file))? {
                    return Err(self.differing(&file));
                }
            }
        }
        Ok(())
    }

    /// Whether HEAD holds a recipients file that rules `folder`.
    fn is_ruled_in_head(&self, folder: &Path) -> Result<bool, StoreError> {
        for above in folder.ancestors() {
            let Some(prefix) = Repo::prefix_of(&self.root, above) else { return Ok(false) };
            let inside = above.strip_prefix(&prefix).expect("the repository holds the folder");
            if Repo::open(&self.root, &prefix)?.head_entry(&inside.join(".gpg-id"))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the first of `parts` that HEAD does not hold any more.
    pub(super) fn moved_on(&self, parts: &[HeadPart]) -> Result<Option<PathBuf>, StoreError> {
        for part in parts {
            if Repo::open(&self.root, &part.prefix)?.head()?.id(&part.inside)? != part.id {
                return Ok(Some(part.prefix.join(".git/HEAD")));
            }
        }
        Ok(None)
    }
}

/// Returns the folder that holds `path`.
fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
