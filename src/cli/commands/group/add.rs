//! `group add`.

use crate::cli::app::App;
use crate::cli::commands::keys_given::{Given, KeyArgs};
use crate::cli::commands::proposal::{Consent, Names, keys};
use crate::cli::error::CliError;
use crate::model::FolderName;
use crate::ops::group;

use super::{Request, change, group_name, subject_keys, whole_keys};

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
    #[arg(value_name = "KEY", required_unless_present = "key")]
    pub keys: Vec<String>,
    /// Keys that come as files.
    #[command(flatten)]
    pub given: KeyArgs,
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
    let given = Given::read(app, &context, &args.keys, &args.given)?;
    let added = whole_keys(app, &given)?;
    if !args.consent.dry_run {
        given.confirm(app, &context, &FolderName::root(), args.consent.yes)?;
    }
    let mut names = Names::read(app);
    given.names().for_each(|(key, name)| names.add(&key, &name));
    let mut heading = vec![format!("Keys to add to the group `{name}`:")];
    heading.extend(added.iter().map(|key| format!("  {}", names.line(key))));
    let request = Request {
        heading,
        question: "Do these fingerprints belong to whom they name, and shall they be added?".to_owned(),
        subject: format!("Add {} to group {name}.", subject_keys(&added)),
        done: format!("Added {} to the group `{name}`.", keys(added.len())),
        consent: &args.consent,
        confirmed: given.confirmed(),
        force: args.force,
    };
    let import = || given.import(app, &context);
    if change(app, &request, &names, import, |now| group::add(now, &name, &added, args.force))? {
        given.certify(app, &context);
    }
    Ok(())
}
