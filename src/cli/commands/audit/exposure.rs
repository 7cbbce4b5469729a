//! `audit exposure`.

use std::ffi::OsString;

use serde::Serialize;

use super::{beginning, moment_text, tell_gaps};
use crate::cli::app::App;
use crate::cli::commands::recipients::people::{
    ReaderRecord, counted, json, list_names, no_environment, path_text, reader_cells, reader_name,
};
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::entry::shown_entry;
use crate::model::{Shown, day};
use crate::ops::audit::Moment;
use crate::ops::audit::exposure::{Exposure, Item, Kind, Question, Subject, Target, Verdict, exposure};
use crate::ops::readers::Reader;

/// Tell what somebody could ever read, and what of that still holds.
///
/// Of a key or a person: every version of every entry that it could read, on any branch, under any name that the entry
/// had. Of an entry or a commit that leaked: who could read it, and which entries hold the same secrets.
///
/// What is told for each entry is whether its password, and each other secret in it, still has a value that was exposed.
/// That an entry was encrypted anew changes nothing; so the values are compared, in memory, where they can be decrypted
/// here. Who was removed as a recipient may have kept what they could read: only another password helps.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// A key (as in a recipients file, or a key ID of 16 digits), a person's address, an entry, or a commit.
    #[arg(value_name = "KEY|PERSON|ENTRY|COMMIT")]
    pub what: OsString,
    /// Only what stood on this day (2026-03-01) or at this moment (2026-03-01T12:00:00Z), or later, counts.
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// What the name means, where it could mean several things.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: Option<As>,
    /// Decrypt nothing: what was encrypted anew is unknown, and nobody is asked for a passphrase.
    #[arg(long)]
    pub no_decrypt: bool,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

/// What a name means.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum As {
    /// A key or a person.
    Key,
    /// An entry.
    Entry,
    /// A commit.
    Commit,
}

impl From<As> for Kind {
    fn from(kind: As) -> Kind {
        match kind {
            As::Key => Kind::Key,
            As::Entry => Kind::Entry,
            As::Commit => Kind::Commit,
        }
    }
}

const HELP: &str = "Exit codes: 0 if all could be looked at, 3 if the answer may lack something (a clone without its older \
commits, a damaged history), 1 if there is none.

JSON: an object with
  readers   of an entry or a commit: who could read it, as in `audit access --json`, with first and last (moments)
  keys      of a key: what was asked about, likewise
  versions  how many versions were exposed, of how many in total
  entries   an array, what is to be changed first in front: name, verdict (valid: a secret has a value that was exposed; \
unknown; changed; gone: there is no such entry any more), secrets (name and verdict of each; empty if it cannot be decrypted \
here), same_lines (whether other lines in it are as they were exposed), versions, unread (how many of them cannot be decrypted here), ask (who can read it), first, last, reads_now, former \
(other names it had), elsewhere (entries in which its value was exposed), reflog_only, url
  perhaps   entries with hidden recipients, which the key may be
  closed    entries that cannot be decrypted here, and may hold a value that was exposed
  shared    key IDs that several keys have
  recover   entries whose accounts can be recovered through what leaked
  gaps      why the answer may lack something

Examples:
  passel audit exposure anna@acme.example
  passel audit exposure web/gitlab
  passel audit exposure HEAD --no-decrypt
  passel audit exposure anna@acme.example --since 2026-01-01 --json | jq -r '.entries[].name'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    keys: Vec<ReaderRecord>,
    readers: Vec<ReaderRow>,
    versions: usize,
    total: usize,
    entries: Vec<Row>,
    perhaps: Vec<String>,
    closed: Vec<String>,
    shared: Vec<String>,
    recover: Vec<String>,
    gaps: Vec<String>,
}

#[derive(Serialize)]
struct ReaderRow {
    #[serde(flatten)]
    reader: ReaderRecord,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    verdict: &'static str,
    secrets: Vec<SecretRow>,
    same_lines: bool,
    versions: usize,
    unread: usize,
    ask: Vec<ReaderRecord>,
    first: Option<String>,
    last: Option<String>,
    reads_now: bool,
    former: Vec<String>,
    elsewhere: Vec<String>,
    reflog_only: bool,
    url: Option<String>,
}

#[derive(Serialize)]
struct SecretRow {
    name: String,
    verdict: &'static str,
}

/// Returns the second from which on what stood counts.
pub fn since(text: Option<&str>) -> Result<Option<i64>, CliError> {
    let parse = |text: &str| {
        beginning(text).ok_or_else(|| {
            CliError::new(format!("`{}` is no day and no moment", Shown::new(text)))
                .hint("write a day as 2026-03-01, a moment as 2026-03-01T12:00:00Z")
        })
    };
    text.map(parse).transpose()
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let since = since(args.since.as_deref())?;
    let store = app.store()?;
    let context = no_environment(app, &store);
    let what = Subject::Named(&args.what, args.kind.map(Kind::from));
    let question = Question { what, since, decrypts: !args.no_decrypt };
    let found = exposure(&context, &question).map_err(|e| app.error(e))?;
    match args.json {
        true => app.ui.say(json(&report(&found)))?,
        false => tell(app, args, &found)?,
    }
    tell_gaps(app, &found.gaps)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Unknown => "unknown",
        Verdict::Changed => "changed",
        Verdict::Gone => "gone",
    }
}

fn report(found: &Exposure) -> Report {
    let record = |reader: &Reader| ReaderRecord::of(&found.keyring, &found.waiting, reader);
    let name = |path: &std::path::PathBuf| path_text(&path.with_extension(""));
    let row = |item: &Item| Row {
        name: name(&item.path),
        verdict: word(item.verdict),
        secrets: item
            .secrets
            .iter()
            .map(|(secret, verdict)| SecretRow { name: secret.to_string(), verdict: word(*verdict) })
            .collect(),
        same_lines: item.has_same_lines,
        versions: item.versions,
        unread: item.unread,
        ask: item.ask.iter().map(record).collect(),
        first: item.between.map(|(first, _)| moment_text(first)),
        last: item.between.map(|(_, last)| moment_text(last)),
        reads_now: item.reads_now,
        former: item.former.iter().map(name).collect(),
        elsewhere: item.elsewhere.iter().map(name).collect(),
        reflog_only: item.only_log,
        url: item.url.clone(),
    };
    let keys = match &found.target {
        Target::Keys(keys) => keys.iter().map(record).collect(),
        _ => Vec::new(),
    };
    let readers = found.readers.iter().map(|(reader, (first, last))| ReaderRow {
        reader: record(reader),
        first: moment_text(*first),
        last: moment_text(*last),
    });
    Report {
        keys,
        readers: readers.collect(),
        versions: found.versions,
        total: found.total,
        entries: found.items.iter().map(row).collect(),
        perhaps: found.perhaps.iter().map(name).collect(),
        closed: found.closed.iter().map(name).collect(),
        shared: found.shared.iter().map(ToString::to_string).collect(),
        recover: found.recover.iter().map(name).collect(),
        gaps: found.gaps.clone(),
    }
}

fn tell(app: &App, args: &Args, found: &Exposure) -> Result<(), CliError> {
    let versions = counted(found.versions, "version", "versions");
    let entries = counted(found.items.iter().filter(|item| item.versions > 0).count(), "entry", "entries");
    match &found.target {
        Target::Keys(keys) => {
            for key in keys {
                let [id, name] = reader_cells(&found.keyring, &found.waiting, key);
                app.ui.say(format!("{id}  {name}").trim_end())?;
            }
            app.ui.say(format!(
                "Could read {versions} of {entries}; the history holds {} in all.",
                found.total
            ))?;
        }
        Target::Entry(_) | Target::Commit(_) => {
            app.ui.say(format!("{versions} of {entries} could be read by:"))?;
            let mut table = Table::new(&["KEY", "NAME", "FIRST", "LAST"]);
            for (reader, (first, last)) in &found.readers {
                let [key, name] = reader_cells(&found.keyring, &found.waiting, reader);
                table.row([key, name, day_of(*first), day_of(*last)]);
            }
            for line in table.lines(2) {
                app.ui.say(line)?;
            }
        }
    }
    for (verdict, title) in [
        (Verdict::Valid, "Still as they were: change these"),
        (Verdict::Unknown, "Unknown: they cannot be decrypted here, or not all that was exposed can"),
        (Verdict::Changed, "Changed since"),
        (Verdict::Gone, "Gone from the store: close the accounts, or change them there"),
    ] {
        let items: Vec<&Item> = found.items.iter().filter(|item| item.verdict == verdict).collect();
        if !items.is_empty() {
            app.ui.say(format!("\n{title} ({}):", items.len()))?;
            for item in items {
                tell_item(app, found, item)?;
            }
        }
    }
    tell_rest(app, args, found)
}

fn tell_item(app: &App, found: &Exposure, item: &Item) -> Result<(), CliError> {
    let mut parts = Vec::new();
    let valid = item.secrets.iter().filter(|(_, verdict)| *verdict == Verdict::Valid);
    let valid: Vec<String> = valid.map(|(secret, _)| secret.to_string()).collect();
    // Of an entry that holds a password and nothing else.
    let goes_without_saying = item.secrets.len() == 1 && valid == ["password"];
    if !valid.is_empty() && !goes_without_saying {
        parts.push(valid.join(", "));
    }
    if item.has_same_lines && item.verdict != Verdict::Valid {
        parts.push("other lines in it are as they were".to_owned());
    }
    if let Some((first, last)) = item.between {
        parts.push(between(first, last));
    }
    if item.reads_now {
        parts.push("can read it now".to_owned());
    }
    let names = |paths: &std::collections::BTreeSet<std::path::PathBuf>| {
        list_names(&paths.iter().map(|path| shown_entry(path)).collect::<Vec<_>>())
    };
    if !item.former.is_empty() {
        parts.push(format!("was {}", names(&item.former)));
    }
    if !item.elsewhere.is_empty() {
        parts.push(format!("the same as in {}", names(&item.elsewhere)));
    }
    if item.only_log {
        parts.push("only this machine's reflog has it".to_owned());
    }
    if !item.ask.is_empty() && item.verdict == Verdict::Unknown {
        let who = item.ask.iter().map(|reader| reader_name(&found.keyring, reader));
        parts.push(format!("{} can tell", list_names(&who.collect::<Vec<_>>())));
    }
    if let Some(url) = &item.url {
        parts.push(Shown::new(url).to_string());
    }
    app.ui.say(format!("  {}  {}", shown_entry(&item.path), parts.join("; ")).trim_end())?;
    Ok(())
}

/// Returns the day of a moment.
fn day_of(moment: Moment) -> String {
    if moment.when == i64::MAX { "not committed".to_owned() } else { day(moment.when) }
}

fn between(first: Moment, last: Moment) -> String {
    match (day(first.when), day(last.when)) {
        (first, last) if first == last => format!("of {first}"),
        (first, last) => format!("of {first} to {last}"),
    }
}

fn tell_rest(app: &App, args: &Args, found: &Exposure) -> Result<(), CliError> {
    let names = |paths: &std::collections::BTreeSet<std::path::PathBuf>| {
        list_names(&paths.iter().map(|path| shown_entry(path)).collect::<Vec<_>>())
    };
    if !found.recover.is_empty() {
        app.ui.say(format!("\nTheir accounts can be recovered through it: {}.", names(&found.recover)))?;
    }
    if !found.perhaps.is_empty() {
        app.ui.say(format!(
            "\nEncrypted to hidden recipients, who could be anyone: {}.",
            names(&found.perhaps)
        ))?;
    }
    if !found.closed.is_empty() {
        app.ui.say(format!(
            "\nNot decrypted here, so that nobody can tell whether they hold the same: {}.",
            names(&found.closed)
        ))?;
    }
    for id in &found.shared {
        app.ui.say(format!(
            "Several keys have the ID {id}: which of them can read, only their owners can tell."
        ))?;
    }
    if args.no_decrypt && found.items.iter().any(|item| item.verdict == Verdict::Unknown) {
        app.ui.say("Without --no-decrypt, the values are compared.")?;
    }
    Ok(())
}
