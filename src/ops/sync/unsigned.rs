//! Commits that come must be signed by recipients, where the store asks for that (`sync.require_signed`).

use super::{Here, SyncError};
use crate::git::Oid;
use crate::model::Keyring;
use crate::ops::OpError;
use crate::ops::trust::signer;
use crate::store::StoreError;
use crate::store::accepted::Keys;

/// How many commits are named before the rest is counted.
const NAMED: usize = 10;

impl Here<'_, '_> {
    /// Refuses commits that come, merges included, without a good signature by somebody whom this machine has accepted
    /// as a recipient of any folder, if the store asks for signatures.
    pub(super) fn refuse_unsigned(&self, head: Option<Oid>, theirs: Oid) -> Result<(), SyncError> {
        if !self.context.requires_signed()? {
            return Ok(());
        }
        let known: Vec<Oid> = head.into_iter().collect();
        let came = self.repo.commits_between(&known, theirs).map_err(StoreError::from)?;
        if came.is_empty() {
            return Ok(());
        }
        let (crypto, keys) = (self.context.crypto, self.recipients_keys()?);
        let is_unsigned = |commit: &Oid| signer(crypto, &keys, self.repo, *commit).is_none();
        let unsigned: Vec<Oid> = came.into_iter().filter(is_unsigned).collect();
        if unsigned.is_empty() {
            return Ok(());
        }
        // What libgit2 cannot read tells nobody's name.
        let told = |commit: &Oid| {
            self.repo.commit_info(*commit).map_or_else(|_| format!("commit {commit}"), |info| info.told())
        };
        let mut what: Vec<String> = unsigned.iter().take(NAMED).map(told).collect();
        if unsigned.len() > NAMED {
            what.push(format!("and {} more", unsigned.len() - NAMED));
        }
        Err(SyncError::Unsigned { remote: self.upstream.name(), what })
    }

    /// Returns the primary keys of all accepted recipients: of some, only a subkey is one.
    fn recipients_keys(&self) -> Result<Keys, SyncError> {
        let keys = self.context.accepted_recipients()?;
        let keyring = Keyring::new(self.context.crypto.keys().map_err(|source| OpError::Keyring { source })?);
        Ok(keys.into_iter().map(|key| keyring.primary_of(&key).cloned().unwrap_or(key)).collect())
    }
}
