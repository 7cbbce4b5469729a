//! Bringing entries in line with the recipients of their folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::{Context, OpError, Recipients};
pub use crate::model::entry::{is_entry, shown_entry};
use crate::model::{FolderName, KeyId, RecipientId};
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
    rules: BTreeMap<PathBuf, Recipients>,
    failed: Vec<String>,
    /// Entries that are right as they are: they must still be when the change is published.
    right: Seen,
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
            done: Vec::new(),
        }
    }

    /// Returns `message` for its place at `path`: encrypted anew if others can read it than the
    /// recipients of its new folder, none if it is right as it is.
    ///
    /// Failures name `source`, where the message stands now.
    pub fn message(
        &mut self,
        source: &Path,
        path: &Path,
        message: &[u8],
    ) -> Result<Option<Vec<u8>>, OpError> {
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        if !self.rules.contains_key(&folder) {
            let name = FolderName::parse(folder.as_os_str())?;
            let recipients = self.context.recipients_with(&name, self.overlay)?;
            self.rules.insert(folder.clone(), recipients);
        }
        let recipients = &self.rules[&folder];
        let name = shown_entry(path);
        let known = shown_entry(source);
        let failed = |source| OpError::Decrypt { name: known.clone(), source };
        let readers = match self.context.crypto.recipients_of(message) {
            Ok(readers) => readers,
            Err(error) => return self.fail(failed(error), &known),
        };
        if is_in_line(&readers, &recipients.keys) {
            return Ok(None);
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
        Ok(Some(encrypted))
    }

    /// Remembers a failure and goes on, so that all of them can be told at once.
    fn fail(&mut self, error: OpError, name: &str) -> Result<Option<Vec<u8>>, OpError> {
        match error {
            OpError::Decrypt { .. } => self.failed.push(name.to_owned()),
            other => return Err(other),
        }
        Ok(None)
    }

    /// Returns what was encrypted anew with what was looked at for it, or the failures.
    pub fn finish(self) -> Result<(Vec<Reencrypted>, Seen), OpError> {
        if !self.failed.is_empty() {
            return Err(OpError::DecryptSeveral { names: self.failed });
        }
        let rules = self.rules.into_values().flat_map(|recipients| recipients.rule.seen);
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
        match self.message(&path, &path, &message)? {
            Some(new) => Ok(Some(Change { path, seen, new: Some(new) })),
            None => {
                self.right.push((path, seen));
                Ok(None)
            }
        }
    }
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
