//! Names as a shell takes them, for commands that a person may copy from a message.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use super::shown::drives_terminal;

/// Returns an argument as it is where no shell finds anything special in it, else in quotes. What could drive
/// a terminal is escaped so that bash and zsh read it back (`$'…'`). A name that begins with `-` gets `./`.
pub fn argument(text: &(impl AsRef<OsStr> + ?Sized)) -> String {
    let bytes = text.as_ref().as_bytes();
    let before = if bytes.first() == Some(&b'-') { "./" } else { "" };
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(drives_terminal) => match is_plain(text) {
            true => format!("{before}{text}"),
            false => format!("'{before}{}'", text.replace('\'', "'\\''")),
        },
        _ => escaped(bytes, before),
    }
}

/// Whether a shell takes a text as one word that stands for itself.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%,:=!".contains(c);
    // zsh looks up what follows a leading `=`; an interactive bash looks for `!` in its history.
    let odd = text.starts_with('=') || text.strip_suffix('!').unwrap_or(text).contains('!');
    !text.is_empty() && text.chars().all(plain) && !odd
}

/// Writes bytes as `$'…'`.
fn escaped(bytes: &[u8], before: &str) -> String {
    let mut quoted = format!("$'{before}");
    let escape = |quoted: &mut String, bytes: &[u8]| {
        bytes.iter().for_each(|byte| {
            let _ = write!(quoted, "\\x{byte:02x}");
        });
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\'' => quoted.extend(['\\', c]),
                c if drives_terminal(c) => escape(&mut quoted, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => quoted.push(c),
            }
        }
        escape(&mut quoted, chunk.invalid());
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_what_a_shell_would_read_otherwise() {
        for (text, expected) in [
            ("clients/acme-1", "clients/acme-1"),
            ("anna@x.example", "anna@x.example"),
            ("0123ABCD!", "0123ABCD!"),
            ("clients/Bïrch & Söhne", "'clients/Bïrch & Söhne'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("-x", "./-x"),
            ("-x y", "'./-x y'"),
            ("=a", "'=a'"),
            ("a\x1b'\\", "$'a\\x1b\\'\\\\'"),
        ] {
            assert_eq!(argument(text), expected);
        }
        assert_eq!(argument(OsStr::from_bytes(b"a\xff")), "$'a\\xff'");
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for text in ["a b", "it's $HOME `x` \"y\"", "a\\b\n\x1b[2Jü\u{202e}", "*?[a]{b,c}~#;&|<>()"] {
            let line = format!("printf %s {}", argument(text));
            let read = std::process::Command::new("bash").args(["-c", &line]).output().unwrap().stdout;
            assert_eq!(String::from_utf8(read).unwrap(), text);
        }
    }
}
