//! Groups and rules in the store's configuration, which whoever can push can write: a change of recipients that
//! is made from them must be made from those that somebody on this machine accepted. Left alone, a rule that was
//! slipped in would let a group into a folder, and one that was taken out would keep a key in the list that
//! `group remove` takes out of the group.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::{Context, OpError};
use crate::config::{self, Config, FolderRule, GroupName};
use crate::git::provenance::CommitInfo;
use crate::model::{Fingerprint, FolderName, Shown};
use crate::ops::rules::RuleError;
use crate::store::StoreError;
use crate::store::accepted::{Keys, Rules, hash_of};
use crate::store::beneath::State;
use crate::store::journal::{escape, unescape};
use crate::store::transaction::Plan;

/// What says that there is a group or a rule.
const HERE: &str = "here";
/// What is of the clients' folder.
const CLIENTS: &str = "clients";
/// What is of how the store is synced.
const SYNC: &str = "sync";
/// What says that a sync follows each change.
const AUTO: &str = "auto";
/// What says that commits must be signed.
const REQUIRE_SIGNED: &str = "require_signed";

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
            told.push_str(&format!("; {}", commit.told()));
        }
        told
    }
}

impl Context<'_> {
    /// Fails unless the groups and rules that the change from `before` to `after` is made from were accepted: those
    /// that it changes, those of `folders`, whose lists it changes or starts from, and the groups that any of them
    /// follow. What the change takes back to what was accepted needs no word.
    pub(in crate::ops) fn check_rules<'f>(
        &self,
        before: &Config,
        after: &Config,
        folders: impl IntoIterator<Item = &'f FolderName>,
    ) -> Result<(), OpError> {
        let accepted = self.accepted_rules()?;
        let (now, then) = (said(before), said(after));
        if accepted == now {
            return Ok(());
        }
        let all = [&accepted, &now, &then];
        let changed = changes(&now, &then);
        let sources: BTreeSet<String> = folders.into_iter().map(of_folder).collect();
        let mut concerned = sources.clone();
        // Whoever follows a group that changes, or followed it when that was accepted.
        let groups = changed.keys().filter_map(|of| of.strip_prefix("group "));
        for word in groups.map(|name| format!("group:{name}")) {
            for rules in all {
                let following = rules.iter().filter(|(_, words)| words.contains(&word));
                concerned.extend(following.map(|(of, _)| of.clone()));
            }
        }
        concerned.extend(changed.into_keys());
        let words = all.iter().flat_map(|rules| concerned.iter().filter_map(|of| rules.get(of)).flatten());
        let groups = words.filter_map(|word| word.strip_prefix("group:"));
        concerned.extend(groups.map(|name| format!("group {name}")).collect::<Vec<_>>());
        let is_taken_back = |of: &String| {
            !sources.contains(of) && now.get(of) != then.get(of) && accepted.get(of) == then.get(of)
        };
        concerned.retain(|of| accepted.get(of) != now.get(of) && !is_taken_back(of) && !self.is_gone(of));
        if concerned.is_empty() {
            return Ok(());
        }
        if self.rules_were_changed_here(&accepted, &now, |of| concerned.contains(of))? {
            let mut own = changes(&accepted, &now);
            own.retain(|of, _| concerned.contains(of));
            return Ok(self.store.change_accepted(|accepted| accepted.set_rules(own))?);
        }
        // Who is refused accepts nothing by it: the hash stands for no answer.
        let difference =
            self.rules_difference(&accepted, &now, String::new(), |of| concerned.contains(of))?;
        Err(OpError::RulesNotAccepted(Box::new(difference)))
    }

    /// Whether what differs was changed on this machine: no commit that was fetched brings what is new, or takes away
    /// what is gone.
    fn rules_were_changed_here(
        &self,
        accepted: &Rules,
        now: &Rules,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<bool, OpError> {
        let differing: Vec<String> = changes(accepted, now).into_keys().filter(|of| is_meant(of)).collect();
        let words = |rules: &Rules, of: &String| rules.get(of).cloned().unwrap_or_default();
        let mut known: HashMap<Vec<u8>, Option<Rules>> = HashMap::new();
        self.file_was_made_here(Path::new(config::FILE), &mut |bytes| {
            let rules = known
                .entry(bytes.unwrap_or_default().to_vec())
                .or_insert_with(|| Some(said(&Config::of(bytes).ok()?)));
            // What cannot be read may say anything.
            let rules = rules.as_ref()?;
            let mut marks = BTreeSet::new();
            for of in &differing {
                let (old, new, there) = (words(accepted, of), words(now, of), words(rules, of));
                marks.extend(
                    new.difference(&old)
                        .filter(|w| there.contains(*w))
                        .map(|w| (of.clone(), w.clone(), true)),
                );
                marks.extend(
                    old.difference(&new)
                        .filter(|w| !there.contains(*w))
                        .map(|w| (of.clone(), w.clone(), false)),
                );
            }
            Some(marks)
        })
    }

    /// Fails unless the rules that go along when folders move were accepted: those that stand now, and those that
    /// stood then. `goes` says which folders go along.
    pub(in crate::ops) fn check_moved_rules(
        &self,
        config: &Config,
        goes: impl Fn(&Path) -> bool,
    ) -> Result<(), OpError> {
        let accepted = self.accepted_rules()?;
        let remembered = accepted.keys().filter_map(|of| of.strip_prefix("folder "));
        let remembered =
            remembered.filter_map(unescape).filter_map(|path| FolderName::parse(path.as_os_str()).ok());
        let folders: BTreeSet<FolderName> = remembered.chain(config.rules.keys().cloned()).collect();
        self.check_rules(config, config, folders.iter().filter(|folder| goes(folder.as_path())))
    }

    /// Fails unless where the clients' folders are was accepted.
    pub(in crate::ops) fn check_clients(&self) -> Result<(), OpError> {
        let accepted = self.accepted_rules()?;
        let (now, _) = self.configured()?;
        let is_meant = |of: &str| of == CLIENTS;
        match accepted.get(CLIENTS) == now.get(CLIENTS)
            || self.rules_were_changed_here(&accepted, &now, is_meant)?
        {
            true => Ok(()),
            false => Err(OpError::RulesNotAccepted(Box::new(self.rules_difference(
                &accepted,
                &now,
                String::new(),
                is_meant,
            )?))),
        }
    }

    /// Whether a sync is to follow each change: the store says so, and somebody here has accepted that.
    pub fn syncs_by_itself(&self) -> Result<bool, OpError> {
        let (now, _) = self.configured()?;
        if !syncs(&now, AUTO) {
            return Ok(false);
        }
        let accepted = self.accepted_rules()?;
        Ok(syncs(&accepted, AUTO) || self.rules_were_changed_here(&accepted, &now, |of| of == SYNC)?)
    }

    /// Whether commits are taken only if a recipient has signed them: the store says so, or said so when that was
    /// accepted here. Nobody else takes it back.
    pub fn requires_signed(&self) -> Result<bool, OpError> {
        let accepted = self.accepted_rules()?;
        // A file that cannot be used says nothing; what is accepted stands.
        Ok(syncs(&accepted, REQUIRE_SIGNED) || syncs(&self.found_rules(), REQUIRE_SIGNED))
    }

    /// Returns the keys of everybody who was accepted as a recipient of any folder.
    pub(in crate::ops) fn accepted_recipients(&self) -> Result<Keys, OpError> {
        Ok(self.accepted()?.folders().flat_map(|(_, memory)| memory.keys.iter().cloned()).collect())
    }

    /// Whether something is of a folder that is not there any more: nobody reads it, whatever its rule said.
    fn is_gone(&self, of: &str) -> bool {
        let folder = of.strip_prefix("folder ").and_then(unescape);
        folder.is_some_and(|folder| {
            matches!(self.store.beneath().state(&folder), Ok(State::Absent))
                && self.store.refuse_left_out(&folder).is_ok()
        })
    }

    /// Returns how the store's groups and rules differ from what was accepted here; none if they do not, or if that
    /// would be accepted without a word.
    pub fn unaccepted_rules(&self) -> Result<Option<RulesDifference>, OpError> {
        let accepted = self.accepted_rules()?;
        let (now, hash) = self.configured()?;
        match accepted == now || self.rules_were_changed_here(&accepted, &now, |_| true)? {
            true => Ok(None),
            false => self.rules_difference(&accepted, &now, hash, |_| true).map(Some),
        }
    }

    /// Returns the SHA-256 of the file that says the groups and rules, in hexadecimal; none (empty) without one.
    pub fn rules_hash(&self) -> Result<String, OpError> {
        Ok(self.configured()?.1)
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
        // All else is accepted as it is before the change, if this is the first use.
        self.accepted()?;
        Ok(changes(&self.configured()?.0, &said(&after)))
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

    /// Returns what groups and rules said when they were accepted.
    fn accepted_rules(&self) -> Result<Rules, OpError> {
        Ok(self.accepted()?.rules().clone())
    }

    fn rules_difference(
        &self,
        accepted: &Rules,
        now: &Rules,
        hash: String,
        is_meant: impl Fn(&str) -> bool,
    ) -> Result<RulesDifference, OpError> {
        let mut lines = Vec::new();
        let all: BTreeSet<&String> = accepted.keys().chain(now.keys()).collect();
        for of in all.into_iter().filter(|of| is_meant(of)) {
            let none = BTreeSet::new();
            let (old, new) = (accepted.get(of).unwrap_or(&none), now.get(of).unwrap_or(&none));
            let line = |verb: &str, word: &String| match word == HERE {
                true if verb == "gains" => format!("{} is new", told_subject(of)),
                true => format!("{} is gone", told_subject(of)),
                false => format!("{} {verb} {}", told_subject(of), told_word(word)),
            };
            lines.extend(new.difference(old).map(|word| line("gains", word)));
            lines.extend(old.difference(new).map(|word| line("loses", word)));
        }
        let commit = self.last_change_of(Path::new(""), [Path::new(config::FILE)].into_iter())?;
        Ok(RulesDifference { lines, commit, hash })
    }
}

/// Returns what a configuration says.
pub(super) fn said(config: &Config) -> Rules {
    let mut said = Rules::new();
    let standard = Config::default().clients;
    if config.clients != standard {
        said.insert(CLIENTS.to_owned(), BTreeSet::from([written(&config.clients)]));
    }
    let switches = [(AUTO, config.sync.auto), (REQUIRE_SIGNED, config.sync.require_signed)];
    let on: BTreeSet<String> =
        switches.into_iter().filter(|(_, on)| *on == Some(true)).map(|(word, _)| word.to_owned()).collect();
    if !on.is_empty() {
        said.insert(SYNC.to_owned(), on);
    }
    for (name, keys) in &config.groups {
        // A group without keys is one all the same: a rule may name it.
        let keys = keys.iter().map(|key| format!("key:{key}"));
        said.insert(of_group(name), keys.chain([HERE.to_owned()]).collect());
    }
    for (folder, rule) in &config.rules {
        let FolderRule { groups, keys, client } = rule;
        let groups = groups.iter().map(|name| format!("group:{name}"));
        let keys = keys.iter().map(|key| format!("key:{key}"));
        let words = groups.chain(keys).chain(client.iter().map(|key| format!("client:{key}")));
        // A rule that says nothing hides the one above.
        said.insert(of_folder(folder), words.chain([HERE.to_owned()]).collect());
    }
    said
}

/// Whether rules hold a word about how the store is synced.
fn syncs(rules: &Rules, word: &str) -> bool {
    rules.get(SYNC).is_some_and(|words| words.contains(word))
}

/// Returns the keys that a change takes out of groups.
pub(super) fn left_groups(accepted: &Rules, change: &Rules) -> Keys {
    let none = BTreeSet::new();
    let groups = change.iter().filter(|(of, _)| of.starts_with("group "));
    let words = groups.flat_map(|(of, new)| accepted.get(of).unwrap_or(&none).difference(new));
    words.filter_map(|word| Fingerprint::parse(word.strip_prefix("key:")?)).collect()
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
pub(super) fn changes(before: &Rules, after: &Rules) -> Rules {
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = all.into_iter().filter(|of| before.get(*of) != after.get(*of));
    differing.map(|of| (of.clone(), after.get(of).cloned().unwrap_or_default())).collect()
}

/// Returns what a message calls the part of a configuration.
fn told_subject(of: &str) -> String {
    match of.split_once(' ') {
        Some(("group", name)) => format!("group `{name}`"),
        Some((_, "/")) => "the rule of the store".to_owned(),
        Some((_, folder)) => {
            let path = unescape(folder).unwrap_or_else(|| folder.into());
            format!("the rule of `{}`", Shown::os(&path))
        }
        None if of == SYNC => "`sync`".to_owned(),
        None => "the place of the clients' folders".to_owned(),
    }
}

/// Returns what a message calls a word of it.
fn told_word(word: &str) -> String {
    match word.split_once(':') {
        Some(("group", name)) => format!("group `{name}`"),
        Some((kind, key)) => format!("{kind} {key}"),
        None => format!("`{word}`"),
    }
}
