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
    /// is no such file. What has its name but is no regular file is refused, as is a folder that is a link.
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
            match self.read_recipients(&path)? {
                Some(bytes) => {
                    seen.push((path.clone(), State::of(&bytes)));
                    let lines = lines(&path, &bytes)?;
                    return Ok(Some(Rule { file: Some(path), gpg_id: bytes, lines, seen }));
                }
                None => seen.push((path, State::Absent)),
            }
            next = folder.parent();
        }
        Ok(None)
    }

    /// Returns the bytes of the recipients file `path`, none if there is none.
    ///
    /// Whatever else has that name is refused. pass passes it over, so that the folder above rules: who put
    /// it there, or lost the file that was there, would change who can read.
    pub fn read_recipients(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        match self.beneath.read(path) {
            Err(BeneathError::Kind(..)) => match self.beneath.state(path)? {
                State::Folder => Err(no_recipients_file(path, "it is a folder")),
                _ => Err(no_recipients_file(path, "it is no regular file")),
            },
            read => Ok(read?),
        }
    }
}

/// Returns the error for a recipients file that can be none.
pub fn no_recipients_file(path: &Path, what: impl Into<String>) -> StoreError {
    StoreError::NoRecipientsFile { path: Shown::os(path).to_string(), what: what.into() }
}

/// Returns the recipients that a file names; refuses what no recipients file can be.
fn lines(path: &Path, bytes: &[u8]) -> Result<Vec<GpgIdLine>, StoreError> {
    if bytes.len() > MAX_FILE {
        return Err(no_recipients_file(path, format!("it has more than {MAX_FILE} bytes")));
    }
    let lines = GpgId::from_bytes(bytes.to_vec()).lines();
    match lines.iter().find(|line| line.id.len() > MAX_ID) {
        Some(line) => {
            Err(no_recipients_file(path, format!("line {} has more than {MAX_ID} bytes", line.number)))
        }
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
