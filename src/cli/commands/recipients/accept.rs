//! `recipients accept`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::error::CliError;
use crate::model::{Fingerprint, FolderName};
use crate::ops::OpError;
use crate::ops::guard::Difference;
use crate::store::accepted::Keys;

/// Accept changed recipients: from now on this machine encrypts to them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder; every folder of the store if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Accept without a question if exactly these full fingerprints, separated by commas, can read the
    /// folder.
    #[arg(long, value_name = "FINGERPRINT,...", value_delimiter = ',', requires = "folder")]
    pub expect: Vec<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let expected = fingerprints(&args.expect)?;
    let folders = match &args.folder {
        Some(name) => vec![folder(app, name)?],
        None => context.ruled_folders().map_err(|e| app.error(e))?,
    };
    let mut accepted = 0;
    for folder in &folders {
        match context.unaccepted(folder) {
            Ok(None) if expected.is_empty() => {}
            Ok(None) => check(app, folder, &expected, &current(app, &context, folder)?)?,
            Ok(Some(difference)) => {
                show(app, &difference)?;
                match expected.is_empty() {
                    true => app.agree_or("Accept these recipients?", "--expect FINGERPRINT,...")?,
                    false => check(app, folder, &expected, &difference.keys)?,
                }
                context.accept(&difference).map_err(|e| app.error(e))?;
                accepted += 1;
            }
            // With all folders asked about, one that cannot be used must not hide the others.
            Err(error @ OpError::Recipient { .. }) if args.folder.is_none() => {
                app.ui.warn(app.error(error).text());
            }
            Err(error) => return Err(app.error(error)),
        }
    }
    app.ui.say(match accepted {
        0 => "Nothing to accept: the recipients are those that were accepted before.".to_owned(),
        1 => "Accepted the recipients of 1 folder.".to_owned(),
        count => format!("Accepted the recipients of {count} folders."),
    })?;
    Ok(())
}

/// Returns who can read `folder`.
fn current(app: &App, context: &crate::ops::Context<'_>, folder: &FolderName) -> Result<Keys, CliError> {
    let recipients = context.recipients(folder).map_err(|e| app.error(e))?;
    Ok(crate::ops::guard::key_set(&recipients.keys))
}

/// Fails unless exactly `expected` can read the folder.
fn check(app: &App, folder: &FolderName, expected: &Keys, found: &Keys) -> Result<(), CliError> {
    if expected == found {
        return Ok(());
    }
    let list = found.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(",");
    let program = &app.ui.program;
    Err(CliError::new(format!("the recipients of `{folder}` are not those expected"))
        .hint(format!("they are {list}; `{program} recipients list {folder}` names them")))
}

/// Tells how the recipients of a folder have changed.
fn show(app: &App, difference: &Difference) -> Result<(), CliError> {
    let named = app.key_names();
    let name = |key: &Fingerprint| named.get(key).cloned().unwrap_or_default();
    let place = if difference.folder.is_root() { "the store".into() } else { difference.folder.to_string() };
    app.ui.say(format!("Recipients of {place}:"))?;
    for key in &difference.gains {
        let again = if difference.returning.contains(key) { "  (was removed before)" } else { "" };
        app.ui.say(format!("  gains   {key}  {}{again}", name(key)))?;
    }
    for key in &difference.loses {
        app.ui.say(format!("  loses   {key}  {}", name(key)))?;
    }
    if let Some(commit) = &difference.commit {
        let author = crate::model::Shown::new(&commit.author);
        app.ui.say(format!("  changed in commit {} of {} by {author}", commit.id, commit.day))?;
    }
    Ok(())
}

/// Reads full fingerprints.
pub fn fingerprints(texts: &[String]) -> Result<Keys, CliError> {
    let parse = |text: &String| {
        Fingerprint::parse(text.trim()).ok_or_else(|| {
            let text = crate::model::Shown::new(text);
            CliError::new(format!("`{text}` is no full fingerprint")).hint("`gpg --list-keys` shows them")
        })
    };
    texts.iter().map(parse).collect()
}
