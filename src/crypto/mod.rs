//! Encryption, decryption, keys and signatures: what the store asks of OpenPGP.

mod armor;
mod colons;
#[doc(hidden)]
pub mod fake;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gnupg;
mod gpg;
mod gpgconf;
mod gpgme;
pub mod lookup;
mod native;
pub mod openpgp;
mod status;
mod tally;

#[cfg(test)]
mod tests;

pub use gnupg::GnuPg;
pub use gpg::GnuPgConfig;
pub use native::CacheConfig;
pub use tally::Tally;

use std::time::Duration;

use crate::model::{Fingerprint, Key, KeyId, KeyProblem, Plaintext, RecipientId};

/// The largest message that is decrypted among many, and the largest plaintext, in bytes: one of them must
/// not take all memory from the others.
pub const LARGEST_OF_MANY: u64 = 256 << 20;

/// Decrypts on any thread.
pub trait Decryptor: Sync {
    /// Tells how many messages are to come: for more than one, preparations pay.
    fn expect(&self, messages: usize) {
        let _ = messages;
    }

    /// Returns the plaintext of a message that is encrypted, whole and integrity protected, and has a
    /// [normal form](openpgp::normal): of what [`openpgp::body`] tells from others, and of nothing else.
    fn decrypt_message(&self, message: &[u8]) -> Result<Plaintext, CryptoError>;

    /// Returns the plaintext of a message for somebody to look at: it may be of any form that gpg reads.
    fn read_message(&self, message: &[u8]) -> Result<Plaintext, CryptoError> {
        self.decrypt_message(message)
    }
}

/// How quickly one of the user's own keys works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpeed {
    /// The part that opens messages.
    pub fingerprint: Fingerprint,
    /// What the key is called.
    pub name: String,
    /// Whether a smartcard has it.
    pub on_card: bool,
    /// How often the agent now repeats a hash (its `s2k-count`) where it protects a key with a passphrase;
    /// none for a key that is stored without one, or on a card.
    pub derivation: Option<u64>,
    /// How long one private-key operation takes; none where the agent cannot use the key now, for want of its
    /// passphrase or card.
    pub operation: Option<Duration>,
}

/// What there is to say of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is good: the fingerprints of the signing key and of its primary key.
    Good(Vec<Fingerprint>),
    /// It was made by the key of these fingerprints, but that has expired since, or the signature has.
    Expired(Vec<Fingerprint>),
    /// It was made by the key of these fingerprints, but that was revoked.
    Revoked(Vec<Fingerprint>),
    /// What was signed is something else.
    Bad,
    /// Nobody here can tell: the key is not in the keyring.
    Unknown,
}

/// Who vouches for the keys that are encrypted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Their full fingerprints were accepted by a person: GnuPG's trust database is not asked.
    Accepted,
    /// GnuPG's trust database, as for pass: a key that nobody has certified is refused.
    Database,
}

/// What the store asks of OpenPGP.
pub trait Crypto {
    /// Returns the keys that one line of a recipients file stands for: one key, or the members of a
    /// group of gpg.conf. Fails unless every one of them is found, unambiguous and usable.
    fn resolve(&self, id: &str) -> Result<Vec<RecipientId>, RecipientError>;

    /// Returns what [`Crypto::resolve`] returns for each of `ids`, quicker for many.
    fn resolve_all(&self, ids: &[&str]) -> Vec<Result<Vec<RecipientId>, RecipientError>> {
        ids.iter().map(|id| self.resolve(id)).collect()
    }

    /// Whether a line of a recipients file is a group of the user's own gpg.conf.
    fn is_group(&self, id: &str) -> bool;

    /// Returns `plaintext` encrypted to exactly `to`, uncompressed; binary, unless the user's own GnuPG
    /// options ask for ASCII armour.
    fn encrypt(
        &self,
        plaintext: &Plaintext,
        to: &[RecipientId],
        trust: Trust,
    ) -> Result<Vec<u8>, CryptoError>;

    /// Returns the plaintext of a message that is encrypted, whole and integrity protected, for somebody to
    /// look at: it may be of any form that gpg reads.
    fn decrypt(&self, message: &[u8]) -> Result<Plaintext, CryptoError>;

    /// Gets ready to decrypt one message quickly in the next run.
    fn prepare(&self) {}

    /// Returns what decrypts on several threads at once, to encrypt anew.
    fn decryptor(&self) -> &dyn Decryptor;

    /// How many messages' session keys are remembered for later runs, if this run has added some.
    fn remembered_more(&self) -> Option<usize> {
        None
    }

    /// Forgets the session keys of messages that are not among `messages`, and were not met in this run.
    fn forget_others(&self, messages: &mut dyn Iterator<Item = Vec<u8>>) {
        let _ = messages;
    }

    /// Writes down the session keys to remember.
    fn remember(&self) {}

    /// Whether the session key of a message is remembered, once messages were [expected](Decryptor::expect).
    fn is_remembered(&self, message: &[u8]) -> bool {
        let _ = message;
        false
    }

    /// Returns how quickly those of the user's own keys work that messages are opened with in-process;
    /// somebody may be asked for a passphrase or a card.
    fn key_speeds(&self) -> Vec<KeySpeed> {
        Vec::new()
    }

    /// Returns how messages were encrypted and decrypted so far.
    fn tally(&self) -> Tally {
        Tally::default()
    }

    /// Returns the key IDs in the message's session-key packets, in order; no key is needed. Fails for
    /// messages of a form that gpg might read otherwise.
    fn recipients_of(&self, message: &[u8]) -> Result<Vec<KeyId>, CryptoError>;

    /// Returns a detached binary signature of `data` by the keys `signers` (the default key if none).
    fn sign(&self, data: &[u8], signers: &[String]) -> Result<Vec<u8>, CryptoError>;

    /// Returns the full fingerprints (signing key and its primary key) of every good signature.
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<Vec<Fingerprint>, CryptoError>;

    /// Returns what there is to say of the signature of `data`; of several, the best.
    fn judge(&self, data: &[u8], signature: &[u8]) -> Result<Verdict, CryptoError> {
        let good = self.verify(data, signature)?;
        Ok(if good.is_empty() { Verdict::Bad } else { Verdict::Good(good) })
    }

    /// Returns all public keys of the keyring, expired and revoked ones included.
    fn keys(&self) -> Result<Vec<Key>, CryptoError>;

    /// Returns the primary fingerprints of the keys whose secret part this user has, on a smartcard
    /// perhaps.
    fn own_keys(&self) -> Result<Vec<Fingerprint>, CryptoError>;

    /// Returns those of `keys` whose owners certified their user IDs with MD5, SHA-1 or RIPEMD-160 only.
    fn with_old_digests(&self, keys: &[Fingerprint]) -> Result<Vec<Fingerprint>, CryptoError>;

    /// Returns the keys in an exported key block, binary or armored; the keyring is not touched.
    fn inspect(&self, block: &[u8]) -> Result<Vec<Key>, CryptoError>;

    /// Adds the public key `key` from an exported key block to the keyring; ownertrust is left as it is.
    /// Fails unless the block holds that public key and nothing else.
    fn import(&self, block: &[u8], key: &Fingerprint) -> Result<(), CryptoError>;

    /// Returns the public key `key`, armored, with the signatures of its owner alone.
    fn export(&self, key: &Fingerprint) -> Result<Vec<u8>, CryptoError>;

    /// Certifies every user ID of `key` for this keyring alone (a signature that is never exported), so
    /// that stock pass encrypts to it too.
    fn certify(&self, key: &Fingerprint) -> Result<(), CryptoError>;
}

/// Why one line of a recipients file gives no key to encrypt to.
#[derive(Debug, thiserror::Error)]
pub enum RecipientError {
    /// No key of the keyring has that name.
    #[error("no public key for `{id}` is in the keyring")]
    Missing {
        /// The line's text.
        id: String,
    },
    /// More than one usable key has exactly that name.
    #[error("`{id}` could mean any of {}", list(.keys))]
    Ambiguous {
        /// The line's text.
        id: String,
        /// The usable keys of that name.
        keys: Vec<Fingerprint>,
    },
    /// The one key of that name cannot be encrypted to.
    #[error("key {fingerprint} (`{id}`) {problem}")]
    Unusable {
        /// The line's text.
        id: String,
        /// The key.
        fingerprint: Fingerprint,
        /// What is the matter with it.
        problem: KeyProblem,
    },
    /// The keyring could not be read.
    #[error("cannot look up `{id}` in the keyring")]
    Lookup {
        /// The line's text.
        id: String,
        /// Why.
        #[source]
        source: CryptoError,
    },
}

impl RecipientError {
    /// Returns the error of a member of the group `group`, which its name then says.
    fn in_group(mut self, group: &str) -> Self {
        let (Self::Missing { id }
        | Self::Ambiguous { id, .. }
        | Self::Unusable { id, .. }
        | Self::Lookup { id, .. }) = &mut self;
        id.push_str(&format!(" (of group {group})"));
        self
    }
}

/// Why a cryptographic operation failed.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The gpg program could not be started.
    #[error("cannot run `{program}`")]
    NotRun {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// gpg could not decrypt; it has said more on standard error.
    #[error("{why}")]
    Decrypt {
        /// gpg's exit code, 2 if it was killed.
        code: u8,
        /// Why, as far as gpg lets us know.
        why: Undecryptable,
    },
    /// The message is not an encrypted one, or its integrity is not protected.
    #[error("{0}")]
    Unsound(&'static str),
    /// The bytes are no OpenPGP message.
    #[error("not an OpenPGP message: {0}")]
    Malformed(&'static str),
    /// GnuPG does not trust a key to belong to its owner.
    #[error("GnuPG has no assurance that key {0} belongs to whom it names")]
    Untrusted(Fingerprint),
    /// The message came out encrypted to other keys than asked for; it was thrown away.
    #[error("the message would have been readable by {found}, not by {wanted}")]
    WrongRecipients {
        /// The key IDs asked for.
        wanted: String,
        /// The key IDs found.
        found: String,
    },
    /// gpg failed with this message.
    #[error("gpg: {0}")]
    Gpg(String),
    /// gpgme failed.
    #[error("GnuPG cannot {action}")]
    Gpgme {
        /// What it was asked to do.
        action: &'static str,
        /// Why it did not.
        #[source]
        source: ::gpgme::Error,
    },
}

/// The error for a passphrase that was not given.
const CANCELLED: CryptoError = CryptoError::Decrypt { code: 2, why: Undecryptable::Cancelled };

/// Why gpg could not decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecryptable {
    /// There is nothing encrypted.
    NoMessage,
    /// It is encrypted to other keys than those we have.
    NoKey,
    /// Somebody was asked for the key's passphrase, and did not give it.
    Cancelled,
    /// There was a key for it, but what it opens is not whole.
    Damaged,
    /// Something else, such as a card that is not there.
    Other,
}

impl std::fmt::Display for Undecryptable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Undecryptable::NoMessage => "it is no OpenPGP message",
            Undecryptable::NoKey => "none of your secret keys can read it",
            Undecryptable::Damaged => "the message is damaged",
            Undecryptable::Cancelled | Undecryptable::Other => "gpg could not decrypt the message",
        })
    }
}

/// Returns fingerprints for a message: `A, B`.
fn list(keys: &[Fingerprint]) -> String {
    keys.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(", ")
}
