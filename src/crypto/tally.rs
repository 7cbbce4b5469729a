//! How messages were encrypted and decrypted in a run.

use std::sync::Mutex;

/// How many messages were encrypted and decrypted, and by whom.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Decrypted in-process, the agent having been asked for each session key.
    pub decrypted: usize,
    /// Decrypted in-process with a remembered session key.
    pub remembered: usize,
    /// Given to gpg to decrypt.
    pub decrypted_by_gpg: usize,
    /// Encrypted in-process.
    pub encrypted: usize,
    /// Given to gpg or gpgme to encrypt.
    pub encrypted_by_gpg: usize,
}

/// A tally that several threads keep.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Tally>);

impl Counters {
    /// Counts one more of what `number` picks.
    pub fn count(&self, number: impl FnOnce(&mut Tally) -> &mut usize) {
        *number(&mut self.0.lock().expect("nobody panics holding it")) += 1;
    }

    /// Returns the numbers so far.
    pub fn tally(&self) -> Tally {
        *self.0.lock().expect("nobody panics holding it")
    }
}
