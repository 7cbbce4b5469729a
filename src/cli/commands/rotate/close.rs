//! `rotate close`.

use std::ffi::OsString;

use super::without_names;
use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, no_environment};
use crate::cli::error::CliError;
use crate::ops::rotate;

/// Take entries off the list whose secrets need not be changed, or were changed elsewhere.
///
/// What is done by itself needs no closing. This is for an account that was closed, for a false alarm, and for what
/// passel cannot see. When it was closed, and why, stays with the item; git tells by whom.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel rotate close clients/acme/legacy --why 'the account was closed'"
)]
pub struct Args {
    /// The entry, or the item's `id` (`rotate --json`).
    #[arg(value_name = "ENTRY", required = true)]
    pub entries: Vec<OsString>,
    /// Why. The team reads it.
    #[arg(long, value_name = "TEXT", required = true)]
    pub why: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.why.trim().is_empty() {
        return Err(CliError::new("nobody will know why this is closed").hint("--why TEXT says it"));
    }
    let store = app.store()?;
    let context = no_environment(app, &store);
    let (count, published) =
        rotate::close(&context, &args.entries, &args.why, now()).map_err(|error| app.error(error))?;
    app.tell(&without_names(published), &[]);
    app.ui.say(format!("Closed {}.", counted(count, "item", "items")))?;
    Ok(())
}
