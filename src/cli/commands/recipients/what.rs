//! `recipients what`.

use serde::Serialize;

use super::people::{ReaderRecord, counted, json, no_environment, path_text, reader_cells};
use super::who::tell_broken;
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::entry::is_record;
use crate::model::entry::shown_entry;
use crate::model::{FolderName, Shown};
use crate::ops::readers::{Reach, Reader, keys_named, survey_folder, waiting, what};
use crate::store::survey::Entry;

/// Tell which entries a key can read: from the entries themselves, beside what the recipients files say.
///
/// Older versions in git's history are not looked at.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The key: a fingerprint, key ID, e-mail address, user ID or group of gpg.conf. A key that is not in
    /// the keyring is named by the key ID of 16 digits that stands in messages.
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "JSON: an object with
  total      how many entries there are
  keys       an array, the keys that the name stands for: kind (key, of the keyring; waiting, in the store but
             not imported; unknown), fingerprint, key_id (of keys that are not in the keyring), name, email
  reads      entries that one of the keys can read, an array: name, file (the recipients file that rules it),
             named (whether that names one of the keys)
  barred     entries that they cannot read although the recipients file names them; likewise
  perhaps    entries with hidden recipients, one of which they may be; likewise
  broken     entries that are no messages; likewise
What is not known is null.

Examples:
  passel recipients what anna@acme.example
  passel recipients what 0123456789ABCDEF0123456789ABCDEF01234567
  passel recipients what anna@acme.example --json | jq -r '.reads[].name'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    total: usize,
    keys: Vec<ReaderRecord>,
    reads: Vec<Row>,
    barred: Vec<Row>,
    perhaps: Vec<Row>,
    broken: Vec<Row>,
}

/// One entry.
#[derive(Serialize)]
struct Row {
    name: String,
    file: Option<String>,
    named: Option<bool>,
}

impl Row {
    fn new(entry: &Entry, named: Option<bool>) -> Self {
        let name = path_text(&entry.path.with_extension(""));
        Row { name, file: entry.list.as_ref().map(|file| path_text(file)), named }
    }
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let mut survey = survey_folder(&context, &FolderName::root()).map_err(|e| app.error(e))?;
    survey.entries.retain(|entry| !is_record(&entry.path));
    let waiting = waiting(&context, &survey);
    let keys = keys_named(&context, &survey, &waiting, &args.key).map_err(|e| app.error(e))?;
    let reach = what(&survey, &keys);
    if args.json {
        let rows = |entries: &[&Entry], named| entries.iter().map(|entry| Row::new(entry, named)).collect();
        app.ui.say(json(&Report {
            total: survey.entries.len(),
            keys: keys.iter().map(|key| ReaderRecord::of(&survey.keyring, &waiting, key)).collect(),
            reads: reach.reads.iter().map(|(entry, named)| Row::new(entry, Some(*named))).collect(),
            barred: rows(&reach.barred, Some(true)),
            perhaps: rows(&reach.perhaps, None),
            broken: rows(&reach.broken, None),
        }))?;
    } else {
        for key in &keys {
            let [id, name] = reader_cells(&survey.keyring, &waiting, key);
            app.ui.say(format!("{id}  {name}").trim_end())?;
        }
        tell(app, &keys, &reach, survey.entries.len())?;
    }
    tell_broken(app, &reach.broken)
}

fn tell(app: &App, keys: &[Reader], reach: &Reach<'_>, total: usize) -> Result<(), CliError> {
    let count = reach.reads.len();
    let who = if keys.len() > 1 { "One of them" } else { "It" };
    app.ui.say(format!("{who} can read {count} of {}.", counted(total, "entry", "entries")))?;
    for (entry, named) in &reach.reads {
        let remark = if *named { String::new() } else { format!("  (not named in {})", file(entry)) };
        app.ui.say(format!("  {}{remark}", shown_entry(&entry.path)))?;
    }
    if !reach.barred.is_empty() {
        let count = counted(reach.barred.len(), "entry", "entries");
        app.ui.say(format!("It cannot read {count} whose recipients file names it:"))?;
        for entry in &reach.barred {
            app.ui.say(format!("  {}  (named in {})", shown_entry(&entry.path), file(entry)))?;
        }
    }
    if !reach.perhaps.is_empty() {
        let count = counted(reach.perhaps.len(), "entry", "entries");
        app.ui.say(format!("It may be a hidden recipient of {count}:"))?;
        for entry in &reach.perhaps {
            app.ui.say(format!("  {}", shown_entry(&entry.path)))?;
        }
    }
    Ok(())
}

/// Returns the recipients file that rules an entry.
fn file(entry: &Entry) -> String {
    entry.list.as_ref().map(|file| Shown::os(file).to_string()).unwrap_or_else(|| "any file".to_owned())
}
