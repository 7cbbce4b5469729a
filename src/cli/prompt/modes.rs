//! The terminal's modes while a question is asked, and how they are restored whatever happens meanwhile.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGTERM};
use signal_hook::iterator::Signals;

use super::PromptError;

/// A terminal's modes while a question is asked. Dropped, it restores what was set before.
pub(super) struct Modes(Arc<Before>);

/// A terminal with the modes that it had before a question.
struct Before {
    terminal: OwnedFd,
    modes: Termios,
}

/// The questions being asked: one, but for tests.
static ASKED: Mutex<Vec<Arc<Before>>> = Mutex::new(Vec::new());
/// Set once the thread runs that dies of signals in our place.
static WATCHED: OnceLock<()> = OnceLock::new();

impl Modes {
    /// Sets the modes for a question. Signals are off, so that Ctrl-C cannot end us while nothing typed
    /// is shown; the keys that would send them end the line instead. What was typed ahead is kept.
    pub(super) fn set(terminal: BorrowedFd<'_>, echo: bool) -> Result<Self, PromptError> {
        watch_signals()?;
        let modes = tcgetattr(terminal)?;
        let mut during = modes.clone();
        during.local_modes.remove(LocalModes::ISIG);
        during.local_modes.insert(LocalModes::ICANON);
        during.local_modes.set(LocalModes::ECHO, echo);
        during.special_codes[SpecialCodeIndex::VEOL] = modes.special_codes[SpecialCodeIndex::VINTR];
        during.special_codes[SpecialCodeIndex::VEOL2] = modes.special_codes[SpecialCodeIndex::VQUIT];
        let before = Arc::new(Before { terminal: rustix::io::fcntl_dupfd_cloexec(terminal, 0)?, modes });
        // Noted first: a signal may come as soon as they are set.
        asked().push(Arc::clone(&before));
        let set = Modes(before);
        tcsetattr(terminal, OptionalActions::Drain, &during)?;
        Ok(set)
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        let mut asked = asked();
        self.0.restore();
        asked.retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

impl Before {
    /// At once: a terminal that was stopped (Ctrl-S) would have us wait for its output for ever.
    fn restore(&self) {
        // Nothing can be done where the terminal has gone away.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.modes);
    }
}

fn asked() -> MutexGuard<'static, Vec<Arc<Before>>> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a thread wait for the signals that others end us by, since they would leave the terminal without
/// echo. It restores the modes and dies of the signal, as without it.
fn watch_signals() -> io::Result<()> {
    if WATCHED.get().is_some() {
        return Ok(());
    }
    // Not SIGINT and SIGQUIT: the keys for these are off meanwhile, and the editor needs them to be.
    let mut signals = Signals::new([SIGTERM, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in &mut signals {
            // Kept locked: no further question changes the modes.
            let asked = asked();
            asked.iter().for_each(|before| before.restore());
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    })?;
    let _ = WATCHED.set(());
    Ok(())
}
