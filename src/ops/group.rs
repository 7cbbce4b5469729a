//! Groups of keys: what can be done about them.

use std::collections::BTreeMap;

use super::rules::{Now, RuleError, Wanted, called, keys_of, rule_for, set_rule, shown, written_out};
use super::{Context, OpError};
use crate::config::GroupName;
use crate::model::{Fingerprint, FolderName, GpgId, Shown};
use crate::store::accepted::Keys;

/// Returns the members of `group` that `names` stand for.
pub fn members_named(context: &Context<'_>, group: &GroupName, names: &[String]) -> Result<Keys, OpError> {
    let now = Now::read(context)?;
    let members = now.members(group)?;
    let mut keys = Keys::new();
    for name in names {
        let found = called(context, members, name)?;
        if found.is_empty() {
            let key = Shown::new(name).to_string();
            return Err(RuleError::NotInGroup { group: group.clone(), key }.into());
        }
        keys.extend(found);
    }
    Ok(keys)
}

/// Adds `keys` to the group `name`, which is made if there is none.
pub fn add(now: &Now<'_, '_>, name: &GroupName, keys: &Keys, force: bool) -> Result<Wanted, OpError> {
    let wanted = change_members(now, name, force, |members| members.extend(keys.iter().cloned()))?;
    Ok(Wanted { named: keys.clone(), ..wanted })
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
    let mut lists: Vec<&FolderName> = Vec::new();
    for folder in changed {
        // A list that says so already, where others changed the group alone, stays as it is.
        if !now.says(folder, &keys(folder))? {
            lists.push(folder);
        }
    }
    let changed = lists;
    if !force {
        now.refuse_differing(changed.iter().copied())?;
    }
    let lists = changed.into_iter().flat_map(|folder| written_out(folder, &keys(folder))).collect();
    Ok(Wanted { config, lists, named: Keys::new() })
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
    Ok(Wanted { config, lists: BTreeMap::new(), named: Keys::new() })
}

/// Lets `folder` follow the group `name`: whoever can read it now still can, and so can the group. A list
/// that was edited otherwise is taken as it is.
pub fn assign(now: &Now<'_, '_>, name: &GroupName, folder: &FolderName) -> Result<Wanted, OpError> {
    now.members(name)?;
    now.check_folder(folder)?;
    let (current, ruling) = now.effective(folder)?;
    let mut groups = now.followed(folder, &ruling).map(|rule| rule.groups.clone()).unwrap_or_default();
    groups.insert(name.clone());
    let rule = rule_for(now, groups, &current, now.config.rules.get(folder))?;
    let mut config = now.config.clone();
    let keys = set_rule(&mut config, folder, rule);
    Ok(Wanted { config, lists: written_out(folder, &keys), named: Keys::new() })
}

/// Lets `folder` no longer follow the group `name`: the group's keys lose access unless something else gives it
/// to them.
pub fn unassign(now: &Now<'_, '_>, name: &GroupName, folder: &FolderName) -> Result<Wanted, OpError> {
    let leaving = now.members(name)?;
    let before = now.config.rules.get(folder).filter(|rule| rule.groups.contains(name));
    let before = before.ok_or_else(|| unused(name, folder))?;
    let mut groups = before.groups.clone();
    groups.remove(name);
    let current = now.effective(folder)?.0;
    let stays = |key: &&Fingerprint| {
        !leaving.contains(key) || before.keys.contains(key) || before.client.contains(key)
    };
    let staying: Keys = current.iter().filter(stays).cloned().collect();
    let rule = rule_for(now, groups, &staying, Some(before))?;
    let mut config = now.config.clone();
    let keys = set_rule(&mut config, folder, rule);
    if keys.is_empty() {
        return Err(RuleError::NobodyElse { group: name.clone(), folder: shown(folder) }.into());
    }
    // A list that says the same already stays as somebody wrote it.
    let same = current == keys.iter().cloned().collect::<Keys>();
    let lists = if same { BTreeMap::new() } else { written_out(folder, &keys) };
    Ok(Wanted { config, lists, named: Keys::new() })
}

/// Lets `folder` no longer follow the group `name`, and leaves its list as it is, whatever that says. A folder
/// that inherits one which follows the group gets it as its own.
pub fn unassign_keeping(now: &Now<'_, '_>, name: &GroupName, folder: &FolderName) -> Result<Wanted, OpError> {
    now.members(name)?;
    now.check_folder(folder)?;
    let (rule, ruling) = now.rule(folder)?;
    let before = now.followed(folder, &ruling).filter(|rule| rule.groups.contains(name));
    let before = before.ok_or_else(|| unused(name, folder))?;
    let mut groups = before.groups.clone();
    groups.remove(name);
    // The client of a folder above is not this one's.
    let own = now.config.rules.get(folder);
    let kept = rule_for(now, groups, &keys_of(&now.lines(&rule.lines)), own)?;
    let mut config = now.config.clone();
    set_rule(&mut config, folder, kept);
    let lists = match ruling == *folder {
        true => BTreeMap::new(),
        false => BTreeMap::from([(folder.clone(), Some(GpgId::from_bytes(rule.gpg_id)))]),
    };
    Ok(Wanted { config, lists, named: Keys::new() })
}

fn unused(group: &GroupName, folder: &FolderName) -> RuleError {
    RuleError::GroupUnused { group: group.clone(), folder: shown(folder) }
}
