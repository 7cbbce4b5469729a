//! Recipients that come from groups: what a change of groups or rules comes to, and making it.
//!
//! A change is proposed first, so that a person sees who gains and who loses access to what; what is then
//! made is computed anew, and must come to the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::lists::{self, ListChange, Lists, Others};
use super::reencrypt::{Changed, is_entry};
use super::{Context, OpError, keys as public_keys};
use crate::config::{self, Config, ConfigError, FolderRule, GroupName};
use crate::crypto::{CryptoError, RecipientError};
use crate::model::{Fingerprint, FolderName, GpgId, GpgIdLine, Shown};
use crate::store::StoreError;
use crate::store::accepted::Keys;
use crate::store::beneath::State;
use crate::store::recipients::{Overlay, Rule};
use crate::store::transaction::{Change, Plan};

/// Why groups, rules or clients could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The configuration could not be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no such group.
    #[error("there is no group `{0}`")]
    NoGroup(GroupName),
    /// Rules still name the group.
    #[error("the group `{group}` is used by {}", .folders.join(", "))]
    GroupUsed {
        /// The group.
        group: GroupName,
        /// The folders.
        folders: Vec<String>,
    },
    /// The folder's rule does not name the group.
    #[error("{folder} does not use the group `{group}`")]
    GroupUnused {
        /// The group.
        group: GroupName,
        /// The folder.
        folder: String,
    },
    /// The key is not in the group.
    #[error("{key} is not in the group `{group}`")]
    NotInGroup {
        /// The group.
        group: GroupName,
        /// The key, as it was named.
        key: String,
    },
    /// Recipients files were edited so that they are not what their rules come to.
    #[error("the recipients of {} are not those of the rule in {}", .0.join(", "), config::FILE)]
    Differs(Vec<String>),
    /// The user could no longer read what they can read now.
    #[error("you could no longer read {}", .0.join(", "))]
    LocksOut(Vec<String>),
    /// The folder would have no recipients.
    #[error("nobody could read {0} any more")]
    Nobody(String),
    /// A list asks for one subkey, which groups and rules cannot.
    #[error("{place} asks for one subkey of a key (`{id}`), which rules cannot")]
    Subkey {
        /// The recipients file and line, or the command.
        place: String,
        /// The recipient.
        id: String,
    },
    /// `PASSWORD_STORE_KEY` overrides what is to be changed.
    #[error("PASSWORD_STORE_KEY overrides all recipients files while it is set")]
    Overridden,
    /// The change would no longer be what was shown.
    #[error("the store was changed meanwhile, and this would no longer do what was shown")]
    NotAsShown,
    /// GnuPG does not say which secret keys there are.
    #[error("cannot tell which keys are your own")]
    OwnKeys(#[source] CryptoError),
    /// The folder of a new client has recipients of its own.
    #[error("there is a client `{0}` already")]
    ClientExists(String),
    /// There is no such client.
    #[error("there is no client `{0}`")]
    NoClient(String),
    /// The client cannot be told from the others who can read the folder.
    #[error("no key can read {0} that could not read the folder above as well")]
    NoClientKey(String),
}

/// What is to be: the configuration, and the lists that go with it.
#[derive(Debug)]
pub struct Wanted {
    /// The new configuration.
    pub config: Config,
    /// The new recipients of folders; none to take a folder's own list away.
    pub lists: BTreeMap<FolderName, Option<Vec<Fingerprint>>>,
}

/// How the recipients of one folder change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderChange {
    /// The folder.
    pub folder: FolderName,
    /// Keys that gain access.
    pub gains: Keys,
    /// Keys that lose it.
    pub loses: Keys,
    /// Everybody who can read it afterwards.
    pub after: Keys,
    /// How many entries its list rules.
    pub entries: usize,
}

/// What a change comes to.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// Whether there is anything to do at all.
    pub is_change: bool,
    /// The folders whose recipients change.
    pub folders: Vec<FolderChange>,
    /// Keys that lose access somewhere, with the folders that they can read all the same.
    pub still: BTreeMap<Fingerprint, Vec<FolderName>>,
}

impl Proposal {
    /// Returns the keys that gain access anywhere.
    pub fn gains(&self) -> Keys {
        self.folders.iter().flat_map(|change| change.gains.iter().cloned()).collect()
    }

    /// Returns the keys that lose access anywhere.
    pub fn loses(&self) -> Keys {
        self.folders.iter().flat_map(|change| change.loses.iter().cloned()).collect()
    }

    /// Whether the same people gain and lose the same access; entries may come and go.
    fn is_like(&self, other: &Proposal) -> bool {
        let told = |proposal: &Proposal| -> Vec<FolderChange> {
            proposal.folders.iter().map(|change| FolderChange { entries: 0, ..change.clone() }).collect()
        };
        told(self) == told(other)
    }
}

/// A folder whose recipients are not what its rule comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The folder.
    pub folder: FolderName,
    /// Keys of the rule that the list lacks.
    pub missing: Keys,
    /// Recipients, as the list names them, that the rule does not know.
    pub extra: Vec<String>,
}

/// The store as it is: its configuration, and who its lists name.
pub struct Now<'a, 'c> {
    /// What operations work with.
    pub context: &'a Context<'c>,
    /// The configuration.
    pub config: Config,
    state: State,
    /// What lines of recipients files stand for: most stand in many files.
    known: RefCell<HashMap<String, Result<Keys, Doubt>>>,
}

/// Why a line of a recipients file cannot be told to stand for certain keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Unknown,
    Subkey,
}

impl<'a, 'c> Now<'a, 'c> {
    /// Reads the configuration.
    pub fn read(context: &'a Context<'c>) -> Result<Self, OpError> {
        let (mut config, state) = Config::read(context.store.beneath()).map_err(RuleError::from)?;
        let mut gone = Vec::new();
        for folder in config.rules.keys().map(FolderName::as_path) {
            // The rule of a folder that other programs removed is nobody's any more; what a sparse checkout
            // leaves out is still there.
            if context.store.beneath().state(folder).map_err(StoreError::from)? == State::Absent
                && context.store.refuse_left_out(folder).is_ok()
            {
                gone.push(folder.to_path_buf());
            }
        }
        config.rules.retain(|folder, _| !gone.iter().any(|path| path == folder.as_path()));
        Ok(Now { context, config, state, known: RefCell::default() })
    }

    /// Returns what the configuration was read from: a change of it may change everything.
    pub fn seen(&self) -> (PathBuf, State) {
        (PathBuf::from(config::FILE), self.state.clone())
    }

    /// Returns the keys of the group `name`.
    pub fn members(&self, name: &GroupName) -> Result<&BTreeSet<Fingerprint>, OpError> {
        Ok(self.config.groups.get(name).ok_or_else(|| RuleError::NoGroup(name.clone()))?)
    }

    /// Returns the bytes of the folder's own recipients file, none if it has none.
    pub fn own_list(&self, folder: &FolderName) -> Result<Option<Vec<u8>>, OpError> {
        Ok(self.context.store.beneath().read(&folder.gpg_id()).map_err(StoreError::from)?)
    }

    /// Returns who can read `folder` by the recipients file that rules it, and the folder where that stands.
    /// Keys that cannot be encrypted to count where they stand by their fingerprint.
    pub fn effective(&self, folder: &FolderName) -> Result<(Keys, FolderName), OpError> {
        let rule = self.rule(folder)?;
        let file = rule.file.expect("it is the store's");
        let place = Shown::os(&file).to_string();
        let mut keys = Keys::new();
        for (line, meant) in self.meanings(&rule.lines) {
            keys.extend(meant.map_err(|doubt| self.doubted(&place, line, doubt))?);
        }
        Ok((keys, lists::folder_of(&file)?))
    }

    /// Returns the recipients file that rules `folder`; its signature is checked where the user asks for that.
    fn rule(&self, folder: &FolderName) -> Result<Rule, OpError> {
        let rule = self.context.store.rule(folder, &Overlay::new())?;
        let rule = rule.ok_or_else(|| OpError::NoRule(shown(folder)))?;
        self.context.verify(rule.file.as_deref().expect("it is the store's"), &rule.gpg_id)?;
        Ok(rule)
    }

    /// Returns what each line stands for.
    fn meanings<'l>(&self, lines: &'l [GpgIdLine]) -> Vec<(&'l GpgIdLine, Result<Keys, Doubt>)> {
        let mut known = self.known.borrow_mut();
        let new: BTreeSet<&str> =
            lines.iter().map(|line| line.id.as_str()).filter(|id| !known.contains_key(*id)).collect();
        let new: Vec<&str> = new.into_iter().collect();
        if !new.is_empty() {
            for (id, found) in new.iter().zip(self.context.crypto.resolve_all(&new)) {
                known.insert((*id).to_owned(), meaning(id, found));
            }
        }
        lines.iter().map(|line| (line, known[&line.id].clone())).collect()
    }

    fn doubted(&self, place: &str, line: &GpgIdLine, doubt: Doubt) -> OpError {
        let place = format!("{place} line {}", line.number);
        let id = Shown::new(&line.id).to_string();
        match doubt {
            Doubt::Subkey => RuleError::Subkey { place, id }.into(),
            Doubt::Unknown => match self.context.crypto.resolve(&line.id) {
                Err(source) => OpError::Recipient { id, place, source },
                // It was added to the keyring in this moment.
                Ok(_) => RuleError::NotAsShown.into(),
            },
        }
    }

    /// Returns how the folder's own list differs from its rule, none if it does not or there is no rule.
    pub fn difference(&self, folder: &FolderName) -> Result<Option<Differing>, OpError> {
        let Some(rule) = self.config.rules.get(folder) else { return Ok(None) };
        let wanted: Keys = self.config.expanded(rule).into_iter().collect();
        let list = self.own_list(folder)?.unwrap_or_default();
        let mut missing = wanted.clone();
        let mut extra = Vec::new();
        for (line, meant) in self.meanings(&GpgId::from_bytes(list).lines()) {
            match meant {
                Ok(keys) if keys.is_subset(&wanted) => missing.retain(|key| !keys.contains(key)),
                _ => extra.push(Shown::new(&line.id).to_string()),
            }
        }
        let differs = !missing.is_empty() || !extra.is_empty();
        Ok(differs.then(|| Differing { folder: folder.clone(), missing, extra }))
    }

    /// Refuses folders whose lists differ from their rules.
    pub fn refuse_differing<'f>(&self, folders: impl Iterator<Item = &'f FolderName>) -> Result<(), OpError> {
        let mut found = Vec::new();
        for folder in folders {
            self.context.store.refuse_left_out(folder.as_path())?;
            if self.difference(folder)?.is_some() {
                found.push(shown(folder));
            }
        }
        if found.is_empty() { Ok(()) } else { Err(RuleError::Differs(found).into()) }
    }

    /// Returns the groups that `folder` follows: by its own rule, or by that of the folder whose list it
    /// inherits.
    pub fn groups_of(&self, folder: &FolderName) -> Result<BTreeSet<GroupName>, OpError> {
        let ruling = match self.config.rules.contains_key(folder) {
            true => folder.clone(),
            false => self.effective(folder)?.1,
        };
        Ok(self.config.rules.get(&ruling).map(|rule| rule.groups.clone()).unwrap_or_default())
    }

    /// Returns all keys of `groups`.
    pub fn all_members<'g>(&self, groups: impl IntoIterator<Item = &'g GroupName>) -> Result<Keys, OpError> {
        let mut keys = Keys::new();
        for group in groups {
            keys.extend(self.members(group)?.iter().cloned());
        }
        Ok(keys)
    }

    /// Returns what `wanted` comes to; with `force`, also where the user locks themselves out.
    fn propose(&self, wanted: &Wanted, force: bool) -> Result<Proposal, OpError> {
        if self.context.keys.is_some_and(|keys| !keys.trim().is_empty()) {
            return Err(RuleError::Overridden.into());
        }
        let mut proposal = Proposal { is_change: wanted.config != self.config, ..Proposal::default() };
        for (folder, list) in &wanted.lists {
            let before = self.effective(folder)?.0;
            let after: Keys = match list {
                Some(keys) => keys.iter().cloned().collect(),
                None => self.effective(&folder.parent().unwrap_or_default())?.0,
            };
            if after.is_empty() {
                return Err(RuleError::Nobody(shown(folder)).into());
            }
            // What stays must have been accepted, or a change of ours would make good what others slipped in.
            self.context.check_kept(folder, &before, &after, &self.rule(folder)?)?;
            let file = list.as_deref().map(config::recipients_file);
            proposal.is_change |= file != self.own_list(folder)?;
            let gains = after.difference(&before).cloned().collect();
            let loses = before.difference(&after).cloned().collect();
            proposal.folders.push(FolderChange { folder: folder.clone(), gains, loses, after, entries: 0 });
        }
        if !force {
            self.refuse_locking_out(&proposal)?;
        }
        self.count_entries(wanted, &mut proposal)?;
        proposal.still = self.still(&proposal)?;
        Ok(proposal)
    }

    fn refuse_locking_out(&self, proposal: &Proposal) -> Result<(), OpError> {
        let losing = || proposal.folders.iter().filter(|change| !change.loses.is_empty());
        if losing().next().is_none() {
            return Ok(());
        }
        let own: Keys = self.context.crypto.own_keys().map_err(RuleError::OwnKeys)?.into_iter().collect();
        let locked =
            losing().filter(|change| !own.is_disjoint(&change.loses) && own.is_disjoint(&change.after));
        let locked: Vec<String> = locked.map(|change| shown(&change.folder)).collect();
        if locked.is_empty() { Ok(()) } else { Err(RuleError::LocksOut(locked).into()) }
    }

    /// Counts the entries that each changed list rules.
    fn count_entries(&self, wanted: &Wanted, proposal: &mut Proposal) -> Result<(), OpError> {
        let below = self.context.store.beneath().below(Path::new("")).map_err(StoreError::from)?;
        let lists = below.files.iter().filter(|(path, _)| path.ends_with(".gpg-id"));
        let mut ruling: BTreeSet<&Path> = lists.filter_map(|(path, _)| path.parent()).collect();
        ruling.extend(wanted.lists.keys().map(FolderName::as_path));
        let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
        for (path, kind) in &below.files {
            if *kind == rustix::fs::FileType::RegularFile
                && is_entry(path)
                && let Some(folder) = path.ancestors().skip(1).find(|folder| ruling.contains(folder))
            {
                *counts.entry(folder).or_default() += 1;
            }
        }
        for change in &mut proposal.folders {
            change.entries = counts.get(change.folder.as_path()).copied().unwrap_or(0);
        }
        Ok(())
    }

    /// Returns where keys that lose access somewhere have it all the same.
    fn still(&self, proposal: &Proposal) -> Result<BTreeMap<Fingerprint, Vec<FolderName>>, OpError> {
        let losing = proposal.loses();
        let mut still: BTreeMap<Fingerprint, Vec<FolderName>> = BTreeMap::new();
        if losing.is_empty() {
            return Ok(still);
        }
        let changes: BTreeMap<_, _> = proposal.folders.iter().map(|c| (&c.folder, &c.after)).collect();
        let mut folders: BTreeSet<FolderName> = self.context.ruled_folders()?.into_iter().collect();
        folders.extend(changes.keys().map(|folder| (*folder).clone()));
        for folder in folders {
            let keys = match changes.get(&folder) {
                Some(after) => (*after).clone(),
                // A list that cannot be used lets nobody new in; what it names by fingerprint counts.
                None => self.named(&folder)?,
            };
            for key in losing.intersection(&keys) {
                still.entry(key.clone()).or_default().push(folder.clone());
            }
        }
        Ok(still)
    }

    /// Returns the keys that a folder's own list names, as far as that can be told.
    pub fn named(&self, folder: &FolderName) -> Result<Keys, OpError> {
        let lines = GpgId::from_bytes(self.own_list(folder)?.unwrap_or_default()).lines();
        Ok(self.meanings(&lines).into_iter().filter_map(|(_, meant)| meant.ok()).flatten().collect())
    }

    /// Returns the change of files that `wanted` and what it comes to need.
    fn change(&self, wanted: &Wanted, proposal: &Proposal, subject: &str) -> Result<ListChange, OpError> {
        let file = |keys: &Option<Vec<Fingerprint>>| keys.as_deref().map(config::recipients_file);
        let lists: Lists = wanted.lists.iter().map(|(folder, keys)| (folder.clone(), file(keys))).collect();
        let mut others = public_keys::exported(self.context, &proposal.gains())?;
        others.extend(self.left_over(&wanted.config, proposal));
        others.insert(config::FILE.into(), wanted.config.to_bytes());
        let (subject, seen) = (subject.to_owned(), vec![self.seen()]);
        Ok(ListChange { lists, others, subject, seen, ..ListChange::default() })
    }

    /// Returns the public keys to take out of the store: nothing in it is encrypted to them any more.
    fn left_over(&self, config: &Config, proposal: &Proposal) -> Others {
        let named = config.groups.values().chain(config.rules.values().map(|rule| &rule.keys));
        let named: Keys = named.flatten().cloned().collect();
        let gone = proposal.loses().into_iter();
        let gone = gone.filter(|key| !proposal.still.contains_key(key) && !named.contains(key));
        gone.map(|key| (public_keys::path_of(&key), None)).collect()
    }
}

/// Returns what a line of a recipients file stands for.
fn meaning(id: &str, found: Result<Vec<crate::model::RecipientId>, RecipientError>) -> Result<Keys, Doubt> {
    match found {
        Ok(found) if found.iter().any(|key| key.subkey.is_some()) => Err(Doubt::Subkey),
        Ok(found) => Ok(found.into_iter().map(|key| key.fingerprint).collect()),
        Err(RecipientError::Unusable { fingerprint, .. }) if !id.ends_with('!') => Ok([fingerprint].into()),
        Err(_) => Fingerprint::parse(id).map(|key| [key].into()).ok_or(Doubt::Unknown),
    }
}

/// Returns what `edit` comes to, without changing anything; with `force`, also where the user locks
/// themselves out.
pub fn propose(
    context: &Context<'_>,
    edit: impl Fn(&Now<'_, '_>) -> Result<Wanted, OpError>,
    force: bool,
) -> Result<Proposal, OpError> {
    let now = Now::read(context)?;
    now.propose(&edit(&now)?, force)
}

/// Makes the change of `edit`: the configuration, the lists, the public keys and all entries concerned, in
/// one commit. Fails if it would no longer come to what was `shown`.
pub fn carry_out(
    context: &Context<'_>,
    edit: impl Fn(&Now<'_, '_>) -> Result<Wanted, OpError>,
    shown: &Proposal,
    subject: &str,
) -> Result<Changed, OpError> {
    lists::change(context, || {
        let now = Now::read(context)?;
        let wanted = edit(&now)?;
        // What was shown was either no lock-out, or meant.
        let proposal = now.propose(&wanted, true)?;
        if !proposal.is_like(shown) {
            return Err(RuleError::NotAsShown.into());
        }
        now.change(&wanted, &proposal, subject)
    })
}

/// Returns the folders whose recipients are not what their rules come to: somebody edited the list, and the
/// list counts.
pub fn differing(context: &Context<'_>) -> Result<Vec<Differing>, OpError> {
    let now = Now::read(context)?;
    let folders: Vec<&FolderName> = now.config.rules.keys().collect();
    folders.into_iter().filter_map(|folder| now.difference(folder).transpose()).collect()
}

/// Adds to `plan` what becomes of the rules of folders that it moves, copies or removes: `places` says where
/// the rule of a folder is to be from then on, none if the plan leaves the folder alone.
pub(super) fn carry_along(
    context: &Context<'_>,
    plan: &mut Plan,
    places: impl Fn(&Path) -> Option<Vec<PathBuf>>,
) -> Result<(), OpError> {
    let (before, seen) = Config::read(context.store.beneath()).map_err(RuleError::from)?;
    let mut config = before.clone();
    for (folder, rule) in &before.rules {
        let Some(places) = places(folder.as_path()) else { continue };
        config.rules.remove(folder);
        for place in places {
            config.rules.insert(FolderName::parse(place.as_os_str())?, rule.clone());
        }
    }
    if config != before {
        plan.changes.push(Change { path: config::FILE.into(), seen, new: config.to_bytes() });
    }
    Ok(())
}

/// Returns the rule that keeps `keys` and follows `groups`: the keys that no group covers, and those that
/// `before` names itself.
pub fn rule_for(
    now: &Now<'_, '_>,
    groups: BTreeSet<GroupName>,
    keys: &Keys,
    before: Option<&FolderRule>,
) -> Result<FolderRule, OpError> {
    let covered = now.all_members(&groups)?;
    let own = |key: &&Fingerprint| !covered.contains(key) || before.is_some_and(|r| r.keys.contains(key));
    let keys = keys.iter().filter(own).cloned().collect();
    Ok(FolderRule { groups, keys })
}

/// Sets the rule of `folder`, and returns the recipients that it comes to. A rule without groups says no
/// more than the list, and is not kept.
pub fn set_rule(config: &mut Config, folder: &FolderName, rule: FolderRule) -> Vec<Fingerprint> {
    let keys = config.expanded(&rule);
    match rule.groups.is_empty() {
        true => config.rules.remove(folder),
        false => config.rules.insert(folder.clone(), rule),
    };
    keys
}

/// Returns a folder's name for a message.
pub fn shown(folder: &FolderName) -> String {
    if folder.is_root() { "the store".to_owned() } else { format!("`{folder}`") }
}
