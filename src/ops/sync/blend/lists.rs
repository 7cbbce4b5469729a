//! Lists of recipients, their signatures, and the store's configuration.
//!
//! Two changes of one list come to what both meant: whoever either side added, and nobody whom either side took out.
//! That is no list that anybody has accepted: the guard ([`crate::ops::guard`]) asks about it, and nothing of it is
//! pushed before somebody has answered ([`super::super::outgoing`]).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Blend, Both};
use crate::config::{Config, FolderRule, SyncRule};
use crate::git::Repo;
use crate::git::compared::Item;
use crate::model::{Fingerprint, GpgId, Shown};
use crate::ops::sync::SyncError;
use crate::store::StoreError;

/// The mode of a file that nobody executes.
const PLAIN: u32 = 0o100_644;

impl Blend<'_, '_> {
    /// Both changed a list.
    pub(super) fn list(&mut self, path: &Path, both: Both) -> Result<(), SyncError> {
        let read = |item: Item| ids(self.repo, item);
        let base = both.base.map(read).transpose()?.unwrap_or_default();
        let (ours, theirs) = (read(both.ours)?, read(both.theirs)?);
        let merged = merged(&base, &ours, &theirs);
        let file = Shown::os(&self.store_path(path)).to_string();
        if merged.is_empty() {
            self.found.notes.push(format!(
                "`{file}` was changed here and there so that nobody would be left: it stays as it is here"
            ));
            return Ok(());
        }
        let item = match (is_same(&merged, &ours), is_same(&merged, &theirs)) {
            // The same on both sides, written otherwise.
            (true, true) => both.ours.max(both.theirs),
            (true, false) => both.ours,
            (false, true) => both.theirs,
            (false, false) => {
                let list = GpgId::from_ids(merged.iter().map(String::as_str));
                let id = self.repo.write_blob(list.as_bytes()).map_err(StoreError::from)?;
                Item { id, mode: PLAIN }
            }
        };
        self.set(path, Some(item));
        self.found.notes.push(format!(
            "`{file}` was changed here and there: now it has whom either added, and not whom either took out"
        ));
        Ok(())
    }

    /// Both signed their list anew: the signature goes with the list, or there is none.
    pub(super) fn signature(&mut self, path: &Path, both: Both) -> Result<(), SyncError> {
        let list = path.with_extension("");
        let finally = self.finally(&list)?;
        let (ours, theirs) = (self.in_tree(self.trees.ours, &list)?, self.in_tree(self.trees.theirs, &list)?);
        let item = match (finally == ours, finally == theirs) {
            (true, true) => Some(both.ours.max(both.theirs)),
            (true, false) => Some(both.ours),
            (false, true) => Some(both.theirs),
            (false, false) => None,
        };
        self.set(path, item);
        Ok(())
    }

    /// Both changed the groups and rules.
    pub(super) fn configuration(&mut self, path: &Path, both: Both) -> Result<(), SyncError> {
        let read = |item: Option<Item>| -> Result<Option<Config>, SyncError> {
            let bytes = item.map(|item| self.repo.blob(item.id)).transpose().map_err(StoreError::from)?;
            Ok(Config::of(bytes.as_deref()).ok())
        };
        let parts = (read(both.base)?, read(Some(both.ours))?, read(Some(both.theirs))?);
        let (Some(base), Some(ours), Some(theirs)) = parts else {
            return self.keep_apart(path, both.theirs, "one of them cannot be read");
        };
        let item = match merged_config(&base, &ours, &theirs).to_bytes() {
            Some(bytes) => {
                let id = self.repo.write_blob(&bytes).map_err(StoreError::from)?;
                Some(Item { id, mode: PLAIN })
            }
            None => None,
        };
        self.set(path, item);
        Ok(())
    }

    /// Keeps the lists of folders that one side removed, where the other side put or changed something in there: by the
    /// list above, others would read it.
    pub(super) fn keep_lists(&mut self, paths: &[PathBuf]) -> Result<(), SyncError> {
        for path in paths {
            for (tree, deltas) in [(self.trees.theirs, &self.theirs), (self.trees.ours, &self.ours)] {
                if deltas.get(path).is_none_or(|delta| delta.new.is_none()) {
                    continue;
                }
                let mut lists = path.ancestors().skip(1).map(|folder| folder.join(".gpg-id"));
                let ruling = lists.find_map(|list| Some((list.clone(), self.in_tree(tree, &list).ok()??)));
                let Some((list, item)) = ruling else { continue };
                if self.finally(&list)?.is_none() {
                    let file = Shown::os(&self.store_path(&list)).to_string();
                    self.found.edits.insert(list, Some(item));
                    self.found.notes.push(format!(
                        "`{file}` was removed, but something in its folder was changed by somebody else: it stays"
                    ));
                    break;
                }
            }
        }
        Ok(())
    }

    /// Notes which lists will be others than those in the work tree.
    pub(super) fn note_lists(&mut self) -> Result<(), SyncError> {
        for (path, item) in self.found.edits.iter().filter(|(path, _)| path.ends_with(".gpg-id")) {
            if *item == self.in_tree(self.trees.ours, path)? {
                continue;
            }
            let bytes = item.map(|item| self.repo.blob(item.id)).transpose().map_err(StoreError::from)?;
            self.overlay.insert(self.store_path(path), bytes);
        }
        Ok(())
    }
}

/// Returns a list of everybody whom one of several lists names.
pub(super) fn union(repo: &Repo, lists: impl Iterator<Item = Item>) -> Result<Option<Item>, SyncError> {
    let mut all: Vec<String> = Vec::new();
    for list in lists {
        for id in ids(repo, list)? {
            if !all.iter().any(|known| named(known) == named(&id)) {
                all.push(id);
            }
        }
    }
    let list = GpgId::from_ids(all.iter().map(String::as_str));
    let id = repo.write_blob(list.as_bytes()).map_err(StoreError::from)?;
    Ok(Some(Item { id, mode: PLAIN }))
}

fn ids(repo: &Repo, item: Item) -> Result<Vec<String>, SyncError> {
    let bytes = repo.blob(item.id).map_err(StoreError::from)?;
    Ok(GpgId::from_bytes(bytes).lines().into_iter().map(|line| line.id).collect())
}

/// Returns what tells one name of a key from others: `0xabc…` and `ABC…` are the same fingerprint.
fn named(id: &str) -> String {
    let exact = id.strip_suffix('!').map_or("", |_| "!");
    Fingerprint::of_name(id).map_or_else(|| id.to_owned(), |key| format!("{key}{exact}"))
}

/// Returns the names of a list that was changed on two sides: those of the base in their order, then the new ones,
/// sorted, so that it is the same whoever merges.
fn merged(base: &[String], ours: &[String], theirs: &[String]) -> Vec<String> {
    let set = |ids: &[String]| ids.iter().map(|id| named(id)).collect::<BTreeSet<_>>();
    let (old, one, other) = (set(base), set(ours), set(theirs));
    let kept = base.iter().filter(|id| one.contains(&named(id)) && other.contains(&named(id)));
    let new: BTreeMap<String, &String> = ours
        .iter()
        .chain(theirs)
        .filter(|id| !old.contains(&named(id)))
        .map(|id| (named(id), id))
        .rev()
        .collect();
    kept.chain(new.into_values()).cloned().collect()
}

fn is_same(one: &[String], other: &[String]) -> bool {
    let set = |ids: &[String]| ids.iter().map(|id| named(id)).collect::<BTreeSet<_>>();
    set(one) == set(other)
}

/// Returns what two changes of a configuration come to.
fn merged_config(base: &Config, ours: &Config, theirs: &Config) -> Config {
    let clients = if base.clients == ours.clients { &theirs.clients } else { &ours.clients };
    let mut merged = Config { clients: clients.clone(), ..Config::default() };
    let changed = |base: Option<bool>, ours, theirs| if base == ours { theirs } else { ours };
    merged.sync = SyncRule {
        auto: changed(base.sync.auto, ours.sync.auto, theirs.sync.auto),
        require_signed: changed(
            base.sync.require_signed,
            ours.sync.require_signed,
            theirs.sync.require_signed,
        ),
    };
    merged.health = super::health::merged(&base.health, &ours.health, &theirs.health);
    let names: BTreeSet<_> = [base, ours, theirs].iter().flat_map(|config| config.groups.keys()).collect();
    for name in names {
        let group = |config: &Config| config.groups.get(name).cloned();
        if let Some(keys) = merged_part(group(base), group(ours), group(theirs), &merged_set) {
            merged.groups.insert(name.clone(), keys);
        }
    }
    let folders: BTreeSet<_> = [base, ours, theirs].iter().flat_map(|config| config.rules.keys()).collect();
    for folder in folders {
        let rule = |config: &Config| config.rules.get(folder).cloned();
        let rules = |base: &FolderRule, ours: &FolderRule, theirs: &FolderRule| FolderRule {
            groups: merged_set(&base.groups, &ours.groups, &theirs.groups),
            keys: merged_set(&base.keys, &ours.keys, &theirs.keys),
            client: merged_set(&base.client, &ours.client, &theirs.client),
        };
        if let Some(mut rule) = merged_part(rule(base), rule(ours), rule(theirs), &rules) {
            // Where one side gave up a group that the other one put into a rule, nobody is left to follow.
            rule.groups.retain(|group| merged.groups.contains_key(group));
            merged.rules.insert(folder.clone(), rule);
        }
    }
    merged
}

/// Returns what becomes of a part that either side may have changed, made or removed. What one changed and the other
/// removed is removed: it says who else is let in.
fn merged_part<T: Clone + PartialEq + Default>(
    base: Option<T>,
    ours: Option<T>,
    theirs: Option<T>,
    merge: &dyn Fn(&T, &T, &T) -> T,
) -> Option<T> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(merge(&base.unwrap_or_default(), &ours, &theirs)),
        (Some(one), None) | (None, Some(one)) => base.is_none().then_some(one),
        (None, None) => None,
    }
}

/// Returns what two changes of a set come to.
fn merged_set<T: Clone + Ord>(base: &BTreeSet<T>, ours: &BTreeSet<T>, theirs: &BTreeSet<T>) -> BTreeSet<T> {
    let kept = base.iter().filter(|item| ours.contains(*item) && theirs.contains(*item));
    let new = ours.union(theirs).filter(|item| !base.contains(*item));
    kept.chain(new).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_list_has_whom_either_added_and_not_whom_either_took_out() {
        let key = "A".repeat(40);
        for (base, ours, theirs, wanted) in [
            ("b a c", "b a c d", "b c", "b c d"),
            ("a b", "b", "a", ""),
            ("", "x a", "a y", "a x y"),
            (&*key, &*format!("0x{}", key.to_lowercase()), &*format!("{key} b"), &*format!("{key} b")),
            ("a", "a!", "a", "a!"),
        ] {
            let of = |ours, theirs| merged(&list(base), &list(ours), &list(theirs));
            assert_eq!(of(ours, theirs), list(wanted), "{base}; {ours}; {theirs}");
            assert_eq!(of(theirs, ours), list(wanted), "{base}; {theirs}; {ours}");
        }
    }

    #[test]
    fn groups_and_rules_are_merged_by_what_they_say() {
        let config = |text: &str| {
            let keys = ["A", "B", "C", "D"]
                .iter()
                .fold(text.to_owned(), |text, digit| text.replace(&format!("<{digit}>"), &digit.repeat(40)));
            Config::of(Some(format!("version: 1\n{keys}").as_bytes())).unwrap()
        };
        let base = config("groups:\n  team: [<A>, <B>]\n  old: [<A>]\nrules:\n  /: {groups: [team, old]}\n");
        let ours =
            config("groups:\n  team: [<A>, <B>, <C>]\n  old: [<A>]\nrules:\n  /: {groups: [team, old]}\n");
        let policy = "health: {max_age: 365}\n";
        let theirs = "groups:\n  team: [<A>]\nrules:\n  /: {groups: [team]}\n  web: {keys: [<D>]}\n";
        let theirs = config(&format!("{theirs}{policy}"));
        let wanted = "groups:\n  team: [<A>, <C>]\nrules:\n  /: {groups: [team]}\n  web: {keys: [<D>]}\n";
        let wanted = config(&format!("{wanted}{policy}"));
        assert_eq!(merged_config(&base, &ours, &theirs), wanted);
        assert_eq!(merged_config(&base, &theirs, &ours), wanted);
    }
}
