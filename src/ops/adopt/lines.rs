//! The lines of recipients files, as other programs and people write them.

use std::collections::BTreeMap;

use super::{Finding, Kind};
use crate::crypto::RecipientError;
use crate::crypto::lookup::{Name, may_name};
use crate::model::{Fingerprint, KeyProblem, Keyring, Shown, Validity, argument};
use crate::store::survey::{Line, List, Standing, Survey};

/// Returns what is the matter with a recipients file and its lines.
///
/// Keys that are `waiting` in the store can be imported from there.
pub fn findings(survey: &Survey, waiting: &Keyring, list: &List) -> Vec<Finding> {
    let file = Shown::os(&list.file);
    let mut findings = Vec::new();
    let bytes = &list.rule.gpg_id;
    if list.lines.is_empty() {
        findings.push(
            Finding::new(Kind::Person, file, "it names no recipient: nothing can be encrypted below it")
                .command(format!("recipients set {} KEY...", place(list))),
        );
    }
    // What is written for a file with an unusable line is written with that line, which nobody here may do.
    let usable = list.recipients().is_some();
    let mendable = if usable { Kind::Mendable } else { Kind::Note };
    findings.extend(ends(list).into_iter().map(|what| Finding::new(mendable, file, what)));
    let comments = bytes.split(|b| *b == b'\n').filter(|line| line.contains(&b'#')).count();
    if comments > 0 {
        let what = format!("{comments} comments, which stay (prs and older gopass take them for names)");
        findings.push(Finding::new(Kind::Note, file, what));
    }
    findings.extend(duplicates(list).into_iter().map(|(key, lines)| {
        let what = format!("lines {lines} name one key, {key}: harmless, so they stay");
        Finding::new(Kind::Note, file, what)
    }));
    findings.extend(list.lines.iter().filter_map(|line| of_line(survey, waiting, list, line, mendable)));
    findings
}

/// Returns what is the matter with how the lines of a recipients file end.
pub fn ends(list: &List) -> Vec<&'static str> {
    let bytes = &list.rule.gpg_id;
    let windows = bytes.windows(2).any(|pair| pair == b"\r\n");
    let open = bytes.last().is_some_and(|last| *last != b'\n');
    let windows =
        windows.then_some("its lines end as on Windows (CR LF): pass takes the CR for a part of the name");
    let open =
        open.then_some("its last line has no line break (so prs writes it): pass does not read that line");
    windows.into_iter().chain(open).collect()
}

/// Returns the keys that several lines name, with the lines' numbers.
fn duplicates(list: &List) -> BTreeMap<Fingerprint, String> {
    let mut named: BTreeMap<Fingerprint, Vec<String>> = BTreeMap::new();
    for line in &list.lines {
        for key in line.found.as_ref().as_ref().into_iter().flatten() {
            named.entry(key.fingerprint.clone()).or_default().push(line.number.to_string());
        }
    }
    named.retain(|_, lines| lines.len() > 1);
    named.into_iter().map(|(key, lines)| (key, lines.join(" and "))).collect()
}

/// Returns what is the matter with a line.
fn of_line(survey: &Survey, waiting: &Keyring, list: &List, line: &Line, mendable: Kind) -> Option<Finding> {
    let folder = place(list);
    let place = format!("{} line {}", Shown::os(&list.file), line.number);
    let id = Shown::new(&line.id);
    let keys = match &*line.found {
        Ok(keys) => keys,
        Err(error) => {
            let what = Shown::new(&error.to_string()).to_string();
            let finding = Finding::new(Kind::Person, place, what);
            return Some(match error {
                RecipientError::Missing { .. } if waiting.keys().any(|key| may_name(&line.id, key)) => {
                    finding.command("keys import")
                }
                RecipientError::Missing { .. } => {
                    finding.words("ask for the key, and import it: `gpg --import FILE`")
                }
                RecipientError::Ambiguous { .. } => {
                    finding.words("write the full fingerprint of the right one in its place")
                }
                RecipientError::Unusable { problem: KeyProblem::Expired(_), .. } => finding.words(format!(
                    "import the renewed key, or take it out: `passel recipients remove {folder} {}`",
                    argument(&line.id)
                )),
                _ => finding.command(format!("recipients remove {folder} {}", argument(&line.id))),
            });
        }
    };
    let names: Vec<String> = keys.iter().map(crate::model::RecipientId::gpg_name).collect();
    if names.len() == 1 && names[0] == line.id {
        return None;
    }
    let people = keys.iter().map(|key| {
        let name = survey.keyring.get(&key.fingerprint).map(|key| Shown::new(key.name()).to_string());
        format!("{} ({})", key.gpg_name(), name.unwrap_or_default())
    });
    let people = people.collect::<Vec<_>>().join(", ");
    let what = format!("`{id}` is {}: it means {people}", kind_of(line));
    Some(match is_vouched_for(survey, list, line) {
        true => Finding::new(mendable, place, what),
        false => Finding::new(Kind::Person, place, format!("{what}, for which nothing speaks but that"))
            .words("compare the fingerprint with its owner, then write it in place of the name"),
    })
}

/// Returns the folder of a list as commands take it.
fn place(list: &List) -> String {
    if list.folder.is_root() { "/".to_owned() } else { argument(list.folder.as_path()) }
}

/// Returns what a line is that is no fingerprint as we write it.
fn kind_of(line: &Line) -> &'static str {
    let several = line.found.as_ref().as_ref().is_ok_and(|keys| keys.len() != 1);
    match Name::parse(&line.id) {
        _ if several => "a group, which only this machine's gpg.conf knows",
        Name::Hex { digits, .. } => match digits.len() {
            8 => "a short key ID, which anybody can give a key of theirs",
            16 => "a key ID",
            _ => "a fingerprint, written otherwise (ripasso puts 0x before it)",
        },
        Name::Mailbox(_) => "an e-mail address, which leads to whatever key claims it",
        Name::UserId(_) | Name::Text(_) => "a user ID or group, which leads to whatever key claims it",
        Name::Pattern(_) => "a pattern",
    }
}

/// Whether the keys that a line leads to are surely those that are meant: it is a fingerprint, or GnuPG
/// believes the keys, or all entries have been encrypted to them so far.
fn is_vouched_for(survey: &Survey, list: &List, line: &Line) -> bool {
    if Name::parse(&line.id).is_fingerprint() {
        return true;
    }
    let keys = line.found.as_ref().as_ref().into_iter().flatten();
    let mut entries = survey.ruled_by(list).filter(|entry| !matches!(entry.standing, Standing::Broken(_)));
    let entries: Vec<_> = entries.by_ref().collect();
    let reads_all = |key: &Fingerprint| {
        let reads =
            |ids: &[crate::model::KeyId]| ids.iter().any(|id| survey.keyring.bearers(*id).contains(key));
        !entries.is_empty() && entries.iter().all(|entry| reads(&entry.readers))
    };
    let believed = |key: &Fingerprint| survey.keyring.get(key).is_some_and(|k| k.validity >= Validity::Full);
    keys.map(|key| &key.fingerprint).all(|key| believed(key) || reads_all(key))
}

/// Returns a recipients file with lines that end as pass reads them, and with `names` also with full fingerprints in
/// place of names that surely mean them. Comments stay.
pub fn canonical(survey: &Survey, list: &List, names: bool) -> Vec<u8> {
    let mut new = Vec::new();
    for (index, raw) in list.rule.gpg_id.split_inclusive(|b| *b == b'\n').enumerate() {
        let text = raw.strip_suffix(b"\n").unwrap_or(raw);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line = list.lines.iter().find(|line| line.number == index + 1);
        let line = line.filter(|line| names && is_vouched_for(survey, list, line));
        let names = line.map(|line| {
            let keys = line.found.as_ref().as_ref().into_iter().flatten();
            keys.map(crate::model::RecipientId::gpg_name).collect::<Vec<_>>()
        });
        match names.as_deref() {
            Some([first, others @ ..]) => {
                new.extend_from_slice(&with_name(text, first));
                new.push(b'\n');
                for other in others {
                    new.extend_from_slice(other.as_bytes());
                    new.push(b'\n');
                }
            }
            _ => {
                new.extend_from_slice(text);
                new.push(b'\n');
            }
        }
    }
    new
}

/// Returns a line with `name` in place of the recipient, and its comment.
fn with_name(line: &[u8], name: &str) -> Vec<u8> {
    let end = line.iter().position(|b| *b == b'#').unwrap_or(line.len());
    let (before, comment) = line.split_at(end);
    let blanks = before.len() - before.trim_ascii_end().len();
    [name.as_bytes(), &before[before.len() - blanks..], comment].concat()
}

#[cfg(test)]
mod tests {
    use super::with_name;

    #[test]
    fn keeps_comments() {
        for (line, expected) in [
            ("bob@x", "AB"),
            ("  bob@x # Bob, since 2020", "AB # Bob, since 2020"),
            ("bob@x#Bob", "AB#Bob"),
            ("Bob Jones\t# \u{e9}", "AB\t# \u{e9}"),
        ] {
            assert_eq!(with_name(line.as_bytes(), "AB"), expected.as_bytes());
        }
    }
}
