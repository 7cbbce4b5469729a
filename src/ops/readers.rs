//! Who can read which entries, counted from a survey.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Context, OpError, keys};
use crate::crypto::{RecipientError, lookup};
use crate::model::entry::EntryName;
use crate::model::{Fingerprint, FolderName, Key, KeyId, Keyring, Shown};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::survey::{Entry, Line, List, Survey};

/// Somebody who can read a message, as far as its packets tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// A key of the keyring.
    Key(Fingerprint),
    /// A key that is not in the keyring.
    Unknown(KeyId),
    /// Somebody hidden, or whoever knows a passphrase.
    Hidden,
}

/// How many entries somebody can read, and should be able to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries with a packet for them.
    pub reads: usize,
    /// Entries whose recipients file names them.
    pub named: usize,
}

/// Looks at an entry or a folder; the entry comes first where both have the name, as in pass.
pub fn survey(context: &Context<'_>, name: &std::ffi::OsStr) -> Result<Survey, OpError> {
    use std::os::unix::ffi::OsStrExt as _;
    let as_folder = || -> Result<Survey, OpError> {
        let folder = FolderName::parse(name)?;
        survey_folder(context, &folder)
    };
    match EntryName::parse(name) {
        Ok(entry) if !name.as_bytes().ends_with(b"/") => {
            match context.store.beneath().state(&entry.file()).map_err(StoreError::from)? {
                State::File(_) => Ok(Survey::take(context.store, context.crypto, &entry.file())?),
                _ => as_folder(),
            }
        }
        _ => as_folder(),
    }
}

/// Looks at a folder and all below it.
pub fn survey_folder(context: &Context<'_>, folder: &FolderName) -> Result<Survey, OpError> {
    match context.store.beneath().state(folder.as_path()).map_err(StoreError::from)? {
        State::Folder => Ok(Survey::take(context.store, context.crypto, folder.as_path())?),
        _ => Err(OpError::NotFound(Shown::os(folder.as_path()).to_string())),
    }
}

/// Returns who can read an entry.
pub fn readers(survey: &Survey, entry: &Entry) -> BTreeSet<Reader> {
    entry.readers.iter().flat_map(|id| of_id(&survey.keyring, *id)).collect()
}

/// Returns who a key ID in a message stands for. Which of several keys of one ID it is, only their owners
/// can tell.
pub fn of_id(keyring: &Keyring, id: KeyId) -> Vec<Reader> {
    match (id, keyring.bearers(id)) {
        (KeyId::HIDDEN, _) => vec![Reader::Hidden],
        (id, []) => vec![Reader::Unknown(id)],
        (_, keys) => keys.iter().cloned().map(Reader::Key).collect(),
    }
}

/// Returns the keys that wait in the store's `.public-keys`, where somebody is met whom the keyring does not
/// know: to say whose they may be. What these files say is a claim until gpg has imported them.
pub fn waiting(context: &Context<'_>, survey: &Survey) -> Keyring {
    let ids = survey.entries.iter().flat_map(|entry| &entry.readers);
    let mut unknown = ids.filter(|id| **id != KeyId::HIDDEN && survey.keyring.bearers(**id).is_empty());
    let mut missing = survey.lists.values().flat_map(|list| &list.lines).filter(|line| is_missing(line));
    if unknown.next().is_none() && missing.next().is_none() {
        return Keyring::default();
    }
    all_waiting(context, &survey.keyring)
}

/// Returns all keys that wait in the store's `.public-keys`.
pub fn all_waiting(context: &Context<'_>, keyring: &Keyring) -> Keyring {
    let is_new = |key: &Fingerprint| keyring.get(key).is_none();
    // Without them nobody is named wrongly; what is the matter with them, `keys list` says.
    let keys = keys::waiting(context.store.beneath(), context.crypto, is_new);
    Keyring::new(keys.unwrap_or_default())
}

/// Whether no key of the keyring has the line's name.
pub fn is_missing(line: &Line) -> bool {
    matches!(&*line.found, Err(RecipientError::Missing { .. }))
}

/// Returns the one key of `waiting` whose part has this ID.
pub fn waiting_for(waiting: &Keyring, id: KeyId) -> Option<&Key> {
    match waiting.bearers(id) {
        [key] => waiting.get(key),
        _ => None,
    }
}

/// Returns the one key of `waiting` that the line may name.
pub fn waiting_as<'w>(waiting: &'w Keyring, id: &str) -> Option<&'w Key> {
    let mut found = waiting.keys().filter(|key| lookup::may_name(id, key));
    found.next().filter(|_| found.next().is_none())
}

/// Returns who can read the entries of a survey or is named for them; lines that no key of the keyring is known
/// for may name keys that are `waiting`.
pub fn who(survey: &Survey, waiting: &Keyring) -> BTreeMap<Reader, Tally> {
    let mut all: BTreeMap<Reader, Tally> = BTreeMap::new();
    for entry in &survey.entries {
        let may_be_named: Vec<&Key> = lines_of(survey, entry)
            .filter(|line| is_missing(line))
            .filter_map(|line| waiting_as(waiting, &line.id))
            .collect();
        for reader in readers(survey, entry) {
            let tally = all.entry(reader.clone()).or_default();
            tally.reads += 1;
            if let Reader::Unknown(id) = reader
                && let Some(key) = waiting_for(waiting, id)
                && may_be_named.contains(&key)
            {
                tally.named += 1;
            }
        }
        for key in named(survey, entry) {
            all.entry(Reader::Key(key.clone())).or_default().named += 1;
        }
    }
    all
}

/// How often each key can read the entries that `list` rules.
pub fn reads(survey: &Survey, list: &List) -> BTreeMap<Reader, usize> {
    let mut all = BTreeMap::new();
    for entry in survey.ruled_by(list) {
        for reader in readers(survey, entry) {
            *all.entry(reader).or_default() += 1;
        }
    }
    all
}

/// What a key can read.
#[derive(Debug, Default)]
pub struct Reach<'s> {
    /// Entries that it can read, and whether their recipients files name it.
    pub reads: Vec<(&'s Entry, bool)>,
    /// Entries that it cannot read although their recipients files name it.
    pub barred: Vec<&'s Entry>,
    /// Entries with hidden recipients, which it might be, and not counted above.
    pub perhaps: Vec<&'s Entry>,
    /// Entries of which nobody can tell.
    pub broken: Vec<&'s Entry>,
}

/// Returns what one of `keys` can read.
pub fn what<'s>(survey: &'s Survey, keys: &[Reader]) -> Reach<'s> {
    let mut reach = Reach::default();
    for entry in &survey.entries {
        let found = readers(survey, entry);
        let is_named = named(survey, entry).any(|key| keys.contains(&Reader::Key(key.clone())));
        if keys.iter().any(|key| found.contains(key)) {
            reach.reads.push((entry, is_named));
        } else if found.contains(&Reader::Hidden) {
            reach.perhaps.push(entry);
        } else if found.is_empty() {
            reach.broken.push(entry);
        } else if is_named {
            reach.barred.push(entry);
        }
    }
    reach
}

/// Counts entries by the folders whose lists rule them; what nothing rules is left out.
pub fn by_folder<'s>(entries: impl IntoIterator<Item = &'s Entry>) -> BTreeMap<FolderName, usize> {
    let mut all = BTreeMap::new();
    for entry in entries {
        let list = entry.list.as_deref().and_then(Path::parent);
        if let Some(Ok(folder)) = list.map(|folder| FolderName::parse(folder.as_os_str())) {
            *all.entry(folder).or_default() += 1;
        }
    }
    all
}

/// Returns the keys that `name` stands for, usable or not; a long key ID need not be in the keyring, and of a key
/// that is `waiting` the IDs of its parts are known.
pub fn keys_named(
    context: &Context<'_>,
    survey: &Survey,
    waiting: &Keyring,
    name: &str,
) -> Result<Vec<Reader>, OpError> {
    let primary = |key: Fingerprint| survey.keyring.primary_of(&key).cloned().unwrap_or(key);
    match context.crypto.resolve(name) {
        Ok(found) => Ok(found.into_iter().map(|key| Reader::Key(key.fingerprint)).collect()),
        Err(RecipientError::Unusable { fingerprint, .. }) => Ok(vec![Reader::Key(primary(fingerprint))]),
        Err(source @ RecipientError::Missing { .. }) => match (key_id(name), waiting_as(waiting, name)) {
            (Some(id), _) => Ok(vec![Reader::Unknown(id)]),
            (None, Some(key)) => {
                let parts = key.subkeys.iter().filter(|part| part.can_encrypt);
                Ok(parts.map(|part| Reader::Unknown(part.fingerprint.key_id())).collect())
            }
            (None, None) => Err(OpError::Key { id: Shown::new(name).to_string(), source }),
        },
        Err(source) => Err(OpError::Key { id: Shown::new(name).to_string(), source }),
    }
}

/// Reads a key ID of 16 digits. (Of a key that is not in the keyring, nothing tells its subkeys' IDs, which
/// are what messages hold: a fingerprint alone would find nothing.)
fn key_id(text: &str) -> Option<KeyId> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let right = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| right).map(KeyId)
}

/// Returns the keys that an entry's recipients file names.
fn named<'s>(survey: &'s Survey, entry: &Entry) -> impl Iterator<Item = &'s Fingerprint> {
    list_of(survey, entry).into_iter().flat_map(|list| &list.named)
}

/// Returns the lines of an entry's recipients file.
fn lines_of<'s>(survey: &'s Survey, entry: &Entry) -> impl Iterator<Item = &'s Line> {
    list_of(survey, entry).into_iter().flat_map(|list| &list.lines)
}

fn list_of<'s>(survey: &'s Survey, entry: &Entry) -> Option<&'s List> {
    entry.list.as_ref().and_then(|file: &std::path::PathBuf| survey.lists.get::<Path>(file))
}
