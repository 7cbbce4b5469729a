//! How messages were encrypted and decrypted in a run.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many messages were encrypted and decrypted, and by whom.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Decrypted in-process, the agent having been asked for each session key.
    pub decrypted: usize,
    /// Decrypted in-process with a remembered session key.
    pub remembered: usize,
    /// Decrypted by gpg, or not at all.
    pub decrypted_by_gpg: usize,
    /// Encrypted in-process.
    pub encrypted: usize,
    /// Encrypted by gpg or gpgme, or not at all.
    pub encrypted_by_gpg: usize,
}

/// Counts while several threads work.
#[derive(Debug, Default)]
pub struct Counters {
    /// See [`Tally::decrypted`].
    pub decrypted: Counter,
    /// See [`Tally::remembered`].
    pub remembered: Counter,
    /// See [`Tally::decrypted_by_gpg`].
    pub decrypted_by_gpg: Counter,
    /// See [`Tally::encrypted`].
    pub encrypted: Counter,
    /// See [`Tally::encrypted_by_gpg`].
    pub encrypted_by_gpg: Counter,
}

/// One number.
#[derive(Debug, Default)]
pub struct Counter(AtomicUsize);

impl Counter {
    /// Counts one more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Returns the numbers so far.
    pub fn tally(&self) -> Tally {
        Tally {
            decrypted: self.decrypted.get(),
            remembered: self.remembered.get(),
            decrypted_by_gpg: self.decrypted_by_gpg.get(),
            encrypted: self.encrypted.get(),
            encrypted_by_gpg: self.encrypted_by_gpg.get(),
        }
    }
}
