//! What messages say, kept so that it can be compared and not read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::crypto::LARGEST_OF_MANY;
use crate::model::card::Value;
use crate::model::{Card, KeyId, Plaintext, Secret};
use crate::ops::history::own_parts;
use crate::ops::{Context, OpError, cache};
use crate::store::StoreError;

/// A value, beyond recognition: a hash under a key that is forgotten with this run.
pub type Print = [u8; 32];

/// What is kept of a plaintext.
#[derive(Debug, Clone)]
pub struct Prints {
    /// All of it.
    pub whole: Print,
    /// Its secrets, each with its values.
    pub secrets: Vec<(Secret, Vec<Print>)>,
    /// Lines of which nobody can say whether they are secret.
    pub others: Vec<Print>,
    /// Addresses of mailboxes that the entry itself is the account of.
    pub mailboxes: Vec<Print>,
    /// Addresses by which the account can be recovered.
    pub recovers_through: Vec<Print>,
    /// Where the account is. Not safe to show.
    pub url: Option<String>,
    /// In how many lines each piece of the text stands: lines, values of fields, words. Only if asked for.
    pub pieces: HashMap<Print, usize>,
}

/// Decrypts messages, each once.
pub struct Values<'a, 'c> {
    context: &'a Context<'c>,
    decrypts: bool,
    has_pieces: bool,
    key: [u8; 32],
    known: HashMap<[u8; 32], Prints>,
    /// Messages that could not be opened, by their data and readers: nobody is asked about them again.
    closed: HashSet<([u8; 32], Vec<KeyId>)>,
    own: Option<BTreeSet<KeyId>>,
}

impl<'a, 'c> Values<'a, 'c> {
    /// Begins; without `decrypts`, nothing is known of any message.
    pub fn new(context: &'a Context<'c>, decrypts: bool) -> Result<Self, OpError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| OpError::Store(StoreError::Random(error.to_string())))?;
        // Of messages that are for none of them, gpg need not be asked.
        let own = if decrypts { own_parts(context).ok() } else { None };
        Ok(Values {
            context,
            decrypts,
            has_pieces: false,
            key,
            known: HashMap::new(),
            closed: HashSet::new(),
            own,
        })
    }

    /// The same; of each text its pieces are kept as well.
    pub fn with_pieces(context: &'a Context<'c>) -> Result<Self, OpError> {
        Ok(Values { has_pieces: true, ..Values::new(context, true)? })
    }

    /// Says how many messages will be asked about.
    pub fn expect(&self, count: usize) {
        if self.decrypts {
            self.context.crypto.decryptor().expect(count);
        }
    }

    /// Returns what is kept of a message for `readers`; none where it cannot be decrypted here, or is not to be.
    /// Equal `body` means equal encrypted data: those are decrypted once.
    pub fn of(
        &mut self,
        name: &Path,
        body: [u8; 32],
        readers: &[KeyId],
        message: impl FnOnce() -> Result<Vec<u8>, OpError>,
    ) -> Option<&Prints> {
        let is_ours = || {
            let own =
                |id: &KeyId| self.own.as_ref().is_none_or(|own| *id == KeyId::HIDDEN || own.contains(id));
            readers.iter().any(own)
        };
        // What one copy could not be opened by, another may be.
        let closed = (body, readers.to_vec());
        if self.decrypts && !self.known.contains_key(&body) && is_ours() && !self.closed.contains(&closed) {
            let text = message()
                .ok()
                .filter(|message| message.len() as u64 <= LARGEST_OF_MANY)
                .and_then(|message| self.context.decrypt_one_of_many(name.display(), &message).ok());
            match text.map(|text| self.prints(name, &text)) {
                Some(prints) => _ = self.known.insert(body, prints),
                None => _ = self.closed.insert(closed),
            }
        }
        self.known.get(&body)
    }

    /// Ends the work: session keys that were met are remembered.
    pub fn settle(&self) {
        if self.decrypts {
            cache::settle(self.context);
        }
    }

    fn prints(&self, name: &Path, text: &Plaintext) -> Prints {
        let card = Card::of(text);
        let all = |values: Vec<Value>| values.iter().map(|value| self.print(value)).collect::<Vec<_>>();
        let (secrets, others) = card.secrets();
        let secrets = secrets.into_iter().map(|(kind, values)| (kind, all(values)));
        let mut secrets: Vec<(Secret, Vec<Print>)> = secrets.collect();
        let lines = text.expose().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
        if secrets.is_empty() && !lines.is_empty() {
            // Of a text without a field, any line may be one that says something.
            let telling =
                lines.iter().filter(|line| line.iter().any(u8::is_ascii_alphanumeric) || !line.is_ascii());
            secrets.push((Secret::Text, telling.map(|line| self.print(line)).collect()));
        }
        for (secret, values) in card.secrets().0 {
            // The password of an address may stand alone elsewhere.
            let passwords = values.iter().filter(|_| secret == Secret::Address);
            let passwords = passwords.filter_map(|value| value.split(|byte| *byte == b':').nth(1));
            let passwords: Vec<Print> = passwords.map(|password| self.print(password)).collect();
            secrets
                .iter_mut()
                .filter(|(kind, _)| *kind == secret)
                .for_each(|(_, all)| all.extend(&passwords));
        }
        let lower = |value: &[u8]| self.print(&value.to_ascii_lowercase());
        Prints {
            whole: self.print(text.expose()),
            secrets,
            others: all(others),
            mailboxes: card.logins().filter(|login| is_mailbox(login, name, card.url())).map(lower).collect(),
            recovers_through: card.recovers_through().map(lower).collect(),
            url: card.url().and_then(|url| address(str::from_utf8(url).ok()?)),
            pieces: if self.has_pieces { self.pieces(&lines) } else { HashMap::new() },
        }
    }

    /// Returns in how many lines each piece stands.
    fn pieces(&self, lines: &[&[u8]]) -> HashMap<Print, usize> {
        let mut found = HashMap::new();
        for line in lines {
            let value =
                line.iter().position(|byte| b":=".contains(byte)).map(|at| line[at + 1..].trim_ascii());
            let words = line.split(|byte| byte.is_ascii_whitespace() || b":@=,;\"'/?&#".contains(byte));
            let pieces = words.chain(value).chain([*line]).filter(|piece| !piece.is_empty());
            let mut prints: HashSet<Print> = pieces.map(|piece| self.print(piece)).collect();
            prints.extend(self.one_time_codes(line));
            prints.into_iter().for_each(|print| *found.entry(print).or_default() += 1);
        }
        found
    }

    /// Returns what could be secrets of one-time codes in a line, in the form in which those are compared.
    fn one_time_codes(&self, line: &[u8]) -> Vec<Print> {
        let words = line.split(|byte| byte.is_ascii_whitespace() || b":=&".contains(byte));
        let forms = words.map(|word| {
            let letters = word.iter().filter(|byte| byte.is_ascii_alphanumeric());
            Zeroizing::new(letters.map(u8::to_ascii_uppercase).collect::<Vec<u8>>())
        });
        forms.filter(|form| form.len() >= 16).map(|form| self.print(&form)).collect()
    }

    fn print(&self, value: &[u8]) -> Print {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(value);
        hash.finalize().into()
    }
}

/// Returns where an account is, in what cannot hold a secret: the scheme, the host and the port (RFC 3986, section 3). None
/// where that is not plainly what the text says: people write passwords into addresses, and other things into the field.
fn address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
    let end = rest.find(['/', '?', '#', ';', '&']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // Of an address with an `@` farther behind, what looks like a host may be the half of a login.
    let is_doubtful = behind.contains('@') || url.contains(char::is_whitespace);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_number = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|name| name.chars().all(|c| c.is_ascii_hexdigit() || c == ':'));
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    (is_scheme && !is_doubtful && (is_name || is_number) && is_port).then(|| format!("{scheme}://{host}"))
}

/// Whether an entry is the account of the mailbox with this address: its name speaks of mail, or its address is that of
/// the domain.
fn is_mailbox(address: &[u8], name: &Path, url: Option<&[u8]>) -> bool {
    let address = String::from_utf8_lossy(address).to_ascii_lowercase();
    let Some((_, domain)) = address.split_once('@') else { return false };
    let name = name.to_string_lossy().to_ascii_lowercase();
    let url = String::from_utf8_lossy(url.unwrap_or_default()).to_ascii_lowercase();
    name.contains("mail") || name.contains(domain) || url.contains("mail") || url.contains(domain)
}

/// Where values were found.
#[derive(Debug, Default)]
pub struct Known(HashMap<Print, BTreeSet<PathBuf>>);

impl Known {
    /// Adds the secrets of what stood at `path`.
    pub fn add(&mut self, path: &Path, prints: &Prints) {
        for print in prints.secrets.iter().flat_map(|(_, values)| values).chain(&prints.others) {
            let places = self.0.entry(*print).or_default();
            if !places.contains(path) {
                places.insert(path.to_path_buf());
            }
        }
    }

    /// Returns where one of these values was found; nothing if none was.
    pub fn places(&self, values: &[Print]) -> BTreeSet<&PathBuf> {
        values.iter().filter_map(|print| self.0.get(print)).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_what_may_be_secret() {
        for (url, shown) in [
            ("https://x.example/a", "https://x.example"),
            ("https://x.example:8443/services/T0/hunter2?token=1#c", "https://x.example:8443"),
            ("https://x.example;jsessionid=hunter2", "https://x.example"),
            ("https://ada:hunter2@x.example/in", "https://x.example"),
            ("ssh://ada@x.example:2222", "ssh://x.example:2222"),
            ("https://[2001:db8::1]:443/", "https://[2001:db8::1]:443"),
            ("https://bücher.example/", "https://bücher.example"),
        ] {
            assert_eq!(address(url).as_deref(), Some(shown), "{url}");
        }
        for url in [
            "ada:hunter2@x.example",
            "hunter2",
            "x.example",
            "https://bob:hunt/er2@x.example",
            "https://bob:hunt#er2@x.example",
            "https://bob:4711?er2@x.example",
            "https:/bob:hunter2@x.example/",
            "https://x.example login bob password hunter2",
            "https://a.example/ https://bob:hunter2@b.example/",
            "https://x.example:hunter2/",
            "https://hunter%32/",
            "javascript:alert(1)",
            "hunter2 ://x.example",
            "://x.example",
            "https://",
            "//",
            "",
        ] {
            assert_eq!(address(url), None, "{url}");
        }
    }
}
