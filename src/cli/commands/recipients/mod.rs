//! `recipients`: who can read a folder.

pub mod accept;
pub mod change;

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
    /// Let keys read a folder: add them to its recipients and encrypt its entries to them.
    Add(change::AddArgs),
    /// Take keys out of a folder's recipients, and encrypt its entries to the others only.
    Remove(change::RemoveArgs),
    /// Let exactly these keys read a folder.
    Set(change::SetArgs),
    /// Accept changed recipients: from now on this machine encrypts to them.
    Accept(accept::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Add(args) => change::add(app, args),
        Command::Remove(args) => change::remove(app, args),
        Command::Set(args) => change::set(app, args),
        Command::Accept(args) => accept::run(app, args),
    }
}
