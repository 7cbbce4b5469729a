//! Exchanging changes with a remote repository: fetch, look at what came, merge, bring in line, push.
//!
//! The steps, for each repository of the store:
//! 1. fetch the branch; a remote that went back, or elsewhere, than it was seen to be is refused (`rewind`);
//! 2. look at every file that comes (`incoming`): what no store should hold is refused, and nothing is taken; nor is
//!    it, where the store asks for signatures, if a commit lacks one (`unsigned`);
//! 3. take it (`integrate`): the branch moves to it, or to a merge of both sides (`blend`), as one transaction;
//! 4. changed recipients are accepted: those signed by a trusted key, then those that a person says yes to;
//! 5. bring in line what does not agree with its recipients (`drift`);
//! 6. push, unless that would let somebody read who is not to (`outgoing`); and begin anew if somebody else was
//!    quicker.
//!
//! Between any two of these the store is whole: killed there, the next run goes on from what it finds.

mod blend;
mod drift;
mod error;
mod incoming;
mod integrate;
mod outgoing;
mod rewind;
mod unsigned;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use blend::KeptApart;
pub use drift::shown_list;
pub use error::SyncError;

use super::{Context, OpError, trust};
use crate::config;
use crate::git::compared::{Delta, Deltas};
use crate::git::provenance::CommitInfo;
use crate::git::remote::{Pushed, RemoteError, Upstream};
use crate::git::{Oid, Repo, setup};
use crate::model::Shown;
use crate::model::entry::{is_entry, shown_entry};
use crate::store::StoreError;
use drift::Mended;
use integrate::Taken;

/// How often it is tried to push, when others push at the same time.
const ATTEMPTS: usize = 10;

/// What is to be done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Take nothing: only push.
    pub only_push: bool,
    /// Push nothing: only take.
    pub only_pull: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// Take what a remote holds that went back, or was rewritten.
    pub accept_rewind: bool,
    /// Whether git may ask for passwords and the like.
    pub interactive: bool,
}

/// Who is asked, and told how far it has come.
pub trait Person {
    /// Shows changed recipients, groups and rules, and takes a person's word; returns whether all are accepted now.
    fn accept(&mut self, context: &Context<'_>) -> bool;

    /// Tells of a step that takes long, or is taken again.
    fn tell(&mut self, step: &str);
}

/// How entries changed, by names that are safe to show.
#[derive(Debug, Default, Clone)]
pub struct Changes {
    /// New ones.
    pub added: Vec<String>,
    /// Other ones.
    pub changed: Vec<String>,
    /// Those that are gone.
    pub removed: Vec<String>,
}

/// What was done with one repository.
#[derive(Debug, Default)]
pub struct Report {
    /// Where it lies in the store; empty for the store's own.
    pub place: PathBuf,
    /// The remote branch, `origin/main`.
    pub remote: String,
    /// The remote's address.
    pub url: String,
    /// Why the remote could not be reached, if it could not.
    pub offline: Option<String>,
    /// The commits that came, the newest first.
    pub came: Vec<CommitInfo>,
    /// What that changed here.
    pub changes: Changes,
    /// Entries of which both sides' changes were merged, safe to show.
    pub merged: Vec<String>,
    /// Versions that are kept apart.
    pub kept: Vec<KeptApart>,
    /// What else is to be told of it.
    pub notes: Vec<String>,
    /// Changes of recipients that were accepted as they are signed by a trusted key.
    pub signed: Vec<String>,
    /// Whether groups and rules came with it.
    pub rules_came: bool,
    /// Entries that were encrypted anew for their recipients, safe to show.
    pub reencrypted: Vec<String>,
    /// Those of them that somebody could read before who cannot now, safe to show.
    pub exposed: Vec<String>,
    /// Entries that only others can bring in line, safe to show.
    pub left: Vec<String>,
    /// Lists that nothing is encrypted to until somebody decides: their files, safe to show, and why.
    pub locked: Vec<(String, String)>,
    /// The folders among them whose recipients somebody here has to accept, safe to show: they may have lost lists of
    /// their own. The root is `/`.
    pub to_accept: Vec<String>,
    /// How many commits were pushed.
    pub pushed: usize,
    /// How many commits wait to be pushed.
    pub waiting: usize,
    /// Why they wait, if they could be pushed otherwise.
    pub objections: Vec<String>,
    /// How often others were quicker.
    pub overtaken: usize,
}

impl Report {
    /// Whether somebody has to decide something.
    pub fn needs_decision(&self) -> bool {
        !self.locked.is_empty() || !self.objections.is_empty()
    }
}

/// A repository of the store, and the remote branch that it is synced with.
struct Here<'a, 'c> {
    context: &'a Context<'c>,
    repo: &'a Repo,
    upstream: Upstream,
    options: Options,
}

/// What came of each repository, by where it lies.
pub type Reports = Vec<(PathBuf, Result<Report, SyncError>)>;

/// Syncs the store and the repositories in it. What came of each, in order; a failure of one does not keep the
/// others from being synced.
pub fn sync(context: &Context<'_>, options: Options, person: &mut dyn Person) -> Result<Reports, SyncError> {
    let root = context.store.root();
    let below = context.store.beneath().below(Path::new("")).map_err(StoreError::from)?;
    let mut places = below.repositories;
    places.sort();
    if places.first().is_none_or(|place| !place.as_os_str().is_empty()) {
        return Err(SyncError::NoGit);
    }
    let mut found = Vec::new();
    for place in places {
        let is_own = place.as_os_str().is_empty();
        let done = Repo::open(root, &place).map_err(StoreError::from).map_err(SyncError::from);
        let done = done.and_then(|repo| sync_one(context, &repo, options, person));
        match done {
            // A repository inside of the store need not be anybody else's.
            Err(SyncError::NoRemote { .. }) if !is_own => {}
            done => found.push((place, done)),
        }
    }
    Ok(found)
}

/// Syncs one repository.
fn sync_one(
    context: &Context<'_>,
    repo: &Repo,
    options: Options,
    person: &mut dyn Person,
) -> Result<Report, SyncError> {
    let place = told_place(repo.prefix());
    refuse_unusable(repo, &place)?;
    let Some(upstream) = repo.upstream().map_err(StoreError::from)? else {
        return Err(match repo.branch().map_err(StoreError::from)?.starts_with("refs/heads/") {
            true => SyncError::NoRemote { place },
            false => SyncError::Detached { place },
        });
    };
    let here = Here { context, repo, upstream, options };
    let mut report = Report {
        place: repo.prefix().to_path_buf(),
        remote: here.upstream.name(),
        url: here.upstream.url.clone(),
        ..Report::default()
    };
    for attempt in 1..=ATTEMPTS {
        match here.round(&mut report, person)? {
            Round::Done => return Ok(report),
            Round::Overtaken => {
                report.overtaken = attempt;
                if attempt < ATTEMPTS {
                    let remote = &report.remote;
                    person
                        .tell(&format!("somebody else pushed to {remote} meanwhile: once more ({attempt})"));
                    std::thread::sleep(pause(attempt));
                }
            }
        }
    }
    Err(SyncError::Overtaken { remote: report.remote, attempts: ATTEMPTS })
}

/// How a round ended.
enum Round {
    Done,
    Overtaken,
}

impl Here<'_, '_> {
    /// One round: from fetch to push.
    fn round(&self, report: &mut Report, person: &mut dyn Person) -> Result<Round, SyncError> {
        let (git, failed) = (self.context.store.git(), StoreError::from);
        let before = self.repo.head_commit().map_err(failed)?;
        let theirs = match self.fetch(git)? {
            Ok(theirs) => theirs,
            Err(why) => {
                report.offline = Some(why);
                let seen = self.repo.seen(&self.upstream).map_err(failed)?;
                report.waiting = self.count(seen, before)?;
                return Ok(Round::Done);
            }
        };
        setup::refuse_cached_plaintext(git, self.repo.workdir()).map_err(failed)?;
        let rewound = self.refuse_rewind(theirs)?;
        let ours = before.map(|head| self.repo.tree_id(head)).transpose().map_err(failed)?;
        if let Some(theirs) = theirs {
            self.refuse_hazards(ours, before, theirs)?;
            self.refuse_unsigned(before, theirs)?;
            if self.options.dry_run {
                return self.foretell(report, before, theirs);
            }
            self.remember(theirs, rewound)?;
            if !self.options.only_push {
                if let Some(taken) = self.integrate(theirs, rewound)? {
                    self.tell_taken(report, taken, theirs)?;
                }
                self.see(theirs)?;
            }
        } else if self.options.dry_run {
            report.waiting = self.count(None, before)?;
            return Ok(Round::Done);
        }
        self.decide(report, person, before)?;
        if self.options.only_pull {
            let head = self.repo.head_commit().map_err(failed)?;
            report.waiting = self.count(theirs, head)?;
            return Ok(Round::Done);
        }
        self.push(report, theirs)
    }

    /// Fetches; the inner error says why the remote could not be reached.
    fn fetch(&self, git: &crate::process::git::GitProgram) -> Result<Result<Option<Oid>, String>, SyncError> {
        {
            let _lock = self.context.store.lock()?;
            self.repo.sweep_refs();
        }
        match self.repo.fetch(git, &self.upstream, self.options.interactive) {
            Ok(theirs) => {
                let _lock = self.context.store.lock()?;
                if let Some(theirs) = theirs {
                    self.repo.track(&self.upstream, theirs).map_err(StoreError::from)?;
                }
                self.repo.forget_fetched();
                Ok(Ok(theirs))
            }
            Err(error @ RemoteError::Unreachable { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// Has changed recipients, groups and rules accepted, and brings in line what can be.
    fn decide(
        &self,
        report: &mut Report,
        person: &mut dyn Person,
        before: Option<Oid>,
    ) -> Result<(), SyncError> {
        let (mut mended, mut rules) = (self.mend(before)?, self.locked_rules(report));
        let again = |mended: &mut Mended, rules: &mut Option<(String, String)>| -> Result<(), SyncError> {
            let first = std::mem::replace(mended, self.mend(before)?);
            mended.reencrypted.splice(0..0, first.reencrypted);
            mended.exposed.splice(0..0, first.exposed);
            *rules = self.locked_rules(report);
            Ok(())
        };
        let mut signed = Vec::new();
        if !mended.refused.is_empty() || rules.is_some() {
            signed = trust::accept_signed(self.context)?;
            if !signed.is_empty() {
                again(&mut mended, &mut rules)?;
            }
        }
        if !mended.refused.is_empty() || rules.is_some() {
            // Of what is refused, some may be accepted.
            let _ = person.accept(self.context);
            again(&mut mended, &mut rules)?;
        }
        report.signed.extend(signed);
        report.reencrypted.extend(mended.reencrypted);
        report.exposed.extend(mended.exposed);
        report.left = mended.left;
        let folder = |error: &OpError| match error {
            OpError::NotAccepted(difference) if difference.folder.is_root() => Some("/".to_owned()),
            OpError::NotAccepted(difference) => Some(difference.folder.to_string()),
            _ => None,
        };
        report.to_accept = mended.refused.values().filter_map(folder).collect();
        let lists = mended.refused.iter().map(|(list, error)| (shown_list(list), error.to_string()));
        report.locked = lists.chain(rules).collect();
        Ok(())
    }

    /// Returns the file of groups and rules, and why no change of recipients is made from them, if they came with
    /// this sync and nobody has accepted them.
    fn locked_rules(&self, report: &Report) -> Option<(String, String)> {
        if !report.rules_came {
            return None;
        }
        let why = match self.context.unaccepted_rules() {
            Ok(None) => return None,
            Ok(Some(difference)) => OpError::RulesNotAccepted(Box::new(difference)).to_string(),
            Err(error) => error.to_string(),
        };
        Some((config::FILE.to_owned(), why))
    }

    /// Pushes, if there is anything to push and nothing against it.
    fn push(&self, report: &mut Report, theirs: Option<Oid>) -> Result<Round, SyncError> {
        let Some(head) = self.repo.head_commit().map_err(StoreError::from)? else { return Ok(Round::Done) };
        let count = self.count(theirs, Some(head))?;
        if count == 0 {
            return Ok(Round::Done);
        }
        // What the remote has and we have not taken, `--push` cannot push over.
        report.objections = self.objections(theirs, head)?;
        if !report.objections.is_empty() {
            report.waiting = count;
            return Ok(Round::Done);
        }
        match self.repo.push(self.context.store.git(), &self.upstream, head, self.options.interactive) {
            Ok(Pushed::Done) => {
                self.see(head)?;
                report.pushed += count;
                Ok(Round::Done)
            }
            Ok(Pushed::Overtaken) if self.options.only_push => {
                Err(SyncError::Overtaken { remote: self.upstream.name(), attempts: 1 })
            }
            Ok(Pushed::Overtaken) => Ok(Round::Overtaken),
            Err(error @ RemoteError::Unreachable { .. }) => {
                report.offline = Some(error.to_string());
                report.waiting = count;
                Ok(Round::Done)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Tells what would be done.
    fn foretell(&self, report: &mut Report, head: Option<Oid>, theirs: Oid) -> Result<Round, SyncError> {
        let failed = StoreError::from;
        let known: Vec<Oid> = head.into_iter().collect();
        let came = self.repo.commits_between(&known, theirs).map_err(failed)?;
        report.came = self.infos(&came)?;
        report.waiting = self.count(Some(theirs), head)?;
        if came.is_empty() {
            return Ok(Round::Done);
        }
        // What they changed since both were the same.
        let base = match head {
            Some(head) => self.repo.merge_bases(head, theirs).map_err(failed)?.first().copied(),
            None => None,
        };
        let tree = |commit: Oid| self.repo.tree_id(commit).map_err(failed);
        let deltas = self.repo.compare(base.map(tree).transpose()?, Some(tree(theirs)?)).map_err(failed)?;
        self.tell_changes(report, &deltas);
        if let (Some(head), Some(base)) = (head, base)
            && report.waiting > 0
        {
            let bases = self.repo.merge_bases(head, theirs).map_err(failed)?;
            let common = blend::common(self.repo, &bases)?.or(Some(tree(base)?));
            let trees = blend::Trees { base: common, ours: tree(head)?, theirs: tree(theirs)? };
            let blended = blend::blend(self.context, self.repo, trees)?;
            report.merged = blended.merged.iter().map(|path| shown_entry(path)).collect();
            report.kept = blended.kept;
            report.notes = blended.notes;
        }
        Ok(Round::Done)
    }

    /// Adds what was taken to what is told.
    fn tell_taken(&self, report: &mut Report, taken: Taken, theirs: Oid) -> Result<(), SyncError> {
        let failed = StoreError::from;
        let known: Vec<Oid> = taken.before.into_iter().collect();
        let came = self.repo.commits_between(&known, theirs).map_err(failed)?;
        let mut infos = self.infos(&came)?;
        infos.append(&mut report.came);
        report.came = infos;
        let is_config = |path: &PathBuf| self.repo.prefix().join(path) == Path::new(config::FILE);
        report.rules_came |= taken.deltas.keys().any(is_config);
        self.tell_changes(report, &taken.deltas);
        let store_name = |path: &PathBuf| shown_entry(path);
        report.merged.extend(taken.blended.merged.iter().map(store_name));
        report.kept.extend(taken.blended.kept);
        report.notes.extend(taken.blended.notes);
        report.notes.extend(taken.warnings);
        report.notes.extend(self.oddities(&taken.deltas)?);
        let is_key = |(path, delta): &(&PathBuf, &Delta)| {
            path.starts_with(crate::ops::keys::FOLDER) && delta.new.is_some()
        };
        let keys = taken
            .deltas
            .iter()
            .filter(is_key)
            .map(|(path, _)| Shown::os(path.file_name().unwrap_or_default()).to_string());
        let keys: Vec<String> = keys.collect();
        if !keys.is_empty() {
            let keys = keys.join(", ");
            report.notes.push(format!(
                "public keys came: {keys}; `passel keys import` shows them, and takes them in"
            ));
        }
        Ok(())
    }

    /// Points a ref of ours at a commit.
    fn keep(&self, name: &str, commit: Oid) -> Result<(), StoreError> {
        if self.repo.target(name)? == Some(commit) {
            return Ok(());
        }
        let _lock = self.context.store.lock()?;
        Ok(self.repo.keep(name, commit)?)
    }

    /// Remembers what the remote was seen to hold.
    fn see(&self, commit: Oid) -> Result<(), StoreError> {
        if self.repo.seen(&self.upstream)? == Some(commit) {
            return Ok(());
        }
        let _lock = self.context.store.lock()?;
        Ok(self.repo.see(&self.upstream, commit)?)
    }

    fn infos(&self, commits: &[Oid]) -> Result<Vec<CommitInfo>, SyncError> {
        // What libgit2 cannot read tells nobody's name.
        Ok(commits.iter().filter_map(|id| self.repo.commit_info(*id).ok()).collect())
    }

    fn tell_changes(&self, report: &mut Report, deltas: &Deltas) {
        for (inside, delta) in deltas.iter().filter(|(path, _)| is_entry(path)) {
            let name = shown_entry(&self.repo.prefix().join(inside));
            match (delta.old, delta.new) {
                (None, _) => report.changes.added.push(name),
                (_, None) => report.changes.removed.push(name),
                _ => report.changes.changed.push(name),
            }
        }
    }

    /// Returns how many commits lead to `head` and not to `known`.
    fn count(&self, known: Option<Oid>, head: Option<Oid>) -> Result<usize, SyncError> {
        let Some(head) = head else { return Ok(0) };
        if known == Some(head) {
            return Ok(0);
        }
        let known: Vec<Oid> = known.into_iter().collect();
        Ok(self.repo.commits_between(&known, head).map_err(StoreError::from)?.len())
    }

    fn place(&self) -> String {
        told_place(self.repo.prefix())
    }
}

/// Refuses a repository in the middle of something, or that does not hold all that it should.
fn refuse_unusable(repo: &Repo, place: &str) -> Result<(), SyncError> {
    repo.refuse_unfinished().map_err(StoreError::from)?;
    if repo.is_shallow() {
        return Err(SyncError::Shallow { place: place.to_owned() });
    }
    if repo.is_sparse() {
        return Err(SyncError::Sparse { place: place.to_owned() });
    }
    Ok(())
}

/// Returns what a message calls a repository.
fn told_place(prefix: &Path) -> String {
    match prefix.as_os_str().is_empty() {
        true => "the store".to_owned(),
        false => format!("`{}`", Shown::os(prefix)),
    }
}

/// Returns how long to wait before the next attempt: longer each time, and for each machine another time.
fn pause(attempt: usize) -> Duration {
    let random = getrandom::u32().unwrap_or_default() % 200;
    Duration::from_millis(u64::from(random) + 50 * attempt as u64)
}
