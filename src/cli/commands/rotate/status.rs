//! `rotate status`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Asked;
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::entry::shown_entry;
use crate::model::{Shown, day};
use crate::ops::rotate::{Listed, Rotation, State};

/// Tell how far it has come: what is to be changed in each folder, and what has been, by whom.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Exit codes: those of `rotate`.\n\nExamples:\n  passel rotate status")]
pub struct Args {
    /// What is asked for.
    #[command(flatten)]
    pub asked: Asked,
}

/// How many entries of a folder are how far.
#[derive(Default)]
struct Count {
    open: usize,
    unknown: usize,
    done: usize,
}

/// Prints how far it has come.
pub fn tell(app: &App, rotation: &Rotation) -> Result<(), CliError> {
    let mut table = Table::new(&["FOLDER", "TO BE CHANGED", "UNKNOWN", "DONE"]);
    let counts = counts(rotation);
    if counts.is_empty() {
        if rotation.unread == 0 && rotation.failed.is_empty() {
            app.ui.say("Nothing is on the list.")?;
        }
        return Ok(());
    }
    for (folder, count) in counts {
        let folder =
            if folder.as_os_str().is_empty() { "/".to_owned() } else { Shown::os(&folder).to_string() };
        table.row([folder, count.open.to_string(), count.unknown.to_string(), count.done.to_string()]);
    }
    for line in table.lines(0) {
        app.ui.say(line)?;
    }
    let done: Vec<&Listed> = done(rotation).collect();
    if !done.is_empty() {
        app.ui.say(format!("\nDone ({}):", done.len()))?;
    }
    for listed in done {
        let lines = if listed.has_same_lines { "; other lines in it are as they were" } else { "" };
        app.ui.say(format!("  {}  {}{lines}", shown_entry(&listed.entry), told(&listed.state)))?;
    }
    Ok(())
}

/// Returns the items of entries about which nothing is open: for each the one that was done last.
pub fn done(rotation: &Rotation) -> impl Iterator<Item = &Listed> {
    let open: BTreeSet<&Path> = rotation.open().map(|listed| &*listed.entry).collect();
    let mut last: BTreeMap<&Path, &Listed> = BTreeMap::new();
    for listed in rotation.items.iter().filter(|listed| !open.contains(&*listed.entry)) {
        last.entry(&listed.entry).and_modify(|known| *known = newer(known, listed)).or_insert(listed);
    }
    last.into_values()
}

fn newer<'r>(one: &'r Listed, other: &'r Listed) -> &'r Listed {
    let when = |listed: &Listed| match &listed.state {
        State::Changed(done) => done.as_ref().map_or(i64::MAX, |done| done.moment.when),
        State::Closed(when, _) => *when,
        _ => i64::MIN,
    };
    if when(other) > when(one) { other } else { one }
}

fn counts(rotation: &Rotation) -> BTreeMap<PathBuf, Count> {
    let mut worst: BTreeMap<&Path, &State> = BTreeMap::new();
    let rank = |state: &State| match state {
        State::Open(_) | State::Gone => 0,
        State::Unknown(_) => 1,
        State::Changed(_) | State::Closed(..) => 2,
    };
    for Listed { entry, state, .. } in &rotation.items {
        let known = worst.entry(entry).or_insert(state);
        if rank(state) < rank(known) {
            *known = state;
        }
    }
    let mut counts: BTreeMap<PathBuf, Count> = BTreeMap::new();
    for (entry, state) in worst {
        let folder = entry.parent().unwrap_or(Path::new("")).to_path_buf();
        let count = counts.entry(folder).or_default();
        match rank(state) {
            0 => count.open += 1,
            1 => count.unknown += 1,
            _ => count.done += 1,
        }
    }
    counts
}

/// Returns how an item came to be done, safe to show.
pub fn told(state: &State) -> String {
    match state {
        State::Changed(Some(done)) => {
            format!("changed on {} by {}", day(done.moment.when), Shown::new(&done.by))
        }
        State::Changed(None) => "changed, and not committed".to_owned(),
        State::Closed(when, why) => format!("closed on {}: {}", day(*when), Shown::new(why)),
        State::Open(_) | State::Unknown(_) | State::Gone => "open".to_owned(),
    }
}
