//! What can be wrong with a store's recipients: one file for each kind of check.
//!
//! A [`Finding`] says that the store is wrong, an error that we could not look. Checks neither print nor
//! repair.

mod ambiguous;
mod differing;
mod digests;
mod expiring;
mod files;
mod missing;
mod names;
mod single;
mod unaccepted;
mod unusable;
mod weak;

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::{Crypto, CryptoError};
use crate::model::{Fingerprint, FolderName, Key, RecipientId, Shown};
use crate::store::survey::{Found, Survey};

/// How many places or entries a finding names.
const NAMED: usize = 5;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong yet, or nothing that passel could be fooled by.
    Warning,
    /// Something cannot be encrypted, or can be read by others than it should.
    Error,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a recipient, a key, a folder. Safe to show.
    pub subject: String,
    /// What is the matter.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A folder whose recipients nobody on this machine has accepted.
#[derive(Debug)]
pub struct Unaccepted {
    /// The folder.
    pub folder: FolderName,
    /// Who gains and who loses, and since which commit.
    pub told: String,
}

/// What checks look at.
pub struct Facts<'a> {
    /// The recipients files and entries.
    pub survey: &'a Survey,
    /// OpenPGP, for what the keyring's listing does not say.
    pub crypto: &'a dyn Crypto,
    /// Folders whose recipients have to be accepted.
    pub unaccepted: &'a [Unaccepted],
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// Why a check could not look.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The keyring could not be asked.
    #[error("cannot look at the recipients' keys")]
    Keys(#[from] CryptoError),
}

/// One kind of check.
pub trait Check {
    /// Returns what is wrong.
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError>;
}

/// Returns all checks.
pub fn all() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(files::Files),
        Box::new(unaccepted::NotAccepted),
        Box::new(missing::Missing),
        Box::new(ambiguous::Ambiguous),
        Box::new(unusable::Unusable),
        Box::new(differing::Differing),
        Box::new(expiring::Expiring),
        Box::new(weak::Weak),
        Box::new(digests::OldDigests),
        Box::new(names::Names),
        Box::new(single::Single),
    ]
}

/// Returns what all checks find, the worst first.
pub fn run(facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    for check in all() {
        findings.extend(check.find(facts)?);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings)
}

/// A recipient as recipients files name it: what it stands for, and where it stands.
struct Named<'s> {
    found: &'s Found,
    places: Vec<String>,
}

impl Named<'_> {
    /// Returns the places for a message.
    fn told(&self) -> String {
        some_of(&self.places)
    }
}

/// Returns all recipients by their texts: one is one finding, wherever it stands.
fn recipients(survey: &Survey) -> BTreeMap<&str, Named<'_>> {
    let mut all: BTreeMap<&str, Named<'_>> = BTreeMap::new();
    for list in survey.lists.values() {
        for line in &list.lines {
            let named = Named { found: &line.found, places: Vec::new() };
            let place = format!("{} line {}", Shown::os(&list.file), line.number);
            all.entry(&line.id).or_insert(named).places.push(place);
        }
    }
    all
}

/// Returns the recipients that can be encrypted to, each once, with its key.
fn keys(survey: &Survey) -> Vec<(&RecipientId, &Key)> {
    let mut seen: BTreeSet<(&Fingerprint, Option<&Fingerprint>)> = BTreeSet::new();
    let usable = survey.lists.values().flat_map(|list| &list.lines);
    let usable = usable.filter_map(|line| line.found.as_ref().as_ref().ok()).flatten();
    usable
        .filter(|recipient| seen.insert((&recipient.fingerprint, recipient.subkey.as_ref())))
        .filter_map(|recipient| Some((recipient, survey.keyring.get(&recipient.fingerprint)?)))
        .collect()
}

/// Returns a key for a finding's subject.
fn subject(key: &Key) -> String {
    format!("{} ({})", key.fingerprint, Shown::new(key.name()))
}

/// Returns names for a message; those beyond the first few are counted.
fn some_of(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Returns `1 entry`, `2 entries`.
fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// Returns a folder as commands take it, with a blank before; nothing for the root.
fn argument(folder: &FolderName) -> String {
    if folder.is_root() { String::new() } else { format!(" {folder}") }
}
