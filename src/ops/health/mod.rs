//! How good the passwords are: weak, short, reused, old, about to expire; and what entries lack.
//!
//! Every entry is decrypted once, and what is found out of it is kept: of the password a keyed hash, with a key of
//! this run alone. Old versions are decrypted where a limit on the age of passwords asks for it. Nothing goes over
//! the network.
//!
//! One file for each kind of finding, as in [`crate::check`].

mod age;
mod expiring;
mod kind;
mod missing;
mod old;
mod policy;
mod rated;
mod recovery;
mod reused;
mod short;
mod weak;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub use age::Age;
pub use kind::Kind;
pub use policy::PolicyError;

use self::policy::Policy;
use self::rated::{Rated, Rater};
use super::history::Judge;
use super::reencrypt::entries_below;
use super::{Context, OpError, cache};
use crate::check::{Finding, Severity};
use crate::crypto::{CryptoError, LARGEST_OF_MANY, Undecryptable};
use crate::model::entry::{is_record, shown_entry};
use crate::model::{EntryName, FolderName, Shown};
use crate::store::StoreError;
use crate::store::beneath::State;

/// Something that is wrong with a password or an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What kind of thing.
    pub kind: Kind,
    /// What, in words.
    pub finding: Finding,
    /// The files of the entries that it is about.
    pub entries: Vec<PathBuf>,
}

/// One kind of check.
trait Check {
    /// Returns which kind.
    fn kind(&self) -> Kind;

    /// Whether entries are held against each other: what is to stay as it is, then, is found only beside the others.
    fn compares(&self) -> bool {
        false
    }

    /// Returns what is wrong with `entries`; `now` is in seconds since 1970.
    fn find(&self, entries: &[&Rated], now: i64) -> Vec<Found>;
}

/// Returns all checks.
fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(reused::Reused),
        Box::new(weak::Weak),
        Box::new(short::Short),
        Box::new(expiring::Expiring),
        Box::new(old::Old),
        Box::new(recovery::NoRecovery),
        Box::new(missing::NO_LOGIN),
        Box::new(missing::NO_URL),
    ]
}

/// An entry whose password may be too old, or not: nobody here can tell.
#[derive(Debug)]
pub struct UnknownAge {
    /// The entry's file.
    pub entry: PathBuf,
    /// What is known.
    pub age: Age,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Health {
    /// How many entries were looked at.
    pub entries: usize,
    /// What is wrong, the worst first.
    pub findings: Vec<Found>,
    /// What is to stay as it is, each with the reason.
    pub ignored: Vec<(Found, String)>,
    /// The files of entries that are encrypted to others.
    pub strangers: Vec<PathBuf>,
    /// Entries that could not be read for another reason.
    pub failed: Vec<(PathBuf, OpError)>,
    /// Passwords that may be too old.
    pub unknown_ages: Vec<UnknownAge>,
    /// What the policy says in vain, in words that are safe to show.
    pub notes: Vec<String>,
}

impl Health {
    /// Whether something could not be looked at, so that there may be more to find.
    pub fn is_incomplete(&self) -> bool {
        !(self.strangers.is_empty() && self.failed.is_empty() && self.unknown_ages.is_empty())
    }
}

/// Returns how good the passwords are at and below `name`, an entry or a folder; in the whole store without one.
/// `now` is in seconds since 1970.
pub fn health(context: &Context<'_>, name: Option<&OsStr>, now: i64) -> Result<Health, OpError> {
    let policy = Policy::read(context)?;
    let place = name.map_or(Ok(FolderName::root()), FolderName::parse)?;
    let paths = entries(context, name.unwrap_or_default())?;
    let mut judge = Judge::new(context, true);
    let mut health = Health { entries: paths.len(), ..Health::default() };
    let mut rater = Rater::new(&policy)?;
    let mut rated = Vec::new();
    context.crypto.decryptor().expect(paths.len());
    for path in &paths {
        match rate(context, &mut judge, &mut rater, path) {
            Ok(Some(entry)) => rated.push(entry),
            Ok(None) => health.strangers.push(path.clone()),
            Err(error) => health.failed.push((path.clone(), error)),
        }
        context.progress.step(paths.len());
    }
    context.progress.end();
    age::tell(context, &mut judge, &rater, &policy, &mut rated)?;
    cache::settle(context);
    let rated: Vec<&Rated> = rated.iter().collect();
    find(&mut health, &policy, &rated, now);
    health.unknown_ages = old::unknown(&rated, &policy, now);
    health.notes = notes(&health, &policy, &place, &paths);
    Ok(health)
}

/// Returns the files of the entries that `name` stands for: the entry, and all in the folder of that name. Other
/// versions that are kept beside an entry are none, nor is what a link leads to: that has its own place.
fn entries(context: &Context<'_>, name: &OsStr) -> Result<Vec<PathBuf>, OpError> {
    let folder = FolderName::parse(name)?;
    let beneath = context.store.beneath();
    let state = |path: &Path| beneath.state(path).map_err(StoreError::from);
    let mut found = Vec::new();
    if !folder.is_root() && !name.as_bytes().ends_with(b"/") {
        let file = EntryName::parse(name)?.file();
        if matches!(state(&file)?, State::File(_)) {
            found.push(file);
        }
    }
    if state(folder.as_path())? == State::Folder {
        // What is not here cannot be looked at, and must not pass for good.
        context.store.refuse_left_out(folder.as_path())?;
        found.extend(entries_below(context, folder.as_path())?);
    } else if found.is_empty() {
        return Err(OpError::NotFound(Shown::os(name).to_string()));
    }
    found.retain(|path| {
        if is_record(path) {
            return false;
        }
        let name = EntryName::parse(path.with_extension("").as_os_str());
        name.map_or(true, |name| name.conflicted().is_none())
    });
    Ok(found)
}

/// Returns what is found out of an entry; none if it is encrypted to others.
fn rate(
    context: &Context<'_>,
    judge: &mut Judge<'_, '_>,
    rater: &mut Rater<'_>,
    path: &Path,
) -> Result<Option<Rated>, OpError> {
    let name = shown_entry(path);
    let message = context.store.beneath().read_start(path, LARGEST_OF_MANY + 1).map_err(StoreError::from)?;
    let message = message.ok_or_else(|| OpError::NotFound(name.clone()))?;
    super::reencrypt::refuse_too_large(&message, || name.clone())?;
    // gpg need not be asked about these, of which there may be many.
    if !message.is_empty() && !judge.may_be_ours(&message) {
        return Ok(None);
    }
    match context.decrypt_one_of_many(&name, &message) {
        Ok(text) => Ok(Some(rater.rate(path, &message, &text))),
        Err(OpError::Decrypt { source: CryptoError::Decrypt { why: Undecryptable::NoKey, .. }, .. }) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Finds what is wrong, and what of it is to stay as it is.
fn find(health: &mut Health, policy: &Policy, rated: &[&Rated], now: i64) {
    for check in all() {
        let kind = check.kind();
        let on: Vec<&Rated> =
            rated.iter().copied().filter(|entry| !entry.limits.skip.contains(&kind)).collect();
        let (ignored, counted): (Vec<&Rated>, Vec<&Rated>) =
            on.iter().copied().partition(|entry| policy.ignored(&entry.path, kind).is_some());
        health.findings.extend(check.find(&counted, now));
        if ignored.is_empty() {
            continue;
        }
        let beside = if check.compares() { &on } else { &ignored };
        for found in check.find(beside, now) {
            let rules = found.entries.iter().filter_map(|entry| policy.ignored(entry, kind));
            let reasons: BTreeSet<&str> = rules.map(|rule| &*rule.why).collect();
            if !reasons.is_empty() {
                let why = reasons.into_iter().collect::<Vec<_>>().join("; ");
                health.ignored.push((found, why));
            }
        }
    }
    health.findings.sort_by_key(|found| std::cmp::Reverse(found.finding.severity));
}

/// Returns what the policy says in vain: of entries that are not there, or that nothing is wrong with.
fn notes(health: &Health, policy: &Policy, place: &FolderName, paths: &[PathBuf]) -> Vec<String> {
    let here: BTreeSet<&PathBuf> = paths.iter().collect();
    let unread: BTreeSet<&PathBuf> = (health.strangers.iter())
        .chain(health.failed.iter().map(|(path, _)| path))
        .chain(health.unknown_ages.iter().map(|unknown| &unknown.entry))
        .collect();
    let mut notes = Vec::new();
    for rule in policy.ignore.iter().filter(|rule| rule.entry.as_path().starts_with(place.as_path())) {
        let file = rule.entry.file();
        let is_used = health
            .ignored
            .iter()
            .any(|(found, _)| rule.kinds.contains(&found.kind) && found.entries.contains(&file));
        if !is_used && !unread.contains(&file) {
            let what = if here.contains(&file) { "nothing of that kind is found" } else { "it is not there" };
            notes.push(format!("`{}` is ignored in vain: {what}", rule.entry));
        }
    }
    notes
}

impl Found {
    /// Returns a finding about one entry.
    fn of(
        kind: Kind,
        severity: Severity,
        entry: &Rated,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (message, hint) = (message.into(), hint.into());
        let finding = Finding { severity, subject: entry.name.clone(), message, hint };
        Found { kind, finding, entries: vec![entry.path.clone()] }
    }
}
