//! `group assign`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::commands::keys_given::{Confirmed, Given};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change};
use crate::cli::error::CliError;
use crate::ops::group;
use crate::ops::rules::shown;

use super::group_name;

/// Let a folder follow a group.
///
/// Whoever can read the folder now still can, and so can everybody in the group, now and later. A folder
/// without recipients of its own starts from those that it inherits.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel group assign team\n  passel group assign admins servers/root"
)]
pub struct Args {
    /// The group.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The folder; the store itself if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Fingerprints that are confirmed.
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let name = group_name(&args.name)?;
    let folder = folder(app, args.folder.as_deref().unwrap_or_default())?;
    let place = shown(&folder);
    let store = app.store()?;
    let context = app.context(&store);
    let request = Request {
        heading: vec![format!("From now on, {place} follows the group `{name}`.")],
        question: "Make this change?".to_owned(),
        subject: &|_| format!("Assign group {name} to {}.", place.trim_matches('`')),
        done: format!("Now {place} follows the group `{name}`."),
        consent: &args.consent,
        aftermath: &Aftermath::default(),
        given: &Given::confirmed_only(&args.confirmed)?,
        force: false,
    };
    change(app, &context, &request, &Names::read(app), |now| group::assign(now, &name, &folder)).map(drop)
}
