//! `sync`.

mod watch;

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::recipients::{accept, people::counted, people::json};
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::git::remote::RemoteError;
use crate::model::Shown;
use crate::ops::Context;
use crate::ops::reencrypt::shown_entry;
use crate::ops::sync::{self, Options, Person, Report, SyncError};

/// How many names or commits are listed before the rest is counted.
const SHOWN: usize = 20;

/// What is said of the command at length.
pub const LONG: &str = "\
Exchange changes with the remote repository, and merge them.

Fetches, looks at what came, merges it with what was changed here, and pushes, once more if somebody else pushed \
meanwhile. Entries that were changed on both sides are merged line by line, in memory; where both changed the same line, \
or the entry cannot be read here, both versions are kept, the other side's as NAME.conflict-XXXXXXXX (`passel conflicts`). \
Nothing that you did not commit is committed: passel commits each of its changes by itself.

Changed recipients, groups and rules are shown and must be accepted before anything is encrypted to them. What others \
encrypted for old recipients is encrypted anew, in a commit of its own, and nothing is pushed that lets somebody read who is \
not to.

A remote that holds an older state than this machine has seen there, or another history, is refused.";

/// Exchange changes with the remote repository, and merge them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Only take what others changed; push nothing.
    #[arg(long, conflicts_with = "push")]
    pub pull: bool,
    /// Only push what was changed here; take nothing.
    #[arg(long)]
    pub push: bool,
    /// Fetch, and tell what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Take what the remote holds although it went back or was rewritten; changes made here since go on top of it.
    #[arg(long)]
    pub accept_rewind: bool,
    /// Stay, and sync whenever something is committed here, and at intervals; asks nothing.
    #[arg(long, conflicts_with_all = ["dry_run", "accept_rewind", "json"])]
    pub watch: bool,
    /// With --watch, how many seconds pass before the remote is looked at again.
    #[arg(long, value_name = "SECONDS", default_value = "60", requires = "watch", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub interval: u64,
    /// Print JSON, for programs.
    #[arg(long, short = 'j')]
    pub json: bool,
}

const HELP: &str =
    "Exit codes: 0 if all is exchanged, 3 if somebody has to decide about recipients or conflicts (all else \
is done), 5 if the remote cannot be reached (what is here waits), 1 if it failed.

JSON: an array with an object for each repository, the store's own first:
  place         where it lies in the store, empty for the store's own
  remote, url   the remote branch, and the remote's address
  offline       why it cannot be reached, or null
  came          commits that came: id, author, day
  added, changed, removed   names of entries
  merged        entries of which both sides' changes were merged
  kept          versions kept apart: name, beside (where the other side's version is), why
  notes         sentences about what else came of it
  signed        changes of recipients that were accepted for the sake of their signature
  reencrypted   entries that were encrypted anew for their recipients
  exposed       those of them that somebody could read before who cannot now: history keeps them as they were
  left          entries that only others can encrypt anew
  locked        lists that nothing is encrypted to until somebody decides (`.passel.yaml`: groups and rules that no
                change of recipients is made from): list, why
  to_accept     the folders among them whose recipients have to be accepted (`passel recipients accept FOLDER`)
  pushed, waiting   how many commits were pushed, and how many wait
  objections    why they wait
  error         why it failed, or null

Examples:
  passel sync
  passel sync --dry-run
  passel sync --pull
  passel sync --watch --interval 300
  passel sync --json | jq -r '.[].changed[]'";

/// What is printed as JSON of a repository. The names of fields never change.
#[derive(Default, Serialize)]
struct Row {
    place: String,
    remote: String,
    url: String,
    offline: Option<String>,
    came: Vec<CommitRow>,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
    merged: Vec<String>,
    kept: Vec<KeptRow>,
    notes: Vec<String>,
    signed: Vec<String>,
    reencrypted: Vec<String>,
    exposed: Vec<String>,
    left: Vec<String>,
    locked: Vec<LockedRow>,
    to_accept: Vec<String>,
    pushed: usize,
    waiting: usize,
    objections: Vec<String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct CommitRow {
    id: String,
    author: String,
    day: String,
}

#[derive(Serialize)]
struct KeptRow {
    name: String,
    beside: String,
    why: &'static str,
}

#[derive(Serialize)]
struct LockedRow {
    list: String,
    why: String,
}

/// The person at the terminal, if there is one.
struct Here<'a> {
    app: &'a App,
    /// Whether nobody is to be asked.
    is_quiet: bool,
    /// Whether nobody is to be told of steps.
    is_aside: bool,
}

impl Person for Here<'_> {
    fn accept(&mut self, context: &Context<'_>) -> bool {
        if !self.app.interactive || self.is_quiet {
            return false;
        }
        // Where the terminal goes away meanwhile, nobody has said yes.
        accept::ask(self.app, context).unwrap_or(false)
    }

    fn tell(&mut self, step: &str) {
        if !self.is_aside {
            self.app.ui.warn(step);
        }
    }
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match args.watch {
        true => watch::run(app, args),
        false => once(app, args),
    }
}

/// Syncs once.
fn once(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let options = Options {
        only_push: args.push,
        only_pull: args.pull,
        dry_run: args.dry_run,
        accept_rewind: args.accept_rewind,
        interactive: app.interactive && !args.watch,
    };
    let mut person = Here { app, is_quiet: args.json || args.watch, is_aside: false };
    let found = sync::sync(&app.context(&store), options, &mut person).map_err(|e| explain(app, e))?;
    let mut failed = None;
    let mut rows = Vec::new();
    let mut code = exit::OK;
    for (place, done) in found {
        match done {
            Ok(report) => {
                code = code.max(code_of(&report));
                match args.json {
                    true => rows.push(row(report)),
                    false => tell(app, &report, args)?,
                }
            }
            Err(error) => {
                let told = explain(app, error);
                match args.json {
                    true => {
                        let place = Shown::os(&place).to_string();
                        rows.push(Row { place, error: Some(told.text()), ..Row::default() });
                    }
                    false if failed.is_some() => app.ui.warn(told.text()),
                    false => {}
                }
                failed.get_or_insert(told);
            }
        }
    }
    if args.json {
        app.ui.say(json(&rows))?;
    }
    match failed {
        Some(_) if args.json => Err(CliError::silent(exit::FAILURE)),
        Some(told) => Err(told),
        None if code == exit::OK => Ok(()),
        None => Err(CliError::silent(code)),
    }
}

/// Syncs after a change, where the store asks for that and somebody here has accepted it. Whatever comes of it, the
/// command is done: a failure is one line.
pub fn follow(app: &App) {
    let failed = match try_following(app) {
        Ok(failed) => failed,
        Err(error) => Some(first_line(&error)),
    };
    // The next sync tells all of it.
    app.drop_notes();
    if let Some(why) = failed {
        app.ui.warn(format!("warning: not synced: {why} (`{} sync` tells more)", app.ui.program));
    }
}

/// Syncs if that is asked for; returns why it is not done, if somebody has to do something.
fn try_following(app: &App) -> Result<Option<String>, CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    if !context.syncs_by_itself().map_err(|e| app.error(e))? {
        return Ok(None);
    }
    let options = Options { interactive: app.interactive, ..Options::default() };
    let mut person = Here { app, is_quiet: false, is_aside: true };
    let found = sync::sync(&context, options, &mut person).map_err(|e| explain(app, e))?;
    for (_, done) in found {
        let report = done.map_err(|error| explain(app, error))?;
        if code_of(&report) != exit::OK {
            let decide = || "somebody has to decide about recipients or conflicts".to_owned();
            return Ok(Some(report.offline.unwrap_or_else(decide)));
        }
    }
    Ok(None)
}

/// Returns the first line of an error, without the word.
fn first_line(error: &CliError) -> String {
    let text = error.text();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// Returns the exit code that a repository's report calls for.
fn code_of(report: &Report) -> u8 {
    if report.offline.is_some() {
        exit::OFFLINE
    } else if report.needs_decision() || !report.kept.is_empty() {
        exit::NEEDS_DECISION
    } else {
        exit::OK
    }
}

/// Tells what was done.
fn tell(app: &App, report: &Report, args: &Args) -> Result<(), CliError> {
    // Whoever watches is told of what happens, and not each time that nothing does.
    if args.watch && report.came.is_empty() && report.pushed == 0 {
        return Ok(());
    }
    let ui = &app.ui;
    let program = &ui.program;
    let place = match report.place.as_os_str().is_empty() {
        true => String::new(),
        false => format!("{}: ", Shown::os(&report.place)),
    };
    let commits = |count| counted(count, "commit", "commits");
    if let Some(why) = &report.offline {
        ui.warn(format!("{place}{why}"));
        ui.say(match report.waiting {
            0 => format!("{place}Offline: nothing waits to be pushed."),
            count => format!("{place}Offline: {} to be pushed later.", wait(count)),
        })?;
    }
    if !report.came.is_empty() {
        let verb = if args.dry_run { "would come" } else { "came" };
        ui.say(format!("{place}{} {verb} from {}:", commits(report.came.len()), report.remote))?;
        for commit in report.came.iter().take(SHOWN) {
            ui.say(format!("  {}", commit.told()))?;
        }
        if report.came.len() > SHOWN {
            ui.say(format!("  and {} more", report.came.len() - SHOWN))?;
        }
    }
    let changes = &report.changes;
    for (what, names) in [
        ("added", &changes.added),
        ("changed", &changes.changed),
        ("removed", &changes.removed),
        ("merged, as both sides had changed them", &report.merged),
        ("encrypted anew for their recipients", &report.reencrypted),
    ] {
        list(app, what, names)?;
    }
    if !report.exposed.is_empty() {
        ui.say("These could be read by who is no recipient now, and history keeps them so; change their passwords:")?;
        report.exposed.iter().try_for_each(|name| ui.say(format!("  {name}")))?;
    }
    for signed in &report.signed {
        ui.say(format!("Accepted: {signed}"))?;
    }
    for note in &report.notes {
        ui.warn(format!("note: {}", note.replace("`passel ", &format!("`{program} "))));
    }
    for kept in &report.kept {
        ui.warn(format!(
            "conflict: `{}`: {}; the other version is `{}`",
            shown_entry(&kept.path),
            kept.why,
            shown_entry(&kept.beside)
        ));
    }
    if !report.kept.is_empty() {
        ui.warn(format!("hint: `{program} conflicts` shows both, and takes one of them"));
    }
    if !report.left.is_empty() {
        list(app, "left for others to encrypt anew, as they cannot be read here", &report.left)?;
    }
    for (list, why) in &report.locked {
        if list == crate::config::FILE {
            ui.warn(format!("locked: no change of recipients is made from `{list}`: {why}"));
            continue;
        }
        ui.warn(format!("locked: nothing is encrypted to `{list}`: {why}"));
    }
    for why in report.objections.iter().take(SHOWN) {
        ui.warn(format!("not pushed: {why}"));
    }
    if report.needs_decision() {
        ui.warn(format!("hint: `{program} recipients accept` shows changed recipients and takes your word; then `{program} sync`"));
    }
    if report.offline.is_some() {
        return Ok(());
    }
    let remote = &report.remote;
    ui.say(match (report.pushed, report.waiting) {
        (0, 0) if report.came.is_empty() => format!("{place}Up to date with {remote}."),
        (0, 0) => format!("{place}In step with {remote}."),
        (0, waiting) if args.dry_run => format!("{place}{} would be pushed to {remote}.", commits(waiting)),
        (0, waiting) => format!("{place}{} to be pushed to {remote}.", wait(waiting)),
        (pushed, _) => format!("{place}Pushed {} to {remote}.", commits(pushed)),
    })?;
    Ok(())
}

fn wait(count: usize) -> String {
    match count {
        1 => "1 commit waits".to_owned(),
        count => format!("{count} commits wait"),
    }
}

/// Lists names under a heading; none where there are none.
fn list(app: &App, what: &str, names: &[String]) -> Result<(), CliError> {
    if names.is_empty() {
        return Ok(());
    }
    app.ui.say(format!("{} {what}:", counted(names.len(), "entry", "entries")))?;
    names.iter().take(SHOWN).try_for_each(|name| app.ui.say(format!("  {name}")))?;
    if names.len() > SHOWN {
        app.ui.say(format!("  and {} more", names.len() - SHOWN))?;
    }
    Ok(())
}

fn row(report: Report) -> Row {
    let commit = |info: crate::git::provenance::CommitInfo| CommitRow {
        id: info.id,
        author: info.author,
        day: info.day,
    };
    let kept = report.kept.iter().map(|kept| KeptRow {
        name: shown_entry(&kept.path),
        beside: shown_entry(&kept.beside),
        why: kept.why,
    });
    Row {
        place: Shown::os(&report.place).to_string(),
        kept: kept.collect(),
        came: report.came.into_iter().map(commit).collect(),
        to_accept: report.to_accept,
        locked: report.locked.into_iter().map(|(list, why)| LockedRow { list, why }).collect(),
        remote: report.remote,
        url: report.url,
        offline: report.offline,
        added: report.changes.added,
        changed: report.changes.changed,
        removed: report.changes.removed,
        merged: report.merged,
        notes: report.notes,
        signed: report.signed,
        reencrypted: report.reencrypted,
        exposed: report.exposed,
        left: report.left,
        pushed: report.pushed,
        waiting: report.waiting,
        objections: report.objections,
        error: None,
    }
}

/// Returns what the user is told of a failure.
fn explain(app: &App, error: SyncError) -> CliError {
    let program = &app.ui.program;
    let told = CliError::from_error(&error);
    match error {
        SyncError::Op(error) => app.error(error),
        SyncError::NoGit => told.hint(format!("`{program} git init` puts it under git")),
        SyncError::NoRemote { .. } => told.hint(format!("`{program} git remote add origin URL` names one")),
        SyncError::Detached { .. } => told.hint(format!("`{program} git switch BRANCH` goes back to a branch")),
        SyncError::Shallow { .. } => told.hint(format!("`{program} git fetch --unshallow` gets the rest")),
        SyncError::Sparse { .. } => told.hint(format!("`{program} git sparse-checkout disable`")),
        SyncError::Unrelated { .. } => told
            .hint("look whether the address is the right one")
            .hint("if this store is to join that one: clone that one (`passel clone URL`) and add your entries there"),
        SyncError::Rewound { .. } => told
            .hint("ask the others what happened; somebody may want you to encrypt for who was removed")
            .hint(format!("if it is meant: `{program} sync --accept-rewind`")),
        SyncError::Hazards { .. } => told
            .hint("nothing of it was taken; ask whoever made the commit to take it back"),
        SyncError::Unsigned { .. } => told
            .hint("nothing of it was taken; ask whoever made them to sign their commits (`git config commit.gpgSign true`)")
            .hint(format!(
                "`sync.require_signed` in `{}` asks for it; their keys must be in your keyring",
                crate::config::FILE
            )),
        SyncError::InTheWay { ref path, .. } => told.hint(format!(
            "commit it under another name, or move it out of the store: `mv {} ELSEWHERE`",
            crate::model::argument(&app.environment.root.join(path))
        )),
        SyncError::Overtaken { .. } => told.hint(format!("try again: `{program} sync`")),
        SyncError::Remote(error) => match error {
            RemoteError::Unreachable { .. } => told.code(exit::OFFLINE),
            RemoteError::Refused { .. } => told
                .hint(format!("`{program} git fetch` on a terminal asks for what is missing; without one nobody is asked")),
            RemoteError::NoRepository { .. } => {
                told.hint(format!("`{program} git remote -v` shows the address, `{program} git remote set-url` mends it"))
            }
            RemoteError::Rejected { .. } => told.hint("what was to be pushed is committed here, and waits"),
            _ => told,
        },
    }
}
