//! Secrets that wipe themselves.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretSlice};
use zeroize::{Zeroize as _, Zeroizing};

/// The decrypted content of an entry. Wiped when dropped; cannot be cloned, displayed or serialised.
pub struct Plaintext(SecretSlice<u8>);

impl Plaintext {
    /// Takes `bytes` over; whatever the vector held beyond its length is wiped too.
    pub fn new(mut bytes: Vec<u8>) -> Self {
        // Shrinking may copy; the old allocation would go unwiped. So copy by hand, and wipe.
        let exact: Box<[u8]> = bytes.as_slice().into();
        bytes.zeroize();
        Plaintext(SecretSlice::from(exact))
    }

    /// Takes over a buffer that wipes itself.
    pub fn from_zeroizing(bytes: Zeroizing<Vec<u8>>) -> Self {
        let exact: Box<[u8]> = bytes.as_slice().into();
        Plaintext(SecretSlice::from(exact))
    }

    /// Returns the bytes. To be called only where they leave us: to gpg, a terminal, a pipe.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// Returns line `number` (from 1) without its line break, none if there is no such line.
    pub fn line(&self, number: usize) -> Option<&[u8]> {
        let mut lines = self.expose().split(|b| *b == b'\n');
        let line = lines.nth(number.checked_sub(1)?)?;
        // `split` yields an empty piece after a final line break: that is no line.
        (!line.is_empty() || lines.next().is_some()).then_some(line)
    }

    /// Returns a copy of the content with the first line replaced by `password`.
    pub fn with_password(&self, password: &Plaintext) -> Plaintext {
        let rest = match self.expose().iter().position(|b| *b == b'\n') {
            Some(end) => &self.expose()[end..],
            None => b"\n",
        };
        Plaintext::new([password.expose(), rest].concat())
    }

    /// Whether both hold the same bytes.
    pub fn equals(&self, other: &Plaintext) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext([redacted])")
    }
}

/// What unlocks a secret key.
pub struct Passphrase(SecretSlice<u8>);

impl Passphrase {
    /// Takes `bytes` over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Passphrase(Plaintext::new(bytes).0)
    }

    /// Returns the bytes, for the program that asked for them.
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_lines() {
        let text = Plaintext::new(b"pw\n\nuser: me\n".to_vec());
        assert_eq!(text.line(1), Some(&b"pw"[..]));
        assert_eq!(text.line(2), Some(&b""[..]));
        assert_eq!(text.line(3), Some(&b"user: me"[..]));
        assert_eq!(text.line(4), None);
        assert_eq!(text.line(0), None);
    }

    #[test]
    fn replaces_the_first_line_only() {
        let new = Plaintext::new(b"new".to_vec());
        for (old, expected) in [("", "new\n"), ("a", "new\n"), ("a\n", "new\n"), ("a\nb\nc", "new\nb\nc")] {
            let text = Plaintext::new(old.as_bytes().to_vec()).with_password(&new);
            assert_eq!(text.expose(), expected.as_bytes(), "{old:?}");
        }
    }

    #[test]
    fn is_redacted_in_debug() {
        assert!(!format!("{:?}", Plaintext::new(b"hunter2".to_vec())).contains("hunter2"));
    }
}
