//! Which recipients rule a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::beneath::{BeneathError, State};
use super::{Store, StoreError};
use crate::model::{FolderName, GpgId, GpgIdLine, Shown};

/// The largest recipients file that is read, in bytes: thousands of recipients, each with a comment.
const MAX_FILE: usize = 1 << 20;
/// The longest recipient, in bytes: no user ID is longer (GnuPG takes 2,048), and errors quote it.
const MAX_ID: usize = 2048;

/// Recipients files that a change is about to write (or, none, to remove), by path.
pub type Overlay = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The recipients that rule a folder, as they stand in a file or in `PASSWORD_STORE_KEY`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The recipients file, relative to the root; none if the environment overrides it.
    pub file: Option<PathBuf>,
    /// The file's bytes; empty for the environment's.
    pub gpg_id: Vec<u8>,
    /// The recipients named.
    pub lines: Vec<GpgIdLine>,
    /// What was looked at to find the rule: a change of any of it may change the rule.
    pub seen: Vec<(PathBuf, State)>,
}

impl Store {
    /// Returns the rule of `folder`: the nearest recipients file from the folder upwards. None if there
    /// is no such file. A linked recipients file is refused, as is a folder that is a link.
    ///
    /// Files in `overlay` count as they are going to be, not as they are.
    pub fn rule(&self, folder: &FolderName, overlay: &Overlay) -> Result<Option<Rule>, StoreError> {
        let mut seen = Vec::new();
        let mut next = Some(folder.clone());
        while let Some(folder) = next {
            let path = folder.gpg_id();
            match overlay.get(&path) {
                Some(Some(bytes)) => {
                    let lines = GpgId::from_bytes(bytes.clone()).lines();
                    return Ok(Some(Rule { file: Some(path), gpg_id: bytes.clone(), lines, seen }));
                }
                Some(None) => {
                    next = folder.parent();
                    continue;
                }
                None => {}
            }
            match self.beneath.read(&path) {
                Ok(Some(bytes)) => {
                    seen.push((path.clone(), State::of(&bytes)));
                    let lines = lines(&path, &bytes)?;
                    return Ok(Some(Rule { file: Some(path), gpg_id: bytes, lines, seen }));
                }
                // pass too looks for regular files only: a folder of that name is not the rule.
                Ok(None) => seen.push((path, State::Absent)),
                Err(BeneathError::Kind(..)) => {
                    let state = self.beneath.state(&path)?;
                    seen.push((path, state));
                }
                Err(error) => return Err(error.into()),
            }
            next = folder.parent();
        }
        Ok(None)
    }
}

/// Returns the recipients that a file names; refuses what no recipients file can be.
fn lines(path: &Path, bytes: &[u8]) -> Result<Vec<GpgIdLine>, StoreError> {
    let refused = |what| StoreError::NoRecipientsFile { path: Shown::os(path).to_string(), what };
    if bytes.len() > MAX_FILE {
        return Err(refused(format!("it has more than {MAX_FILE} bytes")));
    }
    let lines = GpgId::from_bytes(bytes.to_vec()).lines();
    match lines.iter().find(|line| line.id.len() > MAX_ID) {
        Some(line) => Err(refused(format!("line {} has more than {MAX_ID} bytes", line.number))),
        None => Ok(lines),
    }
}

impl Rule {
    /// Returns the rule that `PASSWORD_STORE_KEY` gives: its words, whatever the files say.
    pub fn from_environment(keys: &str) -> Self {
        let lines = keys
            .split_whitespace()
            .enumerate()
            .map(|(index, id)| GpgIdLine { number: index + 1, id: id.to_owned() })
            .collect();
        Rule { file: None, gpg_id: Vec::new(), lines, seen: Vec::new() }
    }
}
