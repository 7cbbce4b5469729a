//! Whose signature on a change of recipients a person on this machine takes without being asked.
//!
//! Kept outside the work tree, where nobody who can push can write: `passel-trusted` beside `passel-accepted`. A YAML
//! file, format version 1: full fingerprints of primary keys.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::accepted::Keys;
use super::record::{self, RecordError, VERSION, read, write};
use super::{Store, StoreError};
use crate::model::Fingerprint;

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    keys: Vec<String>,
}

impl Store {
    /// Returns the keys that are trusted here.
    pub fn trusted(&self) -> Result<Keys, StoreError> {
        let path = self.memory("trusted").map_err(StoreError::Trusted)?;
        let text = read(&path).map_err(StoreError::Trusted)?;
        let parsed = text.map(|text| parse(&text, &path)).transpose();
        Ok(parsed.map_err(StoreError::Trusted)?.unwrap_or_default())
    }

    /// Changes which keys are trusted here, under the store's lock.
    pub fn change_trusted(&self, change: impl FnOnce(&mut Keys)) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let before = self.trusted()?;
        let mut keys = before.clone();
        change(&mut keys);
        if keys == before {
            return Ok(());
        }
        let path = self.memory("trusted").map_err(StoreError::Trusted)?;
        write(&path, &text_of(&keys), true).map_err(StoreError::Trusted)
    }
}

fn parse(text: &str, path: &Path) -> Result<Keys, RecordError> {
    let record: Record = record::parse(text, path)?;
    let key = |digits: &String| {
        Fingerprint::parse(digits).ok_or_else(|| RecordError::damaged(path, "it holds no fingerprint"))
    };
    record.keys.iter().map(key).collect()
}

fn text_of(keys: &Keys) -> String {
    let keys = keys.iter().map(ToString::to_string).collect();
    serde_yaml::to_string(&Record { version: VERSION, keys }).expect("fingerprints are text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_write_and_read_and_refuses_a_newer_format_and_damage() {
        let keys: Keys =
            ["1", "A"].iter().filter_map(|digit| Fingerprint::parse(&digit.repeat(40))).collect();
        let (text, path) = (text_of(&keys), Path::new("f"));
        assert_eq!(keys.len(), 2);
        assert_eq!(parse(&text, path).unwrap(), keys);
        let newer = text.replace("version: 1", "version: 2");
        assert!(matches!(parse(&newer, path), Err(RecordError::Newer { version: 2, .. })));
        for damaged in ["version: 1\n", "version: 1\nkeys: [ABCD]\n", "version: 1\nkeys: []\nmore: x\n"] {
            assert!(matches!(parse(damaged, path), Err(RecordError::Damaged { .. })), "{damaged}");
        }
    }
}
