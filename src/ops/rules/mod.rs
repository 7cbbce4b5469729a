//! Recipients, and the groups and rules that they come from: what a change comes to, and making it.
//!
//! A change is proposed first, so that a person sees who gains and who loses access to what; what is then
//! made is computed anew, and must come to the same.

mod error;
mod now;
mod proposal;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use error::RuleError;
pub use now::{Differing, Line, Now, called, differing, keys_of};
pub use proposal::{FolderChange, Proposal, Still, Wanted, carry_out, propose};

use super::{Context, OpError};
use crate::config::{self, Config, FolderRule, GroupName};
use crate::model::{Fingerprint, FolderName, GpgId};
use crate::store::accepted::Keys;
use crate::store::beneath::State;
use crate::store::transaction::{Change, Plan};

/// Adds to `plan` what becomes of the rules of folders that it moves, copies or removes, and of the clients'
/// folder: `places` says where what is said of a folder is to hold from then on, none if the plan leaves the
/// folder alone.
pub(super) fn carry_along(
    context: &Context<'_>,
    plan: &mut Plan,
    places: impl Fn(&Path) -> Option<Vec<PathBuf>>,
) -> Result<(), OpError> {
    let (before, seen) = Config::read(context.store.beneath()).map_err(RuleError::from)?;
    // A store without the file has no groups and no clients.
    if seen == State::Absent {
        return Ok(());
    }
    let mut config = before.clone();
    for (folder, rule) in &before.rules {
        let Some(places) = places(folder.as_path()) else { continue };
        config.rules.remove(folder);
        for place in places {
            config.rules.insert(FolderName::parse(place.as_os_str())?, rule.clone());
        }
    }
    config.health.carry_along(&places);
    // Copied, it stays where it was as well: that comes first.
    if let Some([place, ..]) = places(before.clients.as_path()).as_deref() {
        config.clients = FolderName::parse(place.as_os_str())?;
    }
    context.check_moved_rules(&before, |path| places(path).is_some_and(|places| !places.is_empty()))?;
    if config != before {
        plan.changes.push(Change { path: config::FILE.into(), seen, new: config.to_bytes() });
    }
    Ok(())
}

/// Returns the rule that keeps `keys` and follows `groups`: the keys that no group covers, and those that
/// `before` names itself.
pub fn rule_for(
    now: &Now<'_, '_>,
    groups: BTreeSet<GroupName>,
    keys: &Keys,
    before: Option<&FolderRule>,
) -> Result<FolderRule, OpError> {
    let covered = now.all_members(&groups)?;
    let client: Keys =
        before.map(|rule| rule.client.intersection(keys).cloned().collect()).unwrap_or_default();
    let own = |key: &&Fingerprint| !covered.contains(key) || before.is_some_and(|r| r.keys.contains(key));
    let keys = keys.iter().filter(own).filter(|key| !client.contains(key)).cloned().collect();
    Ok(FolderRule { groups, keys, client })
}

/// Sets the rule of `folder`, and returns the recipients that it comes to. Without groups it says no more
/// than the list, save whose folder it is.
pub fn set_rule(config: &mut Config, folder: &FolderName, mut rule: FolderRule) -> Vec<Fingerprint> {
    let keys = config.expanded(&rule);
    if rule.groups.is_empty() {
        rule.keys.clear();
    }
    match rule == FolderRule::default() {
        true => config.rules.remove(folder),
        false => config.rules.insert(folder.clone(), rule),
    };
    keys
}

/// Returns the lists that give `folder` these recipients: bare fingerprints, which every reader of such files
/// understands.
pub fn written_out(folder: &FolderName, keys: &[Fingerprint]) -> BTreeMap<FolderName, Option<GpgId>> {
    let list = GpgId::from_ids(keys.iter().map(Fingerprint::as_str));
    BTreeMap::from([(folder.clone(), Some(list))])
}

/// Returns a folder's name for a message.
pub fn shown(folder: &FolderName) -> String {
    if folder.is_root() { "the store".to_owned() } else { format!("`{folder}`") }
}
