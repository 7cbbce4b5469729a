//! What somebody could ever read, and what of that still holds.
//!
//! That an entry was encrypted anew changes no password, and commits have dates for many reasons: so nothing here goes
//! by dates. What a key could read is compared, value by value, with what stands in the store now. What cannot be
//! decrypted here is unknown, and not unchanged.

mod target;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

pub use target::{Kind, Target};

use super::lives::{self, Life, Version};
use super::values::{Known, Prints, Values};
use super::{Moment, Past};
use crate::git::versions::{Content, Reach};
use crate::git::{Oid, blob_id};
use crate::model::entry::is_entry;
use crate::model::{KeyId, Keyring, Secret};
use crate::ops::readers::{self, Reader};
use crate::ops::{Context, OpError};

/// What is asked.
#[derive(Debug)]
pub struct Question<'q> {
    /// A key, a person, an entry or a commit.
    pub what: &'q std::ffi::OsStr,
    /// Which of them, if it is to be no other.
    pub kind: Option<Kind>,
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
    let waiting = readers::waiting(context, &survey);
    let mut values = Values::new(context, question.decrypts)?;
    let now = standing(context, &mut values)?;
    let lives = lives::lives(&past, &mut values);
    let asked = Asked { context, past: &past, survey: &survey, waiting: &waiting, lives: &lives };
    let target = asked.target(question)?;
    let leaked = asked.leaked(&target, question.since);
    let mut known = Known::default();
    let mut unread = BTreeSet::new();
    values.expect(leaked.iter().map(|(_, versions)| versions.len()).sum());
    for version in leaked.iter().flat_map(|(_, versions)| versions) {
        match prints(&past, version, &mut values) {
            Some(prints) => known.add(&version.path, prints),
            None => _ = unread.insert(version.blob),
        }
        context.progress.step(past.histories.len());
    }
    context.progress.end();
    let mut bodies: BTreeSet<[u8; 32]> = leaked
        .iter()
        .flat_map(|(_, versions)| versions)
        .filter_map(|version| lives::message(&past, version.blob).map(|(_, body)| body))
        .collect();
    let loose = loose(&now, &lives, &target, &survey.keyring);
    for entry in &loose {
        bodies.extend(entry.body);
        entry.prints.iter().for_each(|prints| known.add(&entry.path, prints));
    }
    let by_path: HashMap<&Path, &Standing> = now.iter().map(|entry| (&*entry.path, entry)).collect();
    let mut items = Vec::new();
    let mut done = BTreeSet::new();
    let taken: BTreeSet<&Path> = lives.iter().flat_map(|life| &life.now).map(PathBuf::as_path).collect();
    for (life, versions) in &leaked {
        let files = files_of(life, &taken);
        let stands: Vec<&Standing> = files.filter_map(|path| by_path.get(path).copied()).collect();
        if stands.is_empty() {
            items.push(gone(versions, &unread));
        }
        for entry in stands {
            done.insert(entry.path.clone());
            let mut item = judge(entry, versions, &known, &bodies, &unread);
            item.reads_now = target.reads(&survey.keyring, &entry.readers);
            if item.verdict == Verdict::Unknown {
                let closed = versions.iter().filter(|version| unread.contains(&version.blob));
                let ids = closed.filter_map(|version| asked.readers_of(version)).flatten();
                let own = entry.readers.iter().filter(|_| entry.prints.is_none());
                item.ask = ids.chain(own).flat_map(|id| readers::of_id(&survey.keyring, *id)).collect();
            }
            items.push(item);
        }
    }
    for entry in now.iter().filter(|entry| !done.contains(&entry.path)) {
        let mut item = judge(entry, &[], &known, &bodies, &unread);
        item.reads_now = target.reads(&survey.keyring, &entry.readers);
        if item.verdict == Verdict::Valid {
            items.push(item);
        }
    }
    items.sort_by(|one, other| (one.verdict, &one.path).cmp(&(other.verdict, &other.path)));
    let all: Vec<&Version> = leaked.iter().flat_map(|(_, versions)| versions.iter().copied()).collect();
    let readers = asked.readers(&target, &all, &loose);
    let (perhaps, shared) = (asked.perhaps(&target), asked.shared(&target));
    let recover = recover(&past, &all, &now, &mut values, &target);
    values.settle();
    let mut gaps = past.gaps();
    gaps.extend(asked.unknown_ids(&target, &now));
    Ok(Exposure {
        versions: all.len() + loose.len(),
        total: lives.iter().map(|life| life.versions.len()).sum(),
        target,
        readers,
        items,
        perhaps,
        shared,
        recover,
        gaps,
        keyring: survey.keyring,
        waiting,
    })
}

/// Returns the files that an entry has: those in HEAD; if there is none, the last one, which may be in the work tree,
/// unless another entry has its name now.
fn files_of<'l>(life: &'l Life, taken: &BTreeSet<&Path>) -> impl Iterator<Item = &'l Path> {
    let last = life.versions.last().filter(|_| life.now.is_empty()).map(|version| &*version.path);
    life.now.iter().map(PathBuf::as_path).chain(last.filter(|path| !taken.contains(path)))
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
        .filter(|(path, kind)| *kind == rustix::fs::FileType::RegularFile && is_entry(path))
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

/// Returns an item about these versions, of which nothing is judged.
fn item(path: PathBuf, versions: &[&Version], unread: &BTreeSet<Oid>) -> Item {
    let moments: Vec<Moment> = versions.iter().map(|version| version.came).collect();
    let first = moments.iter().min_by_key(|moment| moment.when).copied();
    let last = moments.iter().max_by_key(|moment| moment.when).copied();
    let former = versions.iter().map(|version| version.path.clone()).filter(|old| *old != path);
    Item {
        former: former.collect(),
        path,
        verdict: Verdict::Gone,
        secrets: Vec::new(),
        has_same_lines: false,
        versions: versions.len(),
        unread: versions.iter().filter(|version| unread.contains(&version.blob)).count(),
        ask: BTreeSet::new(),
        between: first.zip(last),
        reads_now: false,
        elsewhere: BTreeSet::new(),
        only_log: !versions.is_empty() && versions.iter().all(|version| version.reach == Reach::Log),
        url: None,
    }
}

fn gone(versions: &[&Version], unread: &BTreeSet<Oid>) -> Item {
    let last = versions.last().map(|version| version.path.clone()).unwrap_or_default();
    item(last, versions, unread)
}

/// Returns how an entry stands to what was exposed.
fn judge(
    entry: &Standing,
    versions: &[&Version],
    known: &Known,
    bodies: &BTreeSet<[u8; 32]>,
    unread: &BTreeSet<Oid>,
) -> Item {
    let mut item = item(entry.path.clone(), versions, unread);
    let is_exposed = entry.body.is_some_and(|body| bodies.contains(&body));
    let Some(prints) = &entry.prints else {
        item.verdict = if is_exposed { Verdict::Valid } else { Verdict::Unknown };
        return item;
    };
    item.url.clone_from(&prints.url);
    item.has_same_lines = !versions.is_empty() && !known.places(&prints.others).is_empty();
    for (secret, values) in &prints.secrets {
        let places = known.places(values);
        let verdict = match () {
            () if is_exposed || !places.is_empty() => Verdict::Valid,
            // What it said then, nobody can say here.
            () if item.unread > 0 => Verdict::Unknown,
            () => Verdict::Changed,
        };
        let own = versions.iter().map(|version| &version.path).chain([&entry.path]);
        let own: BTreeSet<&PathBuf> = own.collect();
        item.elsewhere.extend(places.into_iter().filter(|place| !own.contains(place)).cloned());
        item.secrets.push((*secret, verdict));
    }
    item.verdict = item.secrets.iter().map(|(_, verdict)| *verdict).min().unwrap_or(Verdict::Changed);
    item
}

/// Returns the entries whose accounts can be recovered through one that was exposed.
fn recover(
    past: &Past,
    leaked: &[&Version],
    now: &[Standing],
    values: &mut Values<'_, '_>,
    target: &Target,
) -> BTreeSet<PathBuf> {
    if matches!(target, Target::Keys(_)) {
        return BTreeSet::new();
    }
    let mut logins = BTreeSet::new();
    for version in leaked {
        logins
            .extend(prints(past, version, values).map(|prints| prints.mailboxes.clone()).unwrap_or_default());
    }
    let own: BTreeSet<&PathBuf> = leaked.iter().map(|version| &version.path).collect();
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
    fn readers(
        &self,
        target: &Target,
        leaked: &[&Version],
        loose: &[&Standing],
    ) -> BTreeMap<Reader, (Moment, Moment)> {
        let mut all: BTreeMap<Reader, (Moment, Moment)> = BTreeMap::new();
        if matches!(target, Target::Keys(_)) {
            return all;
        }
        for version in leaked {
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
        for reader in loose.iter().flat_map(|entry| &entry.readers) {
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
