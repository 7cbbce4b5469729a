//! What a commit changed, in words and for programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::commands::proposal::{KeyRecord, Names};
use crate::cli::commands::recipients::people::{counted, path_text};
use crate::model::Shown;
use crate::model::entry::{RECORDS, is_record, shown_entry};
use crate::ops::history::log::Change;
use crate::ops::history::{Listed, What, Who};

/// So many entries of a commit that the same happened to are named; more are summed up.
const NAMED: usize = 6;

/// Returns the lines about a commit's changes.
pub fn lines(changes: &[Change], names: &Names) -> Vec<String> {
    let mut groups: BTreeMap<usize, Vec<(&Path, &What)>> = BTreeMap::new();
    let mut others = Vec::new();
    let mut records: BTreeMap<&str, usize> = BTreeMap::new();
    for change in changes {
        match change {
            Change::Entry(path, _) if is_record(path) => *records.entry(kind_of(path)).or_default() += 1,
            Change::Entry(path, what) => groups.entry(rank(what)).or_default().push((path, what)),
            Change::Listed(listed) => others.extend(listed_lines(listed, names)),
            Change::Held(count) => others
                .push(format!("holds {}; what came before is not here", counted(*count, "entry", "entries"))),
        }
    }
    let mut lines = Vec::new();
    for group in groups.into_values() {
        match group.len() > NAMED {
            true => lines.push(summed_up(&group)),
            false => lines.extend(group.iter().map(|(path, what)| told(&shown_entry(path), what))),
        }
    }
    lines.extend(others);
    let written = |(kind, count): (&str, usize)| format!("{kind}: {}", counted(count, "record", "records"));
    lines.extend(records.into_iter().map(written));
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

/// Returns what a record of ours belongs to, whose name says nothing to anybody.
fn kind_of(path: &Path) -> &'static str {
    let kind = path.strip_prefix(RECORDS).ok().and_then(|path| path.components().next());
    match kind {
        Some(kind) if kind.as_os_str() == "rotate" => "rotation list",
        Some(kind) if kind.as_os_str() == "incidents" => "incidents",
        _ => "other",
    }
}

/// Returns the order in which is told what happened; what has the same place is summed up together.
fn rank(what: &What) -> usize {
    match what {
        What::Added => 0,
        What::Restored { .. } => 1,
        What::Copied { .. } => 2,
        What::Moved { .. } => 3,
        What::Left { .. } => 4,
        What::Password => 5,
        What::Edited => 6,
        What::Changed => 7,
        What::Unreadable => 8,
        What::Reencrypted => 9,
        What::Removed => 10,
        What::Held => 11,
        What::Damaged => 12,
    }
}

/// Returns what happened to the entry, or entries, called `name`.
fn told(name: &str, what: &What) -> String {
    let anew = |anew: &bool| if *anew { ", re-encrypted" } else { "" };
    match what {
        What::Added => format!("added {name}"),
        What::Restored { of } => format!("restored {name} as of {of}"),
        What::Copied { from, anew: is } => format!("copied {name} from {}{}", shown_entry(from), anew(is)),
        What::Moved { from, anew: is } => format!("moved {name} from {}{}", shown_entry(from), anew(is)),
        What::Left { to } => format!("moved {name} to {}", shown_entry(to)),
        What::Password => format!("password changed of {name}"),
        What::Edited => format!("edited {name}"),
        What::Changed => format!("changed {name}"),
        What::Unreadable => format!("changed {name} (cannot be read here)"),
        What::Reencrypted => format!("re-encrypted {name}"),
        What::Removed => format!("removed {name}"),
        What::Held | What::Damaged => format!("held {name}"),
    }
}

/// Returns one line about entries that the same happened to.
fn summed_up(group: &[(&Path, &What)]) -> String {
    let paths = || group.iter().map(|(path, _)| *path);
    let others = || group.iter().filter_map(|(_, what)| other_path(what));
    let entries = format!("{} entries{}", group.len(), within(common_folder(paths()), "in"));
    let what = group[0].1;
    match what {
        What::Copied { .. } | What::Moved { .. } => {
            let verb = if matches!(what, What::Moved { .. }) { "moved" } else { "copied" };
            format!("{verb} {entries}{}", within(common_folder(others()), "from"))
        }
        What::Left { .. } => format!("moved {entries}{}", within(common_folder(others()), "to")),
        What::Restored { .. } => format!("restored {entries}"),
        What::Password => format!("passwords changed of {entries}"),
        plain => told(&entries, plain),
    }
}

/// Returns the path that an entry came from or went to.
fn other_path(what: &What) -> Option<&Path> {
    match what {
        What::Copied { from, .. } | What::Moved { from, .. } => Some(from),
        What::Left { to } => Some(to),
        _ => None,
    }
}

/// Returns the words about a folder, nothing for the whole store.
fn within(folder: PathBuf, word: &str) -> String {
    if folder.as_os_str().is_empty() { String::new() } else { format!(" {word} {}", Shown::os(&folder)) }
}

/// Returns the innermost folder that holds all of these files.
fn common_folder<'p>(mut paths: impl Iterator<Item = &'p Path>) -> PathBuf {
    let first = paths.next().and_then(Path::parent).unwrap_or(Path::new(""));
    let mut common = first.to_path_buf();
    for path in paths {
        while !path.starts_with(&common) {
            common.pop();
        }
    }
    common
}

/// Returns what is told of a change of something that is no entry.
fn listed_lines(listed: &Listed, names: &Names) -> Vec<String> {
    let verb = |was: bool, stands: bool| match (was, stands) {
        (_, false) => "removed",
        (false, true) => "added",
        (true, true) => "changed",
    };
    match listed {
        Listed::Recipients { folder, gained, lost, stands } => {
            let folder = match folder.as_os_str().is_empty() {
                true => "the store".to_owned(),
                false => Shown::os(folder).to_string(),
            };
            let what = match (stands, gained.is_empty() && lost.is_empty()) {
                (true, false) => "changed",
                (true, true) => "written otherwise: the same keys",
                (false, false) => "changed: its own list was removed",
                (false, true) => "unchanged, though its own list was removed",
            };
            let who = |who: &Who| match who {
                Who::Key(key) => names.line(key),
                Who::Name(name) => Shown::new(name).to_string(),
            };
            let people =
                gained.iter().map(|w| ("gained", who(w))).chain(lost.iter().map(|w| ("lost", who(w))));
            with_people(format!("recipients of {folder} {what}"), people)
        }
        Listed::Group { name, gained, lost, stands } => {
            let what = if *stands { "changed" } else { "removed" };
            let people = gained.iter().map(|key| ("gained", names.line(key)));
            let people = people.chain(lost.iter().map(|key| ("lost", names.line(key))));
            with_people(format!("group {name} {what}"), people)
        }
        Listed::Rule { folder, stands } => {
            let folder = if folder.is_root() { "the store".to_owned() } else { folder.to_string() };
            vec![format!("rule for {folder} {}", if *stands { "changed" } else { "removed" })]
        }
        Listed::Config => vec!["groups and rules changed".to_owned()],
        Listed::Key { key, was, stands } => {
            vec![format!("public key {}: {}", verb(*was, *stands), names.line(key))]
        }
        Listed::File { path, was, stands } => {
            vec![format!("file {}: {}", verb(*was, *stands), Shown::os(path))]
        }
    }
}

fn with_people(first: String, people: impl Iterator<Item = (&'static str, String)>) -> Vec<String> {
    std::iter::once(first).chain(people.map(|(what, who)| format!("  {what:6}  {who}"))).collect()
}

/// A change, for programs. The names of fields never change.
#[derive(Serialize, Default)]
pub struct ChangeRecord {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reencrypted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gained: Option<Vec<KeyRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Vec<KeyRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<usize>,
}

impl ChangeRecord {
    /// Returns what programs are told of a change.
    pub fn of(change: &Change, names: &Names) -> Self {
        match change {
            Change::Entry(path, what) => ChangeRecord::of_entry(path, what),
            Change::Held(count) => {
                ChangeRecord { kind: "present", entries: Some(*count), ..ChangeRecord::default() }
            }
            Change::Listed(listed) => ChangeRecord::of_listed(listed, names),
        }
    }

    /// Returns what programs are told of what happened to an entry.
    pub fn of_entry(path: &Path, what: &What) -> Self {
        let name = |path: &Path| {
            let text = path_text(path);
            text.strip_suffix(".gpg").map(str::to_owned).unwrap_or(text)
        };
        let base = ChangeRecord { entry: Some(name(path)), ..ChangeRecord::default() };
        let moved = |kind, from: &Path, anew| ChangeRecord {
            kind,
            from: Some(name(from)),
            reencrypted: Some(anew),
            ..ChangeRecord::default()
        };
        let changed = match what {
            What::Moved { from, anew } => moved("moved", from, *anew),
            What::Copied { from, anew } => moved("copied", from, *anew),
            What::Left { to } => {
                ChangeRecord { kind: "moved-away", to: Some(name(to)), ..ChangeRecord::default() }
            }
            What::Restored { of } => {
                ChangeRecord { kind: "restored", commit: Some(of.clone()), ..ChangeRecord::default() }
            }
            plain => ChangeRecord { kind: plain_kind(plain), ..ChangeRecord::default() },
        };
        ChangeRecord { entry: base.entry, ..changed }
    }

    fn of_listed(listed: &Listed, names: &Names) -> Self {
        let record = ChangeRecord::default();
        let kinds = |was: bool, stands: bool, kinds: [&'static str; 3]| match (was, stands) {
            (false, _) => kinds[0],
            (true, true) => kinds[1],
            (true, false) => kinds[2],
        };
        match listed {
            Listed::Recipients { folder, gained, lost, stands } => ChangeRecord {
                kind: "recipients-changed",
                folder: Some(path_text(folder)),
                gained: Some(who_records(gained, names)),
                lost: Some(who_records(lost, names)),
                removed: Some(!stands),
                ..record
            },
            Listed::Group { name, gained, lost, stands } => ChangeRecord {
                kind: "group-changed",
                group: Some(name.to_string()),
                gained: Some(names.records(gained)),
                lost: Some(names.records(lost)),
                removed: Some(!stands),
                ..record
            },
            Listed::Rule { folder, stands } => ChangeRecord {
                kind: "rule-changed",
                folder: Some(path_text(folder.as_path())),
                removed: Some(!stands),
                ..record
            },
            Listed::Config => ChangeRecord { kind: "configuration-changed", ..record },
            Listed::Key { key, was, stands } => ChangeRecord {
                kind: kinds(*was, *stands, ["key-added", "key-changed", "key-removed"]),
                fingerprint: Some(key.to_string()),
                name: names.get(key).map(str::to_owned),
                ..record
            },
            Listed::File { path, was, stands } => ChangeRecord {
                kind: kinds(*was, *stands, ["file-added", "file-changed", "file-removed"]),
                path: Some(path_text(path)),
                ..record
            },
        }
    }
}

/// Returns the kind of what needs no more words.
fn plain_kind(what: &What) -> &'static str {
    match what {
        What::Added => "added",
        What::Edited => "edited",
        What::Password => "password-changed",
        What::Reencrypted => "reencrypted",
        What::Changed => "changed",
        What::Removed => "removed",
        What::Held => "present",
        What::Unreadable | What::Damaged => "unreadable",
        What::Moved { .. } => "moved",
        What::Copied { .. } => "copied",
        What::Left { .. } => "moved-away",
        What::Restored { .. } => "restored",
    }
}

fn who_records(people: &[Who], names: &Names) -> Vec<KeyRecord> {
    let record = |who: &Who| match who {
        Who::Key(key) => names.records([key]),
        Who::Name(name) => vec![KeyRecord::unknown(name)],
    };
    people.iter().flat_map(record).collect()
}

/// Returns what happened, in the list of an entry's versions.
pub fn brief(what: &What) -> String {
    let anew = |anew: &bool| if *anew { ", re-encrypted" } else { "" };
    match what {
        What::Added => "added".to_owned(),
        What::Edited => "edited".to_owned(),
        What::Password => "password changed".to_owned(),
        What::Reencrypted => "re-encrypted".to_owned(),
        What::Changed => "changed".to_owned(),
        What::Unreadable => "changed (cannot be read here)".to_owned(),
        What::Moved { from, anew: is } => format!("moved from {}{}", shown_entry(from), anew(is)),
        What::Left { to } => format!("moved to {}", shown_entry(to)),
        What::Copied { from, anew: is } => format!("copied from {}{}", shown_entry(from), anew(is)),
        What::Restored { of } => format!("restored as of {of}"),
        What::Removed => "removed".to_owned(),
        What::Held => "was there (older history is not here)".to_owned(),
        What::Damaged => "(cannot be read: damaged)".to_owned(),
    }
}
