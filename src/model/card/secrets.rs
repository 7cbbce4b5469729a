//! The secrets that an entry holds, and what its account is known and recovered by.

use std::fmt;

use super::{BEGIN, Card, END, LOGIN, OTP};
use crate::model::Shown;
use crate::model::merge::field;

/// A secret that an entry holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secret {
    /// The first line.
    Password,
    /// The secret of one-time codes (`otpauth://`, or a field of such a name).
    OneTime,
    /// What lets its owner in without the second factor.
    Recovery,
    /// A private key, in armour.
    PrivateKey,
    /// A field of this name.
    Field(String),
    /// All of a text that has none of these.
    Text,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Password => f.write_str("password"),
            Secret::OneTime => f.write_str("one-time codes"),
            Secret::Recovery => f.write_str("recovery codes"),
            Secret::PrivateKey => f.write_str("private key"),
            Secret::Field(name) => write!(f, "{}", Shown::new(name)),
            Secret::Text => f.write_str("text"),
        }
    }
}

/// The names of fields that hold secrets, in lower case. What only begins or ends so is one as well (`api key`).
const SECRETS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pin",
    "puk",
    "secret",
    "token",
    "key",
    "pwd",
    "cvv",
    "seed",
];
const ONE_TIME: [&str; 4] = ["otp", "totp", "hotp", "2fa"];
const RECOVERY: [&str; 3] = ["recovery", "backup", "scratch"];

impl<'t> Card<'t> {
    /// Returns the secrets, each with its value; several lines may make one.
    pub fn secrets(&self) -> Vec<(Secret, Vec<&'t [u8]>)> {
        let mut found: Vec<(Secret, Vec<&[u8]>)> =
            self.password().map(|password| (Secret::Password, vec![password])).into_iter().collect();
        let first = (self.password().is_none() && !self.first.is_empty()).then_some(self.first);
        // What follows `recovery codes:` without a key of its own belongs to it, as does what is in armour.
        let mut open: Option<Secret> = None;
        for line in first.iter().chain(self.all.iter().filter(|line| !line.is_empty())) {
            let (kind, value) = match (&open, named(line)) {
                (Some(Secret::PrivateKey), _) => (Some(Secret::PrivateKey), *line),
                _ if is_begin(line) => (is_private(line).then_some(Secret::PrivateKey), *line),
                _ if is_one_time(line) => (Some(Secret::OneTime), *line),
                (_, Some((key, value))) => (secret(key), value),
                (Some(Secret::Recovery), None) => (Some(Secret::Recovery), *line),
                _ => (None, *line),
            };
            open = kind.clone().filter(|_| !line.starts_with(END));
            if let Some(kind) = kind.filter(|_| !value.is_empty()) {
                match found.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, values)) => values.push(value),
                    None => found.push((kind, vec![value])),
                }
            }
        }
        found
    }

    /// Returns the names under which the account is known.
    pub fn logins(&self) -> impl Iterator<Item = &'t [u8]> {
        let fields = self.lines.iter().filter_map(|line| named(line));
        let fields =
            fields.filter(|(key, value)| !value.is_empty() && LOGIN.contains(&&*key.to_ascii_lowercase()));
        fields.map(|(_, value)| value)
    }

    /// Returns where the account can be recovered: the addresses in fields that are about that, or that log in.
    pub fn recovers_through(&self) -> impl Iterator<Item = &'t [u8]> {
        let fields = self.lines.iter().filter_map(|line| named(line));
        let fields = fields.filter(|(key, value)| {
            let key = key.to_ascii_lowercase();
            value.contains(&b'@')
                && (key.contains("mail") || key.contains("recover") || LOGIN.contains(&&*key))
        });
        fields.map(|(_, value)| value)
    }
}

/// Returns the name and the value of a line that is a field. (`https://…` is none.)
fn named(line: &[u8]) -> Option<(&str, &[u8])> {
    let (key, value) = field(line)?;
    let key = str::from_utf8(key.strip_suffix(b":")?).ok()?;
    (!value.starts_with(b"//")).then_some((key.trim(), value.trim_ascii()))
}

/// Returns which secret a field of this name holds; none if it holds none.
fn secret(key: &str) -> Option<Secret> {
    let key = key.to_ascii_lowercase();
    let words: Vec<&str> = key.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    match () {
        () if has(&RECOVERY) => Some(Secret::Recovery).filter(|_| !key.contains("mail")),
        () if has(&ONE_TIME) => Some(Secret::OneTime),
        () if has(&SECRETS) || key.ends_with("key") => Some(Secret::Field(key)),
        () => None,
    }
}

fn is_one_time(line: &[u8]) -> bool {
    line.get(..OTP.len()).is_some_and(|start| start.eq_ignore_ascii_case(OTP))
}

fn is_begin(line: &[u8]) -> bool {
    line.starts_with(BEGIN)
}

fn is_private(line: &[u8]) -> bool {
    line.windows(7).any(|part| part == b"PRIVATE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Plaintext;

    fn secrets(text: &str) -> Vec<(Secret, Vec<String>)> {
        let text = Plaintext::new(text.as_bytes().to_vec());
        let text_of = |value: &&[u8]| String::from_utf8_lossy(value).into_owned();
        let found = Card::of(&text).secrets().into_iter();
        found.map(|(kind, values)| (kind, values.iter().map(text_of).collect())).collect()
    }

    #[test]
    fn finds_what_must_be_changed() {
        let text = "pw\r\nuser: ada\nurl: https://x.example\nAPI Key: k1\notpauth://totp/x?secret=S\nrecovery codes:\nr1\nr2\n\
                    note: see\nplain text\nPIN: 42\nrecovery e-mail: a@x\nkeyboard: us\n";
        let field = |name: &str| Secret::Field(name.to_owned());
        let expected = [
            (Secret::Password, vec!["pw"]),
            (field("api key"), vec!["k1"]),
            (Secret::OneTime, vec!["otpauth://totp/x?secret=S"]),
            (Secret::Recovery, vec!["r1", "r2"]),
            (field("pin"), vec!["42"]),
        ];
        let found = secrets(text);
        let found: Vec<(Secret, Vec<&str>)> = found
            .iter()
            .map(|(kind, values)| (kind.clone(), values.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_first_line_may_be_no_password() {
        assert_eq!(secrets(""), []);
        assert_eq!(secrets("\nuser: x\n"), []);
        assert_eq!(secrets("otpauth://totp/x?secret=S\n")[0].0, Secret::OneTime);
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nab: c\n-----END OPENSSH PRIVATE KEY-----\nx\n";
        let found = secrets(key);
        assert_eq!((found.len(), &found[0].0, found[0].1.len()), (1, &Secret::PrivateKey, 3));
        assert_eq!(secrets("-----BEGIN CERTIFICATE-----\nabc\n"), []);
    }

    #[test]
    fn finds_where_an_account_is_and_how_it_is_recovered() {
        let text =
            Plaintext::new(b"pw\nEmail: a@x\nWebsite: https://y\nrecovery mail: b@x\nlogin: c\n".to_vec());
        let card = Card::of(&text);
        assert_eq!(card.url(), Some(&b"https://y"[..]));
        assert_eq!(card.logins().collect::<Vec<_>>(), [&b"a@x"[..], b"c"]);
        assert_eq!(card.recovers_through().collect::<Vec<_>>(), [&b"a@x"[..], b"b@x"]);
    }
}
