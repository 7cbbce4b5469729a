//! The background process: copies, waits, restores.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec};
use sha2::{Digest as _, Sha256};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use zeroize::Zeroizing;

use super::order::Order;
use super::tools::{self, Clipboard};
use super::{ClipboardError, keeper_name, others};

/// The answer that says: copied.
pub(super) const DONE: u8 = b'+';
/// The answer that says: no such tool; its name follows.
pub(super) const MISSING: u8 = b'?';
/// The answer that says: failed; the reason follows.
const FAILED: u8 = b'-';

/// Is the keeper: `main` calls this, and nothing else, in a process that [`super::is_keeper`] tells by its
/// name. Reads the order from standard input, answers on standard output once the secret is copied.
pub fn restore_main() -> ExitCode {
    // A session of our own: closing the terminal must not end us, nor the tools that we start. It fails
    // only if we have one already.
    let _ = rustix::process::setsid();
    match keep() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (kind, text) = match error {
                ClipboardError::Missing(tool) => (MISSING, tool),
                ClipboardError::Failed(reason) => (FAILED, reason),
                other => (FAILED, other.to_string()),
            };
            let _ = answer(kind, &text);
            ExitCode::FAILURE
        }
    }
}

/// Copies, answers, waits, restores.
fn keep() -> Result<(), ClipboardError> {
    let told_to_end = TermPipe::new().map_err(ClipboardError::Keeper)?;
    let order = Order::read(&mut io::stdin().lock()).map_err(ClipboardError::Keeper)?;
    let clipboard = Clipboard::open(&order.options)?;
    // If another keeper will not end, the clipboard may hold its secret: then nothing is restored.
    let restorable = others::end_older(&keeper_name(&order.options)?);
    let before = clipboard.read().map_err(failed)?.filter(|_| restorable).unwrap_or_default();
    if !clipboard.write_secret(order.secret.expose()).map_err(failed)? {
        return Err(ClipboardError::Failed("the program that copies failed".into()));
    }
    let ours = Sha256::digest(order.secret.expose());
    let seconds = order.options.seconds;
    // From here on only its hash is kept.
    drop(order);
    answer(DONE, "").map_err(ClipboardError::Keeper)?;
    told_to_end.wait(seconds);
    restore(&clipboard, &before, |now| Sha256::digest(now) == ours).map_err(ClipboardError::Keeper)
}

/// Returns an error for a tool that could not be run.
fn failed(source: io::Error) -> ClipboardError {
    ClipboardError::Failed(source.to_string())
}

/// Puts back what was there, unless somebody has copied something else since.
fn restore(
    clipboard: &Clipboard,
    before: &Zeroizing<Vec<u8>>,
    is_ours: impl Fn(&[u8]) -> bool,
) -> io::Result<()> {
    let now = clipboard.read()?;
    tools::clear_klipper();
    if now.is_some_and(|now| is_ours(&now)) {
        clipboard.write(before)?;
    }
    Ok(())
}

/// Answers who started us, and lets go of them: they read to the end.
fn answer(kind: u8, text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&[kind])?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(rustix::stdio::dup2_stdout(&null)?)
}

/// A pipe that becomes readable when we are told to end.
struct TermPipe(UnixStream);

impl TermPipe {
    /// Takes the signals over that end a process.
    fn new() -> io::Result<Self> {
        let (told, tell) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, tell.try_clone()?)?;
        }
        Ok(TermPipe(told))
    }

    /// Waits for `seconds`, or less if told to end.
    fn wait(&self, seconds: u64) {
        let deadline = std::time::Instant::now().checked_add(std::time::Duration::from_secs(seconds));
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(std::time::Instant::now()));
            // Longer than the clock knows: for ever.
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match rustix::event::poll(&mut [PollFd::new(&self.0, PollFlags::IN)], left.as_ref()) {
                Err(rustix::io::Errno::INTR) => {}
                _ => return,
            }
        }
    }
}
