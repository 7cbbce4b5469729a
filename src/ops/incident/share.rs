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
    /// They came into the open.
    Leak,
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
    let accounts = own.iter().map(|(account, entry)| Shared {
        entry: entry.clone(),
        secrets: account.secrets(),
        state: State::of(&account.standing),
        // Of what was moved elsewhere, the address may be another client's by now.
        url: account.url.clone().filter(|_| account.entry.starts_with(folder)),
    });
    let (scopes, changes) = (scopes(case, &own), own_changes(case, folder));
    Share {
        client: folder.file_name().unwrap_or_default().to_owned(),
        how: how(&scopes, &own, &changes, names_people),
        accounts: accounts.collect(),
        deeds: deeds(case, &own, &scopes, &changes),
        is_incomplete: !case.gaps.is_empty() || case.unread > 0 || !case.failed.is_empty(),
    }
}

/// Returns what the client calls an entry: the newest of its names that lies in their folder.
fn name_in(folder: &Path, account: &Account) -> Option<PathBuf> {
    let mut names = account.names().filter(|name| is_credential(name));
    names.find_map(|name| name.strip_prefix(folder).ok()).map(Path::to_path_buf)
}

/// Returns the scopes that found one of these entries.
fn scopes<'c>(case: &'c Case, own: &[(&Account, PathBuf)]) -> Vec<&'c Scope> {
    let places: BTreeSet<usize> =
        own.iter().flat_map(|(account, _)| account.found.scopes.iter().copied()).collect();
    places.into_iter().map(|place| &case.known.incident.about[place]).collect()
}

/// Returns the changes of who can read the client's folder: of its own list and those in it, and where there are none of
/// those, of the lists above, which ruled it.
fn own_changes<'c>(case: &'c Case, folder: &Path) -> Vec<&'c Change> {
    let own: Vec<&Change> = case.access.iter().filter(|change| change.folder.starts_with(folder)).collect();
    match own.is_empty() {
        true => case.access.iter().filter(|change| folder.starts_with(&change.folder)).collect(),
        false => own,
    }
}

/// Whether those whom a scope is about lose access by a change.
fn loses(scope: &Scope, change: &Change) -> bool {
    change.lost.iter().any(|who| scope.is_about(who))
}

/// Returns the last change by which those whom a scope is about gained or lost access.
fn last<'c>(scope: &Scope, changes: &[&'c Change]) -> Option<&'c Change> {
    let of_them = |change: &&Change| change.gained.iter().chain(&change.lost).any(|who| scope.is_about(who));
    // Of several in one second the later one counts.
    changes.iter().copied().filter(of_them).max_by_key(|change| change.by.when)
}

fn how(scopes: &[&Scope], own: &[(&Account, PathBuf)], changes: &[&Change], names_people: bool) -> Vec<How> {
    let mut found = Vec::new();
    let reused = own.iter().filter(|(account, _)| account.found.versions == 0).count();
    let accounts = own.len() - reused;
    for scope in scopes {
        let Scope::Keys { keys, .. } = scope else {
            if !found.contains(&How::Leak) {
                found.push(How::Leak);
            }
            continue;
        };
        let last = last(scope, changes);
        let until = last.filter(|change| loses(scope, change)).map(|change| change.by.when);
        // Who was let in again, or never taken out.
        let reads_now = || own.iter().any(|(account, _)| account.found.reads_now);
        let is_still = until.is_none() && (last.is_some() || reads_now());
        let names = keys.iter().map(|bearer| person(&bearer.name)).filter(|name| !name.is_empty());
        let names: BTreeSet<String> = names.filter(|_| names_people).collect();
        if accounts > 0 {
            found.push(How::Person { until, is_still, names: names.into_iter().collect(), accounts });
        }
    }
    if reused > 0 && !found.contains(&How::Leak) {
        found.push(How::Reused(reused));
    }
    found
}

/// Returns a user ID without comment and address: the client needs neither.
fn person(user_id: &str) -> String {
    user_id.split(['<', '(']).next().unwrap_or_default().trim().to_owned()
}

fn deeds(
    case: &Case,
    own: &[(&Account, PathBuf)],
    scopes: &[&Scope],
    changes: &[&Change],
) -> Vec<(i64, Deed)> {
    let incident = &case.known.incident;
    let mut deeds = vec![(incident.opened, Deed::Opened)];
    // Whose access was ended, and who was let in again, is nothing that was done about it.
    let ended = scopes.iter().filter(|scope| last(scope, changes).is_some_and(|last| loses(scope, last)));
    let ended: Vec<&&Scope> = ended.collect();
    let lost = changes.iter().filter(|change| ended.iter().any(|scope| loses(scope, change)));
    deeds.extend(lost.map(|change| (change.by.when, Deed::AccessEnded)));
    // What was done on one day is told at once.
    let (mut changed, mut settled) = (BTreeMap::new(), BTreeMap::new());
    for (account, name) in own {
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
