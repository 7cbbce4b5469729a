//! Which copied messages a person on this machine has let pass.
//!
//! A message that was encrypted for others elsewhere is not encrypted anew without a person's word
//! ([`crate::ops::copies`]). The word is kept outside the work tree: `passel-reviewed` beside
//! `passel-accepted`. A YAML file, format version 1: the beginnings of encrypted data (64 hexadecimal digits),
//! each with the paths at which they may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::{escape, unescape};
use super::record::{self, RecordError, VERSION, read, write};
use super::{Store, StoreError};
use crate::crypto::openpgp::Body;

/// What was let pass in a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed(BTreeMap<Body, BTreeSet<PathBuf>>);

/// The file's form.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    bodies: BTreeMap<String, Vec<String>>,
}

impl Reviewed {
    /// Whether the message of this body may be encrypted anew where it stands, at `path`.
    pub fn holds(&self, body: &Body, path: &Path) -> bool {
        self.0.get(body).is_some_and(|paths| paths.contains(path))
    }

    /// Lets it.
    pub fn add(&mut self, body: Body, path: &Path) {
        self.0.entry(body).or_default().insert(path.to_path_buf());
    }

    fn parse(text: &str, path: &Path) -> Result<Self, RecordError> {
        let damaged = |what: String| RecordError::damaged(path, what);
        let record: Record = record::parse(text, path)?;
        let mut reviewed = Reviewed::default();
        for (digits, names) in record.bodies {
            let body = from_digits(&digits).ok_or_else(|| damaged("it holds no beginning of data".into()))?;
            for name in names {
                let name = unescape(&name).ok_or_else(|| damaged("it names no entry".into()))?;
                reviewed.add(body, &name);
            }
        }
        Ok(reviewed)
    }

    fn text(&self) -> String {
        let digits = |body: &Body| body.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let names = |paths: &BTreeSet<PathBuf>| paths.iter().map(|path| escape(path)).collect();
        let bodies = self.0.iter().map(|(body, paths)| (digits(body), names(paths))).collect();
        serde_yaml::to_string(&Record { version: VERSION, bodies }).expect("digits and names are text")
    }
}

/// Returns the body that these digits stand for.
fn from_digits(digits: &str) -> Option<Body> {
    let mut body = Body([0; 32]);
    if digits.len() != 2 * body.0.len() || !digits.is_ascii() {
        return None;
    }
    for (place, byte) in body.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(body)
}

impl Store {
    /// Returns what a person here has let pass.
    pub fn reviewed(&self) -> Result<Reviewed, StoreError> {
        let path = self.memory("reviewed").map_err(StoreError::Reviewed)?;
        let text = read(&path).map_err(StoreError::Reviewed)?;
        let parsed = text.map(|text| Reviewed::parse(&text, &path)).transpose();
        Ok(parsed.map_err(StoreError::Reviewed)?.unwrap_or_default())
    }

    /// Lets messages pass, each at its path, under the store's lock.
    pub fn let_pass(&self, messages: &[(Body, PathBuf)]) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        let mut reviewed = self.reviewed()?;
        messages.iter().for_each(|(body, path)| reviewed.add(*body, path));
        let path = self.memory("reviewed").map_err(StoreError::Reviewed)?;
        write(&path, &reviewed.text(), true).map_err(StoreError::Reviewed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_write_and_read_and_refuses_a_newer_format() {
        let mut reviewed = Reviewed::default();
        reviewed.add(Body([7; 32]), Path::new("a/o d\u{e9}: x.gpg"));
        reviewed.add(Body([7; 32]), Path::new("b.gpg"));
        let read = Reviewed::parse(&reviewed.text(), Path::new("f")).unwrap();
        assert_eq!(read, reviewed);
        assert!(read.holds(&Body([7; 32]), Path::new("b.gpg")));
        assert!(!read.holds(&Body([7; 32]), Path::new("c.gpg")));
        assert!(!read.holds(&Body([8; 32]), Path::new("b.gpg")));
        let newer = reviewed.text().replace("version: 1", "version: 2");
        assert!(matches!(
            Reviewed::parse(&newer, Path::new("f")),
            Err(RecordError::Newer { version: 2, .. })
        ));
        assert!(Reviewed::parse("version: 1\nbodies: {xx: [a]}\n", Path::new("f")).is_err());
    }
}
