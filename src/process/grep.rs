//! The system's grep, fed with plaintext through a pipe.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use zeroize::Zeroizing;

use super::Filter;
use crate::model::Plaintext;

/// Returns the lines of `text` that grep finds with `words`, in colour as pass has them; none if it
/// finds none (or fails: it has said why itself).
pub fn grep(words: &[OsString], text: &Plaintext) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut command = Command::new("grep");
    command.arg("--color=always").args(words);
    let found = Filter::new(command, text.expose()).run()?;
    Ok(found.exit.success().then_some(found.stdout))
}
