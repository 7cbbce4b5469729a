//! `recipients check`.

use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use super::people::{counted, no_environment};
use crate::check::Severity;
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::FolderName;
use crate::ops::check::check;

/// Look for what is wrong with recipients and entries.
///
/// Errors: recipients files that cannot be used or that nobody on this machine has accepted; recipients that
/// are missing, ambiguous, expired or revoked; entries that other keys can read than the files name, and
/// files that are no messages. Warnings: keys that expire within 30 days, that are weak (RSA, DSA or Elgamal
/// below 2,048 bits) or certified with SHA-1 only; recipients that are no full fingerprints; entries that
/// are encrypted to an older subkey, whose recipients are hidden, or that nobody but one can read.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Exit codes: 0 if there is no error (warnings are none), 4 if there is one, 1 if \
    something could not be looked at.\n\nExamples:\n  passel recipients check\n  \
    passel recipients check clients/acme"
)]
pub struct Args {
    /// The folder; the whole store if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let folder = match &args.folder {
        Some(name) => folder(app, name)?,
        None => FolderName::root(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let findings = check(&context, &folder, now.try_into().unwrap_or(i64::MAX)).map_err(|e| app.error(e))?;
    let program = format!("`{} ", app.ui.program);
    for finding in &findings {
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        app.ui.say(format!("{severity}: {}: {}", finding.subject, finding.message))?;
        app.ui.say(format!("  hint: {}", finding.hint.replace("`passel ", &program)))?;
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    app.ui.say(match (errors, findings.len() - errors) {
        (0, 0) => "Nothing is wrong.".to_owned(),
        (errors, warnings) => {
            format!("{}, {}.", counted(errors, "error", "errors"), counted(warnings, "warning", "warnings"))
        }
    })?;
    if errors == 0 { Ok(()) } else { Err(CliError::silent(exit::FINDINGS)) }
}
