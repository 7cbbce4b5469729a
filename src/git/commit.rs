//! Making a commit: objects, hooks, message, signature. Nothing is visible until the ref moves.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository};
use rustix::io::Errno;

use super::settings::Settings;
use super::{FileChange, GitError, Repo, git_error, io_error};
use crate::model::Shown;
use crate::process::git::{GitProgram, clear_repository_variables};

/// From how many files on the objects go into one pack: a loose object costs about 1.6 ms to sync.
const PACK_FROM: usize = 16;

/// A path whose index entry is to change: its new blob and mode, none to remove it.
pub type IndexChange = (PathBuf, Option<(Oid, u32)>);

/// A commit that is ready to be made.
#[derive(Debug)]
pub struct Prepared {
    /// The commit it goes on top of, none for the first.
    pub parent: Option<Oid>,
    /// Its further parents: what it merges.
    pub others: Vec<Oid>,
    /// The tree it records.
    pub tree: Oid,
    /// The message after hooks had their say.
    pub message: String,
    /// What the index must follow.
    pub index: Vec<IndexChange>,
}

impl Repo {
    /// Writes the objects that `changes` need on top of HEAD and runs the hooks `pre-commit`,
    /// `prepare-commit-msg` and `commit-msg`. Returns none if the tree would be HEAD's own.
    ///
    /// The tree is HEAD's with exactly these changes: whatever else is staged stays staged.
    pub fn prepare(
        &self,
        changes: &[FileChange<'_>],
        subject: &str,
        settings: &Settings,
        nonce: &str,
    ) -> Result<Option<Prepared>, GitError> {
        let parent = self.head_commit()?;
        let (base, tree, index) = if changes.len() >= PACK_FROM {
            self.write_pack(parent, changes)?
        } else {
            let base = base_tree(&self.repo, parent)?;
            let (tree, index) = update_tree(&self.repo, base, changes)?;
            (base, tree, index)
        };
        if index.is_empty() || (tree == base && parent.is_some()) {
            return Ok(None);
        }
        let mut change = HookedChange { repo: self, settings, nonce, tree, index, is_merge: false };
        let message = change.run(subject)?;
        let HookedChange { tree, index, .. } = change;
        Ok(Some(Prepared { parent, others: Vec::new(), tree, message, index }))
    }

    /// The same for a merge of `others` into HEAD, whose `tree` is there already, and means `index` for the index.
    /// The hooks are those of `git merge`: `pre-merge-commit`, `prepare-commit-msg` and `commit-msg`.
    pub fn prepare_merge(
        &self,
        others: Vec<Oid>,
        tree: Oid,
        index: Vec<IndexChange>,
        subject: &str,
        settings: &Settings,
        nonce: &str,
    ) -> Result<Prepared, GitError> {
        let parent = self.head_commit()?;
        let mut change = HookedChange { repo: self, settings, nonce, tree, index, is_merge: true };
        let message = change.run(subject)?;
        let HookedChange { tree, index, .. } = change;
        Ok(Prepared { parent, others, tree, message, index })
    }

    /// Writes the objects that `changes` need as one pack. Returns HEAD's tree, the new one, and
    /// what they mean for the index.
    fn write_pack(
        &self,
        parent: Option<Oid>,
        changes: &[FileChange<'_>],
    ) -> Result<(Oid, Oid, Vec<IndexChange>), GitError> {
        let failed = || git_error("write a pack");
        // A handle of its own: a backend in memory cannot be taken off again.
        let repo = Repository::open(&self.workdir).map_err(git_error("open the repository"))?;
        let _settings = super::sync_objects(&repo).map_err(git_error("set up the repository"))?;
        repo.odb().and_then(|odb| odb.add_new_mempack_backend(1000).map(drop)).map_err(failed())?;
        let base = base_tree(&repo, parent)?;
        let (tree, index) = update_tree(&repo, base, changes)?;
        let odb = self.repo.odb().map_err(failed())?;
        let mut pack = repo.packbuilder().map_err(failed())?;
        // Not `Mempack::dump`: it packs only what a commit leads to, and there is none yet.
        for id in named_objects(&repo, tree, &index)?.into_iter().filter(|id| !odb.exists(*id)) {
            pack.insert_object(id, None).map_err(failed())?;
        }
        if pack.object_count() == 0 {
            return Ok((base, tree, index));
        }
        let mut bytes = git2::Buf::new();
        pack.write_buf(&mut bytes).map_err(failed())?;
        let folder = self.common().join("objects/pack");
        fs::create_dir_all(&folder).map_err(io_error("make", &folder))?;
        let mut indexer = git2::Indexer::new(Some(&odb), &folder, 0o444, true).map_err(failed())?;
        indexer.write_all(&bytes).map_err(io_error("write a pack in", &folder))?;
        indexer.commit().map_err(failed())?;
        odb.refresh().map_err(failed())?;
        Ok((base, tree, index))
    }

    /// Writes the commit object, unsigned.
    pub fn write_commit(&self, prepared: &Prepared, settings: &Settings) -> Result<Oid, GitError> {
        let tree = self.repo.find_tree(prepared.tree).map_err(git_error("read a tree"))?;
        let parents = prepared.parent.iter().chain(&prepared.others);
        let parents: Vec<git2::Commit<'_>> = parents
            .map(|id| self.repo.find_commit(*id))
            .collect::<Result<_, _>>()
            .map_err(git_error("read HEAD"))?;
        let (author, committer) = (settings.author.signature()?, settings.committer.signature()?);
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        self.repo
            .commit(None, &author, &committer, &prepared.message, &tree, &parents)
            .map_err(git_error("write the commit"))
    }

    /// Writes a commit of `tree` on top of any commit, signed if the user signs commits; no ref moves.
    pub fn write_on(&self, parent: Oid, tree: Oid, subject: &str, git: &GitProgram) -> Result<Oid, GitError> {
        let settings = Settings::read(git, &self.workdir)?;
        let (others, index, message) = (Vec::new(), Vec::new(), format!("{subject}\n"));
        let prepared = Prepared { parent: Some(parent), others, tree, message, index };
        match settings.sign {
            true => self.write_signed(&self.sign_commit(&prepared, &settings, git)?),
            false => self.write_commit(&prepared, &settings),
        }
    }

    /// Runs the hook `post-commit`; its failure comes back as a warning's text.
    pub fn post_commit(&self, settings: &Settings) -> Option<String> {
        self.afterwards(settings, "post-commit", &[])
    }

    /// Runs the hook `post-merge`, as after a merge that is no squash.
    pub fn post_merge(&self, settings: &Settings) -> Option<String> {
        self.afterwards(settings, "post-merge", &["0".as_ref()])
    }

    fn afterwards(&self, settings: &Settings, name: &str, args: &[&OsStr]) -> Option<String> {
        let hook = self.hook(settings, name)?;
        match self.run_hook(&hook, args, None) {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    /// Starts `git gc --auto` in the background when the loose objects call for it, as `git commit`
    /// does; git's own rule is 27 files in one of the 256 folders for its default of 6700.
    pub fn collect_garbage(&self, git: &GitProgram) {
        let count = fs::read_dir(self.common().join("objects/17")).map_or(0, Iterator::count);
        if count > 27 {
            let mut command = git.command(&self.workdir);
            command.args(["gc", "--auto", "--quiet"]);
            let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            // Not waited for: it works in the background, and what it does can wait as well.
            let _ = quiet.spawn();
        }
    }

    /// Returns the hook's file if it is there and may be executed, as git's own rule has it.
    fn hook(&self, settings: &Settings, name: &str) -> Option<PathBuf> {
        let path = settings.hooks.join(name);
        let meta = path.metadata().ok()?;
        (meta.is_file() && meta.permissions().mode() & 0o111 != 0).then_some(path)
    }

    /// Runs a hook in the work tree, its standard output on our standard error (as git does).
    fn run_hook(&self, hook: &Path, args: &[&OsStr], index: Option<&Path>) -> Result<(), GitError> {
        let shown = || Shown::os(hook).to_string();
        let run = |program: &Path, first: Option<&Path>| {
            self.hook_command(program, index).args(first).args(args).status()
        };
        let status = match run(hook, None) {
            // No `#!`: like git, have the shell run it.
            Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
                run(Path::new("sh"), Some(hook))
            }
            status => status,
        };
        let status = status.map_err(|source| GitError::NotRun { program: shown(), source })?;
        if status.success() {
            return Ok(());
        }
        Err(GitError::Hook { hook: shown(), code: status.code().unwrap_or(-1) })
    }

    /// Returns a command that runs `program` as git runs hooks.
    fn hook_command(&self, program: &Path, index: Option<&Path>) -> Command {
        let mut command = Command::new(program);
        clear_repository_variables(&mut command);
        command.current_dir(&self.workdir).stdin(Stdio::null());
        // git tells hooks not to open an editor where it opened none itself.
        command.env("GIT_EDITOR", ":").env("GIT_PREFIX", "");
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.stdout(std::io::stderr());
        command
    }

    /// Makes loose objects durable that another program wrote; packed ones already are.
    fn sync_loose(&self, ids: impl IntoIterator<Item = Oid>) -> Result<(), GitError> {
        for id in ids {
            let hex = id.to_string();
            let folder = self.common().join("objects").join(&hex[..2]);
            let file = folder.join(&hex[2..]);
            if let Ok(open) = fs::File::open(&file) {
                open.sync_all().map_err(io_error("sync", &file))?;
                super::publish::sync_folder(&folder)?;
            }
        }
        Ok(())
    }

    /// Returns the folders that must be synced before the ref may move: libgit2 syncs the objects, but
    /// not the names of new fan-out folders.
    pub fn object_folders(&self) -> Vec<PathBuf> {
        let objects = self.common().join("objects");
        vec![objects.join("pack"), objects]
    }

    /// Removes temporary files of libgit2's that a killed command left in the object database.
    pub fn sweep_objects(&self) {
        let objects = self.common().join("objects");
        // Another work tree's passel may be writing at this moment; its files are young.
        let shared = self.common() != self.gitdir() || self.common().join("worktrees").exists();
        let least = if shared { Duration::from_secs(600) } else { Duration::ZERO };
        for (folder, prefix) in [(objects.clone(), "tmp_object_git2_"), (objects.join("pack"), "pack_git2_")]
        {
            let Ok(names) = fs::read_dir(folder) else { continue };
            for entry in names.flatten() {
                let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
                if entry.file_name().as_bytes().starts_with(prefix.as_bytes())
                    && age().unwrap_or_default() >= least
                {
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

/// Returns the objects that the changed paths name: blobs, and the trees above them.
fn named_objects(repo: &Repository, tree: Oid, index: &[IndexChange]) -> Result<BTreeSet<Oid>, GitError> {
    let root = repo.find_tree(tree).map_err(git_error("read a tree"))?;
    let mut ids = BTreeSet::from([tree]);
    for (path, new) in index {
        ids.extend(new.map(|(id, _)| id));
        for folder in path.ancestors().skip(1).filter(|f| !f.as_os_str().is_empty()) {
            // A folder that lost its last file is no longer in the tree.
            ids.extend(root.get_path(folder).map(|entry| entry.id()));
        }
    }
    Ok(ids)
}

/// Returns the tree of `parent`, the empty tree before the first commit.
fn base_tree(repo: &Repository, parent: Option<Oid>) -> Result<Oid, GitError> {
    match parent {
        Some(id) => Ok(repo.find_commit(id).map_err(git_error("read HEAD"))?.tree_id()),
        None => repo.treebuilder(None).and_then(|b| b.write()).map_err(git_error("write a tree")),
    }
}

/// Returns the tree `base` with `changes`, and what they mean for the index.
fn update_tree(
    repo: &Repository,
    base: Oid,
    changes: &[FileChange<'_>],
) -> Result<(Oid, Vec<IndexChange>), GitError> {
    let base = repo.find_tree(base).map_err(git_error("read HEAD's tree"))?;
    let mut update = TreeUpdateBuilder::new();
    let mut index = Vec::new();
    for change in changes {
        match change.new {
            Some((bytes, executable)) => {
                refuse_submodule(&base, &change.path)?;
                let id = repo.blob(bytes).map_err(git_error("write an object"))?;
                let mode = if executable { FileMode::BlobExecutable } else { FileMode::Blob };
                update.upsert(change.path.as_path(), id, mode);
                index.push((change.path.clone(), Some((id, mode.into()))));
            }
            // A file that git never knew needs no removing.
            None if base.get_path(&change.path).is_ok() => {
                update.remove(change.path.as_path());
                index.push((change.path.clone(), None));
            }
            None => {}
        }
    }
    let tree = update.create_updated(repo, &base).map_err(git_error("write a tree"))?;
    Ok((tree, index))
}

/// Refuses a path in a folder that is a submodule and was not fetched: it has no repository to record it.
fn refuse_submodule(base: &git2::Tree<'_>, path: &Path) -> Result<(), GitError> {
    for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
        let entry = base.get_path(folder);
        if entry.is_ok_and(|entry| entry.kind() == Some(git2::ObjectType::Commit)) {
            return Err(GitError::Submodule { path: Shown::os(folder).to_string() });
        }
    }
    Ok(())
}

/// A change that hooks may look at, refuse or amend.
struct HookedChange<'a> {
    repo: &'a Repo,
    settings: &'a Settings,
    nonce: &'a str,
    tree: Oid,
    index: Vec<IndexChange>,
    is_merge: bool,
}

impl HookedChange<'_> {
    /// Runs the hooks; returns the message to commit with.
    fn run(&mut self, subject: &str) -> Result<String, GitError> {
        self.pre_commit()?;
        self.message(subject)
    }

    /// Runs `pre-commit` against a temporary index that holds HEAD and this change; what the hook
    /// stages there becomes part of the change, as with git.
    fn pre_commit(&mut self) -> Result<(), GitError> {
        let name = if self.is_merge { "pre-merge-commit" } else { "pre-commit" };
        let Some(hook) = self.repo.hook(self.settings, name) else { return Ok(()) };
        let path = self.repo.gitdir().join(format!("passel-{}.hook-index", self.nonce));
        let _remove = RemoveFile(&path);
        let tree = self.repo.repo.find_tree(self.tree).map_err(git_error("read a tree"))?;
        let mut index = git2::Index::open(&path).map_err(git_error("make an index for the hook"))?;
        index
            .read_tree(&tree)
            .and_then(|()| index.write())
            .map_err(git_error("make an index for the hook"))?;
        self.repo.run_hook(&hook, &[], Some(&path))?;
        let mut after = git2::Index::open(&path).map_err(git_error("read the hook's index"))?;
        let amended = after.write_tree_to(&self.repo.repo).map_err(git_error("read the hook's index"))?;
        if amended != self.tree {
            self.take_amendment(amended)?;
        }
        Ok(())
    }

    /// Makes what the hook staged part of the change. Our own files are not its to change: they are not in
    /// the work tree yet, so that a `git add -A` would take them for removed.
    fn take_amendment(&mut self, amended: Oid) -> Result<(), GitError> {
        let failed = || git_error("read the hook's index");
        let repo = &self.repo.repo;
        let ours = repo.find_tree(self.tree).map_err(failed())?;
        let theirs = repo.find_tree(amended).map_err(failed())?;
        let mut tree = TreeUpdateBuilder::new();
        for (path, new) in &self.index {
            match new {
                Some((id, _)) if theirs.get_path(path).is_ok_and(|entry| entry.id() == *id) => {}
                Some((id, mode)) => {
                    let executable = *mode == u32::from(FileMode::BlobExecutable);
                    let mode = if executable { FileMode::BlobExecutable } else { FileMode::Blob };
                    tree.upsert(path.as_path(), *id, mode);
                }
                None if theirs.get_path(path).is_ok() => drop(tree.remove(path.as_path())),
                None => {}
            }
        }
        let diff = repo.diff_tree_to_tree(Some(&ours), Some(&theirs), None).map_err(failed())?;
        let mut added = Vec::new();
        for delta in diff.deltas() {
            let file = delta.new_file();
            let path = file.path().or(delta.old_file().path()).unwrap_or(Path::new("")).to_path_buf();
            if self.index.iter().all(|(known, _)| *known != path) {
                added.push((path, (!file.id().is_zero()).then(|| (file.id(), u32::from(file.mode())))));
            }
        }
        // The hook's git leaves it to the system when a blob reaches the disk.
        self.repo.sync_loose(added.iter().filter_map(|(_, new)| *new).map(|(id, _)| id))?;
        self.tree = tree.create_updated(repo, &theirs).map_err(git_error("write a tree"))?;
        self.index.extend(added);
        Ok(())
    }

    /// Runs `prepare-commit-msg` and `commit-msg` on the message, which they may rewrite or refuse.
    fn message(&self, subject: &str) -> Result<String, GitError> {
        let tidy = |text: &str| git2::message_prettify(text, None).map_err(git_error("tidy the message"));
        let hooks = ["prepare-commit-msg", "commit-msg"].map(|name| self.repo.hook(self.settings, name));
        if hooks.iter().all(Option::is_none) {
            return tidy(subject);
        }
        let path = self.repo.gitdir().join(format!("passel-{}.message", self.nonce));
        let _remove = RemoveFile(&path);
        fs::write(&path, format!("{subject}\n")).map_err(io_error("write", &path))?;
        let source = if self.is_merge { "merge" } else { "message" };
        for (hook, last) in hooks.iter().zip([Some(source), None]) {
            let Some(hook) = hook else { continue };
            let args: Vec<&OsStr> = std::iter::once(path.as_os_str()).chain(last.map(OsStr::new)).collect();
            self.repo.run_hook(hook, &args, None)?;
        }
        let text = fs::read(&path).map_err(io_error("read", &path))?;
        let message = tidy(&String::from_utf8_lossy(&text))?;
        if message.is_empty() { Err(GitError::NoMessage) } else { Ok(message) }
    }
}

/// Removes a file when it goes out of scope.
struct RemoveFile<'a>(&'a Path);

impl Drop for RemoveFile<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0);
    }
}
