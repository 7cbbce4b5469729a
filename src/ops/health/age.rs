//! Since when passwords have been the same: out of the history, by what the old versions say. A commit that encrypts an
//! entry anew, moves it or edits another line makes no password younger.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::Kind;
use super::policy::Policy;
use super::rated::{Password, Print, Rated, Rater};
use crate::git::history::History;
use crate::git::runs::Run;
use crate::git::{Oid, Repo};
use crate::model::entry::is_entry;
use crate::ops::history::{Judge, in_repository, repository};
use crate::ops::{Context, OpError};
use crate::store::StoreError;

/// How long a password has been the same; times are in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Since then.
    Since(i64),
    /// Since then at least: what was before cannot be read here, or is not here. None if nothing is known.
    AtLeast(Option<i64>),
    /// It is not committed: git knows another one, or none.
    Uncommitted,
    /// There is no history.
    NoGit,
}

impl Rated {
    /// Returns the password and the most days that it may stay as it is, if that is limited.
    pub(super) fn limited_age(&self) -> Option<(&Password, u32)> {
        let max_age = self.limits.max_age.filter(|_| !self.limits.skip.contains(&Kind::Old))?;
        Some((self.password.as_ref()?, max_age))
    }
}

/// Finds out the age of the passwords whose age is limited.
pub(super) fn tell(
    context: &Context<'_>,
    judge: &mut Judge<'_, '_>,
    rater: &Rater<'_>,
    policy: &Policy,
    rated: &mut [Rated],
) -> Result<(), OpError> {
    // One folder may be a repository of its own.
    let mut by_repository: BTreeMap<Option<PathBuf>, Vec<&mut Rated>> = BTreeMap::new();
    let is_asked = |entry: &&mut Rated| {
        entry.limited_age().is_some() && policy.ignored(&entry.path, Kind::Old).is_none()
    };
    for entry in rated.iter_mut().filter(is_asked) {
        let folder = entry.path.parent().unwrap_or(Path::new(""));
        let prefix = Repo::prefix_of(context.store.root(), folder);
        by_repository.entry(prefix).or_default().push(entry);
    }
    for (prefix, mut entries) in by_repository {
        let ages = match prefix {
            None => vec![Age::NoGit; entries.len()],
            Some(prefix) => ages(context, judge, rater, &repository(context, &prefix)?, &entries)?,
        };
        for (entry, age) in entries.iter_mut().zip(ages) {
            entry.password.as_mut().expect("its age is asked about").age = Some(age);
        }
    }
    context.progress.end();
    Ok(())
}

/// Returns the ages of passwords in one repository.
fn ages(
    context: &Context<'_>,
    judge: &mut Judge<'_, '_>,
    rater: &Rater<'_>,
    repo: &Repo,
    entries: &[&mut Rated],
) -> Result<Vec<Age>, OpError> {
    let Some(history) = repo.history().map_err(StoreError::from)? else {
        return Ok(vec![Age::Uncommitted; entries.len()]);
    };
    let head = repo.head_files(&is_entry).map_err(StoreError::from)?;
    let mut old = Old { context, judge, rater, repo, prints: HashMap::new() };
    for entry in entries {
        old.prints.extend(entry.blob.map(|blob| (blob, print(entry))));
    }
    let mut ages = vec![Age::Uncommitted; entries.len()];
    let (mut numbers, mut paths, mut prints) = (Vec::new(), Vec::new(), Vec::new());
    for (number, entry) in entries.iter().enumerate() {
        let inside = in_repository(repo, &entry.path);
        let print = print(entry);
        // An entry that was encrypted anew by hand may say what git knows.
        if head.get(inside).is_some_and(|blob| old.says(*blob, print) == Some(true)) {
            numbers.push(number);
            paths.push(inside.to_path_buf());
            prints.push(print);
        }
    }
    for (number, run) in numbers.into_iter().zip(runs(&history, &mut old, &paths, &prints)) {
        ages[number] = match run {
            Run { since: Some(since), is_open: false } => Age::Since(since),
            Run { since, .. } => Age::AtLeast(since),
        };
    }
    Ok(ages)
}

fn runs(
    history: &History<'_>,
    old: &mut Old<'_, '_, '_, '_, '_>,
    paths: &[PathBuf],
    prints: &[Option<Print>],
) -> Vec<Run> {
    let context = old.context;
    let total = history.commits().len();
    history.runs(paths, &mut |file, blob| old.says(blob, prints[file]), &mut || context.progress.step(total))
}

/// Returns what an entry's password is recognised by.
fn print(entry: &Rated) -> Option<Print> {
    entry.password.as_ref().map(|password| password.print)
}

/// Old versions, each decrypted once.
struct Old<'o, 'a, 'c, 'j, 'p> {
    context: &'o Context<'c>,
    judge: &'o mut Judge<'a, 'j>,
    rater: &'o Rater<'p>,
    repo: &'o Repo,
    /// What the passwords in blobs are recognised by, none where a blob has none; nothing where it cannot be read here.
    prints: HashMap<Oid, Option<Print>>,
}

impl Old<'_, '_, '_, '_, '_> {
    /// Whether a blob holds the password that is recognised by `print`; none if it cannot be read here.
    fn says(&mut self, blob: Oid, print: Option<Print>) -> Option<bool> {
        if let Some(known) = self.prints.get(&blob) {
            return Some(*known == print);
        }
        let message = self.repo.blob(blob).ok().filter(|message| self.judge.may_be_ours(message))?;
        let text = self.context.decrypt_one_of_many(blob, &message).ok()?;
        let found = self.rater.print(&text);
        self.prints.insert(blob, found);
        Some(found == print)
    }
}
