//! The corpus's file format.
//!
//! ```text
//! = title
//! name NAME               bytes may be written \xNN; the root's name is empty
//! $ SHELL LINE            builds it, in the folder that holds store/ and outside/; $N is the name
//! > SHELL LINE            the same, but for what it does to outside/
//! patient                 commands may wait for a lock
//! skip REASON             cannot be built
//! COMMANDS: VERDICT       commands by their labels, `reads`, `writes`, or `*`; the first line that fits
//! ```
//!
//! A verdict is an exit code and, behind it, what standard error says; with `!` behind the code the text
//! is pass's own and does not begin with `Error`, with `*` there may be several errors. `-` means that the command is left out.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

/// What a command should do.
#[derive(Debug)]
pub struct Verdict {
    pub code: i32,
    /// Whether the text need not be marked as an error.
    pub bare: bool,
    /// Whether there may be more than one error: bulk work lists all.
    pub several: bool,
    pub says: String,
}

/// A hostile store.
#[derive(Debug, Default)]
pub struct Case {
    pub title: String,
    pub name: OsString,
    pub setup: String,
    pub setup_outside: String,
    pub patient: bool,
    verdicts: Vec<(Vec<String>, Option<Verdict>)>,
}

impl Case {
    /// Returns what is expected of the command `label`, none if it is left out.
    pub fn verdict(&self, label: &str, reads: bool) -> Option<&Verdict> {
        let group = if reads { "reads" } else { "writes" };
        let fits = |word: &String| [label, group, "*"].contains(&word.as_str());
        let found = self.verdicts.iter().find(|(words, _)| words.iter().any(fits));
        found.unwrap_or_else(|| panic!("{}: no verdict for {label}", self.title)).1.as_ref()
    }
}

/// Returns the cases of a file, those that are skipped left out.
pub fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix("= ") {
            cases.push(Case { title: title.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().expect("a title comes first");
        if let Some(name) = line.strip_prefix("name") {
            case.name = bytes(name.strip_prefix(' ').unwrap_or(name));
        } else if let Some(shell) = line.strip_prefix("$ ") {
            case.setup += &format!("{shell}\n");
        } else if let Some(shell) = line.strip_prefix("> ") {
            case.setup += &format!("{shell}\n");
            case.setup_outside += &format!("{shell}\n");
        } else if line == "patient" {
            case.patient = true;
        } else if let Some(reason) = line.strip_prefix("skip ") {
            println!("skipped: {}: {reason}", case.title);
            cases.pop();
        } else {
            let (words, verdict) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
            case.verdicts.push((words.split(' ').map(str::to_owned).collect(), parse_verdict(verdict)));
        }
    }
    cases
}

fn parse_verdict(text: &str) -> Option<Verdict> {
    if text == "-" {
        return None;
    }
    let (code, says) = text.split_once(' ').unwrap_or((text, ""));
    let (bare, several) = (code.ends_with('!'), code.ends_with('*'));
    let code = code.trim_end_matches(['!', '*']).parse().unwrap_or_else(|_| panic!("no exit code: {text:?}"));
    Some(Verdict { code, bare, several, says: says.to_owned() })
}

/// Resolves `\xNN` and `{BYTE*COUNT}`.
fn bytes(text: &str) -> OsString {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(hex) = rest.strip_prefix("\\x") {
            out.push(u8::from_str_radix(&hex[..2], 16).expect("two hexadecimal digits"));
            rest = &hex[2..];
        } else if let Some((inner, tail)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            let (what, count) = inner.split_once('*').expect("text and count");
            out.extend(what.repeat(count.parse().expect("a count")).bytes());
            rest = tail;
        } else {
            out.extend_from_slice(&rest.as_bytes()[..c.len_utf8()]);
            rest = &rest[c.len_utf8()..];
        }
    }
    OsString::from_vec(out)
}
