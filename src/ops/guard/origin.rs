//! Where a list of recipients came from: this machine, or elsewhere.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Context, OpError};
use crate::git::provenance::CommitInfo;
use crate::git::{GitError, Head, Repo};
use crate::model::FolderName;
use crate::store::StoreError;
use crate::store::accepted::{Keys, Memory};
use crate::store::recipients::{Overlay, Rule};

impl Context<'_> {
    /// Whether the store is shared through git.
    pub(super) fn has_remote(&self) -> Result<bool, OpError> {
        let Some(prefix) = Repo::prefix_of(self.store.root(), Path::new("")) else { return Ok(false) };
        Ok(Repo::open(self.store.root(), &prefix)
            .and_then(|repo| repo.has_remote())
            .map_err(StoreError::from)?)
    }

    /// Whether `folder` came to be readable by `keys` through a change that was made on this machine: it is
    /// not committed yet, or by a commit of this clone, and it occurs in no commit that was fetched.
    pub(super) fn was_made_here(
        &self,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        // The repository that holds the list, and the one that holds the folder, where that is another one.
        let places = [rule.file.as_deref().and_then(Path::parent), Some(folder.as_path())];
        let prefixes: BTreeSet<PathBuf> = places
            .into_iter()
            .flatten()
            .filter_map(|place| Repo::prefix_of(self.store.root(), place))
            .collect();
        for prefix in prefixes {
            if !self.was_made_in(&prefix, folder, memory, keys, rule)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same, as the history of the repository at `prefix` has it.
    fn was_made_in(
        &self,
        prefix: &Path,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        let repo = Repo::open(self.store.root(), prefix).map_err(StoreError::from)?;
        let known: RefCell<HashMap<Vec<u8>, Option<Keys>>> = RefCell::default();
        // A repository inside of the store may have no list of its own: then the one outside rules it,
        // whatever its history says.
        let outside = self.outer_list(prefix)?;
        let list_of = |tree: &Head<'_>| -> Result<Option<Vec<u8>>, GitError> {
            Ok(list_in(&repo, tree, folder.as_path(), prefix)?.or_else(|| outside.clone()))
        };
        let head = repo.head().and_then(|head| list_of(&head)).map_err(StoreError::from)?;
        // git may have merged what was fetched with what was made here: any key that is gained tells.
        let gained: Keys = memory.map_or_else(|| keys.clone(), |memory| keys - &memory.keys);
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
        Ok(repo.was_made_here(&mut holds).map_err(StoreError::from)?)
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
        let Some(prefix) = Repo::prefix_of(self.store.root(), folder.as_path()) else { return Ok(None) };
        let repo = Repo::open(self.store.root(), &prefix).map_err(StoreError::from)?;
        let lists = rule.seen.iter().map(|(path, _)| path);
        let inside = lists.filter_map(|path| path.strip_prefix(&prefix).ok().map(PathBuf::from));
        Ok(repo.last_change(&inside.collect::<Vec<_>>()).map_err(StoreError::from)?)
    }
}

/// Returns the list that rules `folder` in a commit of the repository at `prefix`; none if it has none.
pub(in crate::ops) fn list_in(
    repo: &Repo,
    tree: &Head<'_>,
    folder: &Path,
    prefix: &Path,
) -> Result<Option<Vec<u8>>, GitError> {
    let inside = folder.strip_prefix(prefix).unwrap_or(Path::new(""));
    for above in inside.ancestors() {
        // A folder of that name (or a submodule) is no list, as in pass.
        if let Some((blob, mode)) = tree.entry(&above.join(".gpg-id"))?
            && !matches!(mode & 0o170_000, 0o040_000 | 0o160_000)
        {
            return repo.blob(blob).map(Some);
        }
    }
    Ok(None)
}
