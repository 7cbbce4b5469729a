//! OpenPGP in-process, beside gpg: the only folder naming the `pgp` library. Whatever is out of the ordinary
//! is left to gpg (ARCHITECTURE.md, "OpenPGP").

mod agent;
mod keys;
mod open;
mod options;
mod packets;
mod seal;
mod sexp;

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use pgp::composed::RawSessionKey;
use pgp::crypto::sym::SymmetricKeyAlgorithm;

pub use agent::is_cancellation;
pub use open::Unopened;

use super::gpg::{GnuPgConfig, Gpg};
use super::gpgconf::{self, Directories};
use crate::model::{Plaintext, RecipientId};

/// What a message's data are encrypted with. Wipes itself; neither shown nor compared.
struct SessionKey {
    cipher: SymmetricKeyAlgorithm,
    key: RawSessionKey,
}

/// OpenPGP without a gpg for every message.
pub struct Native {
    config: GnuPgConfig,
    gpg: Gpg,
    directories: OnceLock<Option<Directories>>,
    sealer: seal::Sealer,
    opener: open::Opener,
}

impl Native {
    /// Takes the way to run GnuPG, for keys; starts nothing yet.
    pub fn new(config: GnuPgConfig) -> Self {
        let gpg = Gpg::new(config.clone());
        Native {
            config,
            gpg,
            directories: OnceLock::new(),
            sealer: seal::Sealer::default(),
            opener: open::Opener::default(),
        }
    }

    /// Returns `plaintext` encrypted to exactly `to`, whose keys were accepted by a person; none where gpg
    /// must do it.
    pub fn encrypt(&self, plaintext: &Plaintext, to: &[RecipientId]) -> Option<Vec<u8>> {
        self.directories()?;
        self.sealer.seal(&self.gpg, plaintext, to)
    }

    /// Returns the plaintext of a message that is encrypted, whole and integrity protected.
    pub fn decrypt(&self, message: &[u8]) -> Result<Plaintext, Unopened> {
        let places = self.directories().ok_or(Unopened::LeftToGpg)?;
        self.opener.open(&self.config, places, message)
    }

    /// Returns where GnuPG's files are, unless something there or among the user's options may make gpg's
    /// results other than ours.
    fn directories(&self) -> Option<&Directories> {
        let look = || {
            if !self.config.in_process || !self.config.options.is_empty() {
                return None;
            }
            let found = gpgconf::directories(self.config.home.as_deref())?;
            options::are_harmless(&[&found.home, &found.system]).then_some(found)
        };
        self.directories.get_or_init(look).as_ref()
    }
}
