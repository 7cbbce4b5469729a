//! Why recipients, groups, rules or clients could not be changed.

use crate::config::{self, ConfigError, GroupName};
use crate::model::{Fingerprint, FolderName};

use super::shown;

/// Why recipients, groups, rules or clients could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The configuration could not be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no such group.
    #[error("there is no group `{0}`")]
    NoGroup(GroupName),
    /// Rules still name the group.
    #[error("the group `{group}` is used by {}", .folders.join(", "))]
    GroupUsed {
        /// The group.
        group: GroupName,
        /// The folders.
        folders: Vec<String>,
    },
    /// The folder's rule does not name the group.
    #[error("{folder} does not use the group `{group}`")]
    GroupUnused {
        /// The group.
        group: GroupName,
        /// The folder.
        folder: String,
    },
    /// Without the group, the folder would have no recipients.
    #[error("nobody but the group `{group}` can read {folder}")]
    NobodyElse {
        /// The group.
        group: GroupName,
        /// The folder.
        folder: String,
    },
    /// The key is not in the group.
    #[error("{key} is not in the group `{group}`")]
    NotInGroup {
        /// The group.
        group: GroupName,
        /// The key, as it was named.
        key: String,
    },
    /// The folder follows a group that has the key.
    #[error("the group `{group}`, which {} follows, lets key {key} in", shown(.folder))]
    Brought {
        /// The group.
        group: GroupName,
        /// The folder.
        folder: FolderName,
        /// The key.
        key: Fingerprint,
    },
    /// There is no such folder.
    #[error("there is no folder {}", shown(.0))]
    NoFolder(FolderName),
    /// An entry has the name, which only folders can have recipients for.
    #[error("{} is an entry, and recipients are those of folders", shown(.0))]
    Entry(FolderName),
    /// Recipients files were edited so that they are not what their rules come to.
    #[error("the recipients of {} are not those of the rule in {}", .0.join(", "), config::FILE)]
    Differs(Vec<String>),
    /// The user could no longer read what they can read now.
    #[error("you could no longer read {}", .0.join(", "))]
    LocksOut(Vec<String>),
    /// The folder would have no recipients.
    #[error("nobody could read {0} any more")]
    Nobody(String),
    /// A list asks for one subkey, which groups and rules cannot.
    #[error("{place} asks for one subkey of a key (`{id}`), which rules cannot")]
    Subkey {
        /// The recipients file and line, or the command.
        place: String,
        /// The recipient.
        id: String,
    },
    /// `PASSWORD_STORE_KEY` overrides what is to be changed.
    #[error("PASSWORD_STORE_KEY overrides all recipients files while it is set")]
    Overridden,
    /// The change would no longer be what was shown.
    #[error("the store was changed meanwhile, and this would no longer do what was shown")]
    NotAsShown,
    /// The folder of a new client has recipients of its own.
    #[error("there is a client `{0}` already")]
    ClientExists(String),
    /// There is no such client.
    #[error("there is no client `{0}`")]
    NoClient(String),
    /// The client's key could read more than their folder.
    #[error("key {key} can read {above} already, and would be no client's")]
    NoStranger {
        /// The key.
        key: Fingerprint,
        /// The folder above.
        above: String,
    },
    /// Nothing tells which key is the client's.
    #[error("no key of {0} is known to be the client's")]
    NoClientKey(String),
}
