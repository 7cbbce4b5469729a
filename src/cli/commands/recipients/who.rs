//! `recipients who`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use super::people::{
    TalliedRecord, counted, held_of, json, list_names, no_environment, path_text, reader_cells,
};
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::cli::table::Table;
use crate::model::entry::is_record;
use crate::model::entry::shown_entry;
use crate::model::{Keyring, Shown, argument};
use crate::ops::readers::{Reader, Tally, is_missing, survey, waiting, waiting_for, who};
use crate::ops::review::Held;
use crate::store::survey::{Entry, Standing, Survey};

/// Tell who can read an entry or a folder: from the entries themselves, beside what the recipients files say.
///
/// Every entry holds a packet for each key that it is encrypted to, with the ID of that key. These packets
/// are counted, nothing is decrypted. Older versions in git's history are not looked at.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The entry or folder; `/` is the whole store.
    #[arg(value_name = "PATH")]
    pub path: OsString,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str =
    "READS counts the entries with a packet for the key, NAMED those whose recipients file names it.

JSON: an object with
  total      how many entries there are
  files      the recipients files that rule them
  readers    an array: kind (key, of the keyring; waiting, in the store but not imported; unknown; hidden),
             fingerprint, key_id (of keys that are not in the keyring), name, email, reads, named
  off        entries that are not as their recipients files say, and that an update brings in line
  held       entries that are held back, as they were encrypted for others elsewhere
  unclear    entries whose recipients files name keys that are not known
  broken     entries that are no messages
What is not known is null.

Examples:
  passel recipients who web/gitlab
  passel recipients who clients/acme
  passel recipients who / --json | jq -r '.readers[].name'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    total: usize,
    files: Vec<String>,
    readers: Vec<TalliedRecord>,
    off: Vec<String>,
    held: Vec<String>,
    unclear: Vec<String>,
    broken: Vec<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let mut survey = survey(&context, &args.path).map_err(|e| app.error(e))?;
    // Records of ours are counted only where somebody asks about them.
    if !is_record(Path::new(&args.path)) {
        survey.entries.retain(|entry| !is_record(&entry.path));
    }
    let waiting = waiting(&context, &survey);
    let readers = who(&survey, &waiting);
    let held = held_of(app, &context, survey.entries.iter());
    let report = report(&survey, &waiting, &readers, &held);
    if args.json {
        app.ui.say(json(&report))?;
    } else if report.total == 0 {
        app.ui.say("There is no entry.")?;
    } else {
        let total = counted(report.total, "entry", "entries");
        app.ui.say(format!("{total}, ruled by {}:", list_names(&report.files)))?;
        for line in table(&survey, &waiting, &readers).lines(2) {
            app.ui.say(line)?;
        }
        tell_standings(app, &report)?;
        let is_waiting =
            |reader: &Reader| matches!(reader, Reader::Unknown(id) if waiting_for(&waiting, *id).is_some());
        if readers.keys().any(is_waiting) {
            app.ui
                .say(format!("`{} keys import` takes in the keys that are in the store.", app.ui.program))?;
        }
    }
    let broken = survey.entries.iter().filter(|entry| matches!(entry.standing, Standing::Broken(_)));
    tell_broken(app, &broken.collect::<Vec<_>>())
}

fn report(survey: &Survey, waiting: &Keyring, readers: &BTreeMap<Reader, Tally>, held: &Held) -> Report {
    let names = |which: &dyn Fn(&Entry) -> bool| -> Vec<String> {
        let entries = survey.entries.iter().filter(|entry| which(entry));
        entries.map(|entry| path_text(&entry.path.with_extension(""))).collect()
    };
    let row = |(reader, tally): (&Reader, &Tally)| TalliedRecord::of(&survey.keyring, waiting, reader, tally);
    Report {
        total: survey.entries.len(),
        files: survey.lists.keys().map(|file| path_text(file)).collect(),
        readers: readers.iter().map(row).collect(),
        off: names(&|entry| entry.standing.is_off() && !held.contains_key(&entry.path)),
        held: names(&|entry| held.contains_key(&entry.path)),
        unclear: names(&|entry| entry.standing == Standing::Unclear),
        broken: names(&|entry| matches!(entry.standing, Standing::Broken(_))),
    }
}

fn table(survey: &Survey, waiting: &Keyring, readers: &BTreeMap<Reader, Tally>) -> Table {
    let total = survey.entries.len();
    let all_known = survey.lists.values().flat_map(|list| &list.lines).all(|line| !is_missing(line));
    let mut table = Table::new(&["KEY", "NAME", "READS", "NAMED", ""]);
    for (reader, tally) in readers {
        let [key, name] = reader_cells(&survey.keyring, waiting, reader);
        // Whose key that is, and whether it is named, only the key itself can tell.
        let remark = match (reader, tally.reads, tally.named) {
            (Reader::Unknown(id), ..) if waiting_for(waiting, *id).is_some() => "its key is not imported yet",
            (Reader::Unknown(_), ..) if !all_known => "perhaps named: not all keys are imported",
            (_, _, 0) => "reads, but is not named",
            (_, 0, _) => "is named, but cannot read",
            (_, reads, named) if reads != named => "differs",
            _ => " ",
        };
        let cells = [key, name, format!("{}/{total}", tally.reads), format!("{}/{total}", tally.named)];
        table.row(cells.into_iter().chain([remark.to_owned()]));
    }
    table
}

/// Says which entries do not agree with their recipients files.
fn tell_standings(app: &App, report: &Report) -> Result<(), CliError> {
    let program = &app.ui.program;
    if !report.off.is_empty() {
        app.ui.say(format!("Not as the recipients files say: {}.", list_names(&report.off)))?;
        app.ui.say(format!("`{program} recipients update` mends that."))?;
    }
    if !report.held.is_empty() {
        app.ui.say(format!("Held back, as encrypted for others elsewhere: {}.", list_names(&report.held)))?;
        let one = if let [one] = &report.held[..] {
            format!(" {}", argument(Path::new(one)))
        } else {
            String::new()
        };
        app.ui.say(format!("`{program} recipients review{one}` shows where from."))?;
    }
    if !report.unclear.is_empty() {
        let names = list_names(&report.unclear);
        app.ui.say(format!("Their recipients files name keys that are not known: {names}."))?;
        app.ui.say(format!("`{program} recipients check` says which."))?;
    }
    Ok(())
}

/// Fails for entries that do not say who can read them, and says why.
pub fn tell_broken(app: &App, entries: &[&Entry]) -> Result<(), CliError> {
    for entry in entries {
        if let Standing::Broken(why) = &entry.standing {
            app.ui.warn(format!("error: `{}`: {}", shown_entry(&entry.path), Shown::new(why)));
        }
    }
    if entries.is_empty() { Ok(()) } else { Err(CliError::silent(exit::FAILURE)) }
}
