//! `clone`.

use std::ffi::OsString;

use super::git_setup::driver;
use super::keys::{import, tell_bad};
use super::recipients::accept::{named, show_rules};
use super::recipients::list;
use super::recipients::people::{counted, no_environment};
use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::git::GitError;
use crate::git::remote::RemoteError;
use crate::model::{Fingerprint, FolderName, Shown, argument};
use crate::ops::clone::{self, CloneError, Cloned, Request};
use crate::ops::guard::Found;
use crate::ops::keys::{self, KeyFile, Overview};
use crate::ops::readers::{Reach, Reader, by_folder, survey_folder, what};
use crate::ops::{Context, OpError};
use crate::store::survey::Survey;

/// How much of a kind is listed before the rest is counted.
const SHOWN: usize = 20;

/// What is said of the command at length.
pub const LONG: &str = "\
Take a store from a remote repository to this machine.

Runs git, as you have set it up, and looks at what came before it is put in its place: what no store should hold is \
refused, and so is a repository that is none. Then shows who can read which folder, with full fingerprints: until you \
accept that, here or by `passel recipients accept`, nothing is encrypted to anybody. Offers to import the public keys that \
travel with the store, and tells which entries you can read; if none, how to ask to be let in.

Git is told to merge entries with passel (`passel git-setup`), and what the remote holds now is remembered: `passel sync` \
refuses one that went back.";

/// Take a store from a remote repository to this machine.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The remote repository, as git takes it: an address or a path.
    #[arg(value_name = "URL")]
    pub url: OsString,
    /// The folder to make; where passel looks for the store (PASSWORD_STORE_DIR, ~/.password-store) if it is left out.
    #[arg(value_name = "DIR")]
    pub dir: Option<OsString>,
    /// Accept the recipients as they come, without a question.
    #[arg(long, short)]
    pub yes: bool,
    /// Import the public keys of recipients that travel with the store, without a question.
    #[arg(long, conflicts_with = "no_import")]
    pub import: bool,
    /// Import no public keys.
    #[arg(long)]
    pub no_import: bool,
}

const HELP: &str = "Exit codes: 0 if the store is there and its recipients are accepted, 3 if it is there and somebody \
has to accept them, 5 if the remote cannot be reached, 1 if it failed. A clone that failed leaves nothing behind.

Examples:
  passel clone git@example.org:passwords.git
  passel clone --yes --import https://example.org/passwords.git ~/team-store";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let place = match &args.dir {
        Some(dir) => {
            std::path::absolute(dir).map_err(|e| CliError::caused("cannot tell where that is", &e))?
        }
        None => app.environment.root.clone(),
    };
    let request = Request {
        url: &args.url,
        place: &place,
        interactive: app.interactive,
        driver: &driver(app)?,
        textconv: &app.textconv(),
    };
    let said = |piece: &str| {
        // It would name a folder that is soon called otherwise.
        if app.interactive && !piece.starts_with("Cloning into ") {
            app.ui.pass_on(piece);
        }
    };
    let cloned = clone::clone(&request, &app.options(), app.crypto(), &said);
    let cloned = cloned.map_err(|error| explain(app, args, error))?;
    let there = app.at(cloned.place.clone());
    let done = tell(&there, &cloned, place != app.environment.root).and_then(|()| match cloned.is_empty {
        true => tell_empty(&there),
        false => welcome(&there, args),
    });
    there.tell_notes();
    done.map_err(|error| match error.exit_code() {
        exit::NEEDS_DECISION => error,
        _ => {
            let program = &app.ui.program;
            error.hint(format!(
                "the store is in its place: `{program} recipients accept` shows who can read it"
            ))
        }
    })
}

/// Tells what came.
fn tell(there: &App, cloned: &Cloned, is_elsewhere: bool) -> Result<(), CliError> {
    let ui = &there.ui;
    for warning in cloned.warnings.iter().take(SHOWN) {
        ui.warn(format!("warning: {warning}"));
    }
    if cloned.warnings.len() > SHOWN {
        ui.warn(format!("warning: and {} more of that kind", cloned.warnings.len() - SHOWN));
    }
    if cloned.warnings.iter().any(|warning| warning.contains("into submodule path")) {
        let program = &ui.program;
        ui.warn(format!("hint: `{program} git submodule update --init --recursive` tries again"));
    }
    ui.say(format!("Cloned {} into {}.", cloned.url, Shown::os(&cloned.place)))?;
    if is_elsewhere {
        let place = argument(&cloned.place);
        ui.say(format!(
            "{} works in it where it is told to: `export PASSWORD_STORE_DIR={place}`",
            ui.program
        ))?;
    }
    Ok(())
}

/// Tells how to begin.
fn tell_empty(there: &App) -> Result<(), CliError> {
    let program = &there.ui.program;
    there.ui.say("The repository is empty: there is no store in it yet. To begin:")?;
    there.ui.say(format!("  {program} init KEY...   makes one that these keys can read"))?;
    Ok(there.ui.say(format!("  {program} sync          pushes it"))?)
}

/// Goes through what a person new to the store has to know and to decide.
fn welcome(there: &App, args: &Args) -> Result<(), CliError> {
    let store = there.store()?;
    let context = no_environment(there, &store);
    import_keys(there, &context, args)?;
    let is_accepted = accept(there, &context, args)?;
    tell_reach(there, &context)?;
    if is_accepted {
        return Ok(());
    }
    let program = &there.ui.program;
    Err(CliError::new("the recipients are not accepted: nothing is encrypted to them until they are")
        .hint(format!("`{program} recipients accept` shows them and takes your word"))
        .code(exit::NEEDS_DECISION))
}

/// Offers to import the keys of recipients that travel with the store.
fn import_keys(there: &App, context: &Context<'_>, args: &Args) -> Result<(), CliError> {
    let overview = match Overview::read(context) {
        Ok(overview) => overview,
        // Without them, names are missing; that is all.
        Err(error) => {
            there.ui.warn(there.error(error).text());
            return Ok(());
        }
    };
    overview.files.bad.iter().for_each(|bad| tell_bad(there, bad));
    let new: Vec<&KeyFile> = overview.new_keys().filter(|file| overview.is_needed(file, None)).collect();
    if new.is_empty() || args.no_import {
        return Ok(());
    }
    if !args.import && !there.interactive {
        let come = if new.len() == 1 { "comes" } else { "come" };
        let count = counted(new.len(), "public key", "public keys");
        let program = &there.ui.program;
        return Ok(there.ui.say(format!(
            "{count} of recipients {come} with the store: `{program} keys import` takes what the keyring lacks."
        ))?);
    }
    new.iter().try_for_each(|file| import::show(there, &overview, file))?;
    let question = match new.len() {
        1 => "Import this key?".to_owned(),
        count => format!("Import these {count} keys?"),
    };
    if !args.import && !there.prompt.borrow_mut().confirm(&question)? {
        return Ok(());
    }
    keys::renew(context, &overview).map_err(|e| there.error(e))?;
    for file in new {
        keys::import(context, file).map_err(|e| there.error(e))?;
        there.ui.say(format!("Imported {}.", file.key.fingerprint))?;
    }
    Ok(())
}

/// Shows all recipients, and takes a person's word; returns whether they are accepted.
fn accept(there: &App, context: &Context<'_>, args: &Args) -> Result<bool, CliError> {
    let found = context.found().map_err(|e| there.error(e))?;
    if found.folders().next().is_none() {
        let program = &there.ui.program;
        there.ui.warn("warning: no recipients file (.gpg-id) says who is to read these entries");
        there.ui.warn(format!("hint: `{program} init KEY...` does"));
        return Ok(true);
    }
    there.ui.say("")?;
    match list::run(there, &list::Args { folder: None, tree: true, json: false }) {
        // It has said what is the matter with some of them; these are used by nobody.
        Err(error) if error.text().is_empty() => {}
        done => done?,
    }
    if let Some(rules) = context.unaccepted_rules().map_err(|e| there.error(e))? {
        show_rules(there, &rules)?;
    }
    there.ui.say("")?;
    // Whoever breaks off has not said yes.
    let asked = || there.prompt.borrow_mut().confirm("Accept these recipients?").unwrap_or(false);
    let is_accepted = args.yes || (there.interactive && asked());
    if !is_accepted {
        return Ok(false);
    }
    context.accept_found(&found).map_err(|e| there.error(e))?;
    tell_accepted(there, &found)?;
    Ok(true)
}

fn tell_accepted(there: &App, found: &Found) -> Result<(), CliError> {
    let lists = counted(found.folders().count(), "folder", "folders");
    there.ui.say(format!("Accepted the recipients of {lists}."))?;
    let unusable = found.folders().filter(|(_, is_usable)| !is_usable);
    let unusable: Vec<String> = unusable.map(|(folder, _)| named(folder)).collect();
    if !unusable.is_empty() {
        let (program, names) = (&there.ui.program, unusable.join(", "));
        there.ui.warn(format!("note: nothing can be encrypted yet to the recipients of {names}"));
        there.ui.warn(format!("hint: `{program} recipients check` says why, and what mends it"));
    }
    Ok(())
}

/// Tells which entries the user can read; if none, how to be let in.
fn tell_reach(there: &App, context: &Context<'_>) -> Result<(), CliError> {
    let failed = |error| there.error(error);
    let survey = survey_folder(context, &FolderName::root()).map_err(failed)?;
    let own = context.crypto.own_keys().map_err(|source| failed(OpError::OwnKeys { source }))?;
    let readers: Vec<Reader> = own.iter().cloned().map(Reader::Key).collect();
    let reach = what(&survey, &readers);
    tell_counts(there, &survey, &reach)?;
    let is_named = survey.lists.values().any(|list| own.iter().any(|key| list.named.contains(key)));
    match reach.reads.is_empty() && reach.perhaps.is_empty() && !is_named {
        true => tell_how_to_join(there, &survey, &own),
        false => Ok(()),
    }
}

fn tell_counts(there: &App, survey: &Survey, reach: &Reach<'_>) -> Result<(), CliError> {
    let (total, program) = (survey.entries.len(), &there.ui.program);
    let all = counted(total, "entry", "entries");
    let folders = by_folder(reach.reads.iter().map(|(entry, _)| *entry));
    let folders: Vec<String> =
        folders.iter().map(|(folder, count)| format!("{} ({count})", named(folder))).collect();
    let folders = match folders.split_at_checked(SHOWN) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => folders.join(", "),
    };
    there.ui.say(match reach.reads.len() {
        _ if total == 0 => "There are no entries yet.".to_owned(),
        0 => format!("You can read none of {all}."),
        count if folders.is_empty() => format!("You can read {count} of {all}."),
        count => format!("You can read {count} of {all}: {folders}."),
    })?;
    if !reach.perhaps.is_empty() {
        let count = counted(reach.perhaps.len(), "entry", "entries");
        there.ui.say(format!("You may be a hidden recipient of {count}."))?;
    }
    if !reach.barred.is_empty() {
        let count = counted(reach.barred.len(), "entry that is", "entries that are");
        there.ui.say(format!(
            "The recipients files name you for {count} not encrypted for you yet: somebody who can read them runs \
             `{program} recipients update`."
        ))?;
    }
    Ok(())
}

/// Tells what to send to whom, and what they do with it.
fn tell_how_to_join(there: &App, survey: &Survey, own: &[Fingerprint]) -> Result<(), CliError> {
    let (ui, program) = (&there.ui, &there.ui.program);
    let keys: Vec<_> = own.iter().filter_map(|key| survey.keyring.get(key)).collect();
    let usable: Vec<_> = keys.iter().filter(|key| key.problem.is_none()).collect();
    for key in keys.iter().filter(|key| key.problem.is_some()) {
        let problem = key.problem.as_ref().map(ToString::to_string).unwrap_or_default();
        ui.say(format!("Your key {} {problem}.", key.fingerprint))?;
    }
    if usable.is_empty() {
        ui.say("You have no secret key that could be let in. To make one:")?;
        ui.say("  gpg --quick-generate-key \"Name <address>\"")?;
        ui.say("  gpg --list-secret-keys   shows its fingerprint, FPR below")?;
    }
    ui.say("To be let in, export your public key:")?;
    for key in &usable {
        ui.say(format!("  {}  {}", key.fingerprint, Shown::new(key.name())))?;
    }
    let fingerprint = usable.first().map_or("FPR", |key| key.fingerprint.as_str());
    ui.say(format!("  gpg --armor --export {fingerprint} > me.asc"))?;
    ui.say("Send me.asc to somebody who can read the folder, and tell them the fingerprint by another way. They run:")?;
    ui.say(format!("  {program} recipients add FOLDER --key me.asc   (`/` is the whole store)"))?;
    ui.say(format!("  {program} sync"))?;
    ui.say(format!("After that, `{program} sync` here lets you in."))?;
    Ok(())
}

/// Returns what the user is told of a failure.
fn explain(app: &App, args: &Args, error: CloneError) -> CliError {
    let program = &app.ui.program;
    let told = CliError::from_error(&error);
    let elsewhere = format!("`{program} clone {} DIR` takes another folder", argument(&args.url));
    match error {
        CloneError::Occupied { is_repository: true, .. } => {
            told.hint(format!("`{program} sync` brings a store up to date that is there already")).hint(elsewhere)
        }
        CloneError::Occupied { .. } => told.hint(elsewhere),
        CloneError::Folder { path, .. } => {
            told.hint(format!("look at owner and mode: `ls -ld {}`", argument(&path))).hint(elsewhere)
        }
        CloneError::NoRoom(place) => {
            let above = place.ancestors().find(|path| path.exists()).unwrap_or(&place);
            told.hint(format!("make room: `df -h {}` shows how much there is", argument(above))).hint(elsewhere)
        }
        CloneError::Remote(RemoteError::Unreachable { .. }) => {
            told.hint("try again once there is a way to it (a network, a VPN)").code(exit::OFFLINE)
        }
        CloneError::Remote(RemoteError::Refused { .. }) => {
            let told = told.hint(format!(
                "`git ls-remote {}` tries it by itself: git needs an ssh key, or a password or token, that the server knows",
                argument(&args.url)
            ));
            match app.interactive {
                true => told,
                false => told.hint("on a terminal it is asked for; here, nobody is"),
            }
        }
        CloneError::Remote(RemoteError::NoRepository { .. }) => {
            told.hint("look whether the address is right, and whether you may see the repository")
        }
        CloneError::Remote(RemoteError::Git(GitError::NotRun { .. })) => told.hint("install git"),
        CloneError::Hazards { .. } => {
            told.hint("nothing of it was taken; ask whoever keeps the store to take that out of it")
        }
        CloneError::NoStore { .. } => told.hint("look whether the address is the right one"),
        CloneError::NoBranch { .. } => told.hint(
            "whoever keeps the repository says it there: `git symbolic-ref HEAD refs/heads/BRANCH`, or in its settings",
        ),
        CloneError::Interrupted(signal) => told.code(128_u8.saturating_add(signal)),
        CloneError::Op(error) => app.error(error),
        _ => told,
    }
}
