//! What a change comes to, shown before it is made; what is then made must come to the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::now::{Line, guarded, keys_of};
use super::{Now, RuleError, shown};
use crate::config::{self, Config, GroupName};
use crate::model::entry::is_credential;
use crate::model::{Fingerprint, FolderName, GpgId, Shown};
use crate::ops::lists::{self, ListChange, Lists, Others};
use crate::ops::reencrypt::Changed;
use crate::ops::{Context, OpError, keys as public_keys};
use crate::store::StoreError;
use crate::store::accepted::Keys;
use crate::store::recipients::Overlay;

/// What is to be: the configuration, and the lists that go with it.
#[derive(Debug)]
pub struct Wanted {
    /// The new configuration.
    pub config: Config,
    /// The new recipients files of folders; none to take a folder's own away.
    pub lists: BTreeMap<FolderName, Option<GpgId>>,
    /// Keys that the user has just named, one by one: they need not have been accepted here before, nor be in
    /// the keyring yet.
    pub named: Keys,
}

/// How the recipients of one folder change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderChange {
    /// The folder.
    pub folder: FolderName,
    /// Keys that gain access.
    pub gains: Keys,
    /// Keys that lose it.
    pub loses: Keys,
    /// Lines that go, safe to show, of which nobody can tell whose they are.
    pub gone: BTreeSet<String>,
    /// Everybody who can read it afterwards.
    pub after: Keys,
    /// The recipients file of a folder above that ruled it, where it had none of its own and has one now.
    pub inherited: Option<PathBuf>,
    /// The groups that it follows afterwards.
    pub follows: BTreeSet<GroupName>,
    /// Groups that it follows no longer.
    pub leaves: BTreeSet<GroupName>,
    /// How many entries its list rules.
    pub entries: usize,
}

/// Where a key that loses access somewhere has it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// The folder.
    pub folder: FolderName,
    /// The group that lets it in, if one does.
    pub group: Option<GroupName>,
}

/// What a change comes to.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// Whether there is anything to do at all.
    pub is_change: bool,
    /// The folders whose recipients change.
    pub folders: Vec<FolderChange>,
    /// Keys that lose access somewhere, with where they have it all the same.
    pub still: BTreeMap<Fingerprint, Vec<Still>>,
}

impl Proposal {
    /// Returns the keys that gain access anywhere.
    pub fn gains(&self) -> Keys {
        self.folders.iter().flat_map(|change| change.gains.iter().cloned()).collect()
    }

    /// Returns the keys that lose access anywhere.
    pub fn loses(&self) -> Keys {
        self.folders.iter().flat_map(|change| change.loses.iter().cloned()).collect()
    }

    /// Returns whoever loses access anywhere: fingerprints, and lines of which nobody can tell whose they are.
    pub fn leaving(&self) -> BTreeSet<String> {
        let gone = self.folders.iter().flat_map(|change| change.gone.iter().cloned());
        gone.chain(self.loses().iter().map(Fingerprint::to_string)).collect()
    }

    /// Whether the same people gain and lose the same access; entries may come and go.
    fn is_like(&self, other: &Proposal) -> bool {
        let told = |proposal: &Proposal| -> Vec<FolderChange> {
            proposal.folders.iter().map(|change| FolderChange { entries: 0, ..change.clone() }).collect()
        };
        told(self) == told(other)
    }
}

impl Now<'_, '_> {
    /// Returns what `wanted` comes to; with `force`, also where the user locks themselves out.
    fn propose(&self, wanted: &Wanted, force: bool) -> Result<Proposal, OpError> {
        if self.context.keys.is_some_and(|keys| !keys.trim().is_empty()) {
            return Err(RuleError::Overridden.into());
        }
        self.refuse_uncommitted(wanted)?;
        let mut proposal = Proposal { is_change: wanted.config != self.config, ..Proposal::default() };
        for (folder, list) in &wanted.lists {
            let bytes = list.as_ref().map(GpgId::as_bytes);
            proposal.is_change |= bytes != self.own_list(folder)?.as_deref();
            proposal.folders.push(self.folder_change(wanted, folder, list.as_ref())?);
        }
        // A folder that gets a list of its own starts from the rule of the one whose list it had.
        let mut sources = BTreeSet::new();
        for folder in wanted.lists.keys() {
            sources.extend([folder.clone(), self.rule(folder)?.1]);
        }
        self.context.check_rules(&self.config, &wanted.config, &sources)?;
        if !force {
            self.refuse_locking_out(&proposal)?;
        }
        self.count_entries(wanted, &mut proposal)?;
        self.refuse_unusable(wanted, &proposal)?;
        proposal.still = self.still(wanted, &proposal)?;
        Ok(proposal)
    }

    /// Refuses what the change would write over, or begin from, and nobody has committed: before anybody is
    /// asked, or a key imported.
    fn refuse_uncommitted(&self, wanted: &Wanted) -> Result<(), OpError> {
        let list = |list: &Option<GpgId>| list.as_ref().map(|list| list.as_bytes().to_vec());
        let overlay: Overlay =
            wanted.lists.iter().map(|(folder, new)| (folder.gpg_id(), list(new))).collect();
        self.context.store.refuse_uncommitted_lists(&overlay)?;
        if wanted.config != self.config {
            self.context.store.refuse_uncommitted(std::iter::once(Path::new(config::FILE)))?;
        }
        Ok(())
    }

    /// Returns how the recipients of `folder` change with its own `list`, or without one.
    fn folder_change(
        &self,
        wanted: &Wanted,
        folder: &FolderName,
        list: Option<&GpgId>,
    ) -> Result<FolderChange, OpError> {
        let (rule, ruling) = self.rule(folder)?;
        let lines = self.lines(&rule.lines);
        let new: Vec<Line> = match list {
            Some(list) => self.lines(&list.lines()),
            None => self.lines(&self.rule(&folder.parent().unwrap_or_default())?.0.lines),
        };
        let (before, after) = (keys_of(&lines), keys_of(&new));
        if after.is_empty() {
            return Err(RuleError::Nobody(shown(folder)).into());
        }
        // What stays must have been accepted, or a change of ours would make good what others slipped in.
        self.context.check_kept(folder, &guarded(&lines), &guarded(&new), &wanted.named, &rule)?;
        let stays = |line: &&Line| new.iter().any(|other| other.id == line.id);
        let gone = lines.iter().filter(|line| line.keys.is_empty() && !stays(line));
        let groups = |config: &Config, folder| {
            config.rules.get(folder).map(|rule| rule.groups.clone()).unwrap_or_default()
        };
        let followed = self.followed(folder, &ruling).map(|rule| rule.groups.clone()).unwrap_or_default();
        let follows = groups(&wanted.config, folder);
        Ok(FolderChange {
            folder: folder.clone(),
            gains: after.difference(&before).cloned().collect(),
            loses: before.difference(&after).cloned().collect(),
            gone: gone.map(|line| Shown::new(&line.id).to_string()).collect(),
            inherited: rule.file.filter(|_| list.is_some() && ruling != *folder),
            leaves: followed.difference(&follows).filter(|_| list.is_some()).cloned().collect(),
            follows,
            after,
            entries: 0,
        })
    }

    fn refuse_locking_out(&self, proposal: &Proposal) -> Result<(), OpError> {
        let losing = || proposal.folders.iter().filter(|change| !change.loses.is_empty());
        if losing().next().is_none() {
            return Ok(());
        }
        let own = self.context.crypto.own_keys().map_err(|source| OpError::OwnKeys { source })?;
        let own: Keys = own.into_iter().collect();
        let locked =
            losing().filter(|change| !own.is_disjoint(&change.loses) && own.is_disjoint(&change.after));
        let locked: Vec<String> = locked.map(|change| shown(&change.folder)).collect();
        if locked.is_empty() { Ok(()) } else { Err(RuleError::LocksOut(locked).into()) }
    }

    /// Refuses lists whose entries could not be encrypted anew: before anybody is asked.
    fn refuse_unusable(&self, wanted: &Wanted, proposal: &Proposal) -> Result<(), OpError> {
        for change in proposal.folders.iter().filter(|change| change.entries > 0) {
            let Some(Some(list)) = wanted.lists.get(&change.folder) else { continue };
            let comes = |line: &Line| wanted.named.iter().any(|key| line.names(key));
            let lines = self.lines(&list.lines());
            if let Some(line) = lines.iter().find(|line| !line.is_usable && !comes(line)) {
                return Err(self.unusable(&change.folder, line));
            }
        }
        Ok(())
    }

    /// Counts the entries that each changed list rules.
    fn count_entries(&self, wanted: &Wanted, proposal: &mut Proposal) -> Result<(), OpError> {
        let below = self.context.store.beneath().below(Path::new("")).map_err(StoreError::from)?;
        let lists = below.files.iter().filter(|(path, _)| path.ends_with(".gpg-id"));
        let mut ruling: BTreeSet<&Path> = lists.filter_map(|(path, _)| path.parent()).collect();
        ruling.extend(wanted.lists.keys().map(FolderName::as_path));
        let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
        for (path, kind) in &below.files {
            if *kind == rustix::fs::FileType::RegularFile
                && is_credential(path)
                && let Some(folder) = path.ancestors().skip(1).find(|folder| ruling.contains(folder))
            {
                *counts.entry(folder).or_default() += 1;
            }
        }
        for change in &mut proposal.folders {
            change.entries = counts.get(change.folder.as_path()).copied().unwrap_or(0);
        }
        Ok(())
    }

    /// Returns where keys that lose access somewhere have it all the same.
    fn still(
        &self,
        wanted: &Wanted,
        proposal: &Proposal,
    ) -> Result<BTreeMap<Fingerprint, Vec<Still>>, OpError> {
        let mut losing = proposal.loses();
        // Whoever is taken out of a group is told of also where no folder follows it any more.
        for (name, keys) in &self.config.groups {
            let stay = wanted.config.groups.get(name).cloned().unwrap_or_default();
            losing.extend(keys.difference(&stay).cloned());
        }
        let mut still: BTreeMap<Fingerprint, Vec<Still>> = BTreeMap::new();
        if losing.is_empty() {
            return Ok(still);
        }
        let changes: BTreeMap<_, _> = proposal.folders.iter().map(|c| (&c.folder, &c.after)).collect();
        let mut folders: BTreeSet<FolderName> = self.context.ruled_folders()?.into_iter().collect();
        folders.extend(changes.keys().map(|folder| (*folder).clone()));
        for folder in folders {
            let lines = self.own_lines(&folder)?;
            let reads = |key: &&Fingerprint| match changes.get(&folder) {
                Some(after) => after.contains(*key),
                None => lines.iter().any(|line| line.names(key)),
            };
            for key in losing.iter().filter(reads) {
                let rule = wanted.config.rules.get(&folder);
                let group = rule.and_then(|rule| wanted.config.group_of(rule, key)).cloned();
                still.entry(key.clone()).or_default().push(Still { folder: folder.clone(), group });
            }
        }
        Ok(still)
    }

    /// Returns the change of files that `wanted` and what it comes to need.
    fn change(&self, wanted: &Wanted, proposal: &Proposal, subject: &str) -> Result<ListChange, OpError> {
        let file = |list: &Option<GpgId>| list.as_ref().map(|list| list.as_bytes().to_vec());
        let lists: Lists = wanted.lists.iter().map(|(folder, list)| (folder.clone(), file(list))).collect();
        let mut others = public_keys::exported(self.context, &proposal.gains())?;
        others.extend(self.left_over(&wanted.config, proposal));
        // A file that says the same stays as somebody wrote it.
        if wanted.config != self.config {
            others.insert(config::FILE.into(), wanted.config.to_bytes());
        }
        let mut seen = vec![self.seen()];
        for folder in wanted.lists.keys() {
            let inherits = |path: &PathBuf| !wanted.lists.keys().any(|folder| folder.gpg_id() == *path);
            seen.extend(self.rule(folder)?.0.seen.into_iter().filter(|(path, _)| inherits(path)));
        }
        Ok(ListChange { lists, others, subject: subject.to_owned(), seen, ..ListChange::default() })
    }

    /// Returns the public keys to take out of the store: nothing in it is encrypted to them any more.
    fn left_over(&self, config: &Config, proposal: &Proposal) -> Others {
        let gone = proposal.loses().into_iter();
        let gone = gone.filter(|key| !proposal.still.contains_key(key) && !config.names(key));
        gone.map(|key| (public_keys::path_of(&key), None)).collect()
    }
}

/// Returns what `edit` comes to, without changing anything; with `force`, also where the user locks
/// themselves out.
pub fn propose(
    context: &Context<'_>,
    edit: impl Fn(&Now<'_, '_>) -> Result<Wanted, OpError>,
    force: bool,
) -> Result<Proposal, OpError> {
    context.at_rest(|| {
        let now = Now::read(context)?;
        now.propose(&edit(&now)?, force)
    })
}

/// Makes the change of `edit`: the configuration, the lists, the public keys and all entries concerned, in
/// one commit. Fails if it would no longer come to what was `shown`.
pub fn carry_out(
    context: &Context<'_>,
    edit: impl Fn(&Now<'_, '_>) -> Result<Wanted, OpError>,
    shown: &Proposal,
    subject: &str,
) -> Result<Changed, OpError> {
    lists::change(context, || {
        let now = Now::read(context)?;
        let wanted = edit(&now)?;
        // What was shown was either no lock-out, or meant.
        let proposal = now.propose(&wanted, true)?;
        if !proposal.is_like(shown) {
            return Err(RuleError::NotAsShown.into());
        }
        now.change(&wanted, &proposal, subject)
    })
}
