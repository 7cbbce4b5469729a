//! What an entry says of an account: its password, and what follows as `key: value` fields.

mod secrets;

use super::Plaintext;
use super::merge::field;
pub use secrets::{Secret, Value};

/// How an enclosed block begins and ends (RFC 7468 and its like): nothing in it is a field.
const BEGIN: &[u8] = b"-----BEGIN";
const END: &[u8] = b"-----END";
/// How the address begins that one-time passwords are made from, as pass-otp keeps it.
const OTP: &[u8] = b"otpauth://";
/// First lines of files of other kinds, which say nothing.
const OPENINGS: [&[u8]; 5] = [b"{", b"[", b"[{", b"---", b"apiVersion: v1"];

/// What fields are called that name who logs in, where, and what one-time passwords are made from.
const LOGIN: [&str; 5] = ["login", "user", "username", "email", "e-mail"];
const URL: [&str; 4] = ["url", "website", "site", "uri"];
const SECOND_FACTOR: [&str; 2] = ["totp", "otp"];

/// What recovery codes are called: the first word, and what may follow it.
const RECOVERY: [&str; 4] = ["recovery", "backup", "scratch", "emergency"];
const CODES: [&str; 5] = ["code", "codes", "key", "keys", "phrase"];

/// An entry's text, read as people write accounts down. It is not copied.
pub struct Card<'a> {
    first: &'a [u8],
    /// The lines behind it that are in no block.
    lines: Vec<&'a [u8]>,
    /// All lines behind it.
    all: Vec<&'a [u8]>,
}

impl<'a> Card<'a> {
    /// Reads a text.
    pub fn of(text: &'a Plaintext) -> Self {
        let mut lines = text.expose().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let first = lines.next().unwrap_or_default();
        let all: Vec<&[u8]> = lines.collect();
        let mut is_block = first.starts_with(BEGIN);
        let outside = all.iter().copied().filter(|line| {
            let was_block = is_block;
            is_block = line.starts_with(BEGIN) || (is_block && !line.starts_with(END));
            !was_block && !is_block
        });
        Card { first, lines: outside.collect(), all }
    }

    /// Returns the password; none if the first line is blank, or begins something that is no password.
    pub fn password(&self) -> Option<&'a [u8]> {
        let is_other = self.first.trim_ascii().is_empty()
            || [BEGIN, OTP, b"<?xml"].iter().any(|start| self.first.starts_with(start))
            || OPENINGS.contains(&self.first.trim_ascii());
        (!is_other).then_some(self.first)
    }

    /// Returns who logs in.
    pub fn login(&self) -> Option<&'a [u8]> {
        self.value(&LOGIN)
    }

    /// Returns where: the field, or a line that is an address.
    pub fn url(&self) -> Option<&'a [u8]> {
        let is_address = |line: &&&[u8]| line.starts_with(b"https://") || line.starts_with(b"http://");
        self.value(&URL).or_else(|| self.lines.iter().find(is_address).copied())
    }

    /// Returns when the entry says that it ends.
    pub fn expires(&self) -> Option<&'a [u8]> {
        self.value(&["expires"])
    }

    /// Whether one-time passwords are made from it.
    pub fn has_second_factor(&self) -> bool {
        self.first.starts_with(OTP)
            || self.lines.iter().any(|line| line.starts_with(OTP))
            || self.value(&SECOND_FACTOR).is_some()
    }

    /// Whether it holds recovery codes: behind their label, or in the line below it.
    pub fn has_recovery(&self) -> bool {
        let mut lines = self.lines.iter().peekable();
        while let Some(line) = lines.next() {
            if let Some(rest) = recovery(line)
                && (rest || lines.peek().is_some_and(|next| !next.is_empty()))
            {
                return true;
            }
        }
        false
    }

    /// Returns the first value of a field that is called one of `names`, in any case; a field without value is none.
    fn value(&self, names: &[&str]) -> Option<&'a [u8]> {
        let fields = self.lines.iter().filter_map(|line| field(line));
        let is_named = |key: &[u8]| {
            names.iter().any(|name| {
                key.strip_suffix(b":").is_some_and(|key| key.eq_ignore_ascii_case(name.as_bytes()))
            })
        };
        let values = fields.filter(|(key, _)| is_named(key)).map(|(_, value)| value.trim_ascii());
        values.into_iter().find(|value| !value.is_empty())
    }
}

/// Returns whether more stands in a line that begins with a label for recovery codes; none for other lines.
fn recovery(line: &[u8]) -> Option<bool> {
    let is_between = |byte: &u8| !byte.is_ascii_alphanumeric();
    let mut words = line.split(is_between).filter(|word| !word.is_empty()).peekable();
    let is_one_of =
        |word: &[u8], all: &[&str]| all.iter().any(|one| word.eq_ignore_ascii_case(one.as_bytes()));
    let first = words.next().filter(|word| is_one_of(word, &RECOVERY))?;
    let labelled = words.next_if(|word| is_one_of(word, &CODES)).is_some();
    // `Recovery:` alone is a label, but a recovery e-mail address is another thing, as is a backup.
    let is_field = first.eq_ignore_ascii_case(b"recovery")
        && field(line).is_some_and(|(key, _)| key.len() == first.len() + 1);
    (labelled || is_field).then(|| words.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Plaintext {
        Plaintext::new(text.as_bytes().to_vec())
    }

    #[test]
    fn a_first_line_is_not_always_a_password() {
        for (whole, password) in [
            ("pw", Some("pw")),
            ("pw \r\nuser: x", Some("pw")),
            ("user: anna\n", Some("user: anna")),
            ("", None),
            ("\nnote", None),
            ("  \nnote", None),
            ("otpauth://totp/x?secret=AA", None),
            ("{\n  \"private_key_id\": \"x\"\n}", None),
            ("apiVersion: v1\nkind: Config", None),
            ("{x", Some("{x")),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", None),
        ] {
            assert_eq!(Card::of(&text(whole)).password(), password.map(str::as_bytes), "{whole:?}");
        }
    }

    #[test]
    fn fields_are_found_in_any_case_and_only_with_a_value() {
        let whole = text("pw\nLogin:\nUser:  anna \nURL: https://x\nExpires: 2030-01-01\r\nwhere: y\n");
        let card = Card::of(&whole);
        assert_eq!((card.login(), card.url()), (Some(&b"anna"[..]), Some(&b"https://x"[..])));
        assert_eq!(card.expires(), Some(&b"2030-01-01"[..]));
        let bare =
            text("user: first\nhttps://example.org/login\n-----BEGIN X-----\nlogin: no\n-----END X-----\n");
        let card = Card::of(&bare);
        assert_eq!((card.login(), card.url()), (None, Some(&b"https://example.org/login"[..])));
        let after = text("-----BEGIN X-----\nlogin: no\n-----END X-----\nlogin: yes\n");
        assert_eq!(Card::of(&after).login(), Some(&b"yes"[..]));
    }

    #[test]
    fn recovery_codes_stand_behind_their_label_or_below_it() {
        for (rest, found) in [
            ("recovery codes: 1234 5678", true),
            ("Recovery-Codes:\n1234", true),
            ("## Backup codes\n- 1234", true),
            ("recovery: 1234", true),
            ("recovery_key: abc", true),
            ("recovery codes:", false),
            ("recovery codes:\n\n1234", false),
            ("recovery email: a@example.org", false),
            ("backup: nightly", false),
            ("note: 1234", false),
        ] {
            let whole = text(&format!("pw\notpauth://totp/x?secret=AA\n{rest}"));
            let card = Card::of(&whole);
            assert!(card.has_second_factor());
            assert_eq!(card.has_recovery(), found, "{rest:?}");
        }
        for factor in ["TOTP: abc", "otp: abc"] {
            assert!(Card::of(&text(&format!("pw\n{factor}"))).has_second_factor(), "{factor}");
        }
        assert!(!Card::of(&text("pw\nuser: otpauth://\ntotp:\n")).has_second_factor());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_texts_do_no_harm(bytes: Vec<u8>) {
            let whole = Plaintext::new(bytes);
            let card = Card::of(&whole);
            let _ = (card.password(), card.login(), card.url(), card.expires(), card.has_second_factor(), card.has_recovery());
        }
    }
}
