//! Files below the store's root, reached without ever following a symbolic link.
//!
//! Every path is walked component by component with `O_NOFOLLOW`, so that neither a link nor a folder
//! swapped under us leads outside: pass empties folders outside the store through such links.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::model::Shown;

/// Why a path below the root could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BeneathError {
    /// The path, or a folder on the way, is a symbolic link.
    #[error("`{0}` is a symbolic link, which is not followed for writing")]
    Link(String),
    /// A folder on the way is a file, or a file was expected and something else is there.
    #[error("`{0}` is not a {1}")]
    Kind(String, &'static str),
    /// The path holds `..` or is absolute: a bug or a forged journal.
    #[error("`{0}` leaves the store")]
    Outside(String),
    /// The system refused.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder, relative to the root.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl BeneathError {
    /// Whether the path simply is not there: nothing has a name that is too long.
    fn is_absent(&self) -> bool {
        let BeneathError::Io { source, .. } = self else { return false };
        matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
    }

    /// Returns the error as one about another path.
    pub fn about(self, other: &Path) -> Self {
        match self {
            BeneathError::Io { action, source, .. } => {
                BeneathError::Io { action, path: Shown::os(other).to_string(), source }
            }
            error => error,
        }
    }

    /// Whether something stands where nothing was to be replaced.
    pub fn is_taken(&self) -> bool {
        matches!(self, BeneathError::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists)
    }
}

/// What stands at a path: enough to notice that it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A regular file with this content (SHA-256).
    File([u8; 32]),
    /// A symbolic link with this target (SHA-256).
    Link([u8; 32]),
    /// A folder.
    Folder,
    /// A device, socket or pipe.
    Other,
}

impl State {
    /// Returns the state of a regular file that holds `bytes`.
    pub fn of(bytes: &[u8]) -> State {
        State::File(Sha256::digest(bytes).into())
    }

    /// Returns the state of a symbolic link with this target.
    pub fn of_link(target: &[u8]) -> State {
        State::Link(Sha256::digest(target).into())
    }
}

/// The root folder, held open.
#[derive(Debug)]
pub struct Beneath {
    root: OwnedFd,
}

impl Beneath {
    /// Opens the root itself, which may be reached through links: it is the user's own choice.
    pub fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Beneath { root: rustix::fs::open(root, flags, Mode::empty())? })
    }

    /// Returns the root, for locking.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens the folder `path`.
    pub fn open_folder(&self, path: &Path) -> Result<OwnedFd, BeneathError> {
        let mut folder =
            rustix::io::fcntl_dupfd_cloexec(&self.root, 0).map_err(|e| failed("open", path, e))?;
        for part in components(path)? {
            folder = open_part(folder.as_fd(), part, path)?;
        }
        Ok(folder)
    }

    /// Opens the folder that holds `path` and returns it with the last component.
    fn open_parent<'p>(&self, path: &'p Path) -> Result<(OwnedFd, &'p OsStr), BeneathError> {
        let name = path.file_name().ok_or_else(|| outside(path))?;
        Ok((self.open_folder(path.parent().unwrap_or(Path::new("")))?, name))
    }

    /// Returns what stands at `path`; nothing also where a folder on the way is missing.
    pub fn state(&self, path: &Path) -> Result<State, BeneathError> {
        if path.as_os_str().is_empty() {
            return Ok(State::Folder);
        }
        let Some((folder, name, stat)) = self.stat(path)? else { return Ok(State::Absent) };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => state_at(folder.as_fd(), name, path),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&folder, name, Vec::new())
                    .map_err(|e| failed("read the link", path, e))?;
                Ok(State::Link(Sha256::digest(target.as_bytes()).into()))
            }
            FileType::Directory => Ok(State::Folder),
            _ => Ok(State::Other),
        }
    }

    /// Returns the metadata of `path` itself, none if it is absent.
    fn stat<'p>(&self, path: &'p Path) -> Result<Option<(OwnedFd, &'p OsStr, Stat)>, BeneathError> {
        let (folder, name) = match self.open_parent(path) {
            Ok(found) => found,
            Err(error) if error.is_absent() => return Ok(None),
            Err(error) => return Err(error),
        };
        match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some((folder, name, stat))),
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(None),
            Err(error) => Err(failed("look at", path, error)),
        }
    }

    /// Returns the metadata of `path` itself, as git's index keeps it; none if it is absent.
    pub fn metadata(&self, path: &Path) -> Result<Option<Stat>, BeneathError> {
        Ok(self.stat(path)?.map(|(_, _, stat)| stat))
    }

    /// Returns the bytes of the regular file `path`, none if it is absent.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, BeneathError> {
        self.read_start(path, u64::MAX)
    }

    /// Returns the same, but not more than the first `limit` bytes.
    pub fn read_start(&self, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, BeneathError> {
        let Some((folder, name, stat)) = self.stat(path)? else { return Ok(None) };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => read_at(folder.as_fd(), name, path, limit).map(Some),
            FileType::Symlink => Err(BeneathError::Link(shown(path))),
            _ => Err(BeneathError::Kind(shown(path), "regular file")),
        }
    }

    /// Makes the folder `path` and those above it; returns the ones that were missing, outermost first.
    pub fn create_folders(&self, path: &Path) -> Result<Vec<PathBuf>, BeneathError> {
        let mut made = Vec::new();
        let mut so_far = PathBuf::new();
        let mut folder = self.open_folder(Path::new(""))?;
        for part in components(path)? {
            so_far.push(part);
            match rustix::fs::mkdirat(&folder, part, Mode::from_raw_mode(0o777)) {
                Ok(()) => made.push(so_far.clone()),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(failed("make the folder", &so_far, error)),
            }
            folder = open_part(folder.as_fd(), part, &so_far)?;
        }
        Ok(made)
    }

    /// Writes a new file beside its destination, never over anything; not yet synced. Its mode is 0600
    /// while it is written, then `mode`.
    pub fn write_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<File, BeneathError> {
        let (folder, name) = self.open_parent(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&folder, name, flags, Mode::from_raw_mode(0o600))
            .map_err(|e| failed("create", path, e))?;
        let mut file = File::from(fd);
        let io = |source| BeneathError::Io { action: "write", path: shown(path), source };
        file.write_all(bytes).map_err(io)?;
        if mode != 0o600 {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))
                .map_err(|e| failed("set the mode of", path, e))?;
        }
        Ok(file)
    }

    /// Renames within the root, over whatever is there; with `fresh`, only if nothing is there.
    pub fn rename(&self, from: &Path, to: &Path, fresh: bool) -> Result<(), BeneathError> {
        let (from_folder, from_name) = self.open_parent(from)?;
        let (to_folder, to_name) = self.open_parent(to)?;
        let result = if fresh {
            rename_fresh(from_folder.as_fd(), from_name, to_folder.as_fd(), to_name)
        } else {
            rustix::fs::renameat(&from_folder, from_name, &to_folder, to_name)
        };
        result.map_err(|e| failed("put in place", to, e))
    }

    /// Exchanges two files, so that neither is lost; returns false where the file system cannot.
    pub fn exchange(&self, one: &Path, other: &Path) -> Result<bool, BeneathError> {
        let (one_folder, one_name) = self.open_parent(one)?;
        let (other_folder, other_name) = self.open_parent(other)?;
        let result = rename_exchange(one_folder.as_fd(), one_name, other_folder.as_fd(), other_name);
        match result {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
            Err(error) => Err(failed("put in place", other, error)),
        }
    }

    /// Removes the file or link `path`; returns whether it was there.
    pub fn remove(&self, path: &Path) -> Result<bool, BeneathError> {
        self.unlink(path, AtFlags::empty())
    }

    /// Sets the permissions of the regular file or folder `path`; of the root for an empty path.
    pub fn set_mode(&self, path: &Path, mode: u32) -> Result<(), BeneathError> {
        let opened = match path.as_os_str().is_empty() {
            true => self.open_folder(path)?,
            false => {
                let (folder, name) = self.open_parent(path)?;
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                rustix::fs::openat(&folder, name, flags, Mode::empty())
                    .map_err(|e| failed("open", path, e))?
            }
        };
        rustix::fs::fchmod(&opened, Mode::from_raw_mode(mode)).map_err(|e| failed("set the mode of", path, e))
    }

    /// Returns the metadata of the root itself.
    pub fn root_metadata(&self) -> Result<Stat, BeneathError> {
        rustix::fs::fstat(&self.root).map_err(|e| failed("look at", Path::new(""), e))
    }

    /// Fails if nothing could be removed from the folder `path`.
    pub fn check_writable(&self, path: &Path) -> Result<(), BeneathError> {
        let folder = self.open_folder(path)?;
        let access = Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&folder, ".", access, AtFlags::EACCESS)
            .map_err(|e| failed("remove files from", path, e))
    }

    /// Removes the folder `path` if it is empty; returns whether it was.
    pub fn remove_empty_folder(&self, path: &Path) -> Result<bool, BeneathError> {
        self.unlink(path, AtFlags::REMOVEDIR)
    }

    fn unlink(&self, path: &Path, flags: AtFlags) -> Result<bool, BeneathError> {
        let (folder, name) = match self.open_parent(path) {
            Ok(found) => found,
            Err(error) if error.is_absent() => return Ok(false),
            Err(error) => return Err(error),
        };
        match rustix::fs::unlinkat(&folder, name, flags) {
            Ok(()) => Ok(true),
            // No file can have so long a name; a forged journal must not stop every command.
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(false),
            // Not empty, a mount point, or in a folder that may not be written: it stays, as with pass.
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY | Errno::ACCESS | Errno::PERM | Errno::ROFS)
                if flags == AtFlags::REMOVEDIR =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("remove", path, error)),
        }
    }

    /// Makes the names in the folder `path` durable.
    pub fn sync_folder(&self, path: &Path) -> Result<(), BeneathError> {
        let folder = self.open_folder(path)?;
        rustix::fs::fsync(&folder).map_err(|e| failed("sync", path, e))
    }

    /// Returns the names in the folder `path`, sorted by bytes, with their kinds (links as links).
    pub fn names(&self, path: &Path) -> Result<Vec<(OsString, FileType)>, BeneathError> {
        let folder = self.open_folder(path)?;
        let entries = rustix::fs::Dir::read_from(&folder).map_err(|e| failed("list", path, e))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| failed("list", path, e))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            if name == "." || name == ".." {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                let stat = rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|e| failed("look at", &path.join(&name), e))?;
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            names.push((name, kind));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    /// Returns everything below the folder `path`; links are not followed, and what git keeps in `.git`
    /// is left out.
    pub fn below(&self, path: &Path) -> Result<Below, BeneathError> {
        let mut below =
            Below { files: Vec::new(), folders: vec![path.to_path_buf()], repositories: Vec::new() };
        let mut next = 0;
        while let Some(folder) = below.folders.get(next).cloned() {
            next += 1;
            for (name, kind) in self.names(&folder)? {
                let path = folder.join(&name);
                if name == ".git" {
                    below.repositories.push(folder.clone());
                } else if kind == FileType::Directory {
                    below.folders.push(path);
                } else {
                    below.files.push((path, kind));
                }
            }
        }
        below.files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(below)
    }
}

/// What a folder holds, at any depth.
#[derive(Debug)]
pub struct Below {
    /// Everything but folders, sorted, with its kind.
    pub files: Vec<(PathBuf, FileType)>,
    /// The folder itself and those below, each after the one that holds it.
    pub folders: Vec<PathBuf>,
    /// Folders that are git repositories of their own.
    pub repositories: Vec<PathBuf>,
}

/// Renames only if nothing stands at the destination. File systems without `RENAME_NOREPLACE` get a
/// hard link instead, which refuses to replace as well.
fn rename_fresh(
    from: BorrowedFd<'_>,
    from_name: &OsStr,
    to: BorrowedFd<'_>,
    to_name: &OsStr,
) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    match rustix::fs::renameat_with(from, from_name, to, to_name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        result => return result,
    }
    rustix::fs::linkat(from, from_name, to, to_name, AtFlags::empty())?;
    rustix::fs::unlinkat(from, from_name, AtFlags::empty())
}

/// Exchanges two names in one step.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_exchange(
    one: BorrowedFd<'_>,
    one_name: &OsStr,
    other: BorrowedFd<'_>,
    other_name: &OsStr,
) -> Result<(), Errno> {
    rustix::fs::renameat_with(one, one_name, other, other_name, RenameFlags::EXCHANGE)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_exchange(_: BorrowedFd<'_>, _: &OsStr, _: BorrowedFd<'_>, _: &OsStr) -> Result<(), Errno> {
    Err(Errno::NOSYS)
}

/// Opens one component, which must be a folder and no link.
fn open_part(folder: BorrowedFd<'_>, part: &OsStr, path: &Path) -> Result<OwnedFd, BeneathError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(folder, part, flags, Mode::empty()) {
        Ok(fd) => Ok(fd),
        Err(error @ (Errno::NOTDIR | Errno::LOOP)) => {
            match rustix::fs::statat(folder, part, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink => {
                    Err(BeneathError::Link(Shown::os(part).to_string()))
                }
                Ok(_) => Err(BeneathError::Kind(Shown::os(part).to_string(), "folder")),
                Err(_) => Err(failed("open", path, error)),
            }
        }
        Err(error) => Err(failed("open", path, error)),
    }
}

/// Reads a regular file. `O_NONBLOCK`, since a pipe put in its place would block for ever.
fn read_at(folder: BorrowedFd<'_>, name: &OsStr, path: &Path, limit: u64) -> Result<Vec<u8>, BeneathError> {
    let mut bytes = Vec::new();
    open_file(folder, name, path)?.take(limit).read_to_end(&mut bytes).map_err(unread(path))?;
    Ok(bytes)
}

/// Returns the state of a regular file, whose size is no matter.
fn state_at(folder: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<State, BeneathError> {
    let mut file = open_file(folder, name, path)?;
    let (mut hash, mut buffer) = (Sha256::new(), [0; 8192]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(State::File(hash.finalize().into())),
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unread(path)(error)),
        }
    }
}

fn open_file(folder: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<File, BeneathError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(|e| failed("open", path, e))?;
    Ok(File::from(fd))
}

/// Returns the error of a file that cannot be read.
fn unread(path: &Path) -> impl Fn(io::Error) -> BeneathError {
    move |source| BeneathError::Io { action: "read", path: shown(path), source }
}

/// Returns the components, all of them ordinary names.
fn components(path: &Path) -> Result<Vec<&OsStr>, BeneathError> {
    path.components()
        .map(|part| match part {
            Component::Normal(name) => Ok(name),
            _ => Err(outside(path)),
        })
        .collect()
}

fn outside(path: &Path) -> BeneathError {
    BeneathError::Outside(shown(path))
}

fn shown(path: &Path) -> String {
    Shown::os(path).to_string()
}

fn failed(action: &'static str, path: &Path, error: Errno) -> BeneathError {
    let path = if path.as_os_str().is_empty() { ".".to_owned() } else { shown(path) };
    BeneathError::Io { action, path, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, Beneath) {
        let dir = tempfile::tempdir().unwrap();
        let beneath = Beneath::open(dir.path()).unwrap();
        (dir, beneath)
    }

    #[test]
    fn never_follows_a_link() {
        let (dir, beneath) = folder();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("a"), "x").unwrap();
        symlink(outside.path(), dir.path().join("l")).unwrap();
        symlink(outside.path().join("a"), dir.path().join("f")).unwrap();
        assert!(matches!(beneath.read(Path::new("l/a")), Err(BeneathError::Link(_))));
        assert!(matches!(beneath.read(Path::new("f")), Err(BeneathError::Link(_))));
        assert!(beneath.write_new(Path::new("l/b"), b"", 0o600).is_err());
        assert!(beneath.write_new(Path::new("f"), b"", 0o600).is_err());
        assert!(matches!(beneath.remove(Path::new("l/a")), Err(BeneathError::Link(_))));
        assert!(beneath.create_folders(Path::new("l/new")).is_err());
        assert!(matches!(beneath.state(Path::new("f")), Ok(State::Link(_))));
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn never_leaves_the_root() {
        let (_dir, beneath) = folder();
        for path in ["../x", "/etc/passwd", "a/../../x"] {
            assert!(matches!(beneath.read(Path::new(path)), Err(BeneathError::Outside(_))), "{path}");
        }
    }

    #[test]
    fn a_fresh_rename_replaces_nothing() {
        let (dir, beneath) = folder();
        for name in ["a", "b"] {
            beneath.write_new(Path::new(name), name.as_bytes(), 0o600).unwrap();
        }
        assert!(beneath.rename(Path::new("a"), Path::new("b"), true).is_err());
        assert_eq!(std::fs::read(dir.path().join("b")).unwrap(), b"b");
        beneath.rename(Path::new("a"), Path::new("b"), false).unwrap();
        assert_eq!(std::fs::read(dir.path().join("b")).unwrap(), b"a");
    }

    #[test]
    fn tells_states_apart() {
        let (dir, beneath) = folder();
        assert_eq!(beneath.state(Path::new("no/such")).unwrap(), State::Absent);
        let long = "a".repeat(256);
        assert_eq!(beneath.state(Path::new(&long)).unwrap(), State::Absent);
        assert_eq!(beneath.state(&Path::new(&long).join("b")).unwrap(), State::Absent);
        std::fs::write(dir.path().join("a"), "x").unwrap();
        assert_eq!(beneath.state(Path::new("a")).unwrap(), State::of(b"x"));
        assert_eq!(beneath.create_folders(Path::new("d/e")).unwrap(), [PathBuf::from("d"), "d/e".into()]);
        assert_eq!(beneath.state(Path::new("d")).unwrap(), State::Folder);
        assert!(matches!(beneath.state(Path::new("a/b")), Err(BeneathError::Kind(..))));
    }
}
