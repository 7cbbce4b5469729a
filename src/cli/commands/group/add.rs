//! `group add`.

use crate::cli::app::App;
use crate::cli::commands::keys_given::{Given, KeyArgs};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change, keys};
use crate::cli::error::CliError;
use crate::ops::group;

use super::{group_name, heading, subject_keys};

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
    let added = given.whole_keys(app)?;
    let names = Names::read(app).with(&given);
    let question = match added.len() {
        1 => "Does this fingerprint belong to whom it names, and shall it be added?",
        _ => "Do these fingerprints belong to whom they name, and shall they be added?",
    };
    let request = Request {
        heading: heading(&added, &format!("to add to the group `{name}`"), &names),
        question: question.to_owned(),
        subject: &|_| format!("Add {} to group {name}.", subject_keys(&added)),
        done: format!("Added {} to the group `{name}`.", keys(added.len())),
        consent: &args.consent,
        aftermath: &Aftermath::default(),
        given: &given,
        force: args.force,
    };
    change(app, &context, &request, &names, |now| group::add(now, &name, &added, args.force)).map(drop)
}
