//! `group add`.

use crate::cli::app::App;
use crate::cli::commands::proposal::{Consent, Names, keys};
use crate::cli::error::CliError;
use crate::ops::group;

use super::{Request, change, group_name, subject_keys};

/// Add keys to a group, which is made if there is none.
///
/// Every folder that follows the group becomes readable by the keys, in one commit.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel group add team alice@example.org bob@example.org\n  passel group add --dry-run team 0123456789ABCDEF0123456789ABCDEF01234567"
)]
pub struct Args {
    /// The group: letters, digits, `-` and `_`.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A key: its fingerprint, key ID, e-mail address or user ID.
    #[arg(value_name = "KEY", required = true)]
    pub keys: Vec<String>,
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
    let store = app.store()?;
    let context = app.context(&store);
    let asked = !args.consent.yes;
    let added = group::keys_named(&context, &args.keys, asked).map_err(|e| app.error(e))?;
    let names = Names::read(app);
    let mut heading = vec![format!("Keys to add to the group `{name}`:")];
    heading.extend(added.iter().map(|key| format!("  {}", names.line(key))));
    let request = Request {
        heading,
        question: "Do these fingerprints belong to whom they name, and shall they be added?".to_owned(),
        subject: format!("Add {} to group {name}.", subject_keys(&added)),
        done: format!("Added {} to the group `{name}`.", keys(added.len())),
        consent: &args.consent,
        force: args.force,
    };
    change(app, &request, &names, |now| group::add(now, &name, &added, args.force))
}
