//! `conflicts pick`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::ops::conflicts::{Side, pick};

use super::{named, told};

/// Keep one version and remove the other, in one commit.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel conflicts pick NAME --ours|--theirs",
    after_help = "Examples:\n  passel conflicts pick web/gitlab --ours\n  passel conflicts pick web/gitlab --theirs",
    group = clap::ArgGroup::new("side").required(true)
)]
pub struct Args {
    /// The entry; where several versions are beside it, the version.
    #[arg(value_name = "NAME")]
    pub name: OsString,
    /// Keep what stands under the entry's name.
    #[arg(long, group = "side")]
    pub ours: bool,
    /// Keep the version beside it.
    #[arg(long, group = "side")]
    pub theirs: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let conflict = named(app, &context, &args.name)?;
    let side = if args.ours { Side::Ours } else { Side::Theirs };
    let (published, reencrypted) = pick(&context, &conflict, side).map_err(|error| told(app, error))?;
    app.tell(&published, &reencrypted);
    Ok(())
}
