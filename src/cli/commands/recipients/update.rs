//! `recipients update`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use super::people::{counted, no_environment, reader_cells};
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::commands::proposal::Consent;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::entry::shown_entry;
use crate::model::{FolderName, Keyring, Shown};
use crate::ops::readers::{Reader, of_id, survey_folder};
use crate::ops::update::{Why, Work, update, work};
use crate::store::survey::{Standing, Survey};

/// Bring entries back in line with their recipients files.
///
/// Encrypts those entries anew, at and below the folder, that other keys can read than the recipients files
/// name, or that are encrypted to an older subkey than the one that gpg would choose now (the newest that is
/// valid). Entries that are right are not touched, and no recipients file is changed. What none of your own
/// keys can read is listed and stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel recipients update --dry-run\n  \
    passel recipients update clients/acme --yes")]
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
    let survey = survey_folder(&context, &folder).map_err(|e| app.error(e))?;
    let work = work(&context, &survey).map_err(|e| app.error(e))?;
    if work.entries.is_empty() && work.left.is_empty() {
        app.ui.say("Nothing to update: the entries are encrypted as the recipients files say.")?;
        return Ok(());
    }
    if !work.entries.is_empty() {
        show(app, &survey, &work)?;
        if args.consent.agree(app, "Encrypt these entries anew?")? {
            let done = update(&context, &survey, &folder, &work.entries).map_err(|e| app.error(e))?;
            app.tell(&done.published, &done.reencrypted);
        }
    }
    tell_left(app, &work)
}

/// Shows what will change: who gains and loses what.
fn show(app: &App, survey: &Survey, work: &Work) -> Result<(), CliError> {
    app.ui.say(format!("{} to encrypt anew:", counted(work.entries.len(), "entry", "entries")))?;
    let wanted: BTreeSet<&PathBuf> = work.entries.iter().collect();
    for entry in survey.entries.iter().filter(|entry| wanted.contains(&entry.path)) {
        app.ui.say(format!("  {}", shown_entry(&entry.path)))?;
        let key = |reader: &Reader| reader_cells(&survey.keyring, &Keyring::default(), reader).join("  ");
        match &entry.standing {
            Standing::Differs { missing, extra } => {
                for gains in missing {
                    app.ui.say(format!("    gains  {}", key(&Reader::Key(gains.clone()))))?;
                }
                for loses in extra.iter().flat_map(|id| of_id(&survey.keyring, *id)) {
                    app.ui.say(format!("    loses  {}", key(&loses)))?;
                }
            }
            Standing::Hidden => app.ui.say("    who can read it is hidden")?,
            _ => app.ui.say("    the same keys, through their newest subkeys")?,
        }
    }
    Ok(())
}

/// Says what stays as it is; a command that leaves work undone has failed.
fn tell_left(app: &App, work: &Work) -> Result<(), CliError> {
    for (path, why) in &work.left {
        let name = shown_entry(path);
        app.ui.warn(match why {
            Why::NotYours => format!("error: `{name}` stays as it is: none of your keys can read it"),
            Why::Unusable { file, line: 0, what } => {
                format!("error: `{name}` stays as it is: {file}: {what}")
            }
            Why::Unusable { file, line, what } => {
                format!("error: `{name}` stays as it is: {file} line {line}: {}", Shown::new(what))
            }
            Why::Broken(what) => format!("error: `{name}` stays as it is: {}", Shown::new(what)),
        });
    }
    if work.left.is_empty() {
        return Ok(());
    }
    let not_yours = work.left.values().any(|why| *why == Why::NotYours);
    let hint = match not_yours {
        true => "somebody who can read them can update them",
        false => "see which recipients are the matter",
    };
    Err(CliError::silent(exit::FAILURE).hint(format!("{hint}: `{} recipients check`", app.ui.program)))
}
