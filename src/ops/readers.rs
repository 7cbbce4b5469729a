//! Who can read which entries, counted from a survey.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Context, OpError};
use crate::crypto::RecipientError;
use crate::model::entry::EntryName;
use crate::model::{Fingerprint, FolderName, KeyId, Keyring, Shown};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::survey::{Entry, List, Survey};

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

/// Returns who can read the entries of a survey or is named for them.
pub fn who(survey: &Survey) -> BTreeMap<Reader, Tally> {
    let mut all: BTreeMap<Reader, Tally> = BTreeMap::new();
    for entry in &survey.entries {
        for reader in readers(survey, entry) {
            all.entry(reader).or_default().reads += 1;
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

/// Returns the keys that `name` stands for, usable or not; a long key ID need not be in the keyring.
pub fn keys_named(context: &Context<'_>, survey: &Survey, name: &str) -> Result<Vec<Reader>, OpError> {
    let primary = |key: Fingerprint| survey.keyring.primary_of(&key).cloned().unwrap_or(key);
    match context.crypto.resolve(name) {
        Ok(found) => Ok(found.into_iter().map(|key| Reader::Key(key.fingerprint)).collect()),
        Err(RecipientError::Unusable { fingerprint, .. }) => Ok(vec![Reader::Key(primary(fingerprint))]),
        Err(source) => match key_id(name) {
            Some(id) if matches!(source, RecipientError::Missing { .. }) => Ok(vec![Reader::Unknown(id)]),
            _ => Err(OpError::Key { id: Shown::new(name).to_string(), source }),
        },
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
    let list = entry.list.as_ref().and_then(|file: &std::path::PathBuf| survey.lists.get::<Path>(file));
    list.into_iter().flat_map(|list| &list.named)
}
