//! Making passwords.

use zeroize::Zeroizing;

use super::insert::{entry_state, plan};
use super::{Context, OpError};
use crate::model::{EntryName, Plaintext};
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::transaction::Published;

/// The longest password that is made, in characters.
pub const MAX_LENGTH: usize = 65_536;

/// Why a set of characters cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SetError {
    /// There is nothing to choose from.
    #[error("the character set is empty")]
    Empty,
    /// No such class.
    #[error("`[:{0}:]` is no character class")]
    Class(String),
    /// A range that runs backwards.
    #[error("the range `{0}-{1}` runs backwards")]
    Range(char, char),
    /// A character that would end the line.
    #[error("the character set holds a line break or NUL")]
    LineBreak,
}

/// The characters that a password is made of, each once, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CharacterSet(Vec<char>);

impl CharacterSet {
    /// Parses the syntax of tr(1) in the C locale: classes (`[:alnum:]`), ranges (`a-z`), equivalence
    /// classes (`[=a=]`), escapes (`\\`, `\n`, `\041`). Characters beyond ASCII stand for themselves.
    pub fn parse(text: &str) -> Result<Self, SetError> {
        let mut set = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some((class, tail)) = bracketed(rest, ':') {
                let is = class_of(class).ok_or_else(|| SetError::Class(class.to_owned()))?;
                set.extend((0..128_u8).map(char::from).filter(is));
                rest = tail;
                continue;
            }
            if let Some((one, tail)) = bracketed(rest, '=')
                && one.chars().count() == 1
            {
                set.extend(one.chars());
                rest = tail;
                continue;
            }
            let (first, tail) = character(rest);
            rest = tail;
            match rest.strip_prefix('-').filter(|tail| !tail.is_empty()) {
                Some(tail) => {
                    let (last, tail) = character(tail);
                    if last < first {
                        return Err(SetError::Range(first, last));
                    }
                    set.extend(first..=last);
                    rest = tail;
                }
                None => set.push(first),
            }
        }
        set.sort_unstable();
        set.dedup();
        if set.is_empty() {
            return Err(SetError::Empty);
        }
        if set.iter().any(|c| matches!(c, '\n' | '\0')) {
            return Err(SetError::LineBreak);
        }
        Ok(CharacterSet(set))
    }

    /// Returns the characters.
    pub fn characters(&self) -> &[char] {
        &self.0
    }
}

/// Returns what stands in `[:…:]` or `[=…=]` at the beginning of `text`, and the rest.
fn bracketed(text: &str, mark: char) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('[')?.strip_prefix(mark)?;
    let end = inner.char_indices().skip(1).find(|(at, c)| *c == mark && inner[at + 1..].starts_with(']'))?.0;
    Some((&inner[..end], &inner[end + 2..]))
}

/// Returns the first character of `text`, an escape resolved, and the rest.
fn character(text: &str) -> (char, &str) {
    let mut chars = text.chars();
    let first = chars.next().expect("the text is not empty");
    let rest = chars.as_str();
    if first != '\\' || rest.is_empty() {
        return (first, rest);
    }
    let digits = rest.bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    if digits > 0 {
        let code = u32::from_str_radix(&rest[..digits], 8).expect("these are octal digits");
        // Three digits may exceed a byte: tr then takes two.
        let (code, digits) = if code > 255 { (code >> 3, digits - 1) } else { (code, digits) };
        return (char::from_u32(code).expect("a byte is a character"), &rest[digits..]);
    }
    let escaped = chars.next().expect("the rest is not empty");
    let resolved = match escaped {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        other => other,
    };
    (resolved, chars.as_str())
}

/// Returns the test for a POSIX class in the C locale.
fn class_of(name: &str) -> Option<fn(&char) -> bool> {
    Some(match name {
        "alnum" => char::is_ascii_alphanumeric,
        "alpha" => char::is_ascii_alphabetic,
        "blank" => |c| matches!(c, ' ' | '\t'),
        "cntrl" => char::is_ascii_control,
        "digit" => char::is_ascii_digit,
        "graph" => char::is_ascii_graphic,
        "lower" => char::is_ascii_lowercase,
        "print" => |c| matches!(c, ' '..='~'),
        "punct" => char::is_ascii_punctuation,
        "space" => |c| matches!(c, ' ' | '\t'..='\r'),
        "upper" => char::is_ascii_uppercase,
        "xdigit" => char::is_ascii_hexdigit,
        _ => return None,
    })
}

/// Returns a password of `length` characters, each drawn from `set` with the same probability, from the
/// operating system's random source.
pub fn password(set: &CharacterSet, length: usize) -> Result<Plaintext, StoreError> {
    let mut fill = |buffer: &mut [u8]| getrandom::fill(buffer).map_err(|e| StoreError::Random(e.to_string()));
    draw(set, length, &mut fill)
}

/// Draws characters from the bytes that `fill` gives: numbers beyond the largest multiple of the set's
/// size are thrown away, so that no character is likelier than another.
fn draw(
    set: &CharacterSet,
    length: usize,
    fill: &mut dyn FnMut(&mut [u8]) -> Result<(), StoreError>,
) -> Result<Plaintext, StoreError> {
    let size = u32::try_from(set.0.len()).expect("there are fewer characters than numbers");
    let limit = u32::MAX - (u32::MAX % size + 1) % size;
    // Reserved in full, so that no copy of a secret is left behind by growing.
    let mut text = Zeroizing::new(Vec::with_capacity(length * 4));
    let mut random = Zeroizing::new([0_u8; 256]);
    let mut drawn = 0;
    while drawn < length {
        fill(random.as_mut_slice())?;
        for four in random.as_chunks::<4>().0 {
            let number = u32::from_le_bytes(*four);
            if drawn < length && number <= limit {
                let c = set.0[(number % size) as usize];
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                drawn += 1;
            }
        }
    }
    Ok(Plaintext::from_zeroizing(text))
}

/// Replaces the first line of the entry `name` by `password` and keeps the rest, whatever it is at the
/// moment of publication.
pub fn replace_password(
    context: &Context<'_>,
    name: &EntryName,
    password: &Plaintext,
    subject: &str,
) -> Result<Published, OpError> {
    context.publish(|| {
        entry_state(context, name)?;
        let message = context.store.beneath().read(&name.file())?;
        let message = message.ok_or_else(|| OpError::NotFound(name.to_string()))?;
        let text = context.decrypt(name, &message)?;
        // What follows the first line is encrypted anew, seen by nobody.
        context.refuse_held_back(name, &message, &context.recipients(&name.folder())?)?;
        let text = text.with_password(password);
        plan(context, name, &text, State::of(&message), subject)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> String {
        CharacterSet::parse(text).unwrap().0.into_iter().collect()
    }

    #[test]
    fn reads_the_syntax_of_tr() {
        assert_eq!(set("[:digit:]a-c\\\\"), "0123456789\\abc");
        assert_eq!(set("\\041\\1010-2"), "!012A");
        assert_eq!(set("a-"), "-a");
        assert_eq!(set("[=x=][a]"), "[]ax");
        assert_eq!(set("[:alnum:]").len(), 62);
        assert_eq!(set("[:punct:][:alnum:]").len(), 94);
        assert_eq!(set("äöü"), "äöü");
        assert_eq!(set("aaab"), "ab");
    }

    #[test]
    fn refuses_what_is_no_set() {
        assert_eq!(CharacterSet::parse(""), Err(SetError::Empty));
        assert_eq!(CharacterSet::parse("[:nope:]"), Err(SetError::Class("nope".into())));
        assert_eq!(CharacterSet::parse("z-a"), Err(SetError::Range('z', 'a')));
        assert_eq!(CharacterSet::parse("a\\n"), Err(SetError::LineBreak));
    }

    #[test]
    fn is_uniform_over_exactly_the_set() {
        // Exact, not statistical: every 32-bit number that is not thrown away is counted through the
        // residues, and the numbers kept must be a whole multiple of the set's size.
        for size in 1..=200_u32 {
            let set = CharacterSet((0..size).map(|n| char::from_u32(0x4e00 + n).unwrap()).collect());
            let limit = u32::MAX - (u32::MAX % size + 1) % size;
            assert_eq!((u64::from(limit) + 1) % u64::from(size), 0, "{size}");
            // Numbers around the border: the last one kept gives the last character, all above none.
            let above = limit.checked_add(1).unwrap_or(0);
            let around = [limit, above, 0, 1];
            let mut numbers = around.iter().cycle();
            let mut fill = |buffer: &mut [u8]| {
                for four in buffer.as_chunks_mut::<4>().0 {
                    *four = numbers.next().unwrap().to_le_bytes();
                }
                Ok(())
            };
            let text = draw(&set, 3, &mut fill).unwrap();
            let drawn: Vec<char> = std::str::from_utf8(text.expose()).unwrap().chars().collect();
            assert_eq!(drawn[0], *set.0.last().unwrap(), "{size}");
            assert_eq!(drawn[1], set.0[0], "{size}");
        }
    }

    #[test]
    fn real_passwords_use_every_character() {
        let set = CharacterSet::parse("[:punct:][:alnum:]").unwrap();
        let text = password(&set, 50_000).unwrap();
        let mut counts = [0_u32; 128];
        for byte in text.expose() {
            counts[usize::from(*byte)] += 1;
        }
        let drawn: Vec<u32> = set.0.iter().map(|c| counts[*c as usize]).collect();
        assert_eq!(drawn.iter().sum::<u32>(), 50_000);
        // Chi-squared with 93 degrees of freedom: above 200 with a probability below 1e-9.
        let expected = 50_000.0 / 94.0;
        let chi: f64 = drawn.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
        assert!(chi < 200.0, "{chi}");
    }
}
