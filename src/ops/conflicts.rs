//! Entries of which two versions are kept: one under its name, others beside it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::insert::entry_state;
use super::reencrypt::{Job, Message, Reencrypted, Reencryption, entries_below};
use super::{Context, OpError};
use crate::model::EntryName;
use crate::store::StoreError;
use crate::store::beneath::State;
use crate::store::recipients::Overlay;
use crate::store::transaction::{Change, Plan, Published};

/// Why a conflict could not be shown or resolved.
#[derive(Debug, thiserror::Error)]
pub enum ConflictError {
    /// Only one version is kept.
    #[error("there is no other version of `{0}`")]
    None(EntryName),
    /// Nobody can tell which version is meant.
    #[error("there are {} other versions of `{name}`", .kept.len())]
    Several {
        /// The entry.
        name: EntryName,
        /// The versions beside it.
        kept: Vec<EntryName>,
    },
    /// Nothing stands under the name itself.
    #[error("`{}` is kept apart, but `{}` is not there", .0.kept, .0.name)]
    Alone(Conflict),
    /// Something failed.
    #[error(transparent)]
    Failed(#[from] OpError),
}

/// An entry, and all versions of it that are kept beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflicted {
    /// The entry.
    pub name: EntryName,
    /// Whether something stands under that name.
    pub is_there: bool,
    /// The versions beside it.
    pub kept: Vec<EntryName>,
}

/// An entry and one other version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The entry.
    pub name: EntryName,
    /// The version beside it.
    pub kept: EntryName,
}

/// Which version is to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one under the entry's name.
    Ours,
    /// The one beside it.
    Theirs,
}

impl Conflict {
    /// Returns the subject of the commit that resolves it.
    pub fn subject(&self) -> String {
        format!("Resolve conflict in {}.", self.name)
    }

    /// Fails if nothing stands under the entry's name.
    pub fn refuse_alone(&self, context: &Context<'_>) -> Result<(), ConflictError> {
        match entry_state(context, &self.name)? {
            State::Absent => Err(ConflictError::Alone(self.clone())),
            _ => Ok(()),
        }
    }
}

/// Returns the conflicts in the folder `place`, or of the entry of that name; in the whole store without one.
pub fn list(context: &Context<'_>, place: Option<&EntryName>) -> Result<Vec<Conflicted>, OpError> {
    let state = |path: &PathBuf| context.store.beneath().state(path).map_err(StoreError::from);
    let (folder, only) = match place {
        None => (PathBuf::new(), None),
        Some(place) if state(&place.as_path().to_path_buf())? == State::Folder => {
            (place.as_path().to_path_buf(), None)
        }
        Some(place) => (place.folder().as_path().to_path_buf(), Some(place)),
    };
    let mut found: BTreeMap<EntryName, Vec<EntryName>> = BTreeMap::new();
    let missing = || OpError::NotFound(place.map(ToString::to_string).unwrap_or_default());
    if state(&folder)? != State::Folder {
        return Err(missing());
    }
    for path in entries_below(context, &folder)? {
        // What no name of ours can reach is no entry to choose.
        let Ok(entry) = EntryName::parse(path.with_extension("").as_os_str()) else { continue };
        if let Some((name, _)) = entry.conflicted().filter(|_| entry.file() == path)
            && only.is_none_or(|only| *only == name || *only == entry)
        {
            found.entry(name).or_default().push(entry);
        }
    }
    if let Some(only) = only
        && found.is_empty()
        && context.store.entry_state(only)? == State::Absent
    {
        return Err(missing());
    }
    let conflicted = |(name, mut kept): (EntryName, Vec<EntryName>)| {
        kept.sort();
        let is_there = matches!(context.store.entry_state(&name)?, State::File(_));
        Ok(Conflicted { name, is_there, kept })
    };
    found.into_iter().map(conflicted).collect()
}

/// Returns the conflict that `name` stands for: that of the entry, or of the very version beside it.
pub fn find(context: &Context<'_>, name: &EntryName) -> Result<Conflict, ConflictError> {
    let mut found = list(context, Some(name))?
        .into_iter()
        .filter(|found| found.name == *name || found.kept.contains(name));
    match found.next() {
        Some(Conflicted { name, mut kept, .. }) if kept.len() == 1 => {
            Ok(Conflict { name, kept: kept.remove(0) })
        }
        Some(Conflicted { name, kept, .. }) => Err(ConflictError::Several { name, kept }),
        None => Err(ConflictError::None(name.clone())),
    }
}

/// Keeps one version under the entry's name, and removes the one beside it: in one commit.
pub fn pick(
    context: &Context<'_>,
    conflict: &Conflict,
    side: Side,
) -> Result<(Published, Vec<Reencrypted>), ConflictError> {
    if side == Side::Ours {
        conflict.refuse_alone(context)?;
    }
    let mut reencrypted = Vec::new();
    let published = context.publish(|| {
        let missing = || OpError::NotFound(conflict.kept.to_string());
        let message = context.store.beneath().read(&conflict.kept.file())?.ok_or_else(missing)?;
        let seen = entry_state(context, &conflict.name)?;
        let gone = Change { path: conflict.kept.file(), seen: State::of(&message), new: None };
        let mut plan = Plan { subject: conflict.subject(), changes: vec![gone], ..Plan::default() };
        match side {
            Side::Ours => plan.seen.push((conflict.name.file(), seen)),
            Side::Theirs => {
                let (new, done) = placed(context, conflict, message, &mut plan)?;
                plan.changes.push(Change { path: conflict.name.file(), seen, new: Some(new) });
                reencrypted = done;
            }
        }
        Ok(plan)
    })?;
    Ok((published, reencrypted))
}

/// Returns the message of the version beside the entry as it is to stand in its place: encrypted anew where
/// others can read it than the folder's recipients.
fn placed(
    context: &Context<'_>,
    conflict: &Conflict,
    message: Vec<u8>,
    plan: &mut Plan,
) -> Result<(Vec<u8>, Vec<Reencrypted>), OpError> {
    let overlay = Overlay::new();
    let mut work = Reencryption::new(context, &overlay);
    let jobs = [Job { source: conflict.kept.file(), path: conflict.name.file(), message }];
    let becomes = work.messages(&jobs)?.pop();
    let (done, seen) = work.finish()?;
    plan.seen.extend(seen);
    let [Job { message, .. }] = jobs;
    match becomes {
        Some(Message::Anew(new)) => Ok((new, done)),
        Some(Message::HeldBack) => Err(OpError::HeldBack(vec![conflict.kept.to_string()])),
        _ => Ok((message, done)),
    }
}
