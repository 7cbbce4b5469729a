//! Where a list of recipients came from: this machine, or elsewhere.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Context, OpError, gained};
use crate::git::provenance::CommitInfo;
use crate::git::{GitError, Head, Repo};
use crate::model::FolderName;
use crate::store::StoreError;
use crate::store::accepted::{Keys, Memory};
use crate::store::recipients::{Overlay, Rule};

impl Context<'_> {
    /// Whether the store is shared through git.
    pub(super) fn has_remote(&self) -> Result<bool, OpError> {
        match History::of(self.store.root(), Path::new("")) {
            Some(history) => Ok(history?.repo.has_remote().map_err(StoreError::from)?),
            None => Ok(false),
        }
    }

    /// Whether `folder` came to be readable by `keys` through a change that was made on this machine: it is
    /// not committed yet, or by a commit of this clone, and it occurs in no commit that was fetched. Without
    /// git nobody can tell.
    pub(super) fn was_made_here(
        &self,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        // The repository that holds the list, and the one that holds the folder, where that is another one.
        let list = rule.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let mut prefixes = BTreeSet::new();
        for place in [list, folder.as_path()] {
            let Some(history) = History::of(self.store.root(), place) else { return Ok(false) };
            if Repo::prefix_of(self.store.root(), place).is_none_or(|prefix| prefixes.insert(prefix))
                && !self.was_made_in(&history?, folder, memory, keys, rule)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same, as one history has it.
    fn was_made_in(
        &self,
        history: &History,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        let known: RefCell<HashMap<Vec<u8>, Option<Keys>>> = RefCell::default();
        // A repository inside of the store may have no list of its own: then the one outside rules it,
        // whatever its history says.
        let outside = self.outer_list(history.repo.prefix())?;
        let list_of = |tree: &Head<'_>| -> Result<Option<Vec<u8>>, GitError> {
            Ok(history.list(tree, folder.as_path())?.or_else(|| outside.clone()))
        };
        let head = history.repo.head().and_then(|head| list_of(&head)).map_err(StoreError::from)?;
        // git may have merged what was fetched with what was made here: any key that is gained tells.
        let gained = gained(memory, keys);
        let mut holds = |tree: &Head<'_>| -> Result<bool, GitError> {
            let Some(list) = list_of(tree)? else { return Ok(false) };
            if list == rule.gpg_id {
                return Ok(true);
            }
            // What HEAD holds is no list, and the file on disk is one: git may have been told to turn the
            // one into the other (.gitattributes).
            let is_head = head.as_ref() == Some(&list);
            let mut known = known.borrow_mut();
            Ok(match known.entry(list).or_insert_with_key(|list| self.keys_of(list)) {
                Some(found) if gained.is_empty() => found == keys,
                Some(found) => !found.is_disjoint(&gained),
                None => is_head,
            })
        };
        Ok(history.repo.was_made_here(&mut holds).map_err(StoreError::from)?)
    }

    /// Returns the list that rules the folder that holds the repository at `prefix`.
    fn outer_list(&self, prefix: &Path) -> Result<Option<Vec<u8>>, OpError> {
        let Some(parent) = prefix.parent() else { return Ok(None) };
        let parent = FolderName::parse(parent.as_os_str())?;
        Ok(self.store.rule(&parent, &Overlay::new())?.map(|rule| rule.gpg_id))
    }

    /// Returns the commit that last changed one of the lists that could rule `folder`.
    pub(super) fn last_change(
        &self,
        folder: &FolderName,
        rule: &Rule,
    ) -> Result<Option<CommitInfo>, OpError> {
        // What cannot be opened tells nothing.
        let Some(Ok(history)) = History::of(self.store.root(), folder.as_path()) else { return Ok(None) };
        let lists = rule.seen.iter().filter_map(|(path, _)| history.inside(path));
        Ok(history.repo.last_change(&lists.collect::<Vec<_>>()).map_err(StoreError::from)?)
    }
}

/// The history of the repository that records a part of the store.
struct History {
    repo: Repo,
    /// Where the store lies in the repository; empty unless the store is a folder of it.
    place: PathBuf,
}

impl History {
    /// Opens the history of `folder`; none if it has none. A store that is a folder of a larger repository has
    /// that one's: whoever commits there changes lists as well.
    fn of(root: &Path, folder: &Path) -> Option<Result<Self, OpError>> {
        let opened = match Repo::prefix_of(root, folder) {
            Some(prefix) => Repo::open(root, &prefix).map(|repo| (repo, PathBuf::new())),
            None => Repo::around(root)?,
        };
        Some(opened.map(|(repo, place)| History { repo, place }).map_err(|e| StoreError::from(e).into()))
    }

    /// Returns where a path of the store lies in the repository; none if it does not.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        Some(self.place.join(path.strip_prefix(self.repo.prefix()).ok()?))
    }

    /// Returns the list that rules `folder` in a commit; none if it has none.
    fn list(&self, tree: &Head<'_>, folder: &Path) -> Result<Option<Vec<u8>>, GitError> {
        let inside = self.inside(folder).unwrap_or_else(|| self.place.clone());
        list_below(&self.repo, tree, &self.place, &inside)
    }
}

/// Returns the list that rules `folder` in a commit of the repository `repo`; none if it has none.
pub(in crate::ops) fn list_in(
    repo: &Repo,
    tree: &Head<'_>,
    folder: &Path,
) -> Result<Option<Vec<u8>>, GitError> {
    let inside = folder.strip_prefix(repo.prefix()).unwrap_or(Path::new(""));
    list_below(repo, tree, Path::new(""), inside)
}

/// Returns the list that is nearest to `folder` of those from there up to `top`, paths of the repository.
fn list_below(repo: &Repo, tree: &Head<'_>, top: &Path, folder: &Path) -> Result<Option<Vec<u8>>, GitError> {
    for above in folder.ancestors().take_while(|above| above.starts_with(top)) {
        // A folder of that name (or a submodule) is no list, as in pass.
        if let Some((blob, mode)) = tree.entry(&above.join(".gpg-id"))?
            && !matches!(mode & 0o170_000, 0o040_000 | 0o160_000)
        {
            return repo.blob(blob).map(Some);
        }
    }
    Ok(None)
}
