//! The files of `.public-keys`. Whoever can push can write there, so nothing in them is believed: small
//! regular files are read, never links, and only gpg says what they hold.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use crate::crypto::{Crypto, CryptoError};
use crate::model::{Fingerprint, Key};
use crate::ops::{Context, OpError};
use crate::store::StoreError;
use crate::store::beneath::{Beneath, BeneathError};

/// The folder at the store's root that keys travel in: gopass's and prs's too.
pub const FOLDER: &str = ".public-keys";

/// The largest file that is read, in bytes: a key with pictures of its owner stays below.
const MAX_FILE: i64 = 256 << 10;
/// The most files that are looked at: each costs a gpg.
const MAX_FILES: usize = 4096;

/// A file that holds the key that its name says.
#[derive(Debug)]
pub struct KeyFile {
    /// The key block, armored or not.
    pub block: Vec<u8>,
    /// The key in it.
    pub key: Key,
}

/// Why a file of `.public-keys` is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is no regular file.
    #[error("it is a {0}, not a file")]
    NoFile(&'static str),
    /// It is too large for a key.
    #[error("it has more than {} KiB", MAX_FILE >> 10)]
    TooLarge,
    /// It is named otherwise than by the fingerprint of the one key in it.
    #[error("it is not named by the fingerprint of the key in it, {0}")]
    Misnamed(Fingerprint),
    /// It holds somebody's secret key.
    #[error("it holds a secret key, which its owner must not give away")]
    Secret,
    /// It holds several keys.
    #[error("it holds {0} keys")]
    Several(usize),
    /// gpg finds no key in it.
    #[error("gpg finds no key in it")]
    NoKey(#[source] CryptoError),
}

/// What `.public-keys` holds.
#[derive(Debug, Default)]
pub struct KeyFiles {
    /// The keys, by fingerprint.
    pub good: BTreeMap<Fingerprint, KeyFile>,
    /// Files that are not used, and why.
    pub bad: Vec<(PathBuf, KeyFileError)>,
}

/// Returns the path of a key's file.
pub fn path_of(key: &Fingerprint) -> PathBuf {
    Path::new(FOLDER).join(key.as_str())
}

/// Returns what `.public-keys` holds; nothing where there is no such folder.
pub fn files(context: &Context<'_>) -> Result<KeyFiles, OpError> {
    read(context.store.beneath(), context.crypto, |_| true)
}

/// Returns the keys that wait in `.public-keys`: those whose files' names `is_new` says the keyring lacks.
/// What a file says of a key is its own claim, until gpg has imported it.
pub fn waiting(
    beneath: &Beneath,
    crypto: &dyn Crypto,
    is_new: impl Fn(&Fingerprint) -> bool,
) -> Result<Vec<Key>, OpError> {
    let wanted = |name: &OsStr| name.to_str().and_then(Fingerprint::parse).is_some_and(|key| is_new(&key));
    Ok(read(beneath, crypto, wanted)?.good.into_values().map(|file| file.key).collect())
}

/// Reads the files whose names are `wanted`.
fn read(
    beneath: &Beneath,
    crypto: &dyn Crypto,
    wanted: impl Fn(&OsStr) -> bool,
) -> Result<KeyFiles, OpError> {
    let mut files = KeyFiles::default();
    let folder = Path::new(FOLDER);
    let names = match beneath.names(folder) {
        Ok(names) => names,
        Err(BeneathError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Ok(files);
        }
        Err(error) => return Err(StoreError::from(error).into()),
    };
    if names.len() > MAX_FILES {
        return Err(OpError::TooManyKeys { count: names.len(), most: MAX_FILES });
    }
    for (name, kind) in names.into_iter().filter(|(name, _)| wanted(name)) {
        match look(beneath, crypto, &name, kind)? {
            Some(Ok(file)) => drop(files.good.insert(file.key.fingerprint.clone(), file)),
            Some(Err(error)) => files.bad.push((folder.join(name), error)),
            None => {}
        }
    }
    Ok(files)
}

/// Returns the file of `key`, or why it is none; nothing where there is no such file.
pub fn file_of(
    context: &Context<'_>,
    key: &Fingerprint,
) -> Result<Option<Result<KeyFile, KeyFileError>>, OpError> {
    let beneath = context.store.beneath();
    match beneath.metadata(&path_of(key)).map_err(StoreError::from)? {
        Some(stat) => {
            let kind = FileType::from_raw_mode(stat.st_mode);
            look(beneath, context.crypto, OsStr::new(key.as_str()), kind)
        }
        None => Ok(None),
    }
}

/// Looks at one file; nothing if it is gone.
fn look(
    beneath: &Beneath,
    crypto: &dyn Crypto,
    name: &OsStr,
    kind: FileType,
) -> Result<Option<Result<KeyFile, KeyFileError>>, OpError> {
    let path = Path::new(FOLDER).join(name);
    match kind {
        FileType::RegularFile => {}
        FileType::Symlink => return Ok(Some(Err(KeyFileError::NoFile("symbolic link")))),
        FileType::Directory => return Ok(Some(Err(KeyFileError::NoFile("folder")))),
        _ => return Ok(Some(Err(KeyFileError::NoFile("special file")))),
    }
    // Before it is read: it may be of any size.
    let size = beneath.metadata(&path).map_err(StoreError::from)?.map_or(0, |stat| stat.st_size);
    if size > MAX_FILE {
        return Ok(Some(Err(KeyFileError::TooLarge)));
    }
    let Some(block) = beneath.read(&path).map_err(StoreError::from)? else { return Ok(None) };
    let keys = match crypto.inspect(&block) {
        Ok(keys) => keys,
        // That we could not look says nothing about the file.
        Err(source @ CryptoError::NotRun { .. }) => return Err(OpError::Keyring { source }),
        Err(error) => return Ok(Some(Err(KeyFileError::NoKey(error)))),
    };
    Ok(Some(match <[Key; 1]>::try_from(keys) {
        Err(keys) => Err(KeyFileError::Several(keys.len())),
        Ok([key]) if key.secret => Err(KeyFileError::Secret),
        Ok([key]) if name != OsStr::new(key.fingerprint.as_str()) => {
            Err(KeyFileError::Misnamed(key.fingerprint))
        }
        Ok([key]) => Ok(KeyFile { block, key }),
    }))
}
