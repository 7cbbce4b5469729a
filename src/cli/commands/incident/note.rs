//! `incident note`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::no_environment;
use crate::cli::commands::rotate::without_names;
use crate::cli::error::CliError;
use crate::ops::incident;

/// Add a note to an incident, for the team.
///
/// It stands in the log and in the team's report, and in no client's. Who wrote it, and when, git tells.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel incident note 1a2b3c4d 'laptop wiped by phone'")]
pub struct Args {
    /// The incident, by the first digits of its name.
    #[arg(value_name = "ID")]
    pub id: OsString,
    /// The note. No passwords: it is read by people who may not know them.
    #[arg(value_name = "TEXT")]
    pub text: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.text.trim().is_empty() {
        return Err(CliError::new("the note says nothing"));
    }
    let store = app.store()?;
    let context = no_environment(app, &store);
    let noted = incident::note(&context, Some(&args.id), &args.text, now());
    let (known, published) = noted.map_err(|error| app.error(error))?;
    app.tell(&without_names(published), &[]);
    Ok(app.ui.say(format!("Noted in incident {}.", super::short(&known)))?)
}
