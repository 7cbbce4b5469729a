//! The journal of a change: what the next command needs to finish or undo one that was killed.
//!
//! A YAML file in the git directory (in the store's root where there is no git): written whole before
//! anything changes, removed when all is done. Format version 1.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::beneath::State;
use super::record::{self, RecordError, VERSION};
use crate::files::whole::beside;

/// Why a journal could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JournalError(#[from] pub RecordError);

/// How far the change had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Objects were being written: nothing to finish.
    Preparing,
    /// Everything is known; whether it happened, the refs tell.
    Publishing,
    /// There is no repository and all files are staged: to be finished.
    Committed,
}

/// A repository's part in the change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RepoPart {
    /// Where its work tree lies below the root (escaped).
    pub prefix: String,
    /// The ref that moves.
    pub name: String,
    /// Its commit before, none if it did not exist.
    pub old: Option<String>,
    /// Its commit after; empty while preparing.
    pub new: String,
    /// What the reflogs say of it, where the commit was not made of the change alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

/// A file's part in the change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FilePart {
    /// Its path below the root (escaped).
    pub path: String,
    /// What stood there ([`state_text`]).
    pub old: String,
    /// What is to stand there; none to remove it.
    pub new: Option<String>,
}

/// A change under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// The machine that wrote it ([`machine`]): one that came by a clone or an archive is not obeyed.
    #[serde(default)]
    machine: String,
    /// What all temporary files of the change carry in their names.
    pub nonce: String,
    /// How far it had come.
    pub phase: Phase,
    /// The commit's subject, to be told.
    pub subject: String,
    /// The repositories concerned.
    pub repos: Vec<RepoPart>,
    /// The files concerned.
    pub files: Vec<FilePart>,
    /// Folders that the change makes (escaped), outermost first.
    pub folders: Vec<String>,
    /// Folders to remove afterwards where they are empty (escaped), innermost first.
    pub prune: Vec<String>,
}

impl Journal {
    /// Returns the journal of a change that is about to be prepared.
    pub fn preparing(nonce: &str, subject: &str) -> Self {
        Journal {
            version: VERSION,
            machine: machine(),
            nonce: nonce.to_owned(),
            phase: Phase::Preparing,
            subject: subject.to_owned(),
            repos: Vec::new(),
            files: Vec::new(),
            folders: Vec::new(),
            prune: Vec::new(),
        }
    }

    /// Reads the journal at `path`, none if there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, JournalError> {
        let damaged = |what: &str| RecordError::damaged(path, what);
        let Some(text) = record::read(path)? else { return Ok(None) };
        let journal: Journal = record::parse(&text, path)?;
        if journal.nonce.is_empty() || !journal.nonce.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(damaged("its nonce is not hexadecimal").into());
        }
        if journal.machine != machine() {
            return Err(damaged("it was not written on this machine").into());
        }
        Ok(Some(journal))
    }

    /// Writes the journal to `path`, whole or not at all; with `durable`, on disk when it returns.
    pub fn write(&self, path: &Path, durable: bool) -> Result<(), JournalError> {
        let text = serde_yaml::to_string(self).map_err(|error| RecordError::damaged(path, error))?;
        Ok(record::write(path, &text, durable)?)
    }

    /// Removes the journal at `path`.
    pub fn remove(path: &Path) -> Result<(), JournalError> {
        for path in [&beside(path), path] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(RecordError::io("remove", path, error).into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a journal, or one half-written, stands at `path`.
    pub fn exists(path: &Path) -> bool {
        path.symlink_metadata().is_ok() || beside(path).symlink_metadata().is_ok()
    }
}

/// Returns what tells this machine from others: a hash of systemd's machine-id(5), which is not to be shown
/// as it is; the same for all machines without one.
fn machine() -> String {
    let id = std::fs::read("/etc/machine-id").unwrap_or_default();
    Sha256::digest([b"passel journal ", id.as_slice()].concat())[..8]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Whether a file's name is one of ours: a journal, or a file that waits beside its place.
pub fn is_own(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.starts_with(b".passel-journal")
        || (name.starts_with(b".")
            && !name.ends_with(b".gpg")
            && name.windows(8).any(|part| part == b".passel-"))
}

/// How many hexadecimal digits a nonce has.
pub const NONCE: usize = 16;

/// Returns the nonce in the name of a file that waits beside its place ([`staged`]); none if it is no such name.
pub fn staged_nonce(path: &Path) -> Option<&str> {
    let name = path.file_name()?.as_bytes().strip_prefix(b".")?;
    let (rest, nonce) = name.split_at_checked(name.len().checked_sub(NONCE)?)?;
    let is_nonce = nonce.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_ours = is_nonce && rest.strip_suffix(b".passel-").is_some_and(|own| !own.is_empty());
    std::str::from_utf8(nonce).ok().filter(|_| is_ours)
}

/// Returns a path as text: bytes that are not printable ASCII, and `%`, as `%XX`.
pub fn escape(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' => text.push_str("%25"),
            b' '..=b'~' => text.push(char::from(*byte)),
            byte => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

/// Returns the path that [`escape`] made into `text`; none if it is no such text.
pub fn unescape(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// Returns a state as text: `absent`, `folder`, `other`, `file SHA256`, `link SHA256`.
pub fn state_text(state: &State) -> String {
    let hex = |hash: &[u8]| hash.iter().map(|b| format!("{b:02x}")).collect::<String>();
    match state {
        State::Absent => "absent".to_owned(),
        State::Folder => "folder".to_owned(),
        State::Other => "other".to_owned(),
        State::File(hash) => format!("file {}", hex(hash)),
        State::Link(hash) => format!("link {}", hex(hash)),
    }
}

/// The longest file name that stands in a staged one: file systems take 255 bytes.
const MAX_STAGED: usize = 225;

/// Returns the path of a file while it waits beside its destination.
pub fn staged(path: &Path, nonce: &str) -> PathBuf {
    let own = path.file_name().unwrap_or_default();
    let mut name = OsStr::new(".").to_owned();
    if own.len() <= MAX_STAGED {
        name.push(own);
    } else {
        // Another program's, since ours are shorter: its hash stands for it.
        let hash = Sha256::digest(own.as_bytes());
        name.push(hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    name.push(format!(".passel-{nonce}"));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_write_and_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        assert!(Journal::read(&path).unwrap().is_none());
        let mut journal = Journal::preparing("0a1b", "Remove 'x': \"y\" from store.");
        journal.files.push(FilePart { path: "a: %0A#.gpg".into(), old: "absent".into(), new: None });
        journal.repos.push(RepoPart {
            prefix: String::new(),
            name: "n".into(),
            old: None,
            new: "1e10".into(),
            told: Some("merge 'x': y".into()),
        });
        journal.write(&path, true).unwrap();
        let read = Journal::read(&path).unwrap().unwrap();
        assert_eq!(format!("{read:?}"), format!("{journal:?}"));
        Journal::remove(&path).unwrap();
        assert!(!Journal::exists(&path));
    }

    #[test]
    fn knows_the_names_of_staged_files() {
        let path = staged(Path::new("web/a.gpg"), "0123456789abcdef");
        assert_eq!(staged_nonce(&path), Some("0123456789abcdef"));
        for other in ["web/a.gpg", ".a.passel-0123", "a.passel-0123456789abcdef", ".passel-0123456789abcdef"]
        {
            assert_eq!(staged_nonce(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn refuses_a_newer_format() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        std::fs::write(&path, "version: 2\nwhat: ever\n").unwrap();
        assert!(matches!(Journal::read(&path), Err(JournalError(RecordError::Newer { version: 2, .. }))));
        std::fs::write(&path, "nothing").unwrap();
        assert!(matches!(Journal::read(&path), Err(JournalError(RecordError::Damaged { .. }))));
    }

    proptest::proptest! {
        #[test]
        fn any_path_survives(bytes: Vec<u8>) {
            let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
            let text = escape(&path);
            assert!(text.is_ascii());
            assert_eq!(unescape(&text).unwrap(), path);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = unescape(&text);
        }
    }
}
