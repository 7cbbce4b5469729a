//! How long work on many entries takes, and what that depends on.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Context, OpError};
use crate::crypto::KeySpeed;

/// What was found.
#[derive(Debug)]
pub struct Diagnosis {
    /// The user's own keys, as far as messages are opened with them in-process.
    pub keys: Vec<KeySpeed>,
    /// How many entries there are.
    pub entries: usize,
    /// How many of them one of these keys opens.
    pub opened: usize,
    /// Of how many of those the session key is remembered.
    pub remembered: usize,
    /// How long it takes to open all of them when nothing is remembered.
    pub cold: Duration,
    /// How long it takes now.
    pub warm: Duration,
}

/// Times a private-key operation of each own key, and says what comes of that for all entries of the store.
pub fn examine(context: &Context<'_>) -> Result<Diagnosis, OpError> {
    let keys = context.crypto.key_speeds().map_err(|source| OpError::Keyring { source })?;
    let begun = Instant::now();
    let entries = super::cache::entries(context)?;
    context.crypto.decryptor().expect(entries.len());
    let mut found = Diagnosis {
        keys,
        entries: entries.len(),
        opened: 0,
        remembered: 0,
        cold: Duration::ZERO,
        warm: Duration::ZERO,
    };
    for entry in &entries {
        found.count(context, entry)?;
    }
    // What is remembered was opened just now, with each key that something is remembered of.
    let reading = begun.elapsed();
    found.cold += reading;
    found.warm += reading;
    Ok(found)
}

impl Diagnosis {
    /// Takes an entry into account.
    fn count(&mut self, context: &Context<'_>, entry: &PathBuf) -> Result<(), OpError> {
        let Some(message) = context.store.beneath().read(Path::new(entry))? else { return Ok(()) };
        // What is no message is for others to tell of.
        let readers = context.crypto.recipients_of(&message).unwrap_or_default();
        let key = self.keys.iter().find(|key| readers.contains(&key.fingerprint.key_id()));
        let Some(operation) = key.map(|key| key.operation) else { return Ok(()) };
        self.opened += 1;
        self.cold += operation;
        if context.crypto.is_remembered(&message) {
            self.remembered += 1;
        } else {
            self.warm += operation;
        }
        Ok(())
    }
}
