//! Waiting for something to happen: a commit in a repository, a signal, or that time has passed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Why nothing can be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// Somebody else watches already.
    #[error("another `passel sync --watch` is at work on this store")]
    Taken,
    /// The system does not tell of changes.
    #[error("cannot watch `{path}`")]
    Watch {
        /// The folder.
        path: String,
        /// Why.
        #[source]
        source: notify::Error,
    },
    /// A file could not be opened, or signals not be waited for.
    #[error("cannot watch")]
    Io(#[from] io::Error),
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// Something changed, and nothing more has for a while.
    Changed,
    /// Time has passed.
    TimedOut,
    /// Somebody wants us to end.
    Stopped,
}

/// Watches the git directories of a store. There is one for each store.
pub struct Watch {
    events: Receiver<()>,
    stopped: Arc<AtomicBool>,
    /// Gone, they no longer tell.
    _watcher: RecommendedWatcher,
    /// Its kernel lock says that the store is being watched; it goes with the process.
    _lock: File,
}

impl Watch {
    /// Begins to watch what git does in `directories`, git directories; `lock` is a file that stands for the store.
    pub fn new(directories: &[PathBuf], lock: &Path) -> Result<Self, WatchError> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(lock)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(WatchError::Taken),
            other => other.map_err(io::Error::from)?,
        }
        let (tell, events) = channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let (flag, wake) = (Arc::clone(&stopped), tell.clone());
        // A sync under way comes to its end first.
        thread::spawn(move || {
            if signals.forever().next().is_some() {
                flag.store(true, Ordering::SeqCst);
                let _ = wake.send(());
            }
        });
        let notice = move |event: notify::Result<notify::Event>| {
            let is_change = event.is_ok_and(|event| {
                !matches!(event.kind, EventKind::Access(_))
                    && event.paths.iter().any(|path| tells_of_commits(path))
            });
            if is_change {
                let _ = tell.send(());
            }
        };
        let failed = |path: &Path| {
            let path = crate::model::Shown::os(path).to_string();
            move |source| WatchError::Watch { path, source }
        };
        let mut watcher = notify::recommended_watcher(notice).map_err(failed(lock))?;
        for directory in directories {
            // Commits write the index and HEAD's reflog; nothing else in there matters.
            watcher.watch(directory, RecursiveMode::NonRecursive).map_err(failed(directory))?;
        }
        Ok(Watch { events, stopped, _watcher: watcher, _lock: file })
    }

    /// Whether somebody wants us to end.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Waits until something changes and then nothing does for the time `quiet`; or until `patience` has passed.
    pub fn wait(&self, quiet: Duration, patience: Duration) -> Woken {
        let end = Instant::now() + patience;
        let mut has_changed = false;
        loop {
            if self.is_stopped() {
                return Woken::Stopped;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(if has_changed { quiet.min(left) } else { left }) {
                Ok(()) => has_changed = true,
                Err(RecvTimeoutError::Timeout) if has_changed => return Woken::Changed,
                Err(RecvTimeoutError::Timeout) => return Woken::TimedOut,
                // The watcher holds the other end.
                Err(RecvTimeoutError::Disconnected) => return Woken::Stopped,
            }
        }
    }

    /// Forgets what has changed so far.
    pub fn drain(&self) {
        self.events.try_iter().for_each(drop);
    }
}

/// Whether a file of a git directory changes with commits.
fn tells_of_commits(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    ["index", "HEAD", "packed-refs"].iter().any(|known| name == *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_when_a_commit_writes_the_index_and_not_for_other_files() {
        let dir = tempfile::tempdir().unwrap();
        let watch = Watch::new(&[dir.path().to_path_buf()], &dir.path().join("lock")).unwrap();
        let quiet = Duration::from_millis(20);
        std::fs::write(dir.path().join("FETCH_HEAD"), "x").unwrap();
        assert_eq!(watch.wait(quiet, Duration::from_millis(100)), Woken::TimedOut);
        std::fs::write(dir.path().join("index"), "x").unwrap();
        assert_eq!(watch.wait(quiet, Duration::from_secs(20)), Woken::Changed);
        assert!(matches!(Watch::new(&[], &dir.path().join("lock")), Err(WatchError::Taken)));
    }
}
