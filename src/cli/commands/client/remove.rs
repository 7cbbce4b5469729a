//! `client remove`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::keys_given::{Confirmed, Given};
use crate::cli::commands::proposal::{Aftermath, Consent, Names, Request, change, entries};
use crate::cli::error::CliError;
use crate::model::Shown;
use crate::ops::client;
use crate::ops::rules::Now;

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
    /// What follows.
    #[command(flatten)]
    pub aftermath: Aftermath,
    /// With `--keep-entries`: go on even if none of your own keys can read them.
    #[arg(long)]
    pub force: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let failed = |error| app.error(error);
    let name = Shown::os(&args.name).to_string();
    let subject = format!("Remove client {name}.");
    let done = format!(
        "Removed client {name}. What they have read they may have kept: change the passwords that matter."
    );
    if args.keep_entries {
        let request = Request {
            heading: Vec::new(),
            question: "Make this change?".to_owned(),
            subject: &|_| subject.clone(),
            done,
            consent: &args.consent,
            aftermath: &args.aftermath,
            given: &Given::confirmed_only(&args.confirmed)?,
            force: args.force,
        };
        let edit = |now: &Now<'_, '_>| client::take_out(now, &args.name);
        return change(app, &context, &request, &Names::read(app), edit).map(drop);
    }
    if args.aftermath.rotate {
        return Err(CliError::new("what is removed cannot be put on the rotation list")
            .hint("--keep-entries keeps the entries; or take note of what is printed"));
    }
    let client = client::find(&Now::read(&context).map_err(failed)?, &args.name).map_err(failed)?;
    let count = entries(client.entries);
    app.ui.say(format!("The folder {} is removed, with {count}.", client.folder))?;
    if !args.consent.agree(app, &format!("Remove client {name} and {count}?"))? {
        return Ok(());
    }
    let removed = client::remove(&context, &args.name, &subject).map_err(failed)?;
    app.tell(&removed.changed.published, &removed.changed.reencrypted);
    let _ = app.ui.say(done);
    app.tell_exposed(removed.exposed.iter().map(String::as_str));
    Ok(())
}
