//! ASCII armour (RFC 9580, section 6), taken off in-process.

const BEGIN: &[u8] = b"-----BEGIN PGP MESSAGE-----";
const END: &[u8] = b"-----END PGP MESSAGE-----";

/// Returns the bytes in an armored message. Only the form that OpenPGP programs write is read: none of what
/// gpg might read otherwise than we do.
pub fn remove(message: &[u8]) -> Option<Vec<u8>> {
    let mut lines = lines(message.trim_ascii_end());
    if lines.next()? != BEGIN {
        return None;
    }
    // `Version: …` and the like, then an empty line.
    for line in lines.by_ref() {
        if line.is_empty() {
            break;
        }
        let colon = line.windows(2).position(|two| two == b": ")?;
        line[..colon].iter().all(u8::is_ascii_alphanumeric).then_some(())?;
    }
    let mut bits = Bits::default();
    let mut line = lines.next()?;
    while !line.starts_with(b"=") && !line.starts_with(b"-") {
        bits.read(line)?;
        line = lines.next()?;
    }
    // The checksum protects against noise, not against anybody; what is encrypted has a better one.
    if line.strip_prefix(b"=").is_some_and(|sum| sum.len() == 4) {
        line = lines.next()?;
    }
    (line == END && lines.next().is_none()).then_some(bits.bytes)
}

/// Returns the bytes of the first armored message somewhere in `text`, as far as they go: whatever gpg might
/// have read in it.
pub fn find(text: &[u8]) -> Option<Vec<u8>> {
    let begin = text.windows(BEGIN.len()).position(|place| place == BEGIN)?;
    let mut lines = lines(&text[begin..]);
    lines.by_ref().find(|line| line.trim_ascii().is_empty())?;
    let mut bits = Bits::default();
    let digits = lines.take_while(|line| !line.starts_with(b"-")).flatten();
    for digit in digits.take_while(|digit| **digit != b'=') {
        // What is no digit is skipped, as gpg does.
        bits.add(*digit);
    }
    Some(bits.bytes)
}

/// Returns the lines of a text, whose ends may have a carriage return.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// Base64 being read.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
    padded: bool,
}

impl Bits {
    /// Reads a line; nothing may follow padding.
    fn read(&mut self, line: &[u8]) -> Option<()> {
        let padding = line.iter().rev().take_while(|byte| **byte == b'=').count();
        if self.padded || padding == line.len() || padding > 2 {
            return None;
        }
        self.padded = padding > 0;
        line[..line.len() - padding].iter().try_for_each(|digit| self.add(*digit))
    }

    /// Adds a digit, if it is one.
    fn add(&mut self, digit: u8) -> Option<()> {
        self.pending = (self.pending << 6) | value(digit)?;
        self.count += 6;
        if self.count >= 8 {
            self.count -= 8;
            self.bytes.push(u8::try_from((self.pending >> self.count) & 0xff).ok()?);
        }
        Some(())
    }
}

/// Returns what a digit of base64 stands for.
fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armored(lines: &str) -> Vec<u8> {
        format!("-----BEGIN PGP MESSAGE-----\n{lines}\n-----END PGP MESSAGE-----\n").into_bytes()
    }

    #[test]
    fn reads_what_programs_write() {
        assert_eq!(remove(&armored("\naGVs\nbG8=\n=abcd")).as_deref(), Some(&b"hello"[..]));
        assert_eq!(remove(&armored("Version: x y\nComment: z\n\naGVsbG8h")).as_deref(), Some(&b"hello!"[..]));
        let with_returns = String::from_utf8(armored("\naGVsbA==")).unwrap().replace('\n', "\r\n");
        assert_eq!(remove(with_returns.as_bytes()).as_deref(), Some(&b"hell"[..]));
        let other_letters = [BEGIN, b"\nComment: \xfc\n\naGVs\n", END].concat();
        assert_eq!(remove(&other_letters).as_deref(), Some(&b"hel"[..]));
    }

    #[test]
    fn reads_nothing_else() {
        for odd in [
            "aGVs",
            "\naGVs\n\nbG8=",
            "\naGV s",
            "\naGVs bG8=",
            "\nbG8=\naGVs",
            "\naGVs\n=abcd\nx",
            "no header\n\naGVs",
        ] {
            assert_eq!(remove(&armored(odd)), None, "{odd:?}");
        }
        assert_eq!(remove(&[b"x\n", &armored("\naGVs")[..]].concat()), None);
        assert_eq!(remove(&[&armored("\naGVs")[..], b"more"].concat()), None);
    }

    #[test]
    fn finds_what_gpg_might_read() {
        for text in ["\naGVsbG8=\n=abcd", "x: y\nno header\n \naGV s\nbG8\n", "Comment: \u{fc}\n\naG.VsbG8"] {
            let text = [b"before\n", &armored(text)[..], b"behind"].concat();
            assert_eq!(find(&text).as_deref(), Some(&b"hello"[..]));
        }
        let whole = armored(&format!("\n{}", "aGVs\n".repeat(1000)));
        assert_eq!(find(&whole[..2000]).map(|bytes| bytes.starts_with(b"helhelhel")), Some(true));
        assert_eq!(find(b"no armour"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "(-----BEGIN PGP MESSAGE-----\n)?[A-Za-z0-9+/=\n: -]*") {
            let found = find(text.as_bytes());
            if let Some(bytes) = remove(text.as_bytes()) {
                assert_eq!(found, Some(bytes));
            }
        }
    }
}
