//! What this machine has seen of a repository's history, for speed alone: `passel-arrivals` (where content came to
//! be) and `passel-versions` (who could read it), beside `passel-accepted`, in the git directory that all work trees
//! share.
//!
//! Only whoever owns that directory writes there, as with `passel-accepted` itself and git's own hooks. What
//! cannot be read is rebuilt; what cannot be written is done without.

use std::path::PathBuf;

use crate::files::whole;
use crate::git::Repo;

/// What is seen of a history.
#[derive(Debug, Clone, Copy)]
pub enum Seen {
    /// Where content came to be.
    Arrivals,
    /// All versions of entries.
    Versions,
}

fn file(repo: &Repo, seen: Seen) -> PathBuf {
    repo.common().join(match seen {
        Seen::Arrivals => "passel-arrivals",
        Seen::Versions => "passel-versions",
    })
}

/// Returns what was seen of the history of `repo`; none if nothing was.
pub fn read(repo: &Repo, seen: Seen) -> Option<Vec<u8>> {
    let path = file(repo, seen);
    // Neither a link nor a pipe is ours; a pipe would block for ever.
    path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    std::fs::read(path).ok()
}

/// Remembers it.
pub fn write(repo: &Repo, seen: Seen, bytes: &[u8]) {
    // Two at once may spoil each other's: the checksum tells.
    let _ = whole::write(&file(repo, seen), bytes, false);
}
