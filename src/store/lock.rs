//! Writers take turns.

use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::{Store, StoreError};
use crate::git::{PATIENCE, Repo};

/// The store's lock: kernel locks on the root folder itself and on the git directory that all its work trees
/// share, which leave no file behind and die with their process.
#[derive(Debug)]
pub struct Lock<'a> {
    store: &'a Store,
    /// Unlocked when it is closed.
    _shared: Option<File>,
}

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
        let lock = |folder: BorrowedFd<'_>| match rustix::fs::flock(
            folder,
            FlockOperation::NonBlockingLockExclusive,
        ) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(StoreError::Lock(error.into())),
        };
        if !lock(self.beneath.root().as_fd())? {
            return Ok(None);
        }
        let mut held = Lock { store: self, _shared: None };
        // What is remembered lies there, for all work trees.
        let shared = Repo::common_directory(&self.root).and_then(|folder| File::open(folder).ok());
        if let Some(folder) = &shared
            && !lock(folder.as_fd())?
        {
            return Ok(None);
        }
        held._shared = shared;
        Ok(Some(held))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(self.store.beneath.root(), FlockOperation::Unlock);
    }
}
