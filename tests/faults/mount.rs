//! The disk as a mounted file system, which fails at the operation it is told to.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use rustix::io::Errno as Fault;

use super::disk::{Body, Disk, Folder, Ino, Node, ROOT, Rename};
use super::inject::{Kind, State};

/// A mounted disk; it is unmounted when dropped.
pub struct Mount {
    state: Arc<Mutex<State>>,
    session: Option<BackgroundSession>,
    folder: tempfile::TempDir,
}

impl Mount {
    /// Mounts an empty disk in a new folder under /tmp.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pf").tempdir_in("/tmp").expect("/tmp takes a folder");
        let state = Arc::new(Mutex::new(State::new(Disk::new())));
        let mut config = fuser::Config::default();
        config.mount_options =
            vec![MountOption::FSName("passel-faults".into()), MountOption::DefaultPermissions];
        let session = fuser::spawn_mount(Faulty(Arc::clone(&state)), folder.path(), &config).expect(
            "the fault sweep mounts a file system: it needs /dev/fuse, and to be root or to have fusermount3 \
             (apt-get install fuse3)",
        );
        Mount { state, session: Some(session), folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The disk and the plan of its failure.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Puts another disk in, all of it synced and nothing failing.
    pub fn load(&self, disk: &Disk) {
        let mut state = self.state();
        // New numbers, so that nothing the kernel remembers of the last disk is taken for this one.
        let first = state.disk.next_number();
        *state = State::new(disk.settled(first));
    }

    /// The disk as it is seen now.
    pub fn disk(&self) -> Disk {
        self.state().disk.clone()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && let Err(error) = session.umount_and_join()
        {
            eprintln!("cannot unmount {}: {error}", self.path().display());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no file system operation panics")
}

struct Faulty(Arc<Mutex<State>>);

impl Faulty {
    /// Runs one operation that changes the disk, unless it is the one that fails.
    fn change<T>(
        &self,
        request: &Request,
        kind: Kind,
        name: impl FnOnce(&Disk) -> PathBuf,
        operation: impl FnOnce(&mut Disk) -> Result<T, Fault>,
    ) -> Result<T, Errno> {
        let mut state = lock(&self.0);
        state.gate(request.pid(), kind, name).map_err(errno)?;
        operation(&mut state.disk).map_err(errno)
    }

    fn attributes(&self, ino: Ino) -> Result<FileAttr, Errno> {
        lock(&self.0).disk.node(ino).map(|node| attributes(ino, node)).map_err(errno)
    }
}

fn errno(fault: Fault) -> Errno {
    Errno::from_i32(fault.raw_os_error())
}

fn attributes(ino: Ino, node: &Node) -> FileAttr {
    let (kind, size) = match &node.body {
        Body::File(file) => (FileType::RegularFile, file.data.len() as u64),
        Body::Folder(_) => (FileType::Directory, 4096),
        Body::Link(target) => (FileType::Symlink, target.as_os_str().len() as u64),
    };
    FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(512),
        atime: node.modified,
        mtime: node.modified,
        ctime: node.modified,
        crtime: UNIX_EPOCH,
        kind,
        perm: node.mode,
        nlink: node.names.max(1),
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// How long the kernel may rely on an answer: only the root is changed behind its back, by `load`.
fn lifetime(parent: Ino) -> Duration {
    if parent == ROOT { Duration::ZERO } else { Duration::from_secs(3600) }
}

fn below(parent: INodeNo, name: &OsStr) -> impl FnOnce(&Disk) -> PathBuf + '_ {
    move |disk| disk.path_of(parent.0).join(name)
}

fn itself(ino: INodeNo) -> impl FnOnce(&Disk) -> PathBuf {
    move |disk| disk.path_of(ino.0)
}

const GENERATION: Generation = Generation(0);
const HANDLE: FileHandle = FileHandle(0);

/// Answers with a new or found entry.
fn answer(faulty: &Faulty, parent: INodeNo, found: Result<Ino, Errno>, reply: ReplyEntry) {
    match found.and_then(|ino| faulty.attributes(ino)) {
        Ok(attributes) => reply.entry(&lifetime(parent.0), &attributes, GENERATION),
        Err(error) => reply.error(error),
    }
}

fn done(result: Result<(), Errno>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Faulty {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = lock(&self.0).disk.lookup(parent.0, name).map_err(errno);
        answer(self, parent, found, reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(ino.0) {
            Ok(attributes) => reply.attr(&lifetime(ino.0), &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let modified = mtime.map(|time| match time {
            TimeOrNow::SpecificTime(time) => time,
            TimeOrNow::Now => SystemTime::now(),
        });
        let kind = match size {
            Some(size) => Kind::Resize(size),
            None => Kind::Attributes,
        };
        let changed = self.change(request, kind, itself(ino), |disk| {
            if let Some(size) = size {
                disk.resize(ino.0, size as usize)?;
            }
            disk.set(ino.0, mode.map(|mode| mode as u16 & 0o7777), modified)
        });
        match changed.and_then(|()| self.attributes(ino.0)) {
            Ok(attributes) => reply.attr(&lifetime(ino.0), &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        match lock(&self.0).disk.node(ino.0).map(|node| &node.body) {
            Ok(Body::Link(target)) => reply.data(target.as_os_str().as_encoded_bytes()),
            _ => reply.error(Errno::EINVAL),
        }
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let body = Body::Folder(Folder::default());
        let mode = (mode & !umask) as u16 & 0o7777;
        let made = self.change(request, Kind::MakeFolder, below(parent, name), |disk| {
            disk.create(parent.0, name, body, mode)
        });
        answer(self, parent, made, reply);
    }

    fn symlink(&self, request: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let body = Body::Link(target.to_owned());
        let made = self.change(request, Kind::SymbolicLink, below(parent, name), |disk| {
            disk.create(parent.0, name, body, 0o777)
        });
        answer(self, parent, made, reply);
    }

    fn link(&self, request: &Request, ino: INodeNo, newparent: INodeNo, newname: &OsStr, reply: ReplyEntry) {
        let linked = self.change(request, Kind::Link, below(newparent, newname), |disk| {
            disk.link(ino.0, newparent.0, newname)
        });
        answer(self, newparent, linked.map(|()| ino.0), reply);
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self
            .change(request, Kind::Remove, below(parent, name), |disk| disk.remove(parent.0, name, false));
        done(removed, reply);
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.change(request, Kind::RemoveFolder, below(parent, name), |disk| {
            disk.remove(parent.0, name, true)
        });
        done(removed, reply);
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let how = if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            Rename::Exchange
        } else if flags.contains(RenameFlags::RENAME_NOREPLACE) {
            Rename::NoReplace
        } else {
            Rename::Replace
        };
        let renamed = self.change(request, Kind::Rename, below(newparent, newname), |disk| {
            disk.rename((parent.0, name), (newparent.0, newname), how)
        });
        done(renamed, reply);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mode = (mode & !umask) as u16 & 0o7777;
        let made = self.change(request, Kind::Create, below(parent, name), |disk| {
            disk.create(parent.0, name, Body::File(Default::default()), mode)
        });
        match made.and_then(|ino| self.attributes(ino)) {
            Ok(attributes) => {
                reply.created(&lifetime(parent.0), &attributes, GENERATION, HANDLE, FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match lock(&self.0).disk.file(ino.0) {
            Ok(file) => {
                let start = file.data.len().min(offset as usize);
                let end = file.data.len().min(start + size as usize);
                reply.data(&file.data[start..end]);
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn write(
        &self,
        request: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.change(request, Kind::Write, itself(ino), |disk| disk.write(ino.0, offset as usize, data))
        {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _: &Request, _ino: INodeNo, _fh: FileHandle, _owner: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, request: &Request, ino: INodeNo, _fh: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        let synced = self.change(request, Kind::Sync, itself(ino), |disk| disk.sync_file(ino.0, false));
        if synced.is_err() {
            // A stale number has nothing to lose.
            let _ = lock(&self.0).disk.sync_file(ino.0, true);
        }
        done(synced, reply);
    }

    fn fsyncdir(&self, request: &Request, ino: INodeNo, _fh: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        let synced = self.change(request, Kind::SyncFolder, itself(ino), |disk| {
            disk.sync_folder(ino.0);
            Ok(())
        });
        done(synced, reply);
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _fh: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = lock(&self.0);
        let folder = match state.disk.folder(ino.0) {
            Ok(folder) => folder,
            Err(error) => return reply.error(errno(error)),
        };
        // The number is the position, so that removing names while reading skips none.
        let mut entries: Vec<_> = folder.now.iter().filter(|(_, ino)| **ino > offset).collect();
        entries.sort_by_key(|(_, ino)| **ino);
        for (name, ino) in entries {
            let kind =
                state.disk.node(*ino).map_or(FileType::RegularFile, |node| attributes(*ino, node).kind);
            if reply.add(INodeNo(*ino), *ino, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _ino: INodeNo, reply: ReplyStatfs) {
        let blocks = 1 << 20;
        reply.statfs(blocks, blocks / 2, blocks / 2, blocks, blocks / 2, 4096, 255, 4096);
    }
}
