//! Bringing entries in line with the recipients of their folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::FileType;

use super::copies::{Copies, body_of};
use super::{Context, OpError, Recipients};
use crate::crypto::openpgp;
use crate::model::{FolderName, KeyId, Shown};
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::{Change, Plan, Published};

/// An entry that is encrypted anew, to be told to the user.
#[derive(Debug, Clone)]
pub struct Reencrypted {
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
        reencrypted = add_entries(context, &[path], &Overlay::new(), &mut plan)?;
        Ok(plan)
    })?;
    Ok(Changed { published, reencrypted })
}

/// Adds the entries at `paths`, or below those folders, to `plan` where they need encrypting anew.
pub fn add_entries(
    context: &Context<'_>,
    paths: &[&Path],
    overlay: &Overlay,
    plan: &mut Plan,
) -> Result<Vec<Reencrypted>, OpError> {
    let mut work = Reencryption::new(context, overlay);
    let mut changes = Vec::new();
    for path in paths {
        context.store.refuse_left_out(path)?;
        match context.store.beneath().state(path)? {
            State::Folder => {
                // Listed first: what comes while we encrypt is found missing under the lock.
                plan.below.push((path.to_path_buf(), context.store.files_below(path)?));
                changes.extend(work.folder(path)?);
            }
            State::File(_) if is_entry(path) => changes.extend(work.entry(path)?),
            // Links are left alone, as in pass: what they lead to has its own place.
            _ => {}
        }
    }
    let (done, seen) = work.finish()?;
    plan.changes.extend(changes);
    plan.seen.extend(seen);
    Ok(done)
}

/// Re-encrypts many entries; looks each folder's recipients up once, and gathers failures.
pub struct Reencryption<'a, 'c> {
    context: &'a Context<'c>,
    overlay: &'a Overlay,
    rules: BTreeMap<PathBuf, Rc<Recipients>>,
    failed: Vec<String>,
    /// Entries that are right as they are: they must still be when the change is published.
    right: Seen,
    /// Where encrypted data have been; looked through when the first entry needs encrypting anew.
    copies: Option<Copies>,
    /// The entries encrypted anew so far.
    pub done: Vec<Reencrypted>,
}

impl<'a, 'c> Reencryption<'a, 'c> {
    /// Begins; recipients files in `overlay` count as they are going to be.
    pub fn new(context: &'a Context<'c>, overlay: &'a Overlay) -> Self {
        Reencryption {
            context,
            overlay,
            rules: BTreeMap::new(),
            failed: Vec::new(),
            right: Vec::new(),
            copies: None,
            done: Vec::new(),
        }
    }

    /// Returns what becomes of `message` at `path`: it is encrypted anew if others can read it than the
    /// recipients of its new folder.
    ///
    /// Failures name `source`, where the message stands now.
    pub fn message(&mut self, source: &Path, path: &Path, message: &[u8]) -> Result<Message, OpError> {
        let recipients = self.recipients(path)?;
        let name = shown_entry(path);
        let known = shown_entry(source);
        let failed = |source| OpError::Decrypt { name: known.clone(), source };
        let readers = match self.context.crypto.recipients_of(message) {
            Ok(readers) => readers,
            Err(error) => return self.fail(failed(error), &known),
        };
        if in_line(&readers, &recipients) {
            return Ok(Message::Right);
        }
        match self.is_held_back(source, message, &recipients) {
            Ok(true) => return Ok(Message::HeldBack),
            Ok(false) => {}
            Err(error) => return self.fail(error, &known),
        }
        let text = match self.context.decrypt(&known, message) {
            Ok(text) => text,
            Err(error) => return self.fail(error, &known),
        };
        let encrypted = self
            .context
            .crypto
            .encrypt(&text, &recipients.keys, recipients.trust)
            .map_err(|source| OpError::Encrypt { name: name.clone(), source })?;
        let mut key_ids = self.context.crypto.recipients_of(&encrypted).map_err(failed)?;
        key_ids.sort();
        key_ids.dedup();
        self.done.push(Reencrypted { name, key_ids });
        Ok(Message::Anew(encrypted))
    }

    /// Returns the recipients of the folder that holds `path`.
    fn recipients(&mut self, path: &Path) -> Result<Rc<Recipients>, OpError> {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        if let Some(known) = self.rules.get(&folder) {
            return Ok(Rc::clone(known));
        }
        let name = FolderName::parse(folder.as_os_str())?;
        let recipients = Rc::new(self.context.recipients_with(&name, self.overlay)?);
        self.rules.insert(folder, Rc::clone(&recipients));
        Ok(recipients)
    }

    /// Whether `message`, which stands at `source`, must not be decrypted for `recipients`.
    fn is_held_back(
        &mut self,
        source: &Path,
        message: &[u8],
        recipients: &Recipients,
    ) -> Result<bool, OpError> {
        let copies = match &mut self.copies {
            Some(copies) => copies,
            none => none.insert(Copies::read(self.context)?),
        };
        let name = shown_entry(source);
        let body = body_of(&name, message)?;
        let copied = copies.undecided(self.context, source, &body, &recipients.keys)?;
        self.context.store.hold_back(source, copied.as_ref().map(|copied| copied.told(&name)));
        Ok(copied.is_some())
    }

    /// Remembers a failure and goes on, so that all of them can be told at once.
    fn fail(&mut self, error: OpError, name: &str) -> Result<Message, OpError> {
        match error {
            OpError::Decrypt { .. } => self.failed.push(name.to_owned()),
            other => return Err(other),
        }
        Ok(Message::Right)
    }

    /// Returns what was encrypted anew with what was looked at for it, or the failures.
    pub fn finish(self) -> Result<(Vec<Reencrypted>, Seen), OpError> {
        if !self.failed.is_empty() {
            return Err(OpError::DecryptSeveral { names: self.failed });
        }
        let rules = self.rules.into_values().flat_map(|recipients| recipients.rule.seen.clone());
        Ok((self.done, rules.chain(self.right).collect()))
    }

    /// Returns the changes that bring every entry below `folder` in line.
    pub fn folder(&mut self, folder: &Path) -> Result<Vec<Change>, OpError> {
        let mut changes = Vec::new();
        for (path, kind) in self.context.store.beneath().below(folder)?.files {
            // Links are left alone here too.
            if kind == FileType::RegularFile && is_entry(&path) {
                changes.extend(self.entry(&path)?);
            }
        }
        Ok(changes)
    }

    /// Returns the change that brings the entry at `path` in line, none if it is right as it is.
    pub fn entry(&mut self, path: &Path) -> Result<Option<Change>, OpError> {
        let Some(message) = self.context.store.beneath().read(path)? else { return Ok(None) };
        let (path, seen) = (path.to_path_buf(), State::of(&message));
        let new = match self.message(&path, &path, &message)? {
            Message::Right => None,
            Message::Anew(new) => Some(new),
            Message::HeldBack => self.taken_off(&path, &message)?,
        };
        if new.is_none() {
            self.right.push((path, seen));
            return Ok(None);
        }
        Ok(Some(Change { path, seen, new }))
    }

    /// Returns a message that is held back without the session-key packets of keys that its folder's list
    /// does not name: no commit says that a key was taken away from what still carries it. Nobody gains by
    /// that, and nobody on the list loses. None if there are no such packets.
    fn taken_off(&mut self, path: &Path, message: &[u8]) -> Result<Option<Vec<u8>>, OpError> {
        let recipients = self.recipients(path)?;
        let belongs = |key: &KeyId| recipients.keys.iter().any(|r| r.encryption_keys.contains(key));
        let crypto = self.context.crypto;
        let failed = |source| OpError::Decrypt { name: shown_entry(path), source };
        if crypto.recipients_of(message).map_err(failed)?.iter().all(belongs) {
            return Ok(None);
        }
        let kept = openpgp::without(message, belongs).ok();
        let readers = kept.as_deref().and_then(|kept| crypto.recipients_of(kept).ok()).unwrap_or_default();
        // With nobody left, or somebody whom no packet names, only a person can go on.
        if readers.is_empty() || !readers.iter().all(belongs) {
            return Err(OpError::HeldBack(vec![shown_entry(path)]));
        }
        Ok(kept)
    }
}

/// Whether a message is readable by exactly the recipients: each by at least one of its keys, and
/// nobody else.
fn in_line(readers: &[KeyId], recipients: &Recipients) -> bool {
    let reads = |keys: &[KeyId]| keys.iter().any(|key| readers.contains(key));
    recipients.keys.iter().all(|recipient| reads(&recipient.encryption_keys))
        && readers
            .iter()
            .all(|reader| recipients.keys.iter().any(|recipient| recipient.encryption_keys.contains(reader)))
}

/// Whether a file's name is an entry's: pass takes the suffix in any case.
pub fn is_entry(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("gpg"))
}

/// Returns an entry's name for messages.
pub fn shown_entry(path: &Path) -> String {
    let text = Shown::os(path).to_string();
    text.strip_suffix(".gpg").unwrap_or(&text).to_owned()
}

/// Returns what pass adds to messages about a part of the store, by its name; nothing about all of it.
pub fn suffix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(" ({name})") }
}
