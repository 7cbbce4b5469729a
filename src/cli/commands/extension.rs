//! Extensions of pass: words that are no command of ours, and what extensions ask of us.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::model::entry::is_sneaky;
use crate::process::extension::{CLIP_ARGUMENT, Extension, QRCODE_ARGUMENT, SYSTEM_FOLDER};

/// Runs the extension called `name` in our place, if there is one; comes back only if there is none.
pub fn run(app: &App, name: &OsStr, arguments: &[OsString]) -> Result<(), CliError> {
    if name.is_empty() {
        return Ok(());
    }
    if is_sneaky(name) {
        return Err(explain::sneaky());
    }
    let Some(extension) = find(app, name) else { return Ok(()) };
    match extension.run(OsStr::new(&app.ui.program), name, arguments) {
        Ok(never) => match never {},
        Err(error) => Err(CliError::from_error(&error)),
    }
}

/// Whether there is an extension called `name`.
pub fn exists(app: &App, name: &OsStr) -> bool {
    !name.is_empty() && !is_sneaky(name) && find(app, name).is_some()
}

/// Returns the extension called `name`.
fn find(app: &App, name: &OsStr) -> Option<Extension> {
    let enabled = std::env::var_os("PASSWORD_STORE_ENABLE_EXTENSIONS").is_some_and(|value| value == "true");
    let folder = enabled.then(|| user_folder(&app.environment.root));
    Extension::find(name, folder.as_deref(), Path::new(SYSTEM_FOLDER))
}

/// Returns where the user keeps extensions.
fn user_folder(root: &Path) -> PathBuf {
    let named = std::env::var_os("PASSWORD_STORE_EXTENSIONS_DIR").filter(|folder| !folder.is_empty());
    named.map_or_else(|| root.join(".extensions"), PathBuf::from)
}

/// Does what an extension's `clip` or `qrcode` asks of us: the secret comes by standard input, which no
/// process listing shows. Returns none if `words` are no such request.
pub fn serve(app: &App, words: &[OsString]) -> Option<Result<(), CliError>> {
    let [request, label] = words else { return None };
    let clip = match request.to_str()? {
        CLIP_ARGUMENT => true,
        QRCODE_ARGUMENT => false,
        _ => return None,
    };
    Some(match super::insert::read_secret() {
        Err(error) => Err(error),
        Ok(secret) if clip => app.clip(&secret, label),
        Ok(secret) => app.qrcode(&secret),
    })
}
