//! Groups and rules in the store's configuration, which whoever can push can write: a change of recipients that
//! is made from them must be made from those that somebody on this machine accepted. Left alone, a rule that was
//! slipped in would let a group into a folder, and one that was taken out would keep a key in the list that
//! `group remove` takes out of the group.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Context, OpError};
use crate::config::{self, Config, FolderRule, GroupName};
use crate::git::Repo;
use crate::git::provenance::CommitInfo;
use crate::model::{FolderName, Shown};
use crate::ops::rules::RuleError;
use crate::store::StoreError;
use crate::store::accepted::{Accepted, Rules, hash_of};
use crate::store::beneath::State;
use crate::store::journal::{escape, unescape};
use crate::store::transaction::Plan;

/// What is of the clients' folder.
const CLIENTS: &str = "clients";

/// How groups and rules differ from what was accepted here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesDifference {
    /// What they say now that they did not, and what they do not say any more: a line each, safe to show.
    pub lines: Vec<String>,
    /// The commit that changed them last, where there is one.
    pub commit: Option<CommitInfo>,
    /// The SHA-256 of the file, in hexadecimal; none where there is no file.
    pub hash: String,
}

impl RulesDifference {
    /// Returns a sentence's end: what differs, since which commit.
    pub fn told(&self) -> String {
        let mut told = self.lines.join("; ");
        if let Some(commit) = &self.commit {
            let author = Shown::new(&commit.author);
            told.push_str(&format!("; commit {} of {} by {author}", commit.id, commit.day));
        }
        told
    }
}

impl Context<'_> {
    /// Fails unless the groups and rules that the change from `before` to `after` is made from were accepted:
    /// those that it changes, and those of `folders`, whose lists it changes.
    pub(in crate::ops) fn check_rules<'f>(
        &self,
        before: &Config,
        after: &Config,
        folders: impl IntoIterator<Item = &'f FolderName>,
    ) -> Result<(), OpError> {
        let accepted = self.accepted_rules()?;
        let now = said(before);
        let changed = changes(&now, &said(after));
        let mut concerned: BTreeSet<String> = folders.into_iter().map(of_folder).collect();
        // Whoever follows a group that changes, or followed it when that was accepted.
        for word in
            changed.keys().filter_map(|of| of.strip_prefix("group ")).map(|name| format!("group:{name}"))
        {
            let follows = |rules: &Rules| -> Vec<String> {
                rules.iter().filter(|(_, words)| words.contains(&word)).map(|(of, _)| of.clone()).collect()
            };
            concerned.extend(follows(&accepted));
            concerned.extend(follows(&now));
        }
        concerned.extend(changed.into_keys());
        let groups: Vec<String> = [&accepted, &now]
            .into_iter()
            .flat_map(|rules| concerned.iter().filter_map(|of| rules.get(of)).flatten())
            .filter_map(|word| word.strip_prefix("group:"))
            .map(|name| format!("group {name}"))
            .collect();
        concerned.extend(groups);
        concerned.retain(|of| accepted.get(of) != now.get(of) && !self.is_gone(of));
        if concerned.is_empty() {
            return Ok(());
        }
        let difference = self.rules_difference(&accepted, &now, |of| concerned.contains(of))?;
        Err(OpError::RulesNotAccepted(Box::new(difference)))
    }

    /// Whether something is of a folder that is not there any more: nobody reads it, whatever its rule said.
    fn is_gone(&self, of: &str) -> bool {
        let folder = of.strip_prefix("folder ").and_then(unescape);
        folder.is_some_and(|folder| {
            matches!(self.store.beneath().state(&folder), Ok(State::Absent))
                && self.store.refuse_left_out(&folder).is_ok()
        })
    }

    /// Returns how the store's groups and rules differ from what was accepted here; none if they do not. Remembers
    /// them where nobody has looked yet.
    pub fn unaccepted_rules(&self) -> Result<Option<RulesDifference>, OpError> {
        let accepted = self.accepted_rules()?;
        self.differing_rules(&accepted)
    }

    /// The same, as `accepted` has it; remembers nothing.
    pub fn would_refuse_rules(&self, accepted: &Accepted) -> Result<Option<RulesDifference>, OpError> {
        match accepted.rules() {
            Some(rules) => self.differing_rules(rules),
            None => Ok(None),
        }
    }

    /// Accepts the groups and rules whose file has the SHA-256 `hash`; fails if they are others by now.
    pub fn accept_rules(&self, hash: &str) -> Result<(), OpError> {
        let (now, found) = self.configured()?;
        if found != hash {
            return Err(RuleError::NotAsShown.into());
        }
        Ok(self.store.change_accepted(|accepted| accepted.accept_rules(now))?)
    }

    /// Returns what a plan changes of groups and rules.
    pub(super) fn rule_changes(&self, plan: &Plan) -> Result<Rules, OpError> {
        let Some(change) = plan.changes.iter().find(|change| change.path == Path::new(config::FILE)) else {
            return Ok(Rules::new());
        };
        let after = Config::of(change.new.as_deref()).map_err(RuleError::from)?;
        let changes = changes(&self.configured()?.0, &said(&after));
        if !changes.is_empty() {
            // All else is accepted as it is before the change, if this is the first use.
            self.accepted_rules()?;
        }
        Ok(changes)
    }

    /// Returns what the store's configuration says; nothing where it cannot be used.
    pub(super) fn found_rules(&self) -> Rules {
        self.configured().unwrap_or_default().0
    }

    /// Returns what the store's configuration says, and the SHA-256 of its file, none (empty) without one.
    fn configured(&self) -> Result<(Rules, String), OpError> {
        let bytes = self.store.beneath().read(Path::new(config::FILE)).map_err(StoreError::from)?;
        let config = Config::of(bytes.as_deref()).map_err(RuleError::from)?;
        Ok((said(&config), bytes.as_deref().map(hash_of).unwrap_or_default()))
    }

    /// Returns what groups and rules said when they were accepted; what they say now where nobody has looked yet,
    /// or nobody else can have written them.
    fn accepted_rules(&self) -> Result<Rules, OpError> {
        if let Some(rules) = self.accepted()?.rules()
            && self.is_shared()?
        {
            return Ok(rules.clone());
        }
        let (now, _) = self.configured()?;
        // A store that nobody can read yet is not met.
        if self.store.is_known() {
            self.store.change_accepted(|accepted| accepted.accept_rules(now.clone()))?;
        }
        Ok(now)
    }

    fn differing_rules(&self, accepted: &Rules) -> Result<Option<RulesDifference>, OpError> {
        let (now, _) = self.configured()?;
        match *accepted == now || !self.is_shared()? {
            true => Ok(None),
            false => self.rules_difference(accepted, &now, |_| true).map(Some),
        }
    }

    /// Whether somebody else may have written to the store: it is not in git, so that nobody can tell, or git knows
    /// other repositories.
    fn is_shared(&self) -> Result<bool, OpError> {
        Ok(Repo::prefix_of(self.store.root(), Path::new("")).is_none() || self.has_remote()?)
    }

    fn rules_difference(
        &self,
        accepted: &Rules,
        now: &Rules,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<RulesDifference, OpError> {
        let mut lines = Vec::new();
        let all: BTreeSet<&String> = accepted.keys().chain(now.keys()).collect();
        for of in all.into_iter().filter(|of| is_meant(of)) {
            let none = BTreeSet::new();
            let (old, new) = (accepted.get(of).unwrap_or(&none), now.get(of).unwrap_or(&none));
            let line = |verb: &str, word: &String| format!("{} {verb} {}", told_subject(of), told_word(word));
            lines.extend(new.difference(old).map(|word| line("gains", word)));
            lines.extend(old.difference(new).map(|word| line("loses", word)));
        }
        let commit = self.last_change_of(Path::new(""), [Path::new(config::FILE)].into_iter())?;
        Ok(RulesDifference { lines, commit, hash: self.configured()?.1 })
    }
}

/// Returns what a configuration says.
fn said(config: &Config) -> Rules {
    let mut said = Rules::new();
    let standard = Config::default().clients;
    if config.clients != standard {
        said.insert(CLIENTS.to_owned(), BTreeSet::from([written(&config.clients)]));
    }
    for (name, keys) in &config.groups {
        // A group without keys is one all the same: a rule may name it.
        let keys = keys.iter().map(|key| format!("key:{key}"));
        said.insert(of_group(name), keys.chain(["here".to_owned()]).collect());
    }
    for (folder, rule) in &config.rules {
        let FolderRule { groups, keys, client } = rule;
        let groups = groups.iter().map(|name| format!("group:{name}"));
        let keys = keys.iter().map(|key| format!("key:{key}"));
        let words = groups.chain(keys).chain(client.iter().map(|key| format!("client:{key}"))).collect();
        said.insert(of_folder(folder), words);
    }
    said.retain(|_, words| !words.is_empty());
    said
}

fn of_group(name: &GroupName) -> String {
    format!("group {name}")
}

fn of_folder(folder: &FolderName) -> String {
    format!("folder {}", written(folder))
}

/// Returns a folder's name in one word.
fn written(folder: &FolderName) -> String {
    match folder.is_root() {
        true => "/".to_owned(),
        false => escape(folder.as_path()).replace(' ', "%20"),
    }
}

/// Returns what differs between two configurations, as the second says it: no words where it says nothing.
fn changes(before: &Rules, after: &Rules) -> Rules {
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = all.into_iter().filter(|of| before.get(*of) != after.get(*of));
    differing.map(|of| (of.clone(), after.get(of).cloned().unwrap_or_default())).collect()
}

/// Returns what a message calls the part of a configuration.
fn told_subject(of: &str) -> String {
    match of.split_once(' ') {
        Some(("group", name)) => format!("group `{name}`"),
        Some((_, "/")) => "the rule of the store".to_owned(),
        Some((_, folder)) => format!("the rule of `{folder}`"),
        None => "the place of the clients' folders".to_owned(),
    }
}

/// Returns what a message calls a word of it.
fn told_word(word: &str) -> String {
    match word.split_once(':') {
        Some(("group", name)) => format!("group `{name}`"),
        Some((kind, key)) => format!("{kind} {key}"),
        None if word == "here" => "its name".to_owned(),
        None => format!("`{word}`"),
    }
}
