//! Who is named now: the configuration, and what the lines of recipients files stand for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use super::{RuleError, shown};
use crate::config::{self, Config, FolderRule, GroupName};
use crate::crypto::RecipientError;
use crate::crypto::lookup::{self, Name};
use crate::model::{EntryName, Fingerprint, FolderName, GpgId, GpgIdLine, KeyId, RecipientId, Shown};
use crate::ops::init::GIVEN;
use crate::ops::{Context, OpError, lists};
use crate::store::StoreError;
use crate::store::accepted::Keys;
use crate::store::beneath::State;
use crate::store::recipients::{Overlay, Rule};

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

/// A line of a recipients file, with what it stands for.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its text.
    pub id: String,
    /// The primary keys that it names, usable or not; none if nobody can tell.
    pub keys: Keys,
    /// Whether it asks for one subkey.
    pub is_subkey: bool,
    /// The fingerprints of the subkeys that it asks for, as far as they are known.
    pub subkeys: Keys,
    /// Whether it can be encrypted to.
    pub is_usable: bool,
}

impl Line {
    /// Whether it names `key`, as far as that can be told without having the key.
    pub fn names(&self, key: &Fingerprint) -> bool {
        self.keys.contains(key) || (self.keys.is_empty() && is_called(key, &self.id))
    }
}

/// What an id stands for.
#[derive(Debug, Clone)]
struct Meaning {
    keys: Keys,
    is_subkey: bool,
    subkeys: Keys,
    is_usable: bool,
}

/// The store as it is: its configuration, and who its lists name.
pub struct Now<'a, 'c> {
    /// What operations work with.
    pub context: &'a Context<'c>,
    /// The configuration.
    pub config: Config,
    state: State,
    /// What lines of recipients files stand for: most stand in many files.
    known: RefCell<HashMap<String, Meaning>>,
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

    /// Returns all keys of `groups`.
    pub fn all_members<'g>(&self, groups: impl IntoIterator<Item = &'g GroupName>) -> Result<Keys, OpError> {
        let mut keys = Keys::new();
        for group in groups {
            keys.extend(self.members(group)?.iter().cloned());
        }
        Ok(keys)
    }

    /// Fails unless `folder` is one that is there.
    pub fn check_folder(&self, folder: &FolderName) -> Result<(), OpError> {
        let store = self.context.store;
        store.refuse_left_out(folder.as_path())?;
        if folder.is_root() || store.folder_exists(folder)? {
            return Ok(());
        }
        let entry = EntryName::parse(folder.as_path().as_os_str()).map(|entry| entry.file());
        let is_entry = |file: PathBuf| match store.beneath().state(&file) {
            Ok(state) => Ok(matches!(state, State::File(_))),
            Err(error) => Err(StoreError::from(error)),
        };
        match entry.ok().map(is_entry).transpose()? {
            Some(true) => Err(RuleError::Entry(folder.clone()).into()),
            _ => Err(RuleError::NoFolder(folder.clone()).into()),
        }
    }

    /// Returns the bytes of the folder's own recipients file, none if it has none.
    pub fn own_list(&self, folder: &FolderName) -> Result<Option<Vec<u8>>, OpError> {
        Ok(self.context.store.beneath().read(&folder.gpg_id()).map_err(StoreError::from)?)
    }

    /// Returns the recipients file that rules `folder`, and the folder where it stands; its signature is
    /// checked where the user asks for that.
    pub fn rule(&self, folder: &FolderName) -> Result<(Rule, FolderName), OpError> {
        let rule = self.context.store.rule(folder, &Overlay::new())?;
        let rule = rule.ok_or_else(|| OpError::NoRule(shown(folder)))?;
        let file = rule.file.as_deref().expect("it is the store's");
        self.context.verify(file, &rule.gpg_id)?;
        let ruling = lists::folder_of(file)?;
        Ok((rule, ruling))
    }

    /// Returns who can read `folder` by the recipients file that rules it, and the folder where that stands.
    /// Keys that cannot be encrypted to count where they stand by their fingerprint. Fails where the list
    /// could not be written out as a rule says: because of a single subkey, or a line that nobody can read.
    pub fn effective(&self, folder: &FolderName) -> Result<(Keys, FolderName), OpError> {
        let (rule, ruling) = self.rule(folder)?;
        let file = ruling.gpg_id();
        let mut keys = Keys::new();
        for line in self.lines(&rule.lines) {
            if line.is_subkey {
                let place = format!("{} line {}", Shown::os(&file), line.number);
                return Err(RuleError::Subkey { place, id: Shown::new(&line.id).to_string() }.into());
            }
            if line.keys.is_empty() {
                return Err(self.unusable(&ruling, &line));
            }
            keys.extend(line.keys);
        }
        Ok((keys, ruling))
    }

    /// Returns why a line of `folder`'s recipients file, known to be none that can be used, is none.
    pub(super) fn unusable(&self, folder: &FolderName, line: &Line) -> OpError {
        let place = format!("{} line {}", Shown::os(&folder.gpg_id()), line.number);
        match self.context.crypto.resolve(&line.id) {
            Err(source) => OpError::Recipient { id: Shown::new(&line.id).to_string(), place, source },
            // It was added to the keyring in this moment.
            Ok(_) => RuleError::NotAsShown.into(),
        }
    }

    /// Returns what each line stands for.
    pub fn lines(&self, lines: &[GpgIdLine]) -> Vec<Line> {
        let mut known = self.known.borrow_mut();
        let new: BTreeSet<&str> =
            lines.iter().map(|line| line.id.as_str()).filter(|id| !known.contains_key(*id)).collect();
        let new: Vec<&str> = new.into_iter().collect();
        if !new.is_empty() {
            for (id, found) in new.iter().zip(self.context.crypto.resolve_all(&new)) {
                known.insert((*id).to_owned(), meaning(id, found));
            }
        }
        let line = |line: &GpgIdLine| {
            let Meaning { keys, is_subkey, subkeys, is_usable } = known[&line.id].clone();
            Line { number: line.number, id: line.id.clone(), keys, is_subkey, subkeys, is_usable }
        };
        lines.iter().map(line).collect()
    }

    /// Returns the lines of a folder's own list.
    pub fn own_lines(&self, folder: &FolderName) -> Result<Vec<Line>, OpError> {
        Ok(self.lines(&GpgId::from_bytes(self.own_list(folder)?.unwrap_or_default()).lines()))
    }

    /// Returns the keys that a folder's own list names, as far as that can be told.
    pub fn named(&self, folder: &FolderName) -> Result<Keys, OpError> {
        Ok(keys_of(&self.own_lines(folder)?))
    }

    /// Returns the folders whose own lists name `key`.
    pub fn naming(&self, key: &Fingerprint) -> Result<Vec<FolderName>, OpError> {
        let mut found = Vec::new();
        for folder in self.context.ruled_folders()? {
            if self.own_lines(&folder)?.iter().any(|line| line.names(key)) {
                found.push(folder);
            }
        }
        Ok(found)
    }

    /// Returns the rule that `folder` follows: its own, or that of the folder `ruling`, whose list it inherits.
    pub fn followed(&self, folder: &FolderName, ruling: &FolderName) -> Option<&FolderRule> {
        self.config.rules.get(folder).or_else(|| self.config.rules.get(ruling))
    }

    /// Returns how the folder's own list differs from its rule, none if it does not or there is no rule. One
    /// without groups says nothing of the list.
    pub fn difference(&self, folder: &FolderName) -> Result<Option<Differing>, OpError> {
        match self.config.rules.get(folder).filter(|rule| !rule.groups.is_empty()) {
            Some(rule) => self.difference_from(folder, &self.config.expanded(rule)),
            None => Ok(None),
        }
    }

    /// Whether the folder's own list names exactly `keys`.
    pub fn says(&self, folder: &FolderName, keys: &[Fingerprint]) -> Result<bool, OpError> {
        Ok(self.difference_from(folder, keys)?.is_none())
    }

    fn difference_from(
        &self,
        folder: &FolderName,
        keys: &[Fingerprint],
    ) -> Result<Option<Differing>, OpError> {
        let wanted: Keys = keys.iter().cloned().collect();
        let mut missing = wanted.clone();
        let mut extra = Vec::new();
        for line in self.own_lines(folder)? {
            if !line.is_subkey && !line.keys.is_empty() && line.keys.is_subset(&wanted) {
                missing.retain(|key| !line.keys.contains(key));
            } else {
                extra.push(Shown::new(&line.id).to_string());
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
}

/// Returns the folders whose recipients are not what their rules come to: somebody edited the list, and the
/// list counts.
pub fn differing(context: &Context<'_>) -> Result<Vec<Differing>, OpError> {
    let now = Now::read(context)?;
    let folders: Vec<&FolderName> = now.config.rules.keys().collect();
    folders.into_iter().filter_map(|folder| now.difference(folder).transpose()).collect()
}

/// Returns all keys that lines name.
pub fn keys_of(lines: &[Line]) -> Keys {
    lines.iter().flat_map(|line| line.keys.iter().cloned()).collect()
}

/// Returns what the guard remembers of lines: the keys that they name, or the subkeys that they ask for.
pub(super) fn guarded(lines: &[Line]) -> Keys {
    let keys = |line: &Line| if line.subkeys.is_empty() { line.keys.clone() } else { line.subkeys.clone() };
    lines.iter().flat_map(keys).collect()
}

/// Returns what a line of a recipients file stands for.
fn meaning(id: &str, found: Result<Vec<RecipientId>, RecipientError>) -> Meaning {
    let is_usable = found.is_ok();
    let (keys, subkeys): (Keys, Keys) = match found {
        Ok(found) => {
            let subkeys = found.iter().filter_map(|key| key.subkey.clone()).collect();
            (found.into_iter().map(|key| key.fingerprint).collect(), subkeys)
        }
        // Whose subkey it is, nobody can tell.
        Err(_) if id.ends_with('!') => (Keys::new(), Fingerprint::of_name(id).into_iter().collect()),
        Err(RecipientError::Unusable { fingerprint, .. }) => ([fingerprint].into(), Keys::new()),
        Err(_) => (Fingerprint::of_name(id).into_iter().collect(), Keys::new()),
    };
    Meaning { is_subkey: id.ends_with('!') || !subkeys.is_empty(), keys, subkeys, is_usable }
}

/// Returns those of `members` that `name` stands for: keys that cannot be used any more too, and ones that the
/// keyring does not hold by their fingerprint or key ID. Whoever else has the name does not matter.
pub fn called(context: &Context<'_>, members: &Keys, name: &str) -> Result<Keys, OpError> {
    let found = context.crypto.resolve(name).unwrap_or_default().into_iter().map(|key| key.fingerprint);
    let found: Keys = found.filter(|key| members.contains(key)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let keyring = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
    let keyring: BTreeMap<&Fingerprint, _> = keyring.iter().map(|key| (&key.fingerprint, key)).collect();
    // What fits a pattern, only gpg knows.
    let is_pattern = matches!(Name::parse(name), Name::Pattern(_));
    let bears = |key: &&Fingerprint| {
        let known = keyring.get(*key).filter(|_| !is_pattern);
        is_called(key, name) || known.is_some_and(|known| lookup::may_name(name, known))
    };
    let found: Keys = members.iter().filter(bears).cloned().collect();
    if found.len() > 1 {
        let source = RecipientError::Ambiguous { id: name.to_owned(), keys: found.into_iter().collect() };
        return Err(OpError::Recipient { id: Shown::new(name).to_string(), place: GIVEN.to_owned(), source });
    }
    Ok(found)
}

/// Whether `name` is the key's fingerprint or its (long) key ID.
fn is_called(key: &Fingerprint, name: &str) -> bool {
    let digits = name.trim_start_matches("0x");
    let id = (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(KeyId);
    Fingerprint::of_name(name).as_ref() == Some(key) || id == Some(key.key_id())
}
