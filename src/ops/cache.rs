//! The session keys that are remembered between runs, for speed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Context;
use super::reencrypt::entries_below;
use crate::crypto::LARGEST_OF_MANY;

/// How many more messages than entries may be remembered before those that are gone are forgotten.
const SPARE: usize = 100;

/// Writes down what was learnt of messages in this run. Forgets those that are no entries any more, once they
/// are a quarter of all: to find them, every entry is read.
pub fn settle(context: &Context<'_>) {
    let Some(remembered) = context.crypto.remembered_more() else { return };
    if remembered > SPARE {
        // It is for speed alone: a store that cannot be read is told of by what reads it.
        let entries = entries_below(context, Path::new("")).unwrap_or_default();
        if !entries.is_empty() && remembered > entries.len() + entries.len() / 4 + SPARE {
            let read = |entry: &PathBuf| context.store.beneath().read_start(entry, LARGEST_OF_MANY).ok()?;
            context.crypto.forget_others(&mut entries.iter().filter_map(read));
        }
    }
    context.crypto.remember();
}

/// Removes what is remembered in `folder`, that of a store or that of all of them; whether there was
/// anything.
pub fn clear(folder: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(folder) {
        // Nothing behind a link is ours.
        Ok(found) if !found.is_dir() => fs::remove_file(folder).map(|()| true),
        Ok(_) => fs::remove_dir_all(folder).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
