//! `incident open`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::commands::audit::exposure::{As, since};
use crate::cli::commands::audit::tell_gaps;
use crate::cli::commands::now;
use crate::cli::commands::recipients::people::{counted, list_names, no_environment};
use crate::cli::commands::rotate::without_names;
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::Shown;
use crate::model::entry::shown_entry;
use crate::ops::Context;
use crate::ops::audit::exposure::{Kind, Verdict};
use crate::ops::incident::{self, Asked, Opened, Scope};
use crate::ops::rules::Now;

/// Open an incident: write down what was within reach, and put it on the rotation list.
///
/// What was within reach is found as `audit exposure` finds it: every version of every entry that a key or a person could
/// read, or that leaked with an entry or a commit. What still has a value that was exposed, or may have one, goes to the
/// rotation list.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel incident open TITLE --about KEY|PERSON|ENTRY|COMMIT [OPTIONS]", after_long_help = HELP)]
pub struct Args {
    /// What it is called. The team reads it, and no client.
    #[arg(value_name = "TITLE")]
    pub title: String,
    /// What it is about; can be given several times. Of an entry all versions count, and of a commit what it changed;
    /// `--since` leaves out what stood only before.
    #[arg(long, value_name = "KEY|PERSON|ENTRY|COMMIT", required = true)]
    pub about: Vec<OsString>,
    /// What the names mean, where they could mean several things.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: Option<As>,
    /// Only what stood on this day (2026-03-01) or at this moment (2026-03-01T12:00:00Z), or later, counts.
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
    /// Put nothing on the rotation list.
    #[arg(long)]
    pub no_rotate: bool,
}

const HELP: &str =
    "Exit codes: 0 if all could be looked at; 3 if more may have been within reach than was found (a clone \
without its older commits, a damaged history): the incident is open all the same; 1 if it is not.

Examples:
  passel incident open 'Bob has left' --about bob@example.org
  passel incident open 'Mailed in clear' --about web/gitlab --since 2026-03-01";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.title.trim().is_empty() {
        return Err(CliError::new("nobody will know what happened").hint("TITLE says it in a few words"));
    }
    let about: Vec<&OsStr> = args.about.iter().map(OsString::as_os_str).collect();
    let asked = Asked {
        title: &args.title,
        about: &about,
        kind: args.kind.map(Kind::from),
        since: since(args.since.as_deref())?,
        rotates: !args.no_rotate,
    };
    let store = app.store()?;
    let context = no_environment(app, &store);
    let mut opened = incident::open(&context, &asked, now()).map_err(|error| app.error(error))?;
    app.tell(&without_names(std::mem::take(&mut opened.published)), &[]);
    tell(app, &context, &opened, args.no_rotate)?;
    tell_gaps(app, &opened.known.incident.gaps)
}

fn tell(app: &App, context: &Context<'_>, opened: &Opened, no_rotate: bool) -> Result<(), CliError> {
    let (incident, short) = (&opened.known.incident, super::short(&opened.known));
    app.ui.say(format!("Incident {short} is open: {}", Shown::new(&incident.title)))?;
    let count = |verdict| incident.found.iter().filter(|found| found.verdict == verdict).count();
    app.ui.say(format!(
        "{} within reach: {} unchanged, {} unknown, {} changed since, {} gone.",
        counted(incident.found.len(), "entry was", "entries were"),
        count(Verdict::Valid),
        count(Verdict::Unknown),
        count(Verdict::Changed),
        count(Verdict::Gone),
    ))?;
    tell_folders(app, context, opened)?;
    let listed = opened.prepared.entries().len();
    if !no_rotate {
        let listed = counted(listed, "entry is", "entries are");
        app.ui.say(format!("{listed} on the rotation list for it."))?;
    }
    if !opened.prepared.uncommitted.is_empty() {
        let names: Vec<String> = opened.prepared.uncommitted.iter().map(|path| shown_entry(path)).collect();
        app.ui.warn(format!(
            "not put on the list, as they are not committed as they are: {}",
            list_names(&names)
        ));
    }
    if incident.found.is_empty() {
        app.ui.warn("nothing was within reach: look at what it is about, and at --since");
    }
    let program = &app.ui.program;
    app.ui.say("Next:")?;
    tell_readers(app, opened)?;
    if listed > 0 {
        app.ui.say(format!("  {program} rotate  (what is to be changed)"))?;
    }
    app.ui
        .say(format!("  {program} incident report {short} -o DIR  (reports for the team and for clients)"))?;
    Ok(())
}

/// Says what keys can read on: what is changed before that is ended is known to them as well.
fn tell_readers(app: &App, opened: &Opened) -> Result<(), CliError> {
    let incident = &opened.known.incident;
    let readable = incident.found.iter().filter(|found| found.reads_now).count();
    if readable == 0 {
        return Ok(());
    }
    let keys = incident.about.iter().flat_map(|scope| match scope {
        Scope::Keys { keys, .. } => &keys[..],
        _ => &[],
    });
    let keys: Vec<&str> = keys.map(|bearer| bearer.key.as_str()).collect();
    let key = if let [key] = &keys[..] { Shown::new(key).to_string() } else { "KEY".to_owned() };
    app.ui.say(format!(
        "  {} recipients remove FOLDER {key}  (it can read {} still: end that first, or what is changed is known as well)",
        app.ui.program,
        counted(readable, "entry", "entries")
    ))?;
    Ok(())
}

/// Tells how many entries are concerned in which folders: of clients', each client's own.
fn tell_folders(app: &App, context: &Context<'_>, opened: &Opened) -> Result<(), CliError> {
    let now = Now::read(context).map_err(|error| app.error(error))?;
    let clients = now.config.clients.as_path();
    let listed = opened.prepared.entries();
    let mut counts: BTreeMap<PathBuf, (usize, usize)> = BTreeMap::new();
    for found in &opened.known.incident.found {
        let (all, open) = counts.entry(folder_of(&found.entry, clients)).or_default();
        *all += 1;
        *open += usize::from(listed.contains(&*found.entry));
    }
    if counts.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["FOLDER", "ENTRIES", "TO BE CHANGED"]);
    for (folder, (all, open)) in counts {
        let name =
            if folder.as_os_str().is_empty() { "/".to_owned() } else { Shown::os(&folder).to_string() };
        table.row([name, all.to_string(), open.to_string()]);
    }
    table.lines(2).into_iter().try_for_each(|line| app.ui.say(line))?;
    Ok(())
}

/// Returns the folder that an entry is counted in.
pub fn folder_of(entry: &Path, clients: &Path) -> PathBuf {
    let parent = entry.parent().unwrap_or(Path::new(""));
    let depth = if parent.starts_with(clients) { clients.components().count() + 1 } else { 1 };
    parent.components().take(depth).collect()
}
