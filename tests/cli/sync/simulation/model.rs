//! What must hold, whatever happens: who wrote and replaced what, and who may read it.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::sync::tree::{Tree, lines};

/// What became of a line.
#[derive(Debug, Default)]
struct Token {
    /// Who took it out, having it before them, since all had the same: they replaced it, or removed the entry.
    gone_by: Option<String>,
    /// Who took it out of one of several entries that had it: of an entry, or of a version of it kept apart.
    thinned_by: Option<String>,
    /// Whom a list named while somebody had it in that list's folder.
    allowed: BTreeSet<&'static str>,
    /// Where it was last.
    last: String,
}

/// What everybody wrote.
#[derive(Default)]
pub struct Model {
    tokens: BTreeMap<String, Token>,
    count: usize,
    replaced: usize,
}

impl Model {
    /// Returns a number that was never returned before.
    pub fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    /// Returns how many tokens were written.
    pub fn written(&self) -> usize {
        self.tokens.len()
    }

    /// Returns how often one was taken out by somebody who had it before them.
    pub fn replaced(&self) -> usize {
        self.replaced
    }

    /// Somebody's own change of their work tree.
    pub fn wrote(&mut self, by: &str, before: &Tree, after: &Tree) {
        let left = after.tokens();
        for (line, count) in before.tokens() {
            let token = self.tokens.get_mut(line).expect("somebody wrote it");
            let by = || Some(by.to_owned());
            match left.get(line).copied().unwrap_or(0) {
                0 => {
                    token.gone_by = by();
                    self.replaced += 1;
                }
                // Two who each took it out of another entry have both had it before them.
                fewer if fewer < count && token.thinned_by.is_some() => token.gone_by = by(),
                fewer if fewer < count => token.thinned_by = by(),
                _ => {}
            }
        }
        for line in left.keys() {
            self.tokens.entry((*line).to_owned()).or_default();
        }
        self.allow(by, after);
    }

    /// A sync changed somebody's work tree.
    pub fn synced(&mut self, by: &str, before: &Tree, after: &Tree) {
        let left = after.tokens();
        for gone in before.tokens().keys().filter(|line| !left.contains_key(*line)) {
            let token = &self.tokens[*gone];
            assert!(token.gone_by.is_some(), "`{gone}` is lost with {by}'s sync: {token:?}");
        }
        for line in left.keys() {
            assert!(self.tokens.contains_key(*line), "nobody wrote `{line}`");
        }
        self.allow(by, after);
    }

    /// All have the same. What is there must be taken out anew by somebody before it may be missing.
    pub fn in_step(&mut self, tree: &Tree) {
        self.nothing_is_lost(tree);
        for line in tree.tokens().keys() {
            let token = self.tokens.get_mut(*line).expect("it is known");
            (token.gone_by, token.thinned_by) = (None, None);
        }
    }

    fn allow(&mut self, by: &str, tree: &Tree) {
        for (name, entry) in &tree.entries {
            for line in &entry.lines {
                let token = self.tokens.get_mut(line).expect("it is known");
                token.allowed.extend(tree.named(name));
                token.last = format!("{name}, {by}");
            }
        }
    }

    /// Checks that what nobody took out is there.
    fn nothing_is_lost(&self, tree: &Tree) {
        let there = tree.tokens();
        let is_lost =
            |line: &String, token: &Token| token.gone_by.is_none() && !there.contains_key(line.as_str());
        let lost: Vec<_> = self.tokens.iter().filter(|(line, token)| is_lost(line, token)).collect();
        assert!(lost.is_empty(), "lost: {lost:#?}");
    }

    /// Returns the lines of a text that `name` must not read: none of the lists that ruled them ever named them.
    pub fn secret_from(&self, name: &str, text: &[u8]) -> Vec<String> {
        let is_secret = |line: &String| {
            let token = self.tokens.get(line).unwrap_or_else(|| panic!("nobody wrote `{line}`"));
            !token.allowed.contains(name)
        };
        lines(text).into_iter().filter(is_secret).collect()
    }

    /// Returns what is known of a line.
    pub fn told(&self, line: &str) -> String {
        format!("`{line}`: {:?}", self.tokens[line])
    }
}
