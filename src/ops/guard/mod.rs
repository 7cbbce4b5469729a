//! The guard against a changed list: nothing is encrypted to keys that nobody on this machine has accepted.
//!
//! Anybody who can push can write a recipients file, replay an old one, or delete one so that another
//! rules. What counts is therefore the *effective* set of full fingerprints of each folder, and whether it
//! is the one that was accepted here ([`crate::store::accepted`]). A change that was made on this machine,
//! by whatever program, is accepted by that; everything else needs a person's word.

mod memory;
mod origin;
mod pending;
mod rules;
mod vouched;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use memory::Found;
pub(super) use origin::{list_below, list_in};
pub use rules::RulesDifference;
pub(super) use vouched::Judge;

use super::rules::{RuleError, shown};
use super::{Context, KnownLists, OpError, Recipients};
use crate::git::provenance::CommitInfo;
use crate::model::{Fingerprint, FolderName, RecipientId};
use crate::store::StoreError;
use crate::store::accepted::{Accepted, Keys, Memory, hash_of};
use crate::store::recipients::{Overlay, Rule};

/// How a folder's recipients differ from what was accepted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The folder.
    pub folder: FolderName,
    /// The folder whose list rules it.
    pub ruling: FolderName,
    /// The SHA-256 of that list, in hexadecimal.
    pub list: String,
    /// Who can read it now.
    pub keys: Keys,
    /// Keys that would gain access.
    pub gains: Vec<Fingerprint>,
    /// Those of them that had it before and were taken out.
    pub returning: Vec<Fingerprint>,
    /// Keys that would lose it.
    pub loses: Vec<Fingerprint>,
    /// Whether none of them was in the keyring when this machine first saw the list.
    pub was_unusable: bool,
    /// Whether the list is committed as it is.
    pub is_committed: bool,
    /// The commit that let in and took out all of them, where one did; or the one that changed the list last, where
    /// nobody can tell.
    pub commit: Option<CommitInfo>,
    /// Where several commits did, which one did what.
    pub by: BTreeMap<Fingerprint, CommitInfo>,
    /// Whether a change of the recipients was refused that leaves them as they are: it may accept them by itself.
    pub on_the_way: bool,
}

impl Difference {
    /// Whether the same people gain and lose access by the same commit.
    pub fn is_like(&self, other: &Difference) -> bool {
        let told = |of: &Difference| Difference {
            folder: FolderName::root(),
            ruling: FolderName::root(),
            list: String::new(),
            keys: Keys::new(),
            ..of.clone()
        };
        told(self) == told(other)
    }

    /// Returns a sentence's end: who gains, who loses, since which commit.
    pub fn told(&self) -> String {
        let mut parts = Vec::new();
        let by = |key| self.by.get(key).map(|commit| format!(" ({})", commit.told())).unwrap_or_default();
        for key in &self.gains {
            let again = if self.returning.contains(key) { " again, after it was removed" } else { "" };
            parts.push(format!("{key} gains access{again}{}", by(key)));
        }
        parts.extend(self.loses.iter().map(|key| format!("{key} loses it{}", by(key))));
        if self.was_unusable {
            parts.push("the list could not be used when this machine first saw it".to_owned());
        }
        if let Some(commit) = &self.commit {
            parts.push(commit.told());
        } else if !self.is_committed {
            parts.push("the list is not committed".to_owned());
        }
        parts.join("; ")
    }
}

/// A list: its file, and what stands in it.
type List = (Option<PathBuf>, Vec<u8>);

impl Context<'_> {
    /// Fails unless who can read `folder` has been accepted on this machine. False if the list that `recipients` came from
    /// is not the one that stands any more: another command of ours has just changed it.
    pub(super) fn check_accepted(
        &self,
        folder: &FolderName,
        recipients: &Recipients,
        overlay: &Overlay,
    ) -> Result<bool, OpError> {
        let (keys, rule) = (key_set(&recipients.keys), &recipients.rule);
        let is_known = |accepted: &Accepted| {
            accepted.ruling_without(folder, overlay).is_some_and(|memory| memory.keys == keys)
        };
        if is_known(&self.accepted()?) {
            return Ok(true);
        }
        // Another command of ours may be about to remember what it has just set, and to put the list in place.
        let (accepted, stands) = self.at_rest_as(folder, overlay)?;
        if is_known(&accepted) {
            return Ok(true);
        }
        if stands != (rule.file.clone(), rule.gpg_id.clone()) {
            return Ok(false);
        }
        let memory = accepted.ruling_without(folder, overlay);
        let ruling = ruling_folder(recipients);
        let is_pending = memory.is_some_and(|memory| memory.is_pending(&rule.gpg_id));
        if !is_pending && !self.is_own_change(&accepted, folder, memory, &keys, rule)? {
            // Where the folder's own list is about to go, it is the one above that nobody has accepted.
            let goes = |above: &Path| matches!(overlay.get(&above.join(".gpg-id")), Some(None));
            let told = if folder.as_path().ancestors().any(goes) { &ruling } else { folder };
            let difference = self.difference(told, memory, keys, rule)?;
            // By the time it comes up again, git may have forgotten where it came from.
            let _ = self.store.change_accepted(|accepted| accepted.refuse(difference.gains.iter().cloned()));
            return Err(OpError::NotAccepted(Box::new(difference)));
        }
        self.store.change_accepted(|accepted| set(accepted, &ruling, folder, overlay, keys, &rule.gpg_id))?;
        if !is_pending && self.has_remote()? {
            self.store.note(format!("the recipients of {} were changed here: accepted", shown(&ruling)));
        }
        Ok(true)
    }

    /// Waits until nobody else writes to the store; then returns what was accepted, and the list that rules `folder`.
    fn at_rest_as(&self, folder: &FolderName, overlay: &Overlay) -> Result<(Accepted, List), OpError> {
        let _lock = self.store.lock()?;
        let accepted = self.store.accepted()?.unwrap_or_default();
        let rule = self.rule(folder, overlay)?;
        Ok((accepted, (rule.file, rule.gpg_id)))
    }

    /// Returns the recipients of `folder` if who they are has been accepted, or was changed, on this machine.
    /// Waits for nobody and remembers nothing: for programs that git calls.
    pub fn recipients_at_once(&self, folder: &FolderName) -> Result<Recipients, OpError> {
        let (recipients, stands) = self.resolved(folder, &Overlay::new(), &mut KnownLists::default())?;
        let accepted = self.store.accepted()?.unwrap_or_default();
        match stands {
            true => match self.would_refuse(&accepted, folder, &recipients.rule, &recipients.keys)? {
                Some(difference) => Err(OpError::NotAccepted(Box::new(difference))),
                None => Ok(recipients),
            },
            false => Ok(recipients),
        }
    }

    /// Fails unless a person here knows of all that changes for `folder` when its readers `before`, by the list
    /// `rule`, become those `after`: the edit itself says who comes and goes (whom a person has `named` for it), and
    /// what it leaves as it is was accepted. The list as a whole may be unusable, because of an expired key that is to go.
    pub(super) fn check_kept(
        &self,
        folder: &FolderName,
        before: &Keys,
        after: &Keys,
        named: &Keys,
        rule: &Rule,
    ) -> Result<(), OpError> {
        let accepted = self.accepted()?;
        let memory = accepted.ruling(folder);
        let known = memory.map(|memory| memory.keys.clone()).unwrap_or_default();
        let kept: Keys = &(before & after) - named;
        // Who was let in by others stays, or who was taken out by others is not brought back.
        let (slipped_in, slipped_out) =
            (!kept.is_subset(&known), !after.is_subset(named) && !known.is_subset(&(before | after)));
        // Or the folder's own list was taken away, so that from now on another one's changes concern it.
        let ruling = folder_of_list(rule);
        let fell = *after != known
            && accepted
                .ruling_folder(folder)
                .is_some_and(|own| own != ruling.as_path() && own.starts_with(ruling.as_path()));
        let is_pending = memory.is_some_and(|memory| memory.is_pending(&rule.gpg_id));
        let judged = match (slipped_in, slipped_out, fell) {
            (true, _, _) => &kept,
            (_, true, _) => before,
            (_, _, true) => after,
            _ => return Ok(()),
        };
        if is_pending {
            return Ok(());
        }
        // Where the list fell away, the other one is as it was before the change: its keys are no swapped ones.
        let is_own = match slipped_in || slipped_out {
            true => self.is_own_change(&accepted, folder, memory, judged, rule)?,
            false => self.was_made_here(&accepted, folder, memory, judged, rule)?,
        };
        if is_own {
            return Ok(());
        }
        let difference = self.difference(folder, memory, judged.clone(), rule)?;
        Err(OpError::NotAccepted(Box::new(Difference { on_the_way: slipped_in, ..difference })))
    }

    /// Returns how who can read `folder` differs from what was accepted here; none if it does not.
    pub fn unaccepted(&self, folder: &FolderName) -> Result<Option<Difference>, OpError> {
        match self.recipients(folder) {
            Ok(_) => Ok(None),
            Err(OpError::NotAccepted(difference)) => Ok(Some(*difference)),
            Err(error) => Err(error),
        }
    }

    /// Returns how who can read `folder`, by the list `rule` that comes down to `recipients`, differs from
    /// what was accepted here; none if it does not, or if that would be accepted without a word. Remembers
    /// nothing: for those who only look.
    pub fn would_refuse(
        &self,
        accepted: &Accepted,
        folder: &FolderName,
        rule: &Rule,
        recipients: &[RecipientId],
    ) -> Result<Option<Difference>, OpError> {
        let keys = key_set(recipients);
        let memory = accepted.ruling(folder);
        if memory.is_some_and(|memory| memory.keys == keys || memory.is_pending(&rule.gpg_id))
            || self.is_own_change(accepted, folder, memory, &keys, rule)?
        {
            return Ok(None);
        }
        Ok(Some(self.difference(folder, memory, keys, rule)?))
    }

    /// Whether what differs from `memory` was changed on this machine.
    fn is_own_change(
        &self,
        accepted: &Accepted,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        let gained = gained(memory, keys);
        // Whoever was taken out here comes back by nobody's own change: git brings old states back in many ways.
        let returns = memory.is_some_and(|memory| !memory.former.is_disjoint(&gained));
        if returns || accepted.has_refused(&gained) {
            return Ok(false);
        }
        // The same list with other keys: the keyring has changed, and no commit says why.
        // (The members of a group are said in gpg.conf, which is the user's own.)
        let same = memory.is_some_and(|memory| memory.list == hash_of(&rule.gpg_id));
        let swapped = same && !rule.lines.iter().any(|line| self.crypto.is_group(&line.id));
        Ok(!swapped && self.was_made_here(accepted, folder, memory, keys, rule)?)
    }

    /// Accepts who can read the folder of `difference`; fails if that has changed since it was found.
    pub fn accept(&self, difference: &Difference) -> Result<(), OpError> {
        let (recipients, _) =
            self.resolved(&difference.folder, &Overlay::new(), &mut KnownLists::default())?;
        let (ruling, list) = (ruling_folder(&recipients), &recipients.rule.gpg_id);
        let keys = key_set(&recipients.keys);
        if (&ruling, hash_of(list), &keys) != (&difference.ruling, difference.list.clone(), &difference.keys)
        {
            return Err(RuleError::NotAsShown.into());
        }
        let folder = &difference.folder;
        Ok(self
            .store
            .change_accepted(|accepted| set(accepted, &ruling, folder, &Overlay::new(), keys, list))?)
    }

    /// Lets a folder whose own list is gone follow the list above from now on, where both come to the same: a
    /// person has said so. Returns whether there was anything to say.
    pub fn let_fall(&self, folder: &FolderName) -> Result<bool, OpError> {
        let recipients = self.recipients(folder)?;
        let ruling = ruling_folder(&recipients);
        let accepted = self.accepted()?;
        if accepted.ruling_folder(folder).is_none_or(|own| own == ruling.as_path()) {
            return Ok(false);
        }
        let (keys, list) = (key_set(&recipients.keys), &recipients.rule.gpg_id);
        self.store.change_accepted(|accepted| set(accepted, &ruling, folder, &Overlay::new(), keys, list))?;
        Ok(true)
    }

    /// Returns the folders that have recipients of their own, the outermost first.
    pub fn ruled_folders(&self) -> Result<Vec<FolderName>, OpError> {
        let below = self.store.beneath().below(Path::new("")).map_err(StoreError::from)?;
        let lists = below.files.into_iter().filter(|(path, _)| path.ends_with(".gpg-id"));
        let folders =
            lists.map(|(path, _)| FolderName::parse(path.parent().unwrap_or(Path::new("")).as_os_str()));
        // A folder that no name of ours can reach is none that anything is encrypted for.
        Ok(folders.filter_map(Result::ok).collect())
    }

    fn difference(
        &self,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: Keys,
        rule: &Rule,
    ) -> Result<Difference, OpError> {
        let memory = memory.cloned().unwrap_or_default();
        let gains: Vec<Fingerprint> = keys.difference(&memory.keys).cloned().collect();
        let returning = gains.iter().filter(|key| memory.former.contains(key)).cloned().collect();
        let loses: Vec<Fingerprint> = memory.keys.difference(&keys).cloned().collect();
        let is_committed = self.is_committed(rule)?;
        let mut by = if is_committed { self.brought_by(folder, &gains, &loses)? } else { BTreeMap::new() };
        let mut commit = by.values().next().cloned();
        if by.values().all(|other| Some(other) == commit.as_ref()) {
            by.clear();
        } else {
            commit = None;
        }
        if is_committed && commit.is_none() && by.is_empty() {
            commit = self.last_change(folder, rule)?;
        }
        let was_unusable = memory.keys.is_empty() && memory.list == hash_of(&rule.gpg_id);
        let (folder, ruling, list) = (folder.clone(), folder_of_list(rule), hash_of(&rule.gpg_id));
        Ok(Difference {
            folder,
            ruling,
            list,
            keys,
            gains,
            returning,
            loses,
            was_unusable,
            is_committed,
            commit,
            by,
            on_the_way: false,
        })
    }
}

/// Returns those of `keys` that `memory` does not have.
fn gained(memory: Option<&Memory>, keys: &Keys) -> Keys {
    memory.map_or_else(|| keys.clone(), |memory| keys - &memory.keys)
}

/// Returns the folder whose list gives `recipients`.
fn ruling_folder(recipients: &Recipients) -> FolderName {
    folder_of_list(&recipients.rule)
}

/// Returns the folder where the list of a rule stands.
fn folder_of_list(rule: &Rule) -> FolderName {
    let folder = rule.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    FolderName::parse(folder.as_os_str()).unwrap_or_default()
}

/// Accepts `keys` for the folder `ruling`, whose list rules `folder`. Folders between them that once had
/// lists of their own have none now, and must not go on to be judged by those; lists that are only about to go
/// (`overlay`) still stand.
fn set(
    accepted: &mut Accepted,
    ruling: &FolderName,
    folder: &FolderName,
    overlay: &Overlay,
    keys: Keys,
    list: &[u8],
) {
    let between = folder.as_path().ancestors().take_while(|path| *path != ruling.as_path());
    for path in between.filter(|path| !overlay.contains_key(&path.join(".gpg-id"))) {
        if let Ok(name) = FolderName::parse(path.as_os_str()) {
            accepted.forget(&name);
        }
    }
    accepted.accept(ruling, keys, list);
}

/// Returns what is remembered of recipients: their primary keys, or the subkeys that are asked for alone (`KEY!`).
/// Of a key whose owner lost one of the subkeys, that one is as good as somebody else's.
pub fn key_set(keys: &[RecipientId]) -> Keys {
    keys.iter().map(|key| key.subkey.as_ref().unwrap_or(&key.fingerprint).clone()).collect::<BTreeSet<_>>()
}
