//! The guard against a changed list: nothing is encrypted to keys that nobody on this machine has accepted.
//!
//! Anybody who can push can write a recipients file, replay an old one, or delete one so that another
//! rules. What counts is therefore the *effective* set of full fingerprints of each folder, and whether it
//! is the one that was accepted here ([`crate::store::accepted`]). A change that was made on this machine,
//! by whatever program, is accepted by that; everything else needs a person's word.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::lists::folder_of;
use super::{Context, KnownLists, OpError, Recipients};
use crate::git::provenance::CommitInfo;
use crate::git::{GitError, Head, Repo};
use crate::model::{Fingerprint, FolderName, GpgId, RecipientId, Shown};
use crate::store::StoreError;
use crate::store::accepted::{Accepted, Keys, Memory, hash_of};
use crate::store::recipients::{Overlay, Rule};
use crate::store::transaction::Plan;

/// How a folder's recipients differ from what was accepted here.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The folder.
    pub folder: FolderName,
    /// Who can read it now.
    pub keys: Keys,
    /// Keys that would gain access.
    pub gains: Vec<Fingerprint>,
    /// Those of them that had it before and were taken out.
    pub returning: Vec<Fingerprint>,
    /// Keys that would lose it.
    pub loses: Vec<Fingerprint>,
    /// The commit that changed the list last, where there is one.
    pub commit: Option<CommitInfo>,
}

impl Difference {
    /// Returns a sentence's end: who gains, who loses, since which commit.
    pub fn told(&self) -> String {
        let mut parts = Vec::new();
        for key in &self.gains {
            let again = if self.returning.contains(key) { " again, after it was removed" } else { "" };
            parts.push(format!("{key} gains access{again}"));
        }
        parts.extend(self.loses.iter().map(|key| format!("{key} loses it")));
        if let Some(commit) = &self.commit {
            let author = Shown::new(&commit.author);
            parts.push(format!("commit {} of {} by {author}", commit.id, commit.day));
        }
        parts.join("; ")
    }
}

/// A list that a change of our own sets, or removes.
pub(super) struct Announced<'p> {
    folder: FolderName,
    /// Who will be able to read the folder; none where the list cannot be used.
    keys: Option<Keys>,
    /// The new list, none where it is removed.
    list: Option<&'p [u8]>,
}

impl Context<'_> {
    /// Fails unless who can read `folder` has been accepted on this machine.
    pub(super) fn check_accepted(
        &self,
        folder: &FolderName,
        recipients: &Recipients,
        overlay: &Overlay,
    ) -> Result<(), OpError> {
        let keys = key_set(&recipients.keys);
        let accepted = match self.store.accepted()? {
            Some(accepted) => accepted,
            None => self.accept_at_first_use(&[])?,
        };
        let memory = accepted.ruling_without(folder, overlay);
        if memory.is_some_and(|memory| memory.keys == keys) {
            return Ok(());
        }
        let ruling = ruling_folder(recipients);
        let pending = memory.is_some_and(|memory| memory.is_pending(&recipients.rule.gpg_id));
        if pending || accepted.is_expected(folder, &keys) {
            let list = &recipients.rule.gpg_id;
            return Ok(self.store.change_accepted(|known| set(known, &ruling, folder, keys, list))?);
        }
        if self.is_own_change(folder, memory, &keys, &recipients.rule)? {
            self.store.change_accepted(|accepted| {
                set(accepted, &ruling, folder, keys.clone(), &recipients.rule.gpg_id)
            })?;
            if self.has_remote()? {
                self.store.note(format!("the recipients of {} were changed here: accepted", named(&ruling)));
            }
            return Ok(());
        }
        Err(OpError::NotAccepted(Box::new(self.difference(folder, &accepted, keys, &recipients.rule)?)))
    }

    /// Fails unless `kept`, keys of the list `rule` that an edit leaves in, were accepted for `folder`. The
    /// list as a whole may be unusable, because of an expired key that is to go.
    pub(super) fn check_kept(&self, folder: &FolderName, kept: &Keys, rule: &Rule) -> Result<(), OpError> {
        let accepted = match self.store.accepted()? {
            Some(accepted) => accepted,
            None => self.accept_at_first_use(&[])?,
        };
        let memory = accepted.ruling(folder).cloned().unwrap_or_default();
        if kept.is_subset(&memory.keys)
            || memory.is_pending(&rule.gpg_id)
            || accepted.is_expected(folder, kept)
            || self.is_own_change(folder, accepted.ruling(folder), kept, rule)?
        {
            return Ok(());
        }
        Err(OpError::NotAccepted(Box::new(self.difference(folder, &accepted, kept.clone(), rule)?)))
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
            || accepted.is_expected(folder, &keys)
            || self.is_own_change(folder, memory, &keys, rule)?
        {
            return Ok(None);
        }
        Ok(Some(self.difference(folder, accepted, keys, rule)?))
    }

    /// Whether what differs from `memory` was changed on this machine.
    fn is_own_change(
        &self,
        folder: &FolderName,
        memory: Option<&Memory>,
        keys: &Keys,
        rule: &Rule,
    ) -> Result<bool, OpError> {
        // The same list with other keys: the keyring has changed, and no commit says why.
        // (The members of a group are said in gpg.conf, which is the user's own.)
        let same = memory.is_some_and(|memory| memory.list == hash_of(&rule.gpg_id));
        let swapped = same && !rule.lines.iter().any(|line| self.crypto.is_group(&line.id));
        Ok(!swapped && self.was_made_here(folder, memory, keys, rule)?)
    }

    /// Accepts who can read the folder of `difference` now.
    pub fn accept(&self, difference: &Difference) -> Result<(), OpError> {
        let (recipients, _) =
            self.resolved(&difference.folder, &Overlay::new(), &mut KnownLists::default())?;
        let ruling = ruling_folder(&recipients);
        let keys = difference.keys.clone();
        Ok(self.store.change_accepted(|accepted| {
            set(accepted, &ruling, &difference.folder, keys, &recipients.rule.gpg_id)
        })?)
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

    /// Accepts what the store holds: this machine sees it for the first time.
    /// What this very command has set, `own`, needs no mention.
    fn accept_at_first_use(&self, own: &[FolderName]) -> Result<Accepted, OpError> {
        let mut found = Vec::new();
        for folder in self.ruled_folders()? {
            // A list that is none is refused wherever it is met.
            if let Ok(Some(rule)) = self.store.rule(&folder, &Overlay::new()) {
                found.push((folder, rule.gpg_id));
            }
        }
        let lists: Vec<&[u8]> = found.iter().map(|(_, list)| list.as_slice()).collect();
        let keys = self.keys_of_all(&lists);
        let others =
            found.iter().zip(&keys).filter(|((folder, _), keys)| keys.is_some() && !own.contains(folder));
        let count = others.count();
        self.store.change_accepted(|accepted| {
            for ((folder, list), keys) in found.iter().zip(keys) {
                match keys {
                    Some(keys) => accepted.accept(folder, keys, list),
                    None => accepted.meet(folder, list),
                }
            }
        })?;
        // Without a remote, nobody else can have written them.
        if count > 0 && self.has_remote()? {
            let lists = if count == 1 { "list" } else { "lists" };
            let note = format!("first use on this machine: {count} {lists} of recipients accepted as found");
            self.store.note(note);
        }
        Ok(self.store.accepted()?.unwrap_or_default())
    }

    /// Whether the store is shared through git.
    fn has_remote(&self) -> Result<bool, OpError> {
        let Some(prefix) = Repo::prefix_of(self.store.root(), Path::new("")) else { return Ok(false) };
        Ok(Repo::open(self.store.root(), &prefix)
            .and_then(|repo| repo.has_remote())
            .map_err(StoreError::from)?)
    }

    /// Returns the recipients that a change of our own is about to set or remove, and remembers that they are
    /// expected: killed right after the change, we know it again.
    pub(super) fn announce<'p>(&self, plan: &'p Plan) -> Result<Vec<Announced<'p>>, OpError> {
        let lists: Vec<_> = plan.changes.iter().filter(|change| change.path.ends_with(".gpg-id")).collect();
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        let overlay: Overlay = lists.iter().map(|c| (c.path.clone(), c.new.clone())).collect();
        let mut folders = Vec::new();
        for change in &lists {
            let folder = folder_of(&change.path)?;
            let list = match &change.new {
                Some(list) => list.clone(),
                None => self.store.rule(&folder, &overlay)?.map(|rule| rule.gpg_id).unwrap_or_default(),
            };
            folders.push((folder, list, change.new.as_deref()));
        }
        let keys = self.keys_of_all(&folders.iter().map(|(_, list, _)| list.as_slice()).collect::<Vec<_>>());
        let announced: Vec<Announced<'_>> = folders
            .into_iter()
            .zip(keys)
            .map(|((folder, _, list), keys)| Announced { folder, keys, list })
            .collect();
        if self.store.accepted()?.is_none() {
            let own: Vec<FolderName> = announced.iter().map(|one| one.folder.clone()).collect();
            self.accept_at_first_use(&own)?;
        }
        self.store.change_accepted(|accepted| {
            for Announced { folder, keys, .. } in &announced {
                if let Some(keys) = keys {
                    accepted.expect(folder, keys.clone());
                }
            }
        })?;
        Ok(announced)
    }

    /// Takes back what a change was to set that has not happened.
    pub(super) fn retract(&self, announced: &[Announced<'_>]) -> Result<(), OpError> {
        if announced.is_empty() {
            return Ok(());
        }
        Ok(self.store.change_accepted(|accepted| {
            announced.iter().for_each(|one| accepted.expect_no_more(&one.folder));
        })?)
    }

    /// Remembers the recipients that a change of our own has just set or removed.
    pub(super) fn remember(&self, announced: Vec<Announced<'_>>) -> Result<(), OpError> {
        if announced.is_empty() {
            return Ok(());
        }
        Ok(self.store.change_accepted(|accepted| {
            for Announced { folder, keys, list } in announced {
                match (keys, list) {
                    (Some(keys), Some(list)) => accepted.accept(&folder, keys, list),
                    (None, Some(_)) => {}
                    (_, None) => accepted.forget(&folder),
                }
            }
        })?)
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

    /// Whether `folder` came to be readable by `keys` through a change that was made on this machine: it is
    /// not committed yet, or by a commit of this clone, and it occurs in no commit that was fetched.
    fn was_made_here(
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

    fn difference(
        &self,
        folder: &FolderName,
        accepted: &Accepted,
        keys: Keys,
        rule: &Rule,
    ) -> Result<Difference, OpError> {
        let memory = accepted.ruling(folder).cloned().unwrap_or_default();
        let gains: Vec<Fingerprint> = keys.difference(&memory.keys).cloned().collect();
        let returning = gains.iter().filter(|key| memory.former.contains(key)).cloned().collect();
        let loses = memory.keys.difference(&keys).cloned().collect();
        let commit = self.last_change(folder, rule)?;
        Ok(Difference { folder: folder.clone(), keys, gains, returning, loses, commit })
    }

    /// Returns the commit that last changed one of the lists that could rule `folder`.
    fn last_change(&self, folder: &FolderName, rule: &Rule) -> Result<Option<CommitInfo>, OpError> {
        let Some(prefix) = Repo::prefix_of(self.store.root(), folder.as_path()) else { return Ok(None) };
        let repo = Repo::open(self.store.root(), &prefix).map_err(StoreError::from)?;
        let lists = rule.seen.iter().map(|(path, _)| path);
        let inside = lists.filter_map(|path| path.strip_prefix(&prefix).ok().map(PathBuf::from));
        Ok(repo.last_change(&inside.collect::<Vec<_>>()).map_err(StoreError::from)?)
    }
}

/// Returns the list that rules `folder` in a commit of the repository at `prefix`; none if it has none.
pub(super) fn list_in(
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

/// Returns the folder whose list gives `recipients`.
fn ruling_folder(recipients: &Recipients) -> FolderName {
    let file = recipients.rule.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    FolderName::parse(file.as_os_str()).unwrap_or_default()
}

/// Accepts `keys` for the folder `ruling`, whose list rules `folder`. Folders between them that once had
/// lists of their own have none now, and must not go on to be judged by those.
fn set(accepted: &mut Accepted, ruling: &FolderName, folder: &FolderName, keys: Keys, list: &[u8]) {
    let between = folder.as_path().ancestors().take_while(|path| *path != ruling.as_path());
    for path in between {
        if let Ok(name) = FolderName::parse(path.as_os_str()) {
            accepted.forget(&name);
        }
    }
    accepted.accept(ruling, keys, list);
}

/// Returns the primary keys of recipients.
pub fn key_set(keys: &[RecipientId]) -> Keys {
    keys.iter().map(|key| key.fingerprint.clone()).collect::<BTreeSet<_>>()
}

/// Returns a folder's name for a message.
fn named(folder: &FolderName) -> String {
    if folder.is_root() { "the store".to_owned() } else { format!("`{folder}`") }
}
