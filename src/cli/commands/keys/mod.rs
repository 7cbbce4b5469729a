//! `keys`: the public keys that travel in the store.

pub mod export;
pub mod import;
pub mod list;

use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::{FolderName, Key, KeyProblem, Shown, argument};
use crate::ops::keys::{KeyFileError, path_of};

/// Let the public keys of all recipients travel in the store.
///
/// They stand in `.public-keys` at the store's root, as gopass and prs keep them too.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel keys COMMAND [OPTIONS]")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about the keys in the store.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the keys in the store, and recipients whose keys are not there.
    List(list::Args),
    /// Write the public keys of all recipients into the store.
    Export(export::Args),
    /// Take keys of the store into the keyring, once their fingerprints are confirmed.
    Import(import::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::List(args) => list::run(app, args),
        Command::Export(args) => export::run(app, args),
        Command::Import(args) => import::run(app, args),
    }
}

/// Tells of a file that is not used.
pub fn tell_bad(app: &App, (path, error): &(PathBuf, KeyFileError)) {
    let program = &app.ui.program;
    app.ui.warn(format!("`{}` is not used: {error}", Shown::os(path)));
    let file = argument(path);
    let has_git = app.environment.root.join(".git").exists();
    app.ui.warn(match error {
        KeyFileError::Misnamed(key) if !path_of(key).as_path().eq(path) && has_git => {
            let right = argument(&path_of(key));
            format!("hint: if it was named so by gopass: `{program} git mv {file} {right}`")
        }
        _ if has_git => format!("hint: look who put it there: `{program} git log -- {file}`"),
        _ => "hint: look who put it there".to_owned(),
    });
}

/// Returns when a key ends, or what is the matter with it.
pub fn state(key: &Key) -> String {
    match (&key.problem, key.useless_from()) {
        (Some(problem @ KeyProblem::Expired(_)), _) => problem.to_string(),
        (Some(problem), _) => problem.to_string(),
        (None, Some(at)) => format!("expires on {}", crate::model::key::day(at)),
        (None, None) => "does not expire".to_owned(),
    }
}

/// Returns folders for a line of output: `the store, web, clients/acme`.
pub fn folders<'f>(folders: impl IntoIterator<Item = &'f FolderName>) -> String {
    let name = |folder: &FolderName| match folder.is_root() {
        true => "the store".to_owned(),
        false => folder.to_string(),
    };
    folders.into_iter().map(name).collect::<Vec<_>>().join(", ")
}
