//! `recipients add`, `remove` and `set`.

use std::ffi::{OsStr, OsString};

use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::commands::keys_given::{Confirmed, Given, KeyArgs};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change};
use crate::cli::error::CliError;
use crate::ops::Context;
use crate::ops::recipients::{self, Edit};
use crate::ops::rules::{Proposal, shown};

/// Let keys read a folder: add them to its recipients and encrypt its entries to them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel recipients add clients/acme anna@acme.example\n  \
    passel recipients add clients/acme --key anna.asc")]
pub struct AddArgs {
    /// The folder; `/` is the whole store.
    #[arg(value_name = "FOLDER")]
    pub folder: OsString,
    /// Keys of the keyring: fingerprints, key IDs, e-mail addresses, user IDs or groups of gpg.conf.
    #[arg(value_name = "KEY", required_unless_present = "key")]
    pub keys: Vec<String>,
    /// How keys may be given besides.
    #[command(flatten)]
    pub given: KeyArgs,
    /// How to go about it.
    #[command(flatten)]
    pub how: How,
}

/// Take keys out of a folder's recipients, and encrypt its entries to the others only.
///
/// What the keys could read until now stays known to their owners: the entries concerned are listed, and
/// their passwords should be changed. Where others have let several keys in that nobody here has accepted,
/// --fingerprint names those of them that are to stay.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel recipients remove clients/acme anna@acme.example\n  \
    passel recipients remove / 0123456789ABCDEF0123456789ABCDEF01234567 --dry-run")]
pub struct RemoveArgs {
    /// The folder; `/` is the whole store.
    #[arg(value_name = "FOLDER")]
    pub folder: OsString,
    /// Keys, or lines of the recipients file as they stand there.
    #[arg(value_name = "KEY", required = true)]
    pub keys: Vec<String>,
    /// Keys that others have let in, and that are to stay.
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// How to go about it.
    #[command(flatten)]
    pub how: How,
    /// What follows.
    #[command(flatten)]
    pub aftermath: Aftermath,
}

/// Let exactly these keys read a folder.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  passel recipients set clients/acme bob@example.org anna@acme.example"
)]
pub struct SetArgs {
    /// The folder; `/` is the whole store.
    #[arg(value_name = "FOLDER")]
    pub folder: OsString,
    /// Keys of the keyring: fingerprints, key IDs, e-mail addresses, user IDs or groups of gpg.conf.
    #[arg(value_name = "KEY", required_unless_present = "key")]
    pub keys: Vec<String>,
    /// How keys may be given besides.
    #[command(flatten)]
    pub given: KeyArgs,
    /// How to go about it.
    #[command(flatten)]
    pub how: How,
    /// What follows.
    #[command(flatten)]
    pub aftermath: Aftermath,
}

/// How a change of recipients goes about it.
#[derive(Debug, clap::Args)]
pub struct How {
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
    /// Do it even if none of your own keys could read the folder any more.
    #[arg(long)]
    pub force: bool,
}

/// Runs `recipients add`.
pub fn add(app: &App, args: &AddArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let given = Given::read(app, &context, &args.keys, &args.given)?;
    run(
        app,
        &context,
        &args.folder,
        &Edit::Add(given.recipients.clone()),
        &args.how,
        &Aftermath::default(),
        &given,
    )
}

/// Runs `recipients set`.
pub fn set(app: &App, args: &SetArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let given = Given::read(app, &context, &args.keys, &args.given)?;
    run(app, &context, &args.folder, &Edit::Set(given.recipients.clone()), &args.how, &args.aftermath, &given)
}

/// Runs `recipients remove`.
pub fn remove(app: &App, args: &RemoveArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let given = Given::confirmed_only(&args.confirmed)?;
    run(app, &context, &args.folder, &Edit::Remove(args.keys.clone()), &args.how, &args.aftermath, &given)
}

/// Shows what will change, asks, does it, and tells what follows.
fn run(
    app: &App,
    context: &Context<'_>,
    name: &OsStr,
    edit: &Edit,
    how: &How,
    aftermath: &Aftermath,
    given: &Given,
) -> Result<(), CliError> {
    let folder = folder(app, name)?;
    let request = Request {
        heading: Vec::new(),
        question: "Change the recipients?".to_owned(),
        subject: &|proposal: &Proposal| recipients::subject(&folder, edit, proposal),
        done: format!("Changed the recipients of {}.", shown(&folder)),
        consent: &how.consent,
        aftermath,
        given,
        force: how.force,
    };
    change(app, context, &request, &Names::read(app), |now| recipients::edit(now, &folder, edit)).map(drop)
}
