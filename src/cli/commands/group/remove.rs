//! `group remove`.

use crate::cli::app::App;
use crate::cli::commands::keys_given::Confirmed;
use crate::cli::commands::proposal::{Consent, Names, keys};
use crate::cli::error::CliError;
use crate::ops::group;

use super::{Request, change, group_name, subject_keys};

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
    /// Write lists anew that somebody edited, and go on even if you lose access yourself.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let name = group_name(&args.name)?;
    let names = Names::read(app);
    if args.keys.is_empty() {
        let request = Request {
            heading: vec![format!("The group `{name}`, which no folder follows, is removed.")],
            question: format!("Remove the group `{name}`?"),
            subject: format!("Remove group {name}."),
            done: format!("Removed the group `{name}`."),
            consent: &args.consent,
            confirmed: args.confirmed.keys()?,
            force: args.force,
        };
        return change(app, &request, &names, || Ok(()), |now| group::remove(now, &name)).map(drop);
    }
    let store = app.store()?;
    let context = app.context(&store);
    let leaving = group::members_named(&context, &name, &args.keys).map_err(|e| app.error(e))?;
    let mut heading = vec![format!("Keys to take out of the group `{name}`:")];
    heading.extend(leaving.iter().map(|key| format!("  {}", names.line(key))));
    let request = Request {
        heading,
        question: format!("Take {} out of the group `{name}`?", keys(leaving.len())),
        subject: format!("Remove {} from group {name}.", subject_keys(&leaving)),
        done: format!("Took {} out of the group `{name}`.", keys(leaving.len())),
        consent: &args.consent,
        confirmed: args.confirmed.keys()?,
        force: args.force,
    };
    change(app, &request, &names, || Ok(()), |now| group::take_out(now, &name, &leaving, args.force))
        .map(drop)
}
