//! `keys list`.

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::recipients::people::{json, path_text};
use crate::cli::error::CliError;
use crate::model::key::day;
use crate::model::{FolderName, Shown};
use crate::ops::keys::{KeyFile, Overview};

use super::{folders, state, tell_bad};

/// List the keys in the store, and recipients whose keys are not there.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "JSON: an object with
  keys       the keys in the store, an array: fingerprint, name, keyring (whether the keyring has it: no; yes;
             other, in another form), expires (YYYY-MM-DD), problem (why it cannot be encrypted to), folders
             (whose lists name it, or may mean it; the root is empty)
  missing    recipients in the keyring whose keys are not in the store, an array: fingerprint, name
  absent     lines whose keys are in neither, an array: id, file, line
  unused     files that are not used, an array: file, why
What is not known is null.

Examples:
  passel keys list
  passel keys list --json | jq -r '.keys[] | select(.keyring == \"no\") | .name'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    keys: Vec<Row>,
    missing: Vec<Missing>,
    absent: Vec<Absent>,
    unused: Vec<Unused>,
}

/// A key in the store.
#[derive(Serialize)]
struct Row {
    fingerprint: String,
    name: String,
    keyring: &'static str,
    expires: Option<String>,
    problem: Option<String>,
    folders: Vec<String>,
}

/// A recipient whose key is not in the store.
#[derive(Serialize)]
struct Missing {
    fingerprint: String,
    name: Option<String>,
}

/// A line of a recipients file whose key is nowhere here.
#[derive(Serialize)]
struct Absent {
    id: String,
    file: String,
    line: usize,
}

/// A file that is no key of the store's.
#[derive(Serialize)]
struct Unused {
    file: String,
    why: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let overview = Overview::read(&context).map_err(|e| app.error(e))?;
    if args.json {
        app.ui.say(json(&report(&overview)))?;
    } else {
        tell(app, &overview)?;
    }
    overview.files.bad.iter().for_each(|bad| tell_bad(app, bad));
    Ok(())
}

fn report(overview: &Overview) -> Report {
    let row = |file: &KeyFile| Row {
        fingerprint: file.key.fingerprint.to_string(),
        name: file.key.name().to_owned(),
        keyring: match in_keyring(overview, file) {
            "not in the keyring" => "no",
            "in the keyring" => "yes",
            _ => "other",
        },
        expires: file.key.useless_from().or(file.key.expires).map(day),
        problem: file.key.problem.as_ref().map(ToString::to_string),
        folders: overview
            .everyone
            .folders_of(&file.key, &overview.keyring)
            .into_iter()
            .map(|folder: &FolderName| path_text(folder.as_path()))
            .collect(),
    };
    let missing = overview.missing().into_iter().map(|key| Missing {
        name: overview.known(&key).map(|key| key.name().to_owned()),
        fingerprint: key.to_string(),
    });
    let absent = overview.absent().into_iter().map(|line| Absent {
        id: line.id.clone(),
        file: path_text(&line.folder.gpg_id()),
        line: line.number,
    });
    let unused = overview.files.bad.iter();
    Report {
        keys: overview.files.good.values().map(row).collect(),
        missing: missing.collect(),
        absent: absent.collect(),
        unused: unused.map(|(file, why)| Unused { file: path_text(file), why: why.to_string() }).collect(),
    }
}

fn tell(app: &App, overview: &Overview) -> Result<(), CliError> {
    let program = &app.ui.program;
    for file in overview.files.good.values() {
        app.ui.say(format!(
            "{}  {}\n    {}; {}; {}",
            file.key.fingerprint,
            Shown::new(file.key.name()),
            in_keyring(overview, file),
            state(&file.key),
            reads(overview, file),
        ))?;
    }
    if overview.new_keys().any(|file| overview.is_needed(file, None)) {
        app.ui.say(format!(
            "`{program} keys import` takes in the keys that the keyring lacks, once you have compared their \
             fingerprints."
        ))?;
    }
    let (missing, absent) = (overview.missing(), overview.absent());
    if !missing.is_empty() || !absent.is_empty() {
        app.ui.say("Recipients whose keys are not in the store:")?;
    }
    for key in &missing {
        let name = overview.known(key).map(|key| Shown::new(key.name()).to_string()).unwrap_or_default();
        app.ui.say(format!("  {key}  {name}"))?;
    }
    for line in absent {
        let file = line.folder.gpg_id();
        let (id, file) = (Shown::new(&line.id), Shown::os(&file));
        app.ui.say(format!("  {id}  ({file} line {}; not in the keyring either)", line.number))?;
    }
    if !missing.is_empty() {
        app.ui.say(format!("`{program} keys export` puts the keyring's into it."))?;
    }
    Ok(())
}

/// Returns how the keyring knows a key.
fn in_keyring(overview: &Overview, file: &KeyFile) -> &'static str {
    match overview.known(&file.key.fingerprint) {
        None => "not in the keyring",
        Some(_) if overview.differs(file) => "in the keyring in another form",
        Some(_) => "in the keyring",
    }
}

/// Returns what a key is a recipient of.
pub fn reads(overview: &Overview, file: &KeyFile) -> String {
    let named = overview.everyone.folders_of(&file.key, &overview.keyring);
    match named.is_empty() {
        true => "recipient of nothing".to_owned(),
        false => format!("recipient of {}", folders(named)),
    }
}
