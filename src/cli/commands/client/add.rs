//! `client add`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::commands::group::group_name;
use crate::cli::commands::proposal::{self, Consent, Names};
use crate::cli::error::CliError;
use crate::config::GroupName;
use crate::model::Shown;
use crate::ops::client;
use crate::ops::rules::{Now, carry_out, propose};

use super::{key, show};

/// Make a client's folder, readable with the client's key.
///
/// The folder is `clients/NAME`. The team can read it as well: the groups that the clients' folder follows,
/// or else the group `team`, or else whoever can read the clients' folder. The key is imported once its
/// fingerprint was confirmed, and travels in the store.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel client add acme --key acme.asc\n  passel client add acme --key - --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --yes <acme.asc"
)]
pub struct Args {
    /// The client's name, which becomes that of the folder.
    #[arg(value_name = "NAME")]
    pub name: OsString,
    /// The file with the client's public key; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The key's full fingerprint, as its owner told it; otherwise it is asked about.
    #[arg(long, value_name = "FINGERPRINT")]
    pub fingerprint: Option<String>,
    /// A group that can read the folder as well, instead of the usual ones; may be repeated.
    #[arg(long, value_name = "GROUP")]
    pub group: Vec<String>,
    /// Certify the key in your keyring, for this machine alone, so that pass encrypts to it as well.
    #[arg(long)]
    pub certify: bool,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let groups =
        args.group.iter().map(|name| group_name(name)).collect::<Result<BTreeSet<GroupName>, _>>()?;
    let store = app.store()?;
    let context = app.context(&store);
    let failed = |error| app.error(error);
    let sent = key::read(app, &args.key)?;
    let fingerprint = &sent.key.fingerprint;
    let edit = |now: &Now<'_, '_>| client::add(now, &args.name, &groups, fingerprint);
    // What cannot be done anyway should not be asked about.
    let proposal = propose(&context, edit, false).map_err(failed)?;
    sent.confirm(app, args.fingerprint.as_deref())?;
    let mut names = Names::read(app);
    names.add(fingerprint, sent.key.name());
    proposal::show(app, &proposal, &names)?;
    if !args.consent.agree(app, "Make this change?")? {
        return Ok(());
    }
    sent.import(app, args.certify)?;
    let subject = format!("Add client {}.", Shown::os(&args.name));
    let changed = carry_out(&context, edit, &proposal, &subject).map_err(failed)?;
    app.tell(&changed.published, &changed.reencrypted);
    let now = Now::read(&context).map_err(failed)?;
    let client = client::find(&now, &args.name).map_err(failed)?;
    show::tell_what_to_do(app, &store, &client)
}
