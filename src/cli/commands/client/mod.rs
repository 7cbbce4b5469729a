//! `client`: customers who read a folder of their own.

pub mod add;
pub mod list;
pub mod remove;
pub mod show;

use crate::cli::app::App;
use crate::cli::error::CliError;

/// Let clients read a folder of their own.
///
/// A client is somebody outside of the team who reads one folder, `clients/NAME`. They get a clone of the
/// store, in which they see the names of all entries but can decrypt those of their own folder only.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel client COMMAND [OPTIONS] [NAME]",
    after_long_help = "Examples:\n  passel client add acme --key acme.asc\n  passel client list\n  passel client remove acme --keep-entries"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about clients.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a client's folder, readable with the client's key.
    Add(add::Args),
    /// List the clients.
    List(list::Args),
    /// Show who can read a client's folder, and what the client must do to read it.
    Show(show::Args),
    /// Remove a client.
    Remove(remove::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Add(args) => add::run(app, args),
        Command::List(args) => list::run(app, args),
        Command::Show(args) => show::run(app, args),
        Command::Remove(args) => remove::run(app, args),
    }
}
