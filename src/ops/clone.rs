//! Taking a store from a remote repository to this machine for the first time.
//!
//! The steps:
//! 1. the user's git clones into a folder beside the place where the store is to be (`Staged`);
//! 2. what came is looked at: what no store should hold is refused, and so is a repository that is no store;
//! 3. there, before anybody can use it, it is remembered that nobody has accepted its recipients, and where the remote
//!    was, and git is told to merge entries with us;
//! 4. the folder is renamed to its place.
//!
//! Whatever fails before, or ends us, leaves nothing behind.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::progress::Silent;
use super::vet::{Hazard, Kind, vet};
use super::{Context, OpError};
use crate::crypto::Crypto;
use crate::git::remote::{RemoteError, failure, shown_url};
use crate::git::{GitError, Repo, setup};
use crate::model::Shown;
use crate::model::entry::is_entry;
use crate::process::git::GitProgram;
use crate::process::watched::{Interrupts, run_watched};
use crate::store::beneath::Beneath;
use crate::store::{Options, Store, StoreError};

/// How many names a message holds.
const NAMES: usize = 5;
/// How often it is tried to remove what something may still be writing to, and how long to wait each time.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// What is asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// The remote repository, as git takes it.
    pub url: &'a OsStr,
    /// Where the store is to be: an absolute path.
    pub place: &'a Path,
    /// Whether git may ask for passwords and the like.
    pub interactive: bool,
    /// The command that git is to merge entries with.
    pub driver: &'a OsStr,
    /// The command that git is to show entries in diffs with.
    pub textconv: &'a OsStr,
}

/// A store that came.
#[derive(Debug)]
pub struct Cloned {
    /// The remote's address, to be shown.
    pub url: String,
    /// Where the store is.
    pub place: PathBuf,
    /// Whether the repository has no commit yet.
    pub is_empty: bool,
    /// What is odd about it.
    pub warnings: Vec<String>,
}

/// Why nothing was cloned. Nothing is left of what was.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// Something stands where the store is to be.
    #[error("`{place}` {what}")]
    Occupied {
        /// The place.
        place: String,
        /// What stands there.
        what: &'static str,
        /// Whether it is a clone already.
        is_repository: bool,
    },
    /// A folder could not be made, or moved to its place.
    #[error("cannot {action} `{}`", Shown::os(.path))]
    Folder {
        /// What was tried.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no room.
    #[error("there is no room for the store at `{}`", Shown::os(.0))]
    NoRoom(PathBuf),
    /// The remote could not be used.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The repository holds what no store should.
    #[error("{url} holds what is not taken: {}", .what.join("; "))]
    Hazards {
        /// The remote's address.
        url: String,
        /// Each thing.
        what: Vec<String>,
    },
    /// The repository is no store.
    #[error("{url} is no password store: it has no recipients file (.gpg-id) and no entry, but {what}")]
    NoStore {
        /// The remote's address.
        url: String,
        /// What it has.
        what: String,
    },
    /// The repository has branches, but does not say which is to be taken.
    #[error("{url} says of none of its branches that it is the one to take: {}", .branches.join(", "))]
    NoBranch {
        /// The remote's address.
        url: String,
        /// The branches.
        branches: Vec<String>,
    },
    /// A signal came.
    #[error("interrupted: nothing is left of the clone")]
    Interrupted(u8),
    /// The system let us watch for no signals.
    #[error("cannot watch for signals")]
    Signals(#[source] io::Error),
    /// The new store could not be used.
    #[error(transparent)]
    Op(#[from] OpError),
}

impl From<StoreError> for CloneError {
    fn from(error: StoreError) -> Self {
        CloneError::Op(error.into())
    }
}

impl From<GitError> for CloneError {
    fn from(error: GitError) -> Self {
        StoreError::from(error).into()
    }
}

/// Clones the store; what git says meanwhile goes to `said`.
pub fn clone(
    request: &Request<'_>,
    options: &Options,
    crypto: &dyn Crypto,
    said: &dyn Fn(&str),
) -> Result<Cloned, CloneError> {
    let interrupts = Interrupts::begin().map_err(CloneError::Signals)?;
    let done = steps(request, options, crypto, said, &interrupts);
    // Programs of ours that the signal ended too have failed for that alone.
    match interrupts.seen() {
        Some(signal) if done.is_err() => Err(CloneError::Interrupted(signal)),
        _ => done,
    }
}

fn steps(
    request: &Request<'_>,
    options: &Options,
    crypto: &dyn Crypto,
    said: &dyn Fn(&str),
    interrupts: &Interrupts,
) -> Result<Cloned, CloneError> {
    let git = &options.git;
    let url = shown_url(&request.url.to_string_lossy());
    let staged = Staged::beside(request.place)?;
    let above = staged.path().parent().unwrap_or(Path::new("/"));
    // It would be refused in the end; before, it costs nothing.
    setup::refuse_cached_plaintext(git, above)?;
    let mut warnings = staged.fetch(request, git, &url, interrupts, said)?;
    let root = staged.path();
    let below = Beneath::open(root).map_err(|e| failed("open", root)(e))?;
    let below = below.below(Path::new("")).map_err(StoreError::from)?;
    let mut repositories = below.repositories;
    repositories.sort();
    let is_empty = is_empty(root, &url)?;
    if !is_empty {
        if !below.files.iter().any(|(path, _)| path.ends_with(".gpg-id") || is_entry(path)) {
            let what = contents(&below.files.iter().map(|(path, _)| path.as_path()).collect::<Vec<_>>());
            return Err(CloneError::NoStore { url, what });
        }
        warnings.extend(look(root, &repositories, &url)?);
    }
    let store = Store::open(root, options.clone())?;
    let context = Context { store: &store, crypto, progress: &Silent, keys: None, signing_keys: &[] };
    context.withhold()?;
    for prefix in &repositories {
        setup::install(git, &root.join(prefix), request.driver, request.textconv)?;
        remember_tip(&Repo::open(root, prefix)?)?;
    }
    drop(store);
    refuse_interrupted(interrupts)?;
    let place = staged.into_place()?;
    Ok(Cloned { url, place, is_empty, warnings })
}

/// Remembers where the remote's branch is: a remote that goes back later is noticed by that.
fn remember_tip(repo: &Repo) -> Result<(), GitError> {
    // A repository in a folder of the store may be on no branch, and is not synced then.
    match (repo.upstream()?, repo.head_commit()?) {
        (Some(upstream), Some(tip)) => repo.see(&upstream, tip),
        _ => Ok(()),
    }
}

/// Whether the repository has no commit yet; fails if it has some, and none of them was taken.
fn is_empty(root: &Path, url: &str) -> Result<bool, CloneError> {
    let repo = Repo::open(root, Path::new(""))?;
    if repo.head_commit()?.is_some() {
        return Ok(false);
    }
    match repo.remote_branches()? {
        branches if branches.is_empty() => Ok(true),
        branches => Err(CloneError::NoBranch { url: url.to_owned(), branches }),
    }
}

/// Refuses what no store should hold; returns what is only odd.
fn look(root: &Path, repositories: &[PathBuf], url: &str) -> Result<Vec<String>, CloneError> {
    let (mut refused, mut odd) = (Vec::new(), Vec::new());
    for prefix in repositories {
        let repo = Repo::open(root, prefix)?;
        let place =
            if prefix.as_os_str().is_empty() { String::new() } else { format!("{}: ", Shown::os(prefix)) };
        if repo.is_shallow() {
            odd.push(format!(
                "{place}this is a shallow clone: what its older commits brought cannot be seen"
            ));
        }
        let Some(head) = repo.head_commit()? else { continue };
        let ignores_case = repo.ignores_case();
        for hazard in vet(&repo, None, repo.tree_id(head)?)? {
            let told = format!("{place}{}", hazard.told());
            if is_refused(&hazard, ignores_case) { refused.push(told) } else { odd.push(told) }
        }
    }
    match refused.is_empty() {
        true => Ok(odd),
        false => Err(CloneError::Hazards { url: url.to_owned(), what: refused }),
    }
}

/// Whether a store that is there already cannot be taken because of this. What is only odd may have been in it for
/// long; from what comes later, it is refused.
fn is_refused(hazard: &Hazard, ignores_case: bool) -> bool {
    match hazard.kind {
        Kind::Name(_) | Kind::Control | Kind::TooLarge(_) => true,
        Kind::CaseTwin(_) => ignores_case,
        Kind::Link(_) | Kind::Plaintext => false,
    }
}

/// Returns what a repository holds, in words.
fn contents(files: &[&Path]) -> String {
    let mut names: Vec<String> = Vec::new();
    for file in files {
        let mut parts = file.components();
        let first = parts.next().map(|part| Shown::os(part.as_os_str()).to_string()).unwrap_or_default();
        let name = if parts.next().is_some() { format!("{first}/") } else { first };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.len() {
        0 => "nothing at all".to_owned(),
        count if count > NAMES => format!("{} and {} more", names[..NAMES].join(", "), count - NAMES),
        _ => names.join(", "),
    }
}

fn refuse_interrupted(interrupts: &Interrupts) -> Result<(), CloneError> {
    interrupts.seen().map_or(Ok(()), |signal| Err(CloneError::Interrupted(signal)))
}

/// A clone beside the place where it is to be; dropped, it is removed again.
struct Staged {
    /// None once it is in its place.
    folder: Option<TempDir>,
    place: PathBuf,
    /// Folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
}

impl Staged {
    /// Makes an empty folder beside `place`, `.NAME.passel-XXXX`, and the folders above that are missing. Fails if
    /// anything but an empty folder stands at `place`.
    fn beside(place: &Path) -> Result<Self, CloneError> {
        let place = free(place)?;
        let (Some(above), Some(name)) = (place.parent(), place.file_name()) else {
            return Err(occupied(&place, "is the root of the file system"));
        };
        let missing = above.ancestors().take_while(|path| path.symlink_metadata().is_err());
        let mut made: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        made.reverse();
        let mut staged = Staged { folder: None, place: place.clone(), made };
        fs::create_dir_all(above).map_err(failed("make", above))?;
        let (mut before, mut folder) = (std::ffi::OsString::from("."), tempfile::Builder::new());
        before.push(name);
        before.push(".passel-");
        // Of this, the umask takes what nobody else is to have.
        let folder = folder.prefix(&before).rand_bytes(4).permissions(fs::Permissions::from_mode(0o777));
        staged.folder = Some(folder.tempdir_in(above).map_err(failed("write to", above))?);
        Ok(staged)
    }

    fn path(&self) -> &Path {
        self.folder.as_ref().expect("it is not in its place yet").path()
    }

    /// Lets git clone into the folder; returns what went wrong that need not keep us from the rest.
    fn fetch(
        &self,
        request: &Request<'_>,
        git: &GitProgram,
        url: &str,
        interrupts: &Interrupts,
        said: &dyn Fn(&str),
    ) -> Result<Vec<String>, CloneError> {
        // From where we are: the address may be a path. git itself makes that absolute.
        let mut command = git.network_command(Path::new("."), request.interactive);
        // What is read of what it says is not translated.
        command.env("LC_ALL", "C").args(["clone", "--recurse-submodules"]);
        // Objects of our own, which only we can read, also where the remote is on this machine.
        command.arg("--no-hardlinks");
        // Its standard error is no terminal, so that it can be read; somebody may look on.
        command.arg(if request.interactive { "--progress" } else { "--quiet" });
        command.arg("--").arg(request.url).arg(self.path());
        let done = run_watched(command, interrupts, request.interactive, said);
        refuse_interrupted(interrupts)?;
        let not_run = |source| RemoteError::Git(GitError::NotRun { program: "git".to_owned(), source });
        let (status, text) = done.map_err(not_run)?;
        // git shows most addresses without what is secret in them.
        let text = text.replace(&*request.url.to_string_lossy(), url);
        if status.success() {
            return Ok(Vec::new());
        }
        if ["No space left on device", "Disk quota exceeded"].iter().any(|words| text.contains(words)) {
            return Err(CloneError::NoRoom(self.place.clone()));
        }
        // Then git has done, and keeps, all else: a repository in a folder of the store need not be for everybody.
        let without: Vec<&str> = text.lines().filter(|line| line.contains("into submodule path")).collect();
        if !without.is_empty() && self.path().join(".git").exists() {
            let told = |line: &&str| Shown::new(line.trim_start_matches("fatal: ")).to_string();
            let mut told: Vec<String> = without.iter().map(told).collect();
            told.dedup();
            return Ok(told);
        }
        Err(failure(url, &text).into())
    }

    /// Renames the folder to its place.
    fn into_place(mut self) -> Result<PathBuf, CloneError> {
        // Over nothing, or over an empty folder; over no other one (rename(2)).
        match fs::rename(self.path(), &self.place) {
            Ok(()) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(occupied(&self.place, "has been written to meanwhile"));
            }
            Err(error) => return Err(failed("move the clone to", &self.place)(error)),
        }
        if let Some(folder) = self.folder.take() {
            // The name is no longer its own.
            let _ = folder.keep();
        }
        self.made.clear();
        Ok(std::mem::take(&mut self.place))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take() {
            let path = folder.keep();
            // What git has started may still be writing for a moment.
            for _ in 0..TRIES {
                let _ = fs::remove_dir_all(&path);
                if path.symlink_metadata().is_err() {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
        for made in self.made.iter().rev() {
            let _ = fs::remove_dir(made);
        }
    }
}

/// Returns where the store is to be, through links; fails unless nothing or an empty folder is there.
fn free(place: &Path) -> Result<PathBuf, CloneError> {
    let found = match place.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(place.to_path_buf()),
        Err(error) => return Err(failed("look at", place)(error)),
        Ok(found) => found,
    };
    let real = match place.canonicalize() {
        Ok(real) => real,
        Err(_) if found.is_symlink() => return Err(occupied(place, "is a symbolic link that leads nowhere")),
        Err(error) => return Err(failed("look at", place)(error)),
    };
    if !real.is_dir() {
        return Err(occupied(place, "is there, and is no folder"));
    }
    match fs::read_dir(&real).map_err(failed("list", place))?.next() {
        None => Ok(real),
        Some(_) => Err(occupied(place, "is there, and is not empty")),
    }
}

fn occupied(place: &Path, what: &'static str) -> CloneError {
    let is_repository = place.join(".git").exists();
    CloneError::Occupied { place: Shown::os(place).to_string(), what, is_repository }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CloneError {
    let path = path.to_path_buf();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => CloneError::NoRoom(path),
        _ => CloneError::Folder { action, path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_a_repository_holds() {
        let told = |files: &[&str]| contents(&files.iter().map(Path::new).collect::<Vec<_>>());
        assert_eq!(told(&["README", "src/a", "src/b"]), "README, src/");
        assert_eq!(told(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
        assert_eq!(told(&[]), "nothing at all");
    }

    #[test]
    fn what_is_not_put_in_its_place_is_removed_with_the_folders_made_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a/b/store");
        let staged = Staged::beside(&place).unwrap();
        fs::write(staged.path().join("x"), "x").unwrap();
        assert!(staged.path().to_string_lossy().contains("/a/b/.store.passel-"));
        drop(staged);
        assert!(!dir.path().join("a").exists());
        let staged = Staged::beside(&place).unwrap();
        fs::write(staged.path().join("x"), "x").unwrap();
        staged.into_place().unwrap();
        assert!(place.join("x").exists());
        assert!(matches!(Staged::beside(&place), Err(CloneError::Occupied { .. })));
    }

    #[test]
    fn what_is_written_to_the_place_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("store");
        let staged = Staged::beside(&place).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("mine"), "x").unwrap();
        assert!(matches!(staged.into_place(), Err(CloneError::Occupied { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(place.join("mine").exists());
    }
}
