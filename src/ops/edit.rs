//! Storing what came out of an editor, without overwriting what others stored meanwhile.

use super::insert::{entry_state, plan};
use super::{Context, OpError};
use crate::model::{EntryName, Plaintext};
use crate::store::StoreError;
use crate::store::beneath::{BeneathError, State};
use crate::store::transaction::{Change, Published};

/// An entry as it was when its editing began.
#[derive(Debug)]
pub struct Opened {
    /// What stood there.
    seen: State,
    /// Its text; none for a new entry.
    pub text: Option<Plaintext>,
}

/// Decrypts the entry `name` for editing, if it is there.
pub fn open(context: &Context<'_>, name: &EntryName) -> Result<Opened, OpError> {
    entry_state(context, name)?;
    let path = name.file();
    let Some(message) = context.store.beneath().read(&path).map_err(StoreError::from)? else {
        return Ok(Opened { seen: State::Absent, text: None });
    };
    let text = context.decrypt(name, &message)?;
    context.refuse_held_back(name, &message, &context.recipients(&name.folder())?)?;
    Ok(Opened { seen: State::of(&message), text: Some(text) })
}

/// Stores the edited `text`. If the entry is no longer as it was opened, both versions are kept: the
/// edited one goes beside it, and the error says where.
pub fn save(
    context: &Context<'_>,
    name: &EntryName,
    opened: &Opened,
    text: &Plaintext,
    subject: &str,
) -> Result<Published, OpError> {
    save_for(context, name, opened, None, text, subject)
}

/// The same; in the same commit goes the entry `also`, if one is given: `text` was made from both.
pub fn save_for(
    context: &Context<'_>,
    name: &EntryName,
    opened: &Opened,
    also: Option<(&EntryName, &Opened)>,
    text: &Plaintext,
    subject: &str,
) -> Result<Published, OpError> {
    let mut kept = None;
    let published = context.publish(|| {
        let all = also.iter().copied().chain([(name, opened)]);
        let states = all.map(|(name, opened)| Ok(entry_state(context, name)? == opened.seen));
        if states.collect::<Result<Vec<bool>, OpError>>()?.into_iter().all(|is_as_opened| is_as_opened) {
            kept = None;
            let mut plan = plan(context, name, text, opened.seen.clone(), subject)?;
            plan.changes.extend(also.map(|(gone, opened)| Change {
                path: gone.file(),
                seen: opened.seen.clone(),
                new: None,
            }));
            return Ok(plan);
        }
        let beside = conflict_name(name)?;
        let subject = format!("Keep the edited version of {name} as {beside}.");
        let seen = entry_state(context, &beside)?;
        let plan = plan(context, &beside, text, seen, &subject);
        kept = Some(beside);
        plan
    })?;
    match kept {
        Some(beside) => Err(OpError::ChangedMeanwhile { name: name.to_string(), kept: beside.to_string() }),
        None => Ok(published),
    }
}

/// Returns `NAME.conflict-<8 random hexadecimal digits>`.
fn conflict_name(name: &EntryName) -> Result<EntryName, OpError> {
    let random = getrandom::u32().map_err(|error| StoreError::Random(error.to_string()))?;
    Ok(name.beside(&format!(".conflict-{random:08x}")))
}

impl From<BeneathError> for OpError {
    fn from(error: BeneathError) -> Self {
        OpError::Store(error.into())
    }
}
