//! The clipboard: copying a secret for a while, as pass does.
//!
//! The work is done by a *keeper*, a background process of our own program. It gets its order through a
//! pipe, copies, answers, waits, and restores what was there before. In the process list it is called as
//! pass calls its own (`password store sleep on display :0`), so that stock pass's `pkill` ends ours, and
//! ours ends theirs. The secret is in no argument, no environment and no file.

mod keeper;
mod order;
mod others;
mod run;
mod tools;
mod wayland;
mod x11;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};

pub use keeper::restore_main;
use order::Order;

use crate::model::{Plaintext, Shown};
use tools::Clipboard;

/// How every keeper's name begins, ours and stock pass's, on every system.
const KEEPER_NAME: &str = "password store sleep ";

/// Where to copy to, and for how long.
#[derive(Debug, Clone)]
pub struct ClipboardOptions {
    /// The Wayland display (`WAYLAND_DISPLAY`), tried first.
    pub wayland: Option<OsString>,
    /// The X11 display (`DISPLAY`).
    pub display: Option<OsString>,
    /// The selection's name (`PASSWORD_STORE_X_SELECTION`): clipboard, primary or secondary.
    pub selection: String,
    /// How long the secret stays, in seconds.
    pub seconds: u64,
}

/// Why a secret is not on the clipboard.
#[derive(Debug, thiserror::Error)]
pub enum ClipboardError {
    /// There is no display. The text is pass's own.
    #[error("Error: No X11 or Wayland display detected")]
    NoDisplay,
    /// The program that reaches the clipboard is not installed.
    #[error("the clipboard needs {0}, which is not installed")]
    Missing(String),
    /// There is no selection of that name.
    #[error("there is no selection `{0}`")]
    NoSelection(String),
    /// Nobody answers at the display that a variable names.
    #[error("there is no display `{value}`, which {variable} names")]
    Unreachable {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// That program failed.
    #[error("{0}")]
    Failed(String),
    /// The background process could not be started or spoken to.
    #[error("cannot start the process that restores the clipboard")]
    Keeper(#[source] io::Error),
}

/// Copies `secret` to the clipboard and leaves a background process behind that restores it.
///
/// Returns once the secret is there. A secret copied earlier is replaced; what was there before *that* is
/// what will be restored.
pub fn copy(secret: &Plaintext, options: &ClipboardOptions) -> Result<(), ClipboardError> {
    let program = std::env::current_exe().map_err(ClipboardError::Keeper)?;
    copy_through(Command::new(program), secret, options)
}

/// Fails if there is no clipboard to copy to: no display, nobody who answers there, or no program for it.
/// Sockets of Wayland displays lie in the folder `runtime` (`XDG_RUNTIME_DIR`).
pub fn check(options: &ClipboardOptions, runtime: Option<&OsStr>) -> Result<(), ClipboardError> {
    Clipboard::open(options)?;
    let unreachable = |variable, value: &OsStr| {
        Err(ClipboardError::Unreachable { variable, value: Shown::os(value).to_string() })
    };
    if cfg!(target_os = "macos") {
        Ok(())
    } else if let Some(display) = non_empty(&options.wayland) {
        if wayland::answers(display, runtime) { Ok(()) } else { unreachable("WAYLAND_DISPLAY", display) }
    } else {
        let display = non_empty(&options.display).ok_or(ClipboardError::NoDisplay)?;
        if x11::answers(display) { Ok(()) } else { unreachable("DISPLAY", display) }
    }
}

/// Whether a process that was called `name` (its first argument) is to be a keeper: `main` then calls
/// [`restore_main`] and nothing else.
pub fn is_keeper(name: &OsStr) -> bool {
    name.as_bytes().starts_with(KEEPER_NAME.as_bytes())
}

/// As [`copy`], with the program that becomes the keeper.
fn copy_through(
    mut program: Command,
    secret: &Plaintext,
    options: &ClipboardOptions,
) -> Result<(), ClipboardError> {
    program.arg0(keeper_name(options)?).current_dir("/");
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut keeper = program.spawn().map_err(ClipboardError::Keeper)?;
    let order = Order { options: options.clone(), secret };
    let said = keeper.stdin.take().ok_or(io::ErrorKind::BrokenPipe.into());
    let said: io::Result<()> = said.and_then(|mut pipe: ChildStdin| order.write(&mut pipe));
    let mut answer = Vec::new();
    // A keeper that died has not answered: that tells more than the broken pipe.
    let heard = keeper.stdout.take().map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut answer));
    match answer.split_first() {
        Some((&keeper::DONE, _)) => Ok(()),
        Some((&keeper::MISSING, tool)) => Err(ClipboardError::Missing(text(tool))),
        Some((_, reason)) => Err(ClipboardError::Failed(text(reason))),
        None => {
            let cause = said.and(heard.map(drop)).err();
            Err(ClipboardError::Keeper(cause.unwrap_or_else(|| io::Error::other("it ended early"))))
        }
    }
}

/// Returns a keeper's message as text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the name by which keepers of this display find each other; it is stock pass's.
fn keeper_name(options: &ClipboardOptions) -> Result<OsString, ClipboardError> {
    if cfg!(target_os = "macos") {
        let user = rustix::process::getuid().as_raw();
        return Ok(format!("{KEEPER_NAME}for user {user}").into());
    }
    let display = non_empty(&options.wayland).or(non_empty(&options.display));
    let mut name = OsString::from(format!("{KEEPER_NAME}on display "));
    name.push(display.ok_or(ClipboardError::NoDisplay)?);
    Ok(name)
}

/// Returns a variable's value; set but empty counts as not set, as in pass.
fn non_empty(value: &Option<OsString>) -> Option<&OsStr> {
    value.as_deref().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
