//! `group`: named groups of recipients.

pub mod add;
pub mod assign;
pub mod list;
pub mod remove;
pub mod unassign;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::config::GroupName;
use crate::model::{Fingerprint, FolderName, RecipientId, Shown};
use crate::ops::guard::key_set;
use crate::ops::init::GIVEN;
use crate::ops::rules::{Now, Proposal, RuleError, Wanted, carry_out, propose};
use crate::ops::{Context, OpError};
use crate::store::accepted::Keys;

use super::keys_given::{Given, refuse_unconfirmed};
use super::proposal::{Consent, Names, show};

/// Show or change groups of recipients, and the folders that follow them.
///
/// A group is a name for some keys, kept in the store. Folders that follow it are readable by all of its keys;
/// a change of the group changes all of them, in one commit. Their recipients files are written out with every
/// fingerprint, so that pass and other programs go on working.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "passel group COMMAND [OPTIONS] [NAME] [KEY...|FOLDER]",
    after_long_help = "Examples:\n  passel group add team alice@example.org bob@example.org\n  passel group assign team\n  passel group remove team bob@example.org"
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done about groups.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add keys to a group, which is made if there is none.
    Add(add::Args),
    /// Take keys out of a group, or remove the group.
    Remove(remove::Args),
    /// List groups, their keys and the folders that follow them.
    List(list::Args),
    /// Let a folder follow a group.
    Assign(assign::Args),
    /// Let a folder no longer follow a group.
    Unassign(unassign::Args),
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    match &args.command {
        Command::Add(args) => add::run(app, args),
        Command::Remove(args) => remove::run(app, args),
        Command::List(args) => list::run(app, args),
        Command::Assign(args) => assign::run(app, args),
        Command::Unassign(args) => unassign::run(app, args),
    }
}

/// A change that is shown, agreed to and made.
struct Request<'a> {
    /// What to tell before anything else.
    heading: Vec<String>,
    /// What to ask.
    question: String,
    /// The commit's subject.
    subject: String,
    /// What to tell when it is done.
    done: String,
    /// How it is agreed to.
    consent: &'a Consent,
    /// The keys that were confirmed.
    confirmed: Keys,
    /// Whether the user may lock themselves out.
    force: bool,
}

/// Shows what `edit` comes to, asks, does what has to be done `first`, and makes the change; returns whether
/// it was made.
fn change(
    app: &App,
    request: &Request<'_>,
    names: &Names,
    first: impl Fn() -> Result<(), CliError>,
    edit: impl Fn(&Now<'_, '_>) -> Result<Wanted, OpError>,
) -> Result<bool, CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let proposal = propose(&context, &edit, request.force).map_err(|e| app.error(e))?;
    if !proposal.is_change {
        app.ui.say("Nothing to change.")?;
        return Ok(false);
    }
    for line in &request.heading {
        app.ui.say(line.as_str())?;
    }
    show(app, &proposal, names)?;
    if !request.consent.dry_run {
        refuse_strangers(app, &context, &proposal, &request.confirmed, request.consent.yes)?;
    }
    if !request.consent.agree(app, &request.question)? {
        return Ok(false);
    }
    first()?;
    let changed = carry_out(&context, &edit, &proposal, &request.subject).map_err(|e| app.error(e))?;
    app.tell(&changed.published, &changed.reencrypted);
    let _ = app.ui.say(request.done.as_str());
    if !proposal.loses().is_empty() {
        app.tell_exposed(changed.reencrypted.iter().map(|entry| entry.name.as_str()));
    }
    Ok(true)
}

/// Fails if the change lets a key in that nobody here has confirmed: groups come with the repository, and
/// whoever can push can add to them.
pub fn refuse_strangers(
    app: &App,
    context: &Context<'_>,
    proposal: &Proposal,
    confirmed: &Keys,
    yes: bool,
) -> Result<(), CliError> {
    // What is not in the keyring is refused where it is encrypted to.
    let gains = proposal.gains();
    let ids: Vec<&str> = gains.iter().map(Fingerprint::as_str).collect();
    let gains: Vec<RecipientId> =
        context.crypto.resolve_all(&ids).into_iter().filter_map(Result::ok).flatten().collect();
    refuse_unconfirmed(app, context, &FolderName::root(), &gains, confirmed, yes)
}

/// Returns the keys that were given; a group has no place for single subkeys.
pub fn whole_keys(app: &App, given: &Given) -> Result<Keys, CliError> {
    if let Some(subkey) = given.recipients.iter().find(|key| key.subkey.is_some()) {
        let error = RuleError::Subkey { place: GIVEN.to_owned(), id: subkey.gpg_name() };
        return Err(app.error(error.into()));
    }
    Ok(key_set(&given.recipients))
}

/// Returns the group that was typed.
pub fn group_name(text: &str) -> Result<GroupName, CliError> {
    GroupName::parse(text).ok_or_else(|| {
        let text = Shown::new(text);
        CliError::new(format!("`{text}` cannot be a group's name")).hint("use letters, digits, `-` and `_`")
    })
}

/// Returns what tells keys in a commit's subject: their fingerprints, or how many they are.
fn subject_keys(keys: &Keys) -> String {
    match keys.len() {
        1..=3 => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        count => format!("{count} keys"),
    }
}
