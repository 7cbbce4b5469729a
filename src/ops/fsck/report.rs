//! What was found.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use crate::check::{Finding, Severity};
use crate::model::{FolderName, Shown};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An entry for us that does not decrypt.
    Decrypt,
    /// An entry that is no message of the form that all readers take.
    Structure,
    /// Recipients and keys against the rules.
    Recipients,
    /// Who can read and write the files.
    Permissions,
    /// Files that are no entries.
    Stray,
    /// Links.
    Link,
    /// What the history holds.
    History,
    /// Conflicts that nobody resolved.
    Conflict,
    /// Entries that no commit holds.
    Untracked,
    /// Names that not every system can tell apart or show.
    Name,
    /// What killed commands left.
    Leftover,
    /// What git says of the repository.
    Git,
}

impl Kind {
    /// Returns its name for programs, which never changes.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Decrypt => "decrypt",
            Kind::Structure => "structure",
            Kind::Recipients => "recipients",
            Kind::Permissions => "permissions",
            Kind::Stray => "stray",
            Kind::Link => "link",
            Kind::History => "history",
            Kind::Conflict => "conflict",
            Kind::Untracked => "untracked",
            Kind::Name => "name",
            Kind::Leftover => "leftover",
            Kind::Git => "git",
        }
    }
}

/// How something is mended without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mend {
    /// A file or folder gets these permissions.
    Mode(PathBuf, u32),
    /// A staged file of a change that nobody finishes is removed.
    Staged(PathBuf),
    /// So are the files of such a change in the git directory of the repository at this prefix.
    Transaction(PathBuf, String),
    /// The lines of this folder's recipients file end as pass reads them.
    LineEnds(FolderName),
}

/// Something that is wrong.
#[derive(Debug)]
pub struct Found {
    /// What it is about.
    pub kind: Kind,
    /// What it is.
    pub finding: Finding,
    /// Whether it was mended.
    pub repaired: bool,
    /// How it can be mended; not at all if this is empty.
    pub(super) mends: Vec<Mend>,
}

impl Found {
    /// Whether it can be mended without a person.
    pub fn is_mendable(&self) -> bool {
        !self.mends.is_empty()
    }
}

/// Something that could not be looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Unseen {
    /// What it is. Safe to show.
    pub subject: String,
    /// Why not.
    pub message: String,
}

/// Entries that only others can read.
#[derive(Debug)]
pub struct Others {
    /// Who can, safe to show.
    pub readers: Vec<String>,
    /// The entries, safe to show.
    pub entries: Vec<String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is wrong, the worst first.
    pub findings: Vec<Found>,
    /// What could not be looked at.
    pub unseen: Vec<Unseen>,
    /// Entries by who else can read them.
    pub others: Vec<Others>,
    /// How many entries were looked at.
    pub entries: usize,
    /// How many of them were decrypted.
    pub decrypted: usize,
    /// How many commits were looked at.
    pub commits: usize,
    /// The entries of `others`, by their readers.
    by_readers: BTreeMap<Vec<String>, Vec<String>>,
}

impl Report {
    /// Adds an error; `subject` and the texts are safe to show.
    pub(super) fn error(&mut self, kind: Kind, subject: impl ToString, message: &str, hint: &str) {
        self.add(kind, Severity::Error, subject, message, hint, Vec::new());
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, kind: Kind, subject: impl ToString, message: &str, hint: &str) {
        self.add(kind, Severity::Warning, subject, message, hint, Vec::new());
    }

    /// Adds a warning about what can be mended.
    pub(super) fn mendable(&mut self, kind: Kind, subject: impl ToString, message: &str, mends: Vec<Mend>) {
        self.add(kind, Severity::Warning, subject, message, "`passel fsck --repair` mends it", mends);
    }

    fn add(
        &mut self,
        kind: Kind,
        severity: Severity,
        subject: impl ToString,
        message: &str,
        hint: &str,
        mends: Vec<Mend>,
    ) {
        let (message, hint) = (message.to_owned(), hint.to_owned());
        let finding = Finding { severity, subject: subject.to_string(), message, hint };
        self.take(kind, finding, mends);
    }

    /// Adds a finding of another operation.
    pub(super) fn take(&mut self, kind: Kind, finding: Finding, mends: Vec<Mend>) {
        self.findings.push(Found { kind, finding, repaired: false, mends });
    }

    /// Adds what could not be looked at.
    pub(super) fn unseen(&mut self, subject: impl ToString, message: impl ToString) {
        let unseen = Unseen { subject: subject.to_string(), message: message.to_string() };
        // One cause keeps several looks from the same thing.
        if !self.unseen.contains(&unseen) {
            self.unseen.push(unseen);
        }
    }

    /// Adds what could not be looked at because of an error.
    pub(super) fn failed(&mut self, subject: impl ToString, error: &dyn Error) {
        self.unseen(subject, told(error));
    }

    /// Adds an entry that only `readers` can read.
    pub(super) fn for_others(&mut self, entry: String, readers: Vec<String>) {
        self.by_readers.entry(readers).or_default().push(entry);
    }

    /// Puts the worst first, and groups what is for others.
    pub(super) fn sort(&mut self) {
        self.findings.sort_by_key(|found| (std::cmp::Reverse(found.finding.severity), found.kind));
        let others = std::mem::take(&mut self.by_readers).into_iter();
        self.others = others.map(|(readers, entries)| Others { readers, entries }).collect();
    }
}

/// Returns an error with its causes in one line, safe to show.
pub(super) fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some say their cause themselves.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    Shown::new(&text).to_string()
}
