//! Patterns as grep reads them, written anew for the regex library.
//!
//! What grep warns of, refuses or reads in its own way is not translated: grep shall say it.

use super::Characters;
use super::words::{Request, Syntax};

/// How deep groups may lie within each other, and how often repetitions may be repeated.
const DEPTH: usize = 20;

/// How often an interval may repeat.
const REPEATED: u32 = 255;

/// A pattern in the syntax of the regex library, for single lines without their line breaks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// The pattern.
    pub regex: String,
    /// Whether it is nothing but texts that stand for themselves.
    pub is_plain: bool,
    /// Whether it asks for a place in a line: `^`, `\b`, …
    pub has_places: bool,
    /// Whether it has ranges of letters, for which a locale may have an order of its own.
    pub has_ranges: bool,
    /// Whether the locale says what it means for characters beyond ASCII, apart from the case of letters.
    pub asks_locale: bool,
}

/// Returns the patterns of `request` as one; none if one of them is left to grep. With `loosely` it may match
/// more than grep's in texts beyond ASCII, but never less.
pub fn translate(request: &Request, characters: Characters, loosely: bool) -> Option<Translated> {
    let mut done = Translated { is_plain: true, ..Translated::default() };
    let (mut has_ends, mut is_choice) = (false, request.patterns.len() > 1);
    for (number, pattern) in request.patterns.iter().enumerate() {
        if number > 0 {
            done.regex.push('|');
        }
        let mut reader = Reader {
            pattern,
            at: 0,
            extended: request.syntax == Syntax::Extended,
            any_case: request.any_case,
            utf8: characters == Characters::Utf8,
            loosely,
            depth: 0,
            places: 0,
            has_ends: false,
            is_choice: false,
            done: &mut done,
        };
        match request.syntax {
            Syntax::Fixed => {
                while let Some(byte) = reader.next() {
                    reader.literal(byte)?;
                }
            }
            // Some encodings have bytes of ASCII within a character.
            _ if characters == Characters::Unknown && !pattern.is_ascii() => return None,
            _ => {
                reader.alternatives()?;
                if reader.at < pattern.len() {
                    return None;
                }
            }
        }
        has_ends |= reader.has_ends;
        is_choice |= reader.is_choice;
    }
    // Ends of words that are an alternative's the C library does not always see.
    (!(has_ends && is_choice)).then_some(done)
}

/// A translation under way.
struct Reader<'a> {
    pattern: &'a [u8],
    at: usize,
    extended: bool,
    any_case: bool,
    utf8: bool,
    loosely: bool,
    /// How many groups are open.
    depth: usize,
    /// How many places were asked for.
    places: usize,
    /// Whether some of them are ends of words.
    has_ends: bool,
    /// Whether there are alternatives outside of groups.
    is_choice: bool,
    done: &'a mut Translated,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.pattern[self.at..]
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.pattern.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// Passes over `text` if it comes next.
    fn skip(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Returns `text` as it is written in this syntax: basic patterns mark with `\` what others have bare.
    fn mark(&self, text: &'static [u8]) -> &'static [u8] {
        if self.extended { &text[1..] } else { text }
    }

    fn is_next(&self, text: &'static [u8]) -> bool {
        self.rest().starts_with(self.mark(text))
    }

    fn put(&mut self, text: &str) {
        self.done.is_plain = false;
        self.done.regex.push_str(text);
    }

    /// Reads what `|` separates, up to the end of the group or pattern.
    fn alternatives(&mut self) -> Option<()> {
        self.branch()?;
        while self.skip(self.mark(b"\\|")) {
            self.put("|");
            self.is_choice |= self.depth == 0;
            self.branch()?;
        }
        Some(())
    }

    fn branch(&mut self) -> Option<()> {
        let mut is_start = true;
        while !self.is_end() {
            let (start, places) = (self.done.regex.len(), self.places);
            self.piece(is_start)?;
            is_start = false;
            let mut count = 0;
            while let Some(times) = self.repetition()? {
                count += 1;
                // The C library forgets places that are repeated, and grep warns of some.
                if self.places > places || count > DEPTH {
                    return None;
                }
                self.done.regex.insert_str(start, "(?:");
                self.put(")");
                self.put(&times);
            }
        }
        Some(())
    }

    /// Reads a repetition, if one comes next.
    fn repetition(&mut self) -> Option<Option<String>> {
        for (mark, times) in [(&b"\\+"[..], "+"), (b"\\?", "?")] {
            if self.skip(self.mark(mark)) {
                return Some(Some(times.to_owned()));
            }
        }
        if self.skip(b"*") {
            return Some(Some("*".to_owned()));
        }
        if !self.skip(self.mark(b"\\{")) {
            return Some(None);
        }
        let least = self.number();
        let times = match (least, self.skip(b",")) {
            (Some(least), false) => format!("{{{least}}}"),
            (Some(least), true) => match self.number() {
                Some(most) if most < least => return None,
                Some(most) => format!("{{{least},{most}}}"),
                None => format!("{{{least},}}"),
            },
            (None, _) => return None,
        };
        self.skip(self.mark(b"\\}")).then_some(Some(times))
    }

    /// Reads a number; more than may be repeated is taken for none.
    fn number(&mut self) -> Option<u32> {
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = std::str::from_utf8(&self.rest()[..length]).expect("digits are ASCII");
        let number = digits.parse().ok().filter(|number| *number <= REPEATED)?;
        self.at += length;
        Some(number)
    }

    /// Reads one piece without what repeats it.
    fn piece(&mut self, is_start: bool) -> Option<()> {
        if self.skip(self.mark(b"\\(")) {
            self.depth += 1;
            if self.depth > DEPTH {
                return None;
            }
            self.put("(?:");
            self.alternatives()?;
            self.put(")");
            self.depth -= 1;
            return self.skip(self.mark(b"\\)")).then_some(());
        }
        let byte = self.next()?;
        match byte {
            b'\\' => return self.escaped(),
            b'[' => self.bracket()?,
            b'.' => self.any_character(),
            b'^' if self.extended || is_start => self.place("^"),
            b'$' if self.extended || self.is_end() => self.place("$"),
            // At the very beginning of a basic pattern it stands for itself.
            b'*' if self.extended || !is_start => return None,
            b'+' | b'?' | b'{' if self.extended => return None,
            byte => self.literal(byte)?,
        }
        Some(())
    }

    /// Whether the pattern or the group ends here, or another alternative begins.
    fn is_end(&self) -> bool {
        self.rest().is_empty() || self.is_next(b"\\)") || self.is_next(b"\\|")
    }

    /// Puts a place that has no length.
    fn place(&mut self, text: &str) {
        self.put(text);
        self.places += 1;
        self.done.has_places = true;
    }

    /// Puts an end of a word; none within a group, where the C library does not always see it.
    fn end_of_word(&mut self, text: &str) -> Option<()> {
        self.done.asks_locale = true;
        self.has_ends = true;
        self.place(if self.loosely { "(?:)" } else { text });
        (self.depth == 0).then_some(())
    }

    fn any_character(&mut self) {
        self.put("[^\\n]");
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self) -> Option<()> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_space = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
        match self.next()? {
            b'<' => self.end_of_word("(?-u:\\b{start})")?,
            b'>' => self.end_of_word("(?-u:\\b{end})")?,
            b'b' => self.end_of_word("(?-u:\\b)")?,
            b'B' => self.end_of_word("(?-u:\\B)")?,
            b'w' => self.set(&Set::new(is_word), false, true),
            b'W' => self.set(&Set::new(is_word), true, true),
            b's' => self.set(&Set::new(is_space), false, true),
            b'S' => self.set(&Set::new(is_space), true, true),
            byte @ (b'.' | b'*' | b'[' | b'^' | b'$' | b'\\') => self.literal(byte)?,
            byte @ (b'+' | b'?' | b'{' | b'(' | b')' | b'|') if self.extended => self.literal(byte)?,
            _ => return None,
        }
        Some(())
    }

    /// Puts a character that stands for itself, whose first byte was read.
    fn literal(&mut self, byte: u8) -> Option<()> {
        if byte.is_ascii_alphabetic() && self.any_case {
            let is_plain = self.done.is_plain;
            self.set(&Set::new(|other| other.eq_ignore_ascii_case(&byte)), false, false);
            self.done.is_plain = is_plain;
            return Some(());
        }
        let code = match self.utf8 && !byte.is_ascii() {
            false => format!("\\x{byte:02x}"),
            // What else is the same letter, the C library knows.
            true if self.any_case => return None,
            true => {
                let text = &self.pattern[self.at - 1..];
                let valid = text.utf8_chunks().next()?.valid();
                let character = valid.chars().next()?;
                self.at += character.len_utf8() - 1;
                format!("\\x{{{:x}}}", u32::from(character))
            }
        };
        self.done.regex.push_str(&code);
        Some(())
    }

    /// Puts one character of a set, or of those not in it.
    fn set(&mut self, set: &Set, negated: bool, asks_locale: bool) {
        self.done.asks_locale |= asks_locale;
        let mut set = set.clone();
        if self.any_case {
            set.add_other_case();
        }
        // The Kelvin sign is a `k`, the long s an `s`, and Turkish has its own `i`s.
        let is_strange = self.any_case && b"kis".iter().any(|letter| set.0[usize::from(*letter)]);
        let mut text = String::from(if negated { "[^\\n" } else { "[" });
        for byte in (0..128_u8).filter(|byte| set.0[usize::from(*byte)]) {
            text.push_str(&format!("\\x{byte:02x}"));
        }
        if self.loosely && self.utf8 && !negated && (asks_locale || is_strange) {
            text.push_str("\\x{80}-\\x{10ffff}");
        }
        text.push(']');
        self.put(&text);
    }

    /// Reads a bracket expression behind its `[`.
    fn bracket(&mut self) -> Option<()> {
        let negated = self.skip(b"^");
        let (mut set, mut asks_locale) = (Set::default(), false);
        let mut is_first = true;
        // Brackets around a class alone are forgotten easily: grep says so.
        if self.rest().starts_with(b":") {
            return None;
        }
        while is_first || !self.rest().starts_with(b"]") {
            is_first = false;
            if self.skip(b"[:") {
                set.add_class(self.class_name()?)?;
                asks_locale = true;
                continue;
            }
            let first = self.next()?;
            let is_range = self.rest().starts_with(b"-") && !self.rest().starts_with(b"-]");
            if !first.is_ascii() || (first == b'[' && matches!(self.rest(), [b'.' | b'=', ..])) {
                return None;
            }
            if !is_range {
                set.0[usize::from(first)] = true;
                continue;
            }
            self.at += 1;
            let last = self.next()?;
            // What else lies between them depends on the locale, even among these where they are letters.
            let same = |is: fn(&u8) -> bool| is(&first) && is(&last);
            let is_known =
                same(u8::is_ascii_digit) || same(u8::is_ascii_lowercase) || same(u8::is_ascii_uppercase);
            if !is_known || first > last {
                return None;
            }
            (first..=last).for_each(|byte| set.0[usize::from(byte)] = true);
            asks_locale = true;
            self.done.has_ranges |= !first.is_ascii_digit();
            // What `a-c-e` is, nobody knows.
            if self.rest().starts_with(b"-") && !self.rest().starts_with(b"-]") {
                return None;
            }
        }
        self.at += 1;
        self.set(&set, negated, asks_locale);
        Some(())
    }

    /// Reads the name of a class and the `:]` behind it.
    fn class_name(&mut self) -> Option<&[u8]> {
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_lowercase()).count();
        let start = self.at;
        self.at += length;
        self.skip(b":]").then(|| &self.pattern[start..start + length])
    }
}

/// A set of ASCII characters.
#[derive(Clone)]
struct Set([bool; 128]);

impl Default for Set {
    fn default() -> Self {
        Set([false; 128])
    }
}

impl Set {
    fn new(holds: impl Fn(u8) -> bool) -> Self {
        let mut set = Set::default();
        (0..128).filter(|byte| holds(*byte)).for_each(|byte| set.0[usize::from(byte)] = true);
        set
    }

    /// Adds a class of characters; none if there is no such class.
    fn add_class(&mut self, name: &[u8]) -> Option<()> {
        let holds: fn(&u8) -> bool = match name {
            b"alpha" => u8::is_ascii_alphabetic,
            b"upper" => u8::is_ascii_uppercase,
            b"lower" => u8::is_ascii_lowercase,
            b"digit" => u8::is_ascii_digit,
            b"xdigit" => u8::is_ascii_hexdigit,
            b"alnum" => u8::is_ascii_alphanumeric,
            b"punct" => u8::is_ascii_punctuation,
            b"space" => |byte| byte.is_ascii_whitespace() || *byte == 0x0b,
            b"blank" => |byte| b" \t".contains(byte),
            b"cntrl" => u8::is_ascii_control,
            b"graph" => u8::is_ascii_graphic,
            b"print" => |byte| byte.is_ascii_graphic() || *byte == b' ',
            _ => return None,
        };
        (0..128_u8).filter(holds).for_each(|byte| self.0[usize::from(byte)] = true);
        Some(())
    }

    /// Adds the other case of every letter.
    fn add_other_case(&mut self) {
        for letter in b'a'..=b'z' {
            let (lower, upper) = (usize::from(letter), usize::from(letter.to_ascii_uppercase()));
            let any = self.0[lower] || self.0[upper];
            (self.0[lower], self.0[upper]) = (any, any);
        }
    }
}
