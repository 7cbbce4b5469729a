//! `generate`.

use std::ffi::{OsStr, OsString};

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::explain;
use crate::cli::ui::Text;
use crate::model::{EntryName, Plaintext};
use crate::ops::KnownLists;
use crate::ops::generate::{CharacterSet, MAX_LENGTH, password, replace_password};
use crate::ops::insert::{self, Permit};
use crate::ops::{Context, OpError};
use crate::store::beneath::State;
use crate::store::transaction::Published;

use super::typed;

/// Make a password and store it.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel generate [OPTIONS] NAME [LENGTH]")]
pub struct Args {
    /// Use letters and digits only.
    #[arg(short, long)]
    pub no_symbols: bool,
    /// Put the password on the clipboard instead of printing it.
    #[arg(short, long)]
    pub clip: bool,
    /// Show the password as a QR code instead of printing it.
    #[arg(short, long)]
    pub qrcode: bool,
    /// Replace only the first line of an entry that is there.
    #[arg(short, long)]
    pub in_place: bool,
    /// Replace an entry without asking.
    #[arg(short, long)]
    pub force: bool,
    /// The entry.
    #[arg(value_name = "NAME")]
    pub name: OsString,
    /// How many characters; without it PASSWORD_STORE_GENERATED_LENGTH says it, or else it is 25.
    #[arg(value_name = "LENGTH")]
    pub length: Option<OsString>,
}

/// What pass's usage message says after the command's name.
pub const USAGE: &str =
    "[--no-symbols,-n] [--clip,-c] [--qrcode,-q] [--in-place,-i | --force,-f] pass-name [pass-length]";

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let typed_name = &args.name;
    let length = args.length.as_ref().filter(|length| !length.is_empty()).unwrap_or(&app.environment.length);
    if (args.force && args.in_place) || (args.qrcode && args.clip) {
        return Err(app.usage(USAGE));
    }
    let name = EntryName::for_writing(typed_name).map_err(|e| app.error(e.into()))?;
    let length = parse_length(length)?;
    let characters = characters(app, args.no_symbols)?;
    let store = app.store()?;
    let context = app.context(&store);
    let shown = typed(typed_name);
    let there = insert::entry_state(&context, &name).map_err(|e| app.error(e))? != State::Absent;
    if args.clip {
        // A password that nobody has seen would be stored, or replace one that is known.
        app.check_clipboard(typed_name)?;
    }
    let permit = match args.in_place {
        true => Permit::Replace,
        false => app.may_replace(args.force, there, &shown)?,
    };
    context.recipients(&name.folder()).map_err(|e| app.error(e))?;
    let new = password(&characters, length).map_err(|e| app.error(e.into()))?;
    let published = store_password(app, &context, &name, &new, args.in_place, permit, &shown)?;
    app.tell_folders(&published);
    app.tell(&published, &[]);
    if args.clip {
        app.clip(&new, typed_name).map_err(|error| {
            error.hint(format!("it is stored all the same: `{} show -c` copies it", app.ui.program))
        })
    } else if args.qrcode {
        app.qrcode(&new)
    } else {
        print(app, &shown, &new).map_err(|error| {
            error.hint(format!("it is stored all the same: `{} show` shows it", app.ui.program))
        })
    }
}

/// Stores the password as a new entry or as an entry's new first line.
fn store_password(
    app: &App,
    context: &Context<'_>,
    name: &EntryName,
    new: &Plaintext,
    in_place: bool,
    permit: Permit,
    shown: &str,
) -> Result<Published, CliError> {
    let result = if in_place {
        replace_password(context, name, new, &format!("Replace generated password for {shown}."))
    } else {
        let line = Plaintext::new([new.expose(), b"\n"].concat());
        insert::insert(
            context,
            name,
            &line,
            permit,
            &format!("Add generated password for {shown}."),
            KnownLists::default(),
        )
    };
    result.map_err(|error| match error {
        OpError::NotFound(_) | OpError::Decrypt { .. } if in_place => {
            explain::not_replaced(&error, &app.scene())
        }
        error => app.error(error),
    })
}

/// Returns the length, with pass's errors where it is none.
fn parse_length(text: &OsStr) -> Result<usize, CliError> {
    let shown = typed(text);
    let digits = text.to_str().filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit()));
    let Some(digits) = digits else {
        return Err(CliError::pass(format!("Error: pass-length \"{shown}\" must be a number.")));
    };
    match digits.parse::<usize>() {
        Ok(0) => Err(CliError::pass("Error: pass-length must be greater than zero.")),
        Ok(length) if length <= MAX_LENGTH => Ok(length),
        _ => Err(CliError::pass(format!("Error: pass-length \"{shown}\" must be at most {MAX_LENGTH}."))),
    }
}

/// Returns the characters to choose from.
fn characters(app: &App, no_symbols: bool) -> Result<CharacterSet, CliError> {
    let (name, text) = match no_symbols {
        true => ("PASSWORD_STORE_CHARACTER_SET_NO_SYMBOLS", &app.environment.characters_no_symbols),
        false => ("PASSWORD_STORE_CHARACTER_SET", &app.environment.characters),
    };
    CharacterSet::parse(text).map_err(|error| {
        CliError::caused("cannot make a password", &error)
            .hint(format!("{name} takes the sets of tr(1), such as [:alnum:]"))
    })
}

/// Prints the password in pass's words and colours.
fn print(app: &App, name: &str, password: &Plaintext) -> Result<(), CliError> {
    let header = Text::new()
        .style("\x1b[1m")
        .words("The generated password for ")
        .style("\x1b[4m")
        .words(name)
        .style("\x1b[24m")
        .words(" is:")
        .style("\x1b[0m");
    app.ui.say(header)?;
    app.ui.secret_line("\x1b[1m\x1b[93m", password.expose(), "\x1b[0m")?;
    Ok(())
}
