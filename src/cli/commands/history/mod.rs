//! `history`.

mod restore;

use std::ffi::{OsStr, OsString};

use serde::Serialize;

use super::log::lines::{ChangeRecord, brief};
use super::log::{StampRecord, author, date, mark, tell_shallow, warn_of};
use super::recipients::people::json;
use crate::cli::app::App;
use crate::cli::commands::proposal::Names;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::cli::table::Table;
use crate::model::Shown;
use crate::ops::history::diff::{Difference, Label, differences};
use crate::ops::history::versions::{Old, Past, Seen};
use crate::ops::history::{HistoryError, Judge};
use crate::ops::{Context, OpError};

/// What stands for a secret.
const MASK: &str = "••••";

/// List the versions of an entry, show one, compare two, or put one back.
///
/// Versions are numbered, 1 being the newest. Where the entry was moved, its history goes on under its former name; an
/// entry that is gone has a history too. REV is a number of the list, or a commit in any way that git knows: the
/// beginning of its id, HEAD~3, main@{yesterday}.
///
/// An entry that is called `restore` is named `./restore`.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    override_usage = "passel history [OPTIONS] ENTRY\n       passel history restore [OPTIONS] ENTRY REV",
    after_long_help = HELP
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The entry.
    #[arg(value_name = "ENTRY")]
    pub entry: Option<OsString>,
    /// Print the version REV, as `show` prints the entry.
    #[arg(long, value_name = "REV", conflicts_with_all = ["diff", "json"])]
    pub show: Option<String>,
    /// Tell which lines changed from version REV (the last but one) to the newest; what they say is masked.
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "2", conflicts_with = "json")]
    pub diff: Option<String>,
    /// With --diff, print what the lines say.
    #[arg(long, requires = "diff")]
    pub reveal: bool,
    /// Decrypt nothing: what was changed is called so, and nobody is asked for a passphrase.
    #[arg(long, conflicts_with_all = ["show", "diff"])]
    pub no_decrypt: bool,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

/// What can be done with a version.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Put a version back, encrypted to whoever can read the entry's folder now.
    Restore(restore::Args),
}

const HELP: &str = "JSON: an object with
  entry     the entry
  versions  an array, the newest first: number (null where there is nothing to show: the entry was removed), id, date, \
author, subject and signature of the commit, as in `passel log --json`, and change: what happened, likewise
  shallow   whether older commits were left out when the repository was cloned

Examples:
  passel history web/gitlab
  passel history web/gitlab --show 2
  passel history web/gitlab --diff main@{yesterday}
  passel history restore web/gitlab 2";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report<'s> {
    entry: String,
    versions: Vec<Row<'s>>,
    shallow: bool,
}

#[derive(Serialize)]
struct Row<'s> {
    number: Option<usize>,
    #[serde(flatten)]
    stamp: StampRecord<'s>,
    change: ChangeRecord,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if let Some(Command::Restore(args)) = &args.command {
        return restore::run(app, args);
    }
    let Some(entry) = &args.entry else {
        return Err(CliError::new("no entry was named")
            .hint(format!("`{} history ENTRY` lists its versions", app.ui.program)));
    };
    let store = app.store()?;
    let context = app.context(&store);
    let mut judge = Judge::new(&context, !args.no_decrypt);
    let past = read(app, &context, entry, &mut judge)?;
    match (&args.show, &args.diff) {
        (Some(rev), _) => show(app, &context, &past, rev),
        (None, Some(rev)) => diff(app, &context, &past, rev, args.reveal),
        (None, None) => list(app, &context, &past, &mut judge, args.json),
    }
}

/// Returns the history of the entry that was named.
fn read(
    app: &App,
    context: &Context<'_>,
    entry: &OsStr,
    judge: &mut Judge<'_, '_>,
) -> Result<Past, CliError> {
    Past::read(context, entry, judge).map_err(|error| app.error(error))
}

/// Prints a version as `show` does.
fn show(app: &App, context: &Context<'_>, past: &Past, rev: &str) -> Result<(), CliError> {
    let text = past.version(rev).and_then(|old| past.plaintext(context, &old)).map_err(|e| app.error(e))?;
    app.ui.secret(text.expose())?;
    context.crypto.prepare();
    Ok(())
}

/// Lists the versions.
fn list(
    app: &App,
    context: &Context<'_>,
    past: &Past,
    judge: &mut Judge<'_, '_>,
    as_json: bool,
) -> Result<(), CliError> {
    let seen = past.seen(context, judge).map_err(|error| app.error(error))?;
    let names = Names::read(app);
    if as_json {
        app.ui.say(json(&report(past, &seen, &names)))?;
    } else {
        let mut table = Table::new(&["#", "DATE", "AUTHOR", "COMMIT", "SIGNATURE", "WHAT"]);
        for event in &seen {
            table.row([
                event.number.map(|number| number.to_string()).unwrap_or_default(),
                date(&event.stamp),
                author(&event.stamp),
                event.stamp.short().to_owned(),
                mark(&event.stamp.mark, &names),
                brief(&event.what),
            ]);
        }
        table.lines(0).into_iter().try_for_each(|line| app.ui.say(line))?;
        tell_shallow(app, past.is_shallow);
        if past.is_changed_since(context).map_err(|error| app.error(error))? {
            app.ui.warn(format!("note: `{}` was changed since, and that is not committed", past.name));
        }
    }
    warn_of(app, &past.damaged);
    if past.damaged.is_empty() { Ok(()) } else { Err(CliError::silent(exit::FAILURE)) }
}

fn report<'s>(past: &Past, seen: &'s [Seen], names: &Names) -> Report<'s> {
    let row = |event: &'s Seen| Row {
        number: event.number,
        stamp: StampRecord::of(&event.stamp, names),
        change: ChangeRecord::of_entry(&event.path, &event.what),
    };
    Report {
        entry: super::recipients::people::path_text(past.name.as_path()),
        versions: seen.iter().map(row).collect(),
        shallow: past.is_shallow,
    }
}

/// Tells which lines changed from a version to the newest.
fn diff(app: &App, context: &Context<'_>, past: &Past, rev: &str, reveal: bool) -> Result<(), CliError> {
    let failed = |error| app.error(error);
    let versions = past.versions();
    let name = || past.name.to_string();
    let newest = versions.first().ok_or_else(|| app.error(HistoryError::Uncommitted(name()).into()))?;
    if versions.len() == 1 && rev == "2" {
        return Err(app.error(OpError::from(HistoryError::OnlyOne(name()))));
    }
    let old = past.version(rev).map_err(failed)?;
    let before = past.plaintext(context, &old).map_err(failed)?;
    let after = past.plaintext(context, newest).map_err(failed)?;
    app.ui.say(format!("--- {}", version_line(past, &old)))?;
    app.ui.say(format!("+++ {}", version_line(past, newest)))?;
    let found = differences(&before, &after);
    if found.is_empty() {
        app.ui.say(match before.equals(&after) {
            true => "Both say the same.",
            false => "Only the line breaks at the end differ.",
        })?;
    }
    found.iter().try_for_each(|difference| tell(app, difference, reveal))
}

/// Returns what a version is told by.
fn version_line(past: &Past, old: &Old) -> String {
    let number = old.number.map(|number| format!("version {number}, ")).unwrap_or_default();
    format!("{}  {number}{}", past.called(old), old.short())
}

/// Tells of a line that changed.
fn tell(app: &App, difference: &Difference<'_>, reveal: bool) -> Result<(), CliError> {
    let label = match difference.label {
        Label::Password => "password".to_owned(),
        Label::Field(name) => Shown::new(name).to_string(),
        Label::Line(number) => format!("line {number}"),
    };
    let what = match (difference.old, difference.new) {
        (Some(_), Some(_)) => "changed",
        (None, _) => "added",
        (_, None) => "removed",
    };
    app.ui.say(format!("{label} {what}"))?;
    let masked = match difference.label {
        Label::Field(name) => format!("{}: {MASK}", Shown::new(name)),
        Label::Password | Label::Line(_) => MASK.to_owned(),
    };
    for (sign, line) in [("-", difference.old), ("+", difference.new)] {
        let Some(line) = line else { continue };
        match reveal {
            true => app.ui.secret_line(sign, line, "")?,
            false => app.ui.say(format!("{sign}{masked}"))?,
        }
    }
    Ok(())
}
