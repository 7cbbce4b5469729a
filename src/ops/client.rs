//! Clients: customers who read one folder each, and nothing else.
//!
//! A client is a folder with recipients of its own in the clients' folder; which of its keys is theirs, its
//! rule says.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::recipients::{Edit, edit};
use super::reencrypt::{Changed, is_entry, shown_entry};
use super::rules::{Now, RuleError, Wanted, carry_along, keys_of, rule_for, set_rule, shown, written_out};
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
    now.context.check_clients()?;
    let folder = folder(now, name)?;
    if now.own_list(&folder)?.is_some() {
        return Err(RuleError::ClientExists(Shown::os(name).to_string()).into());
    }
    let (inherited, ruling) = now.effective(&folder)?;
    if inherited.contains(key) {
        return Err(RuleError::NoStranger { key: key.clone(), above: shown(&ruling) }.into());
    }
    let above = now.config.rules.get(&ruling);
    let team = GroupName::parse("team").filter(|team| now.config.groups.contains_key(team));
    let (groups, keys) = match (groups.is_empty(), above) {
        (false, _) => (groups.clone(), Keys::new()),
        (true, Some(rule)) => (rule.groups.clone(), inherited),
        (true, None) => match team {
            Some(team) => (BTreeSet::from([team]), Keys::new()),
            None => (BTreeSet::new(), inherited),
        },
    };
    let mut rule = rule_for(now, groups, &keys, above)?;
    // Named even where a group has it: the folder is theirs whoever leaves the group.
    rule.client.insert(key.clone());
    let mut config = now.config.clone();
    let mut keys = set_rule(&mut config, &folder, rule);
    keys.sort();
    Ok(Wanted { config, lists: written_out(&folder, &keys), named: Keys::from([key.clone()]) })
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
    let rule = now.config.rules.get(&folder);
    let keys = rule.map(|rule| rule.client.intersection(&readers).cloned().collect()).unwrap_or_default();
    let files = now.context.store.files_below(folder.as_path())?;
    let entries = files.iter().filter(|path| is_entry(path)).count();
    Ok(Client { name: Shown::os(name).to_string(), folder, keys, readers, entries })
}

/// Takes the client's keys out of their folder, whose entries stay.
pub fn take_out(now: &Now<'_, '_>, name: &OsStr) -> Result<Wanted, OpError> {
    now.context.check_clients()?;
    let client = find(now, name)?;
    if client.keys.is_empty() {
        return Err(RuleError::NoClientKey(shown(&client.folder)).into());
    }
    let theirs = client.keys.iter().map(Fingerprint::to_string).collect();
    let mut wanted = edit(now, &client.folder, &Edit::Remove(theirs))?;
    let left = wanted.lists[&client.folder].as_ref().map(|list| keys_of(&now.lines(&list.lines())));
    // A list that says what the folder above says anyway is only one more to look after.
    if left == Some(keys_of(&now.lines(&now.rule(&now.config.clients)?.0.lines))) {
        wanted.config.rules.remove(&client.folder);
        wanted.lists.insert(client.folder, None);
    }
    Ok(wanted)
}

/// A client who was removed.
#[derive(Debug)]
pub struct Removed {
    /// What was changed.
    pub changed: Changed,
    /// Entries that are gone and that the client could read, safe to show.
    pub exposed: Vec<String>,
}

/// Removes the client with everything in their folder, in one commit.
pub fn remove(context: &Context<'_>, name: &OsStr, subject: &str) -> Result<Removed, OpError> {
    let mut exposed = Vec::new();
    let published = context.publish(|| {
        let now = Now::read(context)?;
        context.check_clients()?;
        let client = find(&now, name)?;
        context.check_rules(&now.config, &now.config, [&client.folder])?;
        let mut plan = Plan { subject: subject.to_owned(), ..Plan::default() };
        add_folder(context, &client.folder, &mut plan)?;
        exposed = readable(&now, &client, plan.changes.iter().map(|change| &change.path))?;
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
    Ok(Removed { changed: Changed { published, reencrypted: Vec::new() }, exposed })
}

/// Returns the entries among `files` that the client can read: those whose list names their key, or all of them
/// where nothing tells which key that is.
fn readable<'p>(
    now: &Now<'_, '_>,
    client: &Client,
    files: impl Iterator<Item = &'p PathBuf>,
) -> Result<Vec<String>, OpError> {
    let naming: BTreeSet<FolderName> = client
        .keys
        .iter()
        .map(|key| now.naming(key))
        .collect::<Result<Vec<_>, _>>()?
        .concat()
        .into_iter()
        .collect();
    let mut names = Vec::new();
    for path in files.filter(|path| is_entry(path)) {
        let (_, ruling) = now.rule(&super::lists::folder_of(path)?)?;
        if client.keys.is_empty() || naming.contains(&ruling) {
            names.push(shown_entry(path));
        }
    }
    names.sort();
    Ok(names)
}

/// Adds the removal of a folder with all that it holds.
fn add_folder(context: &Context<'_>, folder: &FolderName, plan: &mut Plan) -> Result<(), OpError> {
    let path = folder.as_path();
    context.store.refuse_left_out(path)?;
    super::concerned::refuse_missing(context, path)?;
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
    let members = now.all_members(now.config.groups.keys())?;
    let mut unused = Keys::new();
    for key in client.keys.difference(&members) {
        let within = |folder: &FolderName| folder.as_path().starts_with(client.folder.as_path());
        if now.naming(key)?.iter().all(within) {
            unused.insert(key.clone());
        }
    }
    Ok(unused)
}
