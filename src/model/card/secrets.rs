//! The secrets that an entry holds, and what its account is known and recovered by.

use std::fmt;

use zeroize::Zeroizing;

use super::{BEGIN, Card, END, LOGIN, OTP, URL};
use crate::model::merge::field;

/// A secret that an entry holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secret {
    /// The first line.
    Password,
    /// The secret of one-time codes (`otpauth://`, or a field of such a name).
    OneTime,
    /// What lets its owner in without the second factor.
    Recovery,
    /// A private key, in armour.
    PrivateKey,
    /// Who logs in with which password, in an address.
    Address,
    /// A field whose name holds this word.
    Field(&'static str),
    /// All of a text that has none of these.
    Text,
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Secret::Password => "password",
            Secret::OneTime => "one-time codes",
            Secret::Recovery => "recovery codes",
            Secret::PrivateKey => "private key",
            Secret::Address => "password in an address",
            // Never the name as it stands there: people write secrets into it.
            Secret::Field(word) => word,
            Secret::Text => "text",
        })
    }
}

/// Words in the names of fields that hold secrets, in lower case; a name may end in one as well (`clientSecret`).
const SECRETS: [&str; 21] = [
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "pass",
    "pwd",
    "pw",
    "pin",
    "puk",
    "secret",
    "token",
    "apikey",
    "key",
    "psk",
    "cvv",
    "cvc",
    "seed",
    "credential",
    "credentials",
    "auth",
];
const ONE_TIME: [&str; 4] = ["otp", "totp", "hotp", "2fa"];
const RECOVERY: [&str; 3] = ["recovery", "backup", "scratch"];
/// Names of fields that say nothing secret, besides those of logins and addresses.
const PLAIN: [&str; 8] = ["note", "notes", "comment", "expires", "title", "host", "port", "name"];
/// What says that there is none.
const NOTHING: [&str; 10] = ["", "-", "yes", "no", "on", "off", "true", "false", "none", "app"];
/// The shortest secret of one-time codes, in letters: 80 bits (RFC 4226, section 4, asks for 128).
const SHORTEST_ONE_TIME: usize = 16;

/// A value; wiped after use.
pub type Value = Zeroizing<Vec<u8>>;

impl<'t> Card<'t> {
    /// Returns the secrets, each with its values, and the lines of which nobody can say whether they are one.
    pub fn secrets(&self) -> (Vec<(Secret, Vec<Value>)>, Vec<Value>) {
        let mut found = Found::default();
        if let Some(password) = self.password() {
            found.add(Secret::Password, password);
        } else if !self.first.is_empty() {
            found.line(self.first);
        }
        self.all.iter().for_each(|line| found.line(line));
        (found.secrets, found.others)
    }

    /// Returns the names under which the account is known.
    pub fn logins(&self) -> impl Iterator<Item = &'t [u8]> {
        let fields = self.lines.iter().filter_map(|line| named(line));
        let fields = fields.filter(|(key, value)| !value.is_empty() && is_one_of(key, &LOGIN));
        fields.map(|(_, value)| value)
    }

    /// Returns where the account can be recovered: the addresses in fields that are about mail or recovery.
    pub fn recovers_through(&self) -> impl Iterator<Item = &'t [u8]> {
        let fields = self.lines.iter().filter_map(|line| named(line));
        let fields = fields.filter(|(key, value)| {
            let key = key.to_ascii_lowercase();
            value.contains(&b'@') && (key.contains("mail") || key.contains("recover"))
        });
        fields.map(|(_, value)| value)
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    secrets: Vec<(Secret, Vec<Value>)>,
    others: Vec<Value>,
    /// What the next line belongs to, unless it says otherwise.
    open: Option<Open>,
}

enum Open {
    /// A block in armour; whether it is a private key.
    Block(bool),
    /// What is called recovery codes.
    Recovery,
}

impl Found {
    fn add(&mut self, kind: Secret, value: &[u8]) {
        self.values(kind).push(Zeroizing::new(value.to_vec()));
    }

    fn values(&mut self, kind: Secret) -> &mut Vec<Value> {
        let place = self.secrets.iter().position(|(known, _)| *known == kind);
        let place = place.unwrap_or_else(|| {
            self.secrets.push((kind, Vec::new()));
            self.secrets.len() - 1
        });
        &mut self.secrets[place].1
    }

    /// Takes a line behind the password.
    fn line(&mut self, line: &[u8]) {
        if let Some(Open::Block(is_private)) = self.open {
            return self.block(line, is_private);
        }
        let was_recovery = matches!(self.open.take(), Some(Open::Recovery));
        if line.is_empty() {
        } else if line.starts_with(BEGIN) {
            let is_private = line.windows(7).any(|part| part == b"PRIVATE");
            if is_private {
                self.values(Secret::PrivateKey).push(Value::default());
            }
            self.open = Some(Open::Block(is_private));
        } else if is_one_time(line) {
            self.add(Secret::OneTime, &one_time(line));
        } else if let Some((key, value)) = named(line) {
            self.field(line, key, value);
        } else if was_recovery && is_code(line) {
            self.add(Secret::Recovery, line);
            self.open = Some(Open::Recovery);
        } else {
            self.others.push(Zeroizing::new(line.to_vec()));
        }
    }

    /// Takes a line of a block: a key is one value, without what all keys have in common.
    fn block(&mut self, line: &[u8], is_private: bool) {
        if line.starts_with(END) {
            self.open = None;
        } else if is_private
            && !line.contains(&b':')
            && let Some(value) = self.values(Secret::PrivateKey).last_mut()
        {
            // Grown by hand: what is moved must be wiped.
            let grown = [value.as_slice(), line].concat();
            *value = Zeroizing::new(grown);
        }
    }

    fn field(&mut self, line: &[u8], key: &str, value: &[u8]) {
        if let Some(login) = login_in(value) {
            self.add(Secret::Address, login);
        }
        let is_nothing =
            value.len() < 8 && NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
        match secret(key) {
            Some(Secret::Recovery) => {
                self.open = Some(Open::Recovery);
                if !is_nothing {
                    self.add(Secret::Recovery, value);
                }
            }
            _ if is_nothing => {}
            Some(Secret::OneTime) if one_time(value).len() >= SHORTEST_ONE_TIME => {
                self.add(Secret::OneTime, &one_time(value));
            }
            Some(kind @ Secret::Field(_)) => self.add(kind, value),
            _ if is_one_of(key, &LOGIN) || is_one_of(key, &URL) || is_one_of(key, &PLAIN) => {}
            _ => self.others.push(Zeroizing::new(line.to_vec())),
        }
    }
}

/// Returns the name and the value of a line that is a field: `key: value`, or `KEY=value` as in an environment.
/// (`https://…` is none.)
fn named(line: &[u8]) -> Option<(&str, &[u8])> {
    let variable = || {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        (at > 0 && line[..at].iter().all(is_name)).then(|| (&line[..at], &line[at + 1..]))
    };
    let (key, value) = match field(line) {
        Some((key, value)) => (key.strip_suffix(b":")?, value),
        None => variable()?,
    };
    (!value.starts_with(b"//")).then_some((str::from_utf8(key).ok()?.trim(), value.trim_ascii()))
}

fn is_one_of(key: &str, names: &[&str]) -> bool {
    names.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// Returns which secret a field of this name holds; none if it holds none.
fn secret(key: &str) -> Option<Secret> {
    let key = key.to_ascii_lowercase();
    let words: Vec<&str> = key.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    let ends = |name: &&&str| name.len() > 2 && words.iter().any(|word| word.ends_with(**name));
    match () {
        () if has(&RECOVERY) => Some(Secret::Recovery).filter(|_| !key.contains("mail")),
        () if has(&ONE_TIME) => Some(Secret::OneTime),
        () => {
            let whole = words.iter().find_map(|word| SECRETS.iter().find(|name| *name == word));
            whole.or_else(|| SECRETS.iter().find(ends)).map(|word| Secret::Field(word))
        }
    }
}

fn is_one_time(line: &[u8]) -> bool {
    line.get(..OTP.len()).is_some_and(|start| start.eq_ignore_ascii_case(OTP))
}

/// Returns the secret of an address of one-time codes, whatever it is labelled, or of a field; in the one form that
/// base32 has. All of an address without a secret.
fn one_time(text: &[u8]) -> Value {
    let name = b"secret=";
    let at = text.windows(name.len()).position(|part| part.eq_ignore_ascii_case(name));
    let Some(rest) = at.map(|at| &text[at + name.len()..]).or((!is_one_time(text)).then_some(text)) else {
        return Zeroizing::new(text.to_vec());
    };
    let secret = rest.split(|byte| *byte == b'&').next().unwrap_or_default();
    let letters = secret.iter().filter(|byte| byte.is_ascii_alphanumeric());
    Zeroizing::new(letters.map(u8::to_ascii_uppercase).collect())
}

/// Whether a line looks like a code: one word, or with a digit in it.
fn is_code(line: &[u8]) -> bool {
    !line.contains(&b' ') || line.iter().any(u8::is_ascii_digit)
}

/// Returns `name:password` out of `scheme://name:password@host`.
fn login_in(url: &[u8]) -> Option<&[u8]> {
    let start = url.windows(3).position(|part| part == b"://")? + 3;
    let host = url[start..].split(|byte| b"/?#".contains(byte)).next().unwrap_or_default();
    let login = &host[..host.iter().rposition(|byte| *byte == b'@')?];
    login.contains(&b':').then_some(login)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Plaintext;

    fn secrets(text: &str) -> Vec<(Secret, Vec<String>)> {
        let text = Plaintext::new(text.as_bytes().to_vec());
        let text_of = |value: &Value| String::from_utf8_lossy(value).into_owned();
        let found = Card::of(&text).secrets().0.into_iter();
        found.map(|(kind, values)| (kind, values.iter().map(text_of).collect())).collect()
    }

    #[track_caller]
    fn finds(text: &str, expected: &[(Secret, &[&str])]) {
        let found = secrets(text);
        let found: Vec<(Secret, Vec<&str>)> =
            found.iter().map(|(kind, all)| (*kind, all.iter().map(String::as_str).collect())).collect();
        let expected: Vec<(Secret, Vec<&str>)> =
            expected.iter().map(|(kind, all)| (*kind, all.to_vec())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn finds_what_must_be_changed() {
        let text = "pw\r\nuser: ada\nurl: https://x.example\nAPI Key: k1\notpauth://totp/x?secret=ab2c%3D&issuer=y\nrecovery codes:\nr1\n\
                    r2\nnote: see\nplain text\nPIN: 42\nrecovery e-mail: a@x\nkeyboard: us\nAPI_TOKEN=t1\nclientSecret: c1\nwifi pw: w\n";
        finds(
            text,
            &[
                (Secret::Password, &["pw"]),
                (Secret::Field("key"), &["k1"]),
                (Secret::OneTime, &["AB2C3D"]),
                (Secret::Recovery, &["r1", "r2"]),
                (Secret::Field("pin"), &["42"]),
                (Secret::Field("token"), &["t1"]),
                (Secret::Field("secret"), &["c1"]),
                (Secret::Field("pw"), &["w"]),
            ],
        );
        let text = Plaintext::new(text.as_bytes().to_vec());
        let others = Card::of(&text).secrets().1;
        let others: Vec<_> = others.iter().map(|line| str::from_utf8(line).unwrap()).collect();
        assert_eq!(others, ["plain text", "recovery e-mail: a@x", "keyboard: us"]);
    }

    #[test]
    fn what_says_that_there_is_none_is_no_secret() {
        finds("\n2fa: yes\npin: -\ntoken: none\notp: sms\nrecovery codes:\nask the office for them\n", &[]);
        finds("\n2fa: JBSWY3DPEHPK3PXP\n", &[(Secret::OneTime, &["JBSWY3DPEHPK3PXP"])]);
    }

    #[test]
    fn names_of_fields_are_not_shown() {
        for (kind, _) in secrets("\ntoken ghp_SECRET: github\n") {
            assert_eq!(kind.to_string(), "token");
        }
    }

    #[test]
    fn a_private_key_is_one_value_without_what_all_keys_have() {
        let key = |middle: &str| {
            format!(
                "-----BEGIN OPENSSH PRIVATE KEY-----\nab: c\nb3BlbnNzaA\n{middle}\n-----END OPENSSH PRIVATE KEY-----\nx\n"
            )
        };
        finds(&key("AA"), &[(Secret::PrivateKey, &["b3BlbnNzaAAA"])]);
        assert_ne!(secrets(&key("AA")), secrets(&key("BB")));
        finds("-----BEGIN CERTIFICATE-----\nabc\n", &[]);
    }

    #[test]
    fn a_first_line_may_be_no_password() {
        finds("", &[]);
        finds("\nuser: x\n", &[]);
        finds("otpauth://totp/x?secret=S\n", &[(Secret::OneTime, &["S"])]);
    }

    #[test]
    fn an_address_may_hold_a_password() {
        finds(
            "\nurl: https://ada:pw@x.example/a@b\nurl: ssh://git@x.example\n",
            &[(Secret::Address, &["ada:pw"])],
        );
    }

    #[test]
    fn finds_how_an_account_is_known_and_recovered() {
        let text =
            Plaintext::new(b"pw\nEmail: a@x\nWebsite: https://y\nrecovery mail: b@x\nlogin: c@x\n".to_vec());
        let card = Card::of(&text);
        assert_eq!(card.logins().collect::<Vec<_>>(), [&b"a@x"[..], b"c@x"]);
        assert_eq!(card.recovers_through().collect::<Vec<_>>(), [&b"a@x"[..], b"b@x"]);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>) {
            Card::of(&Plaintext::new(bytes)).secrets();
        }
    }
}
