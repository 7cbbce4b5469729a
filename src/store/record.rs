//! Files of our own between runs: the journal, and what this machine has accepted and let pass. YAML, with a format
//! version that is read before all else.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::files::whole;
use crate::model::Shown;

/// The newest format of each that we know.
pub const VERSION: u32 = 1;

/// Why such a file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A later passel wrote it.
    #[error("`{path}` has format {version}; this passel knows formats up to {VERSION}")]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        version: u32,
    },
    /// It is damaged.
    #[error("`{path}` is damaged: {what}")]
    Damaged {
        /// The file.
        path: String,
        /// What is the matter.
        what: String,
    },
    /// The system refused.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// There is no place for it.
    #[error("there is no place to remember accepted recipients: neither a git directory nor HOME")]
    NoPlace,
}

impl RecordError {
    /// Returns the error of a file that is damaged.
    pub fn damaged(path: &Path, what: impl ToString) -> Self {
        RecordError::Damaged { path: Shown::os(path).to_string(), what: what.to_string() }
    }

    /// Returns the error of what the system refused.
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        RecordError::Io { action, path: Shown::os(path).to_string(), source }
    }
}

/// Returns the text of such a file; none if there is none.
pub fn read(path: &Path) -> Result<Option<String>, RecordError> {
    // Neither a link nor a pipe is ours; a pipe would block for ever.
    match path.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() => {
            return Err(RecordError::damaged(path, "it is no regular file"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        // Another program finished what it was about, and took it away in this moment.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecordError::io("read", path, error)),
    }
}

/// Returns what the text of such a file says.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let damaged = |error: serde_yaml::Error| RecordError::damaged(path, error);
    let head: Head = serde_yaml::from_str(text).map_err(damaged)?;
    if head.version > VERSION {
        return Err(RecordError::Newer { path: Shown::os(path).to_string(), version: head.version });
    }
    serde_yaml::from_str(text).map_err(damaged)
}

/// Writes such a file, whole or not at all; with `durable`, on disk when it returns.
pub fn write(path: &Path, text: &str, durable: bool) -> Result<(), RecordError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| RecordError::io("make the folder of", path, error))?;
    }
    whole::write(path, text.as_bytes(), durable)
        .map_err(|(action, error)| RecordError::io(action, path, error))
}
