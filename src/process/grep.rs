//! The system's grep, fed with plaintext through a pipe.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use zeroize::Zeroizing;

use super::Filter;
use crate::model::Plaintext;

/// Returns the lines of `text` that grep finds with `words`, with its colours if `coloured`; none if it
/// finds none. If grep fails it has said why itself; its exit code is the inner error.
pub fn grep(words: &[OsString], text: &Plaintext, coloured: bool) -> io::Result<Result<Found, i32>> {
    let mut command = Command::new("grep");
    // The user's words may say otherwise: they come later.
    command.arg(if coloured { "--color=always" } else { "--color=never" }).args(words);
    let found = Filter::new(command, text.expose()).run()?;
    Ok(match found.exit.code() {
        Some(0) => Ok(Some(found.stdout)),
        Some(1) => Ok(None),
        code => Err(code.unwrap_or(2)),
    })
}

/// A plain word that is looked for: whether a text lacks it can be told without grep.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    word: Vec<u8>,
    any_case: bool,
}

impl Literal {
    /// Returns the plain word that grep would look for with `words`; none where they say anything else: other options
    /// than `-i`, or a character that is more than itself in some pattern.
    pub fn of(words: &[OsString]) -> Option<Self> {
        let (word, any_case) = match words {
            [word] => (word, false),
            [option, word] if option == "-i" => (word, true),
            _ => return None,
        };
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" _@:/,=#%-".contains(byte);
        let word = word.as_bytes().to_vec();
        let is_word = !word.is_empty() && word[0] != b'-' && word.iter().all(is_plain);
        is_word.then_some(Literal { word, any_case })
    }

    /// Whether `text` does not hold it, whatever the locale.
    pub fn is_absent(&self, text: &[u8]) -> bool {
        let mut parts = text.windows(self.word.len());
        match self.any_case {
            // Letters beyond ASCII may be the other case of one of these (`K`, the Kelvin sign, is a `k`).
            true => text.is_ascii() && !parts.any(|part| part.eq_ignore_ascii_case(&self.word)),
            false => !parts.any(|part| part == self.word),
        }
    }
}

/// What grep found, if anything.
pub type Found = Option<Zeroizing<Vec<u8>>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_are_told_without_grep() {
        let of = |words: &[&str]| Literal::of(&words.iter().map(OsString::from).collect::<Vec<_>>());
        for words in [&["user name"][..], &["anna@example"], &["-i", "Web/1"]] {
            assert!(of(words).is_some(), "{words:?}");
        }
        for words in [
            &[][..],
            &[""],
            &["-v"],
            &["a.b"],
            &["a*"],
            &["^a"],
            &["a\\|b"],
            &["a", "b"],
            &["-E", "a"],
            &["-iv", "a"],
            &["ä"],
            &["a\nb"],
            &["[a]"],
            &["a$"],
        ] {
            assert_eq!(of(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_text_lacks_a_word_exactly_where_grep_finds_none() {
        for (words, text) in [
            (vec!["user"], "USER user"),
            (vec!["user"], "USER"),
            (vec!["-i", "user"], "the UsEr"),
            (vec!["-i", "user"], "us\ner"),
            (vec!["-i", "k"], "\u{212a}"),
            (vec!["-i", "s"], "\u{17f}"),
            (vec!["a"], ""),
            (vec!["longer than the text"], "short"),
            (vec!["a b"], "xa bx"),
        ] {
            let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            let found = grep(&words, &Plaintext::new(text.as_bytes().to_vec()), false).unwrap().unwrap();
            let absent = Literal::of(&words).unwrap().is_absent(text.as_bytes());
            // What cannot be told is left to grep.
            assert!(!absent || found.is_none(), "{words:?} {text}");
            assert!(!text.is_ascii() || absent == found.is_none(), "{words:?} {text}");
        }
    }
}
