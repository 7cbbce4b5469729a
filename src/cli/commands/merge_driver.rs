//! `merge-driver`, which git calls.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::cli::app::{App, Environment};
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::cli::ui::Ui;
use crate::files::whole;
use crate::model::{EntryName, Shown, argument};
use crate::ops::merge::{NotMerged, keep_apart, merge_messages};
use crate::ops::{Context, OpError};

/// What is said of the command at length.
pub const LONG: &str = "\
Merge two versions of an entry: git calls this (`passel git-setup` tells it to).

Decrypts both versions and what they were made from, in memory, merges them by line and field, and puts the result, \
encrypted to the recipients of the entry's folder, in the place of the file OURS. Where a person must decide, because \
both sides changed the same line, or because a version cannot be decrypted here, or the recipients are not accepted: \
leaves OURS as it is, puts the other version beside the entry as `NAME.conflict-` and eight digits, and exits with 1, \
so that git calls the entry unmerged. See `passel conflicts`.";

/// Merge two versions of an entry: git calls this.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel merge-driver BASE OURS THEIRS PATH")]
pub struct Args {
    /// What both versions were made from (git's %O); an empty file where there is nothing.
    #[arg(value_name = "BASE")]
    pub base: PathBuf,
    /// The version here (%A), which the result replaces.
    #[arg(value_name = "OURS")]
    pub ours: PathBuf,
    /// The other version (%B).
    #[arg(value_name = "THEIRS")]
    pub theirs: PathBuf,
    /// The entry's file in the repository (%P).
    #[arg(value_name = "PATH", allow_hyphen_values = true)]
    pub path: PathBuf,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    // For git, what is not merged is a conflict, whatever the reason: 1. From 129 on it would give up.
    run_in_store(app, args).map_err(|error| error.code(exit::FAILURE))
}

fn run_in_store(app: &App, args: &Args) -> Result<(), CliError> {
    let top =
        std::env::current_dir().map_err(|e| CliError::caused("cannot tell in which folder this runs", &e))?;
    let (root, path) = place(&app.environment.root, &top, &args.path);
    let here = App::new(
        Ui { program: app.ui.program.clone() },
        Environment { root, ..app.environment.clone() },
        app.command.clone(),
    );
    let name = entry(&path).ok_or_else(|| {
        let shown = Shown::os(&args.path);
        CliError::new(format!("`{shown}` is no entry: passel does not merge it"))
            .hint(format!("both versions are in git: `git show :2:{shown}`, `git show :3:{shown}`"))
    })?;
    let store = here.store()?;
    let done = merge(&here, &here.context(&store), &name, args);
    here.tell_notes();
    done
}

/// Merges the files.
fn merge(app: &App, context: &Context<'_>, name: &EntryName, args: &Args) -> Result<(), CliError> {
    let read = |path: &Path| {
        let shown = Shown::os(path);
        std::fs::read(path).map_err(|error| CliError::caused(format!("cannot read `{shown}`"), &error))
    };
    let [base, ours, theirs] = [read(&args.base)?, read(&args.ours)?, read(&args.theirs)?];
    let base = (!base.is_empty()).then_some(&*base);
    match merge_messages(context, name, base, &ours, &theirs) {
        Ok(merged) => {
            if merged.is_out_of_line {
                app.ui.warn(format!(
                    "note: not all versions of `{name}` are encrypted to who is to read it: after the merge, \
                     `{} recipients check` shows whether it is",
                    app.ui.program
                ));
            }
            whole::write(&args.ours, &merged.message, false).map_err(|(action, error)| {
                CliError::caused(format!("cannot {action} the merged `{name}`"), &error)
            })
        }
        Err(why) => Err(kept(app, context, name, &theirs, &why)),
    }
}

/// Keeps the other version apart, and returns what is told.
fn kept(app: &App, context: &Context<'_>, name: &EntryName, theirs: &[u8], why: &NotMerged) -> CliError {
    let program = &app.ui.program;
    let told = |message: String| CliError::caused(message, why);
    let told = match keep_apart(context, name, theirs) {
        Ok(beside) => {
            let files = [name, &beside].map(|name| argument(&name.file()));
            told(format!("`{name}` is not merged: the other version is kept as `{beside}`")).hint(format!(
                "`{program} git add {} {}` and `{program} git commit` keep both; then `{program} conflicts` helps to \
                 choose",
                files[0], files[1]
            ))
        }
        Err(error) => {
            let other = argument(&format!(":3:{}", Shown::os(&name.file())));
            told(format!("`{name}` is not merged: your version stays, and the other is in git"))
                .hint(format!("it could not be put beside it ({error}); `{program} git show {other}` has it"))
        }
    };
    let again = format!("or `{program} git merge --abort`,");
    match why {
        NotMerged::Failed(OpError::NotAccepted(difference)) => told.hint(format!(
            "{again} `{program} recipients accept {}`, and merge again",
            folder(difference.folder.as_path())
        )),
        NotMerged::Copied(_) => told.hint(format!(
            "{again} and ask who put it there; `{program} recipients review` shows such entries once they are merged"
        )),
        _ => told,
    }
}

/// Returns a folder's name to put into a command.
fn folder(path: &Path) -> String {
    if path.as_os_str().is_empty() { "/".to_owned() } else { argument(path) }
}

/// Returns the store in which git merges `path`, a file in the work tree `top`, and its path there. That is
/// `root` if the file lies below it; else the work tree is a store of its own: a clone, another work tree.
fn place(root: &Path, top: &Path, path: &Path) -> (PathBuf, PathBuf) {
    if let (Ok(real), Ok(top)) = (root.canonicalize(), top.canonicalize())
        && let Ok(inside) = top.join(path).strip_prefix(&real)
    {
        return (root.to_path_buf(), inside.to_path_buf());
    }
    (top.to_path_buf(), path.to_path_buf())
}

/// Returns the entry whose file is `path`.
fn entry(path: &Path) -> Option<EntryName> {
    let name = path.as_os_str().as_bytes().strip_suffix(b".gpg")?;
    let name = EntryName::for_writing(&OsString::from_vec(name.to_vec())).ok()?;
    (name.file() == path).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_where_git_merges() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(path("store/nested")).unwrap();
        std::fs::create_dir_all(path("clone")).unwrap();
        let placed = |root: &str, top: &str, file: &str| place(&path(root), &path(top), Path::new(file));
        assert_eq!(placed("store", "store", "web/a.gpg"), (path("store"), "web/a.gpg".into()));
        assert_eq!(placed("store", "store/nested", "a.gpg"), (path("store"), "nested/a.gpg".into()));
        // The repository is around the store.
        assert_eq!(placed("store", "", "store/a.gpg"), (path("store"), "a.gpg".into()));
        assert_eq!(placed("store", "clone", "a.gpg"), (path("clone"), "a.gpg".into()));
        assert_eq!(placed("none", "clone", "a.gpg"), (path("clone"), "a.gpg".into()));
    }

    #[test]
    fn only_entries_are_merged() {
        assert_eq!(entry(Path::new("web/a.gpg")).unwrap().to_string(), "web/a");
        for path in ["a.txt", "a.GPG", "../a.gpg", ".gpg-id/a.gpg", "a//b.gpg"] {
            assert!(entry(Path::new(path)).is_none() || path == "a//b.gpg", "{path}");
        }
    }
}
