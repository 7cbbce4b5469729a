//! `incident show`.

use serde::Serialize;

use super::report::document::{Text, ours, plain};
use super::words::{self, People};
use super::{Which, end};
use crate::cli::app::App;
use crate::cli::commands::recipients::people::{counted, json, no_environment, path_text};
use crate::cli::error::CliError;
use crate::model::{Shown, date, day};
use crate::ops::audit::exposure::Verdict;
use crate::ops::incident::{self, Account, Case, Event, Scope, Standing, What};
use crate::ops::rotate::State;

/// Show an incident: what it is about, how things stand, and what was done by whom.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The incident.
    #[command(flatten)]
    pub which: Which,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str = "Exit codes: 0 if all could be looked at, 3 if the answer may lack something (a clone without its older \
commits, a damaged history), 1 if something could not be read though it is encrypted to you, or there is no such incident.

JSON: an object with
  id, title, opened, closed (when and why; null while it is open)
  about    an array: kind (key, entry, commit), name, keys (key and name: those meant, or those that could read it)
  entries  an array, what remains to be done in front: name, then (valid, unknown, changed, gone: when it was opened), state \
(open, unknown, gone, changed, closed; changed-before, gone-before), secrets, former, url, done (when, commit and by: of \
`changed`), closed (when and why)
  log      an array, the oldest first: when, by, commit, what (opened, changed, entry-closed, access-changed, note, closed), \
entry, folder, gained, lost, text
  unread   how many items of the rotation list are encrypted to others
  gaps     why the answer may lack something

Examples:
  passel incident show
  passel incident show 1a2b3c4d --json | jq -r '.entries[] | select(.state == \"open\") | .name'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    id: String,
    title: String,
    opened: String,
    closed: Option<ClosedRow>,
    about: Vec<ScopeRow>,
    entries: Vec<EntryRow>,
    log: Vec<LogRow>,
    unread: usize,
    gaps: Vec<String>,
}

#[derive(Serialize)]
struct ClosedRow {
    when: String,
    why: String,
}

#[derive(Serialize)]
struct ScopeRow {
    kind: &'static str,
    name: String,
    keys: Vec<incident::Bearer>,
}

#[derive(Serialize)]
struct EntryRow {
    name: String,
    then: &'static str,
    state: &'static str,
    secrets: Vec<String>,
    left: Vec<String>,
    same_lines: bool,
    former: Vec<String>,
    url: Option<String>,
    done: Option<DoneRow>,
    closed: Option<ClosedRow>,
}

#[derive(Serialize)]
struct DoneRow {
    when: String,
    commit: String,
    by: String,
}

#[derive(Serialize, Default)]
struct LogRow {
    when: String,
    by: Option<String>,
    commit: Option<String>,
    what: &'static str,
    entry: Option<String>,
    folder: Option<String>,
    gained: Vec<String>,
    lost: Vec<String>,
    text: Option<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let found = incident::find(&context, args.which.id.as_deref());
    let (known, failed) = found.map_err(|error| app.error(error))?;
    let case = incident::case(&context, known, failed).map_err(|error| app.error(error))?;
    let people = People::read(app, &case.known.incident);
    match args.json {
        true => app.ui.say(json(&report(&case, &people)))?,
        false => tell(app, &case, &people)?,
    }
    end(app, case.unread, &case.failed, &case.gaps)
}

fn report(case: &Case, people: &People) -> Report {
    let incident = &case.known.incident;
    Report {
        id: case.known.id.clone(),
        title: incident.title.clone(),
        opened: date::moment(incident.opened),
        closed: case.known.closing().map(|closing| closed_row(closing.when, &closing.text)),
        about: incident.about.iter().map(scope_row).collect(),
        entries: case.accounts.iter().map(entry_row).collect(),
        log: case.story.iter().map(|event| log_row(event, people)).collect(),
        unread: case.unread,
        gaps: case.gaps.clone(),
    }
}

fn closed_row(when: i64, why: &str) -> ClosedRow {
    ClosedRow { when: date::moment(when), why: why.to_owned() }
}

fn scope_row(scope: &Scope) -> ScopeRow {
    let (kind, name, keys) = match scope.clone() {
        Scope::Keys { called, keys } => ("key", called, keys),
        Scope::Entry { entry, readers } => ("entry", words::name_text(&entry), readers),
        Scope::Commit { commit, readers } => ("commit", commit, readers),
    };
    ScopeRow { kind, name, keys }
}

fn entry_row(account: &Account) -> EntryRow {
    EntryRow {
        name: words::name_text(&account.entry),
        then: words::verdict_name(account.found.verdict),
        state: words::standing_name(&account.standing),
        secrets: account.secrets(),
        left: account.left().to_vec(),
        same_lines: account.has_same_lines,
        former: account.found.former.iter().map(|path| words::name_text(path)).collect(),
        url: account.url.clone(),
        done: match &account.standing {
            Standing::Since(State::Changed(Some(done))) => Some(DoneRow {
                when: date::moment(done.moment.when),
                commit: done.moment.commit.to_string(),
                by: done.by.clone(),
            }),
            _ => None,
        },
        closed: match &account.standing {
            Standing::Since(State::Closed(when, why)) => Some(closed_row(*when, why)),
            _ => None,
        },
    }
}

fn log_row(event: &Event, people: &People) -> LogRow {
    let row = LogRow {
        when: date::moment(event.when),
        by: event.by.clone(),
        commit: event.commit.clone(),
        what: words::event_name(&event.what),
        ..LogRow::default()
    };
    match &event.what {
        What::Opened => row,
        What::Changed(path) => LogRow { entry: Some(words::name_text(path)), ..row },
        What::Settled(path, why) => {
            LogRow { entry: Some(words::name_text(path)), text: Some(why.clone()), ..row }
        }
        What::Access { folder, gained, lost } => LogRow {
            folder: Some(path_text(folder)),
            gained: gained.iter().map(|who| people.name(who)).collect(),
            lost: lost.iter().map(|who| people.name(who)).collect(),
            ..row
        },
        What::Note(text) | What::Closed(text) => LogRow { text: Some(text.clone()), ..row },
    }
}

fn tell(app: &App, case: &Case, people: &People) -> Result<(), CliError> {
    let incident = &case.known.incident;
    let say = |line: String| app.ui.say(line);
    say(format!("Incident {}: {}", super::short(&case.known), Shown::new(&incident.title)))?;
    let closing = case.known.closing();
    let closed = closing.map(|closing| format!(", closed on {}", day(closing.when))).unwrap_or_default();
    say(format!("Opened on {}{closed}.", day(incident.opened)))?;
    say("\nAbout:".to_owned())?;
    for scope in &incident.about {
        say(format!("  {}", plain(&words::scope(scope))))?;
        if let Scope::Keys { keys, .. } = scope {
            keys.iter().try_for_each(|key| say(format!("    {}", plain(&words::bearer(key)))))?;
        }
    }
    let count = |verdict| incident.found.iter().filter(|found| found.verdict == verdict).count();
    say(format!(
        "\n{} within reach when it was opened: {} unchanged, {} unknown, {} changed, {} gone.",
        counted(incident.found.len(), "entry was", "entries were"),
        count(Verdict::Valid),
        count(Verdict::Unknown),
        count(Verdict::Changed),
        count(Verdict::Gone),
    ))?;
    let open = case.accounts.iter().filter(|account| account.standing.is_open()).count();
    say(format!("\nNow ({}):", counted(open, "entry to be changed", "entries to be changed")))?;
    for account in &case.accounts {
        say(format!("  {}", plain(&account_line(account))))?;
    }
    say("\nWhat was done:".to_owned())?;
    case.story.iter().try_for_each(|event| say(format!("  {}", words::log_line(event, people))))?;
    Ok(())
}

fn account_line(account: &Account) -> Text {
    let mut text = vec![words::entry(&account.entry), ours("  ")];
    text.extend(words::standing(account));
    text
}
