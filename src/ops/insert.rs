//! Storing a text as an entry.

use super::{Context, KnownLists, OpError, Recipients};
use crate::model::{EntryName, Plaintext};
use crate::store::beneath::State;
use crate::store::transaction::{Change, Plan, Published};

/// What may be done about an entry that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Replace it: the user said so.
    Replace,
    /// Nothing: there was none when the user was not asked.
    Create,
}

/// Returns what stands at `name`, an entry or nothing; refuses links and everything else, and a new name
/// that is too long.
pub fn entry_state(context: &Context<'_>, name: &EntryName) -> Result<State, OpError> {
    context.refuse_long(&name.file())?;
    let wrong = |what| Err(OpError::Wrong { name: format!("{name}.gpg"), what });
    match context.store.entry_state(name)? {
        state @ (State::Absent | State::File(_)) => Ok(state),
        State::Link(_) => wrong("a symbolic link, which is not followed for writing"),
        State::Folder => wrong("a folder, not an entry"),
        State::Other => wrong("not a regular file"),
    }
}

/// Stores `text` as the entry `name`, encrypted to its folder's recipients, of which some are `known` already.
pub fn insert(
    context: &Context<'_>,
    name: &EntryName,
    text: &Plaintext,
    permit: Permit,
    subject: &str,
    mut known: KnownLists,
) -> Result<Published, OpError> {
    context.publish(|| {
        let seen = entry_state(context, name)?;
        if permit == Permit::Create && seen != State::Absent {
            return Err(OpError::CreatedMeanwhile(name.to_string()));
        }
        let recipients = context.recipients_known(&name.folder(), &mut known)?;
        plan_for(context, name, text, seen, recipients, subject)
    })
}

/// Returns the plan that puts `text` at `name`, where `seen` stands now.
pub fn plan(
    context: &Context<'_>,
    name: &EntryName,
    text: &Plaintext,
    seen: State,
    subject: &str,
) -> Result<Plan, OpError> {
    let recipients = context.recipients(&name.folder())?;
    plan_for(context, name, text, seen, recipients, subject)
}

/// The same for the recipients of the entry's folder.
fn plan_for(
    context: &Context<'_>,
    name: &EntryName,
    text: &Plaintext,
    seen: State,
    recipients: Recipients,
    subject: &str,
) -> Result<Plan, OpError> {
    let message = context.encrypt(name, text, &recipients)?;
    Ok(Plan {
        changes: vec![Change { path: name.file(), seen, new: Some(message) }],
        seen: recipients.rule.seen,
        subject: subject.to_owned(),
        ..Plan::default()
    })
}
