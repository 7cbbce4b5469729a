//! Why an operation failed.

use super::{guard, health, history, keys, rules, trust};
use crate::check::CheckError;
use crate::crypto::{CryptoError, RecipientError};
use crate::model::{Fingerprint, FolderName, NameError};
use crate::store::StoreError;
use crate::store::survey::SurveyError;

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
    /// Groups, rules or clients could not be changed.
    #[error(transparent)]
    Rule(#[from] rules::RuleError),
    /// There is no history to show.
    #[error(transparent)]
    History(#[from] history::HistoryError),
    /// A question about the past has no answer.
    #[error(transparent)]
    Audit(#[from] super::audit::AuditError),
    /// Records of ours could not be read or written.
    #[error(transparent)]
    Records(#[from] super::records::RecordsError),
    /// The rotation list could not be read or changed.
    #[error(transparent)]
    Rotate(#[from] super::rotate::RotateError),
    /// There is no such incident, or it cannot be changed.
    #[error(transparent)]
    Incident(#[from] super::incident::IncidentError),
    /// What passwords are held to means nothing.
    #[error(transparent)]
    Health(#[from] health::PolicyError),
    /// A key cannot be trusted, or not be distrusted.
    #[error(transparent)]
    Trust(#[from] trust::TrustError),
    /// No recipients file rules the folder.
    #[error("no recipients file (.gpg-id) rules `{0}`")]
    NoRule(String),
    /// The last list is to go, and entries would be left that nobody could be told to read.
    #[error("the entries of the store would have no recipients")]
    LastList,
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
    /// The groups and rules that a change is made from have changed, and nobody on this machine has accepted that.
    #[error("the groups and rules of `{}` have changed: {}", crate::config::FILE, .0.told())]
    RulesNotAccepted(Box<guard::RulesDifference>),
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
    /// Several things are the matter.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<OpError>),
    /// An entry could not be encrypted.
    #[error("cannot encrypt `{name}`")]
    Encrypt {
        /// The entry.
        name: String,
        /// Why.
        #[source]
        source: CryptoError,
    },
    /// A name leads to a key of which nobody has said that it belongs to whom it names.
    #[error("`{id}` leads to key {key}, and nobody has confirmed that it belongs to whom it names")]
    Unconfirmed {
        /// The name, as it was typed. Safe to show.
        id: String,
        /// The key.
        key: Fingerprint,
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
    /// The user's own keys could not be listed.
    #[error("cannot list your own keys")]
    OwnKeys {
        /// Why.
        #[source]
        source: CryptoError,
    },
    /// The key is no recipient.
    #[error("`{id}` is no recipient of {folder}")]
    NoRecipient {
        /// The key as it was named.
        id: String,
        /// The folder.
        folder: String,
        /// Folders whose own lists name it.
        elsewhere: Vec<FolderName>,
    },
    /// Who can read what could not be found out.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// A folder has no recipients file of its own, nor has one below it.
    #[error("neither {folder} nor a folder in it has a recipients file of its own")]
    NoOwnList {
        /// The folder.
        folder: String,
    },
    /// A check could not look.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A name stands for no one key.
    #[error("`{id}` names no key")]
    Key {
        /// The name.
        id: String,
        /// Why not.
        #[source]
        source: RecipientError,
    },
    /// A line of a recipients file stands for several keys.
    #[error("{place} names the group `{id}`, which holds other keys too")]
    GroupLine {
        /// The group.
        id: String,
        /// The file and line.
        place: String,
    },
    /// The keyring could not be listed, or a key file not be looked at.
    #[error("cannot read the keyring")]
    Keyring {
        /// Why.
        #[source]
        source: CryptoError,
    },
    /// A key could not be exported or imported.
    #[error("cannot {action} key {key}")]
    KeyWork {
        /// What was tried.
        action: &'static str,
        /// The key.
        key: Fingerprint,
        /// Why not.
        #[source]
        source: CryptoError,
    },
    /// What stands in a key's place is no key file.
    #[error("`{path}` cannot be used as a key file")]
    KeyFile {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: keys::KeyFileError,
    },
    /// There are more files in `.public-keys` than anybody needs.
    #[error("`{}` holds {count} files, more than the {most} that are looked at", keys::FOLDER)]
    TooManyKeys {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// A line of a recipients file may name any key.
    #[error("nobody can tell whose key `{id}` in {place} is")]
    Vague {
        /// The line's text.
        id: String,
        /// The file and line.
        place: String,
    },
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

impl OpError {
    /// Fails with all of `errors`, if there are any.
    pub(super) fn all(mut errors: Vec<OpError>) -> Result<(), OpError> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(OpError::Several(errors)),
        }
    }
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

/// Returns a folder's name for a message; the root has none of its own.
pub(super) fn shown_folder(folder: &FolderName) -> String {
    if folder.is_root() { "the password store".to_owned() } else { folder.to_string() }
}
