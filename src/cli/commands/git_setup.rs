//! `git-setup`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::git::setup::install;
use crate::model::{Shown, argument};
use crate::ops::OpError;
use crate::store::StoreError;

/// What is said of the command at length.
pub const LONG: &str = "\
Tell git, in this clone, to merge entries by line and field, and to show them in diffs.

Git can only take one side of an encrypted file. With a merge driver it lets passel merge the texts: `git pull`, \
`git merge`, `git rebase` and all else that merges then agrees on entries that two people changed in different lines, \
and keeps both versions where it cannot (`passel conflicts`). The driver is `passel merge-driver %O %A %B %P`.

This is set in the configuration of the repository, and of those in folders of the store, and in their \
`.git/info/attributes`: nothing is committed, so everybody decides for themselves. Refuses where git is told to keep \
what it decrypts for diffs (`diff.gpg.cachetextconv`).";

/// Tell git, in this clone, to merge entries by line and field.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel git-setup", after_help = "Example:\n  passel git-setup")]
pub struct Args {}

/// Runs the command.
pub fn run(app: &App, _: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let below = store.beneath().below(Path::new("")).map_err(|e| app.error(e.into()))?;
    if below.repositories.is_empty() {
        let program = &app.ui.program;
        return Err(CliError::pass(format!(
            "Error: the password store is not a git repository. Try \"{program} git init\"."
        )));
    }
    let mut all = Vec::new();
    for prefix in &below.repositories {
        for line in set_up(app, &store.root().join(prefix))? {
            match prefix.as_os_str().is_empty() {
                true => all.push(line),
                false => all.push(format!("{}: {line}", Shown::os(prefix))),
            }
        }
    }
    if all.is_empty() {
        return Ok(app.ui.say("Git merges entries with passel already.")?);
    }
    app.ui.say("Git merges entries with passel from now on, in this clone. Set:")?;
    for line in all {
        app.ui.say(format!("  {line}"))?;
    }
    Ok(())
}

/// Sets up the repository at `workdir`; returns what was set.
pub fn set_up(app: &App, workdir: &Path) -> Result<Vec<String>, CliError> {
    let git = crate::process::git::GitProgram::default();
    install(&git, workdir, &driver(app)?, &app.textconv())
        .map_err(|error| app.error(OpError::from(StoreError::from(error))))
}

/// Returns the command that git is to merge entries with. A name that leads to this very program is better
/// than its place, which an update may change.
pub fn driver(app: &App) -> Result<OsString, CliError> {
    let own = std::env::current_exe().map_err(|e| CliError::caused("cannot tell where passel is", &e))?;
    let real = |path: &Path| path.canonicalize().ok();
    let leads_here = |name: &&str| app.program_in_path(name).is_some_and(|found| real(&found) == real(&own));
    let program = match ["passel", &*app.ui.program].into_iter().find(leads_here) {
        Some(name) => OsString::from(argument(name)),
        None => quoted_for_git(&own),
    };
    let mut command = program;
    command.push(" merge-driver %O %A %B %P");
    Ok(command)
}

/// Returns a path as the shell that git starts takes it for one word, and git for no place to fill in.
fn quoted_for_git(path: &Path) -> OsString {
    let mut quoted = vec![b'\''];
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            b'%' => quoted.extend(b"%%"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    OsStr::from_bytes(&quoted).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_the_driver() {
        let path = Path::new("/it's 100%/passel");
        assert_eq!(quoted_for_git(path), OsStr::new("'/it'\\''s 100%%/passel'"));
    }
}
