//! What was done about an incident, by whom and when, out of git.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Known;
use super::case::{Account, is_about};
use crate::ops::OpError;
use crate::ops::audit::past::short;
use crate::ops::history::Who;
use crate::ops::history::access::{By, Change, Chronicle};
use crate::ops::rotate::State;

/// Something that was done. Nothing of it is safe to show as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds since 1970.
    pub when: i64,
    /// The author, name and address; none if it is not committed.
    pub by: Option<String>,
    /// The first digits of the commit.
    pub commit: Option<String>,
    /// What.
    pub what: What,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The incident was opened.
    Opened,
    /// The secrets of the entry were changed.
    Changed(PathBuf),
    /// Somebody said that the entry is done, and why.
    Settled(PathBuf, String),
    /// Who can read a folder was changed.
    Access {
        /// The folder.
        folder: PathBuf,
        /// Who can read it since.
        gained: Vec<Who>,
        /// Who no longer can.
        lost: Vec<Who>,
    },
    /// Somebody had something to say.
    Note(String),
    /// The incident was closed, and why.
    Closed(String),
}

/// Returns what was done, the oldest first.
pub(super) fn story(
    known: &Known,
    accounts: &[Account],
    changes: &[Change],
    chronicle: &Chronicle<'_>,
) -> Result<Vec<Event>, OpError> {
    let mut events = own(known, chronicle)?;
    let order = chronicle.order();
    let place = |commit: &String| order.get(commit).copied();
    // The newest commit then stands for the moment: several commits are made in a second.
    let head = known.incident.head.and_then(|head| place(&short(head)));
    let is_after = |by: &By| head.is_some() && place(&by.commit) > head;
    let is_later = |by: &By| by.when > known.incident.opened || is_after(by);
    let is_relevant = |change: &&Change| {
        let rules = |account: &Account| account.names().any(|name| name.starts_with(&change.folder));
        change.lost.iter().any(|who| is_about(&known.incident, who))
            || (is_later(&change.by) && accounts.iter().any(rules))
    };
    events.extend(changes.iter().filter(is_relevant).map(|change| Event {
        when: change.by.when,
        by: Some(change.by.author.clone()),
        commit: Some(change.by.commit.clone()),
        what: What::Access {
            folder: change.folder.clone(),
            gained: change.gained.clone(),
            lost: change.lost.clone(),
        },
    }));
    for account in accounts {
        events.extend(done(account, chronicle)?);
    }
    events.sort_by_key(|event| (event.when, event.commit.as_ref().and_then(place)));
    Ok(events)
}

/// Returns what was done about an entry.
fn done(account: &Account, chronicle: &Chronicle<'_>) -> Result<Vec<Event>, OpError> {
    let (mut events, mut seen) = (Vec::new(), BTreeSet::new());
    for listed in &account.items {
        match &listed.state {
            State::Changed(Some(done)) if seen.insert(done.moment.commit) => events.push(Event {
                when: done.moment.when,
                by: Some(done.by.clone()),
                commit: Some(short(done.moment.commit)),
                what: What::Changed(account.entry.clone()),
            }),
            State::Closed(when, why) => {
                let settled = What::Settled(account.entry.clone(), why.clone());
                events.push(written(chronicle, listed.closing.as_deref(), *when, settled)?);
            }
            _ => {}
        }
    }
    Ok(events)
}

/// Returns what the incident's own records tell.
fn own(known: &Known, chronicle: &Chronicle<'_>) -> Result<Vec<Event>, OpError> {
    let mut events = vec![written(chronicle, Some(&known.path), known.incident.opened, What::Opened)?];
    for (path, remark) in &known.remarks {
        let what = if remark.closes { What::Closed } else { What::Note };
        events.push(written(chronicle, Some(path), remark.when, what(remark.text.clone()))?);
    }
    Ok(events)
}

/// Returns what a record tells, which is never written to again, so that it is of the commit that brought it; others only
/// encrypted it anew.
fn written(chronicle: &Chronicle<'_>, path: Option<&Path>, when: i64, what: What) -> Result<Event, OpError> {
    let commits = path.map(|path| chronicle.of_file(path)).transpose()?.unwrap_or_default();
    let (by, commit) = commits.into_iter().next().map(|by| (by.author, by.commit)).unzip();
    Ok(Event { when, by, commit, what })
}
