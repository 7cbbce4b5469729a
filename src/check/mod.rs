//! What can be wrong with a store's recipients: one file for each kind of check.
//!
//! A [`Finding`] says that the store is wrong, an error that we could not look. Checks neither print nor
//! repair.

mod ambiguous;
mod differing;
mod digests;
mod expiring;
mod files;
mod held;
mod missing;
mod names;
mod rule;
mod signature;
mod single;
mod unaccepted;
mod unusable;
mod weak;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::crypto::{Crypto, CryptoError};
use crate::model::{Fingerprint, FolderName, Key, Keyring, RecipientId, Shown, argument as quoted};
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

/// A folder whose recipients are not what its groups come to.
#[derive(Debug)]
pub struct OffRule {
    /// The folder.
    pub folder: FolderName,
    /// A group that it follows.
    pub group: String,
    /// Keys of the rule that the list lacks.
    pub missing: Vec<Fingerprint>,
    /// Recipients, as the list names them, that the rule does not know. Safe to show.
    pub extra: Vec<String>,
}

/// What checks look at.
pub struct Facts<'a> {
    /// The recipients files and entries.
    pub survey: &'a Survey,
    /// OpenPGP, for what the keyring's listing does not say.
    pub crypto: &'a dyn Crypto,
    /// The store's root.
    pub root: &'a Path,
    /// Whether there is a history to look into.
    pub has_git: bool,
    /// Keys in the store that the keyring lacks.
    pub waiting: &'a Keyring,
    /// Folders whose recipients have to be accepted.
    pub unaccepted: &'a [Unaccepted],
    /// Folders whose recipients are not what their groups come to; what is the matter if that cannot be told.
    pub off_rules: &'a Result<Vec<OffRule>, String>,
    /// How groups and rules differ from those that were accepted, if they do.
    pub rules: &'a Option<String>,
    /// Recipients files that should be signed, and are not, or not by the right key.
    pub unsigned: &'a [PathBuf],
    /// The keys that should have signed them.
    pub signing_keys: &'a [String],
    /// Entries that are held back, by their files, with where they come from.
    pub held: &'a BTreeMap<PathBuf, String>,
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
        Box::new(signature::Unsigned),
        Box::new(unaccepted::NotAccepted),
        Box::new(unaccepted::RulesNotAccepted),
        Box::new(held::HeldBack),
        Box::new(missing::Missing),
        Box::new(ambiguous::Ambiguous),
        Box::new(unusable::Unusable),
        Box::new(differing::Differing),
        Box::new(rule::OffRules),
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
    folders: Vec<&'s FolderName>,
}

impl Named<'_> {
    /// Returns the places for a message.
    fn told(&self) -> String {
        some_of(&self.places)
    }

    /// Returns the commands that take the recipient `id` out of the lists that name it.
    fn take_out(&self, id: &str) -> String {
        removals(&self.folders, id)
    }
}

/// Returns all recipients by their texts: one is one finding, wherever it stands.
fn recipients(survey: &Survey) -> BTreeMap<&str, Named<'_>> {
    let mut all: BTreeMap<&str, Named<'_>> = BTreeMap::new();
    for list in survey.lists.values() {
        for line in &list.lines {
            let named = Named { found: &line.found, places: Vec::new(), folders: Vec::new() };
            let place = format!("{} line {}", Shown::os(&list.file), line.number);
            let named = all.entry(&line.id).or_insert(named);
            named.places.push(place);
            if named.folders.last() != Some(&&list.folder) {
                named.folders.push(&list.folder);
            }
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

/// Returns the commands that take a key out of the lists that name it.
fn take_out(survey: &Survey, key: &Fingerprint) -> String {
    let lists = survey.lists.values().filter(|list| list.named.contains(key));
    removals(&lists.map(|list| &list.folder).collect::<Vec<_>>(), key.as_str())
}

/// Returns the commands that take the recipient `id` out of the lists of folders.
fn removals(folders: &[&FolderName], id: &str) -> String {
    let command =
        |folder: &&FolderName| format!("`passel recipients remove {} {}`", place(folder), quoted(id));
    let commands = folders.iter().take(NAMED).map(command).collect::<Vec<_>>().join(", ");
    match folders.len().saturating_sub(NAMED) {
        0 => commands,
        more => format!("{commands}, likewise for {more} more folders"),
    }
}

/// Returns a key for a finding's subject.
fn subject(key: &Key) -> String {
    format!("{} ({})", key.fingerprint, Shown::new(key.name()))
}

/// Returns names for a message; those beyond the first few are counted.
pub fn some_of(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Returns `1 entry`, `2 entries`.
pub fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// Returns a folder as commands take it, with a blank before; nothing for the root.
fn argument(folder: &FolderName) -> String {
    if folder.is_root() { String::new() } else { format!(" {}", quoted(folder.as_path())) }
}

/// Returns a folder as commands take it that must be told which.
fn place(folder: &FolderName) -> String {
    if folder.is_root() { "/".to_owned() } else { quoted(folder.as_path()) }
}

/// Returns a key with its owner's name, where the keyring knows it.
fn key_name(survey: &Survey, key: &Fingerprint) -> String {
    survey.keyring.get(key).map_or_else(|| key.to_string(), subject)
}
