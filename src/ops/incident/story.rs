//! What was done about an incident, by whom and when, out of git.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Known;
use super::case::{Account, is_about};
use crate::model::date;
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
    let mut events = own(known, &chronicle.of_file(&known.path)?);
    let is_relevant = |change: &&Change| {
        let rules = |account: &Account| account.names().any(|name| name.starts_with(&change.folder));
        change.lost.iter().any(|who| is_about(&known.incident, who))
            || (change.by.when >= known.incident.opened && accounts.iter().any(rules))
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
    let order = chronicle.order();
    let place = |event: &Event| event.commit.as_ref().and_then(|commit| order.get(commit).copied());
    events.sort_by_key(|event| (event.when, place(event)));
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
                let when = when.unwrap_or(listed.item.opened);
                let by =
                    assign(&[listed.item.opened, when], &chronicle.of_file(&listed.path)?).pop().flatten();
                events.push(event(when, by, What::Settled(account.entry.clone(), why.clone())));
            }
            _ => {}
        }
    }
    Ok(events)
}

/// Returns what the incident's own record tells.
fn own(known: &Known, commits: &[By]) -> Vec<Event> {
    let incident = &known.incident;
    let mut told = vec![(incident.opened, What::Opened)];
    for note in &incident.notes {
        told.push((date::end(&note.when).unwrap_or(incident.opened), What::Note(note.text.clone())));
    }
    if let Some(closed) = &incident.closed {
        let when = date::end(&closed.when).unwrap_or(incident.opened);
        told.push((when, What::Closed(closed.why.clone())));
    }
    told[1..].sort_by_key(|(when, _)| *when);
    let moments: Vec<i64> = told.iter().map(|(when, _)| *when).collect();
    let by = assign(&moments, commits);
    told.into_iter().zip(by).map(|((when, what), by)| event(when, by, what)).collect()
}

fn event(when: i64, by: Option<By>, what: What) -> Event {
    let (by, commit) = by.map(|by| (by.author, by.commit)).unzip();
    Event { when, by, commit, what }
}

/// Returns the commit that wrote each of the things that a record tells, given when that was: the first brought the
/// record, and each other one is that of the later commits which is nearest in time. Others only encrypted it anew.
fn assign(moments: &[i64], commits: &[By]) -> Vec<Option<By>> {
    let mut found = Vec::new();
    let mut next = 0;
    for (place, moment) in moments.iter().enumerate() {
        // Enough are left for what follows.
        let end = commits.len().saturating_sub(moments.len() - place - 1).max(next);
        let candidates = if place == 0 { next..end.min(1) } else { next..end };
        let nearest = candidates.min_by_key(|commit| (commits[*commit].when - moment).unsigned_abs());
        next = nearest.map_or(next, |commit| commit + 1);
        found.push(nearest.map(|commit| commits[commit].clone()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(times: &[i64]) -> Vec<By> {
        let by = |(place, when): (usize, &i64)| By {
            commit: place.to_string(),
            when: *when,
            author: String::new(),
        };
        times.iter().enumerate().map(by).collect()
    }

    fn assigned(moments: &[i64], times: &[i64]) -> Vec<Option<usize>> {
        let found = assign(moments, &commits(times)).into_iter();
        found.map(|by| by.map(|by| by.commit.parse().unwrap())).collect()
    }

    #[test]
    fn each_thing_told_is_of_the_commit_that_wrote_it() {
        assert_eq!(assigned(&[10, 20, 30], &[10, 20, 30]), [Some(0), Some(1), Some(2)]);
        assert_eq!(assigned(&[10, 10, 10], &[10, 10, 10]), [Some(0), Some(1), Some(2)], "in one second");
        assert_eq!(assigned(&[10, 30], &[10, 20, 31, 40]), [Some(0), Some(2)], "others encrypted it anew");
        assert_eq!(assigned(&[10, 20], &[]), [None, None], "it is not committed");
        assert_eq!(assigned(&[10, 20], &[10]), [None, Some(0)], "older commits are not here");
        assert_eq!(assigned(&[10], &[500, 510]), [Some(0)], "the clocks differed");
    }
}
