//! OpenPGP in-process, beside gpg: the only folder naming the `pgp` library. Whatever is out of the ordinary
//! is left to gpg (ARCHITECTURE.md, "OpenPGP").

mod agent;
mod cache;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod keys;
mod note;
mod open;
mod options;
mod own;
mod packets;
mod seal;
mod sexp;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::OnceLock;

use pgp::composed::RawSessionKey;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{PacketTrait as _, SymEncryptedProtectedData};
use rand_core::OsRng;

pub use agent::is_cancellation;
pub use cache::CacheConfig;
pub use open::Unopened;

use note::{Note, Stamps};
use own::OwnKeys;

use super::KeySpeed;
use super::gpg::{GnuPgConfig, Gpg};
use super::gpgconf::{self, Directories};
use super::openpgp;
use super::tally::Counters;
use crate::model::{Plaintext, RecipientId};

/// What a message's data are encrypted with. Wipes itself; neither shown nor compared.
struct SessionKey {
    cipher: SymmetricKeyAlgorithm,
    key: RawSessionKey,
}

impl SessionKey {
    /// Makes a new one, for AES-256.
    fn new() -> Self {
        let cipher = SymmetricKeyAlgorithm::AES256;
        SessionKey { cipher, key: cipher.new_session_key(OsRng) }
    }

    /// Puts `data` behind the session-key packets of `message`, encrypted: as a binary literal packet of a time in
    /// seconds since 1970, with a modification detection code, which is what GnuPG 2.2 writes and reads.
    fn encrypt(&self, data: &[u8], seconds: u32, message: &mut Vec<u8>) -> Option<()> {
        let literal = packets::literal(data, seconds)?;
        let key = self.key.as_ref();
        let data = SymEncryptedProtectedData::encrypt_seipdv1(OsRng, self.cipher, key, &literal);
        data.ok()?.to_writer_with_header(message).ok()
    }
}

/// OpenPGP without a gpg for every message.
pub struct Native {
    config: GnuPgConfig,
    gpg: Gpg,
    directories: OnceLock<Option<Directories>>,
    sealer: seal::Sealer,
    opener: open::Opener,
    own: OnceLock<OwnKeys>,
    note: OnceLock<Option<Note>>,
    cache: cache::Cache,
    /// What was done so far.
    pub counters: Counters,
}

impl Native {
    /// Takes the way to run GnuPG, for keys; starts nothing yet.
    pub fn new(config: GnuPgConfig) -> Self {
        let gpg = Gpg::new(config.clone());
        Native {
            cache: cache::Cache::new(config.cache.clone()),
            counters: Counters::default(),
            config,
            gpg,
            directories: OnceLock::new(),
            sealer: seal::Sealer::default(),
            opener: open::Opener::default(),
            own: OnceLock::new(),
            note: OnceLock::new(),
        }
    }

    /// Returns `plaintext` encrypted to exactly `to`, whose keys were accepted by a person; none where gpg
    /// must do it.
    pub fn encrypt(&self, plaintext: &Plaintext, to: &[RecipientId]) -> Option<Vec<u8>> {
        self.directories()?;
        let (message, session, readers) = self.sealer.seal(&self.gpg, plaintext, to)?;
        self.counters.count(|tally| &mut tally.encrypted);
        // Whoever encrypts to a key of their own may remember how to read it; nobody else.
        let ours = self.own.get().and_then(|own| {
            readers.iter().find_map(|key| own.get(&key.key_id()).filter(|own| own.fingerprint == *key))
        });
        if let Some(key) = ours {
            self.cache.learn(key, cache::Digest::of(&openpgp::normal(&message).ok()?), session);
        }
        Some(message)
    }

    /// Returns the plaintext of a message in its normal form that is encrypted, whole and integrity
    /// protected.
    pub fn decrypt(&self, message: &[u8]) -> Result<Plaintext, Unopened> {
        let places = self.directories().ok_or(Unopened::LeftToGpg)?;
        let (text, remembered) = self.opener.open(self.setting(places), &self.cache, message)?;
        self.counters.count(|tally| if remembered { &mut tally.remembered } else { &mut tally.decrypted });
        Ok(text)
    }

    /// Returns the plaintext of one message by itself, in its normal form; leaves it to gpg where that is
    /// quicker, where somebody would be asked or told something, or where anything is out of the ordinary.
    pub fn decrypt_alone(&self, message: &[u8]) -> Result<Plaintext, Unopened> {
        // Without what was noted, gpg would be asked more than once.
        let places = self.note().ok_or(Unopened::LeftToGpg)?.places();
        let is_usual = self.may_be_done_here()
            && options::say_nothing(&places.home)
            && options::are_harmless(&[&places.home, &places.system]);
        if !is_usual {
            return Err(Unopened::LeftToGpg);
        }
        let opened = self.opener.open_alone(self.setting(&places), message);
        if opened.as_ref().err() == Some(&Unopened::LeftToGpg)
            && let Some(cache) = &self.config.cache
        {
            // The agent is somewhere else, perhaps: the next run is to find out.
            drop(std::fs::remove_file(&cache.note));
        }
        let text = opened?.ok_or(Unopened::LeftToGpg)?;
        self.counters.count(|tally| &mut tally.decrypted);
        Ok(text)
    }

    /// Notes what the next run needs for [`Native::decrypt_alone`], unless it is noted already.
    pub fn prepare(&self) {
        let Some(cache) = &self.config.cache else { return };
        let helps = || self.may_be_done_here() && options::are_harmless(&[&cache.home]);
        if self.note().is_none() && helps() && note::is_possible(&cache.note) {
            self.own();
        }
    }

    /// Returns what messages are opened with, whose agent is at one of `places`.
    fn setting<'a>(&'a self, places: &'a Directories) -> open::Setting<'a> {
        open::Setting { own: self.own(), config: &self.config, places }
    }

    /// Returns our own keys.
    fn own(&self) -> &OwnKeys {
        self.own.get_or_init(|| match self.note() {
            Some(note) => own::read(&note.listing, &note.exports),
            None => self.ask().unwrap_or_default(),
        })
    }

    /// Asks gpg for our own keys, and notes what it says.
    fn ask(&self) -> Option<OwnKeys> {
        let places = self.directories()?;
        let stamps = Stamps::of(&places.home);
        let (listing, exports) = own::ask(&self.gpg)?;
        let own = own::read(&listing, &exports);
        if let Some(cache) = &self.config.cache {
            Note::new(places, stamps, listing, exports).write(&cache.note);
        }
        Some(own)
    }

    /// Returns what was noted, if it is up to date.
    fn note(&self) -> Option<&Note> {
        let read = || self.config.cache.as_ref().and_then(|cache| Note::read(&cache.note, &cache.home));
        self.note.get_or_init(read).as_ref()
    }

    /// From now on, uses session keys that were remembered, and remembers new ones.
    pub fn remember(&self) {
        self.cache.enable();
    }

    /// Whether the session key of a message in its normal form is remembered.
    pub fn is_remembered(&self, message: &[u8]) -> bool {
        let known = |places| self.opener.is_remembered(self.setting(places), &self.cache, message);
        self.directories().is_some_and(known)
    }

    /// Times a private-key operation of each own key that can be encrypted to.
    pub fn key_speeds(&self) -> Vec<KeySpeed> {
        let speeds = |places| self.opener.key_speeds(self.setting(places));
        self.directories().map(speeds).unwrap_or_default()
    }

    /// How many session keys are remembered, if some of them are new.
    pub fn remembered_more(&self) -> Option<usize> {
        self.cache.grown()
    }

    /// Forgets the session keys of messages that are not among `messages`.
    pub fn forget_others(&self, messages: &mut dyn Iterator<Item = Vec<u8>>) {
        let normal = messages.filter_map(|message| openpgp::normal(&message).ok());
        self.cache.retain(&normal.map(|message| cache::Digest::of(&message)).collect::<HashSet<_>>());
    }

    /// Writes new session keys where they are remembered.
    pub fn write_remembered(&self) {
        self.cache.write();
    }

    /// Whether nothing that the user has asked for is in the way of doing what gpg does.
    fn may_be_done_here(&self) -> bool {
        self.config.in_process && self.config.options.is_empty()
    }

    /// Returns where GnuPG's files are, unless something there or among the user's options may make gpg's
    /// results other than ours.
    fn directories(&self) -> Option<&Directories> {
        let look = || {
            if !self.may_be_done_here() {
                return None;
            }
            let found = gpgconf::directories(self.config.home.as_deref())?;
            options::are_harmless(&[&found.home, &found.system]).then_some(found)
        };
        self.directories.get_or_init(look).as_ref()
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // Also of work that ended with an error.
        self.cache.write();
    }
}
