//! What is found out of an entry once it is decrypted. Nothing of it says what the password is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;
use zxcvbn::zxcvbn;

use super::age::Age;
use super::policy::{Limits, Policy};
use crate::git::{Oid, blob_id};
use crate::model::entry::shown_entry;
use crate::model::{Card, Plaintext, date};
use crate::ops::OpError;
use crate::store::StoreError;

/// So many characters of a password are rated: the time that takes grows with their square, and nobody guesses
/// as many.
const MOST: usize = 100;
/// So many words of an entry are held against its password.
const WORDS: usize = 50;
/// The shortest of them: shorter ones stand in any password.
const SHORTEST_WORD: usize = 3;

/// What a password is recognised by.
pub(super) type Print = [u8; 32];

/// What is known of a password.
#[derive(Debug)]
pub(super) struct Password {
    /// What it is recognised by, in this run.
    pub print: Print,
    /// zxcvbn's score, from 0 to 4.
    pub score: u32,
    /// Whether it has fewer characters than it should.
    pub is_short: bool,
    /// Since when it has been the same, where that matters.
    pub age: Option<Age>,
}

/// What an entry says of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing.
    Never,
    /// When, in seconds since 1970.
    At(i64),
    /// Something that is no date.
    Unreadable,
}

/// What is known of an entry.
#[derive(Debug)]
pub(super) struct Rated {
    /// Its file.
    pub path: PathBuf,
    /// Its name, safe to show.
    pub name: String,
    /// What git calls its content.
    pub blob: Option<Oid>,
    /// What it is held to.
    pub limits: Limits,
    /// The client in whose folder it is.
    pub client: Option<OsString>,
    /// Its password, if it holds one.
    pub password: Option<Password>,
    /// When it ends.
    pub end: End,
    /// Whether it says who logs in.
    pub has_login: bool,
    /// Whether it says where.
    pub has_url: bool,
    /// Whether one-time passwords are made from it.
    pub has_second_factor: bool,
    /// Whether it holds recovery codes.
    pub has_recovery: bool,
}

/// Finds out what there is to know of entries.
pub(super) struct Rater<'p> {
    policy: &'p Policy,
    /// Known to nobody, and to this run alone: what is kept of passwords is worth nothing without it.
    key: Zeroizing<[u8; 32]>,
}

impl<'p> Rater<'p> {
    /// Begins, with a new key.
    pub fn new(policy: &'p Policy) -> Result<Self, OpError> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key).map_err(|error| StoreError::Random(error.to_string()))?;
        Ok(Rater { policy, key })
    }

    /// Returns what a text's password is recognised by; none if it holds none. SHA-256 with a secret prefix of fixed
    /// length: nobody is shown any, so that nobody could lengthen one.
    pub fn print(&self, text: &Plaintext) -> Option<Print> {
        Card::of(text).password().map(|password| self.print_of(password))
    }

    fn print_of(&self, password: &[u8]) -> Print {
        Sha256::new().chain_update(self.key.as_slice()).chain_update(password).finalize().into()
    }

    /// Returns what there is to know of the entry at `path`, whose file is `message`.
    pub fn rate(&mut self, path: &Path, message: &[u8], text: &Plaintext) -> Rated {
        let card = Card::of(text);
        let limits = self.policy.limits(path.parent().unwrap_or(Path::new("")));
        let site = site(path);
        let password = card.password().map(|password| Password {
            print: self.print_of(password),
            score: score(password, path, &card),
            is_short: is_shorter(password, limits.min_length),
            age: None,
        });
        Rated {
            path: path.to_path_buf(),
            name: shown_entry(path),
            blob: blob_id(message),
            client: client(&self.policy.clients, path),
            password,
            end: match card.expires().map(|text| str::from_utf8(text).ok().and_then(date::end)) {
                None => End::Never,
                Some(None) => End::Unreadable,
                Some(Some(at)) => End::At(at),
            },
            has_login: card.login().is_some() || site == Some(Site::Folder),
            has_url: card.url().is_some() || site.is_some(),
            has_second_factor: card.has_second_factor(),
            has_recovery: card.has_recovery(),
            limits,
        }
    }
}

/// Where an entry's name says which site it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    /// A folder above is called as the site: the entry, then, as whoever logs in (`example.org/anna`).
    Folder,
    /// The entry is.
    Entry,
}

/// Returns where in a path a site is named, as browsers' extensions for pass look for it: a name with a dot in it that
/// could be a host's.
fn site(path: &Path) -> Option<Site> {
    let name = path.with_extension("");
    let is_host = |part: &std::ffi::OsStr| {
        let part = part.to_str().unwrap_or_default();
        let is_label =
            |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
        let top = part.rsplit('.').next().unwrap_or_default();
        part.contains('.')
            && part.split('.').all(is_label)
            && top.len() > 1
            && top.chars().all(char::is_alphabetic)
    };
    if name.parent()?.iter().any(is_host) {
        return Some(Site::Folder);
    }
    name.file_name().is_some_and(is_host).then_some(Site::Entry)
}

/// Returns the client in whose folder a file is.
fn client(clients: &crate::model::FolderName, path: &Path) -> Option<OsString> {
    let mut parts = path.strip_prefix(clients.as_path()).ok()?.iter();
    let client = parts.next()?;
    parts.next().map(|_| client.to_owned())
}

/// Whether a password has fewer characters than `least`; bytes that are no UTF-8 count one each.
fn is_shorter(password: &[u8], least: usize) -> bool {
    let characters =
        password.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len());
    characters.sum::<usize>() < least
}

/// Returns zxcvbn's score of a password, which must not be made of what stands beside it.
fn score(password: &[u8], path: &Path, card: &Card<'_>) -> u32 {
    let lossy = |bytes: &[u8]| Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let name = path.with_extension("");
    let beside = [
        name.as_os_str().as_encoded_bytes(),
        card.login().unwrap_or_default(),
        card.url().unwrap_or_default(),
    ];
    let beside = beside.map(lossy);
    let mut words: Vec<&str> = Vec::new();
    for text in &beside {
        words.push(text);
        words.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= SHORTEST_WORD));
    }
    words.truncate(WORDS);
    let text = lossy(password);
    let start: Zeroizing<String> = Zeroizing::new(text.chars().take(MOST).collect());
    u32::from(u8::from(zxcvbn(&start, &words).score()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_characters_and_not_bytes() {
        for (password, count) in [("", 0), ("abc", 3), ("häß", 3), ("🔑🔑", 2)] {
            assert!(
                !is_shorter(password.as_bytes(), count) && is_shorter(password.as_bytes(), count + 1),
                "{password}"
            );
        }
        assert!(!is_shorter(b"\xff\xfe", 2) && is_shorter(b"\xff\xfe", 3));
    }

    #[test]
    fn scores_what_stands_beside_a_password_as_guessed() {
        let score = |password: &str, path: &str, text: &str| {
            let text = Plaintext::new(format!("{password}\n{text}").into_bytes());
            score(password.as_bytes(), Path::new(path), &Card::of(&text))
        };
        assert_eq!(score("password1", "a.gpg", ""), 0);
        assert_eq!(score("zr8Kq2vTbN4w", "a.gpg", ""), 4);
        assert!(score("karavellissima", "web/karavellissima.gpg", "") < score("karavellissima", "a.gpg", ""));
        assert!(score("karavellissima", "a.gpg", "login: karavellissima") < 2);
        assert_eq!(score(&"zr8Kq2vTbN4w".repeat(10_000), "a.gpg", ""), 4);
    }

    #[test]
    fn a_name_may_say_which_site_it_is() {
        for (path, wanted) in [
            ("web/example.org.gpg", Some(Site::Entry)),
            ("example.org/anna.gpg", Some(Site::Folder)),
            ("web/gitlab.gpg", None),
            ("web/v1.2.gpg", None),
            ("web/.org.gpg", None),
            ("web/10.0.0.1.gpg", None),
        ] {
            assert_eq!(site(Path::new(path)), wanted, "{path}");
        }
    }

    #[test]
    fn clients_have_folders() {
        let clients = crate::model::FolderName::parse("clients".as_ref()).unwrap();
        for (path, wanted) in
            [("clients/acme/web/x.gpg", Some("acme")), ("clients/acme.gpg", None), ("web/x.gpg", None)]
        {
            assert_eq!(client(&clients, Path::new(path)), wanted.map(OsString::from), "{path}");
        }
    }
}
