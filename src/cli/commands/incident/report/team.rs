//! The report for the team: all that there is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::document::{Block, Document, Piece, Section, Text, Tone, joined, ours};
use crate::cli::commands::incident::open::folder_of;
use crate::cli::commands::incident::words::{self, People};
use crate::cli::commands::recipients::people::counted;
use crate::model::FolderName;
use crate::ops::audit::exposure::Verdict;
use crate::ops::history::Who;
use crate::ops::incident::{Account, Case, Event, Scope, Standing, What};
use crate::ops::readers::Reader;
use crate::ops::rotate::State;

/// What the report is written from.
pub struct Sources<'a> {
    /// The incident.
    pub case: &'a Case,
    /// What keys are called.
    pub people: &'a People,
    /// The folder that clients' folders lie in.
    pub clients: &'a FolderName,
    /// When it is written, in seconds since 1970.
    pub now: i64,
}

/// Returns the report.
pub fn team(sources: &Sources<'_>) -> Document {
    let Sources { case, now, .. } = sources;
    let incident = &case.known.incident;
    let mut sections = vec![
        Section { id: "about", heading: "What it is about", blocks: about(case) },
        Section { id: "exposure", heading: "What was within reach", blocks: exposure(sources) },
        Section { id: "entries", heading: "Entries", blocks: entries(case) },
        Section { id: "log", heading: "What was done", blocks: log(sources) },
        Section { id: "remains", heading: "What remains to be done", blocks: remains(sources) },
    ];
    let lacks = lacks(case);
    if !lacks.is_empty() {
        sections.push(Section {
            id: "gaps",
            heading: "What this report may lack",
            blocks: vec![Block::List(lacks)],
        });
    }
    Document {
        kind: "Incident, for the team only",
        title: vec![Piece::Foreign(incident.title.clone())],
        lead: lead(sources),
        sections,
        footer: vec![
            ours("Incident "),
            Piece::Foreign(case.known.id.clone()),
            ours(", as things stood on "),
            Piece::Minute(*now),
            ours(". This report names clients, people and entries. It holds no passwords."),
        ],
    }
}

fn lead(sources: &Sources<'_>) -> Vec<Block> {
    let incident = &sources.case.known.incident;
    let opened = sources.case.story.iter().find(|event| event.what == What::Opened);
    let mut text = vec![ours("Opened on "), Piece::Day(incident.opened)];
    if let Some(by) = opened.and_then(|event| event.by.clone()) {
        text.extend([ours(" by "), Piece::Foreign(by)]);
    }
    match sources.case.known.closing() {
        Some(closing) => text.extend([
            ours(". Closed on "),
            Piece::Day(closing.when),
            ours(": "),
            Piece::Foreign(closing.text.clone()),
        ]),
        None => text.push(ours(".")),
    }
    let accounts = &sources.case.accounts;
    let count = |is_meant: fn(&Standing) -> bool| {
        accounts.iter().filter(|account| is_meant(&account.standing)).count()
    };
    let figures = vec![
        (accounts.len(), "entries within reach"),
        (count(|standing| matches!(standing, Standing::Since(State::Open(_)))), "to be changed"),
        (count(|standing| matches!(standing, Standing::Since(State::Unknown(_)))), "unknown"),
        (count(is_gone), "gone"),
        (count(|standing| !standing.is_open() && *standing != Standing::GoneBefore), "done"),
    ];
    vec![Block::Paragraph(text), Block::Figures(figures)]
}

fn is_gone(standing: &Standing) -> bool {
    matches!(standing, Standing::Since(State::Gone) | Standing::GoneBefore)
}

fn about(case: &Case) -> Vec<Block> {
    let mut blocks = Vec::new();
    for scope in &case.known.incident.about {
        let text = words::scope(scope);
        let (bearers, words) = match scope {
            Scope::Keys { keys, .. } => (keys, ":"),
            Scope::Entry { readers, .. } | Scope::Commit { readers, .. } => {
                (readers, "; it could be read by:")
            }
        };
        let words = if bearers.is_empty() { "." } else { words };
        blocks.push(Block::Paragraph([vec![ours("About ")], text, vec![ours(words)]].concat()));
        if !bearers.is_empty() {
            blocks.push(Block::List(bearers.iter().map(words::bearer).collect()));
        }
    }
    blocks
}

/// Tells what was found when the incident was opened, folder by folder.
fn exposure(sources: &Sources<'_>) -> Vec<Block> {
    let incident = &sources.case.known.incident;
    let count = |verdict| incident.found.iter().filter(|found| found.verdict == verdict).count();
    let mut text = vec![ours(format!(
        "When the incident was opened, {} within reach: {} unchanged, {} unknown, {} changed before, {} gone.",
        counted(incident.found.len(), "entry was", "entries were"),
        count(Verdict::Valid),
        count(Verdict::Unknown),
        count(Verdict::Changed),
        count(Verdict::Gone),
    ))];
    if let Some(head) = &incident.head {
        let head = head.to_string()[..10].to_owned();
        text.extend([ours(" The newest commit was "), Piece::Name(head), ours(".")]);
    }
    let mut folders: BTreeMap<PathBuf, (usize, usize)> = BTreeMap::new();
    for account in &sources.case.accounts {
        let folder = folder_of(&account.found.entry, sources.clients.as_path());
        let (all, open) = folders.entry(folder).or_default();
        *all += 1;
        *open += usize::from(account.standing.is_open());
    }
    let row = |(path, (all, open)): (PathBuf, (usize, usize))| {
        vec![vec![words::folder(&path)], vec![ours(all.to_string())], vec![ours(open.to_string())]]
    };
    let rows: Vec<Vec<Text>> = folders.into_iter().map(row).collect();
    let mut blocks = vec![Block::Paragraph(text)];
    if !rows.is_empty() {
        blocks.push(Block::Table("By folder", &["Folder", "Entries", "Still to be changed"], rows));
    }
    blocks
}

fn entries(case: &Case) -> Vec<Block> {
    if case.accounts.is_empty() {
        return vec![Block::Paragraph(vec![ours("Nothing was within reach.")])];
    }
    let headings = &["Entry", "Secrets", "When it was opened", "Now"];
    vec![Block::Table("Entries", headings, case.accounts.iter().map(row).collect())]
}

fn row(account: &Account) -> Vec<Text> {
    let Account { found, entry, url, .. } = account;
    let mut name = vec![words::entry(entry)];
    let others = account.names().filter(|path| path != entry).map(|path| vec![words::entry(path)]);
    let mut seen = Vec::new();
    for other in others {
        if !seen.contains(&other) {
            seen.push(other);
        }
    }
    if !seen.is_empty() {
        name.push(ours(" (was "));
        name.extend(joined(seen, ", "));
        name.push(ours(")"));
    }
    let secrets = account.secrets();
    let secrets = match secrets.is_empty() {
        true => vec![ours("unknown")],
        false => vec![Piece::Foreign(secrets.join(", "))],
    };
    let mut then = words::verdict(found.verdict).to_owned();
    if found.versions == 0 {
        then.push_str(": its value was exposed elsewhere");
    }
    if found.reads_now {
        then.push_str("; could still be read");
    }
    name.extend(url.iter().flat_map(|url| [ours(" at "), Piece::Name(url.clone())]));
    vec![name, secrets, vec![ours(then)], words::standing(account)]
}

fn log(sources: &Sources<'_>) -> Vec<Block> {
    let row = |event: &Event| {
        let by = match &event.by {
            Some(by) => Piece::Foreign(by.clone()),
            None => ours("not committed"),
        };
        let commit =
            event.commit.iter().flat_map(|commit| [ours(" ("), Piece::Name(commit.clone()), ours(")")]);
        let what = words::event(event, sources.people).into_iter().chain(commit).collect();
        vec![vec![Piece::Minute(event.when)], vec![by], what]
    };
    let rows = sources.case.story.iter().map(row).collect();
    let words = "Authors are as the commits name them; which of those are signed, the command log tells.";
    vec![Block::Table("What was done", &["When", "Who", "What"], rows), Block::Paragraph(vec![ours(words)])]
}

fn remains(sources: &Sources<'_>) -> Vec<Block> {
    let accounts = sources.case.accounts.iter();
    let items: Vec<Text> = accounts.filter_map(|account| remaining(account, sources.people)).collect();
    if items.is_empty() {
        return vec![Block::Paragraph(vec![
            Piece::Mark(Tone::Good, "done"),
            ours(" Nothing remains to be done that can be seen here."),
        ])];
    }
    vec![Block::List(items)]
}

/// Returns what remains to be done about an entry; none if nothing does.
fn remaining(account: &Account, people: &People) -> Option<Text> {
    let name = words::entry(&account.entry);
    Some(match &account.standing {
        Standing::Since(State::Open(left)) => {
            let mut text = vec![ours("Change "), name];
            text.extend(account.url.iter().flat_map(|url| [ours(" at "), Piece::Name(url.clone())]));
            if !left.is_empty() {
                text.extend([ours(" ("), Piece::Foreign(left.join(", ")), ours(")")]);
            }
            text.push(ours("."));
            text
        }
        Standing::Since(State::Unknown(ask)) => {
            let mut text =
                vec![ours("Find out whether "), name, ours(" has changed: it cannot be decrypted here.")];
            if !ask.is_empty() {
                let names: Vec<String> = ask.iter().map(|reader| reader_name(reader, people)).collect();
                text.extend([ours(" Who can tell: "), Piece::Foreign(names.join(", ")), ours(".")]);
            }
            text
        }
        Standing::Since(State::Gone) => vec![
            ours("Change or close the account of "),
            name,
            ours(", which is gone from the store; then close the item."),
        ],
        Standing::GoneBefore => vec![
            ours("See that the account of "),
            name,
            ours(" is closed or changed: it was gone from the store before."),
        ],
        _ => return None,
    })
}

fn reader_name(reader: &Reader, people: &People) -> String {
    match reader {
        Reader::Key(key) => people.name(&Who::Key(key.clone())),
        Reader::Unknown(id) => id.to_string(),
        Reader::Hidden => "a hidden recipient".to_owned(),
    }
}

fn lacks(case: &Case) -> Vec<Text> {
    let mut lacks: Vec<Text> = case.gaps.iter().map(|gap| vec![Piece::Foreign(gap.clone())]).collect();
    if case.unread > 0 {
        let count = counted(case.unread, "item", "items");
        lacks
            .push(vec![ours(format!("{count} of the rotation list encrypted to others, and may say more."))]);
    }
    if !case.failed.is_empty() {
        let count = counted(case.failed.len(), "record", "records");
        lacks.push(vec![ours(format!("{count} could not be read."))]);
    }
    lacks
}
