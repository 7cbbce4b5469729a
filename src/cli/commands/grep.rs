//! `grep`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use crate::cli::app::App;
use crate::cli::error::CliError;
use crate::cli::ui::Text;
use crate::cli::variables::grep_surroundings;
use crate::model::{Plaintext, Shown};
use crate::ops::cache;
use crate::ops::reencrypt::is_entry;
use crate::ops::show::read_message_of_many;
use crate::process::grep::{Found, grep};
use crate::search::Search;
use crate::store::Store;

/// Search the decrypted entries.
#[derive(Debug, clap::Args)]
#[command(override_usage = "passel grep [GREP-OPTIONS] PATTERN", disable_help_flag = true)]
pub struct Args {
    /// Options of grep(1), then the text to look for.
    #[arg(value_name = "WORD", allow_hyphen_values = true, trailing_var_arg = true)]
    pub words: Vec<OsString>,
}

/// Runs the command. Entries that cannot be decrypted are named, and make it fail in the end.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    if args.words.is_empty() {
        return Err(app.usage("[GREPOPTIONS] search-string"));
    }
    let store = app.store()?;
    let context = app.context(&store);
    let mut search = grep_surroundings().and_then(|surroundings| Search::of(&args.words, surroundings));
    let mut failed = 0;
    let entries = entries(&store)?;
    context.crypto.decryptor().expect(entries.len());
    for path in entries {
        let relative = path.strip_prefix(store.root()).expect("it was found below the root");
        let shown = Shown::os(relative).to_string();
        let name = shown.strip_suffix(".gpg").unwrap_or(&shown);
        let text =
            read_message_of_many(&path).and_then(|message| context.decrypt_one_of_many(name, &message));
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                failed += 1;
                app.ui.warn(app.error(error).text());
                continue;
            }
        };
        // An entry's own escape sequences must not pass for grep's colours on a terminal.
        let coloured = !(app.ui.is_terminal() && text.expose().contains(&0x1b));
        if let Some(found) = find(search.as_mut(), &args.words, &text, coloured)? {
            let (folder, last) = name.rsplit_once('/').map_or(("", name), |(f, l)| (f, l));
            let slash = if folder.is_empty() { "" } else { "/" };
            let header = Text::new().style("\x1b[94m").words(format!("{folder}{slash}")).style("\x1b[1m");
            app.ui.say(header.words(last).style("\x1b[0m").words(":"))?;
            app.ui.secret_coloured(&found)?;
            if found.is_empty() {
                app.ui.say("")?;
            }
        }
    }
    cache::settle(&context);
    if failed > 0 {
        let entries = if failed == 1 { "entry" } else { "entries" };
        return Err(CliError::new(format!("{failed} {entries} could not be searched")));
    }
    Ok(())
}

/// Returns what grep finds in `text`, in-process where that is certain: a process for every entry takes
/// longer than to decrypt it.
fn find(
    search: Option<&mut Search>,
    words: &[OsString],
    text: &Plaintext,
    coloured: bool,
) -> Result<Found, CliError> {
    if let Some(answer) = search.and_then(|search| search.answer(text.expose(), coloured)) {
        return Ok(answer.is_found.then_some(answer.output));
    }
    let found = grep(words, text, coloured).map_err(|e| CliError::caused("cannot run `grep`", &e))?;
    // The words are wrong, then, and will be for every entry: grep has said how.
    found.map_err(|code| CliError::new(format!("grep failed with exit code {code}")))
}

/// Returns every entry's file, sorted; links are followed, since it is reading.
fn entries(store: &Store) -> Result<Vec<std::path::PathBuf>, CliError> {
    let walk = walkdir::WalkDir::new(store.root()).follow_links(true).sort_by_file_name();
    let mut files = Vec::new();
    for entry in walk.into_iter().filter_entry(|entry| entry.file_name() != ".git") {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_entry(entry.path()) => {
                files.push(entry.into_path());
            }
            Ok(_) => {}
            // A link that leads round in a circle or nowhere holds no entry of its own.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) if error.io_error().is_some_and(leads_nowhere) => {}
            Err(error) => return Err(CliError::caused("cannot list the store", &error)),
        }
    }
    files.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    Ok(files)
}

/// Whether a link leads to nothing, or to itself.
fn leads_nowhere(error: &std::io::Error) -> bool {
    let circle = Some(rustix::io::Errno::LOOP.raw_os_error());
    error.kind() == std::io::ErrorKind::NotFound || error.raw_os_error() == circle
}
