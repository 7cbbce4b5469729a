//! `recipients who`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::people::{counted, list_names, no_environment, reader_cells};
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::cli::table::Table;
use crate::model::Shown;
use crate::model::entry::shown_entry;
use crate::ops::readers::{Reader, Tally, survey, who};
use crate::store::survey::{Entry, Standing, Survey};

/// Tell who can read an entry or a folder: from the entries themselves, beside what the recipients files say.
///
/// Every entry holds a packet for each key that it is encrypted to, with the ID of that key. These packets
/// are counted, nothing is decrypted. Older versions in git's history are not looked at.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "READS counts the entries with a packet for the key, NAMED those whose recipients \
    file names it.\n\nExamples:\n  passel recipients who web/gitlab\n  passel recipients who clients/acme\n  \
    passel recipients who /"
)]
pub struct Args {
    /// The entry or folder; `/` is the whole store.
    #[arg(value_name = "PATH")]
    pub path: OsString,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let survey = survey(&context, &args.path).map_err(|e| app.error(e))?;
    let total = survey.entries.len();
    if total == 0 {
        app.ui.say("There is no entry.")?;
        return Ok(());
    }
    let files: Vec<String> = survey.lists.keys().map(|file| file.to_string_lossy().into_owned()).collect();
    app.ui.say(format!("{}, ruled by {}:", counted(total, "entry", "entries"), list_names(&files)))?;
    for line in table(&survey, &who(&survey)).lines(2) {
        app.ui.say(line)?;
    }
    tell_standings(app, &survey)
}

fn table(survey: &Survey, readers: &BTreeMap<Reader, Tally>) -> Table {
    let total = survey.entries.len();
    let mut table = Table::new(&["KEY", "NAME", "READS", "NAMED", ""]);
    for (reader, tally) in readers {
        let [key, name] = reader_cells(&survey.keyring, reader);
        let remark = match (tally.reads, tally.named) {
            (_, 0) => "reads, but is not named",
            (0, _) => "is named, but cannot read",
            (reads, named) if reads != named => "differs",
            _ => " ",
        };
        let cells = [key, name, format!("{}/{total}", tally.reads), format!("{}/{total}", tally.named)];
        table.row(cells.into_iter().chain([remark.to_owned()]));
    }
    table
}

/// Says which entries do not agree with their recipients files.
fn tell_standings(app: &App, survey: &Survey) -> Result<(), CliError> {
    let named = |which: &dyn Fn(&Standing) -> bool| -> Vec<String> {
        let entries = survey.entries.iter().filter(|entry| which(&entry.standing));
        entries.map(|entry| entry.path.with_extension("").to_string_lossy().into_owned()).collect()
    };
    let off = named(&Standing::is_off);
    if !off.is_empty() {
        app.ui.say(format!("Not as the recipients files say: {}.", list_names(&off)))?;
        app.ui.say(format!("`{} recipients update` mends that.", app.ui.program))?;
    }
    let unclear = named(&|standing| *standing == Standing::Unclear);
    if !unclear.is_empty() {
        app.ui
            .say(format!("Their recipients files name keys that are not known: {}.", list_names(&unclear)))?;
        app.ui.say(format!("`{} recipients check` says which.", app.ui.program))?;
    }
    let broken = survey.entries.iter().filter(|entry| matches!(entry.standing, Standing::Broken(_)));
    tell_broken(app, &broken.collect::<Vec<_>>())
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
