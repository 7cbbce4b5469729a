//! `client remove`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::group::refuse_strangers;
use crate::cli::commands::keys_given::Confirmed;
use crate::cli::commands::proposal::{self, Consent, Names, entries};
use crate::cli::error::CliError;
use crate::model::Shown;
use crate::ops::client;
use crate::ops::rules::{Now, carry_out, propose};

/// Remove a client.
///
/// The folder goes with its entries. With `--keep-entries` only the client's key is taken out, and the
/// entries are encrypted anew. Either way the client may have kept what they have read: change the passwords
/// that matter.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  passel client remove acme\n  passel client remove acme --keep-entries --dry-run"
)]
pub struct Args {
    /// The client's name.
    #[arg(value_name = "NAME")]
    pub name: OsString,
    /// Keep the folder and its entries, no longer readable by the client.
    #[arg(long)]
    pub keep_entries: bool,
    /// Fingerprints that are confirmed.
    #[command(flatten)]
    pub confirmed: Confirmed,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let failed = |error| app.error(error);
    let name = Shown::os(&args.name).to_string();
    let subject = format!("Remove client {name}.");
    let client = {
        let now = Now::read(&context).map_err(failed)?;
        client::find(&now, &args.name).map_err(failed)?
    };
    let changed = if args.keep_entries {
        let edit = |now: &Now<'_, '_>| client::take_out(now, &args.name);
        let proposal = propose(&context, edit, false).map_err(failed)?;
        proposal::show(app, &proposal, &Names::read(app))?;
        if !args.consent.dry_run {
            refuse_strangers(app, &context, &proposal, &args.confirmed.keys()?, args.consent.yes)?;
        }
        if !args.consent.agree(app, "Make this change?")? {
            return Ok(());
        }
        carry_out(&context, edit, &proposal, &subject).map_err(failed)?
    } else {
        let count = entries(client.entries);
        app.ui.say(format!("The folder {} is removed, with {count}.", client.folder))?;
        let question = format!("Remove client {name} and {count}?");
        if !args.consent.agree(app, &question)? {
            return Ok(());
        }
        client::remove(&context, &args.name, &subject).map_err(failed)?
    };
    app.tell(&changed.published, &changed.reencrypted);
    let _ = app.ui.say(format!(
        "Removed client {name}. What they have read they may have kept: change the passwords that matter."
    ));
    app.tell_exposed(changed.reencrypted.iter().map(|entry| entry.name.as_str()));
    Ok(())
}
