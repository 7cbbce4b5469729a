//! `log` and `history`: who changed what, when, in words; old versions shown, compared and put back.

mod bad;
mod log;
mod restore;
mod signatures;
mod versions;

use std::ops::Deref;

use super::git::Repository;

/// A store with a repository, of which words are compared without what is different each time.
pub struct Chronicle(Repository);

impl Deref for Chronicle {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.0
    }
}

impl Chronicle {
    fn new() -> Self {
        Self(Repository::new())
    }

    /// Returns what `log` tells of the newest commit, without its heading.
    #[track_caller]
    fn newest(&self, path: &str) -> String {
        self.told(&format!("pass log -n 1 {path}"))
    }

    /// Returns the lines of a log without headings and without the word about what is left out.
    #[track_caller]
    fn told(&self, line: &str) -> String {
        let all = self.ok(line);
        let lines = all.lines().filter(|line| line.starts_with(' ')).map(str::trim_start);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns number and words of each version.
    #[track_caller]
    fn versions(&self, entry: &str) -> Vec<String> {
        let all = self.ok(&format!("pass history --json {entry}"));
        let all: serde_json::Value = serde_json::from_str(&all).expect("it is JSON");
        let list = all["versions"].as_array().expect("an array");
        let number = |row: &serde_json::Value| row["number"].as_u64().map_or("-".into(), |n| n.to_string());
        let from = |row: &serde_json::Value| {
            row["change"]["from"].as_str().map(|from| format!(" {from}")).unwrap_or_default()
        };
        let word = |row: &serde_json::Value| row["change"]["kind"].as_str().expect("a word").to_owned();
        list.iter().map(|row| format!("{} {}{}", number(row), word(row), from(row))).collect()
    }

    /// Inserts lines as an entry.
    #[track_caller]
    fn insert(&self, entry: &str, lines: &str) {
        self.pass(&["insert", "-mf", entry], lines).good();
    }
}
