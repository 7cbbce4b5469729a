//! Which operation fails, and how.

use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpgid, kill_process_group};

use super::disk::Disk;

/// An operation that changes the disk, or what of it a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A new file.
    Create,
    /// A new folder.
    MakeFolder,
    /// A new symbolic link.
    SymbolicLink,
    /// One more name for a file.
    Link,
    /// Bytes into a file.
    Write,
    /// A new length of a file.
    Resize(u64),
    /// Permission bits or times.
    Attributes,
    /// A name goes to another place.
    Rename,
    /// A name of a file goes.
    Remove,
    /// A folder goes.
    RemoveFolder,
    /// fsync or fdatasync of a file.
    Sync,
    /// fsync of a folder.
    SyncFolder,
}

impl Kind {
    /// Whether the operation needs room, so that it fails as long as the disk is full.
    fn takes_room(self) -> bool {
        matches!(self, Kind::Create | Kind::MakeFolder | Kind::SymbolicLink | Kind::Link | Kind::Write)
            || matches!(self, Kind::Resize(size) if size > 0)
    }
}

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// All processes are killed before it; nothing reaches the disk any more.
    Kill,
    /// It fails with ENOSPC, and so does everything after it that needs room.
    Full,
    /// It alone fails with EIO.
    Error,
    /// It fails with EIO, and so does every change after it.
    Broken,
}

/// An operation that was seen: what it was, and where.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What it was.
    pub kind: Kind,
    /// The path below the mount.
    pub path: PathBuf,
}

/// The disk, what it is to do at which operation, and what it has seen.
pub struct State {
    /// The disk.
    pub disk: Disk,
    /// Whether operations are counted, recorded and failed.
    pub armed: bool,
    /// At which operation (0 is the first) what happens.
    pub plan: Option<(usize, Failure)>,
    /// Whether disks are kept in `before`.
    pub recording: bool,
    /// The process group that is killed; that of the caller, if none is given.
    pub group: Option<Pid>,
    /// The operations seen while armed.
    pub operations: Vec<Operation>,
    /// The disk before each of them.
    pub before: Vec<Disk>,
    /// Whether the planned failure has happened.
    pub fired: bool,
    killed: bool,
}

impl State {
    /// A disk on which nothing fails.
    pub fn new(disk: Disk) -> Self {
        State {
            disk,
            armed: false,
            plan: None,
            recording: false,
            group: None,
            operations: Vec::new(),
            before: Vec::new(),
            fired: false,
            killed: false,
        }
    }

    /// Counts an operation and fails it, if the plan says so.
    pub fn gate(
        &mut self,
        caller: u32,
        kind: Kind,
        path: impl FnOnce(&Disk) -> PathBuf,
    ) -> Result<(), Errno> {
        if self.killed {
            return Err(Errno::IO);
        }
        if !self.armed {
            return Ok(());
        }
        let number = self.operations.len();
        self.operations.push(Operation { kind, path: path(&self.disk) });
        if self.recording {
            self.before.push(self.disk.clone());
        }
        match self.plan {
            Some((at, failure)) if number >= at => self.fail(failure, number == at, kind, caller),
            _ => Ok(()),
        }
    }

    fn fail(&mut self, failure: Failure, chosen: bool, kind: Kind, caller: u32) -> Result<(), Errno> {
        self.fired |= chosen;
        match failure {
            Failure::Kill => {
                self.kill(caller);
                Err(Errno::IO)
            }
            Failure::Full if chosen || kind.takes_room() => Err(Errno::NOSPC),
            Failure::Error if chosen => Err(Errno::IO),
            Failure::Broken => Err(Errno::IO),
            Failure::Full | Failure::Error => Ok(()),
        }
    }

    /// Kills before the reply goes out: the signal is pending when the call returns, so that no process of
    /// the group runs another instruction.
    fn kill(&mut self, caller: u32) {
        self.killed = true;
        let of_caller = Pid::from_raw(caller as i32).and_then(|pid| getpgid(Some(pid)).ok());
        let own = getpgid(None).ok();
        if let Some(group) = self.group.or(of_caller).filter(|group| Some(*group) != own) {
            // A group that has just ended needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "{:?} {}", self.kind, self.path.display())
    }
}
