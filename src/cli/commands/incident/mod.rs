//! `incident`: what came within reach of somebody, what was done about it, and what remains.

pub mod close;
pub mod list;
pub mod note;
pub mod open;
pub mod report;
pub mod show;
mod words;

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::audit::tell_gaps;
use crate::cli::commands::recipients::people::counted;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::Shown;
use crate::ops::OpError;
use crate::ops::incident::Known;

/// What is said of the command at length.
pub const LONG: &str = "\
Keep track of an incident: somebody leaves, a laptop is lost, an entry came into the open.

`incident open` writes down what was within reach at that moment, and puts what is to be changed on the rotation list \
(`rotate`), all in one commit. From then on nothing needs to be ticked off: what has been changed, by whom and when, is told \
out of git. `incident report` writes a report for the team, and one for each client with accounts in it, as Markdown and as \
HTML; none of them holds a secret.

Incidents lie in the store, in the hidden folder `.passel.d`, encrypted for whom the store's own list of recipients names: \
the team, and not for clients who are named for a folder of their own. Titles and notes are for the team: no client's report \
holds them. An incident is named by the first digits of its name, eight of which are shown.";

/// Keep track of an incident: what was within reach, what was done, and what remains.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel incident COMMAND [OPTIONS]", after_long_help = HELP)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const HELP: &str = "Examples:
  passel incident open 'Bob has left' --about bob@example.org
  passel rotate
  passel incident show
  passel incident report -o reports
  passel incident close 1a2b3c4d --why 'all was changed, clients were told'";

/// What can be done about incidents.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Open an incident: write down what was within reach, and put it on the rotation list.
    Open(open::Args),
    /// List the incidents.
    List(list::Args),
    /// Show an incident: what it is about, how things stand, and what was done by whom.
    Show(show::Args),
    /// Add a note to an incident, for the team.
    Note(note::Args),
    /// Close an incident.
    Close(close::Args),
    /// Write a report for the team, and one for each client concerned.
    Report(report::Args),
}

/// Which incident is meant.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// The incident, by the first digits of its name; the newest one that is open if it is left out.
    #[arg(value_name = "ID")]
    pub id: Option<OsString>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Open(args) => open::run(app, args),
        Command::List(args) => list::run(app, args),
        Command::Show(args) => show::run(app, args),
        Command::Note(args) => note::run(app, args),
        Command::Close(args) => close::run(app, args),
        Command::Report(args) => report::run(app, args),
    }
}

/// Says what an answer may lack; fails if it may lack something.
fn end(app: &App, unread: usize, failed: &[OpError], gaps: &[String]) -> Result<(), CliError> {
    if unread > 0 {
        let count = counted(unread, "item", "items");
        app.ui.warn(format!("{count} of the rotation list encrypted to others, who see more than you do"));
    }
    for error in failed {
        app.ui.warn(CliError::from_error(error).text());
    }
    let told = tell_gaps(app, gaps);
    if failed.is_empty() { told } else { Err(CliError::silent(exit::FAILURE)) }
}

/// Returns the digits that an incident is named by, safe to show.
fn short(known: &Known) -> String {
    Shown::new(known.short()).to_string()
}
