//! The index that goes with a commit: the present one with just the changed paths brought up to date.

use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use git2::{IndexEntry, IndexTime};
use rustix::fs::Stat;

use super::commit::IndexChange;
use super::publish::sync_folder;
use super::{GitError, Repo, git_error, io_error};

/// What tells two states of the index file apart: its length and the checksum at its end.
#[derive(Debug, PartialEq, Eq)]
pub struct IndexStamp(Option<(u64, Vec<u8>)>);

/// The index that a new one was made from.
#[derive(Debug)]
pub struct Base {
    /// Its stamp.
    pub stamp: IndexStamp,
    /// Whether it has conflicts that nobody has resolved.
    pub has_conflicts: bool,
}

/// Returns the metadata of the file at a path if it holds this blob.
pub type Stats<'a> = &'a dyn Fn(&Path, git2::Oid) -> Option<Stat>;

impl Repo {
    /// Writes the new index beside the present one, to be put inside git's lock; durable. Returns the
    /// index it was made from.
    pub fn stage_index(&self, nonce: &str, changes: &[IndexChange]) -> Result<Base, GitError> {
        let stamp = self.index_stamp()?;
        let own = self.own_file(nonce, "index");
        let has_conflicts = self.write_index(&self.index_file(), &own, changes, &|_, _| None)?;
        Ok(Base { stamp, has_conflicts })
    }

    /// Returns the stamp of the index as it is now.
    pub fn index_stamp(&self) -> Result<IndexStamp, GitError> {
        let path = self.index_file();
        let mut file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(IndexStamp(None)),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        use std::io::Seek as _;
        let length = file.metadata().map_err(io_error("look at", &path))?.len();
        let mut checksum = Vec::new();
        file.seek(std::io::SeekFrom::Start(length.saturating_sub(20)))
            .and_then(|_| file.read_to_end(&mut checksum))
            .map_err(io_error("read", &path))?;
        Ok(IndexStamp(Some((length, checksum))))
    }

    /// Puts the index in place once more and lets git's lock go. `stat` gives the files' metadata as they now
    /// are, so that git need not read them again; none for a file that another program has changed, or
    /// git would take its version for ours.
    pub fn finish_index(
        &self,
        nonce: &str,
        changes: &[IndexChange],
        stat: Stats<'_>,
    ) -> Result<(), GitError> {
        let second = self.own_file(nonce, "index2");
        // What lies in our lock is the present index with the change, what a hook added included.
        let base =
            if self.holds_index_lock(nonce) { self.own_file(nonce, "index") } else { self.index_file() };
        self.write_index(&base, &second, changes, stat)?;
        let index = self.index_file();
        fs::rename(&second, &index).map_err(io_error("put in place", &index))?;
        sync_folder(self.gitdir())?;
        self.unlock_index(nonce)
    }

    /// Writes the index `base` with `changes` to `path`; durable. Returns whether `base` has conflicts.
    fn write_index(
        &self,
        base: &Path,
        path: &Path,
        changes: &[IndexChange],
        stat: Stats<'_>,
    ) -> Result<bool, GitError> {
        // libgit2's own lock, left behind if we were killed in the middle of this.
        let _ = fs::remove_file(super::publish::lock_path(path));
        // What has this name may be known by others as well.
        let _ = fs::remove_file(path);
        match fs::copy(base, path) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("copy", base)(error)),
        }
        let mut index = self.read_index(path)?;
        let has_conflicts = index.has_conflicts();
        for (name, new) in changes {
            match new {
                Some((id, mode)) => {
                    let entry = index_entry(name, *id, *mode, stat(name, *id));
                    index.add(&entry).map_err(git_error("change the index"))?;
                }
                None => {
                    index.remove(name, 0).or_else(absent_is_fine).map_err(git_error("change the index"))?
                }
            }
        }
        index.write().map_err(git_error("write the index"))?;
        fs::File::open(path).and_then(|file| file.sync_all()).map_err(io_error("sync", path))?;
        Ok(has_conflicts)
    }
}

/// A path that was never staged needs no removing.
fn absent_is_fine(error: git2::Error) -> Result<(), git2::Error> {
    if error.code() == git2::ErrorCode::NotFound { Ok(()) } else { Err(error) }
}

/// Returns the index entry of a file; without metadata git will look at the file again.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the format keeps 32 bits")]
fn index_entry(path: &Path, id: git2::Oid, mode: u32, stat: Option<Stat>) -> IndexEntry {
    let zero = IndexTime::new(0, 0);
    IndexEntry {
        ctime: stat.as_ref().map_or(zero, |s| IndexTime::new(s.st_ctime as i32, s.st_ctime_nsec as u32)),
        mtime: stat.as_ref().map_or(zero, |s| IndexTime::new(s.st_mtime as i32, s.st_mtime_nsec as u32)),
        dev: stat.as_ref().map_or(0, |s| s.st_dev as u32),
        ino: stat.as_ref().map_or(0, |s| s.st_ino as u32),
        mode,
        uid: stat.as_ref().map_or(0, |s| s.st_uid),
        gid: stat.as_ref().map_or(0, |s| s.st_gid),
        file_size: stat.as_ref().map_or(0, |s| s.st_size as u32),
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_os_str().as_bytes().to_vec(),
    }
}
