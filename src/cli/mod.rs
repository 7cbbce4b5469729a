//! The command line: parsing, output, prompts, exit codes.

pub mod app;
pub mod args;
pub mod commands;
pub mod error;
pub mod exit;
pub mod explain;
pub mod getopt;
pub mod output;
pub mod page;
pub mod progress;
pub mod prompt;
pub mod qr;
pub mod quote;
mod scene;
pub mod session;
pub mod table;
pub mod tree;
pub mod ui;
pub mod variables;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::model::Shown;
use crate::ops::relocate::Mode;
use crate::process::{clipboard, hardening, tmpdir};

use app::{App, Environment};
use args::{Command, OWN, Root};
use error::CliError;
use ui::Ui;

/// Runs the program on this process's arguments.
pub fn main() -> ExitCode {
    let unprotected = hardening::harden();
    let mut args = std::env::args_os();
    let own = args.next().unwrap_or_default();
    if clipboard::is_keeper(&own) {
        return clipboard::restore_main();
    }
    let program = Path::new(&own).file_name().unwrap_or(OsStr::new("passel"));
    let ui = Ui { program: Shown::os(program).to_string() };
    for what in unprotected {
        ui.warn(format!("warning: {what}"));
    }
    let words: Vec<OsString> = args.collect();
    if commands::complete::is_asked(&ui.program, &words) {
        commands::complete::run(ui, &words);
        return ExitCode::from(exit::OK);
    }
    match run(ui, &words) {
        Ok(()) => ExitCode::from(exit::OK),
        Err(error) => {
            let text = error.text();
            if !text.is_empty() {
                Ui { program: String::new() }.warn(text);
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs one command.
fn run(ui: Ui, words: &[OsString]) -> Result<(), CliError> {
    let environment = Environment::read()?;
    let (verbose, words) = match words {
        [first, rest @ ..] if first == "--verbose" => (true, rest),
        all => (false, all),
    };
    hardening::set_umask(environment.umask);
    // A killed `edit` leaves plaintext in memory: the next command, whichever it is, wipes it.
    for error in tmpdir::sweep(&commands::edit::memory_folders()) {
        ui.warn(format!("warning: {error}"));
    }
    let definitions = args::for_one_run();
    let first = words.first().map_or(OsStr::new(""), OsString::as_os_str);
    let (name, rest) = match command_name(definitions, first) {
        Some(name) => (name, &words[1..]),
        None => ("show".to_owned(), words),
    };
    let typed = if words.len() == rest.len() { "show".to_owned() } else { Shown::os(first).to_string() };
    let app = App::new(ui, environment, typed);
    // Under pass's name, what the store holds comes before the commands that pass does not have.
    let yields = app.ui.program == "pass" && OWN.contains(&&*name) && app.holds(first);
    let (name, rest) = if yields { ("show", words) } else { (&*name, rest) };
    let known = words.len() > rest.len();
    let done = if let Some(served) = commands::extension::serve(&app, words) {
        served
    } else {
        if !known {
            commands::extension::run(&app, first, words.get(1..).unwrap_or_default())?;
        }
        dispatch(&app, definitions, name, rest)
    };
    app.tell_notes();
    if verbose {
        app.tell_tally();
    }
    let done = app.tell_held(done);
    // What it published is synced, if the store is to be; `sync` has done so.
    if name != "sync" && app.has_published() {
        commands::sync::follow(&app);
    }
    done
}

/// Returns the command that `word` names, by its own name or another.
fn command_name(definitions: &clap::Command, word: &OsStr) -> Option<String> {
    match word.to_str()? {
        "--help" | "-h" => Some("help".to_owned()),
        "--version" => Some("version".to_owned()),
        word => definitions.find_subcommand(word).map(|command| command.get_name().to_owned()),
    }
}

/// Parses the arguments of the command `name` and runs it.
fn dispatch(
    app: &App,
    definitions: &mut clap::Command,
    name: &str,
    words: &[OsString],
) -> Result<(), CliError> {
    use commands as c;
    match parse(app, definitions, name, words)? {
        Command::Init(args) => c::init::run(app, &args),
        Command::Show(args) => c::show::run(app, &args),
        Command::Find(args) => c::find::run(app, &args),
        Command::Grep(args) => c::grep::run(app, &args),
        Command::Insert(args) => c::insert::run(app, &args),
        Command::Edit(args) => c::edit::run(app, &args),
        Command::Generate(args) => c::generate::run(app, &args),
        Command::Rm(args) => c::remove::run(app, &args),
        Command::Mv(args) => c::relocate::run(app, &args, Mode::Move),
        Command::Cp(args) => c::relocate::run(app, &args, Mode::Copy),
        Command::Recipients(args) => c::recipients::run(app, &args),
        Command::Group(args) => c::group::run(app, &args),
        Command::Client(args) => c::client::run(app, &args),
        Command::Keys(args) => c::keys::run(app, &args),
        Command::Adopt(args) => c::adopt::run(app, &args),
        Command::Audit(args) => c::audit::run(app, &args),
        Command::Rotate(args) => c::rotate::run(app, &args),
        Command::Fsck(args) => c::fsck::run(app, &args),
        Command::Cache(args) => c::cache::run(app, &args),
        Command::Doctor(args) => c::doctor::run(app, &args),
        Command::Clone(args) => c::clone::run(app, &args),
        Command::Sync(args) => c::sync::run(app, &args),
        Command::Log(args) => c::log::run(app, &args),
        Command::History(args) => c::history::run(app, &args),
        Command::Trust(args) => c::trust::run(app, &args),
        Command::Git(args) => c::git::run(app, &args),
        Command::GitSetup(args) => c::git_setup::run(app, &args),
        Command::Conflicts(args) => c::conflicts::run(app, &args),
        Command::MergeDriver(args) => c::merge_driver::run(app, &args),
        Command::Help(args) => c::help::run(app, &args::command(), &args),
        Command::Version => c::help::version(app),
    }
}

/// Parses a command that pass does not have.
fn parse_own(
    app: &App,
    definitions: &mut clap::Command,
    name: &str,
    words: &[OsString],
) -> Result<Command, CliError> {
    let line = [OsString::from("passel"), name.into()].into_iter().chain(words.iter().cloned());
    let parsed = definitions.try_get_matches_from_mut(line).and_then(|m| Root::from_arg_matches(&m));
    match parsed {
        Ok(root) => Ok(root.command.expect("a command was named")),
        Err(asked) if !asked.use_stderr() => {
            app.ui.say(asked.render().to_string().trim_end())?;
            Err(CliError::silent(exit::OK))
        }
        Err(wrong) => {
            let told = CliError::pass(wrong.render().to_string().trim_end());
            let command = definitions.find_subcommand(name).expect("the name is one of ours");
            let word = words.first().and_then(|word| word.to_str()).unwrap_or_default();
            Err(match similar(command, word) {
                Some(meant) => told.hint(format!("did you mean `{} {name} {meant}`?", app.ui.program)),
                None => told,
            })
        }
    }
}

/// Returns the command of `command` that was likely meant by `word`, which is none of them: one that begins
/// so, or that differs by a letter or two.
fn similar<'c>(command: &'c clap::Command, word: &str) -> Option<&'c str> {
    if word.len() < 2 || word.starts_with('-') || command.find_subcommand(word).is_some() {
        return None;
    }
    let names = command.get_subcommands().map(clap::Command::get_name);
    let far = |name: &str| if name.starts_with(word) { 0 } else { distance(name, word) };
    names.map(|name| (far(name), name)).filter(|(far, _)| *far <= 2).min().map(|(_, name)| name)
}

/// Returns how many letters must be put in, left out or replaced to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let cost = (corner + usize::from(a != b)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[other.len()]
}

/// Parses as GNU getopt does where pass parses with it, and takes words as they are where pass does.
fn parse(
    app: &App,
    definitions: &mut clap::Command,
    name: &str,
    words: &[OsString],
) -> Result<Command, CliError> {
    let as_they_are = |words: &[OsString]| words.to_vec();
    let arguments = match name {
        "version" => Vec::new(),
        own if OWN.contains(&own) => return parse_own(app, definitions, name, words),
        // pass ignores what follows; so do words that are no commands.
        "help" => return Ok(Command::Help(commands::help::Args { topic: words.to_vec() })),
        "git" => return Ok(Command::Git(commands::git::Args { words: as_they_are(words) })),
        "grep" => return Ok(Command::Grep(commands::grep::Args { words: as_they_are(words) })),
        "find" => return Ok(Command::Find(commands::find::Args { terms: as_they_are(words) })),
        "edit" => match words {
            [name] => return Ok(Command::Edit(commands::edit::Args { name: name.clone() })),
            _ => return Err(app.usage("pass-name")),
        },
        _ => {
            let posix = variables::is_posix();
            let command = definitions.find_subcommand_mut(name).expect("the name is one of ours");
            command.build();
            let read = getopt::normalise(words, command, &app.ui.program, posix).map_err(|error| {
                error.lines.into_iter().for_each(|line| app.ui.warn(line));
                app.usage(commands::usage(name))
            })?;
            if read.options.iter().any(|(option, _)| option == "help") {
                return Ok(Command::Help(commands::help::Args { topic: vec![name.into()] }));
            }
            read.canonical(command)
        }
    };
    let line = [OsString::from("passel"), name.into()].into_iter().chain(arguments);
    let wrong = |_| app.usage(commands::usage(name));
    let matches = definitions.try_get_matches_from_mut(line).map_err(wrong)?;
    let root = Root::from_arg_matches(&matches).map_err(wrong)?;
    Ok(root.command.expect("a command was named"))
}
