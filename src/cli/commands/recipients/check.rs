//! `recipients check`.

use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::people::{counted, json, no_environment};
use super::refuse_absent;
use crate::check::{Finding, Severity};
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::FolderName;
use crate::ops::check::check;

/// Look for what is wrong with recipients and entries.
///
/// Errors: a store without recipients; recipients files that cannot be used, that are not signed where
/// PASSWORD_STORE_SIGNING_KEY asks for it, or that nobody on this machine has accepted; groups and rules that
/// nobody has; recipients that are missing, ambiguous, expired or revoked; entries that other keys can read than
/// the files name, or that were encrypted for others elsewhere, and files that are no messages. Warnings: keys that
/// expire within 30 days, that are weak (RSA, DSA or Elgamal below 2,048 bits) or certified with SHA-1 only;
/// recipients that are no full fingerprints; lists that are not what their groups come to; entries that are
/// encrypted to an older subkey, whose recipients are hidden, or that nobody but one can read.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The folder; the whole store if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str =
    "Exit codes: 0 if there is no error (warnings are none), 4 if there is one, 1 if something \
could not be looked at.

JSON: an object with
  errors, warnings  how many there are
  findings          an array, the errors first: severity (error, warning), subject, message, hint

Examples:
  passel recipients check
  passel recipients check clients/acme
  passel recipients check --json | jq -r '.findings[].message'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    errors: usize,
    warnings: usize,
    findings: Vec<Row>,
}

/// One finding.
#[derive(Serialize)]
struct Row {
    severity: &'static str,
    subject: String,
    message: String,
    hint: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let folder = match &args.folder {
        Some(name) => folder(app, name)?,
        None => FolderName::root(),
    };
    refuse_absent(app, &context, &folder, "check")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let findings = check(&context, &folder, now.try_into().unwrap_or(i64::MAX)).map_err(|e| app.error(e))?;
    let report = report(findings, &app.ui.program);
    match args.json {
        true => app.ui.say(json(&report))?,
        false => tell(app, &report)?,
    }
    if report.errors == 0 { Ok(()) } else { Err(CliError::silent(exit::FINDINGS)) }
}

fn report(findings: Vec<Finding>, program: &str) -> Report {
    let row = |finding: Finding| Row {
        severity: if finding.severity == Severity::Error { "error" } else { "warning" },
        subject: finding.subject,
        message: finding.message,
        hint: finding.hint.replace("`passel ", &format!("`{program} ")),
    };
    let findings: Vec<Row> = findings.into_iter().map(row).collect();
    let errors = findings.iter().filter(|row| row.severity == "error").count();
    Report { errors, warnings: findings.len() - errors, findings }
}

fn tell(app: &App, report: &Report) -> Result<(), CliError> {
    for Row { severity, subject, message, hint } in &report.findings {
        app.ui.say(format!("{severity}: {subject}: {message}"))?;
        app.ui.say(format!("  hint: {hint}"))?;
    }
    app.ui.say(match (report.errors, report.warnings) {
        (0, 0) => "Nothing is wrong.".to_owned(),
        (errors, warnings) => {
            format!("{}, {}.", counted(errors, "error", "errors"), counted(warnings, "warning", "warnings"))
        }
    })?;
    Ok(())
}
