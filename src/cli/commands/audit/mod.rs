//! `audit`: who could read what, what leaks, and what people should look after.

pub mod access;
pub mod exposure;
pub mod health;
pub mod report;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::date;
use crate::model::key::start_of_day;
use crate::ops::audit::Moment;

/// What is said of the command at length.
pub const LONG: &str = "\
Tell who could read what, what was exposed to whom, and what people should look after.

Every version of an entry names the keys that can read it, and git keeps every version: that is what is asked, and not \
what a list says. Nothing is changed, and nothing goes over the network. What was seen of the history is kept in the git \
directory (`passel-versions`), for speed alone.";

/// Tell who could read what, what was exposed to whom, and what people should look after.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel audit COMMAND [OPTIONS]", after_long_help = HELP)]
pub struct Args {
    /// What to look at.
    #[command(subcommand)]
    pub command: Command,
}

const HELP: &str = "Examples:
  passel audit access clients/acme
  passel audit exposure anna@acme.example
  passel audit health clients/acme
  passel audit report --folder clients/acme -o acme.html";

/// What can be looked at.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Tell who can read which folders, now or at a moment in the past.
    Access(access::Args),
    /// Tell what somebody could ever read, and what of that still holds.
    Exposure(exposure::Args),
    /// Look for weak, short, reused, old and expiring passwords, and for what entries lack.
    #[command(long_about = health::LONG)]
    Health(health::Args),
    /// Write a page on who can read the store, or a folder of it, that can be sent.
    Report(report::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Access(args) => access::run(app, args),
        Command::Exposure(args) => exposure::run(app, args),
        Command::Health(args) => health::run(app, args),
        Command::Report(args) => report::run(app, args),
    }
}

/// Says why an answer may lack something; fails if it may.
pub fn tell_gaps(app: &App, gaps: &[String]) -> Result<(), CliError> {
    for gap in gaps {
        app.ui.warn(format!("incomplete: {gap}"));
    }
    if gaps.is_empty() { Ok(()) } else { Err(CliError::silent(exit::INCOMPLETE)) }
}

/// Returns the second at which a day begins, or a moment is (`YYYY-MM-DD`, RFC 3339).
fn beginning(text: &str) -> Option<i64> {
    start_of_day(text).or_else(|| date::end(text))
}

/// Returns the last second of a day, or the one of a moment.
fn ending(text: &str) -> Option<i64> {
    let end = date::end(text)?;
    Some(if start_of_day(text).is_some() { end - 1 } else { end })
}

/// Returns a moment for JSON.
fn moment_text(moment: Moment) -> String {
    match moment.when {
        i64::MAX => String::new(),
        when => date::moment(when),
    }
}
