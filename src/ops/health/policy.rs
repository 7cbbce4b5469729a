//! What passwords are held to: the configuration's words ([`crate::config::health`]), taken for what they mean.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::Kind;
use crate::config::health::{HealthRule, IgnoreRule, LimitsRule};
use crate::config::{Config, FILE};
use crate::model::{EntryName, FolderName, Shown};
use crate::ops::rules::RuleError;
use crate::ops::{Context, OpError};
use crate::store::journal::unescape;

/// The fewest characters, unless the policy says otherwise: what OWASP and NIST take for long enough by hand, and
/// any generator makes.
const MIN_LENGTH: u32 = 12;
/// The lowest score, likewise: "safely unguessable" in zxcvbn's own words.
const MIN_SCORE: u32 = 3;
/// The best score that there is.
const BEST_SCORE: u32 = 4;
/// How many days before its end an entry is told of, likewise: as with keys in `recipients check`.
const SOON: u32 = 30;

/// Why a policy means nothing.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// An entry is ignored without a reason.
    #[error("`health` in `{FILE}` ignores `{0}` and does not say why")]
    NoReason(String),
    /// There is no such kind of finding.
    #[error("`health` in `{FILE}` names `{0}`, which is no kind of finding")]
    Kind(String),
    /// A text names no folder or entry.
    #[error("`health` in `{FILE}` names `{0}`, which can be no {1}")]
    Name(String, &'static str),
    /// A number is none that anything could be held to.
    #[error("`health` in `{FILE}` sets `{name}` to {value}, not {allowed}")]
    Number {
        /// What it is of.
        name: &'static str,
        /// The number.
        value: u32,
        /// What it may be.
        allowed: &'static str,
    },
}

/// What one folder's passwords are held to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    /// The fewest characters.
    pub min_length: usize,
    /// The lowest score.
    pub min_score: u32,
    /// The most days.
    pub max_age: Option<u32>,
    /// How many days before the end are soon.
    pub expires_within: u32,
    /// The kinds that are not looked for.
    pub skip: BTreeSet<Kind>,
}

/// An entry of which findings are to stay as they are.
#[derive(Debug)]
pub(super) struct Ignored {
    pub entry: EntryName,
    pub kinds: BTreeSet<Kind>,
    /// Why, safe to show.
    pub why: String,
}

/// What the store's passwords are held to.
#[derive(Debug)]
pub(super) struct Policy {
    /// The folder that holds the clients' folders.
    pub clients: FolderName,
    /// What is to stay as it is.
    pub ignore: Vec<Ignored>,
    folders: BTreeMap<FolderName, LimitsRule>,
    by_file: HashMap<PathBuf, Vec<usize>>,
}

impl Policy {
    /// Reads the store's policy.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        let (config, _) = Config::read(context.store.beneath()).map_err(RuleError::from)?;
        Ok(Policy::of(&config.health, config.clients.clone())?)
    }

    fn of(rule: &HealthRule, clients: FolderName) -> Result<Self, PolicyError> {
        let mut folders = BTreeMap::new();
        for (name, limits) in &rule.folders {
            check(limits)?;
            folders.insert(folder(name)?, limits.clone());
        }
        let all = rule.limits();
        check(&all)?;
        // `/` among the folders says the same, and comes first as the nearer.
        let root = folders.remove(&FolderName::root());
        folders.insert(FolderName::root(), within(root.unwrap_or_default(), &all));
        let ignore = rule.ignore.iter().map(ignored).collect::<Result<Vec<_>, _>>()?;
        let mut by_file: HashMap<PathBuf, Vec<usize>> = HashMap::new();
        for (number, rule) in ignore.iter().enumerate() {
            by_file.entry(rule.entry.file()).or_default().push(number);
        }
        Ok(Policy { clients, ignore, folders, by_file })
    }

    /// Returns what a folder's passwords are held to: what it does not say itself, the nearest folder above says.
    pub fn limits(&self, folder: &Path) -> Limits {
        let mut said = LimitsRule::default();
        for above in folder.ancestors() {
            // Few folders have any; none is looked up by a name that it could not have.
            if let Ok(above) = FolderName::parse(above.as_os_str())
                && let Some(limits) = self.folders.get(&above)
            {
                said = within(said, limits);
            }
        }
        let skip = said.skip.unwrap_or_default();
        Limits {
            min_length: said.min_length.unwrap_or(MIN_LENGTH) as usize,
            min_score: said.min_score.unwrap_or(MIN_SCORE),
            max_age: said.max_age,
            expires_within: said.expires_within.unwrap_or(SOON),
            skip: skip.iter().filter_map(|name| Kind::parse(name)).collect(),
        }
    }

    /// Returns what says that a finding about an entry is to stay; none if nothing does.
    pub fn ignored(&self, file: &Path, kind: Kind) -> Option<&Ignored> {
        let rules = self.by_file.get(file)?.iter().map(|number| &self.ignore[*number]);
        rules.into_iter().find(|rule| rule.kinds.contains(&kind))
    }
}

/// Returns limits with what they leave out taken from those above.
fn within(limits: LimitsRule, above: &LimitsRule) -> LimitsRule {
    LimitsRule {
        min_length: limits.min_length.or(above.min_length),
        min_score: limits.min_score.or(above.min_score),
        max_age: limits.max_age.or(above.max_age),
        expires_within: limits.expires_within.or(above.expires_within),
        skip: limits.skip.or_else(|| above.skip.clone()),
    }
}

/// Refuses limits that mean nothing.
fn check(limits: &LimitsRule) -> Result<(), PolicyError> {
    kinds(limits.skip.as_deref())?;
    let refused = |name, value, allowed| Err(PolicyError::Number { name, value, allowed });
    match (limits.min_score, limits.max_age) {
        (Some(value), _) if value > BEST_SCORE => refused("min_score", value, "a number from 0 to 4"),
        (_, Some(0)) => refused("max_age", 0, "a number of days"),
        _ => Ok(()),
    }
}

/// Reads names of kinds; all of them without any.
fn kinds(names: Option<&[String]>) -> Result<BTreeSet<Kind>, PolicyError> {
    let Some(names) = names else { return Ok(Kind::ALL.into()) };
    let unknown = |name: &String| PolicyError::Kind(Shown::new(name).to_string());
    names.iter().map(|name| Kind::parse(name).ok_or_else(|| unknown(name))).collect()
}

/// Reads a folder, written as in the rules of the configuration.
fn folder(text: &str) -> Result<FolderName, PolicyError> {
    let path = unescape(text).and_then(|path| FolderName::parse(path.as_os_str()).ok());
    path.ok_or_else(|| PolicyError::Name(Shown::new(text).to_string(), "folder"))
}

/// Reads what is to stay as it is.
fn ignored(rule: &IgnoreRule) -> Result<Ignored, PolicyError> {
    let shown = || Shown::new(&rule.entry).to_string();
    let entry = unescape(&rule.entry).and_then(|path| EntryName::parse(path.as_os_str()).ok());
    let entry = entry.ok_or_else(|| PolicyError::Name(shown(), "entry"))?;
    let why = rule.why.as_deref().map(str::trim).filter(|why| !why.is_empty());
    let why = why.ok_or_else(|| PolicyError::NoReason(shown()))?;
    Ok(Ignored { entry, kinds: kinds(rule.kinds.as_deref())?, why: Shown::new(why).to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Result<Policy, PolicyError> {
        let config = Config::of(Some(format!("version: 1\nhealth: {text}\n").as_bytes())).unwrap();
        Policy::of(&config.health, config.clients)
    }

    #[test]
    fn the_nearest_folder_that_says_something_counts() {
        let policy = policy(
            "{min_length: 14, skip: [no-url], folders: {/: {min_length: 16}, a: {max_age: 90}, a/b: {min_length: 20, skip: []}}}",
        );
        let policy = policy.unwrap();
        let of = |folder: &str| {
            let Limits { min_length, min_score, max_age, expires_within, skip } =
                policy.limits(Path::new(folder));
            (min_length, min_score, max_age, expires_within, skip.len())
        };
        assert_eq!(of(""), (16, 3, None, 30, 1));
        assert_eq!(of("ab"), of(""));
        assert_eq!(of("a"), (16, 3, Some(90), 30, 1));
        assert_eq!(of("a/b/c"), (20, 3, Some(90), 30, 0));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (text, words) in [
            ("{ignore: [{entry: a}]}", "ignores `a` and does not say why"),
            ("{ignore: [{entry: a, why: ' '}]}", "does not say why"),
            ("{ignore: [{entry: a, why: x, kinds: [old, ugly]}]}", "`ugly`, which is no kind"),
            ("{ignore: [{entry: ../a, why: x}]}", "`../a`, which can be no entry"),
            ("{folders: {a/../b: {}}}", "which can be no folder"),
            ("{folders: {a: {skip: [url]}}}", "`url`, which is no kind"),
            ("{min_score: 5}", "`min_score` to 5, not a number from 0 to 4"),
            ("{folders: {a: {max_age: 0}}}", "`max_age` to 0"),
        ] {
            let error = policy(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn ignores_by_entry_and_kind() {
        let policy = policy("{ignore: [{entry: a/b, kinds: [weak], why: x}, {entry: c, why: y}]}").unwrap();
        let why = |file: &str, kind| policy.ignored(Path::new(file), kind).map(|rule| &*rule.why);
        assert_eq!(why("a/b.gpg", Kind::Weak), Some("x"));
        assert_eq!(why("a/b.gpg", Kind::Old), None);
        assert_eq!(why("c.gpg", Kind::Old), Some("y"));
        assert_eq!(why("b.gpg", Kind::Weak), None);
    }
}
