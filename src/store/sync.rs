//! Bringing files to disk, several at once: one after another each costs a full turn of the device.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::model::Shown;

/// How many syncs are under way at once.
const AT_ONCE: usize = 16;

/// Syncs files and folders to disk, in parallel.
pub fn sync_paths(paths: &[PathBuf]) -> Result<(), StoreError> {
    if let [one] = paths {
        return sync_path(one);
    }
    let share = paths.len().div_ceil(AT_ONCE).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = paths
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().try_for_each(|path| sync_path(path))))
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("syncing does not panic"))
    })
}

fn sync_path(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|source| StoreError::Sync { path: Shown::os(path).to_string(), source })
}
