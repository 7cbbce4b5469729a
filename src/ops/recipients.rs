//! Adding, removing and setting the recipients of a folder.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rustix::fs::FileType;

use super::guard::key_set;
use super::lists::{self, ListChange, Lists, Others};
use super::reencrypt::{Changed, is_entry, is_in_line};
use super::{Context, OpError, shown_folder};
use crate::crypto::{RecipientError, Trust};
use crate::model::{Fingerprint, FolderName, GpgId, KeyId, RecipientId, Shown};
use crate::store::StoreError;
use crate::store::accepted::Keys;
use crate::store::recipients::{Overlay, Rule};

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

/// What an edit would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The folder.
    pub folder: FolderName,
    /// The recipients file as it would be.
    pub list: GpgId,
    /// The file of a folder above that it begins with, where the folder has none of its own.
    pub inherited: Option<PathBuf>,
    /// Keys that would gain access.
    pub gains: Vec<Fingerprint>,
    /// Keys that would lose it.
    pub loses: Vec<Fingerprint>,
    /// Entries that would be encrypted anew, by path.
    pub entries: Vec<PathBuf>,
}

impl Preview {
    /// Returns how many folders the entries lie in.
    pub fn folders(&self) -> usize {
        self.entries.iter().filter_map(|path| path.parent()).collect::<BTreeSet<_>>().len()
    }
}

/// Returns what `edit` would do to `folder`. Unless `force`, refuses to lock the user out.
///
/// Keys that the edit adds need not be in the keyring yet.
pub fn preview(
    context: &Context<'_>,
    folder: &FolderName,
    edit: &Edit,
    force: bool,
) -> Result<Preview, OpError> {
    let rule = context.store.rule(folder, &Overlay::new())?;
    let own = rule.as_ref().is_some_and(|rule| rule.file.as_deref() == Some(&folder.gpg_id()));
    if let Some(rule) = &rule {
        let file = rule.file.as_deref().unwrap_or_else(|| folder.as_path());
        context.verify(file, &rule.gpg_id)?;
    }
    let before = rule.as_ref().map(|rule| lines_of(context, rule)).transpose()?.unwrap_or_default();
    let text = rule.as_ref().map(|rule| rule.gpg_id.clone()).unwrap_or_default();
    let (list, after) = edited(folder, context, &GpgId::from_bytes(text), &before, edit)?;
    let known: Keys = before.iter().flat_map(|line| line.keys.clone()).collect();
    let new = key_set(&after);
    if let (Some(rule), false) = (&rule, matches!(edit, Edit::Set(_))) {
        // What stays must have been accepted, or an edit would accept it unseen.
        context.check_kept(folder, &known, &new, rule)?;
    }
    if new.is_empty() {
        return Err(OpError::LastRecipient(shown_folder(folder)));
    }
    if !force {
        refuse_lock_out(context, folder, &known, &new)?;
    }
    Ok(Preview {
        folder: folder.clone(),
        list,
        inherited: rule.filter(|_| !own).and_then(|rule| rule.file),
        gains: new.difference(&known).cloned().collect(),
        loses: known.difference(&new).cloned().collect(),
        entries: out_of_line(context, folder, &after)?,
    })
}

/// Makes `edit`, with whatever files go with it. Computed anew if the list changed since the preview.
pub fn apply(
    context: &Context<'_>,
    folder: &FolderName,
    edit: &Edit,
    force: bool,
    others: &Others,
) -> Result<Changed, OpError> {
    lists::change(context, || {
        let preview = preview(context, folder, edit, force)?;
        let seen = context.store.rule(folder, &Overlay::new())?.map(|rule| rule.seen).unwrap_or_default();
        let file = folder.gpg_id();
        Ok(ListChange {
            subject: subject(folder, edit, &preview),
            lists: Lists::from([(folder.clone(), Some(preview.list.as_bytes().to_vec()))]),
            others: others.clone(),
            seen: seen.into_iter().filter(|(path, _)| *path != file).collect(),
            ..ListChange::default()
        })
    })
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
        if context.try_encrypting(folder, std::slice::from_ref(key), Trust::Database).is_err() {
            doubtful.push(key.fingerprint.clone());
        }
    }
    Ok(doubtful)
}

/// A line of a recipients file, with the keys that it stands for, usable or not; none if it has none.
struct Line {
    number: usize,
    id: String,
    keys: Vec<Fingerprint>,
    usable: Option<Vec<RecipientId>>,
}

/// Returns the lines of a rule.
fn lines_of(context: &Context<'_>, rule: &Rule) -> Result<Vec<Line>, OpError> {
    let ids: Vec<&str> = rule.lines.iter().map(|line| line.id.as_str()).collect();
    let resolved = context.crypto.resolve_all(&ids);
    let line = |(line, found): (&crate::model::GpgIdLine, Result<Vec<RecipientId>, RecipientError>)| {
        let (keys, usable) = match found {
            Ok(found) => (found.iter().map(|key| key.fingerprint.clone()).collect(), Some(found)),
            Err(RecipientError::Unusable { fingerprint, .. }) => (vec![fingerprint], None),
            Err(_) => (Vec::new(), None),
        };
        Line { number: line.number, id: line.id.clone(), keys, usable }
    };
    Ok(rule.lines.iter().zip(resolved).map(line).collect())
}

/// Returns the list after `edit`, and the keys that it then stands for.
fn edited(
    folder: &FolderName,
    context: &Context<'_>,
    list: &GpgId,
    before: &[Line],
    edit: &Edit,
) -> Result<(GpgId, Vec<RecipientId>), OpError> {
    let all = |lines: &mut dyn Iterator<Item = &Line>| -> Vec<RecipientId> {
        lines.filter_map(|line| line.usable.clone()).flatten().collect()
    };
    match edit {
        Edit::Set(keys) => {
            let ids: Vec<String> = keys.iter().map(RecipientId::gpg_name).collect();
            Ok((GpgId::from_ids(ids.iter().map(String::as_str)), keys.clone()))
        }
        Edit::Add(keys) => {
            let known: BTreeSet<&Fingerprint> = before.iter().flat_map(|line| &line.keys).collect();
            let mut list = list.clone();
            let mut after = all(&mut before.iter());
            for key in keys.iter().filter(|key| !known.contains(&key.fingerprint)) {
                list = list.with_id(&key.gpg_name());
                after.push(key.clone());
            }
            Ok((list, after))
        }
        Edit::Remove(names) => {
            let mut gone: Vec<usize> = Vec::new();
            for name in names {
                gone.extend(lines_named(folder, context, before, name)?);
            }
            let after = all(&mut before.iter().filter(|line| !gone.contains(&line.number)));
            Ok((list.without_lines(&gone), after))
        }
    }
}

/// Returns the numbers of the lines that name the key `name`.
fn lines_named(
    folder: &FolderName,
    context: &Context<'_>,
    lines: &[Line],
    name: &str,
) -> Result<Vec<usize>, OpError> {
    let wanted: Vec<Fingerprint> = match context.crypto.resolve(name) {
        Ok(keys) => keys.into_iter().map(|key| key.fingerprint).collect(),
        // An expired or revoked key is taken out as well.
        Err(RecipientError::Unusable { fingerprint, .. }) => vec![fingerprint],
        Err(_) => Vec::new(),
    };
    let mut found = Vec::new();
    for line in lines {
        if line.id.eq_ignore_ascii_case(name) {
            found.push(line.number);
        } else if line.keys.iter().any(|key| wanted.contains(key)) {
            if !line.keys.iter().all(|key| wanted.contains(key)) {
                let place = format!("line {} of the recipients of {}", line.number, shown_folder(folder));
                return Err(OpError::GroupLine { id: Shown::new(&line.id).to_string(), place });
            }
            found.push(line.number);
        }
    }
    match found.is_empty() {
        false => Ok(found),
        true => Err(OpError::NoRecipient { id: Shown::new(name).to_string(), folder: shown_folder(folder) }),
    }
}

/// Refuses to leave none of the user's own keys among recipients that held one.
fn refuse_lock_out(
    context: &Context<'_>,
    folder: &FolderName,
    before: &Keys,
    after: &Keys,
) -> Result<(), OpError> {
    let own = context.crypto.own_keys().map_err(|source| OpError::OwnKeys { source })?;
    let holds = |keys: &Keys| own.iter().any(|key| keys.contains(key));
    if (before.is_empty() || holds(before)) && !holds(after) {
        return Err(OpError::LocksOut(shown_folder(folder)));
    }
    Ok(())
}

/// Returns the entries below `folder`, ruled by its list, that other keys than `recipients` can read.
fn out_of_line(
    context: &Context<'_>,
    folder: &FolderName,
    recipients: &[RecipientId],
) -> Result<Vec<PathBuf>, OpError> {
    let below = match folder.is_root() || context.store.folder_exists(folder)? {
        true => context.store.beneath().below(folder.as_path()).map_err(StoreError::from)?,
        false => return Ok(Vec::new()),
    };
    let lists: BTreeSet<PathBuf> = below
        .files
        .iter()
        .filter(|(path, _)| path.ends_with(".gpg-id") && *path != folder.gpg_id())
        .filter_map(|(path, _)| path.parent().map(PathBuf::from))
        .collect();
    let mut entries = Vec::new();
    for (path, kind) in below.files {
        let overruled = path.ancestors().skip(1).any(|above| lists.contains(above));
        if kind != FileType::RegularFile || !is_entry(&path) || overruled {
            continue;
        }
        let message = context.store.beneath().read(&path).map_err(StoreError::from)?.unwrap_or_default();
        // One that cannot be read is told of when it is to be encrypted anew.
        let readers: Vec<KeyId> = context.crypto.recipients_of(&message).unwrap_or_default();
        if !is_in_line(&readers, recipients) {
            entries.push(path);
        }
    }
    Ok(entries)
}

/// Returns the commit's subject.
fn subject(folder: &FolderName, edit: &Edit, preview: &Preview) -> String {
    let names = |keys: &[Fingerprint]| keys.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(", ");
    let place = super::reencrypt::suffix(&folder.to_string());
    match edit {
        Edit::Add(_) => format!("Add recipients {}{place}.", names(&preview.gains)),
        Edit::Remove(_) if preview.loses.is_empty() => format!("Remove recipients{place}."),
        Edit::Remove(_) => format!("Remove recipients {}{place}.", names(&preview.loses)),
        Edit::Set(keys) => {
            let keys: Vec<Fingerprint> = keys.iter().map(|key| key.fingerprint.clone()).collect();
            format!("Set recipients {}{place}.", names(&keys))
        }
    }
}
