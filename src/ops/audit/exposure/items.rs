//! How entries stand to what was exposed.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Asked, Exposed, Item, Standing, Target, Verdict};
use crate::git::versions::Reach;
use crate::ops::audit::Moment;
use crate::ops::audit::lives::{Life, Version};
use crate::ops::readers;

/// Returns how all entries stand to what was exposed, what is to be changed first in front.
pub(super) fn items(
    asked: &Asked<'_>,
    target: &Target,
    exposed: &Exposed<'_>,
    now: &[Standing],
) -> Vec<Item> {
    let keyring = &asked.survey.keyring;
    let by_path: HashMap<&Path, &Standing> = now.iter().map(|entry| (&*entry.path, entry)).collect();
    let taken: BTreeSet<&Path> =
        asked.lives.iter().flat_map(|life| &life.now).map(PathBuf::as_path).collect();
    let (mut items, mut done) = (Vec::new(), BTreeSet::new());
    for (life, versions) in &exposed.lives {
        let files = files_of(life, &taken);
        let stands: Vec<&Standing> = files.filter_map(|path| by_path.get(path).copied()).collect();
        if stands.is_empty() {
            items.push(gone(versions, exposed));
        }
        for entry in stands {
            done.insert(&entry.path);
            let mut item = judge(entry, versions, exposed);
            item.reads_now = target.reads(keyring, &entry.readers);
            if item.verdict == Verdict::Unknown {
                let closed = versions.iter().filter(|version| exposed.unread.contains(&version.blob));
                let ids = closed.filter_map(|version| asked.readers_of(version)).flatten();
                let own = entry.readers.iter().filter(|_| entry.prints.is_none());
                item.ask = ids.chain(own).flat_map(|id| readers::of_id(keyring, *id)).collect();
            }
            items.push(item);
        }
    }
    for entry in now.iter().filter(|entry| !done.contains(&entry.path)) {
        let mut item = judge(entry, &[], exposed);
        item.reads_now = target.reads(keyring, &entry.readers);
        if item.verdict == Verdict::Valid {
            items.push(item);
        }
    }
    items.sort_by(|one, other| (one.verdict, &one.path).cmp(&(other.verdict, &other.path)));
    items
}

/// Returns the files that an entry has: those in HEAD; if there is none, the last one, which may be in the work tree,
/// unless another entry has its name now.
fn files_of<'l>(life: &'l Life, taken: &BTreeSet<&Path>) -> impl Iterator<Item = &'l Path> {
    let last = life.versions.last().filter(|_| life.now.is_empty()).map(|version| &*version.path);
    life.now.iter().map(PathBuf::as_path).chain(last.filter(|path| !taken.contains(path)))
}

/// Returns an item about these versions, of which nothing is judged.
fn item(path: PathBuf, versions: &[&Version], exposed: &Exposed<'_>) -> Item {
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
        unread: versions.iter().filter(|version| exposed.unread.contains(&version.blob)).count(),
        ask: BTreeSet::new(),
        between: first.zip(last),
        reads_now: false,
        elsewhere: BTreeSet::new(),
        only_log: !versions.is_empty() && versions.iter().all(|version| version.reach == Reach::Log),
        url: None,
    }
}

fn gone(versions: &[&Version], exposed: &Exposed<'_>) -> Item {
    let last = versions.last().map(|version| version.path.clone()).unwrap_or_default();
    item(last, versions, exposed)
}

/// Returns how an entry stands to what was exposed.
fn judge(entry: &Standing, versions: &[&Version], exposed: &Exposed<'_>) -> Item {
    let mut item = item(entry.path.clone(), versions, exposed);
    let known = &exposed.known;
    let is_exposed = entry.body.is_some_and(|body| exposed.bodies.contains(&body));
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
