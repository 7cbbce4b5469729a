//! `audit access`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use super::{ending, moment_text, tell_gaps};
use crate::cli::app::App;
use crate::cli::commands::recipients::people::{
    TalliedRecord, counted, json, list_names, no_environment, path_text, reader_cells,
};
use crate::cli::error::CliError;
use crate::cli::table::Table;
use crate::model::Shown;
use crate::ops::audit::access::{Access, At, Folder, access, shown};
use crate::ops::readers::{Reader, Tally};

/// Tell who can read which folders, now or at a moment in the past.
///
/// READS counts the entries that a key can read, by their packets; NAMED those whose recipients file names it. Where the
/// two differ, somebody reads who should not, or cannot who should.
///
/// With --at, the newest commit of that time counts, as for `git rev-list --before`; a day counts to its end (UTC). Keys
/// are named as this keyring knows them now.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// The folder or entry; the whole store if it is left out.
    #[arg(value_name = "PATH", default_value = "/", hide_default_value = true)]
    pub path: OsString,
    /// As of the end of a day (2026-03-01, UTC), a moment (2026-03-01T12:00:00Z), or a commit in any way that git knows.
    #[arg(long, value_name = "DATE|REV")]
    pub at: Option<String>,
    /// What comes first: the folders, or the people.
    #[arg(long, value_enum, default_value_t = By::Folder, value_name = "WHAT")]
    pub by: By,
    /// Print JSON, for programs.
    #[arg(long, short = 'j', conflicts_with = "csv")]
    pub json: bool,
    /// Print comma-separated values (RFC 4180, lines ending as on Unix), for spreadsheets.
    #[arg(long)]
    pub csv: bool,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// Folders, and who can read each.
    Folder,
    /// People, and which folders each can read.
    Person,
}

const HELP: &str = "Exit codes: 0 if all could be looked at, 3 if the answer may lack something (a clone without its older \
commits, a damaged history), 1 if there is none.

JSON: an object with
  at       the commits that were looked at, each with its repository, id and date; nothing of the work tree as it is
  folders  an array: folder (whose recipients file rules the entries; null for entries that none rules), entries, readers, \
unknown (names on the list that no key is known for), broken (entries that are no messages); a reader has kind (key, waiting, \
unknown, hidden), fingerprint, key_id, name, email, reads, named
  gaps     why the answer may lack something
CSV: a line for each folder and reader, with the same fields; and one for each name of unknown (kind unnamed) and broken.

Examples:
  passel audit access
  passel audit access clients/acme --by person
  passel audit access --at 2026-03-01 --csv
  passel audit access --at HEAD~1 --json | jq -r '.folders[].folder'";

/// What is printed as JSON. The names of fields never change.
#[derive(Serialize)]
struct Report {
    at: Vec<CommitRow>,
    folders: Vec<FolderRow>,
    gaps: Vec<String>,
}

#[derive(Serialize)]
struct CommitRow {
    repository: String,
    id: String,
    date: String,
}

#[derive(Serialize)]
struct FolderRow {
    folder: Option<String>,
    entries: usize,
    readers: Vec<TalliedRecord>,
    unknown: Vec<String>,
    broken: Vec<String>,
}

/// Runs the command.
pub fn run(app: &App, args: &Args) -> Result<(), CliError> {
    let store = app.store()?;
    let context = no_environment(app, &store);
    let at = args.at.as_ref().map(|text| match ending(text) {
        Some(second) => At::Time(second, text.clone()),
        None => At::Revision(text.clone()),
    });
    let found = access(&context, &args.path, at.as_ref()).map_err(|e| app.error(e))?;
    match (args.json, args.csv) {
        (true, _) => app.ui.say(json(&report(&found)))?,
        (_, true) => app.ui.say(csv(&found).trim_end())?,
        _ => tell(app, args, &found)?,
    }
    tell_gaps(app, &found.gaps)
}

fn report(found: &Access) -> Report {
    let reader =
        |(reader, tally): (&Reader, &Tally)| TalliedRecord::of(&found.keyring, &found.waiting, reader, tally);
    let folder = |folder: &Folder| FolderRow {
        folder: folder.folder.as_deref().map(folder_text),
        entries: folder.entries,
        readers: folder.readers.iter().map(reader).collect(),
        unknown: folder.unknown.clone(),
        broken: folder.broken.iter().map(|path| path_text(&path.with_extension(""))).collect(),
    };
    let commit = |(prefix, moment): &(std::path::PathBuf, crate::ops::audit::Moment)| CommitRow {
        repository: folder_text(prefix),
        id: moment.commit.to_string(),
        date: moment_text(*moment),
    };
    Report {
        at: found.moments.iter().map(commit).collect(),
        folders: found.folders.iter().map(folder).collect(),
        gaps: found.gaps.clone(),
    }
}

/// Returns a folder's path, `/` for the store itself.
fn folder_text(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { "/".to_owned() } else { path_text(folder) }
}

/// Returns what heads a folder's readers, safe to show.
fn heading(folder: &Folder) -> String {
    match &folder.folder {
        Some(path) => Shown::new(&folder_text(path)).to_string(),
        None => "(no recipients file)".to_owned(),
    }
}

fn tell(app: &App, args: &Args, found: &Access) -> Result<(), CliError> {
    for (prefix, moment) in &found.moments {
        let place = match prefix.as_os_str().is_empty() {
            true => String::new(),
            false => format!(" in {}", Shown::os(prefix)),
        };
        app.ui.say(format!("As of commit {}{place}.", shown(*moment)))?;
    }
    if !found.beside.is_empty() {
        let others: Vec<String> = found.beside.iter().map(|moment| shown(*moment)).collect();
        app.ui.say(format!("Others worked beside it, and had {} then.", list_names(&others)))?;
    }
    if found.folders.is_empty() {
        app.ui.say("There is no entry.")?;
    }
    match args.by {
        By::Folder => by_folder(app, found)?,
        By::Person => by_person(app, found)?,
    }
    for folder in found.folders.iter().filter(|folder| !folder.unknown.is_empty()) {
        let names = list_names(&folder.unknown);
        app.ui.say(format!("{} names keys that are not known here: {names}.", heading(folder)))?;
    }
    let broken = found.folders.iter().flat_map(|folder| &folder.broken);
    let broken: Vec<String> = broken.map(|path| path_text(&path.with_extension(""))).collect();
    if !broken.is_empty() {
        app.ui
            .say(format!("No messages, so that nobody can tell who reads them: {}.", list_names(&broken)))?;
    }
    Ok(())
}

fn by_folder(app: &App, found: &Access) -> Result<(), CliError> {
    for folder in &found.folders {
        app.ui.say(format!("{}: {}", heading(folder), counted(folder.entries, "entry", "entries")))?;
        let mut table = Table::new(&["KEY", "NAME", "READS", "NAMED", ""]);
        for (reader, tally) in &folder.readers {
            let [key, name] = reader_cells(&found.keyring, &found.waiting, reader);
            table.row([
                key,
                name,
                share(tally.reads, folder),
                share(tally.named, folder),
                remark(tally, reader),
            ]);
        }
        for line in table.lines(2) {
            app.ui.say(line)?;
        }
    }
    Ok(())
}

fn by_person(app: &App, found: &Access) -> Result<(), CliError> {
    let mut people: BTreeMap<&Reader, Vec<(&Folder, &Tally)>> = BTreeMap::new();
    for folder in &found.folders {
        for (reader, tally) in &folder.readers {
            people.entry(reader).or_default().push((folder, tally));
        }
    }
    for (reader, folders) in people {
        let [key, name] = reader_cells(&found.keyring, &found.waiting, reader);
        let reads = folders.iter().map(|(_, tally)| tally.reads).sum();
        let total = counted(reads, "entry", "entries");
        app.ui.say(format!("{key}  {name}: {total}").replace("  :", ":"))?;
        let mut table = Table::new(&["FOLDER", "READS", "NAMED", ""]);
        for (folder, tally) in folders {
            let cells = [
                heading(folder),
                share(tally.reads, folder),
                share(tally.named, folder),
                remark(tally, reader),
            ];
            table.row(cells);
        }
        for line in table.lines(2) {
            app.ui.say(line)?;
        }
    }
    Ok(())
}

fn share(count: usize, folder: &Folder) -> String {
    format!("{count}/{}", folder.entries)
}

fn remark(tally: &Tally, reader: &Reader) -> String {
    let text = match (reader, tally.reads, tally.named) {
        // Whose key that is, and whether it is named, only the key itself can tell.
        (Reader::Unknown(_) | Reader::Hidden, ..) => " ",
        (_, _, 0) => "reads, but is not named",
        (_, 0, _) => "is named, but cannot read",
        (_, reads, named) if reads != named => "differs",
        _ => " ",
    };
    text.to_owned()
}

/// Returns a line for each folder and reader (RFC 4180). What a spreadsheet would take for a formula is a text.
fn csv(found: &Access) -> String {
    let mut text = "folder,entries,kind,fingerprint,key_id,name,email,reads,named\n".to_owned();
    for row in report(found).folders {
        let folder = row.folder.unwrap_or_default();
        let odd = row
            .broken
            .iter()
            .map(|name| ("broken", name))
            .chain(row.unknown.iter().map(|name| ("unnamed", name)));
        for (kind, name) in odd {
            let cells = [&folder, &row.entries.to_string(), kind, "", "", name, "", "", ""].map(quoted);
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        for reader in row.readers {
            let value = serde_json::to_value(&reader).expect("text and numbers can be written as JSON");
            let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            let cells = [
                folder.clone(),
                row.entries.to_string(),
                field("kind"),
                field("fingerprint"),
                field("key_id"),
                field("name"),
                field("email"),
                reader.reads.to_string(),
                reader.named.to_string(),
            ];
            text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
            text.push('\n');
        }
    }
    text
}

/// Returns a cell, quoted where it must be, without what could drive a terminal or a spreadsheet.
fn quoted(cell: &str) -> String {
    let cell = Shown::new(cell).to_string();
    let cell = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell };
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas_and_cannot_end_early() {
        assert_eq!(quoted("a"), "a");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert!(!quoted("\u{1b}[31m").contains('\u{1b}'));
    }
}
