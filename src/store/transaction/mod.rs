//! All-or-nothing changes of files, plus the commit that records them.
//!
//! Under the store's lock, in this order; `*` marks what is durable before the next step:
//! 1. what the change was computed from is looked at again;
//! 2. objects are written*, hooks run, the commit is made*;
//! 3. what will be accepted by it* and the journal are written*, the new files are staged beside their places*;
//! 4. git's index lock is taken, the new index inside it*;
//! 5. the branch is locked, by compare-and-swap, the index put in place, and the branch moves*: this is the
//!    commit point (without git: the journal's phase);
//! 6. files go to their places*, the index gets their metadata*, the journal goes.
//!
//! Killed before 5, the next command undoes it; after 5, it finishes it ([`super::recovery`]).

mod prepare;
mod stage;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::accepted::Accepts;
use super::beneath::State;
use super::journal::is_own;
use super::recorded::HeadPart;
use super::{Store, StoreError};
use crate::git::commit::{IndexChange, Prepared};
use crate::git::settings::Settings;
use crate::git::signing::SignedCommit;
use crate::git::summary::Summary;
use crate::git::{Oid, Repo};
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

/// A commit that a branch moves to, whose tree the plan's changes were computed from.
#[derive(Debug, Clone)]
pub struct Onto {
    /// Where the repository lies.
    pub prefix: PathBuf,
    /// Its HEAD when the change was computed.
    pub head: Option<Oid>,
    /// What the branch moves to.
    pub to: Destination,
    /// What that means for the index: all that differs from HEAD.
    pub index: Vec<IndexChange>,
    /// What the reflogs say of it. This must be nothing that says that what was fetched was made here
    /// ([`crate::git::provenance`]).
    pub told: String,
}

/// What a branch moves to.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A commit that is there.
    Commit(Oid),
    /// A new commit, on HEAD and others.
    Merge {
        /// The others.
        others: Vec<Oid>,
        /// Its tree.
        tree: Oid,
    },
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
    pub accepts: Accepts,
    /// Where the branch goes instead of to a commit of these changes.
    pub onto: Option<Onto>,
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
    /// What the reflogs say, where the commit is not made of the changes.
    told: Option<String>,
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
            let signs = work.parts.iter().any(Part::is_to_sign);
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
                    if plan.onto.is_none() && !published.commits.is_empty() {
                        self.has_changed();
                    }
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
        if let Some(onto) = &plan.onto
            && Repo::open(&self.root, &onto.prefix)?.head_commit()? != onto.head
        {
            return Ok(Some(onto.prefix.join(".git/HEAD")));
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
        let onto = plan.onto.iter().map(|onto| onto.prefix.clone());
        for prefix in plan.changes.iter().filter_map(|change| self.prefix_of(&change.path)).chain(onto) {
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
            let warning = match part.told {
                Some(_) => part.repo.post_merge(&part.settings),
                None => part.repo.post_commit(&part.settings),
            };
            published.warnings.extend(warning);
            part.repo.collect_garbage(&self.options.git);
        }
    }
}

/// Returns 16 random hexadecimal digits.
pub(in crate::store) fn nonce() -> Result<String, StoreError> {
    let random = getrandom::u64().map_err(|error| StoreError::Random(error.to_string()))?;
    Ok(format!("{random:016x}"))
}
