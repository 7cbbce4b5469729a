//! What killed commands left behind that no later one finishes or undoes.

use std::path::PathBuf;

use super::journal::Journal;
use super::lock::Lock;
use super::{Store, StoreError};

/// A journal that stays.
#[derive(Debug)]
pub struct Stuck {
    /// Its file.
    pub path: PathBuf,
    /// Why it cannot be obeyed; none if it can be read, but what it tells of could not be finished.
    pub why: Option<StoreError>,
}

impl Store {
    /// Returns the journal that is still there although the store was opened and nobody is at work.
    pub fn stuck_journal(&self) -> Result<Option<Stuck>, StoreError> {
        let paths = [self.journal_path(), self.preparing_path()];
        let Some(path) = paths.into_iter().find(|path| Journal::exists(path)) else { return Ok(None) };
        // Somebody else's change is under way.
        if self.try_lock()?.is_none() || !Journal::exists(&path) {
            return Ok(None);
        }
        let why = Journal::read(&path).err().map(StoreError::from);
        Ok(Some(Stuck { path, why }))
    }

    /// Keeps others from changing the store; none while somebody changes it, or where a journal tells of files that
    /// it still needs.
    pub fn at_rest(&self) -> Result<Option<Lock<'_>>, StoreError> {
        let lock = self.try_lock()?;
        let is_needed = Journal::exists(&self.journal_path()) || Journal::exists(&self.preparing_path());
        Ok(lock.filter(|_| !is_needed))
    }
}
