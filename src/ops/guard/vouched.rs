//! Changed recipients, groups and rules that somebody else's signature answers for.
//!
//! What the signature of a commit vouches for is what that commit itself changed, and what nobody changed since
//! ([`crate::git::lineage`]): its whole tree is signed, and with it which list rules which folder. That of a list alone
//! (`.gpg-id.sig`, as pass makes it) says nothing of the folder, the store or the time that it was made for. It is taken
//! only where such a list stands for the first time, in a folder that had one, and lets nobody back in.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::origin::{History, blob_at};
use super::rules::{changes, said};
use super::{Context, Difference, OpError, RulesDifference};
use crate::config::{self, Config};
use crate::git::lineage::{Claim, Lineage};
use crate::git::{GitError, Head, Oid, Repo};
use crate::model::{Fingerprint, GpgId, Shown};
use crate::ops::signature_path;
use crate::store::StoreError;
use crate::store::accepted::{Keys, Rules, hash_of};

/// Says whose signatures are good.
pub(in crate::ops) trait Judge {
    /// Returns the trusted key that has signed a commit; none if none has.
    fn signer_of(&mut self, repo: &Repo, commit: Oid) -> Option<Fingerprint>;

    /// Returns the trusted key whose signature of a file this is; none if it is none's.
    fn signer_of_file(&mut self, bytes: &[u8], signature: &[u8]) -> Option<Fingerprint>;
}

/// Who answers for a change: commits, safe to show, and the keys that have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Vouched {
    /// The commits, each with the key that has signed it.
    pub commits: BTreeSet<(String, Fingerprint)>,
    /// Whether the list was signed, rather than the commit.
    pub by_file: bool,
}

/// What is asked about of a folder whose recipients differ.
struct Case<'a> {
    difference: &'a Difference,
    history: &'a History,
    /// The list that rules the folder, and its bytes.
    place: &'a Path,
    list: &'a [u8],
    /// The folder whose memory rules it, if any.
    known: Option<&'a Path>,
    /// For each key that is gained, the one name by which the list means it: a whole fingerprint. (Whom any other
    /// name leads to, each keyring says for itself.)
    names: Vec<(&'a Fingerprint, String)>,
}

impl Context<'_> {
    /// Returns who answers for the changed recipients of a folder; none if nobody does.
    pub(in crate::ops) fn vouched(
        &self,
        difference: &Difference,
        judge: &mut dyn Judge,
    ) -> Result<Option<Vouched>, OpError> {
        let folder = difference.folder.as_path();
        let root = self.store.root();
        let is_one_history =
            Repo::prefix_of(root, folder) == Repo::prefix_of(root, difference.ruling.as_path());
        if difference.was_unusable || !difference.is_committed || !is_one_history {
            return Ok(None);
        }
        // What cannot be opened vouches for nothing.
        let Some(Ok(history)) = History::of(root, folder) else { return Ok(None) };
        let failed = StoreError::from;
        let head = history.repo.head().map_err(failed)?;
        let Some((place, list)) = history.list(&head, folder).map_err(failed)? else { return Ok(None) };
        let is_as_judged = history.inside(&difference.ruling.gpg_id()).as_ref() == Some(&place)
            && hash_of(&list) == difference.list;
        let Some(lineage) = history.repo.lineage(self.store.changing()).map_err(failed)? else {
            return Ok(None);
        };
        let names: Option<Vec<_>> =
            difference.gains.iter().map(|key| Some((key, sole_name(&list, key)?))).collect();
        let (true, Some(names)) = (is_as_judged, names) else { return Ok(None) };
        let accepted = self.accepted()?;
        let known = accepted.ruling_folder(&difference.folder);
        let case = Case { difference, history: &history, place: &place, list: &list, known, names };
        match self.vouched_by_commits(&case, &lineage, judge)? {
            None => self.vouched_by_file(&case, &lineage, judge),
            vouched => Ok(vouched),
        }
    }

    /// Returns who answers for every gain and every loss, and for the place of the list where that is another one.
    fn vouched_by_commits(
        &self,
        case: &Case<'_>,
        lineage: &Lineage<'_>,
        judge: &mut dyn Judge,
    ) -> Result<Option<Vouched>, OpError> {
        let Case { difference, history, place, .. } = case;
        let folder = difference.folder.as_path();
        let mut vouching = Vouching { history, lineage, judge, commits: BTreeSet::new() };
        for (key, name) in &case.names {
            let mut claim = |tree: &Head<'_>| {
                let list = history.list(tree, folder)?;
                Ok(list.is_some_and(|(_, list)| names_in(&list).contains(name)))
            };
            if !vouching.add(&mut claim, difference.returning.contains(key))? {
                return Ok(None);
            }
        }
        let mut known: HashMap<String, Keys> = HashMap::new();
        for key in &difference.loses {
            let mut claim = |tree: &Head<'_>| {
                let list = history.list(tree, folder)?.map(|(_, list)| list).unwrap_or_default();
                Ok(!self.keys_named(&list, &mut known).contains(key))
            };
            if !vouching.add(&mut claim, false)? {
                return Ok(None);
            }
        }
        if case.known != Some(difference.ruling.as_path()) {
            let mut claim =
                |tree: &Head<'_>| Ok(history.list(tree, folder)?.is_some_and(|(there, _)| there == **place));
            if !vouching.add(&mut claim, false)? {
                return Ok(None);
            }
        }
        Ok(vouching.done())
    }

    /// Returns who answers for the list as a file.
    fn vouched_by_file(
        &self,
        case: &Case<'_>,
        lineage: &Lineage<'_>,
        judge: &mut dyn Judge,
    ) -> Result<Option<Vouched>, OpError> {
        let Case { difference, history, place, list, known, .. } = case;
        let folder = difference.folder.as_path();
        let is_own = *known == Some(folder) && difference.ruling == difference.folder;
        if !is_own || !difference.returning.is_empty() {
            return Ok(None);
        }
        let head = history.repo.head().map_err(StoreError::from)?;
        let Some((blob, _)) = head.entry(place).map_err(StoreError::from)? else { return Ok(None) };
        // A list that stood elsewhere, or once before, may be signed for that.
        let brought = lineage.brought(blob);
        let mut claim = |tree: &Head<'_>| {
            Ok(history.list(tree, folder)?.is_some_and(|(there, bytes)| there == **place && bytes == **list))
        };
        let settled = lineage.settled(&mut claim, false);
        let ([(commit, path)], [settling]) = (&brought[..], &settled[..]) else { return Ok(None) };
        if commit != settling || path != place {
            return Ok(None);
        }
        let file = signature_path(&difference.ruling.gpg_id());
        let Some(signature) = self.store.beneath().read(&file).map_err(StoreError::from)? else {
            return Ok(None);
        };
        let Some(key) = judge.signer_of_file(list, &signature) else { return Ok(None) };
        let told = history.repo.commit_info(*commit).map_err(StoreError::from)?.told();
        Ok(Some(Vouched { commits: BTreeSet::from([(told, key)]), by_file: true }))
    }

    /// Returns how groups and rules differ, and who answers for all of it; none if nobody does.
    pub(in crate::ops) fn vouched_rules(
        &self,
        judge: &mut dyn Judge,
    ) -> Result<Option<(RulesDifference, Vouched)>, OpError> {
        let Some(difference) = self.unaccepted_rules()? else { return Ok(None) };
        let Some(Ok(history)) = History::of(self.store.root(), Path::new("")) else { return Ok(None) };
        let failed = StoreError::from;
        let file = history.inside(Path::new(config::FILE)).expect("the file stands at the root");
        let committed =
            blob_at(&history.repo, &history.repo.head().map_err(failed)?, &file).map_err(failed)?;
        if committed.as_deref().map(hash_of).unwrap_or_default() != difference.hash {
            return Ok(None);
        }
        let Some(lineage) = history.repo.lineage(self.store.changing()).map_err(failed)? else {
            return Ok(None);
        };
        let (accepted, now) = (self.accepted()?.rules().clone(), self.found_rules());
        let mut known: HashMap<Vec<u8>, Option<Rules>> = HashMap::new();
        let mut vouching = Vouching { history: &history, lineage: &lineage, judge, commits: BTreeSet::new() };
        for of in changes(&accepted, &now).keys() {
            let words = |rules: &Rules| rules.get(of).cloned().unwrap_or_default();
            let (old, new) = (words(&accepted), words(&now));
            for word in old.symmetric_difference(&new) {
                let mut claim = |tree: &Head<'_>| {
                    let bytes = blob_at(&history.repo, tree, &file)?.unwrap_or_default();
                    let rules = known.entry(bytes).or_insert_with_key(|bytes| {
                        let bytes = Some(bytes.as_slice()).filter(|bytes| !bytes.is_empty());
                        Some(said(&Config::of(bytes).ok()?))
                    });
                    let rules = rules.as_ref().ok_or(GitError::Unreadable)?;
                    Ok(words(rules).contains(word) == new.contains(word))
                };
                // Whoever was taken out of a group may come back by a signed commit alone, as into a list.
                if !vouching.add(&mut claim, false)? {
                    return Ok(None);
                }
            }
        }
        Ok(vouching.done().map(|vouched| (difference, vouched)))
    }
}

/// Who answers for one claim after the other.
struct Vouching<'a> {
    history: &'a History,
    lineage: &'a Lineage<'a>,
    judge: &'a mut dyn Judge,
    commits: BTreeSet<(String, Fingerprint)>,
}

impl Vouching<'_> {
    /// Whether a signed commit has settled the claim; adds it to those that answer.
    fn add(&mut self, claim: &mut Claim<'_>, again: bool) -> Result<bool, OpError> {
        for commit in self.lineage.settled(claim, again) {
            if let Some(key) = self.judge.signer_of(&self.history.repo, commit) {
                let told = self.history.repo.commit_info(commit).map_err(StoreError::from)?.told();
                self.commits.insert((told, key));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns who answers, if there was anything to answer for.
    fn done(self) -> Option<Vouched> {
        (!self.commits.is_empty()).then_some(Vouched { commits: self.commits, by_file: false })
    }
}

/// Returns the fingerprints that a list names whole, with `!` where only that part of the key is meant.
fn names_in(list: &[u8]) -> BTreeSet<String> {
    let lines = GpgId::from_bytes(list.to_vec()).lines();
    let name = |id: &str| {
        let exact = if id.ends_with('!') { "!" } else { "" };
        Some(format!("{}{exact}", Fingerprint::of_name(id)?))
    };
    lines.iter().filter_map(|line| name(&line.id)).collect()
}

/// Returns the name of [`names_in`] by which a list means `key`; none where it does not, or has two.
fn sole_name(list: &[u8], key: &Fingerprint) -> Option<String> {
    let mut names = names_in(list).into_iter().filter(|name| name.trim_end_matches('!') == key.as_str());
    names.next().filter(|_| names.next().is_none())
}

impl Vouched {
    /// Returns a sentence's end: which commits, and who has signed; `name` says what people know a key by.
    pub(in crate::ops) fn told(&self, name: &dyn Fn(&Fingerprint) -> Option<String>) -> String {
        let signed = |(commit, key): &(String, Fingerprint)| {
            let name = name(key).map(|name| format!(" ({})", Shown::new(&name))).unwrap_or_default();
            match self.by_file {
                true => format!("in {commit}, the list signed by {key}{name}"),
                false => format!("in {commit}, signed by {key}{name}"),
            }
        };
        self.commits.iter().map(signed).collect::<Vec<_>>().join("; and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_its_whole_fingerprint_in_one_way() {
        let (one, other) = ("A".repeat(40), "B".repeat(40));
        let key = Fingerprint::parse(&one).unwrap();
        for (list, name) in [
            (format!("0x{}\n{other}\n", one.to_lowercase()), Some(one.clone())),
            (format!("{one}! # Anna\n"), Some(format!("{one}!"))),
            (format!("{one}\n{one}!\n"), None),
            (format!("{one}\n{one}\n"), Some(one.clone())),
            ("anna@example.org\nAAAAAAAAAAAAAAAA\n".to_owned(), None),
        ] {
            assert_eq!(sole_name(list.as_bytes(), &key), name, "{list}");
        }
    }
}
