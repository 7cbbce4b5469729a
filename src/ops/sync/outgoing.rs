//! What is about to be pushed: nothing that lets somebody read who is not to, and nothing in plain.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use super::{Here, SyncError};
use crate::crypto::openpgp::body;
use crate::git::Oid;
use crate::git::compared::Deltas;
use crate::model::entry::{is_entry, shown_entry};
use crate::model::{FolderName, KeyId, Keyring, Shown};
use crate::ops::OpError;
use crate::ops::lists::folder_of;
use crate::store::StoreError;
use crate::store::recipients::Overlay;

/// Who can be meant by a folder's list.
struct Allowed {
    ids: BTreeSet<KeyId>,
    /// Whether the list names somebody whose key is not in the keyring: then nobody can tell whose a key is.
    is_vague: bool,
}

impl Here<'_, '_> {
    /// Returns why what differs from the remote's `theirs` is not to be pushed yet; none if it may be.
    pub(super) fn objections(&self, theirs: Option<Oid>, head: Oid) -> Result<Vec<String>, SyncError> {
        let tree = |commit: Oid| self.repo.tree_id(commit).map_err(StoreError::from);
        let deltas = self.repo.compare(theirs.map(tree).transpose()?, Some(tree(head)?));
        let deltas = deltas.map_err(StoreError::from)?;
        let mut objections = self.lists_not_accepted(&deltas)?;
        objections.extend(self.stale(&deltas)?);
        Ok(objections)
    }

    /// Returns the lists that nobody here has accepted: a merge put them together.
    fn lists_not_accepted(&self, deltas: &Deltas) -> Result<Vec<String>, SyncError> {
        let mut found = Vec::new();
        for (inside, delta) in deltas.iter().filter(|(path, _)| path.ends_with(".gpg-id")) {
            let path = self.repo.prefix().join(inside);
            let folder = folder_of(&path)?;
            if delta.new.is_some()
                && let Err(OpError::NotAccepted(_)) = self.context.recipients(&folder)
            {
                found.push(format!("nobody here has accepted `{}`", Shown::os(&path)));
            }
        }
        Ok(found)
    }

    /// Returns the entries that somebody can read whom their list does not name, and that can be mended here.
    fn stale(&self, deltas: &Deltas) -> Result<Vec<String>, SyncError> {
        let entries: Vec<_> = deltas
            .iter()
            .filter(|(path, _)| is_entry(path))
            .filter_map(|(path, delta)| Some((path, delta.new.filter(|item| item.is_file())?)))
            .collect();
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let context = self.context;
        let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
        let own = context.crypto.own_keys().map_err(|source| OpError::OwnKeys { source })?;
        let keyring = Keyring::new(keys);
        let mut known: HashMap<PathBuf, Option<Allowed>> = HashMap::new();
        let mut found = Vec::new();
        for (inside, item) in entries {
            let path = self.repo.prefix().join(inside);
            let message = self.repo.blob(item.id).map_err(StoreError::from)?;
            let name = shown_entry(&path);
            if body(&message).is_none() {
                found.push(format!("`{name}` is no encrypted message"));
                continue;
            }
            let Ok(readers) = context.crypto.recipients_of(&message) else { continue };
            let folder = folder_of(&path)?;
            let allowed = match known.get(folder.as_path()) {
                Some(allowed) => allowed,
                None => {
                    let allowed = self.allowed(&folder, &keyring)?;
                    known.entry(folder.as_path().to_path_buf()).or_insert(allowed)
                }
            };
            let Some(allowed) = allowed else { continue };
            let is_mine = |id: &KeyId| keyring.bearers(*id).iter().any(|key| own.contains(key));
            // What only others can read, only others can mend; what is held back waits for a person.
            if !readers.iter().any(is_mine) || context.store.is_held_back(&path) {
                continue;
            }
            let is_known = |id: &KeyId| !keyring.bearers(*id).is_empty();
            let extra = readers.iter().find(|id| {
                **id != KeyId::HIDDEN && !allowed.ids.contains(id) && (is_known(id) || !allowed.is_vague)
            });
            if let Some(extra) = extra {
                found.push(format!("`{name}` can be read by {extra}, whom its recipients do not name"));
            }
        }
        Ok(found)
    }

    /// Returns the key IDs of everybody whom the list of `folder` names; none where nothing rules it.
    fn allowed(&self, folder: &FolderName, keyring: &Keyring) -> Result<Option<Allowed>, SyncError> {
        let Some(rule) = self.context.store.rule(folder, &Overlay::new())? else { return Ok(None) };
        let ids: Vec<&str> = rule.lines.iter().map(|line| line.id.as_str()).collect();
        let mut allowed = Allowed { ids: BTreeSet::new(), is_vague: false };
        for found in self.context.crypto.resolve_all(&ids) {
            use crate::crypto::RecipientError::Unusable;
            let keys = match found {
                Ok(keys) => keys.into_iter().map(|key| key.fingerprint).collect(),
                // An expired key is on the list all the same.
                Err(Unusable { fingerprint, .. }) => vec![fingerprint],
                Err(_) => {
                    allowed.is_vague = true;
                    continue;
                }
            };
            for part in keys {
                let key = keyring.primary_of(&part).and_then(|primary| keyring.get(primary));
                let parts = key.map(|key| key.subkeys.iter().map(|part| part.fingerprint.key_id()));
                allowed.ids.extend(parts.into_iter().flatten());
                allowed.ids.insert(part.key_id());
            }
        }
        Ok(Some(allowed))
    }
}
