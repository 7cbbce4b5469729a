//! `recipients accept`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::people::no_environment;
use super::refuse_absent;
use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::git::provenance::CommitInfo;
use crate::model::{Fingerprint, FolderName, argument};
use crate::ops::guard::{Difference, RulesDifference};
use crate::ops::{Context, OpError};
use crate::store::accepted::Keys;

/// Accept changed recipients: from now on this machine encrypts to them.
///
/// Each changed list at and below the folder is shown and asked about, once where four or more were changed alike;
/// so is the list of a folder above, where that is what rules the folder. Groups and rules (`.passel.yaml`) that
/// others have changed come last, when no folder is named: until they are accepted, no change of recipients is made
/// from them.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Exit codes: 0 if everything is accepted, 1 if something is not, or cannot be.\n\n\
    Examples:\n  passel recipients accept\n  passel recipients accept clients\n  passel recipients accept web \\\n    \
    --expect 0123456789ABCDEF0123456789ABCDEF01234567,89ABCDEF0123456789ABCDEF0123456789ABCDEF\n  \
    passel recipients accept --expect-rules $(sha256sum < .passel.yaml | cut -d' ' -f1)"
)]
pub struct Args {
    /// The folder; the whole store if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<OsString>,
    /// Accept without a question if exactly these full fingerprints, separated by commas, can read the
    /// folder. Folders below it are left alone.
    #[arg(long, value_name = "FINGERPRINT,...", value_delimiter = ',', requires = "folder")]
    pub expect: Vec<String>,
    /// Accept the groups and rules, and nothing else, without a question if `.passel.yaml` has this SHA-256
    /// (`none` if there is no such file).
    #[arg(long, value_name = "SHA256", conflicts_with_all = ["folder", "expect"])]
    pub expect_rules: Option<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let expected = fingerprints(&args.expect)?;
    let asked = match &args.folder {
        Some(name) => asked_folder(app, &context, name)?,
        None => FolderName::root(),
    };
    if !expected.is_empty() {
        return accept_exactly(app, &context, &asked, &expected);
    }
    if let Some(hash) = &args.expect_rules {
        return accept_rules_exactly(app, &context, hash);
    }
    let mut round = Round::new(app, &context, &asked);
    round.take_all(args.folder.is_some())?;
    round.tell()
}

/// Asks about everything in the store that has to be accepted; returns whether all is now.
pub fn ask(app: &App, context: &Context<'_>) -> Result<bool, CliError> {
    let root = FolderName::root();
    let mut round = Round::new(app, context, &root);
    round.take_all(false)?;
    Ok(round.left.is_empty() && round.wrong.is_empty() && !matches!(round.rules, Rules::Left(_)))
}

/// Returns the folder that was typed. One that is gone may have been remembered.
fn asked_folder(app: &App, context: &Context<'_>, name: &OsString) -> Result<FolderName, CliError> {
    let folder = folder(app, name)?;
    if !context.remembers(&folder).map_err(|e| app.error(e))? {
        refuse_absent(app, context, &folder, "accept")?;
    }
    Ok(folder)
}

/// How many folders whose lists were changed alike are asked about at once.
const MANY: usize = 4;
/// How many names stand in a sentence, and hints below it.
const NAMES: usize = 5;

/// How a folder's recipients differ, if they do, and the folder whose list rules it.
type Found = Result<(Option<Difference>, FolderName), OpError>;

/// Going through changed lists, one after the other: whatever comes of one, the others are asked about too.
struct Round<'a> {
    app: &'a App,
    context: &'a Context<'a>,
    /// The folder that the user named.
    asked: &'a FolderName,
    /// Folders whose recipients are accepted.
    done: Vec<FolderName>,
    /// Folders whose recipients are not, as nobody has said yes.
    left: Vec<Difference>,
    /// What became of the groups and rules.
    rules: Rules,
    /// What was said about folders whose recipients cannot be.
    wrong: BTreeSet<String>,
}

/// What became of the groups and rules.
enum Rules {
    /// They are those that were accepted before.
    AsAccepted,
    /// They are accepted now.
    Accepted,
    /// They are not, as nobody has said yes.
    Left(RulesDifference),
}

impl<'a> Round<'a> {
    fn new(app: &'a App, context: &'a Context<'a>, asked: &'a FolderName) -> Self {
        let (done, left, wrong) = (Vec::new(), Vec::new(), BTreeSet::new());
        Round { app, context, asked, done, left, rules: Rules::AsAccepted, wrong }
    }

    /// Asks about all that has to be accepted at and below the folder; where it `was_named`, also about what rules it.
    fn take_all(&mut self, was_named: bool) -> Result<(), CliError> {
        // Without a name nothing is asked about that has no list and never had one.
        let mut folders = self.context.with_recipients(self.asked).map_err(|e| self.app.error(e))?;
        if was_named {
            match self.context.deciding(self.asked) {
                Ok(deciding) => folders.extend(deciding),
                Err(error) => self.fail(error),
            }
        }
        let mut found = BTreeMap::new();
        for folder in folders {
            let difference = self.difference(&folder);
            found.insert(folder, difference);
        }
        self.take_alike(&mut found)?;
        for (folder, difference) in found {
            // What was accepted meanwhile may concern it.
            let difference = if self.done.is_empty() { difference } else { self.difference(&folder) };
            self.take(&folder, difference)?;
        }
        if self.asked.is_root() {
            self.take_rules()?;
        }
        Ok(())
    }

    /// Returns how a folder's recipients have changed, if they have, and the folder whose list rules it.
    fn difference(&self, folder: &FolderName) -> Found {
        let difference = self.context.unaccepted(folder)?;
        Ok((difference, self.context.ruling(folder)?.unwrap_or_default()))
    }

    /// Asks once about lists that were all changed alike, a key taken out of many folders say, and takes them out of
    /// `found`.
    fn take_alike(&mut self, found: &mut BTreeMap<FolderName, Found>) -> Result<(), CliError> {
        let mut alike: Vec<Vec<Difference>> = Vec::new();
        for (folder, found) in &*found {
            let Ok((Some(difference), ruling)) = found else { continue };
            if folder != ruling {
                continue;
            }
            match alike.iter_mut().find(|others| difference.is_like(&others[0])) {
                Some(others) => others.push(difference.clone()),
                None => alike.push(vec![difference.clone()]),
            }
        }
        for alike in alike.into_iter().filter(|alike| alike.len() >= MANY) {
            alike.iter().for_each(|difference| _ = found.remove(&difference.folder));
            let folders: Vec<&FolderName> = alike.iter().map(|difference| &difference.folder).collect();
            self.app.ui.say(format!("Recipients of {} folders:", alike.len()))?;
            folders.iter().try_for_each(|folder| self.app.ui.say(format!("  {}", named(folder))))?;
            show_change(self.app, &alike[0])?;
            let question = format!("Accept these recipients for all {} folders?", alike.len());
            if !self.app.interactive || !self.app.prompt.borrow_mut().confirm(&question)? {
                self.left.extend(alike);
                continue;
            }
            for difference in alike {
                match self.context.accept(&difference) {
                    Ok(()) => self.done.push(difference.folder),
                    Err(error) => self.fail(error),
                }
            }
        }
        Ok(())
    }

    /// Shows how a folder's recipients have changed, if they have, and asks.
    fn take(&mut self, folder: &FolderName, found: Found) -> Result<(), CliError> {
        let (difference, ruling) = match found {
            Ok((None, _)) => {
                // Named by itself, a folder whose list is gone may follow the one above from now on.
                if folder == self.asked && self.context.let_fall(folder).map_err(|e| self.app.error(e))? {
                    self.done.push(folder.clone());
                }
                return Ok(());
            }
            Ok((Some(difference), ruling)) => (difference, ruling),
            Err(error) => {
                self.fail(error);
                return Ok(());
            }
        };
        self.explain_ruling(folder, &ruling)?;
        show(self.app, &difference)?;
        // To accept it would be to accept what was not, of the list that rules it too.
        let above = |left: &&Difference| {
            let left = left.folder.as_path();
            left.starts_with(ruling.as_path()) && folder.as_path().starts_with(left)
        };
        if let Some(above) = self.left.iter().find(above) {
            self.app.ui.say(format!("  (depends on {}, which is not accepted)", named(&above.folder)))?;
            self.left.push(difference);
            return Ok(());
        }
        let question = format!("Accept these recipients for {}?", named(folder));
        if !self.app.interactive || !self.app.prompt.borrow_mut().confirm(&question)? {
            self.left.push(difference);
            return Ok(());
        }
        match self.context.accept(&difference) {
            Ok(()) => self.done.push(difference.folder),
            Err(error) => self.fail(error),
        }
        Ok(())
    }

    /// Shows how groups and rules have changed, if they have, and asks.
    fn take_rules(&mut self) -> Result<(), CliError> {
        let difference = match self.context.unaccepted_rules() {
            Ok(None) => return Ok(()),
            Ok(Some(difference)) => difference,
            Err(error) => {
                self.fail(error);
                return Ok(());
            }
        };
        show_rules(self.app, &difference)?;
        let question = "Accept these groups and rules?";
        if !self.app.interactive || !self.app.prompt.borrow_mut().confirm(question)? {
            self.rules = Rules::Left(difference);
            return Ok(());
        }
        match self.context.accept_rules(&difference.hash) {
            Ok(()) => self.rules = Rules::Accepted,
            Err(error) => self.fail(error),
        }
        Ok(())
    }

    /// Says whose recipients are asked about, where they are not those of the folder that was named.
    fn explain_ruling(&self, folder: &FolderName, ruling: &FolderName) -> Result<(), CliError> {
        let (ruling, said) = (named(ruling), &self.app.ui);
        if folder.as_path() != self.asked.as_path() && self.asked.as_path().starts_with(folder.as_path()) {
            let asked = named(self.asked);
            said.say(format!(
                "{asked} is ruled by the recipients of {ruling}: accepting them for {ruling}."
            ))?;
        } else if named(folder) != ruling {
            let folder = named(folder);
            said.say(format!("{folder} has no recipients of its own any more: those of {ruling} rule it."))?;
        }
        Ok(())
    }

    /// Says why a folder's recipients cannot be accepted; once where several folders have the same list.
    fn fail(&mut self, error: OpError) {
        let told = match &error {
            OpError::NoRule(_) => CliError::from_error(&error)
                .hint(format!("`{} init KEY...` gives the store recipients again", self.app.ui.program)),
            _ => self.app.error(error),
        };
        if !self.wrong.contains(&told.text()) {
            self.app.ui.warn(told.text());
            self.wrong.insert(told.text());
        }
    }

    /// Says what was accepted, and fails if something was not.
    fn tell(self) -> Result<(), CliError> {
        let is_quiet = matches!(self.rules, Rules::AsAccepted);
        if is_quiet && self.done.is_empty() && self.left.is_empty() && self.wrong.is_empty() {
            self.app.ui.say("Nothing to accept: the recipients are those that were accepted before.")?;
            return Ok(());
        }
        let names = |folders: &mut dyn Iterator<Item = &FolderName>| {
            let folders: Vec<String> = folders.map(named).collect();
            match folders.split_at_checked(NAMES) {
                Some((first, rest)) if !rest.is_empty() => {
                    format!("{} and {} more", first.join(", "), rest.len())
                }
                _ => folders.join(", "),
            }
        };
        match self.done.len() {
            0 => {}
            1 => self
                .app
                .ui
                .say(format!("Accepted the recipients of 1 folder: {}.", names(&mut self.done.iter())))?,
            count => {
                let names = names(&mut self.done.iter());
                self.app.ui.say(format!("Accepted the recipients of {count} folders: {names}."))?;
            }
        }
        if matches!(self.rules, Rules::Accepted) {
            self.app.ui.say(RULES_ACCEPTED)?;
        }
        let mut left = names(&mut self.left.iter().map(|left| &left.folder));
        let rules = if let Rules::Left(difference) = &self.rules { Some(difference) } else { None };
        if self.left.is_empty() && rules.is_none() {
            return if self.wrong.is_empty() { Ok(()) } else { Err(CliError::silent(exit::FAILURE)) };
        }
        if self.app.interactive {
            let rules = rules.map(|_| "the groups and rules").filter(|_| !self.left.is_empty());
            left.extend(rules.into_iter().flat_map(|rules| [", ", rules]));
            let left = if left.is_empty() { "the groups and rules" } else { &left };
            return Err(CliError::new(format!("not accepted: {left}")));
        }
        let question = match self.left.is_empty() {
            true => "Accept these groups and rules?".to_owned(),
            false => format!("Accept these recipients of {left}?"),
        };
        let told = CliError::new(format!("nobody can be asked here: {question}"));
        let hint = |told: CliError, left: &Difference| {
            let folder = if left.folder.is_root() { "/".to_owned() } else { argument(left.folder.as_path()) };
            let keys = list(&left.keys);
            told.hint(format!("`{} recipients accept {folder} --expect {keys}`", self.app.ui.program))
        };
        let told = self.left.iter().take(NAMES).fold(told, hint);
        let told = match self.left.len() > NAMES {
            true => told.hint("and so on: `--expect` takes one folder at a time"),
            false => told,
        };
        let hash = |rules: &RulesDifference| {
            let hash = if rules.hash.is_empty() { NO_FILE } else { &rules.hash };
            format!("`{} recipients accept --expect-rules {hash}`", self.app.ui.program)
        };
        Err(match rules {
            Some(rules) => told.hint(hash(rules)),
            None => told,
        })
    }
}

/// What stands for the hash of a file that is not there.
const NO_FILE: &str = "none";
/// What is said when groups and rules are accepted.
const RULES_ACCEPTED: &str = "Accepted the groups and rules.";

/// Accepts the groups and rules if their file has the SHA-256 `hash`.
fn accept_rules_exactly(app: &App, context: &Context<'_>, hash: &str) -> Result<(), CliError> {
    let failed = |error| app.error(error);
    let difference = context.unaccepted_rules().map_err(failed)?;
    if let Some(difference) = &difference {
        show_rules(app, difference)?;
    }
    let found = context.rules_hash().map_err(failed)?;
    if found != hash.to_ascii_lowercase() && !(found.is_empty() && hash == NO_FILE) {
        let found = if found.is_empty() { "there is no such file" } else { &found };
        return Err(CliError::new(format!("`{}` is not the file expected", crate::config::FILE))
            .hint(format!("its SHA-256: {found}")));
    }
    let Some(difference) = difference else {
        app.ui.say("Nothing to accept: the groups and rules are those that were accepted before.")?;
        return Ok(());
    };
    context.accept_rules(&difference.hash).map_err(failed)?;
    app.ui.say(RULES_ACCEPTED)?;
    Ok(())
}

/// Tells how groups and rules have changed.
pub fn show_rules(app: &App, difference: &RulesDifference) -> Result<(), CliError> {
    app.ui.say("Groups and rules:")?;
    difference.lines.iter().try_for_each(|line| app.ui.say(format!("  {line}")))?;
    show_commit(app, difference.commit.as_ref())
}

/// Tells who changed something last.
fn show_commit(app: &App, commit: Option<&CommitInfo>) -> Result<(), CliError> {
    if let Some(commit) = commit {
        app.ui.say(format!("  changed in {}", commit.told()))?;
    }
    Ok(())
}

/// Accepts what decides about a folder if exactly `expected` can read it.
fn accept_exactly(
    app: &App,
    context: &Context<'_>,
    folder: &FolderName,
    expected: &Keys,
) -> Result<(), CliError> {
    let failed = |error| app.error(error);
    let mut accepted = 0;
    for deciding in context.deciding(folder).map_err(failed)? {
        if let Some(difference) = context.unaccepted(&deciding).map_err(failed)? {
            show(app, &difference)?;
            check(app, folder, expected, &difference.keys)?;
            context.accept(&difference).map_err(failed)?;
            accepted += 1;
        }
    }
    if accepted > 0 {
        app.ui.say(format!("Accepted the recipients of 1 folder: {}.", named(folder)))?;
        return Ok(());
    }
    let recipients = context.recipients(folder).map_err(failed)?;
    check(app, folder, expected, &crate::ops::guard::key_set(&recipients.keys))?;
    if context.let_fall(folder).map_err(failed)? {
        app.ui.say(format!("Accepted the recipients of 1 folder: {}.", named(folder)))?;
        return Ok(());
    }
    app.ui.say("Nothing to accept: the recipients are those that were accepted before.")?;
    Ok(())
}

/// Fails unless exactly `expected` can read the folder.
fn check(app: &App, folder: &FolderName, expected: &Keys, found: &Keys) -> Result<(), CliError> {
    if expected == found {
        return Ok(());
    }
    let (program, found) = (&app.ui.program, list(found));
    let place = if folder.is_root() { String::new() } else { format!(" {}", argument(folder.as_path())) };
    Err(CliError::new(format!("the recipients of {} are not those expected", named(folder)))
        .hint(format!("they are {found}; `{program} recipients list{place}` names them")))
}

/// Returns fingerprints as `--expect` takes them.
fn list(keys: &Keys) -> String {
    keys.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(",")
}

/// Returns a folder's name for a sentence.
pub fn named(folder: &FolderName) -> String {
    if folder.is_root() { "the store".to_owned() } else { folder.to_string() }
}

/// Tells how the recipients of a folder have changed.
fn show(app: &App, difference: &Difference) -> Result<(), CliError> {
    app.ui.say(format!("Recipients of {}:", named(&difference.folder)))?;
    show_change(app, difference)
}

/// Tells who gains and who loses access.
fn show_change(app: &App, difference: &Difference) -> Result<(), CliError> {
    let names = app.key_names();
    let name = |key: &Fingerprint| names.get(key).map_or("(not in the keyring)", String::as_str);
    let by = |key| difference.by.get(key).map(|commit| format!("  ({})", commit.told())).unwrap_or_default();
    for key in &difference.gains {
        let again = if difference.returning.contains(key) { "  (was removed before)" } else { "" };
        app.ui.say(format!("  gains   {key}  {}{again}{}", name(key), by(key)))?;
    }
    for key in &difference.loses {
        app.ui.say(format!("  loses   {key}  {}{}", name(key), by(key)))?;
    }
    if difference.was_unusable {
        app.ui.say("  (the list could not be used when this machine first saw it)")?;
    }
    show_commit(app, difference.commit.as_ref())
}

/// Reads full fingerprints.
pub fn fingerprints(texts: &[String]) -> Result<Keys, CliError> {
    let parse = |text: &String| {
        Fingerprint::parse(text.trim()).ok_or_else(|| {
            let text = crate::model::Shown::new(text);
            CliError::new(format!("`{text}` is no full fingerprint")).hint("`gpg --list-keys` shows them")
        })
    };
    texts.iter().map(parse).collect()
}
