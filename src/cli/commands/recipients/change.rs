//! `recipients add`, `remove` and `set`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::keys_given::{Given, KeyArgs};
use crate::cli::commands::proposal::Consent;
use crate::cli::commands::{folder, typed};
use crate::cli::error::CliError;
use crate::model::{Fingerprint, FolderName};
use crate::ops::keys::exported;
use crate::ops::recipients::{Edit, Preview, apply, preview};
use crate::ops::reencrypt::shown_entry;
use crate::ops::{Context, OpError};
use crate::store::accepted::Keys;

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
/// their passwords should be changed.
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
    /// How to go about it.
    #[command(flatten)]
    pub how: How,
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
    let folder = folder(app, &args.folder)?;
    let given = Given::read(app, &context, &args.keys, &args.given)?;
    let edit = Edit::Add(given.recipients.clone());
    run(app, &context, &folder, &edit, &args.how, Some(&given))
}

/// Runs `recipients set`.
pub fn set(app: &App, args: &SetArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let folder = folder(app, &args.folder)?;
    let given = Given::read(app, &context, &args.keys, &args.given)?;
    let edit = Edit::Set(given.recipients.clone());
    run(app, &context, &folder, &edit, &args.how, Some(&given))
}

/// Runs `recipients remove`.
pub fn remove(app: &App, args: &RemoveArgs) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let folder = folder(app, &args.folder)?;
    run(app, &context, &folder, &Edit::Remove(args.keys.clone()), &args.how, None)
}

/// Shows what will change, asks, does it, and tells what follows.
fn run(
    app: &App,
    context: &Context<'_>,
    folder: &FolderName,
    edit: &Edit,
    how: &How,
    given: Option<&Given>,
) -> Result<(), CliError> {
    let failed = |error: OpError| app.error(error);
    if !folder.is_root() && !context.store.folder_exists(folder).map_err(|e| failed(e.into()))? {
        return Err(CliError::new(format!("there is no folder `{folder}`"))
            .hint(format!("`{} init -p {folder} KEY...` makes one", app.ui.program)));
    }
    let plan = preview(context, folder, edit, how.force).map_err(failed)?;
    if plan.gains.is_empty() && plan.loses.is_empty() && plan.entries.is_empty() {
        app.ui.say("Nothing to change.")?;
        return Ok(());
    }
    show(app, given, &plan)?;
    if let Some(given) = given.filter(|_| !how.consent.dry_run) {
        given.confirm(app, context, folder, how.consent.yes)?;
    }
    if !how.consent.agree(app, "Change the recipients?")? {
        return Ok(());
    }
    if let Some(given) = given {
        given.import(app, context)?;
    }
    // The keys of who comes in travel with the store, so that colleagues can encrypt to them.
    let gains: Keys = plan.gains.iter().cloned().collect();
    let others = exported(context, &gains).map_err(failed)?;
    let changed = apply(context, folder, edit, how.force, &others).map_err(failed)?;
    app.tell(&changed.published, &changed.reencrypted);
    if let Some(given) = given {
        given.certify(app, context);
    }
    if !plan.loses.is_empty() {
        let names: Vec<String> = plan.entries.iter().map(|path| shown_entry(path)).collect();
        app.tell_exposed(names.iter().map(String::as_str));
    }
    Ok(())
}

/// Shows what would change.
fn show(app: &App, given: Option<&Given>, plan: &Preview) -> Result<(), CliError> {
    let mut names = app.key_names();
    names.extend(given.iter().flat_map(|given| given.names()));
    let name = |key: &Fingerprint| names.get(key).cloned().unwrap_or_default();
    let place = if plan.folder.is_root() { "the store".into() } else { plan.folder.to_string() };
    app.ui.say(format!("Recipients of {place}:"))?;
    if let Some(file) = &plan.inherited {
        app.ui.say(format!("  (a list of its own, which begins with {})", typed(file.as_os_str())))?;
    }
    for key in &plan.gains {
        app.ui.say(format!("  added    {key}  {}", name(key)))?;
    }
    for key in &plan.loses {
        app.ui.say(format!("  removed  {key}  {}", name(key)))?;
    }
    let count = |number: usize, one: &str, more: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {more}"),
    };
    let entries = count(plan.entries.len(), "entry", "entries");
    app.ui.say(format!("{entries} to encrypt anew, in {}.", count(plan.folders(), "folder", "folders")))?;
    Ok(())
}
