//! `rotate` alone: what must be changed.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::Asked;
use crate::cli::app::App;
use crate::cli::commands::audit::tell_gaps;
use crate::cli::commands::folder;
use crate::cli::commands::recipients::people::{
    ReaderRecord, counted, json, no_environment, path_text, reader_name,
};
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::entry::shown_entry;
use crate::model::{Keyring, Shown, date, day};
use crate::ops::readers::Reader;
use crate::ops::rotate::{self, Item, Listed, Reason, Rotation, State};

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    items: Vec<Row>,
    unread: usize,
    gaps: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    entry: String,
    state: &'static str,
    reason: &'static str,
    who: Vec<String>,
    why: String,
    left: Vec<String>,
    ask: Vec<ReaderRecord>,
    opened: String,
    incident: Option<String>,
    done: Option<DoneRow>,
    closed: Option<ClosedRow>,
    same_lines: bool,
    url: Option<String>,
}

#[derive(Serialize)]
struct DoneRow {
    when: String,
    commit: String,
    by: String,
}

#[derive(Serialize)]
struct ClosedRow {
    when: String,
    why: String,
}

/// Reads the list, and prints it as JSON or as `tell` does.
pub fn run(
    app: &App,
    asked: &Asked,
    tell: fn(&App, &Rotation) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let mut rotation = rotate::list(&context).map_err(|error| app.error(error))?;
    if let Some(name) = &asked.folder {
        let folder = folder(app, name)?;
        rotation.items.retain(|listed| listed.entry.starts_with(folder.as_path()));
    }
    match asked.json {
        true => app.ui.say(json(&report(&rotation)))?,
        false => tell(app, &rotation)?,
    }
    end(app, &rotation)
}

/// Says what the answer may lack; fails if it may lack something.
fn end(app: &App, rotation: &Rotation) -> Result<(), CliError> {
    if rotation.unread > 0 {
        let count = counted(rotation.unread, "item is", "items are");
        app.ui.warn(format!("{count} encrypted to others, who see more of the list than you do"));
    }
    if rotation.failed.is_empty() {
        tell_gaps(app, &rotation.gaps)?;
        return if rotation.unread == 0 { Ok(()) } else { Err(CliError::silent(exit::INCOMPLETE)) };
    }
    for error in &rotation.failed {
        app.ui.warn(CliError::from_error(error).text());
    }
    let _ = tell_gaps(app, &rotation.gaps);
    Err(CliError::silent(exit::FAILURE))
}

fn report(rotation: &Rotation) -> Report {
    Report {
        items: rotation.items.iter().map(|listed| row(rotation, listed)).collect(),
        unread: rotation.unread,
        gaps: rotation.gaps.clone(),
    }
}

fn row(rotation: &Rotation, listed: &Listed) -> Row {
    let Listed { path, item, entry, state, url, has_same_lines, .. } = listed;
    let none = Keyring::default();
    let record = |reader: &Reader| ReaderRecord::of(&rotation.keyring, &none, reader);
    Row {
        id: path_text(Path::new(path.file_stem().unwrap_or_default())),
        entry: path_text(&entry.with_extension("")),
        state: word(state),
        reason: item.reason.name(),
        who: item.who.clone(),
        why: item.why.clone(),
        left: left(state).to_vec(),
        ask: if let State::Unknown(ask) = state { ask.iter().map(record).collect() } else { Vec::new() },
        opened: date::moment(item.opened),
        incident: item.incident.clone(),
        done: match state {
            State::Changed(Some(done)) => Some(DoneRow {
                when: date::moment(done.moment.when),
                commit: done.moment.commit.to_string(),
                by: done.by.clone(),
            }),
            _ => None,
        },
        closed: match state {
            State::Closed(when, why) => Some(ClosedRow { when: date::moment(*when), why: why.clone() }),
            _ => None,
        },
        same_lines: *has_same_lines,
        url: url.clone(),
    }
}

fn word(state: &State) -> &'static str {
    match state {
        State::Open(_) => "open",
        State::Unknown(_) => "unknown",
        State::Gone => "gone",
        State::Changed(_) => "changed",
        State::Closed(..) => "closed",
    }
}

/// Returns the place of the section that an item belongs to; none if it is done.
fn section(state: &State) -> Option<usize> {
    match state {
        State::Open(_) => Some(0),
        State::Unknown(_) => Some(1),
        State::Gone => Some(2),
        State::Changed(_) | State::Closed(..) => None,
    }
}

/// Prints what must be changed.
pub fn tell(app: &App, rotation: &Rotation) -> Result<(), CliError> {
    let program = &app.ui.program;
    let titles = [
        "To be changed".to_owned(),
        "Unknown, as what stood then or what stands now cannot be decrypted here".to_owned(),
        format!(
            "Gone from the store: change or close the accounts, then `{program} rotate close NAME --why TEXT`"
        ),
    ];
    let mut gap = "";
    for (place, title) in titles.iter().enumerate() {
        let meant = rotation.items.iter().filter(|listed| section(&listed.state) == Some(place));
        let meant: Vec<&Listed> = meant.collect();
        let entries: Vec<&[&Listed]> = meant.chunk_by(|one, other| one.entry == other.entry).collect();
        if !entries.is_empty() {
            app.ui.say(format!("{gap}{title} ({}):", entries.len()))?;
            gap = "\n";
        }
        entries.into_iter().try_for_each(|listed| tell_entry(app, rotation, listed))?;
    }
    let done = super::status::done(rotation).count();
    let is_empty = rotation.unread == 0 && rotation.failed.is_empty();
    match (rotation.open().count(), done) {
        (0, 0) if is_empty => app.ui.say("Nothing is on the list.")?,
        (_, 0) => {}
        (0, done) if is_empty => app.ui.say(format!(
            "All is done: {}; `{program} rotate status` tells by whom.",
            counted(done, "entry", "entries")
        ))?,
        (_, done) => app.ui.say(format!(
            "\n{} done; `{program} rotate status` tells by whom.",
            counted(done, "entry is", "entries are")
        ))?,
    }
    Ok(())
}

/// Tells all reasons that there are for one entry.
fn tell_entry(app: &App, rotation: &Rotation, items: &[&Listed]) -> Result<(), CliError> {
    let first = items[0];
    let url = first.url.as_ref().map(|url| format!("  {}", Shown::new(url))).unwrap_or_default();
    app.ui.say(format!("  {}{url}", shown_entry(&first.entry)))?;
    reasons(items).into_iter().try_for_each(|reason| app.ui.say(format!("    {reason}")))?;
    if items.iter().any(|listed| listed.is_readable && listed.state.is_open()) {
        app.ui.say("    can be read with that key still: take the key out first, and then change it")?;
    }
    let left: BTreeSet<&str> =
        items.iter().flat_map(|listed| left(&listed.state)).map(String::as_str).collect();
    if left.iter().any(|secret| *secret != "password") {
        let left: Vec<&str> = left.into_iter().collect();
        app.ui.say(format!("    as it was: {}", Shown::new(&left.join(", "))))?;
    }
    if let State::Unknown(ask) = &first.state {
        let names: Vec<String> = ask.iter().map(|reader| reader_name(&rotation.keyring, reader)).collect();
        app.ui.say(match names.is_empty() {
            true => "    nobody can decrypt both: close it by hand".to_owned(),
            false => format!("    {} can tell", Shown::new(&names.join(", "))),
        })?;
    }
    Ok(())
}

/// Returns why an entry is on the list: each reason once, as an incident lists again what was listed before it.
fn reasons(items: &[&Listed]) -> Vec<String> {
    let mut all: Vec<(&Listed, String)> = Vec::new();
    for listed in items {
        let text = format!("{}, {}", told(&listed.item), day(listed.item.opened));
        let is_same = |(known, known_text): &(&Listed, String)| {
            let key = |listed: &Listed| (listed.item.reason, listed.item.who.clone(), listed.state.is_open());
            *known_text == text
                || (key(known) == key(listed) && (known.item.why.is_empty() || listed.item.why.is_empty()))
        };
        match all.iter_mut().find(|known| is_same(known)) {
            Some(known) if known.0.item.why.is_empty() => *known = (listed, text),
            Some(_) => {}
            None => all.push((listed, text)),
        }
    }
    all.into_iter().map(|(_, text)| text).collect()
}

fn left(state: &State) -> &[String] {
    if let State::Open(left) = state { left } else { &[] }
}

/// Returns why an entry is on the list, safe to show.
pub fn told(item: &Item) -> String {
    let who = Shown::new(&item.who.join(", ")).to_string();
    let why = Shown::new(&item.why).to_string();
    let words = match item.reason {
        Reason::Exposed if item.who.is_empty() => "exposed".to_owned(),
        Reason::Exposed => format!("exposed to {who}"),
        Reason::Leaked => "leaked".to_owned(),
        Reason::Reused => "reused".to_owned(),
        Reason::Weak => "weak".to_owned(),
        Reason::Short => "short".to_owned(),
        Reason::Old => "old".to_owned(),
        Reason::Asked => return why,
    };
    if why.is_empty() { words } else { format!("{words}: {why}") }
}
