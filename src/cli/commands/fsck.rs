//! `fsck`.

use std::ffi::OsString;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::recipients::people::{counted, json, list_names, no_environment};
use crate::check::{Severity, some_of};
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::ops::fsck::{Found, Others, Report, Request, fsck};

/// What is said of the command at length.
pub const LONG: &str = "\
Look over the store as a whole: entries, recipients, files, history and git.

Errors: entries that are damaged, empty or no message; whatever `recipients check` calls one; plain text that the \
history holds under an entry's name; conflicts that git left; a journal that cannot be obeyed; what `git fsck` \
complains of. Warnings: armored entries and large ones; files that others on this machine can get at; files that are \
no entries, now or in the history; links that lead out of the store; versions kept apart; entries that git ignores \
or that were not committed; names that differ in case only; what killed commands left. Entries that only others can \
read are notes, with who they are.

Nothing is changed without `--repair`. With it, permissions are taken from others, and what killed commands of passel \
left is removed; lines of recipients files that pass does not read as we do are ended as it reads them, in a commit. \
No entry's content is touched, and no file that somebody else may have made is removed.

Exits with 0 if there is no error (warnings are none), with 4 if there is one, with 3 if there is none but something \
could not be looked at (a shallow clone, a missing object, a folder that cannot be read) or repaired, with 1 if \
nothing could be.";

/// Look over the store as a whole: entries, recipients, files, history and git.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The entry or folder; the whole store if it is left out.
    #[arg(value_name = "PATH")]
    pub path: Option<OsString>,
    /// Mend what is safe to mend.
    #[arg(long)]
    pub repair: bool,
    /// Do not decrypt entries: look at their form alone.
    #[arg(long)]
    pub no_decrypt: bool,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "JSON: an object with
  errors, warnings  how many there are that were not repaired
  repaired          how many were
  entries           how many entries were looked at
  decrypted         how many of them were decrypted here
  others            how many of them only others can read
  commits           how many commits were looked at
  findings          an array, the errors first: severity (error, warning, note), kind (decrypt, structure, \
recipients, permissions, stray, link, history, conflict, untracked, name, leftover, git, others), subject, message, \
hint, repaired (true or false)
  unseen            an array of what could not be looked at: subject, message

Examples:
  passel fsck
  passel fsck clients/acme --no-decrypt
  passel fsck --repair
  passel fsck --json";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Record {
    errors: usize,
    warnings: usize,
    repaired: usize,
    entries: usize,
    decrypted: usize,
    others: usize,
    commits: usize,
    findings: Vec<Row>,
    unseen: Vec<UnseenRow>,
}

/// One finding.
#[derive(Serialize)]
struct Row {
    severity: &'static str,
    kind: &'static str,
    subject: String,
    message: String,
    hint: String,
    repaired: bool,
}

/// Something that could not be looked at.
#[derive(Serialize)]
struct UnseenRow {
    subject: String,
    message: String,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let request = Request {
        place: args.path.as_deref(),
        decrypt: !args.no_decrypt,
        repair: args.repair,
        now: now.try_into().unwrap_or(i64::MAX),
        user: rustix::process::geteuid().as_raw(),
    };
    let report = fsck(&context, &request).map_err(|error| app.error(error))?;
    let record = record(report, &app.ui.program, args.json);
    match args.json {
        true => app.ui.say(json(&record))?,
        false => tell(app, &record, args.no_decrypt)?,
    }
    match (record.errors, record.unseen.len()) {
        (0, 0) => Ok(()),
        (0, _) => Err(CliError::silent(exit::INCOMPLETE)),
        _ => Err(CliError::silent(exit::FINDINGS)),
    }
}

fn record(report: Report, program: &str, each: bool) -> Record {
    let others = report.others.iter().map(|others| others.entries.len()).sum();
    let rows = report.findings.into_iter().map(|found| row(found, program));
    let notes = report.others.iter().flat_map(|others| notes(others, program, each));
    let findings: Vec<Row> = rows.chain(notes).collect();
    let count = |severity| findings.iter().filter(|row| row.severity == severity && !row.repaired).count();
    let unseen = report.unseen.into_iter();
    Record {
        errors: count("error"),
        warnings: count("warning"),
        repaired: findings.iter().filter(|row| row.repaired).count(),
        entries: report.entries,
        decrypted: report.decrypted,
        others,
        commits: report.commits,
        findings,
        unseen: unseen.map(|found| UnseenRow { subject: found.subject, message: found.message }).collect(),
    }
}

fn row(found: Found, program: &str) -> Row {
    let Found { kind, finding, repaired, .. } = found;
    Row {
        severity: if finding.severity == Severity::Error { "error" } else { "warning" },
        kind: kind.name(),
        subject: finding.subject,
        message: finding.message,
        hint: finding.hint.replace("`passel ", &format!("`{program} ")),
        repaired,
    }
}

/// Returns the rows of entries that only others can read: one for each, or one for all with the same readers.
fn notes(others: &Others, program: &str, each: bool) -> Vec<Row> {
    let row = |subject: String| Row {
        severity: "note",
        kind: "others",
        subject,
        message: format!("can be read by {}, not here", list_names(&others.readers)),
        hint: format!("they can let you in: `{program} recipients add`"),
        repaired: false,
    };
    match each {
        true => others.entries.iter().cloned().map(row).collect(),
        false => vec![row(some_of(&others.entries))],
    }
}

fn tell(app: &App, record: &Record, no_decrypt: bool) -> Result<(), CliError> {
    for Row { severity, subject, message, hint, repaired, .. } in &record.findings {
        if *repaired {
            app.ui.say(format!("repaired: {subject}: {message}"))?;
            continue;
        }
        app.ui.say(format!("{severity}: {subject}: {message}"))?;
        app.ui.say(format!("  hint: {hint}"))?;
    }
    for UnseenRow { subject, message } in &record.unseen {
        app.ui.say(format!("not looked at: {subject}: {message}"))?;
    }
    app.ui.say(summary(record, no_decrypt))?;
    Ok(())
}

/// Returns the counts in words.
fn summary(record: &Record, no_decrypt: bool) -> String {
    let entries = counted(record.entries, "entry", "entries");
    let read = match no_decrypt {
        true => "not decrypted".to_owned(),
        false => format!("{} decrypted here, {} for others", record.decrypted, record.others),
    };
    let commits = match record.commits {
        0 => String::new(),
        count => format!("; {}", counted(count, "commit", "commits")),
    };
    let mut found = match (record.errors, record.warnings) {
        (0, 0) => "Nothing is wrong".to_owned(),
        (errors, warnings) => {
            format!("{}, {}", counted(errors, "error", "errors"), counted(warnings, "warning", "warnings"))
        }
    };
    if record.repaired > 0 {
        found.push_str(&format!(", {} repaired", record.repaired));
    }
    if !record.unseen.is_empty() {
        found.push_str(&format!(", {} not looked at", counted(record.unseen.len(), "thing", "things")));
    }
    format!("{entries}: {read}{commits}.\n{found}.")
}
