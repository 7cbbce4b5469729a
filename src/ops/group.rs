//! Groups of keys: what can be done about them.

use std::collections::BTreeMap;

use super::rules::{Now, RuleError, Wanted, rule_for, set_rule, shown};
use super::{Context, OpError};
use crate::config::GroupName;
use crate::crypto::RecipientError;
use crate::model::{Fingerprint, FolderName, KeyId, Shown};
use crate::store::accepted::Keys;

use super::init::GIVEN;

/// Returns the members of `group` that `names` stand for: keys that cannot be used any more too, and ones
/// that the keyring does not hold by their fingerprint or key ID.
pub fn members_named(context: &Context<'_>, group: &GroupName, names: &[String]) -> Result<Keys, OpError> {
    let now = Now::read(context)?;
    let members = now.members(group)?;
    let mut keys = Keys::new();
    for name in names {
        let candidates: Vec<Fingerprint> = match context.crypto.resolve(name) {
            Ok(found) => found.into_iter().map(|key| key.fingerprint).collect(),
            Err(RecipientError::Unusable { fingerprint, .. }) => vec![fingerprint],
            Err(RecipientError::Ambiguous { keys, .. }) => keys,
            Err(_) => members.iter().filter(|key| is_called(key, name)).cloned().collect(),
        };
        let found: Vec<Fingerprint> = candidates.into_iter().filter(|key| members.contains(key)).collect();
        let key = Shown::new(name).to_string();
        match found.as_slice() {
            [] => return Err(RuleError::NotInGroup { group: group.clone(), key }.into()),
            [only] => keys.insert(only.clone()),
            _ => {
                let source = RecipientError::Ambiguous { id: name.clone(), keys: found };
                return Err(OpError::Recipient { id: key, place: GIVEN.to_owned(), source });
            }
        };
    }
    Ok(keys)
}

/// Whether `name` is the key's fingerprint or its (long) key ID.
fn is_called(key: &Fingerprint, name: &str) -> bool {
    let digits = name.trim_start_matches("0x");
    let id = (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(KeyId);
    Fingerprint::parse(digits).as_ref() == Some(key) || id == Some(key.key_id())
}

/// Adds `keys` to the group `name`, which is made if there is none.
pub fn add(now: &Now<'_, '_>, name: &GroupName, keys: &Keys, force: bool) -> Result<Wanted, OpError> {
    change_members(now, name, force, |members| members.extend(keys.iter().cloned()))
}

/// Takes `keys` out of the group `name`.
pub fn take_out(now: &Now<'_, '_>, name: &GroupName, keys: &Keys, force: bool) -> Result<Wanted, OpError> {
    now.members(name)?;
    change_members(now, name, force, |members| members.retain(|key| !keys.contains(key)))
}

/// Changes the members of a group: every folder that uses it follows.
fn change_members(
    now: &Now<'_, '_>,
    name: &GroupName,
    force: bool,
    change: impl FnOnce(&mut Keys),
) -> Result<Wanted, OpError> {
    let mut config = now.config.clone();
    change(config.groups.entry(name.clone()).or_default());
    let used = now.config.folders_of(name).into_iter();
    let keys = |folder: &FolderName| config.expanded(&config.rules[folder]);
    let changed = used.filter(|folder| keys(folder) != now.config.expanded(&now.config.rules[*folder]));
    let changed: Vec<&FolderName> = changed.collect();
    if !force {
        now.refuse_differing(changed.iter().copied())?;
    }
    let lists = changed.into_iter().map(|folder| (folder.clone(), Some(keys(folder)))).collect();
    Ok(Wanted { config, lists })
}

/// Removes the group `name`, which no folder uses any more.
pub fn remove(now: &Now<'_, '_>, name: &GroupName) -> Result<Wanted, OpError> {
    now.members(name)?;
    let folders: Vec<String> = now.config.folders_of(name).into_iter().map(shown).collect();
    if !folders.is_empty() {
        return Err(RuleError::GroupUsed { group: name.clone(), folders }.into());
    }
    let mut config = now.config.clone();
    config.groups.remove(name);
    Ok(Wanted { config, lists: BTreeMap::new() })
}

/// Lets `folder` follow the group `name`: whoever can read it now still can, and so can the group. A list
/// that was edited otherwise is taken as it is.
pub fn assign(now: &Now<'_, '_>, name: &GroupName, folder: &FolderName) -> Result<Wanted, OpError> {
    now.members(name)?;
    let mut groups = now.groups_of(folder)?;
    groups.insert(name.clone());
    let current = now.effective(folder)?.0;
    let rule = rule_for(now, groups, &current, now.config.rules.get(folder))?;
    let mut config = now.config.clone();
    let keys = set_rule(&mut config, folder, rule);
    Ok(Wanted { config, lists: BTreeMap::from([(folder.clone(), Some(keys))]) })
}

/// Lets `folder` no longer follow the group `name`: the group's keys lose access unless something else
/// gives it to them, or `keep` says that all stay.
pub fn unassign(
    now: &Now<'_, '_>,
    name: &GroupName,
    folder: &FolderName,
    keep: bool,
) -> Result<Wanted, OpError> {
    let leaving = now.members(name)?;
    let before = now.config.rules.get(folder).filter(|rule| rule.groups.contains(name));
    let unused = || RuleError::GroupUnused { group: name.clone(), folder: shown(folder) };
    let before = before.ok_or_else(unused)?;
    let mut groups = before.groups.clone();
    groups.remove(name);
    let current = now.effective(folder)?.0;
    let stays = |key: &&Fingerprint| keep || !leaving.contains(key) || before.keys.contains(key);
    let staying: Keys = current.iter().filter(stays).cloned().collect();
    let rule = rule_for(now, groups, &staying, Some(before))?;
    let mut config = now.config.clone();
    let keys = set_rule(&mut config, folder, rule);
    // A list that says the same already stays as somebody wrote it.
    let same = current == keys.iter().cloned().collect::<Keys>();
    let lists = if same { BTreeMap::new() } else { BTreeMap::from([(folder.clone(), Some(keys))]) };
    Ok(Wanted { config, lists })
}
