//! Reading an entry or finding out that a name means a folder.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::OpError;
use super::reencrypt::refuse_too_large;
use crate::crypto::LARGEST_OF_MANY;
use crate::model::Shown;
use crate::store::{Store, StoreError};

/// What a name given to `show` or `ls` stands for.
#[derive(Debug)]
pub enum Found {
    /// An entry: its encrypted bytes.
    Entry(Vec<u8>),
    /// A folder: its path.
    Folder(PathBuf),
    /// Nothing.
    Nothing,
}

/// Looks up `text`, as pass does: an entry of that name before a folder of that name. Links are
/// followed, wherever they lead: it is reading. The caller has refused `..`.
pub fn look_up(store: &Store, text: &OsStr) -> Result<Found, OpError> {
    let relative = Path::new(OsStr::from_bytes(text.as_bytes().trim_ascii_start_slashes()));
    let mut file = relative.as_os_str().to_owned();
    file.push(".gpg");
    let file = store.root().join(file);
    if file.is_file() {
        return read_message(&file).map(Found::Entry);
    }
    let folder = store.root().join(relative);
    Ok(if folder.is_dir() { Found::Folder(folder) } else { Found::Nothing })
}

/// Reads an encrypted file, following links; only regular files, since a pipe would block for ever.
pub fn read_message(path: &Path) -> Result<Vec<u8>, OpError> {
    read_message_start(path, u64::MAX)
}

/// The same for one of many messages, which must not be too large.
pub fn read_message_of_many(path: &Path) -> Result<Vec<u8>, OpError> {
    let message = read_message_start(path, LARGEST_OF_MANY + 1)?;
    refuse_too_large(&message, || Shown::os(path).to_string())?;
    Ok(message)
}

/// Reads not more than `limit` bytes of an encrypted file.
fn read_message_start(path: &Path, limit: u64) -> Result<Vec<u8>, OpError> {
    let shown = || Shown::os(path).to_string();
    let io = |source| {
        StoreError::Path(crate::store::beneath::BeneathError::Io { action: "read", path: shown(), source })
    };
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits();
    #[allow(clippy::cast_possible_wrap, reason = "open flags are small")]
    let file = OpenOptions::new().read(true).custom_flags(nonblock as i32).open(path).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(OpError::Wrong { name: shown(), what: "not a regular file" });
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Trimming of leading slashes: a client names entries `/NAME`, relative to the store.
trait TrimSlashes {
    fn trim_ascii_start_slashes(&self) -> &[u8];
}

impl TrimSlashes for [u8] {
    fn trim_ascii_start_slashes(&self) -> &[u8] {
        let start = self.iter().position(|b| *b != b'/').unwrap_or(self.len());
        &self[start..]
    }
}
