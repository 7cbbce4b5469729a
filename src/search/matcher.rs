//! The regex library, asked for what grep finds: the leftmost match, and of those that begin there the
//! longest.

use std::ops::Range;

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input, MatchKind};

use super::Characters;

/// Bytes that one form of a compiled pattern may take: what needs more is left to grep.
const SIZE: usize = 1 << 20;

/// Returns the compiled `regex`, to be asked whether it matches and where its leftmost match begins; none if
/// it is too large. With `across_lines`, `^` and `$` are the ends of any line.
pub fn compile(regex: &str, characters: Characters, across_lines: bool) -> Option<Regex> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE))
        .hybrid_cache_capacity(SIZE)
        .which_captures(thompson::WhichCaptures::Implicit);
    let syntax = syntax_of(characters).multi_line(across_lines);
    Regex::builder().configure(config).syntax(syntax).build(regex).ok()
}

fn syntax_of(characters: Characters) -> syntax::Config {
    syntax::Config::new().unicode(characters == Characters::Utf8).utf8(false).nest_limit(250)
}

/// Finds matches within lines.
pub struct Finder {
    first: Regex,
    longest: DFA,
    cache: dfa::Cache,
}

impl Finder {
    /// Returns the compiled `regex`; none if it is too large.
    pub fn new(regex: &str, characters: Characters) -> Option<Self> {
        let first = compile(regex, characters, false)?;
        let config = dfa::Config::new().match_kind(MatchKind::All).cache_capacity(SIZE);
        let nfa = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(SIZE))
            .which_captures(thompson::WhichCaptures::None);
        let syntax = syntax_of(characters);
        let longest = DFA::builder().configure(config).thompson(nfa).syntax(syntax).build(regex).ok()?;
        Some(Finder { cache: longest.create_cache(), first, longest })
    }

    /// Returns the leftmost match of `line` that begins at `from` or later, the longest one there.
    pub fn find(&mut self, line: &[u8], from: usize) -> Option<Range<usize>> {
        let start = self.first.find(Input::new(line).range(from..))?.start();
        let end = self.end(line, start, line.len()).expect("a match begins there");
        Some(start..end)
    }

    /// Returns where the longest match ends that begins at `start` and lies before `limit`.
    pub fn end(&mut self, line: &[u8], start: usize, limit: usize) -> Option<usize> {
        let input = Input::new(line).range(start..limit).anchored(Anchored::Yes);
        let found = self.longest.try_search_fwd(&mut self.cache, &input);
        found.expect("no bytes are excluded, no cache is ever given up").map(|end| end.offset())
    }
}
