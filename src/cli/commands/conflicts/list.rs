//! `conflicts` without a command.

use std::ffi::OsString;

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::recipients::people::json;
use crate::cli::error::CliError;
use crate::model::EntryName;
use crate::ops::conflicts::{Conflicted, list};

/// List entries of which two versions are kept.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
#[group(skip)]
pub struct Args {
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
    /// An entry, or a folder with all below it; the whole store without one.
    #[arg(value_name = "NAME")]
    pub name: Option<OsString>,
}

const HELP: &str = "Examples:\n  passel conflicts\n  passel conflicts show web/gitlab\n  \
passel conflicts pick web/gitlab --theirs

JSON: an array of objects with
  name      the entry
  is_there  whether something stands under that name
  versions  an array: the names of the versions beside it";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Row {
    name: String,
    is_there: bool,
    versions: Vec<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let typed = args.name.as_deref().filter(|name| !name.as_encoded_bytes().iter().all(|byte| *byte == b'/'));
    let place = typed.map(EntryName::parse).transpose().map_err(|error| app.error(error.into()))?;
    let found = list(&app.context(&store), place.as_ref()).map_err(|error| app.error(error))?;
    if args.json {
        return Ok(app.ui.say(json(&found.iter().map(row).collect::<Vec<_>>()))?);
    }
    if found.is_empty() {
        return Ok(app.ui.say("No conflicts.")?);
    }
    for conflicted in &found {
        let missing = if conflicted.is_there { "" } else { " (not there)" };
        app.ui.say(format!("{}{missing}", conflicted.name))?;
        for kept in &conflicted.kept {
            app.ui.say(format!("  {kept}"))?;
        }
    }
    Ok(())
}

fn row(conflicted: &Conflicted) -> Row {
    let text = |name: &EntryName| name.as_path().to_string_lossy().into_owned();
    Row {
        name: text(&conflicted.name),
        is_there: conflicted.is_there,
        versions: conflicted.kept.iter().map(text).collect(),
    }
}
