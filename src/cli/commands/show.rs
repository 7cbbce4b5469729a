//! `show`, `ls`, and a bare name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::model::entry::is_sneaky;
use crate::model::{Plaintext, Shown};
use crate::ops::show::{Found, look_up};

use super::typed;

/// Show an entry, or list a folder.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel show [OPTIONS] [NAME]")]
pub struct Args {
    /// Put line LINE (the first) on the clipboard instead of printing the entry.
    #[arg(short = 'c', long, value_name = "LINE", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub clip: Option<OsString>,
    /// Show line LINE (the first) as a QR code instead of printing the entry.
    #[arg(short = 'q', long, value_name = "LINE", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub qrcode: Option<OsString>,
    /// An entry or a folder; the whole store if it is left out.
    #[arg(value_name = "NAME")]
    pub name: Option<OsString>,
    /// As pass does, more names are ignored.
    #[arg(hide = true)]
    pub ignored: Vec<OsString>,
}

/// What pass's usage message says after the command's name.
pub const USAGE: &str =
    "[--clip[=line-number],-c[line-number]] [--qrcode[=line-number],-q[line-number]] [pass-name]";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.clip.is_some() && args.qrcode.is_some() {
        return Err(app.usage(USAGE));
    }
    let name = args.name.as_deref().unwrap_or_default();
    if is_sneaky(name) {
        return Err(explain::sneaky());
    }
    let program = &app.ui.program;
    let empty = || CliError::pass(format!("Error: password store is empty. Try \"{program} init\"."));
    if !app.environment.root.is_dir() {
        return Err(if name.is_empty() { empty() } else { app.error(not_found(name)) });
    }
    let store = app.store()?;
    match look_up(&store, name).map_err(|e| app.error(e))? {
        Found::Entry(message) => {
            let wanted = args.clip.as_deref().or(args.qrcode.as_deref());
            // `--clip=` is `--clip` in pass.
            let wanted = wanted.map(|text| if text.is_empty() { OsStr::new("1") } else { text });
            let number = wanted.map(line_number).transpose()?;
            let context = app.context(&store);
            let text = context.decrypt(Shown::os(name), &message).map_err(|e| app.error(e))?;
            match number {
                None => {
                    app.ui.secret(text.expose())?;
                    context.crypto.prepare();
                    Ok(())
                }
                Some(number) => {
                    let line = line(&text, number)?;
                    if args.clip.is_some() { app.clip(&line, name) } else { app.qrcode(&line) }
                }
            }
        }
        Found::Folder(path) => list(app, name, &path),
        Found::Nothing if name.is_empty() => Err(empty()),
        Found::Nothing => Err(app.error(not_found(name))),
    }
}

fn not_found(name: &OsStr) -> crate::ops::OpError {
    crate::ops::OpError::NotFound(typed(name))
}

/// Returns the number of the line to copy, with pass's error where it is none.
fn line_number(text: &OsStr) -> Result<usize, CliError> {
    let not_a_number = || CliError::pass(format!("Clip location '{}' is not a number.", typed(text)));
    let digits = text.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(not_a_number)
}

/// Returns the line to copy; pass takes line 0 for the first.
fn line(text: &Plaintext, number: usize) -> Result<Plaintext, CliError> {
    match text.line(number.max(1)) {
        Some(line) if !line.is_empty() => Ok(Plaintext::new(line.to_vec())),
        _ => Err(CliError::pass(format!("There is no password to put on the clipboard at line {number}."))),
    }
}

/// Prints a folder as a tree, under the name that was typed.
fn list(app: &App, name: &OsStr, path: &Path) -> Result<(), CliError> {
    let header = match name.as_bytes() {
        b"" => "Password Store".to_owned(),
        name => Shown::new(name.strip_suffix(b"/").unwrap_or(name)).to_string(),
    };
    app.tree(header, |listing| listing.list(path))
}
