//! What hints depend on beside the error: whose a key is, whether the store has it, which list is meant.

use std::path::Path;

use crate::crypto::{Crypto, lookup};
use crate::git::Repo;
use crate::model::{Fingerprint, FolderName, Shown};
use crate::ops::keys::{path_of, waiting};
use crate::store::beneath::Beneath;

/// Where an error came up. What cannot be found out makes a hint poorer, and is no error of its own.
pub struct Scene<'a> {
    /// Our name.
    pub program: &'a str,
    /// The store's root.
    pub root: &'a Path,
    /// OpenPGP.
    pub crypto: &'a dyn Crypto,
}

impl Scene<'_> {
    /// Returns what people know a key of the keyring by, safe to show; `part` is its fingerprint or a subkey's.
    pub fn name_of(&self, part: &Fingerprint) -> Option<String> {
        let keys = self.crypto.keys().unwrap_or_default();
        let key = keys
            .iter()
            .find(|key| key.fingerprint == *part || key.subkeys.iter().any(|own| own.fingerprint == *part))?;
        (!key.user_ids.is_empty()).then(|| Shown::new(key.name()).to_string())
    }

    /// Whether `part` is the fingerprint of a subkey of a key of the keyring.
    pub fn is_subkey(&self, part: &Fingerprint) -> bool {
        let keys = self.crypto.keys().unwrap_or_default();
        keys.iter().any(|key| {
            key.fingerprint != *part && key.subkeys.iter().any(|subkey| subkey.fingerprint == *part)
        })
    }

    /// Whether a key that `id` may name waits in the store to be imported.
    pub fn has_key(&self, id: &str) -> bool {
        let Ok(beneath) = Beneath::open(self.root) else { return false };
        let is_wanted = |key: &Fingerprint| match Fingerprint::of_name(id) {
            Some(wanted) if !id.ends_with('!') => wanted == *key,
            _ => true,
        };
        let waiting = waiting(&beneath, self.crypto, is_wanted).unwrap_or_default();
        waiting.iter().any(|key| lookup::may_name(id, key))
    }

    /// Returns the folder whose recipients file rules `folder`, as far as can be seen.
    pub fn ruling(&self, folder: &FolderName) -> FolderName {
        let has_list = |path: &&Path| self.root.join(path).join(".gpg-id").symlink_metadata().is_ok();
        let found = folder.as_path().ancestors().find(has_list).unwrap_or(Path::new(""));
        FolderName::parse(found.as_os_str()).unwrap_or_default()
    }

    /// Whether the store is a git repository.
    pub fn has_git(&self) -> bool {
        self.root.join(".git").exists()
    }

    /// Whether the last commit holds the file at `path`.
    pub fn is_committed(&self, path: &str) -> bool {
        let path = Path::new(path);
        let folder = path.parent().unwrap_or(Path::new(""));
        let Some(prefix) = Repo::prefix_of(self.root, folder) else { return false };
        let inside = path.strip_prefix(&prefix).unwrap_or(path);
        Repo::open(self.root, &prefix)
            .and_then(|repo| Ok(repo.head_entry(inside)?.is_some()))
            .unwrap_or(false)
    }

    /// Whether the store's folder for keys holds a file for this key.
    pub fn holds(&self, key: &Fingerprint) -> bool {
        self.root.join(path_of(key)).symlink_metadata().is_ok()
    }
}
