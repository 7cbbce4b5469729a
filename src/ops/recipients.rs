//! Adding, removing and setting the recipients of a folder.

use std::collections::{BTreeMap, BTreeSet};

use super::init::GIVEN;
use super::rules::{Line, Now, Proposal, RuleError, Wanted, called, keys_of, set_rule};
use super::{Context, OpError, shown_folder};
use crate::config::FolderRule;
use crate::crypto::{CryptoError, Trust};
use crate::model::{Fingerprint, FolderName, GpgId, RecipientId, Shown};
use crate::store::accepted::Keys;

/// What is to be done to a folder's recipients.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Let these keys in.
    Add(Vec<RecipientId>),
    /// Take these out: fingerprints, key IDs, addresses, or whatever stands in the file.
    Remove(Vec<String>),
    /// Let exactly these keys in.
    Set(Vec<RecipientId>),
}

/// Returns what `folder`'s recipients are to be after `edit`: other lines and comments stay as they are. Where
/// the folder follows groups, its rule goes along.
pub fn edit(now: &Now<'_, '_>, folder: &FolderName, edit: &Edit) -> Result<Wanted, OpError> {
    now.check_folder(folder)?;
    let (rule, ruling) = now.rule(folder)?;
    let lines = now.lines(&rule.lines);
    let list = GpgId::from_bytes(rule.gpg_id);
    let mut followed = now.followed(folder, &ruling).cloned().unwrap_or_default();
    if !now.config.rules.contains_key(folder) && ruling != *folder {
        // The client is the folder's above.
        followed.keys.append(&mut followed.client);
    }
    let (list, followed, named) = match edit {
        Edit::Add(keys) => add(list, &lines, followed, keys)?,
        Edit::Remove(names) => {
            let (list, followed) = remove(now, folder, list, &lines, followed, names)?;
            (list, followed, Keys::new())
        }
        Edit::Set(keys) => {
            let ids: Vec<String> = keys.iter().map(RecipientId::gpg_name).collect();
            let named = super::guard::key_set(keys);
            let client = followed.client.intersection(&named).cloned().collect();
            // Exactly these keys: whatever becomes of a group.
            let rule = FolderRule { client, ..FolderRule::default() };
            (GpgId::from_ids(ids.iter().map(String::as_str)), rule, named)
        }
    };
    let mut config = now.config.clone();
    set_rule(&mut config, folder, followed);
    Ok(Wanted { config, lists: BTreeMap::from([(folder.clone(), Some(list))]), named })
}

/// Adds the keys that are not in the list yet; they become keys of the rule itself.
fn add(
    list: GpgId,
    lines: &[Line],
    mut rule: FolderRule,
    keys: &[RecipientId],
) -> Result<(GpgId, FolderRule, Keys), OpError> {
    let mut known = keys_of(lines);
    let mut list = list;
    for key in keys {
        if !known.insert(key.fingerprint.clone()) {
            continue;
        }
        if key.subkey.is_some() && !rule.groups.is_empty() {
            return Err(RuleError::Subkey { place: GIVEN.to_owned(), id: key.gpg_name() }.into());
        }
        list = list.with_id(&key.gpg_name());
        rule.keys.insert(key.fingerprint.clone());
    }
    Ok((list, rule, super::guard::key_set(keys)))
}

/// Takes out the lines that `names` stand for, and their keys out of the rule. What a group brings is not this
/// folder's to take out.
fn remove(
    now: &Now<'_, '_>,
    folder: &FolderName,
    list: GpgId,
    lines: &[Line],
    mut rule: FolderRule,
    names: &[String],
) -> Result<(GpgId, FolderRule), OpError> {
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for name in names {
        gone.extend(
            lines_named(now.context, folder, lines, name).map_err(|error| elsewhere(now, name, error))?,
        );
    }
    let (out, kept): (Vec<Line>, Vec<Line>) =
        lines.iter().cloned().partition(|line| gone.contains(&line.number));
    for key in keys_of(&out).difference(&keys_of(&kept)) {
        if let Some(group) = now.config.group_of(&rule, key).cloned() {
            return Err(RuleError::Brought { group, folder: folder.clone(), key: key.clone() }.into());
        }
        rule.keys.remove(key);
        rule.client.remove(key);
    }
    Ok((list.without_lines(&gone.into_iter().collect::<Vec<_>>()), rule))
}

/// Returns the numbers of the lines that name the key `name`.
fn lines_named(
    context: &Context<'_>,
    folder: &FolderName,
    lines: &[Line],
    name: &str,
) -> Result<Vec<usize>, OpError> {
    let digits = |text: &str| text.trim_start_matches("0x").to_ascii_uppercase();
    let is_text = |line: &Line| digits(&line.id) == digits(name);
    let wanted = match called(context, &keys_of(lines), name) {
        Err(_) if lines.iter().any(is_text) => Keys::new(),
        found => found?,
    };
    let key = Fingerprint::of_name(name);
    let mut found = Vec::new();
    for line in lines {
        let is_unknown = line.keys.is_empty() && key.as_ref().is_some_and(|key| line.names(key));
        if is_text(line) || is_unknown {
            found.push(line.number);
        } else if !line.keys.is_disjoint(&wanted) {
            if !line.keys.is_subset(&wanted) {
                let place = format!("line {} of the recipients of {}", line.number, shown_folder(folder));
                return Err(OpError::GroupLine { id: Shown::new(&line.id).to_string(), place });
            }
            found.push(line.number);
        }
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(OpError::NoRecipient {
            id: Shown::new(name).to_string(),
            folder: shown_folder(folder),
            elsewhere: Vec::new(),
        }),
    }
}

/// Says with the error that a key is no recipient of a folder of which folders it is one.
fn elsewhere(now: &Now<'_, '_>, name: &str, error: OpError) -> OpError {
    let OpError::NoRecipient { id, folder, .. } = error else { return error };
    let names_it = |other: &FolderName| {
        let lines = now.own_lines(other).unwrap_or_default();
        lines_named(now.context, other, &lines, name).is_ok()
    };
    let mut folders = now.context.ruled_folders().unwrap_or_default();
    folders.retain(names_it);
    OpError::NoRecipient { id, folder, elsewhere: folders }
}

/// Returns the commit's subject.
pub fn subject(folder: &FolderName, edit: &Edit, proposal: &Proposal) -> String {
    let names = match edit {
        Edit::Add(_) => proposal.gains().iter().map(ToString::to_string).collect(),
        Edit::Remove(_) => proposal.leaving().into_iter().collect(),
        Edit::Set(keys) => keys.iter().map(|key| key.fingerprint.to_string()).collect::<Vec<_>>(),
    };
    let verb = match edit {
        Edit::Add(_) => "Add",
        Edit::Remove(_) => "Remove",
        Edit::Set(_) => "Set",
    };
    format!("{verb} recipients {}{}.", names.join(", "), super::reencrypt::suffix(&folder.to_string()))
}

/// Returns the keys that nothing but an address or short ID names and that GnuPG does not believe: whoever
/// lets them in must have compared their fingerprints.
pub fn unconfirmed(
    context: &Context<'_>,
    folder: &FolderName,
    keys: &[RecipientId],
) -> Result<Vec<Fingerprint>, OpError> {
    let accepted = context.store.accepted()?.unwrap_or_default();
    let anywhere: Keys = accepted.folders().flat_map(|(_, memory)| memory.keys.clone()).collect();
    let mut doubtful = Vec::new();
    for key in keys.iter().filter(|key| !anywhere.contains(&key.fingerprint)) {
        match context.try_encrypting(folder, std::slice::from_ref(key), Trust::Database) {
            Err(OpError::Encrypt { source: CryptoError::Untrusted(_), .. }) => {
                doubtful.push(key.fingerprint.clone());
            }
            other => other?,
        }
    }
    Ok(doubtful)
}
