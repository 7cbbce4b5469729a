//! Runs the user's editor on a file in a private folder.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use command_fds::{CommandFdExt as _, FdMapping};
use signal_hook::consts::{SIGINT, SIGQUIT};

use super::tmpdir::{PrivateFolder, PrivateFolderError};
use crate::model::{Plaintext, Shown};

/// The descriptor by which an editor holds the private folder's lock. A high number: in a child that is not
/// yet the editor, low ones may be taken by the pipe through which std hears that it could not be started.
const LOCK_FD: i32 = 250;

/// Vim settings that keep plaintext out of files elsewhere. Each has a `silent!` of its own: a small vim
/// knows only some of them, and must not stop at the first that it does not.
const VIM_SETTINGS: &str = "silent! set noswapfile | silent! set noundofile | silent! set nobackup | \
                            silent! set nowritebackup | silent! set viminfo= | silent! set shada=";

/// What came of an editor's run.
#[derive(Debug)]
pub enum Edited {
    /// The file's content. Whether it differs from before is the caller's to say.
    Saved(Plaintext),
    /// There is no file: a new entry was left unsaved, or the file was removed.
    NotSaved,
}

/// Why an edit came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EditorError {
    /// The command is empty or blank.
    #[error("no editor is named")]
    Unnamed,
    /// There is no such program. A shell would exit with 127.
    #[error("the editor `{0}` was not found")]
    Missing(String),
    /// It could not be started.
    #[error("cannot start the editor `{editor}`")]
    NotRun {
        /// The program.
        editor: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It said that it failed (vim's `:cquit`).
    #[error("the editor `{editor}` failed with exit code {code}")]
    Failed {
        /// The program.
        editor: String,
        /// Its exit code.
        code: i32,
    },
    /// It was ended by a signal.
    #[error("the editor `{editor}` was killed by signal {signal}")]
    Killed {
        /// The program.
        editor: String,
        /// The signal's number.
        signal: i32,
    },
    /// The edited file could not be read.
    #[error(transparent)]
    Folder(#[from] PrivateFolderError),
}

/// Runs `editor` (split at blanks, as pass's unquoted `${EDITOR:-editor}` is) on `file` in `folder` and
/// returns what it saved. Programs are looked for in `search_path`, the value of `PATH`.
///
/// The terminal's Ctrl-C and Ctrl-\ reach us as well as the editor: until it ends they are its own.
pub fn edit(
    editor: &OsStr,
    search_path: &OsStr,
    folder: &PrivateFolder,
    file: &Path,
) -> Result<Edited, EditorError> {
    let words = split_blanks(editor);
    let (program, arguments) = words.split_first().ok_or(EditorError::Unnamed)?;
    let name = Shown::new(program.as_bytes()).to_string();
    let not_run = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => EditorError::Missing(name.clone()),
        _ => EditorError::NotRun { editor: name.clone(), source },
    };
    let mut command = Command::new(program);
    if is_vim(program, search_path) {
        tame_vim(&mut command, folder);
    }
    command.args(arguments).arg(file);
    let lock = FdMapping { parent_fd: folder.lock().map_err(not_run)?, child_fd: LOCK_FD };
    command.fd_mappings(vec![lock]).expect("one mapping cannot collide");
    let _deaf = Deaf::begin().map_err(not_run)?;
    let status = command.status().map_err(not_run)?;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(folder.read(file)?.map_or(Edited::NotSaved, Edited::Saved)),
        (Some(code), _) => Err(EditorError::Failed { editor: name, code }),
        (None, signal) => Err(EditorError::Killed { editor: name, signal: signal.unwrap_or(0) }),
    }
}

/// Splits at spaces, tabs and line breaks: the shell's $IFS.
fn split_blanks(text: &OsStr) -> Vec<OsString> {
    let words = text.as_bytes().split(|b| b" \t\n".contains(b)).filter(|word| !word.is_empty());
    words.map(|word| OsStr::from_bytes(word).to_os_string()).collect()
}

/// Tells vim to leave no copies elsewhere: no swap file (`-n`), no history of registers and searches
/// (`-i NONE`), no undo and backup files. Before the user's vimrc for what happens when the file is
/// opened, and after it (`-c`) for what the vimrc switched on again.
fn tame_vim(command: &mut Command, folder: &PrivateFolder) {
    let before = format!("{VIM_SETTINGS} | silent! autocmd BufReadPre,BufNewFile * {VIM_SETTINGS}");
    command.args(["-n", "-i", "NONE", "--cmd", &before, "-c", VIM_SETTINGS]);
    // Filters (`:%!sort`) write their input to a temporary file.
    command.env("TMPDIR", folder.path());
}

/// Whether `program` is vim or neovim, by whatever name it was called.
fn is_vim(program: &OsStr, search_path: &OsStr) -> bool {
    let Some(file) = resolve(program, search_path) else { return false };
    let real = file.canonicalize().unwrap_or(file);
    let name = real.file_name().unwrap_or_default().as_bytes();
    // Debian calls them vim.basic, vim.tiny, vim.gtk3.
    let is = |known: &[u8]| name == known || name.starts_with(&[known, b"."].concat());
    if [&b"vim"[..], b"nvim", b"rvim", b"gvim", b"mvim"].into_iter().any(is) {
        return true;
    }
    // A program that is really called `vi` may be vim (Fedora), busybox or the old vi: ask it.
    matches!(name, b"vi" | b"view" | b"ex") && calls_itself_vim(&real)
}

/// Whether the program's version text begins as vim's does.
fn calls_itself_vim(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null());
    command.output().is_ok_and(|output| output.stdout.starts_with(b"VIM "))
}

/// Returns the file that a shell would run for `program`.
fn resolve(program: &OsStr, search_path: &OsStr) -> Option<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        return Some(program.into());
    }
    let executable =
        |file: &PathBuf| file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    std::env::split_paths(search_path).map(|folder| folder.join(program)).find(executable)
}

/// How many editors run, and whether SIGINT and SIGQUIT are heeded (none until the first editor).
static EDITORS: Mutex<(usize, Option<Arc<AtomicBool>>)> = Mutex::new((0, None));

/// While one of these lives, SIGINT and SIGQUIT do nothing to this process.
///
/// By a handler, not by ignoring them: a child would inherit that. Once the last is dropped, the signals do
/// again what they do by default.
struct Deaf;

impl Deaf {
    /// Begins to disregard the signals.
    fn begin() -> io::Result<Self> {
        let (count, heeds) = &mut *EDITORS.lock().expect("nobody panics holding it");
        if heeds.is_none() {
            let flag = Arc::new(AtomicBool::new(true));
            for signal in [SIGINT, SIGQUIT] {
                signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))?;
            }
            *heeds = Some(flag);
        }
        heeds.iter().for_each(|heeds| heeds.store(false, Ordering::SeqCst));
        *count += 1;
        Ok(Deaf)
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        let (count, heeds) = &mut *EDITORS.lock().expect("nobody panics holding it");
        *count -= 1;
        heeds.iter().for_each(|heeds| heeds.store(*count == 0, Ordering::SeqCst));
    }
}

#[cfg(test)]
#[path = "editor_tests.rs"]
mod tests;
