//! `git`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::git::settings::{self, Settings};
use crate::git::setup::refuse_cached_plaintext;
use crate::model::FolderName;
use crate::process::git::{GitProgram, run_in};
use crate::process::tmpdir::PrivateFolder;
use crate::store::StoreError;

use super::edit::memory_folders;
use super::git_setup::set_up;

/// Run git in the store.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel git GIT-COMMAND [ARGUMENTS]...", disable_help_flag = true)]
pub struct Args {
    /// A command of git's with its arguments; `init` puts the store under git.
    #[arg(value_name = "WORD", allow_hyphen_values = true, trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

/// Runs the command; its exit code is git's.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.words.first().is_some_and(|word| word == "init") {
        return init(app, &args.words);
    }
    let none = || {
        let program = &app.ui.program;
        CliError::pass(format!(
            "Error: the password store is not a git repository. Try \"{program} git init\"."
        ))
    };
    if !app.environment.root.is_dir() {
        return Err(none());
    }
    let store = app.store()?;
    let folder = store.work_tree(&FolderName::root()).ok_or_else(none)?;
    // Whatever comes of it, git is what was asked for.
    let _ = app.context(&store).notice();
    app.tell_notes();
    // git may put what a diff decrypts into temporary files: in memory, then.
    let private = PrivateFolder::in_memory(&memory_folders()).ok();
    let temporary = private.as_ref().map(PrivateFolder::path);
    finish(run_in(store.git(), &folder, &args.words, temporary))
}

/// Turns git's exit code into ours.
fn finish(code: std::io::Result<u8>) -> Result<(), CliError> {
    match code {
        Ok(0) => Ok(()),
        Ok(code) => Err(CliError::silent(code)),
        Err(error) => Err(CliError::caused("cannot run `git`", &error)),
    }
}

/// Puts the store under git: what is there is committed, and diffs of entries show plaintext.
fn init(app: &App, words: &[OsString]) -> Result<(), CliError> {
    let root = &app.environment.root;
    if !root.is_dir() {
        return Err(CliError::new(format!(
            "there is no password store at `{}`",
            super::typed(root.as_os_str())
        ))
        .hint(format!("`{} init GPG-ID` makes one", app.ui.program)));
    }
    let program = GitProgram::default();
    // Without a name git would stop half-way, with the recipients file staged but not committed.
    settings::check_identity(&program, root).map_err(|error| {
        CliError::from_error(&error)
            .hint("`git config --global user.name \"Your Name\"`")
            .hint("`git config --global user.email you@example.org`")
    })?;
    refuse_cached_plaintext(&program, root).map_err(|error| app.error(StoreError::from(error).into()))?;
    // A change that was interrupted is finished first, and none begins meanwhile.
    let store = app.store()?;
    let _lock = store.lock().map_err(|error| app.error(error.into()))?;
    let git = |words: &[&OsStr]| {
        let words: Vec<OsString> = words.iter().map(|word| (*word).to_owned()).collect();
        finish(run_in(&program, root, &words, None))
    };
    git(&words.iter().map(OsString::as_os_str).collect::<Vec<_>>())?;
    store.take_memory_into_git().map_err(|error| app.error(error.into()))?;
    // Without a name to commit under, git's own message says what to do.
    let signs = Settings::read(&program, root).is_ok_and(|settings| settings.sign);
    let commit = |subject: &str, path: &str| -> Result<(), CliError> {
        git(&["add", "--", path].map(OsStr::new))?;
        if git(&["diff", "--cached", "--quiet", "--", path].map(OsStr::new)).is_ok() {
            return Ok(());
        }
        let words = ["commit", "-m", subject, "-S"].map(OsStr::new);
        git(if signs { &words } else { &words[..3] })
    };
    commit("Add current contents of password store.", ".")?;
    add_attribute(&root.join(".gitattributes"))?;
    commit("Configure git repository for gpg file diff.", ".gitattributes")?;
    git(&["config", "--local", "diff.gpg.binary", "true"].map(OsStr::new))?;
    git(&["config", "--local", "diff.gpg.textconv"]
        .map(OsStr::new)
        .into_iter()
        .chain([app.textconv().as_os_str()])
        .collect::<Vec<_>>())?;
    // Told by the command that is about nothing else; here it comes with the rest, as the lines above.
    set_up(app, root).map(drop)
}

/// Says in `.gitattributes` that entries are shown decrypted in diffs; other lines stay as they are.
fn add_attribute(path: &Path) -> Result<(), CliError> {
    const LINE: &str = "*.gpg diff=gpg\n";
    let io = |error| CliError::caused("cannot write `.gitattributes`", &error);
    if path.is_symlink() {
        return Err(CliError::new("`.gitattributes` is a symbolic link, which is not followed for writing"));
    }
    let known = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io(error)),
    };
    if known.lines().any(|line| line.trim() == LINE.trim()) {
        return Ok(());
    }
    let gap = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
    std::fs::write(path, format!("{known}{gap}{LINE}")).map_err(io)
}
