//! Moving a branch under git's own locks, so that a killed command can be finished or undone.
//!
//! git takes a lock by creating `NAME.lock`. Ours is a hard link to a file that carries the
//! transaction's nonce: taking it is as atomic, and whoever finds it later can prove by the inode that
//! it is ours, and so may remove it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use git2::Oid;

use super::settings::{Identity, is_true};
use super::{GitError, Repo, io_error};
use crate::model::Shown;

/// The suffixes of the files that carry a transaction's nonce in the git directory.
const SUFFIXES: [&str; 8] =
    ["index", "index.lock", "index2", "index2.lock", "index-old", "ref", "hook-index", "message"];

/// How many digits a nonce has.
const NONCE: usize = 16;

/// For how long git holds the lock of a ref at most: it takes it to rename one file.
const STALE: Duration = Duration::from_secs(2);

impl Repo {
    /// Returns the path of a file of the transaction `nonce` in the git directory.
    pub(super) fn own_file(&self, nonce: &str, suffix: &str) -> PathBuf {
        self.gitdir().join(format!("passel-{nonce}.{suffix}"))
    }

    /// Returns the file of a loose ref: `HEAD` belongs to this work tree, branches to all.
    fn ref_file(&self, name: &str) -> PathBuf {
        if name == "HEAD" { self.gitdir().join(name) } else { self.common().join(name) }
    }

    /// Takes git's index lock for the transaction `nonce`, the prepared index inside it.
    pub fn lock_index(&self, nonce: &str, until: Instant) -> Result<(), GitError> {
        take_lock(&self.own_file(nonce, "index"), &self.gitdir().join("index.lock"), until)
    }

    /// Whether the transaction `nonce` holds git's index lock.
    pub fn holds_index_lock(&self, nonce: &str) -> bool {
        same_file(&self.own_file(nonce, "index"), &self.gitdir().join("index.lock"))
    }

    /// Whether the transaction `nonce` holds the lock of the ref `name`, its new value inside.
    pub fn holds_ref_lock(&self, nonce: &str, name: &str) -> bool {
        same_file(&self.own_file(nonce, "ref"), &lock_path(&self.ref_file(name)))
    }

    /// Lets git's index lock go, with the index as it was.
    pub fn unlock_index(&self, nonce: &str) -> Result<(), GitError> {
        release(&self.own_file(nonce, "index"), &self.gitdir().join("index.lock"))
    }

    /// Keeps the present index for [`Repo::take_back_index`]: an empty file, where there is none. It lasts once
    /// a ref is locked.
    pub fn keep_index(&self, nonce: &str) -> Result<(), GitError> {
        let (index, kept) = (self.index_file(), self.own_file(nonce, "index-old"));
        let _ = fs::remove_file(&kept);
        match fs::hard_link(&index, &kept) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => write_synced(&kept, b""),
            // Another owner's file may not be linked to (fs.protected_hardlinks, proc_sys_fs(5)).
            Err(_) => write_synced(&kept, &fs::read(&index).map_err(io_error("read", &index))?),
        }
    }

    /// Puts the index that lies in our lock in its place, and keeps the lock. This has to come before the
    /// branch moves: `git commit` reads first the branch, then the index, and only then takes the lock. Were the
    /// index the later one, it could commit the old one on top of our commit, and so take that back.
    pub fn put_index(&self, nonce: &str) -> Result<(), GitError> {
        let (index, link) = (self.index_file(), self.own_file(nonce, "index2"));
        fs::hard_link(self.own_file(nonce, "index"), &link)
            .and_then(|()| fs::rename(&link, &index))
            .map_err(io_error("put in place", &index))
    }

    /// Undoes [`Repo::put_index`], unless another program has changed the index since.
    pub fn take_back_index(&self, nonce: &str) -> Result<(), GitError> {
        let (index, kept) = (self.index_file(), self.own_file(nonce, "index-old"));
        if !same_file(&self.own_file(nonce, "index"), &index) {
            return Ok(());
        }
        let none = match kept.metadata() {
            Ok(kept) => kept.len() == 0,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error("look at", &kept)(error)),
        };
        let undone = if none { fs::remove_file(&index) } else { fs::rename(&kept, &index) };
        undone.map_err(io_error("put back", &index))?;
        sync_folder(self.gitdir())
    }

    /// Locks the ref `name` for its move from `old` to `new`; returns false, with nothing changed, if it
    /// does not stand at `old` any more.
    pub fn lock_ref(
        &self,
        name: &str,
        old: Option<Oid>,
        new: Oid,
        nonce: &str,
        until: Instant,
    ) -> Result<bool, GitError> {
        let file = self.ref_file(name);
        let folder = file.parent().expect("a ref's file lies in the git directory");
        fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        let own = self.own_file(nonce, "ref");
        write_synced(&own, format!("{new}\n").as_bytes())?;
        // Our own name for it must last before the lock can: without it, nobody could prove whose it is.
        sync_folder(self.gitdir())?;
        let lock = lock_path(&file);
        take_lock(&own, &lock, until)?;
        if self.target(name)? != old {
            release(&own, &lock)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Removes git's lock of the ref `name` if it stays for longer than git needs: whoever took it was killed. Only for
    /// refs that can be had again from a remote: if it was somebody's all the same, their fetch fails.
    pub(super) fn drop_stale_lock(&self, name: &str) -> Result<(), GitError> {
        let lock = lock_path(&self.ref_file(name));
        let seen = inode(&lock);
        let until = Instant::now() + STALE;
        while seen.is_some() && inode(&lock) == seen {
            if Instant::now() >= until || age(&lock) >= STALE.as_secs() {
                return match fs::remove_file(&lock) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        Err(io_error("remove", &lock)(error))
                    }
                    _ => Ok(()),
                };
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Moves the ref `name`, locked before, to where its lock says. Durable when it returns.
    pub fn move_ref(&self, name: &str) -> Result<(), GitError> {
        let file = self.ref_file(name);
        fs::rename(lock_path(&file), &file).map_err(io_error("move the ref", &file))?;
        self.sync_ref(name)
    }

    /// Makes the ref's present value durable, in case that was prevented when it moved.
    pub fn sync_ref(&self, name: &str) -> Result<(), GitError> {
        let file = self.ref_file(name);
        match fs::File::open(&file) {
            Ok(open) => open.sync_all().map_err(io_error("sync", &file))?,
            // `git pack-refs` took it in meanwhile, and syncs what it writes.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error("open", &file)(error)),
        }
        // Folders of a branch such as `team/web` may be new, where the ref was packed before.
        let top = if name == "HEAD" { self.gitdir() } else { self.common() };
        for folder in file.ancestors().skip(1) {
            sync_folder(folder)?;
            if folder == top || folder.ends_with("refs/heads") {
                break;
            }
        }
        Ok(())
    }

    /// Adds the move to the reflogs of `name` and HEAD; does nothing where the newest line already says so
    /// (after a crash).
    pub fn log_move(
        &self,
        name: &str,
        old: Option<Oid>,
        new: Oid,
        who: &Identity,
        told: &str,
        log_all: bool,
    ) {
        let told = told.lines().next().unwrap_or("");
        let old = old.unwrap_or(Oid::ZERO_SHA1);
        let line = format!("{old} {new} {}\t{told}\n", who.line());
        let mut logs = vec![self.gitdir().join("logs/HEAD")];
        if name != "HEAD" {
            logs.push(self.common().join("logs").join(name));
        }
        for log in logs {
            let _ = append_log(&log, &line, log_all);
        }
    }

    /// Adds the move from `old` to `new` to the reflogs if `name` still stands at `new`: the command that
    /// moved it was killed before it could. Who and when is read from the commit; and what, if it is not `told`.
    pub fn log_recovered(&self, name: &str, old: Option<Oid>, new: Option<Oid>, told: Option<&str>) {
        let Some(new) = new.filter(|new| self.target(name).ok().flatten() == Some(*new)) else { return };
        let Ok(commit) = self.repo.find_commit(new) else { return };
        let (committer, text) = (commit.committer(), |bytes| String::from_utf8_lossy(bytes).into_owned());
        let who = Identity {
            name: text(committer.name_bytes()),
            email: text(committer.email_bytes()),
            seconds: committer.when().seconds(),
            offset: committer.when().offset_minutes(),
        };
        let setting = self.repo.config().and_then(|config| config.get_string("core.logAllRefUpdates"));
        let log_all = setting.map_or(true, |value| value == "always" || is_true(value.as_bytes()));
        let told = told.map_or_else(|| made(old, &text(commit.message_bytes())), str::to_owned);
        self.log_move(name, old, new, &who, &told, log_all);
    }

    /// Returns the nonces of all transactions that have files in this git directory.
    pub fn nonces(&self) -> Result<BTreeSet<String>, GitError> {
        let names = fs::read_dir(self.gitdir()).map_err(io_error("list", self.gitdir()))?;
        let mut nonces = BTreeSet::new();
        for name in names {
            let name = name.map_err(io_error("list", self.gitdir()))?.file_name();
            let own = name.to_str().and_then(|name| name.strip_prefix("passel-")?.split_once('.'));
            if let Some((nonce, suffix)) = own
                && SUFFIXES.contains(&suffix)
                && nonce.len() == NONCE
                && nonce.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                nonces.insert(nonce.to_owned());
            }
        }
        Ok(nonces)
    }

    /// Removes whatever the transaction `nonce` left in this git directory: its files, and the locks
    /// that are proven ours by their inode. `refs` are the refs it may have locked.
    pub fn sweep(&self, nonce: &str, name: &str) -> Result<(), GitError> {
        release(&self.own_file(nonce, "index"), &self.gitdir().join("index.lock"))?;
        release(&self.own_file(nonce, "ref"), &lock_path(&self.ref_file(name)))?;
        for suffix in SUFFIXES {
            let file = self.own_file(nonce, suffix);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io_error("remove", &file)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns what git's reflogs say of a commit of this message that was made on top of `old`. What they say tells
/// commits of this clone from all others ([`super::provenance`]).
pub fn made(old: Option<Oid>, message: &str) -> String {
    let kind = if old.is_some() { "commit" } else { "commit (initial)" };
    format!("{kind}: {}", message.lines().next().unwrap_or(""))
}

/// Returns the lock of a file, as git names it.
pub(super) fn lock_path(file: &Path) -> PathBuf {
    let mut lock = file.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

/// Takes a lock of git's: links `own` to `lock`, waiting while somebody else has it.
fn take_lock(own: &Path, lock: &Path, until: Instant) -> Result<(), GitError> {
    loop {
        match fs::hard_link(own, lock) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            // What link(2) says of file systems without hard links, such as FAT.
            Err(error) if matches!(error.raw_os_error(), Some(PERM | NOTSUP | NOSYS)) => {
                return Err(GitError::NoHardLinks { path: Shown::os(lock).to_string() });
            }
            Err(error) => return Err(io_error("take the lock", lock)(error)),
        }
        if Instant::now() >= until {
            return Err(GitError::Locked { path: Shown::os(lock).to_string(), age: age(lock) });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

const PERM: i32 = rustix::io::Errno::PERM.raw_os_error();
const NOTSUP: i32 = rustix::io::Errno::NOTSUP.raw_os_error();
const NOSYS: i32 = rustix::io::Errno::NOSYS.raw_os_error();

/// Returns a file's age in seconds.
fn age(path: &Path) -> u64 {
    let modified = path.metadata().and_then(|meta| meta.modified());
    modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok()).map_or(0, |age| age.as_secs())
}

/// Lets a lock go if it is the same file as `own`, and so ours.
fn release(own: &Path, lock: &Path) -> Result<(), GitError> {
    if same_file(own, lock) {
        fs::remove_file(lock).map_err(io_error("remove", lock))?;
    }
    Ok(())
}

/// Returns what tells a file from all others; none if there is none.
fn inode(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|meta| (meta.dev(), meta.ino()))
}

/// Whether both names lead to the same file.
fn same_file(one: &Path, other: &Path) -> bool {
    matches!((inode(one), inode(other)), (Some(one), Some(other)) if one == other)
}

/// Writes a file, durable when it returns (its name is not).
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), GitError> {
    // Never through a link: the name is new.
    let _ = fs::remove_file(path);
    let new = fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = new.map_err(io_error("create", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_error("write", path))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), GitError> {
    fs::File::open(path).and_then(|folder| folder.sync_all()).map_err(io_error("sync", path))
}

/// Appends a line to a reflog, unless it is its last line already.
fn append_log(log: &Path, line: &str, create: bool) -> std::io::Result<()> {
    if create && let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let known = fs::read(log).unwrap_or_default();
    if known.ends_with(line.as_bytes()) {
        return Ok(());
    }
    fs::OpenOptions::new().append(true).create(create).open(log)?.write_all(line.as_bytes())
}
