//! `log`.

pub mod lines;

use std::ffi::OsString;

use serde::Serialize;

use super::recipients::people::{counted, json};
use crate::cli::app::App;
use crate::cli::commands::proposal::Names;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::git::{GitError, Oid};
use crate::model::Shown;
use crate::model::key::{day, start_of_day};
use crate::ops::history::log::{Log, Wanted, log};
use crate::ops::history::{Mark, Stamp};

use lines::ChangeRecord;

/// What is said of the command at length.
pub const LONG: &str = "\
Tell who changed what, and when: commit by commit, the newest first.

Entries are decrypted, in memory, to tell a changed password from one that was only encrypted anew. Authors are as \
the commits name them, which only a signature proves: each commit is marked unsigned, signed by NAME (somebody who can \
read a folder now), foreign (signed by somebody else), or BAD signature.";

/// Tell who changed what, and when.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// An entry or a folder, even one that is gone; the whole store if it is left out.
    #[arg(value_name = "PATH")]
    pub path: Option<OsString>,
    /// Tell of not more than NUM commits; of all for 0.
    #[arg(short = 'n', long = "number", value_name = "NUM", default_value_t = 30)]
    pub most: usize,
    /// Leave out what was before this day (YYYY-MM-DD, UTC).
    #[arg(long, value_name = "DATE", value_parser = a_day)]
    pub since: Option<i64>,
    /// Leave out what was after this day (YYYY-MM-DD, UTC).
    #[arg(long, value_name = "DATE", value_parser = a_day)]
    pub until: Option<i64>,
    /// Decrypt nothing: what was changed is called so, and nobody is asked for a passphrase.
    #[arg(long)]
    pub no_decrypt: bool,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "JSON: an object with
  commits  an array: id, date (RFC 3339; null if the commit does not say), author (name, email), subject, signature \
(mark, fingerprint, name), changes, error (why they cannot be told, or null)
  more     how many more commits there are
  shallow  whether older ones were left out when the repository was cloned
The marks are unsigned, signed, expired, revoked, foreign, bad, ssh, x509, unchecked. Each change has a kind, and what \
belongs to it:
  added, edited, password-changed, reencrypted, changed, unreadable, removed   entry
  moved, copied                  entry, from, reencrypted
  moved-away                     entry, to
  restored                       entry, commit
  recipients-changed             folder, gained, lost (arrays: fingerprint, name), removed
  group-changed                  group, gained, lost, removed
  rule-changed                   folder, removed
  configuration-changed          (groups and rules, in a way that cannot be told)
  key-added, -changed, -removed  fingerprint, name
  file-added, -changed, -removed path
  present                        entries: how many there were where the history begins

Examples:
  passel log clients/acme
  passel log --since 2026-01-01 --until 2026-03-31 -n 0 --no-decrypt
  passel log --json | jq -r '.commits[] | select(.signature.mark == \"foreign\") | .id'";

/// Returns the second at which a day begins.
fn a_day(text: &str) -> Result<i64, String> {
    start_of_day(text).ok_or_else(|| "write it as YYYY-MM-DD".to_owned())
}

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report<'l> {
    commits: Vec<Row<'l>>,
    more: usize,
    shallow: bool,
}

#[derive(Serialize)]
struct Row<'l> {
    #[serde(flatten)]
    stamp: StampRecord<'l>,
    changes: Vec<ChangeRecord>,
    error: Option<String>,
}

/// A commit, for programs.
#[derive(Serialize)]
pub struct StampRecord<'s> {
    id: &'s str,
    date: Option<String>,
    author: Author<'s>,
    subject: &'s str,
    signature: Signature,
}

#[derive(Serialize)]
struct Author<'s> {
    name: &'s str,
    email: &'s str,
}

#[derive(Serialize)]
struct Signature {
    mark: &'static str,
    fingerprint: Option<String>,
    name: Option<String>,
}

impl<'s> StampRecord<'s> {
    /// Returns what programs are told of a commit.
    pub fn of(stamp: &'s Stamp, names: &Names) -> Self {
        let (mark, key) = match &stamp.mark {
            Mark::Unsigned => ("unsigned", None),
            Mark::Good(key) => ("signed", Some(key)),
            Mark::Expired(key) => ("expired", Some(key)),
            Mark::Revoked(key) => ("revoked", Some(key)),
            Mark::Foreign(key) => ("foreign", key.as_ref()),
            Mark::Bad => ("bad", None),
            Mark::Other(kind) => (*kind, None),
            Mark::Unchecked => ("unchecked", None),
        };
        StampRecord {
            id: &stamp.id,
            date: stamp.when.map(|at| format!("{}T{}Z", day(at), clock(at))),
            author: Author { name: &stamp.name, email: &stamp.email },
            subject: &stamp.subject,
            signature: Signature {
                mark,
                fingerprint: key.map(ToString::to_string),
                name: key.and_then(|key| names.get(key)).map(str::to_owned),
            },
        }
    }
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let wanted = Wanted {
        most: args.most,
        since: args.since,
        until: args.until.map(|start| start + 86_400),
        decrypts: !args.no_decrypt,
    };
    let found = log(&app.context(&store), args.path.as_deref(), &wanted).map_err(|error| app.error(error))?;
    let names = Names::read(app);
    if args.json {
        app.ui.say(json(&report(&found, &names)))?;
    } else {
        tell(app, &found, &names)?;
    }
    warn_of(app, &found.damaged);
    let is_whole = found.damaged.is_empty() && found.commits.iter().all(|commit| commit.changes.is_ok());
    if is_whole { Ok(()) } else { Err(CliError::silent(exit::FAILURE)) }
}

/// Prints the log for people.
fn tell(app: &App, found: &Log, names: &Names) -> Result<(), CliError> {
    if found.commits.is_empty() {
        app.ui.say("There is no commit to tell of.")?;
    }
    for commit in &found.commits {
        app.ui.say(heading(&commit.stamp, names))?;
        match &commit.changes {
            Ok(changes) => lines::lines(changes, names).into_iter().try_for_each(|line| app.ui.say(line))?,
            Err(error) => app.ui.say(format!("  cannot be read: {error}"))?,
        }
    }
    if found.more > 0 {
        let more = counted(found.more, "more commit", "more commits");
        app.ui.say(format!("{more}: `{} log -n 0` tells of all.", app.ui.program))?;
    }
    tell_shallow(app, found.is_shallow);
    Ok(())
}

/// Tells that a history is not all there is.
pub fn tell_shallow(app: &App, is_shallow: bool) {
    if is_shallow {
        app.ui.warn(format!(
            "note: this is a shallow clone, and the history is incomplete: `{} git fetch --unshallow` gets the rest",
            app.ui.program
        ));
    }
}

/// Tells of commits that cannot be read.
pub fn warn_of(app: &App, damaged: &[(Oid, GitError)]) {
    for (id, error) in damaged {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        app.ui.warn(format!(
            "error: commit {id} cannot be read, and what it leads to is left out: {error}{cause}"
        ));
    }
    if !damaged.is_empty() {
        app.ui.warn(format!("hint: `{} git fsck` tells what else is damaged; clone it anew", app.ui.program));
    }
}

fn report<'l>(found: &'l Log, names: &Names) -> Report<'l> {
    let rows = found.commits.iter().map(|commit| Row {
        stamp: StampRecord::of(&commit.stamp, names),
        changes: match &commit.changes {
            Ok(changes) => changes.iter().map(|change| ChangeRecord::of(change, names)).collect(),
            Err(_) => Vec::new(),
        },
        error: commit.changes.as_ref().err().map(ToString::to_string),
    });
    Report { commits: rows.collect(), more: found.more, shallow: found.is_shallow }
}

/// Returns the line that a commit begins with.
fn heading(stamp: &Stamp, names: &Names) -> String {
    format!("{}  {}  {}  {}", date(stamp), author(stamp), stamp.short(), mark(&stamp.mark, names))
}

/// Returns day and time (UTC) of a commit, in a fixed width.
pub fn date(stamp: &Stamp) -> String {
    match stamp.when {
        Some(at) => format!("{} {}", day(at), &clock(at)[..5]),
        None => format!("{:16}", "(no date)"),
    }
}

/// Returns the time of day (UTC).
fn clock(at: i64) -> String {
    let second = at.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Returns who made a commit, safe to show.
pub fn author(stamp: &Stamp) -> String {
    let (name, email) = (Shown::new(&stamp.name).to_string(), Shown::new(&stamp.email).to_string());
    match (name.is_empty(), email.is_empty()) {
        (true, true) => "(nobody)".to_owned(),
        (false, true) => name,
        (true, false) => format!("<{email}>"),
        (false, false) => format!("{name} <{email}>"),
    }
}

/// Returns what is said of a signature, safe to show.
pub fn mark(mark: &Mark, names: &Names) -> String {
    let name = |key| names.get(key).map_or_else(|| format!("{key}"), str::to_owned);
    match mark {
        Mark::Unsigned => "unsigned".to_owned(),
        Mark::Good(key) => format!("signed by {}", name(key)),
        Mark::Expired(key) => format!("signed by {} (expired since)", name(key)),
        Mark::Revoked(key) => format!("signed by {} (key REVOKED)", name(key)),
        Mark::Foreign(Some(key)) => format!("foreign ({})", name(key)),
        Mark::Foreign(None) => "foreign (key not in the keyring)".to_owned(),
        Mark::Bad => "BAD signature".to_owned(),
        Mark::Other(kind) => format!("signed ({kind})"),
        Mark::Unchecked => "signed (not checked)".to_owned(),
    }
}
