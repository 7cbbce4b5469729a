//! What one client is told of an incident.
//!
//! Whoever writes a client's report sees nothing but this: no title, no note, no reason, no name of a folder, entry, key or
//! person beside what lies in the client's own folder. People are named only where the caller asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Scope;
use super::case::{Account, Case, Standing};
use super::story::What;
use crate::model::FolderName;
use crate::model::entry::is_credential;
use crate::ops::history::access::Change;
use crate::ops::rotate;

/// A longer text is more than a person's name.
const LONGEST_NAME: usize = 40;

/// How a client's accounts came to be known to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// A person could read them.
    Person {
        /// Until when, in seconds since 1970; none if nobody can tell.
        until: Option<i64>,
        /// Whether they still can.
        is_still: bool,
        /// Who, if that is to be told. Not safe to show.
        names: Vec<String>,
        /// How many of the accounts.
        accounts: usize,
    },
    /// So many have a password that a person could read elsewhere.
    Reused(usize),
    /// So many came into the open.
    Leak(usize),
}

/// How things stand with a client's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is to be changed.
    Open,
    /// Nobody could tell yet.
    Unknown,
    /// We keep it no longer: whether there is still such an account, nobody here can tell.
    Gone,
    /// It was changed: when, in seconds since 1970.
    Changed(Option<i64>),
    /// It had been changed before the incident was opened.
    ChangedBefore,
    /// It needed no change here: said when.
    Settled(i64),
    /// It lies in another folder by now: how things are there is not this client's to know.
    Elsewhere,
}

impl State {
    /// Whether nothing is to be done any more.
    pub fn is_done(&self) -> bool {
        matches!(self, State::Changed(_) | State::ChangedBefore | State::Settled(_))
    }

    fn of(standing: &Standing) -> Self {
        match standing {
            Standing::ChangedBefore => State::ChangedBefore,
            Standing::GoneBefore => State::Gone,
            Standing::Since(state) => match state {
                rotate::State::Open(_) => State::Open,
                rotate::State::Unknown(_) => State::Unknown,
                rotate::State::Gone => State::Gone,
                rotate::State::Changed(done) => State::Changed(done.as_ref().map(|done| done.moment.when)),
                rotate::State::Closed(when, _) => State::Settled(*when),
            },
        }
    }
}

/// An account of a client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The entry's file, in the client's folder. Not safe to show.
    pub entry: PathBuf,
    /// The kinds of secrets.
    pub secrets: Vec<String>,
    /// Those of them that are as they were.
    pub left: Vec<String>,
    /// Whether other lines in it, of which nobody can say whether they are secret, are as they were.
    pub has_same_lines: bool,
    /// How things stand.
    pub state: State,
    /// Where the account is. Not safe to show.
    pub url: Option<String>,
}

/// Something that was done for a client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Somebody's access was ended.
    AccessEnded,
    /// The incident was opened.
    Opened,
    /// The secrets of these entries were changed.
    Changed(Vec<PathBuf>),
    /// These entries needed no change here.
    Settled(Vec<PathBuf>),
    /// The incident was closed.
    Closed,
}

/// What one client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The client's name.
    pub client: OsString,
    /// How it came about.
    pub how: Vec<How>,
    /// The client's accounts: what remains to be done in front.
    pub accounts: Vec<Shared>,
    /// What was done: when, in seconds since 1970, the oldest first.
    pub deeds: Vec<(i64, Deed)>,
    /// Whether more may have been exposed than was found.
    pub is_incomplete: bool,
}

/// Returns what each client is told in whose folder an entry of the incident lies, or lay; who it is about is named if
/// `names_people`. Whoever has no key yet, or was removed, is a client all the same.
pub fn shares(case: &Case, clients: &FolderName, names_people: bool) -> Vec<Share> {
    let parent = clients.as_path();
    let folder = |path: &Path| {
        let below = path.strip_prefix(parent).ok()?;
        let first = below.components().next().filter(|_| below.components().count() > 1)?;
        // Hidden folders are none of a client's.
        let is_hidden = first.as_os_str().as_encoded_bytes().starts_with(b".");
        (!is_hidden).then(|| parent.join(first))
    };
    let names = case.accounts.iter().flat_map(Account::names).filter(|name| is_credential(name));
    let folders: BTreeSet<PathBuf> = names.filter_map(folder).collect();
    let shares = folders.iter().map(|folder| share(case, folder, names_people));
    shares.filter(|share| !share.accounts.is_empty()).collect()
}

fn share(case: &Case, folder: &Path, names_people: bool) -> Share {
    let own: Vec<(&Account, PathBuf)> =
        case.accounts.iter().filter_map(|account| Some((account, name_in(folder, account)?))).collect();
    let changes = own_changes(case, folder, &own);
    let parties = parties(case, &own, &changes, names_people);
    let is_untold = case.known.incident.unread.iter().any(|path| path.starts_with(folder));
    Share {
        client: folder.file_name().unwrap_or_default().to_owned(),
        accounts: own.iter().map(|(account, entry)| shared(account, entry, folder)).collect(),
        deeds: deeds(case, folder, &own, &parties),
        how: how(case, &own, parties),
        is_incomplete: case.is_cut || is_untold || case.unread > 0 || !case.failed.is_empty(),
    }
}

fn shared(account: &Account, entry: &Path, folder: &Path) -> Shared {
    let shared = Shared {
        entry: entry.to_path_buf(),
        secrets: account.secrets(),
        left: account.left().to_vec(),
        has_same_lines: account.has_same_lines,
        state: State::of(&account.standing),
        url: account.url.clone(),
    };
    match account.entry.starts_with(folder) {
        true => shared,
        // What was moved elsewhere may be another client's by now, with other secrets in it.
        false => Shared {
            secrets: Vec::new(),
            left: Vec::new(),
            has_same_lines: false,
            state: State::Elsewhere,
            url: None,
            ..shared
        },
    }
}

/// Returns what the client calls an entry: the present one of its names, or one that it had in their folder.
fn name_in(folder: &Path, account: &Account) -> Option<PathBuf> {
    let mut names = account.names().filter(|name| is_credential(name));
    names.find_map(|name| name.strip_prefix(folder).ok()).map(Path::to_path_buf)
}

/// Returns the changes of who can read what of the client's was exposed: of the lists in their folder, of those above
/// it, and of those that ruled an entry which came from elsewhere.
fn own_changes<'c>(case: &'c Case, folder: &Path, own: &[(&Account, PathBuf)]) -> Vec<&'c Change> {
    let is_meant = |change: &&Change| {
        let of = &change.folder;
        of.starts_with(folder)
            || folder.starts_with(of)
            || own.iter().any(|(account, _)| account.names().any(|name| name.starts_with(of)))
    };
    case.access.iter().filter(is_meant).collect()
}

/// Somebody whom a scope is about.
struct Party {
    /// Until when they could read something, in seconds since 1970; none if nobody can tell.
    until: Option<i64>,
    /// Whether they still can.
    is_still: bool,
    names: Vec<String>,
    accounts: usize,
}

/// Returns who could read something of the client's.
fn parties(case: &Case, own: &[(&Account, PathBuf)], changes: &[&Change], names_people: bool) -> Vec<Party> {
    let mut found = Vec::new();
    for (place, scope) in case.known.incident.about.iter().enumerate() {
        let Scope::Keys { keys, .. } = scope else { continue };
        let of_it = own
            .iter()
            .filter(|(account, _)| account.found.scopes.contains(&place) && account.found.versions > 0);
        let accounts = of_it.count();
        if accounts == 0 {
            continue;
        }
        let is_still = own.iter().any(|(account, _)| account.readable.contains(&place));
        // They are in the order of the history. The last one is the one that counts: until then something was readable.
        let loses = |change: &&&Change| change.lost.iter().any(|who| scope.is_about(who));
        let until = changes.iter().rev().find(loses).map(|change| change.by.when).filter(|_| !is_still);
        let names = keys.iter().map(|bearer| person(&bearer.name)).filter(|name| !name.is_empty());
        let names: BTreeSet<String> = names.filter(|_| names_people).collect();
        found.push(Party { until, is_still, names: names.into_iter().collect(), accounts });
    }
    found
}

fn how(case: &Case, own: &[(&Account, PathBuf)], parties: Vec<Party>) -> Vec<How> {
    let about = &case.known.incident.about;
    let is_leak = |place: &usize| !matches!(about.get(*place), Some(Scope::Keys { .. }));
    let leaked = own.iter().filter(|(account, _)| account.found.scopes.iter().any(is_leak)).count();
    let reused = own
        .iter()
        .filter(|(account, _)| account.found.versions == 0 && !account.found.scopes.iter().any(is_leak));
    let reused = reused.count();
    let person =
        |Party { until, is_still, names, accounts }| How::Person { until, is_still, names, accounts };
    let mut found: Vec<How> = parties.into_iter().map(person).collect();
    found.extend((leaked > 0).then_some(How::Leak(leaked)));
    found.extend((reused > 0).then_some(How::Reused(reused)));
    found
}

/// Returns a person's name out of a user ID: nothing where that may say more than a name.
fn person(user_id: &str) -> String {
    let name = user_id.split(['<', '(', ',', ';', ':']).next().unwrap_or_default().trim();
    if name.contains('@') || name.chars().count() > LONGEST_NAME { String::new() } else { name.to_owned() }
}

fn deeds(case: &Case, folder: &Path, own: &[(&Account, PathBuf)], parties: &[Party]) -> Vec<(i64, Deed)> {
    let incident = &case.known.incident;
    let mut deeds = vec![(incident.opened, Deed::Opened)];
    // While one of them can still read something, nothing is at an end.
    let ended = parties.iter().filter(|_| parties.iter().all(|party| !party.is_still));
    deeds.extend(ended.filter_map(|party| party.until).map(|when| (when, Deed::AccessEnded)));
    // What was done on one day is told at once.
    let (mut changed, mut settled) = (BTreeMap::new(), BTreeMap::new());
    for (account, name) in own.iter().filter(|(account, _)| account.entry.starts_with(folder)) {
        let (to, when) = match State::of(&account.standing) {
            State::Changed(Some(when)) => (&mut changed, when),
            State::Settled(when) => (&mut settled, when),
            _ => continue,
        };
        let (_, names): &mut (i64, Vec<PathBuf>) =
            to.entry(when.div_euclid(crate::model::date::DAY)).or_insert((when, Vec::new()));
        names.push(name.clone());
    }
    deeds.extend(changed.into_values().map(|(when, names)| (when, Deed::Changed(names))));
    deeds.extend(settled.into_values().map(|(when, names)| (when, Deed::Settled(names))));
    let closed = case.story.iter().find(|event| matches!(event.what, What::Closed(_)));
    deeds.extend(closed.map(|event| (event.when, Deed::Closed)));
    deeds.sort_by_key(|(when, deed)| (when.div_euclid(crate::model::date::DAY), deed.clone()));
    deeds.dedup_by_key(|(when, deed)| (when.div_euclid(crate::model::date::DAY), deed.clone()));
    deeds
}
