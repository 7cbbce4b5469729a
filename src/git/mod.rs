//! Git, through git2: commits, trees, refs. The only folder naming git2.
//!
//! A change is recorded in three steps that [`crate::store::transaction`] puts together: objects are
//! written and a commit made ([`commit`]), git's own locks are taken, and the index ([`index`]) and the branch
//! moved ([`publish`]).

pub mod arrivals;
mod bytes;
pub mod changing;
pub mod commit;
pub mod compared;
pub mod contents;
mod error;
pub mod graph;
mod head;
pub mod history;
pub mod index;
pub mod lineage;
mod objects;
pub mod provenance;
pub mod publish;
pub mod remote;
pub mod renames;
pub mod runs;
pub mod settings;
pub mod setup;
pub mod signed;
pub mod signing;
pub mod summary;
mod trees;
pub mod versions;
mod walked;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::GitError;
use error::{git_error, io_error, unsupported};
pub use git2::Oid;
pub use head::Head;

use crate::model::Shown;

/// A file's change, as git records it.
#[derive(Debug)]
pub struct FileChange<'a> {
    /// The path in the repository.
    pub path: PathBuf,
    /// The new content and whether it may be executed; none to remove the file.
    pub new: Option<(&'a [u8], bool)>,
}

/// The repository that records a folder of the store.
pub struct Repo {
    repo: git2::Repository,
    /// Where its work tree lies below the store's root; empty for the root itself.
    prefix: PathBuf,
    /// The work tree.
    workdir: PathBuf,
    /// Trees that were found to be well-formed.
    well_formed: RefCell<HashSet<Oid>>,
    /// What libgit2 is told besides the user's configuration.
    _settings: SettingsFile,
}

impl Repo {
    /// Returns where the innermost repository that holds `folder` lies below `root`, none if there is
    /// none. As in pass, repositories above the root do not count.
    pub fn prefix_of(root: &Path, folder: &Path) -> Option<PathBuf> {
        folder
            .ancestors()
            .find(|part| root.join(part).join(".git").symlink_metadata().is_ok())
            .map(Path::to_path_buf)
    }

    /// Returns the git directory of the repository at `workdir` without opening the repository:
    /// `.git`, or what a `.git` file (linked work trees, submodules) names.
    pub fn directory(workdir: &Path) -> Option<PathBuf> {
        let dot_git = workdir.join(".git");
        let kind = dot_git.metadata().ok()?;
        if kind.is_dir() {
            return Some(dot_git);
        }
        let text = std::fs::read_to_string(&dot_git).ok()?;
        let target = text.strip_prefix("gitdir:")?.trim();
        Some(workdir.join(target))
    }

    /// Returns the git directory that all work trees of the repository at `workdir` share.
    pub fn common_directory(workdir: &Path) -> Option<PathBuf> {
        let directory = Self::directory(workdir)?;
        // gitrepository-layout(5): linked work trees name it in `commondir`, relative to their own.
        match std::fs::read_to_string(directory.join("commondir")) {
            Ok(text) => Some(directory.join(text.trim_end())),
            Err(_) => Some(directory),
        }
    }

    /// Opens the repository at `prefix` below `root`.
    pub fn open(root: &Path, prefix: &Path) -> Result<Self, GitError> {
        let workdir = root.join(prefix);
        let shown = Shown::os(&workdir).to_string();
        let repo =
            git2::Repository::open(&workdir).map_err(|source| match unsupported(source.message()) {
                Some(what) => GitError::Unsupported { path: shown.clone(), what },
                None if source.code() == git2::ErrorCode::Owner => GitError::Owner { path: shown.clone() },
                None => GitError::Open { path: shown.clone(), source },
            })?;
        let settings = sync_objects(&repo).map_err(git_error("set up the repository"))?;
        if repo.is_bare() {
            return Err(GitError::Unsupported { path: shown, what: "is bare" });
        }
        // `core.worktree` may lead elsewhere: git would look for our files there.
        let same = |tree: &Path| tree.canonicalize().ok() == workdir.canonicalize().ok();
        if !repo.workdir().is_some_and(same) {
            let tree = repo.workdir().map_or_else(String::new, |tree| Shown::os(tree).to_string());
            return Err(GitError::Elsewhere { path: shown, tree });
        }
        let well_formed = RefCell::default();
        Ok(Repo { repo, prefix: prefix.to_path_buf(), workdir, well_formed, _settings: settings })
    }

    /// Opens the repository that holds the folder `root` in its work tree without being its own; returns it
    /// with the place of `root` in it. None if there is none.
    pub fn around(root: &Path) -> Option<Result<(Self, PathBuf), GitError>> {
        let root = root.canonicalize().ok()?;
        let workdir = root.ancestors().skip(1).find(|above| above.join(".git").symlink_metadata().is_ok())?;
        let place = root.strip_prefix(workdir).expect("it lies above").to_path_buf();
        Some(Self::open(workdir, Path::new("")).map(|repo| (repo, place)))
    }

    /// Whether `name` can be a ref's: no `..`, nothing outside of `refs/` but `HEAD`.
    pub fn is_ref_name(name: &str) -> bool {
        name == "HEAD" || (name.starts_with("refs/") && git2::Reference::is_valid_name(name))
    }

    /// Returns where the work tree lies below the store's root.
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// Returns the work tree.
    pub fn workdir(&self) -> &Path {
        &self.workdir
    }

    /// Returns the git directory of this work tree (HEAD, index).
    pub fn gitdir(&self) -> &Path {
        self.repo.path()
    }

    /// Returns the file of this work tree's index.
    pub(super) fn index_file(&self) -> PathBuf {
        self.gitdir().join("index")
    }

    /// Refuses while a merge, rebase or the like is under way: a commit now would become part of it.
    pub fn refuse_unfinished(&self) -> Result<(), GitError> {
        self.refuse_operation()?;
        // `git stash pop` leaves conflicts without any state.
        self.refuse_conflicts(self.read_index(&self.index_file())?.has_conflicts())
    }

    /// The same without a look into the index.
    pub fn refuse_operation(&self) -> Result<(), GitError> {
        use git2::RepositoryState as S;
        let what = match self.repo.state() {
            S::Clean | S::Bisect => return Ok(()),
            S::Merge => "merge",
            S::Revert | S::RevertSequence => "revert",
            S::CherryPick | S::CherryPickSequence => "cherry-pick",
            S::Rebase | S::RebaseInteractive | S::RebaseMerge => "rebase",
            S::ApplyMailbox | S::ApplyMailboxOrRebase => "`git am`",
        };
        Err(GitError::Unfinished { path: Shown::os(&self.workdir).to_string(), what })
    }

    /// Refuses an index that has conflicts.
    pub fn refuse_conflicts(&self, has_conflicts: bool) -> Result<(), GitError> {
        match has_conflicts {
            true => Err(GitError::Conflicted { path: Shown::os(&self.workdir).to_string() }),
            false => Ok(()),
        }
    }

    /// Whether git is told to ignore `path` and does not already track it.
    pub fn ignores(&self, head: &Head<'_>, path: &Path) -> Result<bool, GitError> {
        if head.entry(path)?.is_some() {
            return Ok(false);
        }
        self.repo.is_path_ignored(path).map_err(git_error("read .gitignore"))
    }

    /// Returns the blob that HEAD has at `path` with its mode, none if it has none.
    pub fn head_entry(&self, path: &Path) -> Result<Option<(Oid, u32)>, GitError> {
        self.head()?.entry(path)
    }

    /// Returns HEAD as it is now, to look at many paths of it.
    pub fn head(&self) -> Result<Head<'_>, GitError> {
        let Some(commit) = self.head_commit()? else { return Ok(Head { repo: self, tree: None }) };
        let tree = self.repo.find_commit(commit).and_then(|c| c.tree()).map_err(git_error("read HEAD"))?;
        Ok(Head { repo: self, tree: Some(tree) })
    }

    /// Returns the bytes of the blob `id`.
    pub fn blob(&self, id: Oid) -> Result<Vec<u8>, GitError> {
        Ok(self.repo.find_blob(id).map_err(git_error("read an object"))?.content().to_vec())
    }

    /// Returns a path below `folder` (any if empty) that the index holds but keeps out of this work tree.
    pub fn left_out(&self, folder: &Path) -> Result<Option<PathBuf>, GitError> {
        use std::os::unix::ffi::OsStrExt as _;
        let left_out = git2::IndexEntryExtendedFlag::SKIP_WORKTREE.bits();
        let index = self.read_index(&self.index_file())?;
        let mut paths = index
            .iter()
            .filter(|entry| entry.flags_extended & left_out != 0)
            .map(|entry| PathBuf::from(std::ffi::OsStr::from_bytes(&entry.path)));
        let missing = |path: &PathBuf| self.workdir.join(path).symlink_metadata().is_err();
        Ok(paths.find(|path| path.starts_with(folder) && missing(path)))
    }

    /// Whether the index holds `path`.
    pub fn stages(&self, path: &Path) -> Result<bool, GitError> {
        Ok(self.read_index(&self.index_file())?.get_path(path, 0).is_some())
    }

    /// Whether file names that differ in case only are the same here, as far as git knows.
    pub fn ignores_case(&self) -> bool {
        self.repo.config().and_then(|c| c.get_bool("core.ignoreCase")).unwrap_or(false)
    }

    /// Whether the work tree leaves out part of HEAD on purpose.
    pub fn is_sparse(&self) -> bool {
        let config = self.repo.config().and_then(|c| c.get_bool("core.sparseCheckout"));
        config.unwrap_or(false)
    }

    /// Returns the name of the ref that HEAD stands for: a branch, or `HEAD` itself when detached.
    pub fn branch(&self) -> Result<String, GitError> {
        let mut name = "HEAD".to_owned();
        // Five is git's own limit for chains of symbolic refs.
        for _ in 0..5 {
            let target = match self.repo.find_reference(&name) {
                Ok(found) => match found.symbolic_target_bytes() {
                    Some(target) => String::from_utf8_lossy(target).into_owned(),
                    None => return Ok(name),
                },
                Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(name),
                Err(error) => return Err(git_error("read HEAD")(error)),
            };
            name = target;
        }
        Ok(name)
    }

    /// Returns the commit that `name` points at, none if it does not exist yet.
    pub fn target(&self, name: &str) -> Result<Option<Oid>, GitError> {
        match self.repo.find_reference(name) {
            Ok(found) => Ok(found.target()),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(git_error("read a ref")(error)),
        }
    }

    /// Returns HEAD's commit, none before the first one.
    pub fn head_commit(&self) -> Result<Option<Oid>, GitError> {
        self.target(&self.branch()?)
    }

    /// Whether `ancestor` is `commit` or one of its ancestors.
    pub fn descends(&self, commit: Oid, ancestor: Oid) -> Result<bool, GitError> {
        if commit == ancestor {
            return Ok(true);
        }
        match self.repo.graph_descendant_of(commit, ancestor) {
            // Of commits that nothing leads to, garbage collection may have taken some.
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(false),
            known => known.map_err(git_error("walk the history")),
        }
    }

    /// Returns the id of a commit's tree.
    pub fn tree_id(&self, commit: Oid) -> Result<Oid, GitError> {
        Ok(self.repo.find_commit(commit).map_err(git_error("read a commit"))?.tree_id())
    }

    /// Returns the git directory that all work trees share (refs, objects).
    pub fn common(&self) -> &Path {
        self.repo.commondir()
    }

    /// Reads an index of this work tree from disk.
    fn read_index(&self, path: &Path) -> Result<git2::Index, GitError> {
        git2::Index::open(path).map_err(|source| match unsupported(source.message()) {
            Some(what) => GitError::Unsupported { path: Shown::os(&self.workdir).to_string(), what },
            None => GitError::Libgit2 { action: "read the index", source },
        })
    }
}

/// Makes libgit2 sync every object and pack that it writes before it gets its name: an object that comes
/// out empty after a power cut would be taken for the real one. Said in memory, since git warns about
/// the setting where it stands in the user's file.
///
/// libgit2 may read the file again at any time, so it must live as long as `repo` does.
fn sync_objects(repo: &git2::Repository) -> Result<SettingsFile, git2::Error> {
    let failed = |error: io::Error| git2::Error::from_str(&error.to_string());
    let (mut file, path) = settings_file().map_err(failed)?;
    std::io::Write::write_all(&mut file, b"[core]\n\tfsyncObjectFiles = true\n").map_err(failed)?;
    repo.config()?.add_file(&path, git2::ConfigLevel::App, true)?;
    Ok(file)
}

/// A file that exists as long as it is open.
#[cfg(target_os = "linux")]
type SettingsFile = std::fs::File;
/// A file that is removed when it is dropped.
#[cfg(not(target_os = "linux"))]
type SettingsFile = tempfile::NamedTempFile;

/// Returns a file in memory with the path under which it can be read as long as it is open.
#[cfg(target_os = "linux")]
fn settings_file() -> io::Result<(SettingsFile, PathBuf)> {
    use std::os::fd::AsRawFd as _;
    let fd = rustix::fs::memfd_create("settings", rustix::fs::MemfdFlags::CLOEXEC)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    Ok((fd.into(), path))
}

/// Returns a temporary file with its path.
#[cfg(not(target_os = "linux"))]
fn settings_file() -> io::Result<(SettingsFile, PathBuf)> {
    let file = tempfile::NamedTempFile::new()?;
    let path = file.path().to_path_buf();
    Ok((file, path))
}

/// Returns the id that git gives a file of these bytes.
pub fn blob_id(bytes: &[u8]) -> Option<Oid> {
    Oid::hash_object(git2::ObjectType::Blob, bytes).ok()
}

/// How long to wait for a lock that another program holds.
pub const PATIENCE: Duration = Duration::from_secs(10);
