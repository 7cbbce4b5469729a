//! `group remove`.

use crate::cli::app::App;
use crate::cli::commands::keys_given::{Confirmed, Given};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change, keys};
use crate::cli::error::CliError;
use crate::ops::group;

use super::{group_name, heading, subject_keys};

/// Take keys out of a group, or remove the group.
///
/// Every folder that follows the group is encrypted anew without the keys, in one commit. Without keys, the
/// group itself is removed, which no folder may follow any more. What somebody has read, they may have kept:
/// change the passwords that matter.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel group remove team bob@example.org\n  passel group remove old-team"
)]
pub struct Args {
    /// The group.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A key of the group: its fingerprint, key ID, e-mail address or user ID.
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// Fingerprints that are confirmed.
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
    /// What follows.
    #[command(flatten)]
    pub aftermath: Aftermath,
    /// Write lists anew that somebody edited, and go on even if you lose access yourself.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let name = group_name(&args.name)?;
    let names = Names::read(app);
    let store = app.store()?;
    let context = app.context(&store);
    let given = Given::confirmed_only(&args.confirmed)?;
    if args.keys.is_empty() {
        let request = Request {
            heading: vec![format!("The group `{name}`, which no folder follows, is removed.")],
            question: format!("Remove the group `{name}`?"),
            subject: &|_| format!("Remove group {name}."),
            done: format!("Removed the group `{name}`."),
            consent: &args.consent,
            aftermath: &args.aftermath,
            given: &given,
            force: args.force,
        };
        return change(app, &context, &request, &names, |now| group::remove(now, &name)).map(drop);
    }
    let leaving = group::members_named(&context, &name, &args.keys).map_err(|e| app.error(e))?;
    let request = Request {
        heading: heading(&leaving, &format!("to take out of the group `{name}`"), &names),
        question: format!("Take {} out of the group `{name}`?", keys(leaving.len())),
        subject: &|_| format!("Remove {} from group {name}.", subject_keys(&leaving)),
        done: format!("Took {} out of the group `{name}`.", keys(leaving.len())),
        consent: &args.consent,
        aftermath: &args.aftermath,
        given: &given,
        force: args.force,
    };
    change(app, &context, &request, &names, |now| group::take_out(now, &name, &leaving, args.force)).map(drop)
}
