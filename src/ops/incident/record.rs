//! What is kept of an incident: one record, encrypted for the team, and one for each thing that is said of it later.
//!
//! A record is YAML, and never written to again: two colleagues who say something at once do not collide. Of what was
//! exposed it keeps names, kinds and versions, and never a value: who reads the record need not read the entries.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::git::Oid;
use crate::model::{Plaintext, date};
use crate::ops::audit::exposure::Verdict;
use crate::ops::history::Who;
use crate::ops::records::{self, FORMAT, RecordsError, yaml};
use crate::ops::rotate::is_file;
use crate::store::journal::{escape, unescape};

/// A key, as it was known when the record was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    /// Its fingerprint, or the ID that messages call it.
    pub key: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What an incident is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Somebody could read what they should not know any more.
    Keys {
        /// What was typed.
        called: String,
        /// The keys.
        keys: Vec<Bearer>,
    },
    /// An entry came into the open.
    Entry {
        /// Its file.
        entry: PathBuf,
        /// Who could read it.
        readers: Vec<Bearer>,
    },
    /// A commit came into the open.
    Commit {
        /// Its id.
        commit: String,
        /// Who could read what it brought.
        readers: Vec<Bearer>,
    },
}

impl Scope {
    /// Whether it is about somebody who could read what they should not know.
    pub fn is_about(&self, who: &Who) -> bool {
        match (self, who) {
            (Scope::Keys { keys, .. }, Who::Key(key)) => keys.iter().any(|bearer| bearer.key == key.as_str()),
            (Scope::Keys { called, .. }, Who::Name(name)) => called.eq_ignore_ascii_case(name),
            _ => false,
        }
    }
}

/// An entry with something that was exposed, as things stood when the incident was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its file, or the last one that it had.
    pub entry: PathBuf,
    /// The blob that the file was; none if there was no file any more.
    pub blob: Option<Oid>,
    /// How things stood.
    pub verdict: Verdict,
    /// Which kinds of secrets: those that were as exposed, or all if none was.
    pub secrets: Vec<String>,
    /// How many versions were exposed; none if only the same value was, elsewhere.
    pub versions: usize,
    /// Whether it could still be read then by those that the incident is about.
    pub reads_now: bool,
    /// Names that it had while it was exposed.
    pub former: Vec<PathBuf>,
    /// The places of the scopes by which it was found.
    pub scopes: Vec<usize>,
}

impl Found {
    /// Returns what two scopes found of one entry, as it stands worst.
    pub(super) fn merged(self, other: Found) -> Found {
        let (mut worst, other) = if other.verdict < self.verdict { (other, self) } else { (self, other) };
        if worst.verdict == other.verdict {
            worst.secrets.extend(other.secrets);
        }
        worst.versions = worst.versions.max(other.versions);
        worst.reads_now |= other.reads_now;
        worst.former.extend(other.former);
        worst.scopes.extend(other.scopes);
        worst.secrets.sort();
        worst.secrets.dedup();
        worst.former.sort();
        worst.former.dedup();
        worst.scopes.sort_unstable();
        worst.scopes.dedup();
        worst
    }
}

/// What somebody has to say of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The incident's name.
    pub of: String,
    /// When, in seconds since 1970.
    pub when: i64,
    /// Whether it closes the incident.
    pub closes: bool,
    /// What, or why it is closed.
    pub text: String,
}

/// What stands in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An incident.
    Incident(Incident),
    /// Something that is said of one.
    Remark(Remark),
}

/// An incident. What stands in it was written by colleagues: nothing of it is safe to show as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What it is called.
    pub title: String,
    /// When it was opened, in seconds since 1970.
    pub opened: i64,
    /// The newest commit then.
    pub head: Option<Oid>,
    /// What it is about.
    pub about: Vec<Scope>,
    /// What was exposed.
    pub found: Vec<Found>,
    /// Entries of which nobody could tell: they could not be decrypted, or have hidden recipients.
    pub unread: Vec<PathBuf>,
    /// Why more may have been.
    pub gaps: Vec<String>,
}

/// An incident as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    incident: u32,
    title: String,
    opened: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    about: Vec<WrittenScope>,
    found: Vec<WrittenFound>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unread: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<String>,
}

/// A remark as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenRemark {
    incident: u32,
    of: String,
    when: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    closes: bool,
    text: String,
}

/// What all of them have.
#[derive(Deserialize)]
struct Head {
    incident: u32,
    of: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum WrittenScope {
    Key {
        called: String,
        keys: Vec<Bearer>,
    },
    Entry {
        entry: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        readers: Vec<Bearer>,
    },
    Commit {
        commit: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        readers: Vec<Bearer>,
    },
}

#[derive(Serialize, Deserialize)]
struct WrittenFound {
    entry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    verdict: WrittenVerdict,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<String>,
    versions: usize,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reads_now: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<String>,
    scopes: Vec<usize>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(remote = "Verdict", rename_all = "lowercase")]
enum VerdictName {
    Valid,
    Unknown,
    Changed,
    Gone,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct WrittenVerdict(#[serde(with = "VerdictName")] Verdict);

impl Incident {
    /// Returns the incident as it is encrypted.
    pub fn to_text(&self) -> Plaintext {
        let written = Written {
            incident: FORMAT,
            title: self.title.clone(),
            opened: date::moment(self.opened),
            commit: self.head.map(|head| head.to_string()),
            about: self.about.iter().map(written_scope).collect(),
            found: self.found.iter().map(written_found).collect(),
            unread: self.unread.iter().map(|path| escape(path)).collect(),
            gaps: self.gaps.clone(),
        };
        yaml(&written)
    }
}

impl Remark {
    /// Returns the remark as it is encrypted.
    pub fn to_text(&self) -> Plaintext {
        let (of, text) = (self.of.clone(), self.text.clone());
        yaml(&WrittenRemark {
            incident: FORMAT,
            of,
            when: date::moment(self.when),
            closes: self.closes,
            text,
        })
    }
}

impl Entry {
    /// Reads a record, which stands in the file `path`.
    pub fn parse(text: &Plaintext, path: &Path) -> Result<Self, RecordsError> {
        let text = records::Written::new(text, path, "incident, and no note of one")?;
        let head: Head = text.read()?;
        text.check(head.incident)?;
        if head.of.is_some() {
            let WrittenRemark { of, when, closes, text: words, .. } = text.read()?;
            return Ok(Entry::Remark(Remark { of, when: text.moment(&when)?, closes, text: words }));
        }
        let written: Written = text.read()?;
        let opened = text.moment(&written.opened)?;
        incident(written, opened).map(Entry::Incident).map_err(|what| text.broken(what))
    }
}

/// Returns an incident that was opened then; or what is the matter with it.
fn incident(written: Written, opened: i64) -> Result<Incident, &'static str> {
    let head = written.commit.map(|id| id.parse()).transpose();
    let about: Option<Vec<Scope>> = written.about.into_iter().map(read_scope).collect();
    let about = about.ok_or("an entry's name is none")?;
    let found: Option<Vec<Found>> = written.found.into_iter().map(read_found).collect();
    let found = found.ok_or("what it says of an entry cannot be read")?;
    let unread: Option<Vec<PathBuf>> = written.unread.iter().map(|path| file(path)).collect();
    let is_right =
        |found: &Found| !found.scopes.is_empty() && found.scopes.iter().all(|place| *place < about.len());
    if !found.iter().all(is_right) {
        return Err("it speaks of a scope that it does not have");
    }
    Ok(Incident {
        title: written.title,
        opened,
        head: head.map_err(|_| "its commit is no object of git's")?,
        about,
        found,
        unread: unread.ok_or("an entry's name is none")?,
        gaps: written.gaps,
    })
}

fn written_scope(scope: &Scope) -> WrittenScope {
    match scope.clone() {
        Scope::Keys { called, keys } => WrittenScope::Key { called, keys },
        Scope::Entry { entry, readers } => WrittenScope::Entry { entry: escape(&entry), readers },
        Scope::Commit { commit, readers } => WrittenScope::Commit { commit, readers },
    }
}

fn read_scope(scope: WrittenScope) -> Option<Scope> {
    Some(match scope {
        WrittenScope::Key { called, keys } => Scope::Keys { called, keys },
        WrittenScope::Entry { entry, readers } => Scope::Entry { entry: file(&entry)?, readers },
        WrittenScope::Commit { commit, readers } => Scope::Commit { commit, readers },
    })
}

fn written_found(found: &Found) -> WrittenFound {
    WrittenFound {
        entry: escape(&found.entry),
        version: found.blob.map(|blob| blob.to_string()),
        verdict: WrittenVerdict(found.verdict),
        secrets: found.secrets.clone(),
        versions: found.versions,
        reads_now: found.reads_now,
        former: found.former.iter().map(|path| escape(path)).collect(),
        scopes: found.scopes.clone(),
    }
}

fn read_found(found: WrittenFound) -> Option<Found> {
    Some(Found {
        entry: file(&found.entry)?,
        blob: found.version.map(|id| id.parse()).transpose().ok()?,
        verdict: found.verdict.0,
        secrets: found.secrets,
        versions: found.versions,
        reads_now: found.reads_now,
        former: found.former.iter().map(|path| file(path)).collect::<Option<_>>()?,
        scopes: found.scopes,
    })
}

/// Returns the file of an entry; none if it can be none.
fn file(text: &str) -> Option<PathBuf> {
    unescape(text).filter(|path| is_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "0123456789abcdef0123456789abcdef01234567";

    fn incident() -> Incident {
        let bearer = Bearer { key: BLOB.to_owned(), name: "Anna: \"x\" <a@b.example> 'y'".to_owned() };
        Incident {
            title: "laptop: #1\n- lost".to_owned(),
            opened: 1_790_000_000,
            head: Some(BLOB.parse().unwrap()),
            about: vec![
                Scope::Keys { called: "~".to_owned(), keys: vec![bearer.clone()] },
                Scope::Entry { entry: "a\n/ä%.gpg".into(), readers: vec![bearer] },
                Scope::Commit { commit: BLOB.to_owned(), readers: Vec::new() },
            ],
            found: vec![Found {
                entry: "clients/a: #b\n/ä.gpg".into(),
                blob: Some(BLOB.parse().unwrap()),
                verdict: Verdict::Unknown,
                secrets: vec!["password".to_owned()],
                versions: 2,
                reads_now: true,
                former: vec!["yes.gpg".into()],
                scopes: vec![0, 2],
            }],
            unread: vec!["clients/ä b.gpg".into()],
            gaps: vec!["cut: off".to_owned()],
        }
    }

    fn remark() -> Remark {
        Remark { of: "0123".to_owned(), when: 1_790_000_000, closes: true, text: "done: #1".to_owned() }
    }

    fn parsed(text: &Plaintext) -> Result<Entry, RecordsError> {
        Entry::parse(text, Path::new(".passel.d/incidents/a.gpg"))
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        assert_eq!(parsed(&incident().to_text()).unwrap(), Entry::Incident(incident()));
        let mut bare = Incident { head: None, gaps: Vec::new(), ..incident() };
        bare.found[0] = Found { blob: None, reads_now: false, former: Vec::new(), ..bare.found[0].clone() };
        assert_eq!(parsed(&bare.to_text()).unwrap(), Entry::Incident(bare));
        for closes in [true, false] {
            let remark = Remark { closes, ..remark() };
            assert_eq!(parsed(&remark.to_text()).unwrap(), Entry::Remark(remark));
        }
    }

    #[test]
    fn what_is_no_record_is_refused_without_repeating_it() {
        let text = |text: Plaintext| String::from_utf8(text.expose().to_vec()).unwrap();
        let (good, said) = (text(incident().to_text()), text(remark().to_text()));
        for text in [
            String::new(),
            "hunter2\n".to_owned(),
            good.replace("incident: 1", "incident: 2"),
            good.replace("verdict: unknown", "verdict: hunter2"),
            good.replace("kind: entry", "kind: hunter2"),
            good.replace(BLOB, "hunter2"),
            good.replace("entry: a%0A/", "entry: ../hunter2/"),
            good.replace("- yes.gpg", "- /hunter2.gpg"),
            good.replace("  - 2\n", "  - 7\n"),
            said.replace("closes: true", "closes: hunter2"),
            said.replace("2026-", "hunter2-"),
        ] {
            assert!(text != good && text != said, "{text}");
            let told = parsed(&Plaintext::new(text.clone().into_bytes())).unwrap_err().to_string();
            assert!(
                told.contains(".passel.d/incidents/a.gpg") && !told.contains("hunter2"),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn names_that_look_like_numbers_are_read_back() {
        let long = "1234567890".repeat(4);
        for name in [
            "1234567e12345678",
            "0123456789012345",
            "12345678",
            "0x1f",
            "1e5",
            ".5",
            "null",
            "~",
            "yes",
            &long,
        ] {
            let remark = Remark { of: name.to_owned(), text: name.to_owned(), ..remark() };
            assert_eq!(parsed(&remark.to_text()).unwrap(), Entry::Remark(remark));
            let mut incident = incident();
            let keys = vec![Bearer { key: name.to_owned(), name: name.to_owned() }];
            incident.about[0] = Scope::Keys { called: name.to_owned(), keys };
            incident.about[2] = Scope::Commit { commit: name.to_owned(), readers: Vec::new() };
            assert_eq!(parsed(&incident.to_text()).unwrap(), Entry::Incident(incident), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_words_are_read_back(title: String, called: String, text: String) {
            let mut incident = Incident { title, ..incident() };
            incident.about[0] = Scope::Keys { called, keys: Vec::new() };
            proptest::prop_assert_eq!(parsed(&incident.to_text()).unwrap(), Entry::Incident(incident));
            let remark = Remark { text, ..remark() };
            proptest::prop_assert_eq!(parsed(&remark.to_text()).unwrap(), Entry::Remark(remark));
        }
    }
}
