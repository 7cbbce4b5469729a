//! The background process: copies, waits, restores.

use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use sha2::{Digest as _, Sha256};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use zeroize::Zeroizing;

use super::order::Order;
use super::tools::{self, Clipboard};
use super::x11::Owner;
use super::{ClipboardError, keeper_name, others, wayland};
use crate::model::Plaintext;

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
    if told_to_end.is_told() {
        // By a younger one, which will not wait for what we would only undo.
        return Err(ClipboardError::Failed("another command copied at the same time".into()));
    }
    let before = clipboard.read().map_err(failed)?.filter(|_| restorable).unwrap_or_default();
    let ours = Sha256::digest(order.secret.expose());
    let deadline = Instant::now().checked_add(Duration::from_secs(order.options.seconds));
    let owner = offer(&clipboard, order.secret)?;
    answer(DONE, "").map_err(ClipboardError::Keeper)?;
    let owner = owner.and_then(|owner| serve(owner, &told_to_end, deadline));
    if owner.is_none() {
        told_to_end.wait(deadline, None).map_err(ClipboardError::Keeper)?;
    }
    restore(&clipboard, owner, &before, |now| Sha256::digest(now) == ours).map_err(ClipboardError::Keeper)
}

/// Puts the secret on the clipboard: on X11 this process offers it, returned as owner; on Wayland a thread
/// of it does; elsewhere, or where that does not work, a program.
fn offer(clipboard: &Clipboard, secret: Plaintext) -> Result<Option<Owner>, ClipboardError> {
    if let Some((display, selection)) = clipboard.x11()
        && let Some(owner) = Owner::take(display, selection, secret.expose())
    {
        return Ok(Some(owner));
    }
    if clipboard.wayland().is_some_and(|primary| wayland::offer(primary, secret.expose())) {
        return Ok(None);
    }
    match clipboard.write_secret(secret.expose()) {
        Ok(true) => Ok(None),
        Ok(false) => Err(ClipboardError::Failed("the program that copies failed".into())),
        Err(error) => Err(failed(error)),
    }
}

/// Gives the secret to who asks, until the time is up or we are told to end. Returns the owner if it still
/// is; if somebody else took over, what they offer is to be looked at when the time is up.
fn serve(mut owner: Owner, told_to_end: &TermPipe, deadline: Option<Instant>) -> Option<Owner> {
    while owner.answer_all() {
        match told_to_end.wait(deadline, Some(owner.as_fd())) {
            Ok(Woken::Other) => {}
            Ok(Woken::Time | Woken::Signal) | Err(_) => return Some(owner),
        }
    }
    None
}

/// Returns an error for a tool that could not be run.
fn failed(source: io::Error) -> ClipboardError {
    ClipboardError::Failed(source.to_string())
}

/// Puts back what was there, unless somebody has copied something else since. (A clipboard manager may
/// have taken over what we offered: then it is still ours to replace.)
fn restore(
    clipboard: &Clipboard,
    owner: Option<Owner>,
    before: &Zeroizing<Vec<u8>>,
    is_ours: impl Fn(&[u8]) -> bool,
) -> io::Result<()> {
    // Once more, as late as can be: somebody may have taken over this very moment.
    let owner = owner.and_then(|mut owner| owner.answer_all().then_some(owner));
    if owner.is_some() || clipboard.read()?.is_some_and(|now| is_ours(&now)) {
        match owner {
            // Nothing to put back: what we offer goes when we give it up.
            Some(owner) if before.is_empty() => owner.give_up(),
            Some(owner) => match clipboard.write(before) {
                Ok(true) => owner.hand_over(),
                _ => owner.give_up(),
            },
            None => drop(clipboard.write_and_settle(before)?),
        }
    }
    tools::clear_klipper();
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

/// Why a wait ended.
enum Woken {
    Time,
    Signal,
    Other,
}

impl TermPipe {
    /// Takes the signals over that end a process.
    fn new() -> io::Result<Self> {
        let (told, tell) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, tell.try_clone()?)?;
        }
        Ok(TermPipe(told))
    }

    /// Whether we have been told to end already.
    fn is_told(&self) -> bool {
        matches!(self.wait(Some(Instant::now()), None), Ok(Woken::Signal))
    }

    /// Waits until `deadline` (none: for ever), until we are told to end, or until `other` can be read.
    fn wait(&self, deadline: Option<Instant>, other: Option<BorrowedFd<'_>>) -> io::Result<Woken> {
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            // Longer than the system knows: for ever.
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut waits = vec![PollFd::new(&self.0, PollFlags::IN)];
            waits.extend(other.map(|other| PollFd::from_borrowed_fd(other, PollFlags::IN)));
            match rustix::event::poll(&mut waits, left.as_ref()) {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(0) => return Ok(Woken::Time),
                Ok(_) if !waits[0].revents().is_empty() => return Ok(Woken::Signal),
                Ok(_) => return Ok(Woken::Other),
            }
        }
    }
}
