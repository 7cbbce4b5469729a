//! How long work on many entries takes, and what that depends on.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::reencrypt::entries_below;
use super::{Context, OpError};
use crate::crypto::{KeySpeed, LARGEST_OF_MANY};
use crate::model::Fingerprint;

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
    let keys = context.crypto.key_speeds();
    let entries = entries_below(context, Path::new(""))?;
    context.crypto.decryptor().expect(entries.len());
    let mut found = Diagnosis {
        keys,
        entries: entries.len(),
        opened: 0,
        remembered: 0,
        cold: Duration::ZERO,
        warm: Duration::ZERO,
    };
    let begun = Instant::now();
    // What is remembered is opened on the way, for an operation with each key that something is remembered of.
    let mut opening = BTreeMap::new();
    for entry in &entries {
        opening.extend(found.count(context, entry)?);
    }
    let reading = begun.elapsed();
    found.warm += reading;
    found.cold += reading.saturating_sub(opening.into_values().sum());
    Ok(found)
}

impl Diagnosis {
    /// Takes an entry into account; returns the key that its session key is remembered of, if it is, and how long
    /// an operation takes with it.
    fn count(
        &mut self,
        context: &Context<'_>,
        entry: &Path,
    ) -> Result<Option<(Fingerprint, Duration)>, OpError> {
        let Some(message) = context.store.beneath().read_start(entry, LARGEST_OF_MANY)? else {
            return Ok(None);
        };
        // What is no message is for others to tell of.
        let readers = context.crypto.recipients_of(&message).unwrap_or_default();
        let key = self.keys.iter().find(|key| readers.contains(&key.fingerprint.key_id()));
        let Some((key, operation)) = key.and_then(|key| Some((key, key.operation?))) else { return Ok(None) };
        self.opened += 1;
        self.cold += operation;
        if context.crypto.is_remembered(&message) {
            self.remembered += 1;
            return Ok(Some((key.fingerprint.clone(), operation)));
        }
        self.warm += operation;
        Ok(None)
    }
}
