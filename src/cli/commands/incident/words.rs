//! What is told of an incident, for the terminal and for reports.

use std::collections::BTreeMap;
use std::path::Path;

use super::report::document::{Piece, Text, Tone, joined, ours, plain};
use crate::cli::app::App;
use crate::cli::commands::proposal::Names;
use crate::cli::commands::recipients::people::path_text;
use crate::model::Shown;
use crate::model::entry::shown_entry;
use crate::ops::audit::exposure::Verdict;
use crate::ops::history::Who;
use crate::ops::incident::{Account, Bearer, Event, Incident, Scope, Standing, What};
use crate::ops::rotate::State;

/// What keys are called: by the keyring, or else as they were called when the incident was opened.
pub struct People {
    names: Names,
    then: BTreeMap<String, String>,
}

impl People {
    /// Reads the keyring.
    pub fn read(app: &App, incident: &Incident) -> Self {
        let bearers = incident.about.iter().flat_map(|scope| match scope {
            Scope::Keys { keys: bearers, .. }
            | Scope::Entry { readers: bearers, .. }
            | Scope::Commit { readers: bearers, .. } => bearers,
        });
        let then = bearers.filter(|bearer| !bearer.name.is_empty());
        let then = then.map(|bearer| (bearer.key.clone(), bearer.name.clone())).collect();
        People { names: Names::read(app), then }
    }

    /// Returns whom a list names; not safe to show.
    pub fn name(&self, who: &Who) -> String {
        match who {
            Who::Key(key) => {
                let name = self.names.get(key).or_else(|| self.then.get(key.as_str()).map(String::as_str));
                name.map_or_else(|| key.to_string(), str::to_owned)
            }
            Who::Name(name) => name.clone(),
        }
    }
}

/// Returns an entry's name.
pub fn entry(path: &Path) -> Piece {
    Piece::Name(shown_entry(path))
}

/// Returns a folder's name.
pub fn folder(path: &Path) -> Piece {
    match path.as_os_str().is_empty() {
        true => ours("the store"),
        false => Piece::Name(Shown::os(path).to_string()),
    }
}

/// Returns what an incident is about.
pub fn scope(scope: &Scope) -> Text {
    match scope {
        Scope::Keys { called, .. } => {
            vec![ours("what "), Piece::Foreign(called.clone()), ours(" could read")]
        }
        Scope::Entry { entry: path, .. } => vec![ours("the entry "), entry(path), ours(", which leaked")],
        Scope::Commit { commit, .. } => {
            let short = commit.get(..10).unwrap_or(commit);
            vec![ours("the commit "), Piece::Name(short.to_owned()), ours(", which leaked")]
        }
    }
}

/// Returns a key and whose it is.
pub fn bearer(bearer: &Bearer) -> Text {
    match bearer.name.is_empty() {
        true => vec![Piece::Name(bearer.key.clone())],
        false => {
            vec![Piece::Foreign(bearer.name.clone()), ours(", key "), Piece::Name(bearer.key.clone())]
        }
    }
}

/// Returns how an entry stood when the incident was opened.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "as it was exposed",
        Verdict::Unknown => "unknown",
        Verdict::Changed => "changed before",
        Verdict::Gone => "gone",
    }
}

/// Returns the name of a verdict in JSON. Names never change.
pub fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Unknown => "unknown",
        Verdict::Changed => "changed",
        Verdict::Gone => "gone",
    }
}

/// Returns the name of how things stand in JSON. Names never change.
pub fn standing_name(standing: &Standing) -> &'static str {
    match standing {
        Standing::ChangedBefore => "changed-before",
        Standing::GoneBefore => "gone-before",
        Standing::Since(State::Open(_)) => "open",
        Standing::Since(State::Unknown(_)) => "unknown",
        Standing::Since(State::Gone) => "gone",
        Standing::Since(State::Changed(_)) => "changed",
        Standing::Since(State::Closed(..)) => "closed",
    }
}

/// What is said of an entry whose secrets have changed, and other lines have not.
const SAME_LINES: &str = "; other lines in it are as they were";

/// Returns how things stand with an entry.
pub fn standing(account: &Account) -> Text {
    let mut text = stands(&account.standing);
    let is_changed = matches!(account.standing, Standing::Since(State::Changed(_)));
    text.extend(Some(ours(SAME_LINES)).filter(|_| is_changed && account.has_same_lines));
    let left = account.left();
    if !left.is_empty() && left != ["password"] {
        text.push(Piece::Foreign(format!(" ({})", left.join(", "))));
    }
    text
}

fn stands(standing: &Standing) -> Text {
    match standing {
        Standing::ChangedBefore => vec![Piece::Mark(Tone::Good, "changed"), ours(" before it was opened")],
        Standing::GoneBefore => vec![Piece::Mark(Tone::Care, "gone"), ours(" before it was opened")],
        Standing::Since(State::Open(_)) => vec![Piece::Mark(Tone::Bad, "open")],
        Standing::Since(State::Unknown(_)) => vec![Piece::Mark(Tone::Care, "unknown")],
        Standing::Since(State::Gone) => vec![Piece::Mark(Tone::Care, "gone")],
        Standing::Since(State::Changed(None)) => {
            vec![Piece::Mark(Tone::Good, "changed"), ours(", and not committed")]
        }
        Standing::Since(State::Changed(Some(done))) => vec![
            Piece::Mark(Tone::Good, "changed"),
            ours(" on "),
            Piece::Day(done.moment.when),
            ours(" by "),
            Piece::Foreign(done.by.clone()),
        ],
        Standing::Since(State::Closed(when, why)) => vec![
            Piece::Mark(Tone::Good, "closed"),
            ours(" on "),
            Piece::Day(*when),
            ours(": "),
            Piece::Foreign(why.clone()),
        ],
    }
}

/// Returns what was done.
pub fn event(event: &Event, people: &People) -> Text {
    match &event.what {
        What::Opened => vec![ours("opened the incident")],
        What::Changed(path) => vec![ours("changed "), entry(path)],
        What::Settled(path, why) => {
            vec![ours("closed "), entry(path), ours(" by hand: "), Piece::Foreign(why.clone())]
        }
        What::Access { folder: path, gained, lost } => {
            let names =
                |who: &[Who]| joined(who.iter().map(|who| vec![Piece::Foreign(people.name(who))]), ", ");
            let mut text = vec![ours("changed who can read "), folder(path), ours(": ")];
            let verbs = [("no longer ", lost), ("from then on ", gained)];
            let parts = verbs.into_iter().filter(|(_, who)| !who.is_empty());
            text.extend(joined(parts.map(|(verb, who)| [vec![ours(verb)], names(who)].concat()), "; "));
            text
        }
        What::Note(words) => vec![ours("noted: "), Piece::Foreign(words.clone())],
        What::Closed(why) => vec![ours("closed the incident: "), Piece::Foreign(why.clone())],
    }
}

/// Returns the name of what was done in JSON. Names never change.
pub fn event_name(what: &What) -> &'static str {
    match what {
        What::Opened => "opened",
        What::Changed(_) => "changed",
        What::Settled(..) => "entry-closed",
        What::Access { .. } => "access-changed",
        What::Note(_) => "note",
        What::Closed(_) => "closed",
    }
}

/// Returns a line of the log, safe to show.
pub fn log_line(told: &Event, people: &People) -> String {
    let by = told.by.as_deref().unwrap_or("somebody (not committed)");
    let text = [Piece::Minute(told.when), ours("  "), Piece::Foreign(by.to_owned()), ours("  ")].into_iter();
    plain(&text.chain(event(told, people)).collect::<Vec<_>>())
}

/// Returns an entry's name for programs.
pub fn name_text(path: &Path) -> String {
    path_text(&path.with_extension(""))
}
