//! `recipients`: who can read a folder.

pub mod accept;
pub mod review;

use crate::cli::app::App;
use crate::cli::error::CliError;

/// Show or change who can read a folder.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel recipients COMMAND [OPTIONS] [FOLDER] [KEY...]")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about recipients.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Accept changed recipients: from now on this machine encrypts to them.
    Accept(accept::Args),
    /// Show entries that are held back because they were encrypted for others elsewhere, and let them pass.
    Review(review::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Accept(args) => accept::run(app, args),
        Command::Review(args) => review::run(app, args),
    }
}
