//! `incident close`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::no_environment;
use crate::cli::commands::rotate::without_names;
use crate::cli::error::CliError;
use crate::ops::incident;

/// Close an incident.
///
/// It stays in the store, and can be shown and reported on as before.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Exit codes: 1 while something of it is to be done, unless `--force` is given.\n\nExamples:\n  passel \
incident close 1a2b3c4d --why 'all was changed, clients were told'"
)]
pub struct Args {
    /// The incident, by the first digits of its name.
    #[arg(value_name = "ID")]
    pub id: OsString,
    /// Why, or how it ended. The team reads it.
    #[arg(long, value_name = "TEXT", required = true)]
    pub why: String,
    /// Close it though something of it is to be done.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.why.trim().is_empty() {
        return Err(CliError::new("nobody will know why this is closed").hint("--why TEXT says it"));
    }
    let store = app.store()?;
    let context = no_environment(app, &store);
    let closed = incident::close(&context, Some(&args.id), &args.why, args.force, now());
    let (known, published) = closed.map_err(|error| app.error(error))?;
    app.tell(&without_names(published), &[]);
    Ok(app.ui.say(format!("Closed incident {}.", super::short(&known)))?)
}
