//! The user's own `git`, for what it alone can do: configuration as it reads it, signing, the network.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tmpdir::{PrivateFolder, PrivateFolderError};

/// Variables that would point git at another repository than the store's; pass ignores them too.
pub const REPOSITORY_VARIABLES: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_NAMESPACE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
];

/// How to run git.
#[derive(Debug, Clone)]
pub struct GitProgram {
    /// The program, looked up in `PATH`.
    pub program: OsString,
    /// Folders in memory, the best first, for what it has to write aside.
    pub memory: Vec<PathBuf>,
    /// Where that goes if none of them serves.
    pub temporary: PathBuf,
    /// `GIT_SSH_COMMAND` and `GIT_SSH`: how the user has git run ssh.
    pub ssh: [Option<OsString>; 2],
}

impl Default for GitProgram {
    fn default() -> Self {
        GitProgram { program: "git".into(), memory: Vec::new(), temporary: "/tmp".into(), ssh: [None, None] }
    }
}

impl GitProgram {
    /// Returns a private folder for what git has to write aside; swept by the next command if we are killed.
    pub fn aside(&self) -> Result<PrivateFolder, PrivateFolderError> {
        PrivateFolder::in_memory(&self.memory).or_else(|_| PrivateFolder::on_disk(&self.temporary))
    }

    /// Returns a command that runs git in `folder`, the repository there and no other.
    pub fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-C").arg(folder);
        clear_repository_variables(&mut command);
        command
    }

    /// The same for what talks to another machine. Unless somebody can be asked, git, ssh and their helpers ask for
    /// nothing: what they have to know must be in agents, files and credential helpers.
    pub fn network_command(&self, folder: &Path, interactive: bool) -> Command {
        let mut command = self.command(folder);
        if !interactive {
            // git(1): the terminal, and a program to ask in its place; empty variables hide those that are configured.
            command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "").env("SSH_ASKPASS", "");
            command.env("SSH_ASKPASS_REQUIRE", "never");
            // Of the user's own ssh, all but its questions.
            let mut ssh = self.ssh(folder);
            ssh.push(" -o BatchMode=yes");
            command.env("GIT_SSH_COMMAND", ssh);
        }
        command
    }

    /// Returns the command that git runs for ssh in `folder`, as git finds it.
    fn ssh(&self, folder: &Path) -> OsString {
        let [command, program] = &self.ssh;
        if let Some(command) = command {
            return command.clone();
        }
        let configured = self.command(folder).args(["config", "--get", "core.sshCommand"]).output();
        if let Ok(output) = configured
            && output.status.success()
        {
            return OsString::from_vec(output.stdout.trim_ascii_end().to_vec());
        }
        // GIT_SSH names a program, GIT_SSH_COMMAND what a shell runs.
        match program {
            Some(program) => {
                let mut quoted = OsString::from("'");
                quoted.push(program.to_string_lossy().replace('\'', "'\\''"));
                quoted.push("'");
                quoted
            }
            None => "ssh".into(),
        }
    }
}

/// Removes the variables that would point git at another repository.
pub fn clear_repository_variables(command: &mut Command) {
    for name in REPOSITORY_VARIABLES {
        command.env_remove(name);
    }
}

/// Runs git in `folder` with the user's terminal; returns its exit code. Its temporary files go to
/// `temporary`, if that is given.
pub fn run_in(
    git: &GitProgram,
    folder: &Path,
    words: &[OsString],
    temporary: Option<&Path>,
) -> std::io::Result<u8> {
    let mut command = git.command(folder);
    command.args(words);
    if let Some(temporary) = temporary {
        command.env("TMPDIR", temporary);
    }
    // A signal's end becomes 128 and its number, as in a shell.
    let status = command.status()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
