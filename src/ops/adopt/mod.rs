//! Bringing in a store that another program has made: looking it over, and mending what is safe.
//!
//! Mended is how recipients files are written, never whom they name; and public keys are put beside them.
//! Everything else is a person's business.

mod foreign;
mod lines;

use std::collections::BTreeSet;
use std::path::Path;

use super::copies::Copied;
use super::keys::{self, Overview, path_of};
use super::lists::{self, ListChange, Lists};
use super::readers::{survey_folder, waiting};
use super::reencrypt::Changed;
use super::review::{self, Held};
use super::{Context, OpError};
use crate::crypto::RecipientError;
use crate::git::Repo;
use crate::model::entry::shown_entry;
use crate::model::{FolderName, GpgId, KeyId, Keyring, RecipientId, Shown, argument};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::survey::{List, Standing, Survey};

/// How many entries are named for one recipients file; the others are counted.
const NAMED: usize = 10;

/// Whose business a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A person's: passel does not know what is right.
    Person,
    /// Ours: it can be mended without changing who can read what.
    Mendable,
    /// Nobody's: it is only worth knowing.
    Note,
}

/// Something found in a store. All texts are safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose business it is.
    pub kind: Kind,
    /// The file, or the file and line.
    pub place: String,
    /// What is the matter.
    pub what: String,
    /// What to do: the arguments of a command of ours, or words.
    pub hint: Option<Hint>,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Run passel with these words.
    Command(String),
    /// Something else.
    Words(String),
}

impl Finding {
    fn new(kind: Kind, place: impl std::fmt::Display, what: impl Into<String>) -> Self {
        Finding { kind, place: place.to_string(), what: what.into(), hint: None }
    }

    fn command(mut self, words: impl Into<String>) -> Self {
        self.hint = Some(Hint::Command(words.into()));
        self
    }

    fn words(mut self, words: impl Into<String>) -> Self {
        self.hint = Some(Hint::Words(words.into()));
        self
    }
}

/// Returns what is found in the store; nothing is changed.
pub fn look(context: &Context<'_>) -> Result<Vec<Finding>, OpError> {
    let survey = survey_folder(context, &FolderName::root())?;
    let held = review::held_back(context, survey.entries.iter())?;
    let waiting = waiting(context, &survey);
    let mut findings: Vec<Finding> = held.iter().map(|(path, copied)| held_back(path, copied)).collect();
    for list in survey.lists.values() {
        findings.extend(lines::findings(&survey, &waiting, list));
        findings.extend(entry_findings(&survey, &held, list));
    }
    findings.extend(unusable(context, &survey));
    let unruled = survey.entries.iter().filter(|entry| entry.list.is_none());
    findings.extend(unruled.filter_map(|entry| {
        match &entry.standing {
            Standing::Broken(what) => Some(
                Finding::new(Kind::Person, shown_entry(&entry.path), Shown::new(what).to_string())
                    .command(format!("init{} KEY...", folder_option(&entry.path))),
            ),
            _ => None,
        }
    }));
    if survey.unusable.is_empty() {
        match overview(context)? {
            Ok(overview) => findings.extend(key_findings(&overview)),
            Err(finding) => findings.push(finding),
        }
    }
    findings.extend(foreign::findings(context)?);
    findings.extend(git_findings(context));
    findings.sort_by_key(|finding| finding.kind);
    Ok(findings)
}

/// Returns the recipients files that cannot be any, each once: its folder and those below say the same.
fn unusable(context: &Context<'_>, survey: &Survey) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (folder, what) in &survey.unusable {
        let above = folder.as_path().ancestors();
        let file = above.map(|path| path.join(".gpg-id")).find(|file| {
            let absent = State::Absent;
            context.store.beneath().state(file).map_or(true, |state| state != absent)
        });
        let file = file.unwrap_or_else(|| folder.gpg_id());
        if seen.insert(file.clone()) {
            let what = Shown::new(what).to_string();
            findings.push(
                Finding::new(Kind::Person, Shown::os(&file), what)
                    .words("nothing is encrypted below it; put a file with its recipients in its place"),
            );
        }
    }
    findings
}

/// Returns the option of `init` for the folder of an entry.
fn folder_option(path: &Path) -> String {
    match path.parent().filter(|folder| *folder != Path::new("")) {
        Some(folder) => format!(" -p {}", argument(folder)),
        None => String::new(),
    }
}

/// Returns the finding of an entry that holds what was encrypted for others.
fn held_back(path: &Path, copied: &Copied) -> Finding {
    let name = shown_entry(path);
    Finding::new(Kind::Person, &name, format!("it is held back: {}", copied.told(&name)))
        .command(format!("recipients review {}", argument(&path.with_extension(""))))
}

/// Returns what is the matter with the entries that `list` rules, besides being held back.
fn entry_findings(survey: &Survey, held: &Held, list: &List) -> Vec<Finding> {
    let (mut off, mut broken, mut unclear) = (Vec::new(), Vec::new(), 0);
    for entry in survey.ruled_by(list).filter(|entry| !held.contains_key(&entry.path)) {
        match &entry.standing {
            Standing::Agrees | Standing::Older => {}
            Standing::Hidden => off.push((entry, "who can read it is hidden".to_owned())),
            Standing::Differs { missing, extra } => off.push((entry, differs(survey, missing, extra))),
            Standing::Unclear => unclear += 1,
            Standing::Broken(what) => broken.push((entry, Shown::new(what).to_string())),
        }
    }
    let file = Shown::os(&list.file);
    let update = match list.folder.is_root() {
        true => "recipients update".to_owned(),
        false => format!("recipients update {}", argument(list.folder.as_path())),
    };
    let hinted = |finding: Finding| match list.recipients().is_some() {
        true => finding.command(&update),
        false => finding.words("mend its recipients first, then update it"),
    };
    let mut findings: Vec<Finding> = off
        .iter()
        .take(NAMED)
        .map(|(entry, what)| hinted(Finding::new(Kind::Person, shown_entry(&entry.path), what)))
        .collect();
    if let Some(more @ 1..) = off.len().checked_sub(NAMED) {
        let what = format!("{more} more entries differ from it");
        findings.push(hinted(Finding::new(Kind::Person, file, what)));
    }
    findings.extend(broken.iter().map(|(entry, what)| {
        Finding::new(Kind::Person, shown_entry(&entry.path), what)
            .words("take it out, or back from the history")
    }));
    if unclear > 0 {
        let what = format!("{unclear} entries were not compared with it, as it is not clear whom it names");
        findings.push(Finding::new(Kind::Note, file, what));
    }
    findings
}

/// Returns how who can read an entry differs from its list.
fn differs(survey: &Survey, missing: &[crate::model::Fingerprint], extra: &[KeyId]) -> String {
    let name = |key: &crate::model::Fingerprint| {
        let known = survey.keyring.get(key);
        known.map_or(key.to_string(), |known| format!("{key} ({})", Shown::new(known.name())))
    };
    let mut parts: Vec<String> = missing.iter().map(|key| format!("{} cannot read it", name(key))).collect();
    parts.extend(extra.iter().map(|id| match survey.keyring.bearers(*id) {
        [key] => format!("{} can read it and is not named", name(key)),
        _ if *id == KeyId::HIDDEN => "somebody hidden can read it".to_owned(),
        _ => format!("key {id} can read it and is not named"),
    }));
    parts.join("; ")
}

/// Looks at `.public-keys`; what is the matter if it cannot be looked at.
fn overview(context: &Context<'_>) -> Result<Result<Overview, Finding>, OpError> {
    match Overview::read(context) {
        Ok(overview) => Ok(Ok(overview)),
        Err(OpError::Store(error @ StoreError::Path(_))) => {
            Ok(Err(Finding::new(Kind::Person, keys::FOLDER, error.to_string())))
        }
        Err(error) => Err(error),
    }
}

/// Returns what is found in `.public-keys`, or missing there.
fn key_findings(overview: &Overview) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, error) in &overview.files.bad {
        let place = Shown::os(path);
        findings.push(match error {
            // gopass calls the file as the line of the recipients file is written.
            keys::KeyFileError::Misnamed(key) if overview.files.good.contains_key(key) => {
                Finding::new(Kind::Note, place, format!("{error}; it is there under that name too"))
            }
            keys::KeyFileError::Misnamed(key) => Finding::new(Kind::Note, place, error.to_string())
                .command(format!("git mv {} {}", argument(path), path_of(key).display())),
            _ => Finding::new(Kind::Person, place, format!("not used as a key: {error}")),
        });
    }
    let count = overview.missing().len();
    if count > 0 {
        let what = format!("the public keys of {count} recipients are not in the store: others need them");
        findings.push(Finding::new(Kind::Mendable, keys::FOLDER, what));
    }
    let differ = overview.files.good.values().filter(|file| overview.differs(file)).count();
    if differ > 0 {
        let what = format!("{differ} keys have another form than in the keyring");
        findings.push(Finding::new(Kind::Note, keys::FOLDER, what).command("keys import"));
    }
    findings
}

/// Says whether there is git, and a remote.
fn git_findings(context: &Context<'_>) -> Vec<Finding> {
    let root = context.store.root();
    let note = |what: &str| Finding::new(Kind::Note, "git", what);
    let Some(prefix) = Repo::prefix_of(root, Path::new("")) else {
        return vec![note("the store is no git repository: there is no history").command("git init")];
    };
    match Repo::open(root, &prefix).and_then(|repo| repo.refuse_unfinished().and(repo.has_remote())) {
        Ok(true) => vec![note("the store is a git repository with a remote")],
        Ok(false) => vec![note("the store is a git repository without a remote")],
        Err(error) => vec![Finding::new(Kind::Person, "git", error.to_string()).command("git status")],
    }
}

/// What mending did.
#[derive(Debug)]
pub struct Mended {
    /// What was published.
    pub changed: Changed,
    /// What was found, and is mended now.
    pub done: Vec<Finding>,
    /// Recipients files that stay as they are, and why.
    pub left: Vec<(String, OpError)>,
}

/// Mends what is safe, in one commit: how recipients files are written, and public keys that are missing. No
/// recipient is added or dropped, no entry is touched.
pub fn fix(context: &Context<'_>) -> Result<Mended, OpError> {
    let (mut done, mut left) = (Vec::new(), Vec::new());
    let changed = lists::change(context, || {
        (done, left) = (Vec::new(), Vec::new());
        let survey = survey_folder(context, &FolderName::root())?;
        let mut change = ListChange { keep_entries: true, ..ListChange::default() };
        for list in survey.lists.values() {
            match rewritten(context, &survey, list, true) {
                Ok(Some(new)) => {
                    change.lists.insert(list.folder.clone(), Some(new));
                    let found = lines::findings(&survey, &Keyring::default(), list);
                    done.extend(found.into_iter().filter(|finding| finding.kind == Kind::Mendable));
                }
                Ok(None) => {}
                Err(error) => left.push((Shown::os(&list.file).to_string(), error)),
            }
            change.seen.push((list.file.clone(), State::of(&list.rule.gpg_id)));
        }
        if survey.unusable.is_empty()
            && let Ok(overview) = overview(context)?
        {
            let found = key_findings(&overview).into_iter();
            done.extend(found.filter(|finding| finding.kind == Kind::Mendable));
            change.others = keys::exported(context, &overview.missing())?;
        }
        change.subject = subject(&change.lists, change.others.len());
        Ok(change)
    })?;
    Ok(Mended { changed, done, left })
}

/// Returns the recipients files at and below `folder` whose lines do not end as pass reads them, with what is the
/// matter; those with a line that cannot be used are left out, since they stay as they are.
pub fn line_ends(context: &Context<'_>, folder: &FolderName) -> Result<Vec<(FolderName, String)>, OpError> {
    let survey = survey_folder(context, folder)?;
    let lists = survey.lists.values().filter(|list| list.folder.as_path().starts_with(folder.as_path()));
    let usable = lists.filter(|list| list.recipients().is_some());
    let found = usable.map(|list| (list.folder.clone(), lines::ends(list).join("; ")));
    Ok(found.filter(|(_, what)| !what.is_empty()).collect())
}

/// Mends how the lines of these folders' recipients files end, in one commit, and nothing else.
pub fn fix_line_ends(context: &Context<'_>, folders: &[FolderName]) -> Result<Changed, OpError> {
    lists::change(context, || {
        let survey = survey_folder(context, &FolderName::root())?;
        let mut change = ListChange { keep_entries: true, ..ListChange::default() };
        for list in survey.lists.values().filter(|list| folders.contains(&list.folder)) {
            if let Some(new) = rewritten(context, &survey, list, false)? {
                change.lists.insert(list.folder.clone(), Some(new));
            }
            change.seen.push((list.file.clone(), State::of(&list.rule.gpg_id)));
        }
        change.subject = "End the lines of recipients files as pass reads them.".to_owned();
        Ok(change)
    })
}

/// Returns a recipients file as it should be written; none if it is, or if a line of it cannot be used.
fn rewritten(
    context: &Context<'_>,
    survey: &Survey,
    list: &List,
    names: bool,
) -> Result<Option<Vec<u8>>, OpError> {
    let Some(before) = list.recipients() else { return Ok(None) };
    let new = lines::canonical(survey, list, names);
    if new == list.rule.gpg_id {
        return Ok(None);
    }
    // It must be signed where signatures are asked for, and accepted here: writing it would be either.
    context.recipients(&list.folder)?;
    let lines = GpgId::from_bytes(new.clone()).lines();
    let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    let after: Result<Vec<_>, RecipientError> = context.crypto.resolve_all(&ids).into_iter().collect();
    let same = |after: &[RecipientId]| {
        after.iter().all(|key| before.contains(key)) && before.iter().all(|key| after.contains(key))
    };
    // Whom the file names must not change, whatever we believe to know of names.
    Ok(after.is_ok_and(|after| same(&after.concat())).then_some(new))
}

/// Returns the commit's subject.
fn subject(lists: &Lists, keys: usize) -> String {
    match (lists.len(), keys) {
        (0, _) => format!("Adopt the store: export {keys} public keys."),
        (count, 0) => format!("Adopt the store: write {count} recipients files canonically."),
        (count, _) => {
            format!("Adopt the store: write {count} recipients files canonically, export {keys} public keys.")
        }
    }
}
