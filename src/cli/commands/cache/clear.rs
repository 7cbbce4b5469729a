//! `cache clear`.

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::Shown;
use crate::ops::cache;

/// Forget what is remembered of this store's entries.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  passel cache clear\n  passel cache clear --all")]
pub struct Args {
    /// What is remembered of other stores too.
    #[arg(long)]
    pub all: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let folder = app.environment.session_keys(args.all);
    let folder = folder.ok_or_else(|| {
        CliError::new(
            "there is no place where anything could be remembered: neither XDG_CACHE_HOME nor HOME is set",
        )
    })?;
    let cleared = cache::clear(&folder)
        .map_err(|error| CliError::caused(format!("cannot remove `{}`", Shown::os(&folder)), &error))?;
    app.ui.say(match cleared {
        true => "The remembered session keys are gone.",
        false => "No session keys were remembered.",
    })?;
    Ok(())
}
