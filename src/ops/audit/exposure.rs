//! What somebody could ever read, and what of that still holds.
//!
//! That an entry was encrypted anew changes no password, and commits have dates for many reasons: so nothing here goes
//! by dates. What a key could read is compared, value by value, with what stands in the store now. What cannot be
//! decrypted here is unknown, and not unchanged.

mod items;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use target::{Kind, Target};

use super::lives::{self, Life, Version};
use super::values::{Known, Prints, Values};
use super::{Moment, Past};
use crate::git::versions::Content;
use crate::git::{Oid, blob_id};
use crate::model::entry::is_credential;
use crate::model::{KeyId, Keyring, Secret};
use crate::ops::readers::{self, Reader};
use crate::ops::{Context, OpError};

/// What is asked about.
#[derive(Debug)]
pub enum Subject<'q> {
    /// A key, a person, an entry or a commit by its name; and which of them, if it is to be no other.
    Named(&'q std::ffi::OsStr, Option<Kind>),
    /// These keys.
    Keys(&'q [Reader]),
}

/// What is asked.
#[derive(Debug)]
pub struct Question<'q> {
    /// What is asked about.
    pub what: Subject<'q>,
    /// Only what stood at this second or later counts.
    pub since: Option<i64>,
    /// Whether values are compared.
    pub decrypts: bool,
}

/// How things stand with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It has a value that was exposed.
    Valid,
    /// Nobody can tell here.
    Unknown,
    /// Its value is another one.
    Changed,
    /// There is no such entry any more.
    Gone,
}

/// An entry with what was exposed of it.
#[derive(Debug)]
pub struct Item {
    /// Its file, or the last one that it had.
    pub path: PathBuf,
    /// How things stand with the worst of its secrets.
    pub verdict: Verdict,
    /// How they stand with each; nothing where it cannot be decrypted here.
    pub secrets: Vec<(Secret, Verdict)>,
    /// Whether other lines in it, of which nobody can say whether they are secret, are as they were exposed.
    pub has_same_lines: bool,
    /// How many versions of it were exposed.
    pub versions: usize,
    /// How many of those cannot be decrypted here.
    pub unread: usize,
    /// Who can read it now, where it cannot be decrypted here.
    pub ask: BTreeSet<Reader>,
    /// The commits that brought the first and the last version that was exposed; none if only its value was, elsewhere.
    pub between: Option<(Moment, Moment)>,
    /// Whether what was asked about can read it as it is.
    pub reads_now: bool,
    /// Names that it had while it was exposed.
    pub former: BTreeSet<PathBuf>,
    /// Other entries in which its present value was exposed.
    pub elsewhere: BTreeSet<PathBuf>,
    /// Whether only a reflog of this machine's leads to what was exposed.
    pub only_log: bool,
    /// Where the account is. Not safe to show.
    pub url: Option<String>,
}

/// What was found.
pub struct Exposure {
    /// What was asked about.
    pub target: Target,
    /// The keyring.
    pub keyring: Keyring,
    /// Keys that travel with the store, and are not in the keyring.
    pub waiting: Keyring,
    /// How many versions were exposed.
    pub versions: usize,
    /// How many there are at all.
    pub total: usize,
    /// Of an entry or a commit: who could read it, with the commits that brought the first and the last version.
    pub readers: BTreeMap<Reader, (Moment, Moment)>,
    /// The entries, what is to be changed first in front.
    pub items: Vec<Item>,
    /// Entries with hidden recipients: they may have been exposed as well.
    pub perhaps: BTreeSet<PathBuf>,
    /// Entries that cannot be decrypted here, so that they may hold a value that was exposed.
    pub closed: BTreeSet<PathBuf>,
    /// Key IDs that several keys have: which of them it is, only their owners can tell.
    pub shared: BTreeSet<KeyId>,
    /// Entries whose accounts can be recovered through what was exposed.
    pub recover: BTreeSet<PathBuf>,
    /// Why the answer may lack something.
    pub gaps: Vec<String>,
}

/// An entry as it stands in the work tree.
struct Standing {
    path: PathBuf,
    blob: Option<Oid>,
    readers: Vec<KeyId>,
    body: Option<[u8; 32]>,
    prints: Option<Prints>,
}

/// Answers a question.
pub fn exposure(context: &Context<'_>, question: &Question<'_>) -> Result<Exposure, OpError> {
    let past = Past::read(context)?;
    let survey = readers::survey_folder(context, &crate::model::FolderName::root())?;
    let waiting = readers::all_waiting(context, &survey.keyring);
    // What is asked about is found first: nobody types a passphrase for a typing error.
    let plain = lives::lives(&past, &mut Values::new(context, false)?);
    let target = Asked { context, past: &past, survey: &survey, waiting: &waiting, lives: &plain }
        .target(&question.what)?;
    let mut values = Values::new(context, question.decrypts)?;
    let now = standing(context, &mut values)?;
    let lives = if question.decrypts { lives::lives(&past, &mut values) } else { plain };
    let asked = Asked { context, past: &past, survey: &survey, waiting: &waiting, lives: &lives };
    let exposed = Exposed::collect(&asked, &target, question.since, &now, &mut values);
    let items = items::items(&asked, &target, &exposed, &now);
    let mut gaps = past.gaps();
    gaps.extend(asked.unknown_ids(&target, &now));
    let (readers, perhaps, shared) =
        (asked.readers(&target, &exposed), asked.perhaps(&target), asked.shared(&target));
    let closed = now.iter().filter(|entry| question.decrypts && entry.prints.is_none());
    let known: BTreeSet<&PathBuf> = items.iter().map(|item| &item.path).collect();
    let closed = closed.map(|entry| &entry.path).filter(|path| !known.contains(path)).cloned().collect();
    let recover = recover(&past, &exposed, &now, &mut values, &target);
    values.settle();
    Ok(Exposure {
        versions: exposed.versions().count() + exposed.loose.len(),
        total: lives.iter().map(|life| life.versions.len()).sum(),
        target,
        readers,
        items,
        perhaps,
        closed,
        shared,
        recover,
        gaps,
        keyring: survey.keyring,
        waiting,
    })
}

/// What was exposed.
struct Exposed<'a> {
    /// Versions, life by life.
    lives: Vec<(&'a Life, Vec<&'a Version>)>,
    /// Files of the work tree that are in no commit as they are.
    loose: Vec<&'a Standing>,
    /// Their values.
    known: Known,
    /// How their encrypted data begin.
    bodies: BTreeSet<[u8; 32]>,
    /// Those that cannot be decrypted here.
    unread: BTreeSet<Oid>,
}

impl<'a> Exposed<'a> {
    fn collect(
        asked: &Asked<'a>,
        target: &Target,
        since: Option<i64>,
        now: &'a [Standing],
        values: &mut Values<'_, '_>,
    ) -> Self {
        let mut found = Exposed {
            lives: asked.leaked(target, since),
            loose: loose(now, asked.lives, target, &asked.survey.keyring),
            known: Known::default(),
            bodies: BTreeSet::new(),
            unread: BTreeSet::new(),
        };
        let versions: Vec<&Version> = found.versions().collect();
        values.expect(versions.len());
        for version in &versions {
            match prints(asked.past, version, values) {
                Some(prints) => found.known.add(&version.path, prints),
                None => _ = found.unread.insert(version.blob),
            }
            found.bodies.extend(lives::message(asked.past, version.blob).map(|(_, body)| body));
            asked.context.progress.step(versions.len());
        }
        asked.context.progress.end();
        for entry in &found.loose {
            found.bodies.extend(entry.body);
            entry.prints.iter().for_each(|prints| found.known.add(&entry.path, prints));
        }
        found
    }

    fn versions(&self) -> impl Iterator<Item = &'a Version> {
        self.lives.iter().flat_map(|(_, versions)| versions).copied()
    }
}

/// Returns the files of the work tree that were exposed, and are in no commit as they are.
fn loose<'n>(now: &'n [Standing], lives: &[Life], target: &Target, keyring: &Keyring) -> Vec<&'n Standing> {
    let committed: BTreeSet<(&Path, Oid)> =
        lives.iter().flat_map(|life| &life.versions).map(|version| (&*version.path, version.blob)).collect();
    let is_exposed = |entry: &&Standing| match target {
        Target::Keys(_) => target.reads(keyring, &entry.readers),
        Target::Entry(file) => entry.path == *file,
        Target::Commit(_) => false,
    };
    let is_loose =
        |entry: &&Standing| entry.blob.is_none_or(|blob| !committed.contains(&(&entry.path, blob)));
    now.iter().filter(is_exposed).filter(is_loose).collect()
}

/// Reads the work tree.
fn standing(context: &Context<'_>, values: &mut Values<'_, '_>) -> Result<Vec<Standing>, OpError> {
    let below = context.store.beneath().below(Path::new(""))?;
    let files = below.files.into_iter();
    let files: Vec<PathBuf> = files
        .filter(|(path, kind)| *kind == rustix::fs::FileType::RegularFile && is_credential(path))
        .map(|(path, _)| path)
        .collect();
    values.expect(files.len());
    let mut found = Vec::new();
    for path in files {
        let Some(bytes) = context.store.beneath().read(&path)? else { continue };
        let blob = blob_id(&bytes);
        let mut entry = Standing { path, blob, readers: Vec::new(), body: None, prints: None };
        if let Content::Message { readers, body } = super::past::content_of(&bytes) {
            entry.readers = readers.to_vec();
            entry.body = body;
        }
        if let Some(body) = entry.body {
            entry.prints = values.of(&entry.path, body, &entry.readers, || Ok(bytes)).cloned();
        }
        found.push(entry);
    }
    Ok(found)
}

/// Returns what is kept of a version; none if it cannot be decrypted here.
fn prints<'v>(past: &Past, version: &Version, values: &'v mut Values<'_, '_>) -> Option<&'v Prints> {
    let (readers, body) = lives::message(past, version.blob)?;
    values.of(&version.path, body, readers, || past.blob(version.history, version.blob))
}

/// Returns the entries whose accounts can be recovered through one that was exposed.
fn recover(
    past: &Past,
    exposed: &Exposed<'_>,
    now: &[Standing],
    values: &mut Values<'_, '_>,
    target: &Target,
) -> BTreeSet<PathBuf> {
    if matches!(target, Target::Keys(_)) {
        return BTreeSet::new();
    }
    let mut logins = BTreeSet::new();
    for version in exposed.versions() {
        logins
            .extend(prints(past, version, values).map(|prints| prints.mailboxes.clone()).unwrap_or_default());
    }
    let own: BTreeSet<&PathBuf> = exposed.versions().map(|version| &version.path).collect();
    let through = |entry: &&Standing| {
        let prints = entry.prints.as_ref();
        prints.is_some_and(|prints| prints.recovers_through.iter().any(|print| logins.contains(print)))
    };
    let found = now.iter().filter(through).filter(|entry| !own.contains(&entry.path));
    found.map(|entry| entry.path.clone()).collect()
}

/// What a question is answered from.
struct Asked<'a> {
    context: &'a Context<'a>,
    past: &'a Past,
    survey: &'a crate::store::survey::Survey,
    waiting: &'a Keyring,
    lives: &'a [Life],
}

impl<'a> Asked<'a> {
    /// Returns the versions that were exposed, life by life.
    fn leaked(&self, target: &Target, since: Option<i64>) -> Vec<(&'a Life, Vec<&'a Version>)> {
        let is_exposed = |life: &Life, version: &Version| match target {
            Target::Keys(_) => {
                self.readers_of(version).is_some_and(|ids| target.reads(&self.survey.keyring, ids))
            }
            Target::Entry(file) => lives::is_of(life, file),
            Target::Commit(commit) => version.came.commit == *commit,
        };
        let stood =
            |version: &Version| since.is_none_or(|since| version.until.is_none_or(|until| until > since));
        let found = self.lives.iter().map(|life| {
            let versions = life.versions.iter().filter(|version| stood(version) && is_exposed(life, version));
            (life, versions.collect::<Vec<_>>())
        });
        found.filter(|(_, versions)| !versions.is_empty()).collect()
    }

    fn readers_of(&self, version: &Version) -> Option<&'a [KeyId]> {
        lives::message(self.past, version.blob).map(|(readers, _)| readers)
    }

    /// Returns who could read the versions of an entry or a commit.
    fn readers(&self, target: &Target, exposed: &Exposed<'_>) -> BTreeMap<Reader, (Moment, Moment)> {
        let mut all: BTreeMap<Reader, (Moment, Moment)> = BTreeMap::new();
        if matches!(target, Target::Keys(_)) {
            return all;
        }
        for version in exposed.versions() {
            let ids = self.readers_of(version).unwrap_or_default();
            for reader in ids.iter().flat_map(|id| readers::of_id(&self.survey.keyring, *id)) {
                let (first, last) = all.entry(reader).or_insert((version.came, version.came));
                if version.came.when < first.when {
                    *first = version.came;
                }
                if version.came.when >= last.when {
                    *last = version.came;
                }
            }
        }
        let here = Moment { commit: Oid::ZERO_SHA1, when: i64::MAX };
        for reader in exposed.loose.iter().flat_map(|entry| &entry.readers) {
            for reader in readers::of_id(&self.survey.keyring, *reader) {
                all.entry(reader).or_insert((here, here)).1 = here;
            }
        }
        all
    }

    /// Returns entries with hidden recipients, which the keys may be.
    fn perhaps(&self, target: &Target) -> BTreeSet<PathBuf> {
        if !matches!(target, Target::Keys(_)) {
            return BTreeSet::new();
        }
        let versions = self.lives.iter().flat_map(|life| &life.versions);
        let hidden = versions.filter(|version| {
            self.readers_of(version)
                .is_some_and(|ids| ids.contains(&KeyId::HIDDEN) && !target.reads(&self.survey.keyring, ids))
        });
        hidden.map(|version| version.path.clone()).collect()
    }

    /// Tells of IDs asked about that no message names, and no key here has: it may be that of a primary key.
    fn unknown_ids(&self, target: &Target, now: &[Standing]) -> Option<String> {
        let Target::Keys(keys) = target else { return None };
        let committed = self.lives.iter().flat_map(|life| &life.versions);
        let named = committed.filter_map(|version| self.readers_of(version)).flatten();
        let named: BTreeSet<&KeyId> = named.chain(now.iter().flat_map(|entry| &entry.readers)).collect();
        let is_met = |reader: &Reader| !matches!(reader, Reader::Unknown(id) if !named.contains(id));
        (!keys.iter().any(is_met)).then(|| {
            "no message names this key, which is not in the keyring: messages name subkeys, whose IDs only the key itself \
             tells"
                .to_owned()
        })
    }

    /// Returns the key IDs of the keys asked about that others have as well.
    fn shared(&self, target: &Target) -> BTreeSet<KeyId> {
        let versions = self.lives.iter().flat_map(|life| &life.versions);
        let ids: BTreeSet<KeyId> =
            versions.filter_map(|version| self.readers_of(version)).flatten().copied().collect();
        let keyring = &self.survey.keyring;
        let shared = ids.into_iter().filter(|id| keyring.bearers(*id).len() > 1);
        shared.filter(|id| target.reads(keyring, &[*id])).collect()
    }
}
