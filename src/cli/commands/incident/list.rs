//! `incident list`.

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::recipients::people::{counted, json, no_environment};
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::{Shown, date, day};
use crate::ops::incident::{self, Known};

/// List the incidents.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "Exit codes: 3 if the answer may lack something (a clone without its older commits, a damaged history), 1 \
if an incident could not be read though it is encrypted to you, or something else failed.

JSON: an object with
  incidents  an array, the newest first: id, title, opened, closed (null while it is open), entries (how many), open (how many \
of them are to be changed)
  unread     how many records (incidents, notes) are encrypted to others

Examples:
  passel incident list
  passel incident list --json | jq -r '.incidents[] | select(.closed == null) | .id'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report<'i> {
    incidents: Vec<Row<'i>>,
    unread: usize,
}

#[derive(Serialize)]
struct Row<'i> {
    id: &'i str,
    title: &'i str,
    opened: String,
    closed: Option<String>,
    entries: usize,
    open: usize,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let (all, open, rotation) = incident::overview(&context).map_err(|error| app.error(error))?;
    let unread = all.unread.len();
    if args.json {
        let incidents = all.known.iter().zip(&open).map(|(known, open)| row(known, *open)).collect();
        app.ui.say(json(&Report { incidents, unread }))?;
    } else {
        tell(app, &all.known, &open, unread + all.failed.len())?;
    }
    if unread > 0 {
        let count = counted(unread, "record is", "records are");
        app.ui.warn(format!("{count} encrypted to others, who see more than you do"));
    }
    let failed: Vec<_> = all.failed.into_iter().map(|(_, error)| error).chain(rotation.failed).collect();
    super::end(app, rotation.unread, &failed, &rotation.gaps)
}

fn row(known: &Known, open: usize) -> Row<'_> {
    Row {
        id: &known.id,
        title: &known.incident.title,
        opened: date::moment(known.incident.opened),
        closed: known.closing().map(|closing| date::moment(closing.when)),
        entries: known.incident.found.len(),
        open,
    }
}

fn tell(app: &App, known: &[Known], open: &[usize], others: usize) -> Result<(), CliError> {
    if known.is_empty() {
        return match others {
            0 => Ok(app.ui.say("There is no incident.")?),
            _ => Ok(()),
        };
    }
    let mut table = Table::new(&["ID", "OPENED", "STATE", "TO BE CHANGED", "TITLE"]);
    for (known, open) in known.iter().zip(open) {
        let state = if known.closing().is_some() { "closed" } else { "open" };
        let title = Shown::new(&known.incident.title).to_string();
        let left = format!("{open} of {}", known.incident.found.len());
        table.row([super::short(known), day(known.incident.opened), state.to_owned(), left, title]);
    }
    Ok(table.lines(0).into_iter().try_for_each(|line| app.ui.say(line))?)
}
