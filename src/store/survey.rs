//! Who can read what: the recipients files of a folder, and beside them the session-key packets of its
//! entries.
//!
//! One listing of the keyring, and no program for each entry. Nothing is decrypted, and nothing shows
//! whether a packet is sound: its key ID is what counts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::beneath::State;
use super::recipients::{Overlay, Rule};
use super::{Store, StoreError};
use crate::crypto::{Crypto, CryptoError, LARGEST_OF_MANY, RecipientError};
use crate::model::entry::{is_entry, shown_entry};
use crate::model::{Fingerprint, FolderName, KeyId, Keyring, RecipientId};

/// Why we could not look.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// Nothing stands there.
    #[error("`{0}` is not in the password store")]
    NotFound(String),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring could not be listed.
    #[error("cannot list the keyring")]
    Keys(#[source] CryptoError),
    /// A recipient could not be looked up.
    #[error(transparent)]
    Recipient(RecipientError),
    /// gpg could not be asked who can read an entry.
    #[error("cannot find out who can read `{name}`")]
    Entry {
        /// The entry.
        name: String,
        /// Why.
        #[source]
        source: CryptoError,
    },
}

/// What a line of a recipients file stands for.
pub type Found = Rc<Result<Vec<RecipientId>, RecipientError>>;

/// One line of a recipients file.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its text without comment.
    pub id: String,
    /// The keys that it stands for, or why it stands for none.
    pub found: Found,
}

impl Line {
    /// Returns the primary fingerprints of the keys that the line names, usable or not.
    fn keys(&self, keyring: &Keyring) -> Vec<Fingerprint> {
        match &*self.found {
            Ok(found) => found.iter().map(|key| key.fingerprint.clone()).collect(),
            Err(RecipientError::Unusable { fingerprint, .. }) => {
                vec![keyring.primary_of(fingerprint).unwrap_or(fingerprint).clone()]
            }
            Err(_) => Vec::new(),
        }
    }
}

/// A recipients file.
#[derive(Debug)]
pub struct List {
    /// Its folder.
    pub folder: FolderName,
    /// Its path.
    pub file: PathBuf,
    /// What stands in it.
    pub rule: Rule,
    /// Its lines.
    pub lines: Vec<Line>,
    /// The primary fingerprints of all keys that it names, usable or not.
    pub named: BTreeSet<Fingerprint>,
}

impl List {
    /// Returns the recipients; none unless every line is usable and there is one.
    pub fn recipients(&self) -> Option<Vec<RecipientId>> {
        let all: Result<Vec<_>, ()> =
            self.lines.iter().map(|line| line.found.as_ref().as_ref().map_err(|_| ())).collect();
        let all: Vec<RecipientId> = all.ok()?.into_iter().flatten().cloned().collect();
        (!all.is_empty()).then_some(all)
    }

    /// Whether it is known of every line which keys it names, usable or not.
    fn is_known(&self) -> bool {
        let known = |line: &Line| matches!(&*line.found, Ok(_) | Err(RecipientError::Unusable { .. }));
        !self.lines.is_empty() && self.lines.iter().all(known)
    }
}

/// How an entry stands to the recipients file that rules it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Exactly the keys named can read it.
    Agrees,
    /// The same, but through a subkey that gpg would not choose any more.
    Older,
    /// As many as are named, but some of them are hidden.
    Hidden,
    /// Others can read it than are named.
    Differs {
        /// Named keys that cannot read it.
        missing: Vec<Fingerprint>,
        /// Key IDs that can, and belong to no named key.
        extra: Vec<KeyId>,
    },
    /// Its recipients file does not say clearly who is named.
    Unclear,
    /// It is no encrypted message, or nothing rules it.
    Broken(String),
}

impl Standing {
    /// Whether encrypting the entry anew would bring it in line.
    pub fn is_off(&self) -> bool {
        matches!(self, Standing::Older | Standing::Hidden | Standing::Differs { .. })
    }
}

/// An entry.
#[derive(Debug)]
pub struct Entry {
    /// Its file.
    pub path: PathBuf,
    /// The recipients file that rules it.
    pub list: Option<PathBuf>,
    /// The key IDs in its session-key packets.
    pub readers: Vec<KeyId>,
    /// How the two agree.
    pub standing: Standing,
}

/// Who can read a part of the store.
#[derive(Debug)]
pub struct Survey {
    /// The keyring.
    pub keyring: Keyring,
    /// The recipients files that rule it, those of the folders above included.
    pub lists: BTreeMap<PathBuf, List>,
    /// Folders whose recipients file cannot be one, and why.
    pub unusable: BTreeMap<FolderName, String>,
    /// Its entries, in order of their paths.
    pub entries: Vec<Entry>,
}

impl Survey {
    /// Looks at the entry `path`, or at the folder `path` and all below it.
    pub fn take(store: &Store, crypto: &dyn Crypto, path: &Path) -> Result<Self, SurveyError> {
        let (files, folder) = match store.beneath().state(path).map_err(StoreError::from)? {
            State::Folder => (store.beneath().below(path).map_err(StoreError::from)?.files, Some(path)),
            State::File(_) => (vec![(path.to_path_buf(), FileType::RegularFile)], None),
            _ => return Err(SurveyError::NotFound(shown_entry(path))),
        };
        let folders: BTreeSet<&Path> =
            folder.into_iter().chain(files.iter().filter_map(|f| f.0.parent())).collect();
        let rules = Rules::read(store, crypto, &folders)?;
        let keyring = Keyring::new(crypto.keys().map_err(SurveyError::Keys)?);
        let mut survey =
            Survey { lists: rules.lists(&keyring), unusable: rules.unusable, keyring, entries: vec![] };
        for (path, kind) in files {
            // Links are left alone: what they lead to has its own place.
            if kind == FileType::RegularFile && is_entry(&path) {
                let file = path.parent().and_then(|folder| rules.ruling.get(folder));
                let entry = survey.entry(store, crypto, path, file)?;
                survey.entries.extend(entry);
            }
        }
        Ok(survey)
    }

    /// Returns the list that rules `folder`, of those looked at.
    pub fn ruling(&self, folder: &FolderName) -> Option<&List> {
        folder.as_path().ancestors().find_map(|folder| self.lists.get(&folder.join(".gpg-id")))
    }

    /// Whether a list that can be one rules the file `path`.
    pub fn is_ruled(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|folder| self.lists.contains_key(&folder.join(".gpg-id")))
    }

    /// Returns the entries that `list` rules.
    pub fn ruled_by<'s>(&'s self, list: &'s List) -> impl Iterator<Item = &'s Entry> {
        self.entries.iter().filter(|entry| entry.list.as_deref() == Some(&*list.file))
    }

    /// Looks at one entry; none if it is gone.
    fn entry(
        &self,
        store: &Store,
        crypto: &dyn Crypto,
        path: PathBuf,
        file: Option<&PathBuf>,
    ) -> Result<Option<Entry>, SurveyError> {
        let Some(message) = store.beneath().read_start(&path, LARGEST_OF_MANY).map_err(StoreError::from)?
        else {
            return Ok(None);
        };
        let (readers, standing) = match crypto.recipients_of(&message) {
            Ok(readers) => {
                let list = file.and_then(|file| self.lists.get(file));
                let standing = match list {
                    Some(list) => self.judge(list, &readers),
                    None => Standing::Broken("no recipients file that can be one rules it".to_owned()),
                };
                (readers, standing)
            }
            // That we could not look says nothing about the entry.
            Err(source @ CryptoError::NotRun { .. }) => {
                return Err(SurveyError::Entry { name: shown_entry(&path), source });
            }
            Err(error) => (Vec::new(), Standing::Broken(error.to_string())),
        };
        Ok(Some(Entry { path, list: file.cloned(), readers, standing }))
    }

    /// Returns how a message that `readers` can read stands to `list`.
    fn judge(&self, list: &List, readers: &[KeyId]) -> Standing {
        if !list.is_known() {
            return Standing::Unclear;
        }
        let named = |id: &KeyId| self.keyring.bearers(*id).iter().find(|key| list.named.contains(key));
        let reading: BTreeSet<&Fingerprint> = readers.iter().filter_map(&named).collect();
        let extra: Vec<KeyId> = readers.iter().filter(|id| named(id).is_none()).copied().collect();
        let missing: Vec<Fingerprint> =
            list.named.iter().filter(|key| !reading.contains(key)).cloned().collect();
        if !extra.is_empty() || !missing.is_empty() {
            let hidden = extra.iter().all(|id| *id == KeyId::HIDDEN) && extra.len() == missing.len();
            return if hidden { Standing::Hidden } else { Standing::Differs { missing, extra } };
        }
        let recipients = list.lines.iter().filter_map(|line| line.found.as_ref().as_ref().ok()).flatten();
        let recipients: Vec<(&RecipientId, Vec<KeyId>)> =
            recipients.map(|recipient| (recipient, self.keyring.chosen(recipient))).collect();
        let reads = |(_, chosen): &(_, Vec<KeyId>)| chosen.iter().any(|id| readers.contains(id));
        // Of a key that cannot be encrypted to, no part would be chosen.
        let is_chosen = |id: &KeyId| {
            let own = |key: &Fingerprint| self.keyring.bearers(*id).contains(key);
            let mut of_key = recipients.iter().filter(|(key, _)| own(&key.fingerprint)).peekable();
            of_key.peek().is_none() || of_key.any(|(_, chosen)| chosen.contains(id))
        };
        match recipients.iter().all(reads) && readers.iter().all(is_chosen) {
            true => Standing::Agrees,
            false => Standing::Older,
        }
    }
}

/// The recipients files that rule some folders.
struct Rules {
    /// The file by folder.
    ruling: HashMap<PathBuf, PathBuf>,
    rules: BTreeMap<PathBuf, Rule>,
    found: HashMap<String, Found>,
    unusable: BTreeMap<FolderName, String>,
}

impl Rules {
    fn read(store: &Store, crypto: &dyn Crypto, folders: &BTreeSet<&Path>) -> Result<Self, SurveyError> {
        let mut rules = Rules {
            ruling: HashMap::new(),
            rules: BTreeMap::new(),
            found: HashMap::new(),
            unusable: BTreeMap::new(),
        };
        for folder in folders {
            // A folder that no name of ours can reach is ruled by nothing.
            let Ok(name) = FolderName::parse(folder.as_os_str()) else { continue };
            match store.rule(&name, &Overlay::new()) {
                Ok(Some(rule)) => {
                    let file = rule.file.clone().expect("the store's rules stand in files");
                    rules.ruling.insert(folder.to_path_buf(), file.clone());
                    rules.rules.insert(file, rule);
                }
                Ok(None) => {}
                Err(error) => {
                    rules.unusable.insert(name, error.to_string());
                }
            }
        }
        let ids: BTreeSet<&str> =
            rules.rules.values().flat_map(|r| &r.lines).map(|l| l.id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        for (id, found) in ids.iter().zip(crypto.resolve_all(&ids)) {
            // That we could not look says nothing about the recipient.
            if let Err(error @ RecipientError::Lookup { .. }) = found {
                return Err(SurveyError::Recipient(error));
            }
            rules.found.insert((*id).to_owned(), Rc::new(found));
        }
        Ok(rules)
    }

    fn lists(&self, keyring: &Keyring) -> BTreeMap<PathBuf, List> {
        let list = |(file, rule): (&PathBuf, &Rule)| {
            let folder = file.parent().unwrap_or(Path::new(""));
            let folder = FolderName::parse(folder.as_os_str()).expect("the rule was looked up by its name");
            let lines = rule.lines.iter().map(|line| Line {
                number: line.number,
                id: line.id.clone(),
                found: Rc::clone(&self.found[&line.id]),
            });
            let lines: Vec<Line> = lines.collect();
            let named = lines.iter().flat_map(|line| line.keys(keyring)).collect();
            (file.clone(), List { folder, file: file.clone(), rule: rule.clone(), lines, named })
        };
        self.rules.iter().map(list).collect()
    }
}
