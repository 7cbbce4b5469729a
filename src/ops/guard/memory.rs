//! What this machine remembers of who can read the store: at first use, and around changes of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::rules::left_groups;
use super::{Context, OpError, key_set};
use crate::model::{FolderName, GpgId, RecipientId};
use crate::ops::lists::folder_of;
use crate::store::StoreError;
use crate::store::accepted::{Accepted, Accepts, Keys, Rules, Setting, hash_of};
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::Plan;

/// The recipients files that a machine finds at its first use of a store, with the keys that they come down
/// to; none where they cannot be used. And what groups and rules say.
pub struct Found {
    lists: Vec<(FolderName, Vec<u8>, Option<Keys>)>,
    rules: Rules,
}

impl Found {
    /// Returns the folders that have recipients, and whether these can be used.
    pub fn folders(&self) -> impl Iterator<Item = (&FolderName, bool)> {
        self.lists.iter().map(|(folder, _, keys)| (folder, keys.is_some()))
    }

    fn remember(&self, accepted: &mut Accepted) {
        // Another command may have met the store meanwhile.
        if *accepted != Accepted::default() {
            return;
        }
        accepted.accept_rules(self.rules.clone());
        for (folder, list, keys) in &self.lists {
            match keys {
                Some(keys) => accepted.accept(folder, keys.clone(), list),
                None => accepted.meet(folder, list),
            }
        }
    }
}

impl Context<'_> {
    /// Returns what this machine has accepted; at its first use of the store, what it finds.
    pub(super) fn accepted(&self) -> Result<Accepted, OpError> {
        if let Some(accepted) = self.store.accepted()? {
            return Ok(accepted);
        }
        let found = self.found()?;
        // A store that nobody can read yet is not met: what comes first is.
        if !found.lists.is_empty() {
            self.store.change_accepted(|accepted| found.remember(accepted))?;
            self.tell_first_use(&found)?;
        }
        Ok(self.store.accepted()?.unwrap_or_default())
    }

    /// Remembers who can read what when this machine meets the store, whatever the command: what others
    /// change later is seen by that. A store without recipients, or one that cannot be written to, is not met.
    pub fn meet(&self) -> Result<(), OpError> {
        if self.store.is_known() || !self.store.can_be_known() {
            return Ok(());
        }
        let found = self.found()?;
        if found.lists.is_empty() {
            return Ok(());
        }
        self.store.change_accepted_if_idle(|accepted| found.remember(accepted))?;
        if self.store.is_known() { self.tell_first_use(&found) } else { Ok(()) }
    }

    /// Notices changes that were made here and that nothing has been encrypted to yet: before others' are
    /// fetched, which may take them back.
    pub fn notice(&self) -> Result<(), OpError> {
        let Some(accepted) = self.store.accepted()? else { return Ok(()) };
        let known: BTreeMap<&Path, &str> =
            accepted.folders().map(|(path, memory)| (path, memory.list.as_str())).collect();
        for folder in self.with_recipients(&FolderName::root())? {
            let list = self.store.read_recipients(&folder.gpg_id()).ok().flatten();
            let is_known = list.is_some_and(|list| known.get(folder.as_path()) == Some(&&*hash_of(&list)));
            if !is_known {
                // What others have changed is told of where it matters.
                let _ = self.recipients(&folder);
            }
        }
        Ok(())
    }

    /// Remembers of a store that has just come from elsewhere that nobody here has accepted its recipients: nothing
    /// is encrypted to them before somebody does. One without recipients is not met.
    pub(in crate::ops) fn withhold(&self) -> Result<(), OpError> {
        let found = self.found()?;
        if found.lists.is_empty() {
            return Ok(());
        }
        Ok(self.store.change_accepted(|accepted| {
            for (folder, _, keys) in found.lists {
                accepted.withhold(&folder, keys.unwrap_or_default());
            }
        })?)
    }

    /// Accepts what a person was shown of a store at its first use, in place of all that was remembered of it.
    pub fn accept_found(&self, found: &Found) -> Result<(), OpError> {
        Ok(self.store.change_accepted(|accepted| {
            *accepted = Accepted::default();
            found.remember(accepted);
        })?)
    }

    /// Returns all recipients files with the keys that they come down to.
    pub fn found(&self) -> Result<Found, OpError> {
        let mut found = Vec::new();
        for folder in self.ruled_folders()? {
            // A list that is none is refused wherever it is met.
            if let Ok(Some(rule)) = self.store.rule(&folder, &Overlay::new()) {
                found.push((folder, rule.gpg_id));
            }
        }
        let lists: Vec<&[u8]> = found.iter().map(|(_, list)| list.as_slice()).collect();
        let keys = self.keys_of_all(&lists);
        let lists = found.into_iter().zip(keys).map(|((folder, list), keys)| (folder, list, keys)).collect();
        Ok(Found { lists, rules: self.found_rules() })
    }

    fn tell_first_use(&self, found: &Found) -> Result<(), OpError> {
        let count = found.lists.iter().filter(|(_, _, keys)| keys.is_some()).count();
        // Without a remote, nobody else can have written them.
        if count > 0 && self.has_remote()? {
            let lists = if count == 1 { "list" } else { "lists" };
            let note = format!(
                "first use on this machine: {count} {lists} of recipients accepted as found; \
                 `passel recipients list --tree` shows them"
            );
            self.store.note(note);
        }
        Ok(())
    }

    /// Returns what a change of our own sets or removes: it is accepted by that.
    pub(in crate::ops) fn accepts(&self, plan: &Plan) -> Result<Accepts, OpError> {
        let (lists, rules) = (self.settings(plan)?, self.rule_changes(plan)?);
        if lists.is_empty() && rules.is_empty() {
            return Ok(Accepts::default());
        }
        let accepted = self.accepted()?;
        let (mut leaving, mut vanished) = (left_groups(accepted.rules(), &rules), Vec::new());
        for Setting { folder, list } in &lists {
            let before = accepted.ruling(folder).map(|memory| memory.keys.clone()).unwrap_or_default();
            let after = list.as_ref().and_then(|(_, keys)| keys.clone()).unwrap_or_default();
            if list.is_some() {
                leaving.extend(before.difference(&after).cloned());
            }
        }
        if !leaving.is_empty() {
            for (path, _) in accepted.folders() {
                let list = path.join(".gpg-id");
                let is_set = lists.iter().any(|setting| setting.folder.as_path() == path);
                if !is_set
                    && self.store.beneath().state(&list).map_err(StoreError::from)? == State::Absent
                    && let Ok(folder) = FolderName::parse(path.as_os_str())
                {
                    vanished.push(folder);
                }
            }
        }
        Ok(Accepts { lists, rules, leaving, vanished })
    }

    /// Returns the recipients that a change of our own sets or removes.
    fn settings(&self, plan: &Plan) -> Result<Vec<Setting>, OpError> {
        let lists: Vec<_> = plan.changes.iter().filter(|change| change.path.ends_with(".gpg-id")).collect();
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        // All else is accepted as it is before the change, if this is the first use.
        self.accepted()?;
        let new: Vec<&[u8]> = lists.iter().filter_map(|change| change.new.as_deref()).collect();
        let mut keys = self.keys_of_all(&new).into_iter();
        let mut settings = Vec::new();
        for change in &lists {
            let list = change.new.clone().map(|list| (list, keys.next().flatten()));
            settings.push(Setting { folder: folder_of(&change.path)?, list });
        }
        Ok(settings)
    }

    /// Returns the primary keys that a recipients file comes down to; none unless every line is usable.
    pub fn keys_of(&self, gpg_id: &[u8]) -> Option<Keys> {
        self.keys_of_all(&[gpg_id]).pop().flatten()
    }

    /// The same for many files; each name is looked up once.
    fn keys_of_all(&self, lists: &[&[u8]]) -> Vec<Option<Keys>> {
        let ids_of = |list: &&[u8]| -> Vec<String> {
            GpgId::from_bytes(list.to_vec()).lines().into_iter().map(|line| line.id).collect()
        };
        let lists: Vec<Vec<String>> = lists.iter().map(ids_of).collect();
        let ids: BTreeSet<&str> = lists.iter().flatten().map(String::as_str).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let found = self.crypto.resolve_all(&ids).into_iter().map(Result::ok);
        let known: HashMap<&str, Option<Vec<RecipientId>>> = ids.iter().copied().zip(found).collect();
        let keys = |ids: &Vec<String>| {
            let keys: Option<Vec<_>> = ids.iter().map(|id| known[id.as_str()].clone()).collect();
            keys.map(|keys| key_set(&keys.concat())).filter(|keys| !keys.is_empty())
        };
        lists.iter().map(keys).collect()
    }
}
