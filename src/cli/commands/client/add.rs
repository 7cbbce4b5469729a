//! `client add`.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::group::group_name;
use crate::cli::commands::keys_given::{Given, KeyArgs};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change};
use crate::cli::error::CliError;
use crate::config::GroupName;
use crate::model::{Fingerprint, Shown};
use crate::ops::client;
use crate::ops::rules::Now;

use super::show;

/// Make a client's folder, readable with the client's key.
///
/// The folder is `clients/NAME`. The team can read it as well: the groups that the clients' folder follows,
/// or else the group `team`, or else whoever can read the clients' folder. The key is imported once its
/// fingerprint was confirmed, and travels in the store.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel client add [OPTIONS] NAME <KEY|--key FILE>",
    after_long_help = "Examples:\n  passel client add acme --key acme.asc\n  passel client add acme --key - --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --yes <acme.asc"
)]
pub struct Args {
    /// The client's name, which becomes that of the folder.
    #[arg(value_name = "NAME")]
    pub name: OsString,
    /// The client's key, where the keyring has it: its fingerprint, key ID, e-mail address or user ID.
    #[arg(value_name = "KEY", required_unless_present = "key", conflicts_with = "key")]
    pub known: Option<String>,
    /// The client's key, where it comes as a file.
    #[command(flatten)]
    pub given: KeyArgs,
    /// A group that can read the folder as well, instead of the usual ones; may be repeated.
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
    /// Go on even if none of your own keys can read the folder.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let groups =
        args.group.iter().map(|name| group_name(name)).collect::<Result<BTreeSet<GroupName>, _>>()?;
    let store = app.store()?;
    let context = app.context(&store);
    let failed = |error| app.error(error);
    let given = Given::read(app, &context, args.known.as_slice(), &args.given)?;
    let key = sole_key(app, &given)?;
    let name = Shown::os(&args.name).to_string();
    let request = Request {
        heading: Vec::new(),
        question: "Make this change?".to_owned(),
        subject: &|_| format!("Add client {name}."),
        done: format!("Added client {name}."),
        consent: &args.consent,
        aftermath: &Aftermath::default(),
        given: &given,
        force: args.force,
    };
    let edit = |now: &Now<'_, '_>| client::add(now, &args.name, &groups, &key);
    if !change(app, &context, &request, &Names::read(app), edit)? {
        return Ok(());
    }
    let now = Now::read(&context).map_err(failed)?;
    let client = client::find(&now, &args.name).map_err(failed)?;
    show::tell_what_to_do(app, &now, &client)
}

/// Returns the one key that was given.
fn sole_key(app: &App, given: &Given) -> Result<Fingerprint, CliError> {
    let keys: Vec<Fingerprint> = given.whole_keys(app)?.into_iter().collect();
    match <[Fingerprint; 1]>::try_from(keys) {
        Ok([key]) => Ok(key),
        Err(keys) => Err(CliError::new(format!("a client has one key, not {}", keys.len()))
            .hint(format!("`{} recipients add` lets more keys read the folder later", app.ui.program))),
    }
}
