//! Plain types without I/O. They are parsed once, at the edge, and trusted from then on.

pub mod argument;
pub mod card;
pub mod date;
pub mod entry;
pub mod gpg_id;
pub mod key;
pub mod keyring;
pub mod merge;
pub mod secret;
pub mod shown;

pub use argument::argument;
pub use card::{Card, Secret};
pub use entry::{EntryName, FolderName, NameError};
pub use gpg_id::{GpgId, GpgIdLine};
pub use key::{Algorithm, Fingerprint, Key, KeyId, KeyProblem, RecipientId, Subkey, Validity, day};
pub use keyring::Keyring;
pub use secret::{Passphrase, Plaintext};
pub use shown::Shown;
