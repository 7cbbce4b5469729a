//! Extensions of pass: bash files that expect pass's own functions around them.
//!
//! They are sourced by a bash that has read `extension.bash`, which offers those functions anew and calls
//! our own program back for what they do. That bash takes this process's place: signals, the terminal and
//! the exit code are the extension's, as under pass.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::Access;

/// Where extensions lie that the system's administrator installed.
pub const SYSTEM_FOLDER: &str = "/usr/lib/password-store/extensions";

/// The functions and variables that extensions expect.
const PRELUDE: &str = include_str!("extension.bash");

/// The first argument by which an extension's `clip` calls us back: the secret comes on standard input, what
/// the message calls it is the second argument.
pub const CLIP_ARGUMENT: &str = "--internal-clip";

/// The same for an extension's `qrcode`.
pub const QRCODE_ARGUMENT: &str = "--internal-qrcode";

/// Its `set_gpg_recipients` asks so for the recipients of the folder that is the second argument.
pub const RECIPIENTS_ARGUMENT: &str = "--internal-recipients";

/// Its `reencrypt_path` asks so to bring what is at that path in line with its recipients.
pub const REENCRYPT_ARGUMENT: &str = "--internal-reencrypt";

/// Its `verify_file` asks so whether that file is signed as `PASSWORD_STORE_SIGNING_KEY` wants it.
pub const VERIFY_ARGUMENT: &str = "--internal-verify";

/// Whatever prints a text of its own asks so, with no second argument, for standard input with all
/// written out that drives a terminal.
pub const SHOWN_ARGUMENT: &str = "--internal-shown";

/// Why an extension did not run.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
    /// Bash could not be started.
    #[error("cannot run bash, which extensions are written for")]
    Bash(#[source] io::Error),
    /// The path of our own program is unknown.
    #[error("cannot find this program's own file")]
    Own(#[source] io::Error),
}

/// Who put an extension where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The store's user; its signature is checked if `PASSWORD_STORE_SIGNING_KEY` is set.
    User,
    /// The system's administrator.
    System,
}

/// An extension that exists and may be run.
#[derive(Debug, PartialEq, Eq)]
pub struct Extension {
    file: PathBuf,
    origin: Origin,
}

impl Extension {
    /// Returns the extension called `name`: an executable file `NAME.bash`, first in `user` (given only if
    /// the user has enabled extensions), then in `system`.
    ///
    /// The caller has refused names with `..`, as pass does before it looks.
    pub fn find(name: &OsStr, user: Option<&Path>, system: &Path) -> Option<Self> {
        let folders = user.map(|folder| (folder, Origin::User)).into_iter();
        folders.chain([(system, Origin::System)]).find_map(|(folder, origin)| {
            let file = file_in(folder, name);
            let runs = file.is_file() && rustix::fs::access(&file, Access::EXEC_OK).is_ok();
            runs.then_some(Extension { file, origin })
        })
    }

    /// Runs the extension in this process's place. `program` is what we were called as, and `command` the
    /// extension's name as typed. Comes back only if that failed.
    ///
    /// Its exit code is that of an `exit N` in the extension itself, and 0 otherwise, as under pass.
    pub fn run(
        &self,
        program: &OsStr,
        command: &OsStr,
        arguments: &[OsString],
    ) -> Result<Infallible, ExtensionError> {
        let own = std::env::current_exe().map_err(ExtensionError::Own)?;
        Err(ExtensionError::Bash(self.bash(&own, program, command, arguments).exec()))
    }

    /// Returns the bash that runs the extension and calls `own` back.
    fn bash(&self, own: &Path, program: &OsStr, command: &OsStr, arguments: &[OsString]) -> Command {
        let mut bash = Command::new("bash");
        bash.args([OsStr::new("-c"), OsStr::new(PRELUDE), program]);
        let origin = match self.origin {
            Origin::User => "user",
            Origin::System => "system",
        };
        bash.args([own.as_os_str(), self.file.as_os_str(), OsStr::new(origin), command]);
        bash.args(arguments);
        bash
    }
}

/// Returns `FOLDER/NAME.bash`. A leading slash in the name does not leave the folder, as in pass.
fn file_in(folder: &Path, name: &OsStr) -> PathBuf {
    let parts = [folder.as_os_str().as_bytes(), b"/", name.as_bytes(), b".bash"];
    PathBuf::from(OsStr::from_bytes(&parts.concat()))
}

#[cfg(test)]
#[path = "extension_tests.rs"]
mod tests;
