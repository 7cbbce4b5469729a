//! `recipients canonicalize`.

use std::ffi::OsString;

use super::people::no_environment;
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::commands::proposal::Consent;
use crate::cli::error::CliError;
use crate::model::{FolderName, Shown};
use crate::ops::canonicalize::{canonicalize, preview};

/// Write full fingerprints in place of e-mail addresses, key IDs, user IDs and groups.
///
/// In the recipients files at and below the folder, each name becomes the fingerprint of the key that it
/// stands for now (a group becomes a line for each of its members; one subkey asked for with `!` stays one).
/// Comments and all other lines stay as they are, and so does who can read the entries: none is touched.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel recipients canonicalize --dry-run\n  \
    passel recipients canonicalize clients/acme --yes")]
pub struct Args {
    /// The folder; the whole store if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// How it is agreed to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let folder = match &args.folder {
        Some(name) => folder(app, name)?,
        None => FolderName::root(),
    };
    let canonical = preview(&context, &folder).map_err(|e| app.error(e))?;
    if canonical.mappings.is_empty() {
        app.ui.say("Nothing to change: all recipients are full fingerprints.")?;
        return Ok(());
    }
    let names = app.key_names();
    for mapping in &canonical.mappings {
        app.ui.say(format!("{} line {}: {}", Shown::os(&mapping.file), mapping.line, mapping.id))?;
        for key in &mapping.keys {
            let name = names.get(&key.fingerprint).cloned().unwrap_or_default();
            app.ui.say(format!("  becomes {}  {name}", key.gpg_name()))?;
        }
    }
    if !args.consent.agree(app, "Write these fingerprints?")? {
        return Ok(());
    }
    let published = canonicalize(&context, &folder).map_err(|e| app.error(e))?;
    app.tell(&published, &[]);
    Ok(())
}
