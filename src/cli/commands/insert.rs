//! `insert`.

use std::ffi::OsString;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::model::{EntryName, FolderName, Plaintext};
use crate::ops::insert::{self, Permit};
use crate::ops::{Context, KnownLists};
use crate::store::beneath::State;

use super::typed;

/// Store a password or a text.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel insert [OPTIONS] NAME")]
pub struct Args {
    /// Show the password while it is typed, and ask for it once.
    #[arg(short, long)]
    pub echo: bool,
    /// Take lines until the end of the input.
    #[arg(short, long)]
    pub multiline: bool,
    /// Replace an entry without asking.
    #[arg(short, long)]
    pub force: bool,
    /// The entry.
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

/// What pass's usage message says after the command's name.
pub const USAGE: &str = "[--echo,-e | --multiline,-m] [--force,-f] pass-name";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let typed_name = &args.name;
    if args.multiline && args.echo {
        return Err(app.usage(USAGE));
    }
    let name = EntryName::for_writing(typed_name).map_err(|e| app.error(e.into()))?;
    let shown = typed(typed_name).trim_end_matches('/').to_owned();
    let store = app.store()?;
    let context = app.context(&store);
    // Whatever can be refused is refused before anybody types.
    let there = insert::entry_state(&context, &name).map_err(|e| app.error(e))?;
    let permit = app.may_replace(args.force, there != State::Absent, &shown)?;
    let known = app.check_writable(&context, &name.folder())?;
    let text = if args.multiline { read_lines(app, &shown)? } else { ask(app, args.echo, &shown)? };
    let subject = format!("Add given password for {shown} to store.");
    let published = insert::insert(&context, &name, &text, permit, &subject, known);
    let published = published.map_err(|e| app.error(e))?;
    app.tell_folders(&published);
    app.tell(&published, &[]);
    Ok(())
}

impl App {
    /// Refuses whatever can be refused before a person types; a script loses nothing by learning it later, and
    /// takes no time in between: what was looked up for it is returned.
    pub fn check_writable(&self, context: &Context<'_>, folder: &FolderName) -> Result<KnownLists, CliError> {
        let mut known = KnownLists::default();
        match self.interactive {
            true => context.check_writable(folder),
            false => context.recipients_known(folder, &mut known).map(drop),
        }
        .map_err(|e| self.error(e))?;
        Ok(known)
    }

    /// Asks whether an entry may be replaced. Without a terminal that counts as yes: pass's callers rely
    /// on it.
    pub fn may_replace(&self, force: bool, there: bool, name: &str) -> Result<Permit, CliError> {
        if force {
            return Ok(Permit::Replace);
        }
        if !there {
            // Without a terminal nobody could be asked later either.
            return Ok(if self.interactive { Permit::Create } else { Permit::Replace });
        }
        self.agree(&format!("An entry already exists for {name}. Overwrite it?"))?;
        Ok(Permit::Replace)
    }

    /// Asks a question of pass's; a no ends the program with 1, silently, as in pass.
    pub fn agree(&self, question: &str) -> Result<(), CliError> {
        if self.prompt.borrow_mut().confirm(question)? { Ok(()) } else { Err(CliError::silent(1)) }
    }
}

/// Reads all of standard input.
fn read_lines(app: &App, name: &str) -> Result<Plaintext, CliError> {
    app.ui.say(format!("Enter contents of {name} and press Ctrl+D when finished:\n"))?;
    Ok(app.prompt.borrow_mut().text()?)
}

/// Asks for a secret. pass ends the line on standard output even where nobody saw the question.
fn secret(app: &App, question: &str) -> Result<Plaintext, CliError> {
    let answer = app.prompt.borrow_mut().secret(question)?;
    if !app.interactive {
        app.ui.say("")?;
    }
    Ok(answer)
}

/// Asks for the password: twice unless it is shown.
fn ask(app: &App, echo: bool, name: &str) -> Result<Plaintext, CliError> {
    let password = if echo {
        app.prompt.borrow_mut().line(&format!("Enter password for {name}: "))?
    } else {
        let password = secret(app, &format!("Enter password for {name}: "))?;
        let again = secret(app, &format!("Retype password for {name}: "))?;
        if !password.equals(&again) {
            return Err(CliError::pass("Error: the entered passwords do not match."));
        }
        password
    };
    Ok(Plaintext::new([password.expose(), b"\n"].concat()))
}
