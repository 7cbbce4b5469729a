//! The system's grep, fed with plaintext through a pipe: for what [`crate::search`] does not answer.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use zeroize::Zeroizing;

use super::Filter;
use crate::model::Plaintext;

/// Returns the lines of `text` that grep finds with `words`, with its colours if `coloured`; none if it
/// finds none. If grep fails it has said why itself; its exit code is the inner error.
pub fn grep(words: &[OsString], text: &Plaintext, coloured: bool) -> io::Result<Result<Found, i32>> {
    let mut command = Command::new("grep");
    // The user's words may say otherwise: they come later.
    command.arg(if coloured { "--color=always" } else { "--color=never" }).args(words);
    let found = Filter::new(command, text.expose()).run()?;
    Ok(match found.exit.code() {
        Some(0) => Ok(Some(found.stdout)),
        Some(1) => Ok(None),
        code => Err(code.unwrap_or(2)),
    })
}

/// What grep found, if anything.
pub type Found = Option<Zeroizing<Vec<u8>>>;
