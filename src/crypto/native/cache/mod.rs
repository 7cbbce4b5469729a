//! Session keys that are remembered between runs, so that many messages that were read before cost one
//! private-key operation in all (ARCHITECTURE.md, "Remembered session keys"). For speed alone: whatever is
//! wrong with them, the message itself decides.

mod file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use pgp::packet::PacketTrait as _;

pub use file::{Digest, aes};

use super::own::OwnKey;
use super::{SessionKey, Unopened};
use crate::files::own::{lock, open_own, read_own};
use crate::files::whole;
use crate::model::{Fingerprint, Plaintext};

/// A larger file is none of ours: room for some 250,000 messages.
const LARGEST: u64 = 16 << 20;

/// How many different session keys of a file's own are opened: each costs a private-key operation. A file
/// that nobody tampered with has one, or a few.
const OPENED: usize = 4;

/// How many new session keys are written at once, and how long they wait at most, so that little is lost when
/// an hour's work is interrupted.
const BATCH: usize = 1024;
const WAIT: Duration = Duration::from_secs(5);

/// Where session keys are remembered, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// The folder: one file for each of the user's own keys.
    pub folder: PathBuf,
    /// The file in which it is noted what gpg says of those keys.
    pub note: PathBuf,
    /// GnuPG's home folder, which the note must be of.
    pub home: PathBuf,
    /// Whether those of keys on smartcards are, too: a card may ask for a touch each time, which this undoes.
    pub cards: bool,
}

/// The remembered session keys.
pub struct Cache {
    config: Option<CacheConfig>,
    shelves: Mutex<Shelves>,
}

/// What is remembered for each of the user's own keys that was looked for; none where nothing can be.
#[derive(Default)]
struct Shelves {
    enabled: bool,
    by_key: HashMap<Fingerprint, Option<Shelf>>,
}

/// What is remembered for one key.
struct Shelf {
    /// What this run encrypts with, and the packet that tells the key what that is.
    seal: Arc<SessionKey>,
    packet: Vec<u8>,
    known: HashMap<Digest, Arc<SessionKey>>,
    /// Not written yet.
    new: Vec<Digest>,
    /// How many may wait to be written.
    batch: usize,
    /// What this run has met: it is not gone.
    met: HashSet<Digest>,
    /// Whether the file must be written anew.
    stale: bool,
    written: Instant,
}

impl Cache {
    /// Remembers in `config`'s folder; nothing without one.
    pub fn new(config: Option<CacheConfig>) -> Self {
        Cache { config, shelves: Mutex::default() }
    }

    /// From now on, looks for what was remembered, and remembers what is learnt.
    pub fn enable(&self) {
        self.shelves().enabled = self.config.is_some();
    }

    /// Returns the session key of a message that `key` opened before. The first time that a key is met, its
    /// file is read: `open` returns the session key in a session-key packet, which costs a private-key
    /// operation; `decrypt` the content of encrypted data.
    pub fn find(
        &self,
        key: &OwnKey,
        message: &Digest,
        open: impl Fn(&OwnKey, &[u8]) -> Result<Option<SessionKey>, Unopened>,
        decrypt: impl Fn(&SessionKey, &[u8]) -> Option<Plaintext>,
    ) -> Result<Option<Arc<SessionKey>>, Unopened> {
        let mut shelves = self.shelves();
        let Some(config) = self.config.as_ref().filter(|_| shelves.enabled) else { return Ok(None) };
        if !shelves.by_key.contains_key(&key.fingerprint) {
            let shelf = match key.on_card && !config.cards {
                true => None,
                false => Shelf::read(&read(&config.file(&key.fingerprint)), key, open, decrypt)?,
            };
            shelves.by_key.insert(key.fingerprint.clone(), shelf);
        }
        let Some(Some(shelf)) = shelves.by_key.get_mut(&key.fingerprint) else { return Ok(None) };
        let found = shelf.known.get(message).cloned();
        if found.is_some() {
            shelf.met.insert(*message);
        }
        Ok(found)
    }

    /// Remembers the session key of a message that `key` opens; only once there was something to look for.
    pub fn learn(&self, key: &OwnKey, message: Digest, session: SessionKey) {
        let mut shelves = self.shelves();
        let Some(Some(shelf)) = shelves.by_key.get_mut(&key.fingerprint) else { return };
        // One that was found to be wrong stands in the file: it must go.
        shelf.stale |= shelf.known.insert(message, Arc::new(session)).is_some();
        shelf.new.push(message);
        shelf.met.insert(message);
        if (shelf.new.len() >= shelf.batch || shelf.written.elapsed() >= WAIT)
            && let Some(config) = &self.config
        {
            shelf.write(&config.folder, &config.file(&key.fingerprint));
        }
    }

    /// How many session keys are remembered, if some of them are new.
    pub fn grown(&self) -> Option<usize> {
        let shelves = self.shelves();
        let all = || shelves.by_key.values().flatten();
        let grown = all().any(|shelf| !shelf.new.is_empty() || shelf.stale);
        grown.then(|| all().map(|shelf| shelf.known.len()).sum())
    }

    /// Forgets the messages that are neither among `messages` nor were met in this run: those stand
    /// elsewhere.
    pub fn retain(&self, messages: &HashSet<Digest>) {
        for shelf in self.shelves().by_key.values_mut().flatten() {
            let before = shelf.known.len();
            let met = std::mem::take(&mut shelf.met);
            shelf.known.retain(|message, _| messages.contains(message) || met.contains(message));
            shelf.met = met;
            shelf.stale |= shelf.known.len() < before;
        }
    }

    /// Writes what is new. It is for speed alone: a disk that is full or a lock that somebody holds is no
    /// error.
    pub fn write(&self) {
        let Some(config) = &self.config else { return };
        for (key, shelf) in &mut self.shelves().by_key {
            if let Some(shelf) = shelf {
                shelf.write(&config.folder, &config.file(key));
            }
        }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().expect("nobody panics holding it")
    }
}

impl CacheConfig {
    /// Returns a key's file.
    fn file(&self, key: &Fingerprint) -> PathBuf {
        self.folder.join(format!("{key}.pgp"))
    }
}

impl Shelf {
    /// Reads what a key's file holds; what is damaged in it, or is another key's, counts as not there. None
    /// if nothing can be encrypted to the key, or the agent cannot use it now.
    fn read(
        bytes: &[u8],
        key: &OwnKey,
        open: impl Fn(&OwnKey, &[u8]) -> Result<Option<SessionKey>, Unopened>,
        decrypt: impl Fn(&SessionKey, &[u8]) -> Option<Plaintext>,
    ) -> Result<Option<Self>, Unopened> {
        let (pieces, mut whole) = file::pieces(bytes);
        let mut known = HashMap::new();
        let mut opened: Vec<(&[u8], Option<Arc<SessionKey>>)> = Vec::new();
        // The newest first: they are worth most, where there are too many.
        for piece in pieces.iter().rev() {
            if piece.key != key.fingerprint.key_id() {
                whole = false;
                continue;
            }
            let session = match opened.iter().find(|(packet, _)| *packet == piece.session_key) {
                Some((_, session)) => session.clone(),
                None if opened.len() == OPENED => None,
                None => {
                    let session = match open(key, piece.session_key) {
                        Err(Unopened::LeftToGpg) if is_usable(key, &open)? => None,
                        // Without pinentry, or without the card: what is remembered is worth keeping.
                        Err(Unopened::LeftToGpg) => return Ok(None),
                        other => other?.map(Arc::new),
                    };
                    opened.push((piece.session_key, session.clone()));
                    session
                }
            };
            let content = session.and_then(|session| decrypt(&session, piece.data));
            match content.and_then(|content| file::records(content.expose())) {
                Some(records) => {
                    for (message, session) in records {
                        known.entry(message).or_insert_with(|| Arc::new(session));
                    }
                }
                None => whole = false,
            }
        }
        let seal = opened.into_iter().find_map(|(packet, session)| Some((session?, packet.to_vec())));
        // With several, the next run is to have one.
        let stale = !whole || pieces.iter().any(|piece| piece.session_key != pieces[0].session_key);
        let Some((seal, packet)) = seal.filter(|_| !stale).or_else(|| new_seal(key)) else { return Ok(None) };
        Ok(Some(Shelf {
            seal,
            packet,
            known,
            new: Vec::new(),
            batch: BATCH,
            met: HashSet::new(),
            stale,
            written: Instant::now(),
        }))
    }

    /// Writes what is new, or all of it.
    fn write(&mut self, folder: &Path, file: &Path) {
        self.written = Instant::now();
        if self.new.is_empty() && !self.stale {
            return;
        }
        // Tried again when as many more are there.
        self.batch = self.new.len() + BATCH;
        let Some(_lock) = lock(folder) else { return };
        // What somebody else did not finish writing would hide what is put behind it.
        let append_to = |bytes: Vec<u8>| {
            file::pieces(&bytes).1.then_some(())?;
            append(file, &self.sealed(self.new.iter())?).ok()
        };
        let appended = if self.stale { None } else { append_to(read(file)) };
        let written = appended.or_else(|| whole::write(file, &self.sealed(self.known.keys())?, false).ok());
        if written.is_some() {
            self.new.clear();
            self.batch = BATCH;
            self.stale = false;
        }
    }

    /// Returns a message that holds what is known of `messages`.
    fn sealed<'m>(&self, messages: impl Iterator<Item = &'m Digest>) -> Option<Vec<u8>> {
        let records = messages.filter_map(|message| Some((*message, &**self.known.get(message)?)));
        file::seal(&self.seal, &self.packet, &records.collect::<Vec<_>>())
    }
}

/// Returns a new session key for a key's file, with the packet that tells the key.
pub fn new_seal(key: &OwnKey) -> Option<(Arc<SessionKey>, Vec<u8>)> {
    let session = SessionKey::new();
    let mut packet = Vec::new();
    key.part.seal(&session).ok()?.to_writer_with_header(&mut packet).ok()?;
    Some((Arc::new(session), packet))
}

/// Whether the agent can use `key` at all: opens what was encrypted to it just now.
fn is_usable(
    key: &OwnKey,
    open: impl Fn(&OwnKey, &[u8]) -> Result<Option<SessionKey>, Unopened>,
) -> Result<bool, Unopened> {
    let Some((_, packet)) = new_seal(key) else { return Ok(false) };
    match open(key, &packet) {
        Err(Unopened::LeftToGpg) => Ok(false),
        other => Ok(other?.is_some()),
    }
}

/// Returns the content of a key's file; nothing if there is none.
fn read(path: &Path) -> Vec<u8> {
    read_own(path, LARGEST).unwrap_or_default()
}

/// Puts a message behind those in a file; nothing of it stays unless all of it does.
fn append(path: &Path, message: &[u8]) -> io::Result<()> {
    let mut file = open_own(path, OpenOptions::new().append(true))?;
    let length = file.metadata()?.len();
    file.write_all(message).inspect_err(|_| drop(file.set_len(length)))
}

#[cfg(test)]
mod tests;
