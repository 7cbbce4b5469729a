//! Writers take turns.

use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::{Store, StoreError};
use crate::git::PATIENCE;

/// The store's lock: a kernel lock on the root folder itself, which leaves no file behind and dies
/// with its process.
#[derive(Debug)]
pub struct Lock<'a>(&'a Store);

impl Store {
    /// Waits for the lock, then finishes or undoes a change that was interrupted.
    pub fn lock(&self) -> Result<Lock<'_>, StoreError> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = self.try_lock()? {
                self.recover(&lock)?;
                return Ok(lock);
            }
            if Instant::now() >= until {
                return Err(StoreError::Busy(PATIENCE.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    /// Takes the lock if nobody has it.
    pub(super) fn try_lock(&self) -> Result<Option<Lock<'_>>, StoreError> {
        match rustix::fs::flock(self.beneath.root(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(self))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(StoreError::Lock(error.into())),
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(self.0.beneath.root(), FlockOperation::Unlock);
    }
}
