//! Offering a Wayland selection ourselves: to mark it as a secret, and because wl-copy (2.1 at least) puts
//! what it copies into a file below /tmp.
//!
//! Works where the compositor lets programs without a window do so (the data-control protocols: KDE, sway
//! and others of its kind, not GNOME). Reading the selection and restoring it are left to wl-clipboard.

use std::ffi::OsStr;
use std::os::unix::net::UnixStream;
use std::path::Path;

use wl_clipboard_rs::copy::{ClipboardType, MimeType, Options, Source};

/// Offers `secret`, marked, for as long as this process lives or until somebody else offers something.
/// Returns whether that can be done here.
///
/// The display is that of the environment, which this process has from the command that started it.
pub(super) fn offer(primary: bool, secret: &[u8]) -> bool {
    let mut options = Options::new();
    options.foreground(true).sensitive(true);
    options.clipboard(if primary { ClipboardType::Primary } else { ClipboardType::Regular });
    let prepared = options.prepare_copy(Source::Bytes(secret.into()), MimeType::Text);
    // Who asks is answered by a thread of its own, which ends when it is no longer us they ask.
    prepared.is_ok_and(|prepared| std::thread::Builder::new().spawn(move || drop(prepared.serve())).is_ok())
}

/// Whether a compositor answers at `display`: a socket's path, or its name in the folder `runtime`
/// (libwayland's `wl_display_connect`).
pub(super) fn answers(display: &OsStr, runtime: Option<&OsStr>) -> bool {
    // Joined to a path that begins with a slash, the folder counts for nothing.
    let socket = Path::new(runtime.unwrap_or_default()).join(display);
    socket.is_absolute() && UnixStream::connect(socket).is_ok()
}
