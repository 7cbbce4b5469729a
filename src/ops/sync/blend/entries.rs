//! Entries that both sides changed: merged in plaintext, in memory, and encrypted for whoever is to read them.

use std::path::{Path, PathBuf};

use super::{Blend, Both};
use crate::git::compared::Item;
use crate::model::entry::is_entry;
use crate::model::merge::{Merged, merge};
use crate::model::{Plaintext, RecipientId};
use crate::ops::copies::{Copies, body_of};
use crate::ops::guard::key_set;
use crate::ops::merge::better;
use crate::ops::reencrypt::{is_in_line, refuse_too_large};
use crate::ops::sync::SyncError;
use crate::ops::{OpError, Recipients};
use crate::store::StoreError;

/// How many files that came with a removed entry's removal are looked at, to find where it was moved.
const CANDIDATES: usize = 64;

/// Why two versions of an entry are not merged.
enum Apart {
    /// For a sentence.
    Why(&'static str),
    /// Something failed that has nothing to do with what the entry says.
    Failed(SyncError),
}

impl From<SyncError> for Apart {
    fn from(error: SyncError) -> Self {
        Apart::Failed(error)
    }
}

impl Blend<'_, '_> {
    /// Both changed an entry.
    pub(super) fn entry(&mut self, path: &Path, both: Both) -> Result<(), SyncError> {
        match self.merge_entry(path, both) {
            Ok(item) => {
                if item != both.ours && item != both.theirs {
                    let path = self.store_path(path);
                    self.found.merged.push(path);
                }
                self.set(path, Some(item));
                Ok(())
            }
            Err(Apart::Why(why)) => self.keep_apart(path, both.theirs, why),
            Err(Apart::Failed(error)) => Err(error),
        }
    }

    /// Returns what stands for both versions of an entry.
    fn merge_entry(&mut self, path: &Path, both: Both) -> Result<Item, Apart> {
        for item in [both.ours, both.theirs] {
            self.refuse_foreign(path, item)?;
        }
        let (ours, theirs) = (self.plaintext(path, both.ours)?, self.plaintext(path, both.theirs)?);
        let recipients = self.recipients(path);
        if ours.equals(&theirs) {
            return Ok(self.better(both, recipients.ok().as_ref()));
        }
        let base = both.base.filter(|item| item.is_file());
        let base = base.map(|item| self.plaintext(path, item)).transpose()?;
        let text = match merge(base.as_ref(), &ours, &theirs) {
            Merged::Clean(text) if text.equals(&ours) => return Ok(both.ours),
            Merged::Clean(text) if text.equals(&theirs) => return Ok(both.theirs),
            Merged::Clean(text) => text,
            Merged::Conflict if base.is_none() => return Err(Apart::Why("both made an entry of this name")),
            Merged::Conflict => return Err(Apart::Why("both changed the same lines")),
        };
        self.encrypted(path, &text, &recipients?, both.ours.mode)
    }

    fn encrypted(&self, path: &Path, text: &Plaintext, to: &Recipients, mode: u32) -> Result<Item, Apart> {
        let encrypted = self.context.crypto.encrypt(text, &to.keys, to.trust);
        let encrypted = encrypted
            .map_err(|source| Apart::Failed(OpError::Encrypt { name: self.name(path), source }.into()))?;
        let id = self.repo.write_blob(&encrypted).map_err(failed)?;
        Ok(Item { id, mode })
    }

    /// Of two messages of the same text, returns the one that the right people can read; of two of those, the same one
    /// whoever merges.
    fn better(&self, both: Both, recipients: Option<&Recipients>) -> Item {
        let is_right = |item: Item| {
            let readers =
                self.repo.blob(item.id).ok().and_then(|m| self.context.crypto.recipients_of(&m).ok());
            readers.zip(recipients).is_some_and(|(readers, to)| is_in_line(&readers, &to.keys))
        };
        better((both.ours, is_right(both.ours)), (both.theirs, is_right(both.theirs)))
    }

    /// Looks whether the entry, which the other side changed (to `kept`), was moved by the side that removed it, and
    /// encrypted anew for others on the way. Then the change goes where it is now.
    pub(super) fn moved(
        &mut self,
        path: &Path,
        base: Option<Item>,
        kept: Item,
        removed: &str,
    ) -> Result<bool, SyncError> {
        let side = if removed == "here" { &self.ours } else { &self.theirs };
        let Some(base) = base.filter(|item| item.is_file()) else { return Ok(false) };
        let name = path.file_name();
        let mut candidates: Vec<(PathBuf, Item)> = side
            .iter()
            .filter(|(to, delta)| delta.old.is_none() && is_entry(to) && !self.decided.contains(*to))
            .filter_map(|(to, delta)| Some((to.clone(), delta.new.filter(|item| item.is_file())?)))
            .collect();
        candidates.sort_by_key(|(to, _)| to.file_name() != name);
        candidates.truncate(CANDIDATES);
        if candidates.is_empty() {
            return Ok(false);
        }
        let Ok(text) = self.plaintext(path, base) else { return Ok(false) };
        for (to, item) in candidates {
            let both_have = self.ours.contains_key(&to) && self.theirs.contains_key(&to);
            if both_have || !self.plaintext(&to, item).is_ok_and(|found| found.equals(&text)) {
                continue;
            }
            // What is kept was encrypted for the folder that it stood in.
            let merged = self.refuse_foreign(path, kept).and_then(|()| {
                let text = self.plaintext(path, kept)?;
                let recipients = self.recipients(&to)?;
                self.encrypted(&to, &text, &recipients, item.mode)
            });
            self.decided.insert(to.clone());
            match merged {
                Ok(merged) => {
                    self.set(&to, Some(merged));
                    let to = self.store_path(&to);
                    self.found.merged.push(to);
                }
                Err(Apart::Why(why)) => {
                    self.set(&to, Some(item));
                    self.keep_apart(&to, kept, why)?;
                }
                Err(Apart::Failed(error)) => return Err(error),
            }
            self.set(path, None);
            return Ok(true);
        }
        Ok(false)
    }

    /// Refuses a message that came from elsewhere, or from an earlier time: to merge it would be to encrypt it anew,
    /// and to hand it to whom it was not encrypted for ([`crate::ops::copies`]).
    fn refuse_foreign(&mut self, path: &Path, item: Item) -> Result<(), Apart> {
        let (name, message) = (self.name(path), self.repo.blob(item.id).map_err(failed)?);
        let Ok(body) = body_of(&name, &message) else {
            return Err(Apart::Why("one of them is no whole message"));
        };
        let copies = match &mut self.copies {
            Some(copies) => copies,
            none => none.insert(Copies::read(self.context).map_err(SyncError::from)?),
        };
        let path = self.repo.prefix().join(path);
        match copies.is_at_home(self.context, &path, &body).map_err(SyncError::from)? {
            true => Ok(()),
            false => Err(Apart::Why("one of them was encrypted for another place or at an earlier time")),
        }
    }

    fn plaintext(&self, path: &Path, item: Item) -> Result<Plaintext, Apart> {
        let (name, message) = (self.name(path), self.repo.blob(item.id).map_err(failed)?);
        refuse_too_large(&message, || name.clone()).map_err(|_| Apart::Why("one of them is too large"))?;
        // Only what has one meaning: the result is encrypted anew.
        let decryptor = self.context.crypto.decryptor();
        decryptor.decrypt_message(&message).map_err(|_| Apart::Why("one of them cannot be decrypted here"))
    }

    /// Returns whom a merged entry is encrypted to: the recipients of its folder, as a person here has accepted them.
    /// Where the list changes by this very merge, those of the new list that were accepted for the old one: who comes
    /// and who goes is encrypted to when that is accepted.
    fn recipients(&self, path: &Path) -> Result<Recipients, Apart> {
        let folder = self.folder(path)?;
        let refused = |error: OpError| match error {
            OpError::NotAccepted(_) => Apart::Why("nobody here has accepted its recipients"),
            _ => Apart::Why("its recipients cannot be encrypted to"),
        };
        let present = self.context.recipients(&folder);
        let changes =
            folder.as_path().ancestors().any(|above| self.overlay.contains_key(&above.join(".gpg-id")));
        if !changes {
            return present.map_err(refused);
        }
        let coming = self.context.recipients_with(&folder, &self.overlay).map_err(refused)?;
        let accepted = match present {
            Ok(present) => key_set(&present.keys),
            Err(error) => return Err(refused(error)),
        };
        let is_accepted = |key: &&RecipientId| !key_set(std::slice::from_ref(*key)).is_disjoint(&accepted);
        let keys: Vec<RecipientId> = coming.keys.iter().filter(is_accepted).cloned().collect();
        if keys.is_empty() {
            return Err(Apart::Why("nobody here has accepted its recipients"));
        }
        Ok(Recipients { keys, ..coming })
    }
}

fn failed(error: crate::git::GitError) -> Apart {
    Apart::Failed(StoreError::from(error).into())
}
