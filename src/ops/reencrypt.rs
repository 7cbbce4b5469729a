//! Bringing entries in line with the recipients of their folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::concerned::tell_left;
use super::copies::{Copies, body_of};
use super::{Context, KnownLists, OpError, Recipients, parallel};
use crate::crypto::{CryptoError, LARGEST_OF_MANY, openpgp};
pub use crate::model::entry::{is_entry, shown_entry};
use crate::model::{Fingerprint, FolderName, KeyId, Keyring, Plaintext, RecipientId};
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::{Change, Plan, Published};

/// An entry that is encrypted anew, to be told to the user.
#[derive(Debug, Clone)]
pub struct Reencrypted {
    /// Its file.
    pub path: PathBuf,
    /// The entry's name, safe to show.
    pub name: String,
    /// The key IDs that can read it now.
    pub key_ids: Vec<KeyId>,
}

/// What encrypting entries anew did.
#[derive(Debug)]
pub struct Changed {
    /// What was published.
    pub published: Published,
    /// The entries encrypted anew.
    pub reencrypted: Vec<Reencrypted>,
}

/// What becomes of a message at its place.
#[derive(Debug)]
pub enum Message {
    /// It is right as it is.
    Right,
    /// It is encrypted anew: this is it.
    Anew(Vec<u8>),
    /// It was encrypted for others elsewhere ([`super::copies`]): it is not decrypted until a person decides.
    HeldBack,
}

/// Fails if a message, of which no more than one byte too many was read, is too large to be one of many.
pub fn refuse_too_large(message: &[u8], name: impl FnOnce() -> String) -> Result<(), OpError> {
    match message.len() as u64 > LARGEST_OF_MANY {
        true => Err(OpError::Wrong { name: name(), what: "larger than 256 MiB" }),
        false => Ok(()),
    }
}

/// Recipients files that were looked at, as they were.
pub type Seen = Vec<(PathBuf, State)>;

/// Brings the entry at `path`, or all below that folder, in line with the recipients of their folders: in
/// one commit, or nothing at all.
pub fn reencrypt(context: &Context<'_>, path: &Path) -> Result<Changed, OpError> {
    if context.store.beneath().state(path)? == State::Absent {
        return Err(OpError::NotFound(shown_entry(path)));
    }
    let mut reencrypted = Vec::new();
    let published = context.publish(|| {
        let subject = format!("Reencrypt password store{}.", suffix(&shown_entry(path)));
        let mut plan = Plan { subject, ..Plan::default() };
        reencrypted = add_entries(context, path, &mut plan)?;
        Ok(plan)
    })?;
    Ok(Changed { published, reencrypted })
}

/// Returns the paths of the entries below the folder `path`. Links are left alone, as in pass: what they lead to
/// has its own place.
pub fn entries_below(context: &Context<'_>, path: &Path) -> Result<Vec<PathBuf>, OpError> {
    let files = context.store.beneath().below(path)?.files;
    let entries = files.into_iter().filter(|(path, kind)| *kind == FileType::RegularFile && is_entry(path));
    Ok(entries.map(|(path, _)| path).collect())
}

/// Adds the entry at `path`, or those below that folder, to `plan` where they need encrypting anew.
fn add_entries(context: &Context<'_>, path: &Path, plan: &mut Plan) -> Result<Vec<Reencrypted>, OpError> {
    let overlay = Overlay::new();
    let mut work = Reencryption::new(context, &overlay);
    context.store.refuse_left_out(path)?;
    plan.changes = match context.store.beneath().state(path)? {
        State::Folder => {
            // Listed first: what comes while we encrypt is found missing under the lock.
            plan.below.push((path.to_path_buf(), context.store.files_below(path)?));
            work.entries(entries_below(context, path)?.into_iter())?
        }
        State::File(_) if is_entry(path) => work.entries(std::iter::once(path.to_path_buf()))?,
        _ => Vec::new(),
    };
    let (done, seen) = work.finish()?;
    plan.seen.extend(seen);
    Ok(done)
}

/// Re-encrypts many entries; looks each list of recipients up once, and gathers failures.
pub struct Reencryption<'a, 'c> {
    context: &'a Context<'c>,
    overlay: &'a Overlay,
    lists: KnownLists,
    rules: BTreeMap<PathBuf, Recipients>,
    /// Entries that cannot be decrypted.
    failed: Vec<String>,
    /// Entries that are held back, and that nothing can be done without.
    held: Vec<String>,
    /// Lists that nothing can be encrypted to, by their file, and why.
    refused: BTreeMap<PathBuf, OpError>,
    /// Set where a message must be encrypted to the very subkeys that gpg would choose now.
    newest: Option<&'a Keyring>,
    /// Entries that are right as they are: they must still be when the change is published.
    right: Seen,
    /// Where encrypted data have been; looked through when the first entry needs encrypting anew.
    copies: Option<Copies>,
    /// The entries encrypted anew so far.
    pub done: Vec<Reencrypted>,
}

/// A message and the place where it is to stand.
pub struct Job {
    /// Where it stands now: failures name it.
    pub source: PathBuf,
    /// Its place.
    pub path: PathBuf,
    /// The message.
    pub message: Vec<u8>,
}

impl<'a, 'c> Reencryption<'a, 'c> {
    /// Begins; recipients files in `overlay` count as they are going to be.
    pub fn new(context: &'a Context<'c>, overlay: &'a Overlay) -> Self {
        Reencryption {
            context,
            overlay,
            lists: KnownLists::default(),
            rules: BTreeMap::new(),
            failed: Vec::new(),
            held: Vec::new(),
            refused: BTreeMap::new(),
            newest: None,
            right: Vec::new(),
            copies: None,
            done: Vec::new(),
        }
    }

    /// From now on, older subkeys do not count as their keys.
    pub fn to_newest(&mut self, keyring: &'a Keyring) {
        self.newest = Some(keyring);
    }

    /// Returns what becomes of each job's message, in order: it is encrypted anew if others can read it than
    /// the recipients of its folder.
    pub fn messages(&mut self, jobs: &[Job]) -> Result<Vec<Message>, OpError> {
        let mut wanted = Vec::new();
        let mut results: Vec<Message> = jobs.iter().map(|_| Message::Right).collect();
        for (number, job) in jobs.iter().enumerate() {
            if !self.is_wanted(job)? {
                continue;
            }
            match self.is_held_back(job) {
                Ok(true) => results[number] = Message::HeldBack,
                Ok(false) => wanted.push(number),
                Err(OpError::Decrypt { .. }) => self.failed.push(shown_entry(&job.source)),
                Err(error) => return Err(error),
            }
        }
        // The first alone: it may ask for a passphrase, which is then known for the others.
        let (first, rest) = wanted.split_at(wanted.len().min(1));
        let context = self.context;
        let total = wanted.len();
        context.crypto.decryptor().expect(total);
        for numbers in [first, rest] {
            let messages: Vec<&[u8]> = numbers.iter().map(|n| jobs[*n].message.as_slice()).collect();
            parallel::decrypt(context.crypto.decryptor(), &messages, |index, text| {
                let number = numbers[index];
                context.progress.step(total);
                results[number] = self.encrypt(&jobs[number], text)?;
                Ok::<_, OpError>(())
            })?;
        }
        context.progress.end();
        Ok(results)
    }

    /// Whether others can read the job's message than the recipients of its place. Remembers a failure and
    /// goes on, so that all of them can be told at once.
    fn is_wanted(&mut self, job: &Job) -> Result<bool, OpError> {
        let folder = job.path.parent().unwrap_or(Path::new(""));
        if !self.look_up(folder)? {
            return Ok(false);
        }
        match self.context.crypto.recipients_of(&job.message) {
            Ok(readers) => {
                let keys = &self.rules[folder].keys;
                let is_current = |keyring: &Keyring| is_in_line(&readers, &with_newest(keyring, keys));
                Ok(!is_in_line(&readers, keys) || !self.newest.is_none_or(is_current))
            }
            Err(_) => {
                self.failed.push(shown_entry(&job.source));
                Ok(false)
            }
        }
    }

    /// Looks up the recipients of `folder`; whether there are any.
    fn look_up(&mut self, folder: &Path) -> Result<bool, OpError> {
        if self.rules.contains_key(folder) {
            return Ok(true);
        }
        let name = FolderName::parse(folder.as_os_str())?;
        // A list that was refused is told of once, however many folders it rules.
        if !self.refused.is_empty() && self.refused.contains_key(&self.ruling(&name)) {
            return Ok(false);
        }
        match self.context.recipients_known_with(&name, self.overlay, &mut self.lists) {
            Ok(recipients) => drop(self.rules.insert(folder.to_path_buf(), recipients)),
            Err(error) => drop(self.refused.insert(self.ruling(&name), error)),
        }
        Ok(self.rules.contains_key(folder))
    }

    /// Returns the file of the list that rules `folder`; its own where that cannot be told.
    fn ruling(&self, folder: &FolderName) -> PathBuf {
        let rule = self.context.store.rule(folder, self.overlay).ok().flatten();
        rule.and_then(|rule| rule.file).unwrap_or_else(|| folder.gpg_id())
    }

    /// Whether the job's message must not be decrypted for the recipients of its place.
    fn is_held_back(&mut self, job: &Job) -> Result<bool, OpError> {
        let copies = match &mut self.copies {
            Some(copies) => copies,
            none => none.insert(Copies::read(self.context)?),
        };
        let keys = &self.rules[job.path.parent().unwrap_or(Path::new(""))].keys;
        let name = shown_entry(&job.source);
        let body = body_of(&name, &job.message)?;
        let copied = copies.undecided(self.context, &job.source, &body, keys)?;
        self.context.store.hold_back(&job.source, copied.as_ref().map(|copied| copied.told(&name)));
        Ok(copied.is_some())
    }

    /// Returns a decrypted message for its place; remembers a failure and goes on, so that all of them can
    /// be told at once.
    fn encrypt(&mut self, job: &Job, text: Result<Plaintext, CryptoError>) -> Result<Message, OpError> {
        let Ok(text) = text else {
            self.failed.push(shown_entry(&job.source));
            return Ok(Message::Right);
        };
        let recipients = &self.rules[job.path.parent().unwrap_or(Path::new(""))];
        let name = shown_entry(&job.path);
        let failed = |source| OpError::Encrypt { name: name.clone(), source };
        let crypto = self.context.crypto;
        let encrypted = crypto.encrypt(&text, &recipients.keys, recipients.trust).map_err(failed)?;
        let mut key_ids = crypto.recipients_of(&encrypted).map_err(failed)?;
        key_ids.sort();
        key_ids.dedup();
        self.done.push(Reencrypted { path: job.path.clone(), name, key_ids });
        Ok(Message::Anew(encrypted))
    }

    /// Returns what was encrypted anew with what was looked at for it, or the failures.
    pub fn finish(mut self) -> Result<(Vec<Reencrypted>, Seen), OpError> {
        self.refuse_failures()?;
        let rules = self.rules.into_values().flat_map(|recipients| recipients.rule.seen);
        Ok((self.done, rules.chain(self.right).collect()))
    }

    /// Fails if there was a failure so far.
    pub fn refuse_failures(&mut self) -> Result<(), OpError> {
        let mut errors: Vec<OpError> = std::mem::take(&mut self.refused).into_values().collect();
        if !self.failed.is_empty() {
            errors.push(OpError::DecryptSeveral { names: std::mem::take(&mut self.failed) });
        }
        if !self.held.is_empty() {
            errors.push(OpError::HeldBack(std::mem::take(&mut self.held)));
        }
        OpError::all(errors)
    }

    /// Takes what failed: lists that nothing can be encrypted to, and entries that cannot be decrypted, by their names.
    /// They are left as they are.
    pub fn take_failures(&mut self) -> (BTreeMap<PathBuf, OpError>, Vec<String>) {
        self.held.clear();
        (std::mem::take(&mut self.refused), std::mem::take(&mut self.failed))
    }

    /// Leaves what failed as it is, and tells the user.
    pub fn leave_failures(&mut self) {
        for (list, error) in std::mem::take(&mut self.refused) {
            tell_left(self.context, &list, &error);
        }
        for name in std::mem::take(&mut self.failed) {
            self.context.store.note(format!("`{name}` is left as it is: it cannot be decrypted"));
        }
        // Of these the user is told anyway.
        self.held.clear();
    }

    /// Returns the changes that bring these entries in line.
    pub fn entries(&mut self, paths: impl Iterator<Item = PathBuf>) -> Result<Vec<Change>, OpError> {
        let jobs = self.read(paths)?;
        self.in_line(jobs)
    }

    /// Reads entries that are to stay where they are.
    pub fn read(&self, paths: impl Iterator<Item = PathBuf>) -> Result<Vec<Job>, OpError> {
        let mut jobs = Vec::new();
        for path in paths {
            if let Some(message) = self.context.store.beneath().read_start(&path, LARGEST_OF_MANY + 1)? {
                refuse_too_large(&message, || shown_entry(&path))?;
                jobs.push(Job { source: path.clone(), path, message });
            }
        }
        Ok(jobs)
    }

    /// Returns the changes that bring what was read in line.
    pub fn in_line(&mut self, jobs: Vec<Job>) -> Result<Vec<Change>, OpError> {
        let mut changes = Vec::new();
        for (new, Job { path, message, .. }) in self.messages(&jobs)?.into_iter().zip(jobs) {
            let seen = State::of(&message);
            let new = match new {
                Message::Right => None,
                Message::Anew(new) => Some(new),
                Message::HeldBack => self.taken_off(&path, &message)?,
            };
            match new {
                Some(new) => changes.push(Change { path, seen, new: Some(new) }),
                None => self.right.push((path, seen)),
            }
        }
        Ok(changes)
    }

    /// Returns a message that is held back without the session-key packets of keys that its folder's list
    /// does not name: no commit says that a key was taken away from what still carries it. Nobody gains by
    /// that, and nobody on the list loses, whichever of their subkeys it is. None if there are no such
    /// packets.
    fn taken_off(&mut self, path: &Path, message: &[u8]) -> Result<Option<Vec<u8>>, OpError> {
        let recipients = &self.rules[path.parent().unwrap_or(Path::new(""))].keys;
        let crypto = self.context.crypto;
        let failed = |source| OpError::Decrypt { name: shown_entry(path), source };
        let readers = crypto.recipients_of(message).map_err(failed)?;
        let usable = |key: &KeyId| recipients.iter().any(|r| r.encryption_keys.contains(key));
        if readers.iter().all(usable) {
            return Ok(None);
        }
        // What cannot be encrypted to any more can still be read with.
        let keyring = Keyring::new(crypto.keys().map_err(|source| OpError::Keyring { source })?);
        let named = |key: &Fingerprint| recipients.iter().any(|r| r.fingerprint == *key);
        let belongs = |key: &KeyId| usable(key) || keyring.bearers(*key).iter().any(named);
        if readers.iter().all(belongs) {
            return Ok(None);
        }
        let kept = openpgp::without(message, belongs).ok();
        let readers = kept.as_deref().and_then(|kept| crypto.recipients_of(kept).ok()).unwrap_or_default();
        // With nobody left, or somebody whom no packet names, only a person can go on.
        if readers.is_empty() || !readers.iter().all(belongs) {
            self.held.push(shown_entry(path));
            return Ok(None);
        }
        Ok(kept)
    }
}

/// Returns recipients of whom only the subkeys that gpg would choose now count.
fn with_newest(keyring: &Keyring, recipients: &[RecipientId]) -> Vec<RecipientId> {
    let chosen = |key: &RecipientId| RecipientId { encryption_keys: keyring.chosen(key), ..key.clone() };
    recipients.iter().map(chosen).collect()
}

/// Whether a message is readable by exactly the recipients: each by at least one of its keys, and
/// nobody else.
pub fn is_in_line(readers: &[KeyId], recipients: &[RecipientId]) -> bool {
    let reads = |keys: &[KeyId]| keys.iter().any(|key| readers.contains(key));
    recipients.iter().all(|recipient| reads(&recipient.encryption_keys))
        && readers
            .iter()
            .all(|reader| recipients.iter().any(|recipient| recipient.encryption_keys.contains(reader)))
}

/// Returns what pass adds to messages about a part of the store, by its name; nothing about all of it.
pub fn suffix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" ({name})") }
}
