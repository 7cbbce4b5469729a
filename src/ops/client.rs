//! Clients: customers who read one folder each, and nothing else.
//!
//! A client is a folder with recipients of its own in the clients' folder; their key is the one that neither
//! the folder above nor the groups of its rule have.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::reencrypt::{Changed, is_entry};
use super::rules::{Now, RuleError, Wanted, carry_along, rule_for, set_rule, shown};
use super::{Context, OpError, keys as public_keys};
use crate::config::GroupName;
use crate::model::{Fingerprint, FolderName, NameError, Shown};
use crate::store::StoreError;
use crate::store::accepted::Keys;
use crate::store::beneath::State;
use crate::store::transaction::{Change, Plan};

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    /// The name: that of the folder.
    pub name: String,
    /// The folder.
    pub folder: FolderName,
    /// The client's keys.
    pub keys: Keys,
    /// Everybody who can read the folder.
    pub readers: Keys,
    /// How many entries the folder holds, at any depth.
    pub entries: usize,
}

/// Returns the folder of the client `name`.
pub fn folder(now: &Now<'_, '_>, name: &OsStr) -> Result<FolderName, OpError> {
    let bytes = name.as_bytes();
    // A hidden folder would not be listed; a slash would make it another client's, or none's.
    if bytes.is_empty() || bytes.starts_with(b".") || bytes.contains(&b'/') {
        let name = Shown::os(name).to_string();
        return Err(OpError::Wrong { name, what: "no client's name: that is one plain folder name" });
    }
    // Absolute, the name would have been refused.
    let path = now.config.clients.as_path().join(name);
    FolderName::parse(path.as_os_str()).map_err(|error: NameError| error.into())
}

/// Lets the key `key` read the folder of the new client `name`, beside `groups`; without those, beside the
/// groups of the folder above, or the group `team`, or whoever can read the folder above.
pub fn add(
    now: &Now<'_, '_>,
    name: &OsStr,
    groups: &BTreeSet<GroupName>,
    key: &Fingerprint,
) -> Result<Wanted, OpError> {
    let folder = folder(now, name)?;
    if now.own_list(&folder)?.is_some() {
        return Err(RuleError::ClientExists(Shown::os(name).to_string()).into());
    }
    let (inherited, ruling) = now.effective(&folder)?;
    let above = now.config.rules.get(&ruling);
    let team = GroupName::parse("team").filter(|team| now.config.groups.contains_key(team));
    let (groups, mut keys) = match (groups.is_empty(), above) {
        (false, _) => (groups.clone(), Keys::new()),
        (true, Some(rule)) => (rule.groups.clone(), inherited),
        (true, None) => match team {
            Some(team) => (BTreeSet::from([team]), Keys::new()),
            None => (BTreeSet::new(), inherited),
        },
    };
    let mut rule = rule_for(now, groups, &keys, above)?;
    // Named even where a group has it: the folder is theirs whoever leaves the group.
    rule.keys.insert(key.clone());
    let mut config = now.config.clone();
    keys = set_rule(&mut config, &folder, rule).into_iter().collect();
    let lists = BTreeMap::from([(folder, Some(keys.into_iter().collect()))]);
    Ok(Wanted { config, lists })
}

/// Returns the clients, by name.
pub fn list(now: &Now<'_, '_>) -> Result<Vec<Client>, OpError> {
    let parent = now.config.clients.as_path();
    let beneath = now.context.store.beneath();
    if beneath.state(parent).map_err(StoreError::from)? != State::Folder {
        return Ok(Vec::new());
    }
    let mut clients = Vec::new();
    for (name, kind) in beneath.names(parent).map_err(StoreError::from)? {
        if kind == rustix::fs::FileType::Directory
            && let Ok(folder) = folder(now, &name)
            && now.own_list(&folder)?.is_some()
        {
            clients.push(describe(now, &name, folder)?);
        }
    }
    Ok(clients)
}

/// Returns the client `name`.
pub fn find(now: &Now<'_, '_>, name: &OsStr) -> Result<Client, OpError> {
    let folder = folder(now, name)?;
    match now.own_list(&folder)? {
        Some(_) => describe(now, name, folder),
        None => Err(RuleError::NoClient(Shown::os(name).to_string()).into()),
    }
}

fn describe(now: &Now<'_, '_>, name: &OsStr, folder: FolderName) -> Result<Client, OpError> {
    let readers = now.named(&folder)?;
    let above = now.effective(&now.config.clients).map(|(keys, _)| keys).unwrap_or_default();
    let rule = now.config.rules.get(&folder);
    let team = rule.map(|rule| now.all_members(&rule.groups)).transpose()?.unwrap_or_default();
    let named = |key: &Fingerprint| rule.is_some_and(|rule| rule.keys.contains(key));
    let theirs = |key: &&Fingerprint| !above.contains(*key) && (named(key) || !team.contains(*key));
    let keys = readers.iter().filter(theirs).cloned().collect();
    let files = now.context.store.files_below(folder.as_path())?;
    let entries = files.iter().filter(|path| is_entry(path)).count();
    Ok(Client { name: Shown::os(name).to_string(), folder, keys, readers, entries })
}

/// Takes the client's keys out of their folder, whose entries stay.
pub fn take_out(now: &Now<'_, '_>, name: &OsStr) -> Result<Wanted, OpError> {
    let client = find(now, name)?;
    if client.keys.is_empty() {
        return Err(RuleError::NoClientKey(shown(&client.folder)).into());
    }
    let staying: Keys = now.effective(&client.folder)?.0.difference(&client.keys).cloned().collect();
    let mut config = now.config.clone();
    let before = now.config.rules.get(&client.folder).cloned().unwrap_or_default();
    let rule = rule_for(now, before.groups.clone(), &staying, Some(&before))?;
    let keys = set_rule(&mut config, &client.folder, rule);
    let inherited = now.effective(&now.config.clients)?.0;
    // A list that says what the folder above says anyway is only one more to look after.
    let list = match keys.iter().cloned().collect::<Keys>() == inherited {
        true => {
            config.rules.remove(&client.folder);
            None
        }
        false => Some(keys),
    };
    Ok(Wanted { config, lists: BTreeMap::from([(client.folder, list)]) })
}

/// Removes the client with everything in their folder, in one commit.
pub fn remove(context: &Context<'_>, name: &OsStr, subject: &str) -> Result<Changed, OpError> {
    let published = context.publish(|| {
        let now = Now::read(context)?;
        let client = find(&now, name)?;
        let mut plan = Plan { subject: subject.to_owned(), ..Plan::default() };
        add_folder(context, &client.folder, &mut plan)?;
        let within = |folder: &Path| folder.starts_with(client.folder.as_path());
        carry_along(context, &mut plan, |folder| within(folder).then(Vec::new))?;
        plan.seen.push(now.seen());
        for key in unused(&now, &client)? {
            let path = public_keys::path_of(&key);
            match context.store.beneath().state(&path).map_err(StoreError::from)? {
                State::Absent => {}
                seen => plan.changes.push(Change { path, seen, new: None }),
            }
        }
        Ok(plan)
    })?;
    Ok(Changed { published, reencrypted: Vec::new() })
}

/// Adds the removal of a folder with all that it holds.
fn add_folder(context: &Context<'_>, folder: &FolderName, plan: &mut Plan) -> Result<(), OpError> {
    let path = folder.as_path();
    context.store.refuse_left_out(path)?;
    plan.below.push((path.to_path_buf(), context.store.files_below(path)?));
    let below = context.store.beneath().below(path).map_err(StoreError::from)?;
    if let Some(path) = below.repositories.first() {
        let what = "a git repository of its own, which only git may remove";
        return Err(OpError::Wrong { name: Shown::os(path).to_string(), what });
    }
    for (path, _) in below.files {
        let seen = context.store.beneath().state(&path).map_err(StoreError::from)?;
        plan.changes.push(Change { path, seen, new: None });
    }
    plan.prune = below.folders.into_iter().rev().collect();
    Ok(())
}

/// Returns those of the client's keys that no other list names, nor a group.
fn unused(now: &Now<'_, '_>, client: &Client) -> Result<Keys, OpError> {
    let mut used = now.all_members(now.config.groups.keys())?;
    for folder in now.context.ruled_folders()? {
        if !folder.as_path().starts_with(client.folder.as_path()) {
            used.extend(now.named(&folder)?);
        }
    }
    Ok(client.keys.difference(&used).cloned().collect())
}
