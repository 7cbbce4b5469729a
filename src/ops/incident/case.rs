//! How things stand with an incident.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::story::{self, Event};
use super::{Found, Incident, KIND, Known, Scope};
use crate::git::versions::Content;
use crate::model::Keyring;
use crate::model::entry::shown_entry;
use crate::ops::audit::Past;
use crate::ops::audit::exposure::Verdict;
use crate::ops::audit::past::content_of;
use crate::ops::history::Who;
use crate::ops::history::access::{self, Change, Chronicle};
use crate::ops::readers::{self, Reader};
use crate::ops::rotate::{self, Item, Listed, Reason, State};
use crate::ops::{Context, OpError, records};
use crate::store::StoreError;
use crate::store::beneath::BeneathError;

/// So many entries that could not be compared are named; more are counted.
const NAMED: usize = 5;

/// How things stand with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was to be changed when the incident was opened.
    Since(State),
    /// It had been changed before.
    ChangedBefore,
    /// It was gone before.
    GoneBefore,
}

impl Standing {
    /// Whether somebody is to do something that can be seen here.
    pub fn is_open(&self) -> bool {
        matches!(self, Standing::Since(state) if state.is_open())
    }
}

/// An entry of an incident.
#[derive(Debug)]
pub struct Account {
    /// What was written of it when the incident was opened.
    pub found: Found,
    /// Its file now, or the last one that it had.
    pub entry: PathBuf,
    /// How things stand.
    pub standing: Standing,
    /// Where the account is. Not safe to show.
    pub url: Option<String>,
    /// Whether other lines in it, of which nobody can say whether they are secret, are as they were.
    pub has_same_lines: bool,
    /// The places of the scopes whose keys can read what stands now.
    pub readable: BTreeSet<usize>,
    /// The items about it; those that are not on the rotation list have no file.
    pub items: Vec<Listed>,
}

impl Account {
    /// Returns all names that it is or was known by, the present one first.
    pub fn names(&self) -> impl Iterator<Item = &Path> {
        let former = self.found.former.iter().map(PathBuf::as_path);
        [&*self.entry, &*self.found.entry].into_iter().chain(former)
    }

    /// Returns the kinds of secrets that are to be changed, or were, the password in front.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.found.secrets.clone();
        secrets.extend(self.left().iter().cloned());
        secrets.sort_by_key(|name| (name != "password", name.clone()));
        secrets.dedup();
        secrets
    }

    /// Returns those of them that are as they were.
    pub fn left(&self) -> &[String] {
        if let Standing::Since(State::Open(left)) = &self.standing { left } else { &[] }
    }
}

/// An incident, and how things stand.
pub struct Case {
    /// The incident.
    pub known: Known,
    /// Its entries: what remains to be done in front.
    pub accounts: Vec<Account>,
    /// What was done, the oldest first.
    pub story: Vec<Event>,
    /// By which commits those whom the incident is about gained and lost access, the oldest first.
    pub access: Vec<Change>,
    /// How many items of the rotation list are encrypted to others.
    pub unread: usize,
    /// Records that could not be read, and may be about it.
    pub failed: Vec<OpError>,
    /// Why the answer may lack something.
    pub gaps: Vec<String>,
    /// Whether one of these reasons is not about certain entries alone.
    pub is_cut: bool,
}

/// Returns how things stand with an incident. `failed` is what could not be read of the incidents.
pub fn case(context: &Context<'_>, known: Known, mut failed: Vec<OpError>) -> Result<Case, OpError> {
    let repo = access::open(context)?;
    let chronicle = Chronicle::read(&repo)?;
    let rotation = rotate::list(context)?;
    let mut items = rotation.items;
    let accounts = accounts(context, &known, &mut items)?;
    let (changes, mut gaps) = chronicle.access(context);
    gaps.extend(known.incident.gaps.iter().cloned().chain(Past::read(context)?.gaps()));
    gaps.extend(records::open_to_others(context, KIND)?);
    let mut seen = BTreeSet::new();
    gaps.retain(|gap| seen.insert(gap.clone()));
    let is_cut = !gaps.is_empty();
    gaps.extend(untold(&known.incident.unread));
    let story = story::story(&known, &accounts, &changes, &chronicle)?;
    let is_meant =
        |change: &Change| change.gained.iter().chain(&change.lost).any(|who| is_about(&known.incident, who));
    let access = changes.into_iter().filter(is_meant).collect();
    failed.extend(rotation.failed);
    Ok(Case { known, accounts, story, access, unread: rotation.unread, failed, gaps, is_cut })
}

/// Says of which entries nobody could tell when the incident was opened.
fn untold(entries: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = entries.iter().map(|path| shown_entry(path)).collect();
    let (first, rest) = names.split_at(names.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    (!names.is_empty()).then(|| {
        format!(
            "{}{more} could not be compared when it was opened, as they could not be decrypted or have hidden recipients",
            first.join(", ")
        )
    })
}

/// Takes what is about an incident out of `items`, and returns how things stand with its entries: what remains in front.
pub(super) fn accounts(
    context: &Context<'_>,
    known: &Known,
    items: &mut Vec<Listed>,
) -> Result<Vec<Account>, OpError> {
    let is_meant = |listed: &mut Listed| listed.item.incident.as_ref() == Some(&known.id);
    let mut items: Vec<Listed> = items.extract_if(.., is_meant).collect();
    items.extend(unlisted(context, &known.incident, &items)?);
    let mut accounts: Vec<Account> = Vec::new();
    for found in &known.incident.found {
        let is_about = |listed: &mut Listed| listed.item.entry == found.entry;
        accounts.push(account(found.clone(), items.extract_if(.., is_about).collect()));
    }
    let keys = context.crypto.keys().map_err(|source| OpError::Keyring { source })?;
    let keyring = Keyring::new(keys);
    for account in &mut accounts {
        account.readable = readable(context, &keyring, &known.incident, &account.entry)?;
    }
    accounts.sort_by_cached_key(|account| (rank(&account.standing), account.entry.clone()));
    Ok(accounts)
}

/// Returns the places of the scopes whose keys can read what stands at `path`.
fn readable(
    context: &Context<'_>,
    keyring: &Keyring,
    incident: &Incident,
    path: &Path,
) -> Result<BTreeSet<usize>, OpError> {
    let bytes = match context.store.beneath().read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) | Err(BeneathError::Link(_) | BeneathError::Kind(..)) => return Ok(BTreeSet::new()),
        Err(error) => return Err(StoreError::from(error).into()),
    };
    let Content::Message { readers: ids, .. } = content_of(&bytes) else { return Ok(BTreeSet::new()) };
    let names = ids.iter().flat_map(|id| readers::of_id(keyring, *id)).map(|reader| match reader {
        Reader::Key(key) => key.to_string(),
        Reader::Unknown(id) => id.to_string(),
        Reader::Hidden => String::new(),
    });
    let names: BTreeSet<String> = names.collect();
    let scopes = incident.about.iter().enumerate().filter(|(_, scope)| match scope {
        Scope::Keys { keys, .. } => keys.iter().any(|bearer| names.contains(&bearer.key)),
        _ => false,
    });
    Ok(scopes.map(|(place, _)| place).collect())
}

/// Whether the incident is about somebody who could read what they should not know.
pub(super) fn is_about(incident: &Incident, who: &Who) -> bool {
    incident.about.iter().any(|scope| scope.is_about(who))
}

/// Looks at entries that were to be changed, and are not on the list.
fn unlisted(context: &Context<'_>, incident: &Incident, items: &[Listed]) -> Result<Vec<Listed>, OpError> {
    let listed: BTreeSet<&Path> = items.iter().map(|listed| &*listed.item.entry).collect();
    let is_missing = |found: &&Found| {
        matches!(found.verdict, Verdict::Valid | Verdict::Unknown) && !listed.contains(&*found.entry)
    };
    let keys = incident.about.iter().flat_map(|scope| match scope {
        Scope::Keys { keys, .. } => &keys[..],
        _ => &[],
    });
    let mut keys: Vec<String> = keys.map(|bearer| bearer.key.clone()).collect();
    keys.sort();
    let item = |found: &Found| {
        Some(Item {
            entry: found.entry.clone(),
            blob: found.blob?,
            secrets: found.secrets.clone(),
            reason: Reason::Exposed,
            who: Vec::new(),
            keys: keys.clone(),
            why: String::new(),
            opened: incident.opened,
            incident: None,
        })
    };
    let missing: Vec<Item> = incident.found.iter().filter(is_missing).filter_map(item).collect();
    if missing.is_empty() { Ok(Vec::new()) } else { rotate::look(context, missing) }
}

fn account(found: Found, items: Vec<Listed>) -> Account {
    let worst = items.iter().min_by_key(|listed| pressing(&listed.state));
    let (entry, url) = match worst {
        Some(listed) => (listed.entry.clone(), listed.url.clone()),
        None => (found.entry.clone(), None),
    };
    let standing = match (worst, found.verdict) {
        (None, Verdict::Changed) => Standing::ChangedBefore,
        (None, Verdict::Gone) => Standing::GoneBefore,
        // The file went in the moment in which the record was written.
        (None, Verdict::Valid | Verdict::Unknown) => Standing::Since(State::Gone),
        (Some(listed), _) => Standing::Since(match &listed.state {
            State::Open(_) => State::Open(left(&items)),
            other => other.clone(),
        }),
    };
    let has_same_lines = items.iter().any(|listed| listed.has_same_lines);
    Account { found, entry, standing, url, has_same_lines, readable: BTreeSet::new(), items }
}

/// Returns all secrets that are as they were, whoever asks for their change.
fn left(items: &[Listed]) -> Vec<String> {
    let all = items.iter().filter_map(|listed| match &listed.state {
        State::Open(left) => Some(left),
        _ => None,
    });
    let all: BTreeSet<&String> = all.flatten().collect();
    all.into_iter().cloned().collect()
}

/// Returns the order of items about one entry: what remains first, then what was done last.
fn pressing(state: &State) -> (usize, i64) {
    match state {
        State::Open(_) => (0, 0),
        State::Unknown(_) => (1, 0),
        State::Gone => (2, 0),
        State::Changed(done) => (3, done.as_ref().map_or(i64::MIN, |done| -done.moment.when)),
        State::Closed(when, _) => (4, -when),
    }
}

fn rank(standing: &Standing) -> usize {
    match standing {
        Standing::Since(state) => pressing(state).0,
        Standing::GoneBefore => 2,
        Standing::ChangedBefore => 5,
    }
}
