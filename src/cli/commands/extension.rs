//! Extensions of pass: words that are no command of ours, and what extensions ask of us.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::cli::variables::variable;
use crate::model::entry::is_sneaky;
use crate::model::{FolderName, Plaintext};
use crate::ops::{check_signature, reencrypt, signature_path};
use crate::process::extension::{
    CLIP_ARGUMENT, Extension, QRCODE_ARGUMENT, RECIPIENTS_ARGUMENT, REENCRYPT_ARGUMENT, SHOWN_ARGUMENT,
    SYSTEM_FOLDER, VERIFY_ARGUMENT,
};

use super::typed;

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
    let named = variable("PASSWORD_STORE_EXTENSIONS_DIR");
    named.map_or_else(|| root.join(".extensions"), PathBuf::from)
}

/// Does what one of the functions that extensions call asks of us. Secrets come by standard input, which
/// no process listing shows. Returns none if `words` are no such request.
pub fn serve(app: &App, words: &[OsString]) -> Option<Result<(), CliError>> {
    let (request, argument) = match words {
        [request] => (request, OsStr::new("")),
        [request, argument] => (request, argument.as_os_str()),
        _ => return None,
    };
    let secret = || -> Result<Plaintext, CliError> { Ok(app.prompt.borrow_mut().text()?) };
    Some(match request.to_str()? {
        CLIP_ARGUMENT => secret().and_then(|secret| app.clip(&secret, argument)),
        QRCODE_ARGUMENT => secret().and_then(|secret| app.qrcode(&secret)),
        SHOWN_ARGUMENT => secret().and_then(|text| Ok(app.ui.secret_escaped(text.expose())?)),
        RECIPIENTS_ARGUMENT => recipients(app, argument),
        REENCRYPT_ARGUMENT => reencrypt(app, Path::new(argument)),
        VERIFY_ARGUMENT => verify(app, Path::new(argument)),
        _ => return None,
    })
}

/// Prints, one a line, what names each recipient of a folder to gpg.
fn recipients(app: &App, folder: &OsStr) -> Result<(), CliError> {
    // Extensions put what was typed behind `$PREFIX/`, where another slash does no harm.
    let slashes = folder.as_bytes().iter().take_while(|byte| **byte == b'/').count();
    let folder = OsStr::from_bytes(&folder.as_bytes()[slashes..]);
    let folder = FolderName::parse(folder).map_err(|e| app.error(e.into()))?;
    let store = app.store()?;
    let recipients = app.context(&store).recipients(&folder).map_err(|e| app.error(e))?;
    recipients.keys.iter().try_for_each(|key| Ok(app.ui.say(key.gpg_name())?))
}

/// Brings the entry at `path`, or all below that folder, in line with their recipients.
fn reencrypt(app: &App, path: &Path) -> Result<(), CliError> {
    let store = app.store()?;
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let Ok(below) = absolute.strip_prefix(store.root()) else {
        let (path, root) = (typed(path.as_os_str()), typed(store.root().as_os_str()));
        return Err(CliError::new(format!("`{path}` is not below the password store `{root}`")));
    };
    if is_sneaky(below.as_os_str()) {
        return Err(explain::sneaky());
    }
    let context = app.context(&store);
    let done = reencrypt::reencrypt(&context, below).map_err(|e| app.error(e))?;
    app.tell_notes();
    app.tell(&done.published, &done.reencrypted);
    Ok(())
}

/// Fails unless a file is signed as the user wants extensions and recipients files to be.
fn verify(app: &App, file: &Path) -> Result<(), CliError> {
    let keys = &app.environment.signing_keys;
    if keys.is_empty() {
        return Ok(());
    }
    let read = |path: &Path| match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::caused(format!("cannot read `{}`", typed(path.as_os_str())), &error)),
    };
    let missing = || CliError::new(format!("there is no `{}`", typed(file.as_os_str())));
    let bytes = read(file)?.ok_or_else(missing)?;
    let signature = read(&signature_path(file))?;
    let checked = check_signature(app.crypto(), keys, file, &bytes, signature.as_deref());
    checked.map_err(|e| app.error(e))
}
