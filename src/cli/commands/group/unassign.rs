//! `group unassign`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::commands::keys_given::{Confirmed, Given};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change};
use crate::cli::error::CliError;
use crate::ops::group;
use crate::ops::rules::shown;

use super::group_name;

/// Let a folder no longer follow a group.
///
/// The group's keys lose access, unless another group or the folder's own rule gives it to them. With `--keep`
/// the list stays as it is, even one that was edited otherwise; a folder that inherits the group's keys then gets
/// a list of its own.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel group unassign admins servers/root\n  passel group unassign --keep team"
)]
pub struct Args {
    /// The group.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The folder; the store itself if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Whoever can read the folder now still can: only later changes of the group no longer matter.
    #[arg(long)]
    pub keep: bool,
    /// Fingerprints that are confirmed.
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
    /// What follows.
    #[command(flatten)]
    pub aftermath: Aftermath,
    /// Go on even if you lose access yourself.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let name = group_name(&args.name)?;
    let folder = folder(app, args.folder.as_deref().unwrap_or_default())?;
    let place = shown(&folder);
    let store = app.store()?;
    let context = app.context(&store);
    let request = Request {
        heading: vec![format!("From now on, {place} no longer follows the group `{name}`.")],
        question: "Make this change?".to_owned(),
        subject: &|_| format!("Unassign group {name} from {}.", place.trim_matches('`')),
        done: format!("Now {place} no longer follows the group `{name}`."),
        consent: &args.consent,
        aftermath: &args.aftermath,
        given: &Given::confirmed_only(&args.confirmed)?,
        force: args.force,
    };
    change(app, &context, &request, &Names::read(app), |now| match args.keep {
        true => group::unassign_keeping(now, &name, &folder),
        false => group::unassign(now, &name, &folder),
    })
    .map(drop)
}
