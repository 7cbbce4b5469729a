//! Use cases: one a file, the steps told in order.

pub mod adopt;
pub mod audit;
pub mod cache;
pub mod canonicalize;
pub mod check;
pub mod client;
pub mod clone;
mod concerned;
pub mod conflicts;
pub mod copies;
pub mod doctor;
pub mod edit;
mod error;
mod foreign;
pub mod fsck;
pub mod generate;
pub mod group;
pub mod guard;
pub mod health;
pub mod history;
pub mod incident;
pub mod init;
pub mod insert;
pub mod keys;
pub mod lists;
pub mod merge;
mod parallel;
pub mod progress;
pub mod readers;
pub mod recipients;
pub mod records;
pub mod reencrypt;
pub mod relocate;
pub mod remove;
pub mod review;
pub mod rotate;
pub mod rules;
pub mod show;
pub mod sync;
pub mod trust;
pub mod update;
pub mod vet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use error::OpError;
use error::shown_folder;

use crate::crypto::{Crypto, CryptoError, RecipientError, Trust};
use crate::git::GitError;
use crate::model::entry::is_long;
use crate::model::{EntryName, Fingerprint, FolderName, GpgIdLine, NameError, Plaintext, RecipientId, Shown};
use crate::store::beneath::State;
use crate::store::recipients::{Overlay, Rule};
use crate::store::transaction::{Outcome, Plan, Published};
use crate::store::{Store, StoreError};

/// How often a change is computed anew because the store changed meanwhile.
const TRIES: usize = 30;

/// How long, at least, a change is tried that others keep overtaking.
const PERSISTENCE: Duration = Duration::from_secs(120);

/// How often what looks uncommitted is looked at again.
const TRIES_AT_REST: usize = 3;

/// From so many lines on, one listing of the whole keyring is quicker than a program for each.
const MANY: usize = 6;

/// What operations work with.
pub struct Context<'a> {
    /// The store.
    pub store: &'a Store,
    /// OpenPGP.
    pub crypto: &'a dyn Crypto,
    /// Who is told how far long work has come.
    pub progress: &'a dyn progress::Progress,
    /// `PASSWORD_STORE_KEY`: recipients that override every file.
    pub keys: Option<&'a str>,
    /// `PASSWORD_STORE_SIGNING_KEY`: fingerprints that must have signed recipients files.
    pub signing_keys: &'a [String],
}

/// The recipients of a folder, every one of them found and usable.
#[derive(Debug, Clone)]
pub struct Recipients {
    /// The rule they come from.
    pub rule: Rule,
    /// The keys.
    pub keys: Vec<RecipientId>,
    /// Who vouches for the keys.
    pub trust: Trust,
}

/// Lists of recipients that were looked up already, by their file and its content.
#[derive(Default)]
pub struct KnownLists(BTreeMap<(Option<PathBuf>, Vec<u8>), Vec<RecipientId>>);

impl Context<'_> {
    /// Returns the recipients of `folder`. Fails closed: unless every line of the nearest recipients
    /// file gives usable keys, there are none.
    pub fn recipients(&self, folder: &FolderName) -> Result<Recipients, OpError> {
        self.recipients_with(folder, &Overlay::new())
    }

    /// Returns the recipients of `folder` as they will be with `overlay`.
    pub fn recipients_with(&self, folder: &FolderName, overlay: &Overlay) -> Result<Recipients, OpError> {
        self.recipients_known_with(folder, overlay, &mut KnownLists::default())
    }

    /// Returns the recipients of `folder`; a list that is known is not looked up again.
    pub fn recipients_known(
        &self,
        folder: &FolderName,
        known: &mut KnownLists,
    ) -> Result<Recipients, OpError> {
        self.recipients_known_with(folder, &Overlay::new(), known)
    }

    /// The same for many folders: each list is looked up and verified once.
    fn recipients_known_with(
        &self,
        folder: &FolderName,
        overlay: &Overlay,
        known: &mut KnownLists,
    ) -> Result<Recipients, OpError> {
        let mut last = None;
        for _ in 0..TRIES {
            let (recipients, stands) = self.resolved(folder, overlay, known)?;
            if !stands || self.check_accepted(folder, &recipients, overlay)? {
                return Ok(recipients);
            }
            last = recipients.rule.file;
        }
        Err(StoreError::Restless(Shown::os(&last.unwrap_or_default()).to_string()).into())
    }

    /// Returns the recipients of `folder` without asking whether they were accepted here, and whether that
    /// is to be asked: not of what the environment says, nor of a list that this very command sets.
    fn resolved(
        &self,
        folder: &FolderName,
        overlay: &Overlay,
        known: &mut KnownLists,
    ) -> Result<(Recipients, bool), OpError> {
        let rule = self.rule(folder, overlay)?;
        let stands = rule.file.as_ref().is_some_and(|file| !overlay.contains_key(file));
        let trust = if rule.file.is_some() { Trust::Accepted } else { Trust::Database };
        let list = (rule.file.clone(), rule.gpg_id.clone());
        if let Some(keys) = known.0.get(&list) {
            return Ok((Recipients { keys: keys.clone(), rule, trust }, stands));
        }
        if let Some(file) = &rule.file
            && stands
        {
            self.verify(file, &rule.gpg_id)?;
        }
        let keys = self.resolve(&rule)?;
        known.0.insert(list, keys.clone());
        Ok((Recipients { rule, keys, trust }, stands))
    }

    /// Returns what says who can read `folder`.
    fn rule(&self, folder: &FolderName, overlay: &Overlay) -> Result<Rule, OpError> {
        match self.keys {
            Some(keys) if !keys.trim().is_empty() => Ok(Rule::from_environment(keys)),
            _ => {
                let rule = self.store.rule(folder, overlay)?;
                rule.ok_or_else(|| OpError::NoRule(shown_folder(folder)))
            }
        }
    }

    /// Fails if `folder` could not be written to now: because of its recipients, or of its repository. For
    /// use before a person types or edits what would then be lost.
    pub fn check_writable(&self, folder: &FolderName) -> Result<(), OpError> {
        let recipients = self.recipients(folder)?;
        self.try_encrypting(folder, &recipients.keys, recipients.trust)?;
        Ok(self.store.check_recordable(folder)?)
    }

    /// Fails if `path`, an entry's file or a folder, has a part that would be made although it is longer than
    /// that of a new name. What stock pass made may have longer names, and keeps them.
    pub fn refuse_long(&self, path: &Path) -> Result<(), OpError> {
        for part in path.ancestors().filter(|path| is_long(path)) {
            if self.store.beneath().state(part).map_err(StoreError::from)? == State::Absent {
                return Err(NameError::TooLong(reencrypt::shown_entry(path)).into());
            }
        }
        Ok(())
    }

    /// Fails if GnuPG would refuse to encrypt to `keys`, for want of trust say.
    pub fn try_encrypting(
        &self,
        folder: &FolderName,
        keys: &[RecipientId],
        trust: Trust,
    ) -> Result<(), OpError> {
        let failed = |source| OpError::Encrypt { name: shown_folder(folder), source };
        self.crypto.encrypt(&Plaintext::new(Vec::new()), keys, trust).map(drop).map_err(failed)
    }

    /// Returns the keys of a rule.
    pub fn resolve(&self, rule: &Rule) -> Result<Vec<RecipientId>, OpError> {
        let place = match &rule.file {
            Some(file) => Shown::os(file).to_string(),
            None => "PASSWORD_STORE_KEY".to_owned(),
        };
        if rule.lines.is_empty() {
            return Err(OpError::EmptyRule(place));
        }
        let mut keys: Vec<RecipientId> = Vec::new();
        for (line, found) in rule.lines.iter().zip(self.look_up(&rule.lines)) {
            let found = found.map_err(|source| OpError::Recipient {
                id: Shown::new(&line.id).to_string(),
                place: match &rule.file {
                    Some(_) => format!("{place} line {}", line.number),
                    None => place.clone(),
                },
                source,
            })?;
            for key in found {
                // The same key named twice is one recipient.
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }

    /// Looks up what lines stand for, in the way that is quicker for so many.
    fn look_up(&self, lines: &[GpgIdLine]) -> Vec<Result<Vec<RecipientId>, RecipientError>> {
        let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
        match ids.len() {
            0..MANY => ids.iter().map(|id| self.crypto.resolve(id)).collect(),
            _ => self.crypto.resolve_all(&ids),
        }
    }

    /// Checks a recipients file's signature, where the user asks for signed ones.
    fn verify(&self, file: &Path, bytes: &[u8]) -> Result<(), OpError> {
        if self.signing_keys.is_empty() {
            return Ok(());
        }
        let signature = self.store.beneath().read(&signature_path(file)).map_err(StoreError::from)?;
        check_signature(self.crypto, self.signing_keys, file, bytes, signature.as_deref())
    }

    /// Returns the plaintext of a message that stands at `name`.
    pub fn decrypt(&self, name: impl std::fmt::Display, message: &[u8]) -> Result<Plaintext, OpError> {
        self.crypto.decrypt(message).map_err(|error| {
            // Clearer than what gpg makes of it, which has been said as well.
            let source = if message.is_empty() { CryptoError::Malformed("the file is empty") } else { error };
            OpError::Decrypt { name: name.to_string(), source }
        })
    }

    /// The same for one of many messages: in-process where that can be done.
    pub fn decrypt_one_of_many(
        &self,
        name: impl std::fmt::Display,
        message: &[u8],
    ) -> Result<Plaintext, OpError> {
        if message.is_empty() {
            return self.decrypt(name, message);
        }
        let failed = |source| OpError::Decrypt { name: name.to_string(), source };
        self.crypto.decryptor().read_message(message).map_err(failed)
    }

    /// Returns `text` encrypted for `name`.
    pub fn encrypt(&self, name: &EntryName, text: &Plaintext, to: &Recipients) -> Result<Vec<u8>, OpError> {
        let failed = |source| OpError::Encrypt { name: name.to_string(), source };
        self.crypto.encrypt(text, &to.keys, to.trust).map_err(failed)
    }

    /// Returns what `look` finds. While another command of ours moves the branch and then puts its files in
    /// place, they look as if nobody had committed them: what is refused for that is looked at again when it
    /// is done.
    pub(crate) fn at_rest<T>(&self, mut look: impl FnMut() -> Result<T, OpError>) -> Result<T, OpError> {
        for _ in 0..TRIES_AT_REST {
            match look() {
                Err(OpError::Store(StoreError::Git(
                    GitError::Uncommitted { .. } | GitError::Missing { .. },
                ))) => drop(self.store.lock()?),
                other => return other,
            }
        }
        look()
    }

    /// Publishes what `compute` returns; computes it anew when the store changed meanwhile.
    pub fn publish(&self, mut compute: impl FnMut() -> Result<Plan, OpError>) -> Result<Published, OpError> {
        let mut last = PathBuf::new();
        let begun = Instant::now();
        for tries in 0.. {
            // Somebody who writes without a pause, a script say, comes to an end.
            if tries >= TRIES && begun.elapsed() > PERSISTENCE {
                break;
            }
            let mut plan = self.at_rest(&mut compute)?;
            plan.accepts = self.accepts(&plan)?;
            match self.store.publish(&plan)? {
                Outcome::Done(published) if published.overtaken.is_empty() => {
                    if !published.commits.is_empty() {
                        self.tell_uncommitted_lists(&plan);
                    }
                    cache::settle(self);
                    return Ok(published);
                }
                Outcome::Done(published) => return Err(OpError::Overtaken(published.overtaken.join("; "))),
                Outcome::Stale(path) => last = path,
            }
        }
        Err(StoreError::Restless(Shown::os(&last).to_string()).into())
    }

    /// Tells of lists that entries were encrypted to, but that are not committed: for everybody else, another
    /// list rules those entries. As in pass, a list that somebody typed is committed by nobody else.
    fn tell_uncommitted_lists(&self, plan: &Plan) {
        let lists = plan.seen.iter().filter(|(path, state)| {
            path.ends_with(".gpg-id")
                && matches!(state, State::File(_))
                && plan.changes.iter().all(|change| change.path != *path)
        });
        for (path, _) in lists {
            // Only told: it is done.
            if self.store.is_uncommitted(path).unwrap_or(false) {
                let file = Shown::os(path);
                self.store.note(format!(
                    "`{file}` is not committed as it is, and others cannot see whom it names: commit it \
                     (`git add '{file}'`, `git commit`)"
                ));
            }
        }
    }
}

/// Fails unless `signature` is a good one of `bytes`, which stand in `file`, by one of the fingerprints
/// `keys`.
pub fn check_signature(
    crypto: &dyn Crypto,
    keys: &[String],
    file: &Path,
    bytes: &[u8],
    signature: Option<&[u8]>,
) -> Result<(), OpError> {
    let wrong = || OpError::Signature(Shown::os(file).to_string());
    let signers = crypto.verify(bytes, signature.ok_or_else(wrong)?).map_err(|_| wrong())?;
    let mut wanted = keys.iter().filter_map(|key| Fingerprint::parse(key));
    if wanted.any(|key| signers.contains(&key)) { Ok(()) } else { Err(wrong()) }
}

/// Returns the path of a file's signature.
pub fn signature_path(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".sig");
    path.into()
}
