//! The words given to grep, read as GNU grep reads them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// How patterns are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// POSIX basic regular expressions, with GNU's additions (`-G`).
    Basic,
    /// POSIX extended regular expressions (`-E`).
    Extended,
    /// Texts that stand for themselves (`-F`).
    Fixed,
}

/// How much of a line a match must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Any part.
    Part,
    /// A part that no letter, digit or underscore adjoins (`-w`).
    Word,
    /// The whole line (`-x`).
    Line,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The selected lines.
    Lines,
    /// Their matching parts, each on a line of its own (`-o`).
    Parts,
    /// How many they are (`-c`).
    Count,
    /// What was searched, if there are any (`-l`).
    Name,
}

/// What the words ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How the patterns are written.
    pub syntax: Syntax,
    /// Whether upper and lower case are the same (`-i`).
    pub any_case: bool,
    /// How much of a line a match must be.
    pub extent: Extent,
    /// Whether the lines without a match are selected (`-v`).
    pub invert: bool,
    /// What is printed.
    pub output: Output,
    /// Whether lines are numbered (`-n`).
    pub numbered: bool,
    /// How many lines are printed before a selected one; none unless asked for (`-B`, `-C`).
    pub before: Option<usize>,
    /// How many lines are printed after a selected one; none unless asked for (`-A`, `-C`).
    pub after: Option<usize>,
    /// The patterns, any of which may match.
    pub patterns: Vec<Vec<u8>>,
}

impl Request {
    /// Returns what `words` ask for; none where they hold anything that is not ours to answer: other options,
    /// names of files, mistakes. With `posixly_correct` (POSIXLY_CORRECT is set) options end at the first
    /// word that is none.
    pub fn read(words: &[OsString], posixly_correct: bool) -> Option<Self> {
        let mut reader = Reader { rest: words.iter(), ..Reader::default() };
        let mut operands = Vec::new();
        while let Some(word) = reader.rest.next() {
            match word.as_bytes() {
                b"--" => operands.extend(reader.rest.by_ref()),
                [b'-', b'-', long @ ..] => reader.long(long)?,
                [b'-', digits @ ..] if is_number(digits) => reader.around = Some(number(digits)?),
                [b'-', short @ ..] if !short.is_empty() => reader.short(short)?,
                _ => {
                    operands.push(word);
                    if posixly_correct {
                        operands.extend(reader.rest.by_ref());
                    }
                }
            }
        }
        match (&reader.patterns[..], &operands[..]) {
            ([], [pattern]) => reader.add_patterns(pattern.as_bytes()),
            ([_, ..], []) => {}
            _ => return None,
        }
        // Together they do what only grep itself knows.
        let (has_groups, is_empty) = (reader.has_groups(), reader.patterns.iter().all(Vec::is_empty));
        let is_odd =
            (reader.parts && has_groups) || (reader.word && reader.line) || (reader.invert && is_empty);
        (!is_odd).then(|| reader.request())
    }
}

/// A reading under way.
#[derive(Default)]
struct Reader<'a> {
    rest: std::slice::Iter<'a, OsString>,
    syntax: Option<Syntax>,
    any_case: bool,
    word: bool,
    line: bool,
    invert: bool,
    parts: bool,
    count: bool,
    name: bool,
    numbered: bool,
    before: Option<usize>,
    after: Option<usize>,
    around: Option<usize>,
    patterns: Vec<Vec<u8>>,
}

impl Reader<'_> {
    /// Reads what follows `--`. Only full names: what a shorter one stands for depends on grep's version.
    fn long(&mut self, text: &[u8]) -> Option<()> {
        let (name, value) = match text.iter().position(|byte| *byte == b'=') {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let option = match name {
            b"extended-regexp" => b'E',
            b"fixed-strings" => b'F',
            b"basic-regexp" => b'G',
            b"ignore-case" => b'i',
            b"invert-match" => b'v',
            b"word-regexp" => b'w',
            b"line-regexp" => b'x',
            b"count" => b'c',
            b"files-with-matches" => b'l',
            b"line-number" => b'n',
            b"only-matching" => b'o',
            b"regexp" => b'e',
            b"after-context" => b'A',
            b"before-context" => b'B',
            b"context" => b'C',
            _ => return None,
        };
        match (takes_value(option), value) {
            (false, None) => self.flag(option),
            (false, Some(_)) => None,
            (true, Some(value)) => self.valued(option, value),
            (true, None) => {
                let value = self.rest.next()?;
                self.valued(option, value.as_bytes())
            }
        }
    }

    /// Reads what follows `-`: options of one letter, the last perhaps with a value.
    fn short(&mut self, text: &[u8]) -> Option<()> {
        for (at, option) in text.iter().enumerate() {
            if takes_value(*option) {
                return match &text[at + 1..] {
                    [] => {
                        let value = self.rest.next()?;
                        self.valued(*option, value.as_bytes())
                    }
                    value => self.valued(*option, value),
                };
            }
            self.flag(*option)?;
        }
        Some(())
    }

    fn flag(&mut self, option: u8) -> Option<()> {
        match option {
            b'E' => self.syntax = Some(Syntax::Extended),
            b'F' => self.syntax = Some(Syntax::Fixed),
            b'G' => self.syntax = Some(Syntax::Basic),
            b'i' => self.any_case = true,
            b'v' => self.invert = true,
            b'w' => self.word = true,
            b'x' => self.line = true,
            b'c' => self.count = true,
            b'l' => self.name = true,
            b'n' => self.numbered = true,
            b'o' => self.parts = true,
            _ => return None,
        }
        Some(())
    }

    fn valued(&mut self, option: u8, value: &[u8]) -> Option<()> {
        match option {
            b'e' => self.add_patterns(value),
            b'A' => self.after = Some(number(value)?),
            b'B' => self.before = Some(number(value)?),
            b'C' => self.around = Some(number(value)?),
            _ => return None,
        }
        Some(())
    }

    /// Takes a pattern, or several: each line is one.
    fn add_patterns(&mut self, lines: &[u8]) {
        self.patterns.extend(lines.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }

    /// Whether lines around those selected are asked for, if only none of them.
    fn has_groups(&self) -> bool {
        self.before.is_some() || self.after.is_some() || self.around.is_some()
    }

    fn request(self) -> Request {
        let output = match self {
            Reader { name: true, .. } => Output::Name,
            Reader { count: true, .. } => Output::Count,
            Reader { parts: true, .. } => Output::Parts,
            _ => Output::Lines,
        };
        let extent = match self {
            Reader { line: true, .. } => Extent::Line,
            Reader { word: true, .. } => Extent::Word,
            _ => Extent::Part,
        };
        Request {
            syntax: self.syntax.unwrap_or(Syntax::Basic),
            any_case: self.any_case,
            extent,
            invert: self.invert,
            output,
            numbered: self.numbered,
            before: self.before.or(self.around),
            after: self.after.or(self.around),
            patterns: self.patterns,
        }
    }
}

fn takes_value(option: u8) -> bool {
    b"eABC".contains(&option)
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Returns a number of lines; none if it is none, or one at which grep's own arithmetic might begin to
/// matter.
fn number(text: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(text).ok().filter(|text| is_number(text.as_bytes()) && text.len() < 10)?;
    text.parse().ok()
}
