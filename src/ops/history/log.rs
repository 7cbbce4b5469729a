//! What changed in the store, commit by commit.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::lists::Lists;
use super::{
    HistoryError, Judge, Listed, Marks, Stamp, What, in_repository, in_store, repository, what_in_store,
};
use crate::git::history::{Changed, Details, History};
use crate::git::{GitError, Oid, Repo, renames};
use crate::model::entry::{is_entry, shown_entry};
use crate::model::{EntryName, FolderName};
use crate::ops::{Context, OpError, cache, relocate};
use crate::store::StoreError;
use crate::store::beneath::State;

/// Which commits to tell of.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Not more than so many; all for 0.
    pub most: usize,
    /// None of before this time (seconds since 1970).
    pub since: Option<i64>,
    /// None of this time or after.
    pub until: Option<i64>,
    /// Whether entries are decrypted to tell how they changed.
    pub decrypts: bool,
}

/// What changed.
#[derive(Debug, Default)]
pub struct Log {
    /// The commits, the newest first.
    pub commits: Vec<Logged>,
    /// How many more there are.
    pub more: usize,
    /// Whether older commits were left out when the repository was cloned.
    pub is_shallow: bool,
    /// Commits that cannot be read, and why.
    pub damaged: Vec<(Oid, GitError)>,
}

/// A commit.
#[derive(Debug)]
pub struct Logged {
    /// Who made it, and when.
    pub stamp: Stamp,
    /// What it changed; or why nobody can tell.
    pub changes: Result<Vec<Change>, GitError>,
}

/// Something that a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An entry: its file's path in the store, and what happened to it.
    Entry(PathBuf, What),
    /// Something else.
    Listed(Listed),
    /// Nobody can tell what: so many entries were there, and older history is not here.
    Held(usize),
}

/// What is asked about: a part of a repository.
struct Scope {
    repo: Repo,
    /// The path in the repository; empty for all of it.
    path: PathBuf,
}

/// Returns what changed at and below `name`, an entry or a folder, in the whole store without one.
pub fn log(context: &Context<'_>, name: Option<&OsStr>, wanted: &Wanted) -> Result<Log, OpError> {
    for path in paths(context, name.unwrap_or_default())? {
        let folder = if is_entry(&path) { path.parent().unwrap_or(Path::new("")) } else { &path };
        let repo = repository(context, folder)?;
        let scope = Scope { path: in_repository(&repo, &path).to_path_buf(), repo };
        let Some(history) = scope.repo.history().map_err(StoreError::from)? else { continue };
        let touching = history.touching(&scope.path);
        if !touching.is_empty() || scope.path.as_os_str().is_empty() {
            return Ok(scope.log(context, history, touching, wanted));
        }
    }
    match name {
        None => Ok(Log::default()),
        Some(name) => Err(absent(context, name)),
    }
}

/// Returns the paths that a name may stand for, what is there now before what may have been.
fn paths(context: &Context<'_>, name: &OsStr) -> Result<Vec<PathBuf>, OpError> {
    let folder = FolderName::parse(name)?;
    if folder.is_root() {
        return Ok(vec![PathBuf::new()]);
    }
    let entry = EntryName::parse(name)?.file();
    let folder = folder.as_path().to_path_buf();
    let (_, is_folder) = relocate::source(context, name)?;
    Ok(match is_folder || name.as_bytes().ends_with(b"/") {
        true => vec![folder, entry],
        false => vec![entry, folder],
    })
}

/// Returns why there is no history of what stands at `name`, or does not.
pub(super) fn absent(context: &Context<'_>, name: &OsStr) -> OpError {
    let path = match relocate::source(context, name) {
        Ok((path, _)) => path,
        Err(error) => return error,
    };
    match context.store.beneath().state(&path) {
        Ok(State::Absent) | Err(_) => HistoryError::Never(shown_entry(&path)).into(),
        Ok(_) => HistoryError::Uncommitted(shown_entry(&path)).into(),
    }
}

impl Scope {
    fn log(&self, context: &Context<'_>, history: History<'_>, touching: Vec<usize>, wanted: &Wanted) -> Log {
        let is_wanted = |place: &usize| match history.commits()[*place].when {
            Some(when) => {
                wanted.since.is_none_or(|since| since <= when)
                    && wanted.until.is_none_or(|until| when < until)
            }
            None => wanted.since.is_none() && wanted.until.is_none(),
        };
        let places: Vec<usize> = touching.into_iter().filter(is_wanted).collect();
        let most = if wanted.most == 0 { places.len() } else { wanted.most.min(places.len()) };
        let (mut judge, mut marks) = (Judge::new(context, wanted.decrypts), Marks::new(context));
        let mut lists = Lists::new(context);
        let mut commits = Vec::new();
        for place in &places[..most] {
            let details = history.details(*place);
            let stamp = Stamp::of(&self.repo, &history, *place, &details, &mut marks);
            let changes = self.changes(&history, *place, &details, &mut judge, &mut lists);
            commits.push(Logged { stamp, changes });
            context.progress.step(most);
        }
        context.progress.end();
        cache::settle(context);
        Log {
            commits,
            more: places.len() - most,
            is_shallow: history.is_cut() && self.repo.is_shallow(),
            damaged: history.damaged,
        }
    }

    /// Whether a path lies in what is asked about.
    fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.path)
    }

    /// Returns what a commit changed of what is asked about.
    fn changes(
        &self,
        history: &History<'_>,
        place: usize,
        details: &Details,
        judge: &mut Judge<'_, '_>,
        lists: &mut Lists<'_, '_>,
    ) -> Result<Vec<Change>, GitError> {
        let changes = history.changes(place)?;
        if history.commits()[place].is_cut && history.parents(place).next().is_none() {
            let held = changes.iter().filter(|change| is_entry(&change.path) && self.holds(&change.path));
            return Ok(vec![Change::Held(held.count())]);
        }
        let is_concerned = |change: &Changed| is_entry(&change.path);
        let touches = changes.iter().any(|change| is_concerned(change) && self.holds(&change.path));
        let moves = match touches {
            true => renames::moves(&changes, &details.subject, &mut |one, other| {
                judge.same(&self.repo, one, other)
            }),
            false => renames::Moves::new(),
        };
        let mut found = Vec::new();
        for change in changes.iter().filter(|change| self.holds(&change.path)) {
            if !is_entry(&change.path) {
                found.extend(lists.tell(&self.repo, history, place, change)?.into_iter().map(Change::Listed));
                continue;
            }
            let what = match change.after {
                None => match moves.iter().find(|(_, from)| **from == change.path) {
                    // It is told of where it went.
                    Some((to, _)) if self.holds(to) => continue,
                    Some((to, _)) => What::Left { to: to.clone() },
                    None => What::Removed,
                },
                Some(blob) if change.is_added() => match moves.get(&change.path) {
                    Some(from) => {
                        let was =
                            changes.iter().find(|change| change.path == *from).and_then(Changed::before);
                        What::Moved { from: from.clone(), anew: was != Some(blob) }
                    }
                    None => judge.brought(&self.repo, history, place, details, &change.path, blob),
                },
                Some(blob) => match judge.restored(&self.repo, details, &change.path, blob) {
                    Some(of) => What::Restored { of },
                    None => judge.compare(&self.repo, &change.before, blob),
                },
            };
            found.push(Change::Entry(in_store(&self.repo, &change.path), what_in_store(&self.repo, what)));
        }
        Ok(found)
    }
}
