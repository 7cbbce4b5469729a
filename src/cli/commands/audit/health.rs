//! `audit health`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::check::Severity;
use crate::cli::app::App;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, json, list_names, path_text};
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::day;
use crate::ops::health::{Age, Found, Health, UnknownAge, health};

/// What is said of the command at length. Examples of the policy are laid out as they are written.
pub const LONG: &str = "\
Look for weak, short, reused, old and expiring passwords, and for what entries lack.

The entries at and below PATH are decrypted, each once, and nothing goes over the network. A password is weak if zxcvbn \
scores it below 3 of 4, with the entry's name, login and address held against it; short below 12 characters; reused if \
other entries that are looked at have the same, which is an error if they are of different clients. It is old if it has \
been the same for longer than the store allows: what counts is the password itself, and neither to encrypt the entry \
anew nor to move it makes it younger. An entry expires when its own field `expires:` says so (YYYY-MM-DD, or RFC 3339). \
It may lack a login (`login`, `user`, `username`, `email`), an address (`url`, `website`, `site`), or, beside a second \
factor (`otpauth://`, `totp`, `otp`), recovery codes. A host's name in the entry's path is an address; what stands below \
one is a login. What is no password (an empty first line, a key block) is not held to be a good one.

The store says in `.passel.yaml` what is held to what:

  health:
    min_length: 14
    min_score: 3
    max_age: 365           # days; without it, no password is old
    expires_within: 30     # days
    skip: [no-url]         # kinds of findings that nobody wants
    folders:               # what a folder does not say, the one above it says
      clients/acme: {min_length: 20, max_age: 90}
    ignore:
    - entry: clients/acme/legacy-printer
      kinds: [weak, short] # all if it is left out
      why: the device allows 8 digits";

/// Look for weak, short, reused, old and expiring passwords, and for what entries lack.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The entry or folder; the whole store if it is left out.
    #[arg(value_name = "PATH")]
    pub path: Option<OsString>,
    /// Show also what the store's policy ignores, and why.
    #[arg(long)]
    pub ignored: bool,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "Exit codes: 0 if nothing is wrong, 3 if something is, or if entries or ages could not be looked \
at that others may know, 1 if an entry could not be read though it is encrypted to you, or something else failed.

JSON: an object with
  entries           how many were looked at
  errors, warnings  how many findings there are
  ignored           how many more the policy ignores
  findings          an array, the errors first: severity (error, warning), kind (weak, short, reused, old, expiring, \
no-login, no-url, no-recovery), subject, message, hint, entries (an array of names), ignored (why; null unless it is: \
with --ignored those come last)
  unreadable        an array of entries that are not encrypted to you
  failed            an array of entries that could not be decrypted for another reason
  unknown_ages      an array of passwords that may be too old: entry, since (a day from which on it has been the same \
at least; null if nothing is known), reason (history, uncommitted, no-git)
  notes             an array of what the policy ignores in vain

Examples:
  passel audit health
  passel audit health web
  passel audit health --ignored
  passel audit health --json | jq -r '.findings[] | .kind + \" \" + .subject'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report<'h> {
    entries: usize,
    errors: usize,
    warnings: usize,
    ignored: usize,
    findings: Vec<Row<'h>>,
    unreadable: Vec<String>,
    failed: Vec<String>,
    unknown_ages: Vec<UnknownRow>,
    notes: &'h [String],
}

/// One finding.
#[derive(Serialize)]
struct Row<'h> {
    severity: &'static str,
    kind: &'static str,
    subject: &'h str,
    message: &'h str,
    hint: String,
    entries: Vec<String>,
    ignored: Option<&'h str>,
}

/// A password of unknown age.
#[derive(Serialize)]
struct UnknownRow {
    entry: String,
    since: Option<String>,
    reason: &'static str,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let mut health = health(&context, args.path.as_deref(), now()).map_err(|error| app.error(error))?;
    let failed: Vec<PathBuf> = health.failed.iter().map(|(path, _)| path.clone()).collect();
    for (_, error) in std::mem::take(&mut health.failed) {
        app.ui.warn(app.error(error).text());
    }
    let report = report(&health, &failed, args.ignored, &app.ui.program);
    match args.json {
        true => app.ui.say(json(&report))?,
        false => tell(app, &report, &health)?,
    }
    match (failed.is_empty(), health.findings.is_empty() && !health.is_incomplete()) {
        (false, _) => Err(CliError::silent(exit::FAILURE)),
        (true, false) => Err(CliError::silent(exit::NEEDS_DECISION)),
        (true, true) => Ok(()),
    }
}

fn report<'h>(health: &'h Health, failed: &[PathBuf], with_ignored: bool, program: &str) -> Report<'h> {
    let row = |found: &'h Found, ignored: Option<&'h str>| Row {
        severity: if found.finding.severity == Severity::Error { "error" } else { "warning" },
        kind: found.kind.name(),
        subject: &found.finding.subject,
        message: &found.finding.message,
        hint: found.finding.hint.replace("`passel ", &format!("`{program} ")),
        entries: names(&found.entries),
        ignored,
    };
    let mut findings: Vec<Row<'_>> = health.findings.iter().map(|found| row(found, None)).collect();
    let errors = findings.iter().filter(|row| row.severity == "error").count();
    let warnings = findings.len() - errors;
    if with_ignored {
        findings.extend(health.ignored.iter().map(|(found, why)| row(found, Some(why))));
    }
    Report {
        entries: health.entries,
        errors,
        warnings,
        ignored: health.ignored.len(),
        findings,
        unreadable: names(&health.strangers),
        failed: names(failed),
        unknown_ages: health.unknown_ages.iter().map(unknown_row).collect(),
        notes: &health.notes,
    }
}

/// Returns the names of entries by their files.
fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| name(file)).collect()
}

fn name(file: &Path) -> String {
    path_text(&file.with_extension(""))
}

fn unknown_row(unknown: &UnknownAge) -> UnknownRow {
    let (since, reason) = match unknown.age {
        Age::Since(since) => (Some(since), "history"),
        Age::AtLeast(since) => (since, "history"),
        Age::Uncommitted => (None, "uncommitted"),
        Age::NoGit => (None, "no-git"),
    };
    UnknownRow { entry: name(&unknown.entry), since: since.map(day), reason }
}

fn tell(app: &App, report: &Report<'_>, health: &Health) -> Result<(), CliError> {
    for Row { severity, subject, message, hint, ignored, .. } in &report.findings {
        match ignored {
            None => app.ui.say(format!("{severity}: {subject}: {message}"))?,
            Some(_) => app.ui.say(format!("ignored: {subject}: {message}"))?,
        }
        match ignored {
            None => app.ui.say(format!("  hint: {hint}"))?,
            Some(why) => app.ui.say(format!("  why: {why}"))?,
        }
    }
    report.notes.iter().for_each(|note| app.ui.warn(format!("note: {note}")));
    tell_unknown_ages(app, &report.unknown_ages)?;
    tell_unread(app, report, health)?;
    let entries = counted(report.entries, "entry", "entries");
    let ignored = match report.ignored {
        0 => String::new(),
        count => format!("; {} ignored", counted(count, "finding is", "findings are")),
    };
    app.ui.say(match (report.errors, report.warnings) {
        (0, 0) if health.is_incomplete() || !report.failed.is_empty() => {
            format!("Nothing is wrong with what could be looked at of {entries}{ignored}.")
        }
        (0, 0) => format!("Nothing is wrong with {entries}{ignored}."),
        (errors, warnings) => {
            let (errors, warnings) =
                (counted(errors, "error", "errors"), counted(warnings, "warning", "warnings"));
            format!("{errors}, {warnings} in {entries}{ignored}.")
        }
    })?;
    Ok(())
}

/// Tells of passwords that may be too old, by the reason why nobody can tell.
fn tell_unknown_ages(app: &App, unknown: &[UnknownRow]) -> Result<(), CliError> {
    for (reason, why) in [
        ("history", "older versions are not here, or cannot be read here"),
        ("uncommitted", "git has no version with that password"),
        ("no-git", "there is no git history"),
    ] {
        let rows: Vec<&UnknownRow> = unknown.iter().filter(|row| row.reason == reason).collect();
        if rows.is_empty() {
            continue;
        }
        let named = |row: &&UnknownRow| match &row.since {
            Some(since) => format!("{} (at least since {since})", row.entry),
            None => row.entry.clone(),
        };
        let names = list_names(&rows.iter().map(named).collect::<Vec<_>>());
        let count = counted(rows.len(), "password", "passwords");
        app.ui.say(format!("The age of {count} is not known, as {why}: {names}"))?;
    }
    Ok(())
}

/// Tells of entries that could not be read.
fn tell_unread(app: &App, report: &Report<'_>, health: &Health) -> Result<(), CliError> {
    for (names, why) in
        [(&report.unreadable, "not encrypted to you"), (&report.failed, "what failed is said above")]
    {
        if !names.is_empty() {
            let count = counted(names.len(), "entry", "entries");
            app.ui.say(format!("{count} could not be read here ({why}): {}", list_names(names)))?;
        }
    }
    if !health.strangers.is_empty() {
        let program = &app.ui.program;
        app.ui.say(format!(
            "  hint: somebody who can read them runs this, too; `{program} recipients who NAME` tells who"
        ))?;
    }
    Ok(())
}
