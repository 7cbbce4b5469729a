//! What this process forbids others to learn from its memory.

use std::fmt;
use std::io;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, setrlimit, umask};

/// A protection that the system would not give. Worth a warning: secrets are still handled, only less
/// well guarded against other programs of the same user.
#[derive(Debug)]
pub struct Unprotected {
    /// What was asked for.
    what: &'static str,
    /// Why it was not given.
    source: io::Error,
}

impl fmt::Display for Unprotected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.source)
    }
}

impl std::error::Error for Unprotected {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Forbids core dumps and, on Linux, reading or tracing this process's memory: for it, and until they
/// run a program of their own, for its children. To be called before the first secret is touched.
///
/// Returns what could not be had, for a warning each.
///
/// Children that start another program are traceable again (execve resets it); the core limit they
/// inherit. `/proc/self` stays usable: a process may always look at itself.
pub fn harden() -> Vec<Unprotected> {
    let steps = [("forbid core dumps", forbid_cores()), ("forbid tracing", forbid_tracing())];
    let failed = |(what, result): (_, io::Result<()>)| Some(Unprotected { what, source: result.err()? });
    steps.into_iter().filter_map(failed).collect()
}

/// Sets the size of core files to nothing, for good.
fn forbid_cores() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

/// Makes the process "not dumpable": no core even where a program collects them (the limit does not
/// bind there), no ptrace and no /proc/PID/mem, environ or fd for other processes of the user.
#[cfg(target_os = "linux")]
fn forbid_tracing() -> io::Result<()> {
    Ok(rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?)
}

/// Elsewhere there is no safe call for it.
#[cfg(not(target_os = "linux"))]
fn forbid_tracing() -> io::Result<()> {
    Ok(())
}

/// Sets the permissions (bits, such as `0o077`) that new files and folders shall lack.
pub fn set_umask(mode: u32) {
    umask(Mode::from_bits_truncate(mode & 0o777));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn is_neither_dumped_nor_traced() {
        let me = std::env::current_exe().expect("the test knows its own file");
        let folder = tempfile::tempdir().expect("a folder is made");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("mode");
        let mut command = Command::new(&me);
        if rustix::process::getuid().is_root() {
            // Root may look at everything: be somebody else, in a copy that all may run.
            let copy = folder.path().join("test");
            let copied = Command::new("cp").arg(&me).arg(&copy).status();
            assert!(copied.expect("cp runs").success());
            command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
        }
        // In a process of its own, as hardening lasts for the process.
        command.args(["--exact", "--ignored", "--nocapture", "process::hardening::tests::hardened_child"]);
        let output = command.current_dir("/").output().expect("the test runs");
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    }

    /// What [`is_neither_dumped_nor_traced`] runs as another user.
    #[test]
    #[ignore = "run by is_neither_dumped_nor_traced, in a process of its own"]
    fn hardened_child() {
        assert!(harden().is_empty());
        assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
        set_umask(0o027);
        assert_eq!(umask(Mode::empty()), Mode::from_bits_truncate(0o027));
        if cfg!(target_os = "linux") {
            // Ourselves we may still look at, and children run as they always do.
            assert!(std::fs::read_dir("/proc/self/fd").expect("own files are listed").count() > 2);
            assert!(std::env::current_exe().expect("own program is known").exists());
            let child = Command::new("sh")
                .args(["-c", "ls /proc/self/fd >/dev/null && ! cat /proc/$PPID/environ 2>/dev/null"])
                .status();
            assert!(child.expect("sh runs").success(), "a child reads its parent's environment");
            let gpg = Command::new("gpg").args(["--no-options", "--version"]).output();
            assert!(gpg.expect("gpg runs").status.success());
        }
    }
}
