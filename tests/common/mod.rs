//! A throwaway store with its keyring, its home folder and its bare remotes, in a cleared environment.
//!
//! The program under test is called through a link named `pass`, as callers of pass would. It is the one
//! cargo built, or, to try the tests themselves, the one `PASSEL_TEST_SUBJECT` names.

mod keyring;
mod snapshot;
mod terminal;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

pub use keyring::Keyring;
#[allow(unused_imports)] // named in the signatures of what is used
pub use snapshot::{Kind, Node};
pub use terminal::Terminal;

/// Seconds after which a command counts as hung.
const PATIENCE: &str = "60";

/// The names of the test keys, each with a file in `tests/keys` and an address at example.org.
pub const KEYS: [&str; 7] = ["alice", "bob", "carol", "dave", "rsa", "expired", "revoked"];

/// What a command left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; 128 and the signal's number if a signal ended it.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// Returns standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Returns the output of a command that must have succeeded.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.out(), self.err());
        self
    }
}

/// Returns the program under test.
pub fn subject() -> PathBuf {
    std::env::var_os("PASSEL_TEST_SUBJECT")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_passel")), PathBuf::from)
}

/// Returns the real pass of this machine.
pub fn stock_pass() -> PathBuf {
    tool("pass")
}

/// Finds a program that the tests cannot do without.
pub fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("PATH is set");
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("`{name}` is missing on this machine: the tests need it"))
}

/// A temporary folder holding a store, a home, a link named `pass`, and access to a keyring.
pub struct TestStore {
    root: tempfile::TempDir,
    keyring: Rc<Keyring>,
    /// Whether what is only there for speed is as it is by default, whatever the tests are run with.
    as_shipped: bool,
}

impl TestStore {
    /// Makes the folder for a test of what is only there for speed: it is on.
    pub fn as_shipped() -> Self {
        Self { as_shipped: true, ..Self::new() }
    }

    /// Makes the folder, without a store in it, for the program under test.
    pub fn new() -> Self {
        Self::with(&subject(), &Keyring::new())
    }

    /// Makes the folder, without a store in it, for `program`; stores may share a keyring.
    pub fn with(program: &Path, keyring: &Rc<Keyring>) -> Self {
        let root = temporary_folder("ps");
        let made = Self { root, keyring: Rc::clone(keyring), as_shipped: false };
        for folder in ["home", "bin"] {
            fs::create_dir(made.root().join(folder)).expect("the folder is ours");
        }
        symlink(program, made.root().join("bin/pass")).expect("the folder is ours");
        fs::write(
            made.root().join("home/.gitconfig"),
            "[user]\n\tname = Test Person\n\temail = test@example.org\n[init]\n\tdefaultBranch = master\n",
        )
        .expect("the folder is ours");
        made
    }

    /// Returns the temporary folder: working directory of every command.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Returns the store's folder, which exists once `init` was run.
    pub fn dir(&self) -> PathBuf {
        self.root().join("store")
    }

    /// Returns the keyring.
    pub fn keyring(&self) -> &Rc<Keyring> {
        &self.keyring
    }

    /// Returns everything that commands see of the environment.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let mut path = OsString::from(self.root().join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").expect("PATH is set"));
        let mut all = vec![
            ("PATH".into(), path),
            ("HOME".into(), self.root().join("home").into()),
            ("GNUPGHOME".into(), self.keyring.path().into()),
            ("PASSWORD_STORE_DIR".into(), self.dir().into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ("GIT_CONFIG_GLOBAL".into(), self.root().join("home/.gitconfig").into()),
            ("LC_ALL".into(), "C.UTF-8".into()),
            ("TERM".into(), "dumb".into()),
            ("PAGER".into(), "cat".into()),
            // Whoever means another one says so; none must wait for a person.
            ("EDITOR".into(), "true".into()),
            ("KEYS".into(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys").into()),
        ];
        // Whoever runs the tests may want all of them without what is only there for speed.
        for name in ["PASSEL_CRYPTO", "PASSEL_CACHE"].into_iter().filter(|_| !self.as_shipped) {
            all.extend(std::env::var_os(name).map(|value| (name.to_owned(), value)));
        }
        for name in KEYS {
            all.push((name.to_uppercase(), self.keyring.fingerprint(name).into()));
        }
        all
    }

    /// Prepares a command in the cleared environment, for callers that need their own pipes.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).current_dir(self.root());
        command
    }

    /// Runs a program to its end, its standard input being `stdin`, never a terminal.
    pub fn run<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: &[A], stdin: &[u8]) -> Output {
        let mut command = self.command("timeout");
        command.args(["--kill-after=5", PATIENCE]).arg(program).args(args);
        run_to_end(command, stdin)
    }

    /// Runs the store's program under its name `pass`.
    pub fn pass(&self, args: &[&str], stdin: &str) -> Output {
        self.run(self.root().join("bin/pass"), args, stdin.as_bytes())
    }

    /// Runs a line of shell, in which `pass` is the store's program.
    pub fn shell(&self, line: &str) -> Output {
        // `set -e` passes over what `!` denies; `not` fails as any command does.
        self.run("bash", &["-c", &format!("not() {{ ! \"$@\"; }}; {line}")], b"")
    }

    /// Starts a line of shell on a terminal of its own.
    pub fn terminal(&self, line: &str) -> Terminal {
        let mut command = self.command("setsid");
        command.args(["--ctty", "--wait", "bash", "-c", line]);
        Terminal::start(command)
    }

    /// Returns the subjects of the store's commits, oldest first.
    pub fn subjects(&self) -> Vec<String> {
        let log = self.run("git", &["-C", "store", "log", "--reverse", "--format=%s"], b"");
        log.out().lines().map(str::to_owned).collect()
    }

    /// Decrypts an entry with gpg itself.
    pub fn decrypted(&self, entry: &str) -> String {
        let file = self.dir().join(format!("{entry}.gpg"));
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let plaintext = self.keyring.open(&bytes).plaintext;
        String::from_utf8(plaintext.unwrap_or_else(|| panic!("`{entry}` does not decrypt"))).expect("text")
    }

    /// Returns every file and folder under the temporary folder, decrypted, in order of their paths.
    pub fn snapshot(&self) -> Vec<Node> {
        snapshot::take(self.root(), &self.keyring)
    }

    /// Makes an empty bare repository and returns its path.
    pub fn bare_remote(&self, name: &str) -> PathBuf {
        let path = self.root().join(name);
        self.run("git", &[OsStr::new("init"), "-q".as_ref(), "--bare".as_ref(), path.as_ref()], b"").good();
        path
    }
}

/// The folder of folders in memory, and how much of it must be free: hundreds of tests make files and have them
/// synced, which takes a disk more time than all else together. `PASSEL_TEST_DIR` names another.
const IN_MEMORY: (&str, u64) = ("/dev/shm", 1 << 30);

/// Makes a private folder whose path is short: agent sockets have a length limit.
fn temporary_folder(prefix: &str) -> tempfile::TempDir {
    let (memory, enough) = IN_MEMORY;
    let free = rustix::fs::statvfs(memory).map_or(0, |found| found.f_bavail * found.f_frsize);
    let folder = std::env::var_os("PASSEL_TEST_DIR")
        .unwrap_or_else(|| if free >= enough { memory } else { "/tmp" }.into());
    let private = fs::Permissions::from_mode(0o700);
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(5).permissions(private).tempdir_in(folder).expect("a temporary folder")
}

/// Runs a prepared command to its end.
fn run_to_end(mut command: Command, stdin: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().expect("it is piped");
    let bytes = stdin.to_vec();
    // A program may end without reading all of it.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&bytes)));
    let output = child.wait_with_output().expect("the child is ours");
    writer.join().expect("the writer does not panic");
    let code = exit_code(output.status);
    assert_ne!(code, 124, "still running after {PATIENCE} s: {command:?}");
    Output { code, stdout: output.stdout, stderr: output.stderr }
}

/// Returns the exit code as a shell shows it.
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().expect("ended by a signal, then"))
}
