//! Showing what a change of recipients comes to, and asking for it.

pub mod aftermath;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use crate::cli::app::App;
use crate::cli::commands::keys_given::Given;
use crate::cli::commands::recipients::people::counted;
use crate::cli::error::CliError;
use crate::cli::quote::quoted;
use crate::config::GroupName;
use crate::model::entry::is_record;
use crate::model::{Fingerprint, FolderName, Shown};
use crate::ops::readers::Reader;
use crate::ops::reencrypt::Reencrypted;
use crate::ops::rules::{FolderChange, Now, Proposal, Still, Wanted, carry_out, propose, shown};
use crate::ops::{Context, OpError};

/// From so many folders on, they are not told one by one how to take a key out of them.
const MANY: usize = 5;

/// How a change is agreed to.
#[derive(Debug, clap::Args)]
pub struct Consent {
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// What follows when somebody has lost access.
#[derive(Debug, Default, clap::Args)]
pub struct Aftermath {
    /// Put what was encrypted anew on the list of what must be changed (`rotate`), without a question.
    #[arg(long, conflicts_with = "no_rotate")]
    pub rotate: bool,
    /// Do not ask whether to put it there.
    #[arg(long)]
    pub no_rotate: bool,
}

/// A key, for programs; none for the name if the keyring does not have it.
#[derive(Debug, Serialize)]
pub struct KeyRecord {
    fingerprint: Option<String>,
    name: Option<String>,
}

impl KeyRecord {
    /// Returns what there is of somebody whose name leads to no key.
    pub fn unknown(name: &str) -> Self {
        KeyRecord { fingerprint: None, name: Some(name.to_owned()) }
    }
}

/// The names of keys, as people know them.
pub struct Names(BTreeMap<Fingerprint, String>);

impl Names {
    /// Reads the keyring.
    pub fn read(app: &App) -> Self {
        Names(app.key_names())
    }

    /// Returns them with those of keys that were given, and are not in the keyring yet.
    pub fn with(&self, given: &Given) -> Self {
        Names(self.0.clone().into_iter().chain(given.names()).collect())
    }

    /// Returns keys for programs.
    pub fn records<'k>(&self, keys: impl IntoIterator<Item = &'k Fingerprint>) -> Vec<KeyRecord> {
        let record = |key: &Fingerprint| KeyRecord {
            fingerprint: Some(key.to_string()),
            name: self.0.get(key).cloned(),
        };
        keys.into_iter().map(record).collect()
    }

    /// Returns what a key is called, safe to show; none if the keyring does not have it.
    pub fn get(&self, key: &Fingerprint) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Returns a key's fingerprint and name, safe to show.
    pub fn line(&self, key: &Fingerprint) -> String {
        format!("{key}  {}", self.0.get(key).map_or("(not in the keyring)", String::as_str))
    }
}

/// A change that is shown, agreed to and made.
pub struct Request<'a> {
    /// What to tell before anything else.
    pub heading: Vec<String>,
    /// What to ask.
    pub question: String,
    /// Returns the commit's subject.
    pub subject: &'a dyn Fn(&Proposal) -> String,
    /// What to tell when it is done.
    pub done: String,
    /// How it is agreed to.
    pub consent: &'a Consent,
    /// What follows when somebody has lost access.
    pub aftermath: &'a Aftermath,
    /// The keys that were given.
    pub given: &'a Given,
    /// Whether the user may lock themselves out.
    pub force: bool,
}

/// Shows what `edit` comes to, asks, imports the keys that were given and makes the change; returns whether it
/// was made.
pub fn change(
    app: &App,
    context: &Context<'_>,
    request: &Request<'_>,
    names: &Names,
    edit: impl Fn(&Now<'_, '_>) -> Result<Wanted, OpError>,
) -> Result<bool, CliError> {
    let Request { consent, given, .. } = request;
    // Whose fingerprint was typed is meant, whoever else let them in.
    let edit = |now: &Now<'_, '_>| {
        let mut wanted = edit(now)?;
        wanted.named.extend(given.typed().iter().cloned());
        Ok(wanted)
    };
    let proposal = propose(context, edit, request.force).map_err(|e| app.error(e))?;
    if !proposal.is_change {
        app.ui.say("Nothing to change.")?;
        return Ok(false);
    }
    for line in &request.heading {
        app.ui.say(line.as_str())?;
    }
    show(app, &proposal, &names.with(given))?;
    if !consent.dry_run {
        given.confirm(app, context, &proposal.gains(), consent.yes)?;
    }
    if !consent.agree(app, &request.question)? {
        return Ok(false);
    }
    given.import(app, context)?;
    let subject = (request.subject)(&proposal);
    let changed = carry_out(context, edit, &proposal, &subject).map_err(|e| app.error(e))?;
    app.tell(&changed.published, &changed.reencrypted);
    let _ = app.ui.say(request.done.as_str());
    let anew: Vec<&Reencrypted> =
        changed.reencrypted.iter().filter(|entry| !is_record(&entry.path)).collect();
    if !proposal.leaving().is_empty() {
        let names: BTreeSet<&str> = anew.iter().map(|entry| entry.name.as_str()).collect();
        app.tell_exposed(names.into_iter());
    }
    given.certify(app, context);
    let leaving: Vec<Reader> = proposal.loses().into_iter().map(Reader::Key).collect();
    if !leaving.is_empty() {
        let anew = anew.iter().map(|entry| entry.path.clone()).collect();
        aftermath::follow(app, context, &leaving, &anew, request.aftermath, consent.yes)?;
    }
    Ok(true)
}

/// Shows who gains and loses access to what.
fn show(app: &App, proposal: &Proposal, names: &Names) -> Result<(), CliError> {
    // Many folders often change in the same way.
    let mut alike: BTreeMap<Vec<String>, Vec<&FolderChange>> = BTreeMap::new();
    for change in &proposal.folders {
        alike.entry(lines(change, names)).or_default().push(change);
    }
    for (lines, changes) in alike {
        let folders: Vec<FolderName> = changes.iter().map(|change| change.folder.clone()).collect();
        let count = entries(changes.iter().map(|change| change.entries).sum());
        app.ui.say(format!("Recipients of {} ({count}):", listed(&folders)))?;
        lines.into_iter().try_for_each(|line| app.ui.say(line))?;
    }
    for (key, places) in &proposal.still {
        let folders: Vec<FolderName> = places.iter().map(|place| place.folder.clone()).collect();
        app.ui.say(format!("Still read {}, for another reason:", listed(&folders)))?;
        app.ui.say(format!("  {}", names.line(key)))?;
        for command in commands(app, key, places) {
            app.ui.say(format!("  `{command}` takes it out there too"))?;
        }
    }
    Ok(())
}

/// Returns what there is to tell of one folder.
fn lines(change: &FolderChange, names: &Names) -> Vec<String> {
    let mut lines = Vec::new();
    let groups = |groups: &BTreeSet<GroupName>| {
        groups.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>().join(", ")
    };
    if let Some(file) = &change.inherited {
        let follows = match change.follows.is_empty() {
            true => String::new(),
            false => format!("; it follows {}", groups(&change.follows)),
        };
        lines.push(format!("  (a list of its own from now on, in place of {}{follows})", Shown::os(file)));
    }
    if !change.leaves.is_empty() {
        lines.push(format!("  (follows {} no longer)", groups(&change.leaves)));
    }
    lines.extend(change.gains.iter().map(|key| format!("  gains  {}", names.line(key))));
    lines.extend(change.loses.iter().map(|key| format!("  loses  {}", names.line(key))));
    lines.extend(
        change.gone.iter().map(|line| format!("  loses  `{line}`, which names no key of the keyring")),
    );
    if change.gains.is_empty() && change.loses.is_empty() && change.gone.is_empty() {
        lines.push("  stay the same".to_owned());
    }
    lines
}

/// Returns the commands that take `key` out of all these places.
fn commands(app: &App, key: &Fingerprint, places: &[Still]) -> Vec<String> {
    let program = &app.ui.program;
    let groups: BTreeSet<&GroupName> = places.iter().filter_map(|place| place.group.as_ref()).collect();
    let mut commands: Vec<String> =
        groups.into_iter().map(|group| format!("{program} group remove {group} {key}")).collect();
    let own = places.iter().filter(|place| place.group.is_none());
    let own: Vec<String> = own.map(|place| argument(&place.folder)).collect();
    let own = if own.len() > MANY { vec!["FOLDER".to_owned()] } else { own };
    commands.extend(own.iter().map(|folder| format!("{program} recipients remove {folder} {key}")));
    commands
}

/// Returns a folder as it is typed.
fn argument(folder: &FolderName) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    match folder.to_string() {
        name if name.is_empty() => "/".to_owned(),
        name if name.chars().all(plain) && !name.starts_with('-') => name,
        name => quoted(Path::new(&name)),
    }
}

impl Consent {
    /// Asks for the change that was shown; returns whether it is to be made.
    pub fn agree(&self, app: &App, question: &str) -> Result<bool, CliError> {
        if self.dry_run {
            app.ui.say("Nothing was changed.")?;
            return Ok(false);
        }
        if !self.yes {
            app.agree_or(question, "--yes")?;
        }
        Ok(true)
    }
}

/// Returns the names of folders: all of them, since whoever is asked must know.
pub fn listed(folders: &[FolderName]) -> String {
    let names = folders.iter().map(shown).collect::<Vec<_>>().join(", ");
    if folders.len() > 3 { format!("{} folders: {names}", folders.len()) } else { names }
}

/// Returns a number of entries in words.
pub fn entries(count: usize) -> String {
    counted(count, "entry", "entries")
}

/// Returns a number of keys in words.
pub fn keys(count: usize) -> String {
    counted(count, "key", "keys")
}
