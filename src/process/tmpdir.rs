//! A private folder in memory, for the one program that needs plaintext in a file: the editor.
//!
//! It is named as pass names its own, so that pass's vim plugin (`/dev/shm/pass.?*/?*.txt`) knows it.
//! A folder left by a killed process is swept by the next command: it bears a mark (a file `.passel`) and is
//! locked (flock) for as long as its maker, or an editor that inherited the lock, lives.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, Stat};
use zeroize::Zeroizing;

use crate::model::Plaintext;
use crate::model::shown::drives_terminal;

/// The file that marks a folder as ours to sweep; stock pass's folders have none.
const MARK: &str = ".passel";
/// How a folder's name begins, then 13 random characters, once it is marked and locked.
const PREFIX: &str = "pass.";
/// How its name begins until then.
const UNFINISHED: &str = ".passel-new.";
/// Random characters in a folder's name, as pass asks of mktemp.
const RANDOM: usize = 13;
/// The longest file name in bytes; editors put a few more around it (`.NAME.swp`).
const MAX_NAME: usize = 230;
/// The largest edited file, in bytes. Nobody types more.
const MAX_CONTENT: u64 = 16 << 20;
/// How often a folder is made anew that another command has swept too soon.
const TRIES: usize = 20;
/// How deep folders inside ours are cleared.
const MAX_DEPTH: usize = 16;

/// Why the private folder cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFolderError {
    /// None of the candidates lies in memory and can be written. pass then asks whether to go on, on disk.
    #[error("no folder in memory was found")]
    NotInMemory,
    /// The edited file is a link, a folder or a device.
    #[error("`{0}` is no longer a regular file")]
    NotRegular(PathBuf),
    /// The edited file is larger than any entry may be.
    #[error("`{0}` is larger than {max} MiB", max = MAX_CONTENT >> 20)]
    TooLarge(PathBuf),
    /// The system refused.
    #[error("cannot use `{path}`")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Returns a function that puts `path` into an error.
fn at<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> PrivateFolderError {
    move |source| PrivateFolderError::Io { path: path.to_path_buf(), source: source.into() }
}

/// A folder of mode 0700 whose content is overwritten and removed when dropped.
pub struct PrivateFolder {
    parent: OwnedFd,
    name: OsString,
    path: PathBuf,
    /// The folder itself, locked.
    folder: OwnedFd,
}

impl PrivateFolder {
    /// Makes a folder in the first of `candidates` (/dev/shm, then $XDG_RUNTIME_DIR) that lies in memory.
    pub fn in_memory(candidates: &[PathBuf]) -> Result<Self, PrivateFolderError> {
        let made = candidates.iter().filter_map(|path| {
            let parent = open_folder(CWD, path.as_os_str(), OFlags::empty()).ok()?;
            (is_memory(&parent) && is_guarded(&parent)).then(|| Self::make(parent, path).ok())?
        });
        { made }.next().ok_or(PrivateFolderError::NotInMemory)
    }

    /// Makes a folder in `parent`, wherever that lies: for those who agreed to plaintext on a disk.
    pub fn on_disk(parent: &Path) -> Result<Self, PrivateFolderError> {
        let fd = open_folder(CWD, parent.as_os_str(), OFlags::empty()).map_err(at(parent))?;
        Self::make(fd, parent)
    }

    /// Makes the folder; anew where another command took it for a dead one's before it was locked.
    fn make(parent: OwnedFd, parent_path: &Path) -> Result<Self, PrivateFolderError> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let own = parent.try_clone().map_err(at(parent_path))?;
            match Self::make_once(own, parent_path) {
                Err(PrivateFolderError::Io { source, .. })
                    if tries > 0
                        && matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::WouldBlock) => {}
                done => return done,
            }
        }
    }

    /// Makes the folder under a passing name, locks and marks it, then gives it its own name: whenever
    /// we are killed, the next command knows what it finds.
    fn make_once(parent: OwnedFd, parent_path: &Path) -> Result<Self, PrivateFolderError> {
        let passing = OsString::from(format!("{UNFINISHED}{}", random(RANDOM).map_err(at(parent_path))?));
        let path = parent_path.join(&passing);
        rustix::fs::mkdirat(&parent, &passing, Mode::RWXU).map_err(at(&path))?;
        let folder = open_folder(&parent, &passing, OFlags::NOFOLLOW).map_err(at(&path))?;
        let mut made = PrivateFolder { parent, name: passing, path, folder };
        made.finish(parent_path).map_err(at(&made.path))?;
        Ok(made)
    }

    /// Locks, marks and renames a folder just made.
    fn finish(&mut self, parent_path: &Path) -> io::Result<()> {
        // The umask may have taken some of the mode.
        rustix::fs::fchmod(&self.folder, Mode::RWXU)?;
        rustix::fs::flock(&self.folder, FlockOperation::NonBlockingLockExclusive)?;
        create(self.folder.as_fd(), OsStr::new(MARK))?;
        let name = OsString::from(format!("{PREFIX}{}", random(RANDOM)?));
        rustix::fs::renameat(&self.parent, &self.name, &self.parent, &name)?;
        self.path = parent_path.join(&name);
        self.name = name;
        Ok(())
    }

    /// Returns where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the locked folder, for a child that shall hold the lock too.
    pub fn lock(&self) -> io::Result<OwnedFd> {
        self.folder.try_clone()
    }

    /// Returns the path of a file for the entry `name`, `XXXXXX-path-with-dashes.txt`. It is not made:
    /// a new entry's editor begins, as pass's does, without a file.
    pub fn file_for(&self, name: &Path) -> Result<PathBuf, PrivateFolderError> {
        let prefix = random(6).map_err(at(&self.path))?;
        Ok(self.path.join(OsStr::from_bytes(&file_name(&prefix, name.as_os_str().as_bytes()))))
    }

    /// Writes `content` to `file`, which must be a path of [`PrivateFolder::file_for`] and not exist.
    pub fn write(&self, file: &Path, content: &Plaintext) -> Result<(), PrivateFolderError> {
        let made = create(self.folder.as_fd(), file.file_name().unwrap_or_default());
        made.and_then(|mut made| made.write_all(content.expose())).map_err(at(file))
    }

    /// Returns the content of `file`, none if there is no such file. Another file may have taken its
    /// place meanwhile (editors rename), but only a regular one.
    pub fn read(&self, file: &Path) -> Result<Option<Plaintext>, PrivateFolderError> {
        // Without blocking: a pipe of that name would let us wait for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let name = file.file_name().unwrap_or_default();
        let opened = match rustix::fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(opened) => opened,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP) => return Err(PrivateFolderError::NotRegular(file.into())),
            Err(error) => return Err(at(file)(error)),
        };
        let stat = rustix::fs::fstat(&opened).map_err(at(file))?;
        if file_type(&stat) != FileType::RegularFile {
            return Err(PrivateFolderError::NotRegular(file.into()));
        }
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > MAX_CONTENT {
            return Err(PrivateFolderError::TooLarge(file.into()));
        }
        read_bounded(opened.into(), size).map_err(at(file))?.map(Some).ok_or_else(|| {
            // It grew while we read it.
            PrivateFolderError::TooLarge(file.into())
        })
    }
}

#[cfg(test)]
impl PrivateFolder {
    /// Lets go of the folder as a killed process does: the descriptors close, nothing is removed.
    pub(crate) fn leave_for_test(mut self) {
        let null = || OwnedFd::from(File::open("/dev/null").expect("/dev/null is there"));
        (self.parent, self.folder) = (null(), null());
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What cannot be removed now, the next command tries again.
        let _ = remove_folder(self.parent.as_fd(), &self.name, self.folder.as_fd());
    }
}

/// Removes the marked folders that dead processes left in `candidates`; returns those that could not be.
///
/// Only folders of our own user, by our naming and with our mark, whose lock can be had. Links are never
/// followed. Costs one reading of each candidate.
pub fn sweep(candidates: &[PathBuf]) -> Vec<PrivateFolderError> {
    let mut failed = Vec::new();
    for path in candidates {
        let Ok(parent) = open_folder(CWD, path.as_os_str(), OFlags::empty()) else { continue };
        let Ok(names) = names_in(parent.as_fd()) else { continue };
        for name in names.into_iter().filter(|name| is_our_naming(name)) {
            if let Err(source) = sweep_one(parent.as_fd(), &name) {
                failed.push(PrivateFolderError::Io { path: path.join(&name), source });
            }
        }
    }
    failed
}

/// Removes the folder `name` if it is ours, marked and nobody's any more.
fn sweep_one(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    // A link, a file or another user's folder: not ours, and no error.
    let Ok(folder) = open_folder(parent, name, OFlags::NOFOLLOW) else { return Ok(()) };
    let ours = rustix::process::geteuid().as_raw();
    if rustix::fs::fstat(&folder)?.st_uid != ours {
        return Ok(());
    }
    let mark = rustix::fs::statat(&folder, MARK, AtFlags::SYMLINK_NOFOLLOW);
    let marked = mark.is_ok_and(|m| file_type(&m) == FileType::RegularFile && m.st_uid == ours);
    if !marked && !name.as_bytes().starts_with(UNFINISHED.as_bytes()) {
        return Ok(());
    }
    match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => remove_folder(parent, name, folder.as_fd()),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether a folder of this name may be one of ours.
fn is_our_naming(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let random = name.strip_prefix(PREFIX.as_bytes()).or_else(|| name.strip_prefix(UNFINISHED.as_bytes()));
    random.is_some_and(|r| r.len() == RANDOM && r.iter().all(u8::is_ascii_alphanumeric))
}

/// Whether the open folder lies in memory.
#[cfg(target_os = "linux")]
fn is_memory(folder: &OwnedFd) -> bool {
    /// f_type of ramfs, from linux/magic.h.
    const RAMFS: u64 = 0x8584_58f6;
    /// f_type of tmpfs, from the same.
    const TMPFS: u64 = 0x0102_1994;
    // The field is signed or not, wide or not, as the machine has it; the numbers have 32 bits.
    rustix::fs::fstatfs(folder).is_ok_and(|fs| [RAMFS, TMPFS].contains(&(fs.f_type as u64 & 0xffff_ffff)))
}

/// Elsewhere no folder is known to lie in memory.
#[cfg(not(target_os = "linux"))]
fn is_memory(_folder: &OwnedFd) -> bool {
    false
}

/// Whether nobody but its owner (us or root) can rename or remove what we put into the folder.
fn is_guarded(folder: &OwnedFd) -> bool {
    rustix::fs::fstat(folder).is_ok_and(|stat| {
        let owned = stat.st_uid == 0 || stat.st_uid == rustix::process::geteuid().as_raw();
        let mode = Mode::from_raw_mode(stat.st_mode);
        owned && (mode.contains(Mode::SVTX) || !mode.intersects(Mode::WGRP | Mode::WOTH))
    })
}

/// Opens a folder.
fn open_folder(parent: impl AsFd, name: &OsStr, more: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Makes a file of mode 0600 that did not exist.
fn create(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?.into())
}

/// Reads a file of about `size` bytes into one buffer that never moves; none if it is far larger.
fn read_bounded(file: File, size: u64) -> io::Result<Option<Plaintext>> {
    // Growing the buffer would leave copies behind; so take one byte more than expected, and stop there.
    let room = usize::try_from(size).expect("at most MAX_CONTENT") + 1;
    let mut content = Zeroizing::new(vec![0; room]);
    let mut filled = 0;
    while filled < room {
        match (&file).read(&mut content[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.truncate(filled);
    Ok((filled < room).then(|| Plaintext::from_zeroizing(content)))
}

/// Returns the names in a folder, without `.` and `..`.
fn names_in(folder: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// Removes the folder `name`, open as `folder`, and everything in it.
fn remove_folder(parent: BorrowedFd<'_>, name: &OsStr, folder: BorrowedFd<'_>) -> io::Result<()> {
    clear(folder, 0)?;
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Removes everything in a folder, the mark last: until then the next command knows the folder for ours.
/// Goes on after an error and returns the first.
fn clear(folder: BorrowedFd<'_>, depth: usize) -> io::Result<()> {
    let mut names = names_in(folder)?;
    names.sort_by_key(|name| name == MARK);
    names.iter().map(|name| remove(folder, name, depth)).fold(Ok(()), io::Result::and)
}

/// Removes what is called `name`: a file is overwritten first, a link is not followed.
fn remove(folder: BorrowedFd<'_>, name: &OsStr, depth: usize) -> io::Result<()> {
    let stat = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let flags = match file_type(&stat) {
        FileType::Directory if depth < MAX_DEPTH => {
            clear(open_folder(folder, name, OFlags::NOFOLLOW)?.as_fd(), depth + 1)?;
            AtFlags::REMOVEDIR
        }
        FileType::RegularFile => {
            // Best effort: it is removed in any case.
            let _ = overwrite(folder, name, &stat);
            AtFlags::empty()
        }
        _ => AtFlags::empty(),
    };
    Ok(rustix::fs::unlinkat(folder, name, flags)?)
}

/// Overwrites a file with zeros, unless it has a second name: that one its owner meant to keep.
fn overwrite(folder: BorrowedFd<'_>, name: &OsStr, stat: &Stat) -> io::Result<()> {
    if stat.st_nlink != 1 {
        return Ok(());
    }
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(folder, name, flags, Mode::empty())?);
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    io::copy(&mut io::repeat(0).take(size), &mut file)?;
    // On a disk, the zeros must get there before the name goes; in memory this costs nothing.
    file.sync_data()?;
    file.set_len(0)
}

/// Returns the type of what was looked at.
fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Returns `count` random letters and digits.
fn random(count: usize) -> io::Result<String> {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut text = String::new();
    while text.len() < count {
        let mut byte = [0];
        getrandom::fill(&mut byte).map_err(io::Error::other)?;
        // 248 = 4 * 62: above, the first letters would come more often.
        if byte[0] < 248 {
            text.push(char::from(LETTERS[usize::from(byte[0] % 62)]));
        }
    }
    Ok(text)
}

/// Returns `PREFIX-path-with-dashes.txt`, short enough for any file system, and with nothing in it that
/// would drive the terminal when the editor shows it.
fn file_name(prefix: &str, entry: &[u8]) -> Vec<u8> {
    let mut name = format!("{prefix}-").into_bytes();
    for chunk in entry.utf8_chunks() {
        let dashed = chunk.valid().chars().map(|c| match c {
            '/' => '-',
            c if drives_terminal(c) => '_',
            c => c,
        });
        for c in dashed.chain(chunk.invalid().iter().map(|_| '_')) {
            if name.len() + c.len_utf8() + ".txt".len() <= MAX_NAME {
                name.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    name.extend_from_slice(b".txt");
    name
}

#[cfg(test)]
#[path = "tmpdir_tests.rs"]
mod tests;
