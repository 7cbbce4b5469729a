//! ASCII armour (RFC 9580, section 6), taken off in-process.
//!
//! Only the form that OpenPGP programs write is read: what gpg might read otherwise than we do is not read
//! at all.

/// Returns the bytes in an armored message; none if the armour is of any unusual form.
pub fn remove(message: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(message).ok()?;
    let mut lines = text.trim_end().lines().map(|line| line.strip_suffix('\r').unwrap_or(line));
    if lines.next()? != "-----BEGIN PGP MESSAGE-----" {
        return None;
    }
    // `Version: …` and the like, then an empty line.
    for line in lines.by_ref() {
        if line.is_empty() {
            break;
        }
        line.split_once(": ").filter(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    }
    let mut bits = Bits::default();
    let mut line = lines.next()?;
    while !line.starts_with(['=', '-']) {
        bits.read(line)?;
        line = lines.next()?;
    }
    // The checksum protects against noise, not against anybody: gpg ignores it too.
    if line.strip_prefix('=').is_some_and(|sum| sum.len() == 4) {
        line = lines.next()?;
    }
    (line == "-----END PGP MESSAGE-----" && lines.next().is_none()).then_some(bits.bytes)
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
    fn read(&mut self, line: &str) -> Option<()> {
        let digits = line.trim_end_matches('=');
        if self.padded || digits.is_empty() || line.len() - digits.len() > 2 {
            return None;
        }
        self.padded = digits.len() < line.len();
        for digit in digits.bytes() {
            self.pending = (self.pending << 6) | value(digit)?;
            self.count += 6;
            if self.count >= 8 {
                self.count -= 8;
                self.bytes.push(u8::try_from((self.pending >> self.count) & 0xff).ok()?);
            }
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

    proptest::proptest! {
        #[test]
        fn never_panics(text in "(-----BEGIN PGP MESSAGE-----\n)?[A-Za-z0-9+/=\n: -]*") {
            let _ = remove(text.as_bytes());
        }
    }
}
