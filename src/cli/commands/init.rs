//! `init`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::cli::quote::quoted;
use crate::model::entry::is_sneaky;
use crate::model::{Fingerprint, FolderName};
use crate::ops::{OpError, init};
use crate::store::beneath::State;

use super::typed;

/// Set the recipients of the store or a folder, and encrypt its entries to them.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel init [OPTIONS] GPG-ID...")]
pub struct Args {
    /// Do so for this folder only, not for the whole store.
    #[arg(short, long, value_name = "FOLDER", allow_hyphen_values = true)]
    pub path: Option<OsString>,
    /// Key fingerprints, key IDs, user IDs or gpg groups; one empty text takes the folder's own list away.
    #[arg(value_name = "GPG-ID")]
    pub ids: Vec<OsString>,
}

/// What pass's usage message says after the command's name.
pub const USAGE: &str = "[--path=subfolder,-p subfolder] gpg-id...";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.ids.is_empty() {
        return Err(app.usage(USAGE));
    }
    let path = args.path.clone().unwrap_or_default();
    if is_sneaky(&path) {
        return Err(explain::sneaky());
    }
    let folder = FolderName::for_writing(&path).map_err(|e| app.error(e.into()))?;
    let mut ids = Vec::new();
    for id in &args.ids {
        let text = id
            .to_str()
            .filter(|id| !id.contains(['\n', '\r', '\0']) && comment_is_clear(id) && *id == id.trim());
        let wrong = || CliError::new(format!("`{}` cannot stand in a recipients file", typed(id)));
        ids.push(text.ok_or_else(wrong)?.to_owned());
    }
    if ids.len() == 1 && ids[0].is_empty() {
        return take_away(app, &folder, &typed(&path));
    }
    if ids.iter().any(String::is_empty) {
        return Err(CliError::new("an empty gpg-id stands beside others"));
    }
    set(app, &folder, &typed(&path), &ids)
}

/// Whether what stands before a `#`, all that counts in a recipients file, is unmistakable: a fingerprint.
/// A user ID that holds `#` would be cut to one that may be somebody else's.
fn comment_is_clear(id: &str) -> bool {
    match id.split_once('#') {
        Some((before, _)) => Fingerprint::of_name(before.trim()).is_some(),
        None => true,
    }
}

/// Sets recipients; makes the store if it is not there.
fn set(app: &App, folder: &FolderName, path: &str, ids: &[String]) -> Result<(), CliError> {
    let made = make_root(app)?;
    let result = (|| {
        let store = app.store()?;
        if let Ok(State::File(_) | State::Other) = store.beneath().state(folder.as_path()) {
            let path = app.environment.root.join(folder.as_path());
            let path = typed(path.as_os_str());
            return Err(CliError::pass(format!("Error: {path} exists but is not a directory.")));
        }
        let context = app.context(&store);
        context.refuse_long(folder.as_path()).map_err(|e| app.error(e))?;
        let done = init::init(&context, folder, ids).map_err(|e| app.error(e))?;
        for path in &made {
            // The root with its slash, as pass names it where it is all that is made.
            let is_last = folder.is_root() && *path == app.environment.root;
            let slash = if is_last { path.join("") } else { path.clone() };
            let _ = app.ui.say(format!("mkdir: created directory {}", quoted(&slash)));
        }
        app.tell_folders(&done.published);
        let place = if path.is_empty() { String::new() } else { format!(" ({path})") };
        let _ =
            app.ui.say(format!("Password store initialized for {}{place}", typed(ids.join(", ").as_ref())));
        app.tell(&done.published, &done.reencrypted);
        Ok(())
    })();
    if result.is_err() {
        // Nothing half-done stays: a root that was made for this goes again.
        for path in made.iter().rev() {
            let _ = std::fs::remove_dir(path);
        }
    }
    result
}

/// Makes the root and the folders above it; returns those that were missing, outermost first.
fn make_root(app: &App) -> Result<Vec<std::path::PathBuf>, CliError> {
    let root = &app.environment.root;
    let missing = root.ancestors().take_while(|path| path.symlink_metadata().is_err());
    let mut missing: Vec<_> = missing.map(std::path::Path::to_path_buf).collect();
    missing.reverse();
    if let Err(error) = std::fs::create_dir_all(root) {
        return Err(CliError::caused(format!("cannot make the store `{}`", typed(root.as_os_str())), &error));
    }
    Ok(missing)
}

/// Takes a folder's own recipients away.
fn take_away(app: &App, folder: &FolderName, path: &str) -> Result<(), CliError> {
    // The path is written as pass writes it: with the slash before an empty folder name.
    let file = app.environment.root.join("").join(path).join("").into_os_string();
    let file = format!("{}{}.gpg-id", typed(&file), if path.is_empty() { "/" } else { "" });
    let absent = || CliError::pass(format!("Error: {file} does not exist and so cannot be removed."));
    if !app.environment.root.is_dir() {
        return Err(absent());
    }
    let store = app.store()?;
    let context = app.context(&store);
    let place = if path.is_empty() { String::new() } else { format!(" ({path})") };
    let subject = format!("Deinitialize {file}{place}.");
    let done = init::deinit(&context, folder, &subject).map_err(|error| match error {
        OpError::NotFound(_) => absent(),
        error => app.error(error),
    })?;
    let _ = app.ui.say(format!("removed {}", quoted(file.as_ref())));
    app.tell(&done.published, &done.reencrypted);
    Ok(())
}
