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
    ///
    /// Who writes again and again would have it most of the time, and others never: so it is taken by way of a queue,
    /// whose first place is given up only with the lock in hand. Who comes back stands behind who waits.
    pub fn lock(&self) -> Result<Lock<'_>, StoreError> {
        let until = Instant::now() + PATIENCE;
        let queue = self.queue();
        let mut is_first = queue.is_none();
        loop {
            // Where there can be no queue, there is none.
            let is_taken = |queue: &File| matches!(take(queue.as_fd()), Ok(false));
            is_first = is_first || !queue.as_ref().is_some_and(is_taken);
            if is_first && let Some(lock) = self.try_lock()? {
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
        if !take(self.beneath.root().as_fd())? {
            return Ok(None);
        }
        let mut held = Lock { store: self, _shared: None };
        // What is remembered lies there, for all work trees.
        let shared = Repo::common_directory(&self.root).and_then(|folder| File::open(folder).ok());
        if let Some(folder) = &shared
            && !take(folder.as_fd())?
        {
            return Ok(None);
        }
        held._shared = shared;
        Ok(Some(held))
    }

    /// Returns the folder whose lock is the queue's first place: git's, which is always there. None without git.
    fn queue(&self) -> Option<File> {
        File::open(Repo::common_directory(&self.root)?.join("objects")).ok()
    }
}

/// Takes a kernel lock; whether nobody else has it.
fn take(folder: BorrowedFd<'_>) -> Result<bool, StoreError> {
    match rustix::fs::flock(folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(StoreError::Lock(error.into())),
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(self.store.beneath.root(), FlockOperation::Unlock);
    }
}
