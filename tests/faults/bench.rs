//! Where commands run: a mounted disk, throwaway keys, a cleared environment.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::mount::Mount;

/// A command that takes longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(15);
/// Where the store is, below the mount.
pub const STORE: &str = "store";
/// Folders of the mount that stand for memory: what is in them is gone after a power cut.
pub const MEMORY: [&str; 1] = ["tmp"];

/// The program that is put to the test.
pub fn subject() -> PathBuf {
    std::env::var_os("PASSEL_TEST_SUBJECT").map_or_else(passel, PathBuf::from)
}

/// Our own program.
pub fn passel() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_passel"))
}

/// Keys without passphrases, and a home folder; gone, with their agent, when dropped.
pub struct Home {
    folder: tempfile::TempDir,
    /// Fingerprints.
    pub keys: Vec<String>,
}

impl Home {
    /// Makes the home and two keys.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("ph")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in("/tmp")
            .expect("/tmp takes a folder");
        let mut home = Home { folder, keys: Vec::new() };
        // Background maintenance would still write after the command has ended.
        let settings = "[user]\nname = Fay Sweep\nemail = fay@example.org\n[maintenance]\nauto = false\n\
                        [gc]\nauto = 0\n[init]\ndefaultBranch = main\n";
        home.file(".gitconfig", settings, 0o600);
        home.file("retype", "#!/bin/sh\nprintf 'edited\\nuser: fay\\n' > \"$1\"\n", 0o700);
        home.file("gpg-agent.conf", "disable-scdaemon\n", 0o600);
        for user in ["fay@example.org", "gus@example.org"] {
            home.make_key(user);
        }
        home
    }

    fn file(&self, name: &str, content: &str, mode: u32) {
        let path = self.path().join(name);
        fs::write(&path, content).expect("the home is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
    }

    fn make_key(&mut self, user: &str) {
        let batch = ["--batch", "--passphrase", "", "--status-fd", "1", "--quick-gen-key"];
        let output = self
            .command(OsStr::new("gpg"))
            .args(batch)
            .args([user, "future-default", "default", "never"])
            .output()
            .expect("gpg is installed");
        let status = String::from_utf8_lossy(&output.stdout).into_owned();
        let created = status.lines().find_map(|line| line.split("KEY_CREATED B ").nth(1));
        self.keys.push(created.unwrap_or_else(|| panic!("no key for {user}: {output:?}")).trim().to_owned());
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command that sees this home and nothing of ours.
    pub fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", format!("{}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.path().display()))
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.path())
            .env("GNUPGHOME", self.path())
            // By its name alone, which the commit's subject repeats.
            .env("EDITOR", "retype")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_OPTIONAL_LOCKS", "0");
        command
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let mut end = Command::new("gpgconf");
        end.arg("--homedir").arg(self.path()).args(["--kill", "all"]);
        if let Err(error) = end.status() {
            eprintln!("cannot end the agent of {}: {error}", self.path().display());
        }
    }
}

/// When a running command is killed from outside.
#[derive(Clone, Copy, Debug)]
pub enum Kill {
    /// Never.
    No,
    /// Its own process after this time; what it has started lives on.
    Alone(Duration),
    /// With everything it has started, after this time.
    WithChildren(Duration),
}

/// How a command ended.
pub struct Outcome {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output and error, as they came.
    pub output: String,
    /// It had to be killed for taking too long.
    pub hung: bool,
    /// How long it ran.
    pub took: Duration,
}

/// A mounted disk on which commands run.
pub struct Bench<'a> {
    /// The disk.
    pub mount: Mount,
    /// Keys and settings.
    pub home: &'a Home,
    /// The program that is put to the test.
    pub subject: &'a Path,
    /// What stands where `/dev/shm` is.
    memory: Memory,
}

/// A folder of the kernel's own memory file system: plaintext is edited in no other, so the disk that fails
/// cannot stand in for it.
struct Memory(tempfile::TempDir);

impl Memory {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pm").tempdir_in("/tmp").expect("/tmp takes a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "mode=1777,size=8m", "tmpfs"]).arg(folder.path());
        assert!(mount.status().expect("mount is installed").success(), "mounting a tmpfs needs root");
        Memory(folder)
    }

    /// The names in it.
    fn names(&self) -> Vec<PathBuf> {
        let names = fs::read_dir(self.0.path()).expect("the folder is there");
        names.map(|entry| entry.expect("the folder is readable").path()).collect()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Err(error) = Command::new("umount").arg(self.0.path()).status() {
            eprintln!("cannot unmount {}: {error}", self.0.path().display());
        }
    }
}

impl<'a> Bench<'a> {
    /// Mounts a disk for a program.
    pub fn new(home: &'a Home, subject: &'a Path) -> Self {
        Bench { mount: Mount::new(), home, subject, memory: Memory::new() }
    }

    /// What commands have left in memory.
    pub fn left_in_memory(&self) -> Vec<PathBuf> {
        self.memory.names()
    }

    /// Empties the memory, as a restart does, and forgets what is remembered of the store beside it: another
    /// scenario's store stood in the same place, and had no git perhaps.
    pub fn clear_memory(&self) {
        for path in self.memory.names() {
            let _ = fs::remove_dir_all(path);
        }
        let _ = fs::remove_dir_all(self.state());
    }

    /// The folder for what programs remember between runs.
    fn state(&self) -> PathBuf {
        let name = self.mount.path().file_name().expect("it is a folder in /tmp");
        self.home.path().join("states").join(name)
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.mount.path().join(STORE)
    }

    /// Runs the program under test. With `memory`, a folder in memory stands where `/dev/shm` is, for this
    /// process and its children only.
    pub fn run(&self, arguments: &[&str], input: &str, memory: bool, kill: Kill) -> Outcome {
        let program = if memory { OsStr::new("unshare") } else { self.subject.as_os_str() };
        let mut command = self.home.command(program);
        if memory {
            command.args(["-m", "sh", "-c", "mount --bind \"$0\" /dev/shm && exec \"$@\""]);
            command.arg(self.memory.0.path()).arg(self.subject);
        }
        command.args(arguments);
        command.env("PASSWORD_STORE_DIR", self.store()).env("TMPDIR", self.mount.path().join("tmp"));
        command.env("XDG_STATE_HOME", self.state());
        run(command, input, kill)
    }

    /// Runs a git command in the store, nothing failing.
    pub fn git(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.home.command(OsStr::new("git"));
        command.arg("-C").arg(self.store()).args(arguments);
        run(command, "", Kill::No)
    }
}

/// Runs a command in a process group of its own, until it and all who hold its output have ended.
pub fn run(mut command: Command, input: &str, kill: Kill) -> Outcome {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let errors = writer.try_clone().expect("a pipe has two ends");
    let start = Instant::now();
    let mut child = command
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(errors)
        .spawn()
        .expect("the command can be started");
    // The command holds the writing end, which would keep the pipe open.
    drop(command);
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A killed command does not read.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let (finished, end) = mpsc::channel::<()>();
    let watch = watch(&child, kill, end);
    let mut output = Vec::new();
    reader.read_to_end(&mut output).expect("the pipe can be read");
    let status = child.wait().expect("it is our child");
    drop(finished);
    let hung = watch.join().expect("the watch does not panic");
    let output = String::from_utf8_lossy(&output).into_owned();
    Outcome { code: status.code(), output, hung, took: start.elapsed() }
}

/// Kills a command as asked, or when it hangs; the thread answers whether it hung.
fn watch(child: &Child, kill: Kill, end: mpsc::Receiver<()>) -> std::thread::JoinHandle<bool> {
    let pid = Pid::from_child(child);
    let timeout = Err(mpsc::RecvTimeoutError::Timeout);
    std::thread::spawn(move || {
        if let Kill::Alone(after) | Kill::WithChildren(after) = kill
            && end.recv_timeout(after) == timeout
        {
            // It may just have ended.
            let _ = match kill {
                Kill::Alone(_) => kill_process(pid, Signal::KILL),
                _ => kill_process_group(pid, Signal::KILL),
            };
        }
        let hung = end.recv_timeout(PATIENCE) == timeout;
        hung && kill_process_group(pid, Signal::KILL).is_ok()
    })
}
