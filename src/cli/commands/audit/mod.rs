//! `audit`: what people should look after.

pub mod health;

use crate::cli::app::App;
use crate::cli::error::CliError;

/// What is said of the command at length.
pub const LONG: &str = "\
Look for what people should look after.

Nothing is changed, and nothing goes over the network.";

/// Look for what people should look after.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel audit COMMAND [OPTIONS]", after_long_help = HELP)]
pub struct Args {
    /// What to look at.
    #[command(subcommand)]
    pub command: Command,
}

const HELP: &str = "Examples:
  passel audit health
  passel audit health clients/acme";

/// What can be looked at.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Look for weak, short, reused, old and expiring passwords, and for what entries lack.
    #[command(long_about = health::LONG)]
    Health(health::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Health(args) => health::run(app, args),
    }
}
