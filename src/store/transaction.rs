//! All-or-nothing changes of files, plus the commit that records them.
//!
//! Under the store's lock, in this order; `*` marks what is durable before the next step:
//! 1. what the change was computed from is looked at again;
//! 2. objects are written*, hooks run, the commit is made*;
//! 3. what will be accepted by it* and the journal are written*, the new files are staged beside their places*;
//! 4. git's index lock is taken, the new index inside it*;
//! 5. the branch moves, by compare-and-swap*: this is the commit point (without git: the journal's
//!    phase);
//! 6. files go to their places*, the index follows*, the journal goes.
//!
//! Killed before 5, the next command undoes it; after 5, it finishes it ([`super::recovery`]).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use super::accepted::Setting;
use super::beneath::State;
use super::journal::{FilePart, Journal, Phase, RepoPart, escape, is_own, staged, state_text};
use super::recorded::HeadPart;
use super::sync::sync_paths;
use super::{Store, StoreError};
use crate::git::commit::Prepared;
use crate::git::settings::Settings;
use crate::git::signing::SignedCommit;
use crate::git::summary::Summary;
use crate::git::{FileChange, GitError, Oid, PATIENCE, Repo};
use crate::model::Shown;

/// How often a commit that needs signing is made anew, without the lock, before it is made under it.
const SIGN_TRIES: usize = 4;

/// A file to write, replace or remove.
#[derive(Debug)]
pub struct Change {
    /// Its path, relative to the root.
    pub path: PathBuf,
    /// What stood there when the change was computed.
    pub seen: State,
    /// The new content; none to remove it.
    pub new: Option<Vec<u8>>,
}

/// A change of the store, computed and ready to be published.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files.
    pub changes: Vec<Change>,
    /// Whatever else the change was computed from: recipients files.
    pub seen: Vec<(PathBuf, State)>,
    /// Folders with all that they held, at any depth, when the change was computed: a file that comes
    /// meanwhile would escape it.
    pub below: Vec<(PathBuf, Vec<PathBuf>)>,
    /// What git's HEAD holds where the change was computed from that, too.
    pub recorded: Vec<HeadPart>,
    /// The commit's subject.
    pub subject: String,
    /// The subject in a repository that only loses files to another one.
    pub removal_subject: Option<String>,
    /// Folders to make even if nothing goes into them.
    pub folders: Vec<PathBuf>,
    /// Folders to remove afterwards if they are empty, innermost first.
    pub prune: Vec<PathBuf>,
    /// What this machine accepts by the change.
    pub accepts: Vec<Setting>,
}

/// What publishing a plan did.
#[derive(Debug, Default, Clone)]
pub struct Published {
    /// The folders that were made, outermost first, relative to the root.
    pub folders: Vec<PathBuf>,
    /// The commits, one a repository.
    pub commits: Vec<Summary>,
    /// What went wrong after all was done: a failing `post-commit`, say.
    pub warnings: Vec<String>,
    /// Files that another program changed in the very moment of publication: its version stays.
    pub overtaken: Vec<String>,
}

/// What came of a plan.
#[derive(Debug)]
pub enum Outcome {
    /// It is stored, durable and committed.
    Done(Published),
    /// Nothing was changed, because this is no longer as the plan saw it: compute it anew.
    Stale(PathBuf),
}

/// One repository's share of a plan.
struct Part {
    repo: Repo,
    branch: String,
    settings: Settings,
    prepared: Prepared,
    signed: Option<SignedCommit>,
    commit: Option<Oid>,
}

/// A plan whose commits are being made.
struct Work<'p> {
    plan: &'p Plan,
    nonce: String,
    parts: Vec<Part>,
    /// Work trees with files that go and that only their index knows.
    unstage: Vec<(PathBuf, PathBuf)>,
    warnings: Vec<String>,
}

impl Store {
    /// Publishes `plan`: all of it or nothing.
    pub fn publish(&self, plan: &Plan) -> Result<Outcome, StoreError> {
        let settings = self.settings(plan)?;
        for attempt in 0.. {
            let mut lock = self.lock()?;
            if let Some(path) = self.stale(plan)? {
                return Ok(Outcome::Stale(path));
            }
            // A repository that has appeared meanwhile: its settings are to be read without the lock.
            let prefixes = plan.changes.iter().filter_map(|change| self.prefix_of(&change.path));
            if let Some(new) = prefixes.into_iter().find(|prefix| !settings.contains_key(prefix)) {
                return Ok(Outcome::Stale(new));
            }
            let mut work = self.prepare(plan, &settings)?;
            let signs = work.parts.iter().any(|part| part.settings.sign);
            if signs && attempt < SIGN_TRIES {
                // Signing may ask for a passphrase: nobody else should have to wait for that. What was
                // prepared is told of until we, or somebody else, hold the lock again.
                drop(lock);
                if let Err(error) = self.sign_commits(&mut work) {
                    // Whoever is at work sweeps as well.
                    let _ = self.recover_if_idle();
                    return Err(error);
                }
                lock = self.lock()?;
                if let Some(path) = self.stale(plan)? {
                    return Ok(Outcome::Stale(path));
                }
                if !work.still_on_top()? {
                    continue;
                }
                self.begin_preparing(&work.nonce, plan, work.parts.iter().map(|part| &part.repo))?;
            }
            if let Err(error) = self.make_commits(&mut work) {
                // What it leaves now is left to the next command.
                let _ = self.sweep_preparation();
                return Err(error);
            }
            match self.place(&work)? {
                Outcome::Stale(path) if path.as_os_str() == "HEAD" && attempt < 50 => {}
                Outcome::Stale(path) => return Ok(Outcome::Stale(path)),
                Outcome::Done(mut published) => {
                    drop(lock);
                    self.after(work, &mut published);
                    return Ok(Outcome::Done(published));
                }
            }
        }
        unreachable!("the loop ends by returning")
    }

    /// Returns the first path that is not as `plan` saw it.
    fn stale(&self, plan: &Plan) -> Result<Option<PathBuf>, StoreError> {
        let changed = plan.changes.iter().map(|change| (&change.path, &change.seen));
        for (path, seen) in changed.chain(plan.seen.iter().map(|(path, seen)| (path, seen))) {
            if self.beneath.state(path)? != *seen {
                return Ok(Some(path.clone()));
            }
        }
        for (folder, seen) in &plan.below {
            if self.files_below(folder)? != *seen {
                return Ok(Some(folder.clone()));
            }
        }
        self.moved_on(&plan.recorded)
    }

    /// Returns everything below `folder` that is no folder; nothing if it is not there.
    pub fn files_below(&self, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
        match self.beneath.state(folder)? {
            State::Folder => {
                let files = self.beneath.below(folder)?.files.into_iter().map(|(path, _)| path);
                Ok(files.filter(|path| !is_own(path)).collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Returns git's settings for each repository that `plan` concerns, read before the lock is taken.
    fn settings(&self, plan: &Plan) -> Result<BTreeMap<PathBuf, Settings>, StoreError> {
        let mut settings = BTreeMap::new();
        for prefix in plan.changes.iter().filter_map(|change| self.prefix_of(&change.path)) {
            let workdir = self.root.join(&prefix);
            if let Entry::Vacant(place) = settings.entry(prefix) {
                // A repository that cannot be used at all has a clearer error than git's about settings.
                let read = Settings::read(&self.options.git, &workdir);
                let read = read.or_else(|error| Repo::open(&self.root, place.key()).and(Err(error)));
                place.insert(read?);
            }
        }
        Ok(settings)
    }

    /// Returns where the repository that records `path` lies.
    fn prefix_of(&self, path: &Path) -> Option<PathBuf> {
        Repo::prefix_of(&self.root, path.parent().unwrap_or(Path::new("")))
    }

    /// Writes the objects of every repository and runs its hooks.
    fn prepare<'p>(
        &self,
        plan: &'p Plan,
        settings: &BTreeMap<PathBuf, Settings>,
    ) -> Result<Work<'p>, StoreError> {
        let mut work =
            Work { plan, nonce: nonce()?, parts: Vec::new(), unstage: Vec::new(), warnings: Vec::new() };
        let mut by_repo: BTreeMap<PathBuf, Vec<&Change>> = BTreeMap::new();
        for change in &plan.changes {
            if let Some(prefix) = self.prefix_of(&change.path) {
                by_repo.entry(prefix).or_default().push(change);
            }
        }
        if by_repo.is_empty() {
            return Ok(work);
        }
        let mut repos = Vec::new();
        for (prefix, changes) in by_repo {
            let repo = Repo::open(&self.root, &prefix)?;
            repo.refuse_unfinished()?;
            repos.push((repo, changes));
        }
        let journal = self.begin_preparing(&work.nonce, plan, repos.iter().map(|(repo, _)| repo))?;
        for (repo, changes) in repos {
            let settings = settings.get(repo.prefix()).expect("settings of every repository are there");
            match work.prepare_part(repo, &changes, settings) {
                Ok(()) => {}
                Err(error) => {
                    self.roll_back(&journal)?;
                    return Err(error);
                }
            }
        }
        Ok(work)
    }

    /// Tells the next command, in case that we are killed, that objects are being written.
    fn begin_preparing<'r>(
        &self,
        nonce: &str,
        plan: &Plan,
        repos: impl Iterator<Item = &'r Repo>,
    ) -> Result<Journal, StoreError> {
        let mut journal = Journal::preparing(nonce, &plan.subject);
        for repo in repos {
            let prefix = escape(repo.prefix());
            journal.repos.push(RepoPart { prefix, name: repo.branch()?, old: None, new: String::new() });
        }
        journal.write(&self.preparing_path(), false)?;
        // Its name has to last before the first object does; its content need not.
        let folder = self.preparing_path().parent().map(Path::to_path_buf);
        sync_paths(&folder.into_iter().collect::<Vec<_>>())?;
        Ok(journal)
    }

    /// Has the commits signed that are to be.
    fn sign_commits(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        for part in work.parts.iter_mut().filter(|part| part.settings.sign) {
            let signed = part.repo.sign_commit(&part.prepared, &part.settings, &self.options.git)?;
            part.signed = Some(signed);
        }
        Ok(())
    }

    /// Writes the commit objects; has those signed that are not yet.
    fn make_commits(&self, work: &mut Work<'_>) -> Result<(), StoreError> {
        if work.parts.iter().any(|part| part.settings.sign && part.signed.is_none()) {
            self.sign_commits(work)?;
        }
        for part in &mut work.parts {
            part.commit = Some(match &part.signed {
                Some(signed) => part.repo.write_signed(signed)?,
                None => part.repo.write_commit(&part.prepared, &part.settings)?,
            });
        }
        Ok(())
    }

    /// Steps 3 to 6: everything that can be seen from outside.
    fn place(&self, work: &Work<'_>) -> Result<Outcome, StoreError> {
        let mut journal = self.journal_of(work)?;
        let folders = match self.stage(work, &mut journal) {
            Ok(Ok(folders)) => folders,
            Ok(Err(stale)) => {
                self.roll_back(&journal)?;
                return Ok(Outcome::Stale(stale));
            }
            // An error may come after the commit point: then the journal stays, to be finished from.
            Err(error) if self.has_moved(&journal) => return Err(StoreError::Unfinished(Box::new(error))),
            Err(error) => {
                // What cannot be undone now is undone by the next command: the journal stays then.
                let _ = self.roll_back(&journal);
                return Err(error);
            }
        };
        let overtaken =
            self.finish(&journal, work).map_err(|error| StoreError::Unfinished(Box::new(error)))?;
        // Only told: a summary that cannot be made is no failure.
        let commits = work.parts.iter().filter_map(|part| part.summary().ok()).collect();
        Ok(Outcome::Done(Published { folders, commits, warnings: work.warnings.clone(), overtaken }))
    }

    /// Returns the journal of a change that is about to be published.
    fn journal_of(&self, work: &Work<'_>) -> Result<Journal, StoreError> {
        let mut journal = Journal::preparing(&work.nonce, &work.plan.subject);
        journal.phase = Phase::Publishing;
        for part in &work.parts {
            journal.repos.push(RepoPart {
                prefix: escape(part.repo.prefix()),
                name: part.branch.clone(),
                old: part.prepared.parent.map(|id| id.to_string()),
                new: part.commit.map(|id| id.to_string()).unwrap_or_default(),
            });
        }
        for change in &work.plan.changes {
            journal.files.push(FilePart {
                path: escape(&change.path),
                old: state_text(&change.seen),
                new: change.new.as_ref().map(|bytes| state_text(&State::of(bytes))),
            });
        }
        for folder in self.missing_folders(work.plan)? {
            journal.folders.push(escape(&folder));
        }
        journal.prune = work.plan.prune.iter().map(|path| escape(path)).collect();
        Ok(journal)
    }

    /// Returns the folders that the plan has to make, outermost first.
    fn missing_folders(&self, plan: &Plan) -> Result<Vec<PathBuf>, StoreError> {
        let mut wanted: BTreeSet<&Path> = plan.folders.iter().map(PathBuf::as_path).collect();
        let written = plan.changes.iter().filter(|change| change.new.is_some());
        wanted.extend(written.filter_map(|change| change.path.parent()));
        let all: BTreeSet<&Path> = wanted.iter().flat_map(|path| path.ancestors()).collect();
        let mut missing = Vec::new();
        for path in all.into_iter().filter(|path| !path.as_os_str().is_empty()) {
            if self.beneath.state(path)? == State::Absent {
                missing.push(path.to_path_buf());
            }
        }
        Ok(missing)
    }

    /// Steps 3 to 5. Returns the folders made; the inner error names what is no longer as the plan saw it.
    fn stage(
        &self,
        work: &Work<'_>,
        journal: &mut Journal,
    ) -> Result<Result<Vec<PathBuf>, PathBuf>, StoreError> {
        let until = Instant::now() + PATIENCE;
        self.expect(&work.nonce, &work.plan.accepts)?;
        journal.write(&self.journal_path(), true)?;
        Journal::remove(&self.preparing_path())?;
        self.check_removable(work.plan)?;
        let folders = self.stage_files(work)?;
        for part in &work.parts {
            part.lock_index(&work.nonce, until)?;
            // A merge may have begun while a hook ran or somebody typed a passphrase.
            part.repo.refuse_unfinished()?;
        }
        // With git's lock held, stock pass and git cannot commit; what they wrote before shows here.
        if let Some(path) = self.stale(work.plan)? {
            return Ok(Err(path));
        }
        // All branches are locked before one moves, so that another program's lock stops all of it.
        for part in &work.parts {
            let commit = part.commit.expect("the commit was made");
            let (name, old) = (&part.branch, part.prepared.parent);
            // Somebody may have switched to another branch meanwhile.
            if part.repo.branch()? != *name || !part.repo.lock_ref(name, old, commit, &work.nonce, until)? {
                return Ok(Err("HEAD".into()));
            }
        }
        for part in &work.parts {
            part.repo.move_ref(&part.branch)?;
        }
        if work.parts.is_empty() {
            journal.phase = Phase::Committed;
            journal.write(&self.journal_path(), true)?;
        }
        Ok(Ok(folders))
    }

    /// Fails if a file that is to go cannot be removed: after the commit point it would be too late.
    fn check_removable(&self, plan: &Plan) -> Result<(), StoreError> {
        let gone = plan.changes.iter().filter(|change| change.new.is_none() && change.seen != State::Absent);
        let folders: BTreeSet<&Path> = gone.filter_map(|change| change.path.parent()).collect();
        folders.into_iter().try_for_each(|folder| Ok(self.beneath.check_writable(folder)?))
    }

    /// Makes folders and writes the new files beside their places, all of it durable.
    fn stage_files(&self, work: &Work<'_>) -> Result<Vec<PathBuf>, StoreError> {
        let mut made = Vec::new();
        let mut to_sync: BTreeSet<PathBuf> = BTreeSet::new();
        let mut wanted: BTreeSet<PathBuf> = work.plan.folders.iter().cloned().collect();
        for change in work.plan.changes.iter().filter(|change| change.new.is_some()) {
            wanted.extend(change.path.parent().map(Path::to_path_buf));
        }
        for folder in wanted {
            for new in self.beneath.create_folders(&folder)? {
                to_sync.insert(self.root.join(new.parent().unwrap_or(Path::new(""))));
                made.push(new);
            }
        }
        for change in &work.plan.changes {
            let Some(bytes) = &change.new else { continue };
            let path = staged(&change.path, &work.nonce);
            let mode = match self.beneath.metadata(&change.path)? {
                Some(stat) => stat.st_mode & 0o777,
                None => 0o666 & !self.options.umask,
            };
            self.beneath.write_new(&path, bytes, mode)?;
            to_sync.insert(self.root.join(path.parent().unwrap_or(Path::new(""))));
            to_sync.insert(self.root.join(path));
        }
        for part in &work.parts {
            to_sync.extend(part.repo.object_folders().into_iter().filter(|folder| folder.exists()));
        }
        sync_paths(&to_sync.into_iter().collect::<Vec<_>>())?;
        Ok(made)
    }

    /// Step 6, from the journal as recovery does it; then the reflogs.
    fn finish(&self, journal: &Journal, work: &Work<'_>) -> Result<Vec<String>, StoreError> {
        let overtaken = self.place_files(journal, None)?;
        for part in &work.parts {
            let prefix = part.repo.prefix();
            let stat = |path: &Path, blob| self.stat_of(&prefix.join(path), blob);
            part.repo.finish_index(&work.nonce, &part.prepared.index, &stat)?;
            let commit = part.commit.expect("the commit was made");
            part.repo.log_move(
                &part.branch,
                part.prepared.parent,
                commit,
                &part.settings.committer,
                &part.prepared.message,
                part.settings.log_all,
            );
            part.repo.sweep(&work.nonce, &part.branch)?;
            part.repo.sweep_objects();
        }
        self.settle(Some(&work.nonce))?;
        Journal::remove(&self.journal_path())?;
        Ok(overtaken)
    }

    /// What comes after publication, without the lock: hooks that may call us again, and tidying up.
    fn after(&self, work: Work<'_>, published: &mut Published) {
        for (workdir, path) in &work.unstage {
            // Left in the index, the next `git commit` would bring it back.
            let mut git = self.options.git.command(workdir);
            // Names may hold what pathspecs take for patterns (`a*`, `:x`): other files must stay.
            git.args(["--literal-pathspecs", "rm", "-q", "--cached", "--ignore-unmatch", "--"]).arg(path);
            if !git.stdin(Stdio::null()).status().is_ok_and(|status| status.success()) {
                published.warnings.push(format!("`{}` is still in git's index", Shown::os(path)));
            }
        }
        for part in &work.parts {
            if let Some(warning) = part.repo.post_commit(&part.settings) {
                published.warnings.push(warning);
            }
            part.repo.collect_garbage(&self.options.git);
        }
    }
}

impl Work<'_> {
    /// Prepares one repository's commit, if there is anything to commit.
    fn prepare_part(
        &mut self,
        repo: Repo,
        changes: &[&Change],
        settings: &Settings,
    ) -> Result<(), StoreError> {
        let files = self.file_changes(&repo, changes)?;
        let only_removes = changes.iter().all(|change| change.new.is_none());
        let subject = match &self.plan.removal_subject {
            Some(subject) if only_removes && self.plan.changes.iter().any(|c| c.new.is_some()) => subject,
            _ => &self.plan.subject,
        };
        if let Some(prepared) = repo.prepare(&files, subject, settings, &self.nonce)? {
            let branch = repo.branch()?;
            self.parts.push(Part {
                repo,
                branch,
                settings: settings.clone(),
                prepared,
                signed: None,
                commit: None,
            });
        }
        Ok(())
    }

    /// Returns what git is to record of `changes`: not what it is told to ignore.
    fn file_changes<'c>(
        &mut self,
        repo: &Repo,
        changes: &[&'c Change],
    ) -> Result<Vec<FileChange<'c>>, StoreError> {
        let mut files = Vec::new();
        let (head, sparse) = (repo.head()?, repo.is_sparse());
        for change in changes {
            let path = change.path.strip_prefix(repo.prefix()).expect("the path lies in its repository");
            let known = head.entry(path)?;
            if change.new.is_some() && repo.ignores(&head, path)? {
                let shown = Shown::os(&change.path);
                self.warnings.push(format!("`{shown}` is ignored by git: it is stored, but not committed"));
                continue;
            }
            if sparse && change.seen == State::Absent && known.is_some() {
                return Err(GitError::Sparse { path: Shown::os(&change.path).to_string() }.into());
            }
            if change.new.is_none() && known.is_none() && repo.stages(path)? {
                self.unstage.push((repo.workdir().to_path_buf(), path.to_path_buf()));
            }
            // A file keeps its mode when it is replaced.
            let replaced = matches!(change.seen, State::File(_));
            let executable = replaced && known.is_some_and(|(_, mode)| mode == 0o100_755);
            let new = change.new.as_deref().map(|bytes| (bytes, executable));
            files.push(FileChange { path: path.to_path_buf(), new });
        }
        Ok(files)
    }

    /// Whether every branch still stands where the commits expect it.
    fn still_on_top(&self) -> Result<bool, StoreError> {
        for part in &self.parts {
            if part.repo.head_commit()? != part.prepared.parent {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Part {
    /// Puts the new index inside git's lock; begins again if the index changes meanwhile.
    fn lock_index(&self, nonce: &str, until: Instant) -> Result<(), StoreError> {
        loop {
            let stamp = self.repo.stage_index(nonce, &self.prepared.index)?;
            self.repo.lock_index(nonce, until)?;
            if self.repo.index_stamp()? == stamp {
                return Ok(());
            }
            self.repo.unlock_index(nonce)?;
        }
    }

    fn summary(&self) -> Result<Summary, GitError> {
        let commit = self.commit.expect("the commit was made");
        self.repo.summary(&self.branch, self.prepared.parent, commit)
    }
}

/// Returns 16 random hexadecimal digits.
pub(super) fn nonce() -> Result<String, StoreError> {
    let random = getrandom::u64().map_err(|error| StoreError::Random(error.to_string()))?;
    Ok(format!("{random:016x}"))
}
