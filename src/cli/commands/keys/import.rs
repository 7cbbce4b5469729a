//! `keys import`.

use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::commands::folder;
use crate::cli::commands::keys_given::{certify, doubted, grouped};
use crate::cli::commands::recipients::accept::fingerprints;
use crate::cli::commands::recipients::people::counted;
use crate::cli::commands::recipients::refuse_absent;
use crate::cli::error::CliError;
use crate::cli::exit;
use crate::model::{Fingerprint, FolderName, Key, Shown};
use crate::ops::Context;
use crate::ops::keys::{self, FOLDER, KeyFile, Overview};
use crate::store::accepted::Keys;

use super::list::reads;
use super::{state, tell_bad};

/// Take keys of the store into the keyring, once their fingerprints are confirmed.
///
/// Whoever can write to the store can put a key there: compare each fingerprint with its owner. Keys that no
/// recipients file names are left out unless --fingerprint asks for them. Keys that the keyring has already are
/// brought up to date without a question. Ownertrust is never set.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  passel keys import\n  passel keys import clients/acme\n  \
    passel keys import --fingerprint 0123456789ABCDEF0123456789ABCDEF01234567 --certify")]
pub struct Args {
    /// Only the keys that are needed to encrypt to these folders; to the whole store if it is left out.
    #[arg(value_name = "FOLDER")]
    pub folders: Vec<OsString>,
    /// Import exactly the keys with these full fingerprints, without a question.
    #[arg(long, value_name = "FINGERPRINT,...", value_delimiter = ',', conflicts_with = "folders")]
    pub fingerprint: Vec<String>,
    /// Certify the keys for this keyring alone, so that stock pass encrypts to them too; also those that the
    /// keyring has already.
    #[arg(long)]
    pub certify: bool,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = app.context(&store);
    let confirmed = fingerprints(&args.fingerprint)?;
    let overview = Overview::read(&context).map_err(|e| app.error(e))?;
    refuse_unknown(&overview, &confirmed)?;
    let folders = needed_folders(app, &context, &args.folders)?;
    let wanted = |file: &KeyFile| match confirmed.is_empty() {
        false => confirmed.contains(&file.key.fingerprint),
        true => overview.is_needed(file, folders.as_ref()),
    };
    let renewed = keys::renew(&context, &overview).map_err(|e| app.error(e))?;
    for key in &renewed {
        app.ui.say(format!("Renewed {}  {}; {}", key.fingerprint, Shown::new(key.name()), state(key)))?;
    }
    let (new, left): (Vec<&KeyFile>, Vec<&KeyFile>) = overview.new_keys().partition(|file| wanted(file));
    let mut imported = Vec::new();
    for file in &new {
        show(app, &overview, file)?;
        if is_confirmed(app, file, &confirmed)? {
            keys::import(&context, file).map_err(|e| app.error(e))?;
            app.ui.say(format!("Imported {}.", file.key.fingerprint))?;
            imported.push(file.key.fingerprint.clone());
        }
    }
    certify(app, &context, &imported, args.certify);
    let known = overview.files.good.values().filter(|file| wanted(file) && overview.has(file));
    let known: Vec<Fingerprint> = known.map(|file| file.key.fingerprint.clone()).collect();
    let known = if args.certify { doubted(&context, &known) } else { Vec::new() };
    let unasked = !app.interactive && confirmed.is_empty() && !known.is_empty();
    if !unasked {
        // What nobody has named by its fingerprint is asked about.
        match certify(app, &context, &known, !confirmed.is_empty()) {
            0 => {}
            count => app.ui.say(format!("Certified {}.", counted(count, "key", "keys")))?,
        }
    }
    if new.is_empty() && renewed.is_empty() && known.is_empty() {
        app.ui.say(match folders {
            None if left.is_empty() => "Nothing to import: the keyring has every key of the store.",
            _ => "Nothing to import: the keyring has every key that is needed.",
        })?;
    }
    if confirmed.is_empty() && !left.is_empty() {
        let count = counted(left.len(), "key is", "keys are");
        let program = &app.ui.program;
        app.ui.say(format!("{count} left out, as not needed here: `{program} keys list` shows them."))?;
    }
    overview.files.bad.iter().for_each(|bad| tell_bad(app, bad));
    if !app.interactive && confirmed.is_empty() && (!new.is_empty() || unasked) {
        let known = if unasked { &known[..] } else { &[] };
        let keys: Vec<&str> =
            new.iter().map(|file| &file.key.fingerprint).chain(known).map(Fingerprint::as_str).collect();
        let (program, certify) = (&app.ui.program, if unasked { " --certify" } else { "" });
        return Err(CliError::new("nobody can be asked here whether these fingerprints are right").hint(
            format!(
                "compare them with the keys' owners, then `{program} keys import{certify} --fingerprint {}`",
                keys.join(",")
            ),
        ));
    }
    match overview.files.bad.is_empty() {
        true => Ok(()),
        false => Err(CliError::silent(exit::FAILURE)),
    }
}

/// Returns the folders whose lists decide about those that were typed; none if none was typed.
fn needed_folders(
    app: &App,
    context: &Context<'_>,
    typed: &[OsString],
) -> Result<Option<BTreeSet<FolderName>>, CliError> {
    let mut all = BTreeSet::new();
    for name in typed {
        let folder = folder(app, name)?;
        refuse_absent(app, context, &folder, "list")?;
        all.extend(context.ruling(&folder).map_err(|e| app.error(e))?);
        all.extend(context.with_recipients(&folder).map_err(|e| app.error(e))?);
    }
    Ok((!typed.is_empty()).then_some(all))
}

/// Fails if a fingerprint was given that no key of the store has.
fn refuse_unknown(overview: &Overview, wanted: &Keys) -> Result<(), CliError> {
    match wanted.iter().find(|key| !overview.files.good.contains_key(key)) {
        Some(key) => Err(CliError::new(format!("`{FOLDER}` holds no key {key}"))
            .hint("ask whoever has it for `passel keys export`, or for the key itself")),
        None => Ok(()),
    }
}

/// Shows a new key: what it says of itself, its fingerprint to compare, and what it could read.
pub fn show(app: &App, overview: &Overview, file: &KeyFile) -> Result<(), CliError> {
    let key = &file.key;
    app.ui.say(format!("New key of {}", Shown::new(key.name())))?;
    for also in key.user_ids.iter().skip(1) {
        app.ui.say(format!("  also {}", Shown::new(also)))?;
    }
    app.ui.say(format!("  {}\n  {}; {}", grouped(&key.fingerprint), state(key), reads(overview, file)))?;
    for other in namesakes(overview, key) {
        app.ui.warn(format!("warning: key {other} of your keyring has the same address"));
    }
    Ok(())
}

/// Returns keys of the keyring that share an address with `key`: one of the two may be an impostor's.
fn namesakes<'o>(overview: &'o Overview, key: &'o Key) -> impl Iterator<Item = &'o Fingerprint> {
    let same = |a: &String, b: &String| a.eq_ignore_ascii_case(b);
    let shares = move |other: &&Key| {
        other.mailboxes.iter().any(|mailbox| key.mailboxes.iter().any(|own| same(own, mailbox)))
    };
    overview.keyring.iter().filter(shares).map(|other| &other.fingerprint)
}

/// Whether a person has said that the fingerprint is right.
fn is_confirmed(app: &App, file: &KeyFile, wanted: &Keys) -> Result<bool, CliError> {
    if !wanted.is_empty() || !app.interactive {
        return Ok(wanted.contains(&file.key.fingerprint));
    }
    let question = "Has its owner confirmed this fingerprint by another way than the store?";
    Ok(app.prompt.borrow_mut().confirm(question)?)
}
