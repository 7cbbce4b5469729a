//! Other keepers of the same clipboard: told to end, and waited for, before we copy.

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long other keepers may take to restore the clipboard.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ends every older keeper called `name` and returns whether all are gone, so that the clipboard holds
/// again what it held before the first of them.
///
/// Only older ones: of two that begin at the same moment, the younger takes over.
pub(super) fn end_older(name: &OsStr) -> bool {
    let deadline = Instant::now() + PATIENCE;
    // Looked for again once they are gone: one that was begun before us may get its name after we looked.
    loop {
        let older = system::older(name);
        if older.is_empty() {
            return true;
        }
        let awaited: Vec<_> = older.into_iter().flat_map(end).collect();
        while !awaited.iter().all(|process| system::is_gone(*process)) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if Instant::now() > deadline {
            return false;
        }
    }
}

/// Tells a keeper to restore at once; returns the processes to wait for.
fn end(keeper: system::Process) -> Vec<system::Process> {
    // Looked up first: afterwards it may be gone.
    let restorer = system::restorer(keeper);
    let told = Pid::from_raw(keeper.id).is_some_and(|id| kill_process(id, Signal::TERM).is_ok());
    if told { std::iter::once(keeper).chain(restorer).collect() } else { Vec::new() }
}

/// Processes, as Linux lists them.
#[cfg(target_os = "linux")]
mod system {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

    /// A process; its start (in clock ticks) tells it from a later one of the same number.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Process {
        pub(super) id: i32,
        parent: i32,
        start: u64,
        dead: bool,
    }

    /// Returns our own user's processes called `name` that are older than this one.
    pub(super) fn older(name: &OsStr) -> Vec<Process> {
        let Some(own) = look(rustix::process::getpid().as_raw_nonzero().get()) else { return Vec::new() };
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let ours = rustix::process::getuid().as_raw();
        ids.filter(|id| is_called(*id, name) && user_of(*id) == Some(ours))
            .filter_map(look)
            .filter(|process| !process.dead && (process.start, process.id) < (own.start, own.id))
            .collect()
    }

    /// Whether a process's first argument is `name`.
    fn is_called(id: i32, name: &OsStr) -> bool {
        let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).next() == Some(name.as_bytes())
    }

    /// Returns a process's real user. (Its files in /proc do not tell: those of a process that cannot be
    /// traced, as ours are, belong to root.)
    fn user_of(id: i32) -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Looks at a process, see proc_pid_stat(5).
    fn look(id: i32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name, in parentheses, may hold anything; field 3 follows the last one.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let (state, parent, start) = (fields.first()?, fields.get(1)?, fields.get(19)?);
        let dead = matches!(*state, "Z" | "X");
        Some(Process { id, parent: parent.parse().ok()?, start: start.parse().ok()?, dead })
    }

    /// Returns the process that restores the clipboard once `keeper` ends, if it is another: in stock pass
    /// the keeper is a bash (formerly a sleep) that only waits, for its parent.
    pub(super) fn restorer(keeper: Process) -> Option<Process> {
        let program = fs::read_to_string(format!("/proc/{}/comm", keeper.id)).ok()?;
        let waits = matches!(program.trim_end(), "bash" | "sleep");
        (waits && keeper.parent > 1).then(|| look(keeper.parent)).flatten()
    }

    /// Whether a process has ended.
    pub(super) fn is_gone(process: Process) -> bool {
        look(process.id).is_none_or(|now| now.dead || now.start != process.start)
    }
}

/// Elsewhere pgrep(1) finds keepers by name, as stock pass does.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::ffi::OsStr;
    use std::process::Command;

    /// A process.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Process {
        pub(super) id: i32,
    }

    /// Returns the other processes called `name`.
    pub(super) fn older(name: &OsStr) -> Vec<Process> {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let pattern = format!("^{}", name.to_string_lossy());
        let output = Command::new("pgrep").args(["-f", &pattern]).output();
        let ids =
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let others = ids.lines().filter_map(|id| id.trim().parse().ok()).filter(|id| *id != own);
        others.map(|id| Process { id }).collect()
    }

    /// Nothing is known of other processes' parents here.
    pub(super) fn restorer(_keeper: Process) -> Option<Process> {
        None
    }

    /// Whether a process has ended.
    pub(super) fn is_gone(process: Process) -> bool {
        let id = rustix::process::Pid::from_raw(process.id);
        id.is_none_or(|id| rustix::process::test_kill_process(id).is_err())
    }
}
