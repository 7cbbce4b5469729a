//! What the commands about recipients have in common: how keys are shown, and JSON.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::Serialize;

use crate::cli::app::App;
use crate::crypto::RecipientError;
use crate::model::key::day;
use crate::model::shown::drives_terminal;
use crate::model::{Fingerprint, Key, KeyProblem, Keyring, Shown};
use crate::ops::Context;
use crate::ops::readers::{Reader, Tally, waiting_for};
use crate::ops::review::{self, Held};
use crate::store::Store;
use crate::store::survey::{Entry, Line};

/// How many names a sentence holds.
const NAMES: usize = 10;

/// A key, as people know it. What is not known is none.
#[derive(Debug, Default)]
pub struct Person {
    /// The primary key's fingerprint.
    pub key: Option<Fingerprint>,
    /// The one subkey to use.
    pub subkey: Option<Fingerprint>,
    /// The name in its first user ID.
    pub name: Option<String>,
    /// The address in its first user ID.
    pub email: Option<String>,
    /// The day from which it cannot be encrypted to.
    pub expires: Option<String>,
    /// How far GnuPG believes its user IDs.
    pub validity: Option<String>,
    /// Why it cannot be encrypted to.
    pub problem: Option<String>,
}

impl Person {
    /// Returns what is known of a key.
    pub fn of_key(keyring: &Keyring, fingerprint: &Fingerprint) -> Self {
        let person = Person { key: Some(fingerprint.clone()), ..Person::default() };
        let Some(key) = keyring.get(fingerprint) else { return person };
        let user_id = key.user_ids.first().map_or("", String::as_str);
        let email = key.mailboxes.iter().find(|address| user_id.contains(address.as_str())).cloned();
        let name = user_id.rsplit_once('<').map_or(user_id, |(name, _)| name).trim();
        let name = Some(name.to_owned()).filter(|name| !name.is_empty() && Some(name) != email.as_ref());
        Person {
            name,
            email,
            expires: expires(key).map(day),
            validity: Some(key.validity.to_string()),
            ..person
        }
    }

    /// Returns the keys that a line of a recipients file stands for; one of whom little is known if it
    /// stands for none.
    ///
    /// Of a key that waits in the store, what its file says is told only where the line holds its fingerprint.
    pub fn of_line(keyring: &Keyring, waiting: &Keyring, line: &Line) -> Vec<Self> {
        match &*line.found {
            Ok(found) => {
                let person =
                    found.iter().map(|id| (Person::of_key(keyring, &id.fingerprint), id.subkey.clone()));
                person.map(|(person, subkey)| Person { subkey, ..person }).collect()
            }
            Err(error) => {
                let problem = Some(error.to_string());
                let person = match error {
                    RecipientError::Missing { id } => {
                        let key = Fingerprint::of_name(id).filter(|_| !id.ends_with('!'));
                        let person = key.map(|key| Person::of_key(waiting, &key)).unwrap_or_default();
                        Person { validity: None, ..person }
                    }
                    RecipientError::Unusable { fingerprint, .. } => {
                        let key = keyring.primary_of(fingerprint).unwrap_or(fingerprint);
                        Person::of_key(keyring, key)
                    }
                    _ => Person::default(),
                };
                vec![Person { problem, ..person }]
            }
        }
    }
}

/// Returns when a key expires or did.
fn expires(key: &Key) -> Option<i64> {
    match &key.problem {
        Some(KeyProblem::Expired(at)) => at.or(key.expires),
        Some(_) => key.expires,
        None => key.useless_from(),
    }
}

/// Returns the cells KEY and NAME for somebody who can read.
pub fn reader_cells(keyring: &Keyring, waiting: &Keyring, reader: &Reader) -> [String; 2] {
    match reader {
        Reader::Key(key) => [
            key.to_string(),
            keyring.get(key).map(|key| Shown::new(key.name()).to_string()).unwrap_or_default(),
        ],
        Reader::Unknown(id) => match waiting_for(waiting, *id) {
            Some(key) => {
                [id.to_string(), format!("(in the store, not imported: {})", Shown::new(key.name()))]
            }
            None => [id.to_string(), "(not in the keyring)".to_owned()],
        },
        Reader::Hidden => ["hidden".to_owned(), "(a hidden recipient, or a passphrase)".to_owned()],
    }
}

/// Somebody who can read, as JSON.
#[derive(Serialize)]
pub struct ReaderRecord {
    kind: &'static str,
    fingerprint: Option<String>,
    key_id: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

impl ReaderRecord {
    /// Returns what is known of `reader`.
    pub fn of(keyring: &Keyring, waiting: &Keyring, reader: &Reader) -> Self {
        let (kind, person, id) = match reader {
            Reader::Key(key) => ("key", Person::of_key(keyring, key), None),
            Reader::Unknown(id) => {
                let key = waiting_for(waiting, *id).map(|key| Person::of_key(waiting, &key.fingerprint));
                let kind = if key.is_some() { "waiting" } else { "unknown" };
                (kind, key.unwrap_or_default(), Some(id.to_string()))
            }
            Reader::Hidden => ("hidden", Person::default(), None),
        };
        ReaderRecord {
            kind,
            fingerprint: person.key.map(|key| key.to_string()),
            key_id: id,
            name: person.name,
            email: person.email,
        }
    }
}

/// Somebody who can read, or should be able to, with how many entries, as JSON.
#[derive(Serialize)]
pub struct TalliedRecord {
    #[serde(flatten)]
    reader: ReaderRecord,
    /// Entries that they can read.
    pub reads: usize,
    /// Entries whose recipients file names them.
    pub named: usize,
}

impl TalliedRecord {
    /// Returns what is known of `reader`, and the counts.
    pub fn of(keyring: &Keyring, waiting: &Keyring, reader: &Reader, tally: &Tally) -> Self {
        let reader = ReaderRecord::of(keyring, waiting, reader);
        TalliedRecord { reader, reads: tally.reads, named: tally.named }
    }
}

/// Returns those of the entries that differ from their lists which encrypting anew would hold back. Where that
/// cannot be found out, a note says so.
pub fn held_of<'s>(app: &App, context: &Context<'_>, entries: impl Iterator<Item = &'s Entry>) -> Held {
    review::held_back(context, entries.filter(|entry| entry.standing.is_off())).unwrap_or_else(|error| {
        app.ui.warn(format!("note: copies of others' entries were not looked for: {error}"));
        Held::new()
    })
}

/// Returns what operations work with, by the recipients files alone: these commands are about them, so
/// `PASSWORD_STORE_KEY`, which overrides them all, does not count.
pub fn no_environment<'a>(app: &'a App, store: &'a Store) -> Context<'a> {
    Context { keys: None, ..app.context(store) }
}

/// Returns what a reader is called in a sentence; not safe to show.
pub fn reader_name(keyring: &Keyring, reader: &Reader) -> String {
    match reader {
        Reader::Key(key) => keyring.get(key).map_or_else(|| key.to_string(), |key| key.name().to_owned()),
        Reader::Unknown(id) => id.to_string(),
        Reader::Hidden => "a hidden recipient".to_owned(),
    }
}

/// Returns `1 entry`, `2 entries`.
pub fn counted(count: usize, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {more}") }
}

/// Returns a path for JSON: as it is, or with what is no UTF-8 replaced.
pub fn path_text(path: &Path) -> String {
    String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned()
}

/// Returns names in a row, safe to show; the rest are counted.
pub fn list_names(names: &[String]) -> String {
    let mut parts: Vec<String> = names.iter().take(NAMES).map(|name| Shown::new(name).to_string()).collect();
    if names.len() > NAMES {
        parts.push(format!("and {} more", names.len() - NAMES));
    }
    parts.join(", ")
}

/// Returns `value` as JSON that is safe on a terminal: what could drive one stands in strings only, where
/// JSON has an escape for it.
pub fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("text and numbers can be written as JSON");
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && drives_terminal(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_json_what_drives_a_terminal() {
        let name = "a\"\\\u{1b}[31m\u{9b}\u{202e}\u{7f}\u{e0001}\nü";
        let text = json(&[name]);
        assert!(!text.chars().any(|c| c != '\n' && drives_terminal(c)), "{text}");
        let read: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, [name]);
    }

    #[test]
    fn counts_the_names_that_do_not_fit() {
        let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert!(list_names(&names).ends_with("9, and 2 more"));
        assert_eq!(list_names(&names[..2]), "0, 1");
    }
}
