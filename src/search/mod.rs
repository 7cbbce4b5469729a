//! What grep(1) would print of a text, told in-process.
//!
//! [`Search`] reads the words that grep is given, and answers for a text exactly as GNU grep 3.8 does, byte
//! for byte. Whatever it is not sure of it leaves to grep: options that few people use, patterns that grep
//! warns of or refuses, texts whose meaning the locale decides.

mod lines;
mod matcher;
mod pattern;
mod words;

use std::ffi::OsString;
use std::ops::Range;

use regex_automata::meta::Regex;
use zeroize::Zeroizing;

use lines::{Line, Printer};
use matcher::{Finder, compile};
use pattern::{Translated, translate};
use words::{Extent, Output, Request};

/// What the characters of texts and patterns are in the user's locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Characters {
    /// Single bytes, those of ASCII and others that are no letters: the locales `C` and `POSIX`.
    Bytes,
    /// UTF-8, and the two cases of a letter of ASCII are both in ASCII.
    Utf8,
    /// Anything else that holds ASCII. Turkish is such a one: its `I` is no `i`.
    Unknown,
}

/// What grep takes from its environment.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// What characters are.
    pub characters: Characters,
    /// Whether ranges of letters (`[a-z]`) are those of ASCII: not so in Latvian, nor with old C libraries.
    pub has_plain_ranges: bool,
    /// Whether grep's messages might not be English.
    pub is_translated: bool,
    /// Whether options end at the first word that is none (POSIXLY_CORRECT is set).
    pub posixly_correct: bool,
}

/// What grep prints of a text.
pub struct Answer {
    /// Its standard output.
    pub output: Zeroizing<Vec<u8>>,
    /// Whether any line was selected: grep's exit code is 0, else 1.
    pub is_found: bool,
}

/// Words given to grep, ready to be answered.
pub struct Search {
    request: Request,
    characters: Characters,
    /// Matches in every text in which grep finds a match, and perhaps in others.
    loose: Regex,
    is_plain: bool,
    exact: Option<Exact>,
}

/// What finds just what grep finds.
struct Exact {
    /// Whether there are several patterns.
    has_several: bool,
    /// Whether a line matches.
    line: Regex,
    /// What matches in it, whatever is around; none where that is not shown.
    part: Option<Finder>,
    /// Whether the locale has a say where a text is not ASCII.
    asks_locale: bool,
}

impl Search {
    /// Returns the search that `words` ask for; none if grep must be asked of every text.
    pub fn of(words: &[OsString], surroundings: Surroundings) -> Option<Self> {
        let characters = surroundings.characters;
        let request = Request::read(words, surroundings.posixly_correct)?;
        let loose = translate(&request, characters, true)?;
        if loose.has_ranges && !surroundings.has_plain_ranges {
            return None;
        }
        let is_plain = loose.is_plain;
        let is_sayable = !(surroundings.is_translated && request.output == Output::Name);
        let exact = match characters {
            Characters::Unknown => None,
            _ if !is_sayable => None,
            _ => Exact::new(&request, characters),
        };
        if exact.is_none() && (request.invert || (characters == Characters::Unknown && !is_plain)) {
            return None;
        }
        let loose = compile(&loose.regex, characters, true)?;
        Some(Search { request, characters, loose, is_plain, exact })
    }

    /// Returns what grep prints of `text`, in its colours if `coloured`; none if grep itself must say it.
    pub fn answer(&mut self, text: &[u8], coloured: bool) -> Option<Answer> {
        if self.is_absent(text) {
            return Some(Answer { output: Printer::print(&self.request, coloured, &[], 0), is_found: false });
        }
        let Search { request, characters, exact, .. } = self;
        let exact = exact.as_mut().filter(|exact| exact.is_exact_for(text, *characters, request.any_case))?;
        let lines: Vec<&[u8]> = lines::split(text).collect();
        let selected: Vec<bool> =
            lines.iter().map(|line| exact.line.is_match(*line) != request.invert).collect();
        let count = selected.iter().filter(|is_selected| **is_selected).count();
        let mut shown = Vec::new();
        for at in lines::shown(request, &selected) {
            let (bytes, is_selected) = (lines[at], selected[at]);
            let has_parts = is_selected != request.invert && (coloured || request.output == Output::Parts);
            let parts = if has_parts { exact.parts(bytes, request.extent)? } else { Vec::new() };
            shown.push(Line { number: at + 1, bytes, is_selected, parts });
        }
        Some(Answer { output: Printer::print(request, coloured, &shown, count), is_found: count > 0 })
    }

    /// Whether it is certain that no line of `text` is selected, whatever the locale. What a text lacks byte
    /// for byte, none finds in it.
    fn is_absent(&self, text: &[u8]) -> bool {
        let is_certain = match self.characters {
            _ if self.is_plain && (!self.request.any_case || text.is_ascii()) => true,
            // Behind a NUL, a line may begin that is none of ours.
            _ if text.contains(&0) => false,
            Characters::Bytes => true,
            Characters::Utf8 => std::str::from_utf8(text).is_ok(),
            Characters::Unknown => false,
        };
        is_certain && !self.request.invert && !self.loose.is_match(text)
    }
}

impl Exact {
    fn new(request: &Request, characters: Characters) -> Option<Self> {
        let Translated { regex, has_places, asks_locale, .. } = translate(request, characters, false)?;
        let line = match request.extent {
            Extent::Part => regex.clone(),
            Extent::Word => format!("(?-u:\\b{{start-half}})(?:{regex})(?-u:\\b{{end-half}})"),
            Extent::Line => format!("^(?:{regex})$"),
        };
        let is_word = request.extent == Extent::Word;
        // Where a match adjoins a word grep tries shorter ones: none that is empty, but some at the end of
        // which it sees places that are none; and in some locales only.
        if is_word && (has_places || compile(&regex, characters, false)?.is_match(b"")) {
            return None;
        }
        let part = match request.output {
            Output::Lines | Output::Parts => Some(Finder::new(&regex, characters)?),
            Output::Count | Output::Name => None,
        };
        let line = compile(&line, characters, false)?;
        let has_several = request.patterns.len() > 1;
        Some(Exact { has_several, line, part, asks_locale: asks_locale || is_word })
    }

    /// Whether it finds in `text` just what grep finds.
    fn is_exact_for(&self, text: &[u8], characters: Characters, any_case: bool) -> bool {
        // A text that holds one is no text for grep.
        if text.contains(&0) {
            return false;
        }
        if characters == Characters::Bytes || text.is_ascii() {
            return true;
        }
        // Characters beyond ASCII of which a letter of ASCII is the other case in some locale.
        let strange = ['\u{212a}', '\u{17f}', '\u{130}', '\u{131}'];
        let text = std::str::from_utf8(text).ok().filter(|_| !self.asks_locale);
        text.is_some_and(|text| !(any_case && text.contains(strange)))
    }

    /// Returns the parts of a matching line that are shown as matches; none if only grep knows them.
    fn parts(&mut self, line: &[u8], extent: Extent) -> Option<Vec<Range<usize>>> {
        let mut parts = Vec::new();
        let Some(finder) = &mut self.part else { return Some(parts) };
        let mut from = 0;
        while from < line.len() {
            let found = match extent {
                Extent::Part => finder.find(line, from),
                Extent::Word => word(finder, line, from, self.has_several)?,
                Extent::Line => Some(0..line.len()),
            };
            let Some(part) = found else { break };
            from = part.end;
            if part.is_empty() {
                from += 1;
            } else {
                parts.push(part);
            }
        }
        Some(parts)
    }
}

/// Returns the first match of `line` from `from` on that no part of a word adjoins, as grep looks for it: a
/// longest match that is none is made shorter while it matches, then the next one is looked for. The outer
/// result is none if only grep knows it.
fn word(finder: &mut Finder, line: &[u8], from: usize, has_several: bool) -> Option<Option<Range<usize>>> {
    let is_part = |at: usize| line.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let mut at = from;
    while let Some(Range { start, end }) = finder.find(line, at) {
        at = start + 1;
        if start > 0 && is_part(start - 1) {
            // Behind a first match, grep 3.8 takes what adjoins it, if it looks for several fixed texts.
            if from > 0 && has_several {
                return None;
            }
            continue;
        }
        let mut end = Some(end);
        while let Some(longer) = end.filter(|end| is_part(*end)) {
            end = finder.end(line, start, longer - 1);
            // Behind a first match, grep 3.8 makes matches shorter than it means to.
            if from > 0 && end.is_some() {
                return None;
            }
        }
        if let Some(end) = end {
            return Some(Some(start..end));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests;
