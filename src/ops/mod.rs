//! Use cases: one a file, the steps told in order.

pub mod copies;
pub mod edit;
pub mod generate;
pub mod guard;
pub mod init;
pub mod insert;
pub mod lists;
pub mod reencrypt;
pub mod relocate;
pub mod remove;
pub mod review;
pub mod show;

use std::path::{Path, PathBuf};

use crate::crypto::{Crypto, CryptoError, RecipientError, Trust};
use crate::model::{EntryName, Fingerprint, FolderName, NameError, Plaintext, RecipientId, Shown};
use crate::store::recipients::{Overlay, Rule};
use crate::store::transaction::{Outcome, Plan, Published};
use crate::store::{Store, StoreError};

/// How often a change is computed anew because the store changed meanwhile.
const TRIES: usize = 30;

/// Why an operation failed; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// The text names no entry or folder.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The store could not be used or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such entry or folder.
    #[error("`{0}` is not in the password store")]
    NotFound(String),
    /// No recipients file rules the folder.
    #[error("no recipients file (.gpg-id) rules `{0}`")]
    NoRule(String),
    /// A recipients file names nobody.
    #[error("`{0}` names no recipient")]
    EmptyRule(String),
    /// A recipient cannot be encrypted to.
    #[error("recipient `{id}` in {place} cannot be encrypted to")]
    Recipient {
        /// The line's text.
        id: String,
        /// The file and line.
        place: String,
        /// Why not.
        #[source]
        source: RecipientError,
    },
    /// A signed recipients file is not signed, or not by the right key.
    #[error("the signature of `{0}` is missing or not by a key in PASSWORD_STORE_SIGNING_KEY")]
    Signature(String),
    /// Who can read the folder has changed, and nobody on this machine has accepted that.
    #[error("the recipients of {} have changed: {}", shown_folder(&.0.folder), .0.told())]
    NotAccepted(Box<guard::Difference>),
    /// A recipients file could not be signed.
    #[error("cannot sign `{path}`")]
    Sign {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: CryptoError,
    },
    /// An entry could not be decrypted.
    #[error("cannot decrypt `{name}`")]
    Decrypt {
        /// The entry.
        name: String,
        /// Why.
        #[source]
        source: CryptoError,
    },
    /// Several entries could not be decrypted; each was named.
    #[error("cannot decrypt {}", named(.names))]
    DecryptSeveral {
        /// The entries.
        names: Vec<String>,
    },
    /// Entries hold what was encrypted for others elsewhere, and nothing can be done without them.
    #[error("{} held back: encrypted for others elsewhere", held(.0))]
    HeldBack(Vec<String>),
    /// An entry could not be encrypted.
    #[error("cannot encrypt `{name}`")]
    Encrypt {
        /// The entry.
        name: String,
        /// Why.
        #[source]
        source: CryptoError,
    },
    /// The entry came into being while the user was busy.
    #[error("`{0}` was created meanwhile by another program")]
    CreatedMeanwhile(String),
    /// The entry was changed while the user edited it; the edited text was kept beside it.
    #[error("`{name}` was changed meanwhile by another program; your version is stored as `{kept}`")]
    ChangedMeanwhile {
        /// The entry.
        name: String,
        /// Where the user's version is.
        kept: String,
    },
    /// Another program wrote a file in the very moment of publication. Nothing is lost.
    #[error("{0}")]
    Overtaken(String),
    /// Something else stands where an entry or folder is expected.
    #[error("`{name}` is {what}")]
    Wrong {
        /// The name.
        name: String,
        /// What is the matter.
        what: &'static str,
    },
    /// Something stands at the destination.
    #[error("`{0}` already exists")]
    Occupied(String),
}

/// Returns names for a message: `` `a` ``, `` 2 entries: `a`, `b` ``.
fn named(names: &[String]) -> String {
    let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() == 1 { list } else { format!("{} entries: {list}", names.len()) }
}

/// Returns names with their verb.
fn held(names: &[String]) -> String {
    format!("{} {}", named(names), if names.len() == 1 { "is" } else { "are" })
}

/// What operations work with.
pub struct Context<'a> {
    /// The store.
    pub store: &'a Store,
    /// OpenPGP.
    pub crypto: &'a dyn Crypto,
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

impl Context<'_> {
    /// Returns the recipients of `folder`. Fails closed: unless every line of the nearest recipients
    /// file gives usable keys, there are none.
    pub fn recipients(&self, folder: &FolderName) -> Result<Recipients, OpError> {
        self.recipients_with(folder, &Overlay::new())
    }

    /// Returns the recipients of `folder` as they will be with `overlay`.
    pub fn recipients_with(&self, folder: &FolderName, overlay: &Overlay) -> Result<Recipients, OpError> {
        let (recipients, stands) = self.resolved(folder, overlay)?;
        if stands {
            self.check_accepted(folder, &recipients, overlay)?;
        }
        Ok(recipients)
    }

    /// Returns the recipients of `folder` without asking whether they were accepted here, and whether that
    /// is to be asked: not of what the environment says, nor of a list that this very command sets.
    fn resolved(&self, folder: &FolderName, overlay: &Overlay) -> Result<(Recipients, bool), OpError> {
        let rule = match self.keys {
            Some(keys) if !keys.trim().is_empty() => Rule::from_environment(keys),
            _ => {
                let rule = self.store.rule(folder, overlay)?;
                rule.ok_or_else(|| OpError::NoRule(shown_folder(folder)))?
            }
        };
        let stands = rule.file.as_ref().is_some_and(|file| !overlay.contains_key(file));
        if let Some(file) = &rule.file
            && stands
        {
            self.verify(file, &rule.gpg_id)?;
        }
        let keys = self.resolve(&rule)?;
        let trust = if rule.file.is_some() { Trust::Accepted } else { Trust::Database };
        Ok((Recipients { rule, keys, trust }, stands))
    }

    /// Fails if `folder` could not be written to now: because of its recipients, or of its repository. For
    /// use before a person types or edits what would then be lost.
    pub fn check_writable(&self, folder: &FolderName) -> Result<(), OpError> {
        let recipients = self.recipients(folder)?;
        self.try_encrypting(folder, &recipients.keys, recipients.trust)?;
        Ok(self.store.check_recordable(folder)?)
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
        for line in &rule.lines {
            let found = self.crypto.resolve(&line.id).map_err(|source| OpError::Recipient {
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
        let failed = |source| OpError::Decrypt { name: name.to_string(), source };
        self.crypto.decrypt(message).map_err(failed)
    }

    /// Returns `text` encrypted for `name`.
    pub fn encrypt(&self, name: &EntryName, text: &Plaintext, to: &Recipients) -> Result<Vec<u8>, OpError> {
        let failed = |source| OpError::Encrypt { name: name.to_string(), source };
        self.crypto.encrypt(text, &to.keys, to.trust).map_err(failed)
    }

    /// Publishes what `compute` returns; computes it anew when the store changed meanwhile.
    pub fn publish(&self, mut compute: impl FnMut() -> Result<Plan, OpError>) -> Result<Published, OpError> {
        let mut last = PathBuf::new();
        for _ in 0..TRIES {
            let plan = compute()?;
            match self.store.publish(&plan)? {
                Outcome::Done(published) if published.overtaken.is_empty() => {
                    // What this fails to remember is recognised later as made here.
                    if let Err(error) = self.remember(&plan) {
                        self.store.note(format!("accepted recipients could not be remembered: {error}"));
                    }
                    return Ok(published);
                }
                Outcome::Done(published) => return Err(OpError::Overtaken(published.overtaken.join("; "))),
                Outcome::Stale(path) => last = path,
            }
        }
        Err(StoreError::Restless(Shown::os(&last).to_string()).into())
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

/// Returns a folder's name for a message; the root has none of its own.
fn shown_folder(folder: &FolderName) -> String {
    if folder.is_root() { "the password store".to_owned() } else { folder.to_string() }
}
