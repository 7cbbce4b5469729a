//! Text that cannot drive a terminal.
//!
//! Names in a store, and messages of other programs, may hold escape sequences, bidirectional controls
//! or bytes that are no UTF-8. [`Shown`] writes them visibly instead.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;

/// Foreign bytes, displayed with everything escaped that could drive a terminal, line breaks included.
#[derive(Clone, Copy)]
pub struct Shown<'a>(&'a [u8]);

impl<'a> Shown<'a> {
    /// Returns the text to display for `bytes`.
    pub fn new(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Shown(bytes.as_ref())
    }

    /// Returns the text to display for a path or an argument.
    pub fn os(text: &'a (impl AsRef<OsStr> + ?Sized)) -> Self {
        Shown(text.as_ref().as_bytes())
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                write_char(f, c)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// Writes one character, escaped if a terminal could take it for a command or reorder text by it.
fn write_char(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\0'..='\x1f' | '\x7f' => write!(f, "\\x{:02x}", u32::from(c)),
        c if drives_terminal(c) => write!(f, "\\u{{{:x}}}", u32::from(c)),
        c => f.write_char(c),
    }
}

/// Whether a terminal may act on `c` instead of drawing it: C0 and C1 controls, bidirectional
/// controls (Unicode TR 9), line separators, invisible and tag characters.
pub fn drives_terminal(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_ordinary_text_alone() {
        assert_eq!(Shown::new("Größe/日本 'x' \\n").to_string(), "Größe/日本 'x' \\n");
    }

    #[test]
    fn escapes_what_drives_a_terminal() {
        let hostile = b"a\x1b]52;c;eA==\x07\r\nb\xff\xc2\x9b\xe2\x80\xae";
        let shown = Shown::new(hostile).to_string();
        assert_eq!(shown, "a\\x1b]52;c;eA==\\x07\\r\\nb\\xff\\u{9b}\\u{202e}");
    }

    proptest::proptest! {
        #[test]
        fn never_shows_a_control_character(bytes: Vec<u8>) {
            assert!(!Shown::new(&bytes).to_string().chars().any(drives_terminal));
        }
    }
}
