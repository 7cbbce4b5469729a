//! Entries that are held back until a person decides ([`super::copies`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::copies::{Copied, Copies, body_of};
use super::lists::folder_of;
use super::reencrypt::{is_entry, shown_entry};
use super::{Context, KnownLists, OpError};
use crate::crypto::CryptoError;
use crate::crypto::openpgp::Body;
use crate::model::{FolderName, RecipientId};
use crate::store::beneath::State;
use crate::store::recipients::Overlay;

/// An entry that is, or would be, held back.
#[derive(Debug)]
pub struct Undecided {
    /// Its name, safe to show.
    pub name: String,
    /// Where it comes from, and who would gain.
    pub copied: Copied,
    path: PathBuf,
    body: Body,
}

/// What there is to look at.
#[derive(Debug, Default)]
pub struct Review {
    /// What is held back.
    pub undecided: Vec<Undecided>,
    /// What is never encrypted anew, as it is no whole message or gpg might read another one in it: names, and
    /// why.
    pub unclear: Vec<(String, CryptoError)>,
}

/// Returns the entries below `path`, or the one there, that encrypting anew would hold back. With
/// `harmless`, those as well that nobody would gain access to now.
pub fn review(context: &Context<'_>, path: &Path, harmless: bool) -> Result<Review, OpError> {
    let paths = match context.store.beneath().state(path)? {
        State::Folder => context.store.files_below(path)?,
        State::File(_) => vec![path.to_path_buf()],
        _ => return Err(OpError::NotFound(shown_entry(path))),
    };
    let mut copies = Copies::read(context)?;
    let mut readers: BTreeMap<FolderName, Vec<RecipientId>> = BTreeMap::new();
    let mut lists = KnownLists::default();
    let mut review = Review::default();
    for path in paths.into_iter().filter(|path| is_entry(path)) {
        // Links have their own place.
        let State::File(_) = context.store.beneath().state(&path)? else { continue };
        let Some(message) = context.store.beneath().read(&path)? else { continue };
        let name = shown_entry(&path);
        let body = match body_of(&name, &message) {
            Ok(body) => body,
            Err(OpError::Decrypt { name, source }) => {
                review.unclear.push((name, source));
                continue;
            }
            Err(error) => return Err(error),
        };
        let readers = readers.entry(folder_of(&path)?).or_insert_with_key(|folder| {
            // Whoever cannot be encrypted to gains nothing yet.
            let recipients = context.resolved(folder, &Overlay::new(), &mut lists);
            recipients.map(|(recipients, _)| recipients.keys).unwrap_or_default()
        });
        let Some(copied) = copies.origin(context, &path, &body, readers)? else { continue };
        if !copies.is_reviewed(&path, &body) && (harmless || !copied.gains.is_empty()) {
            review.undecided.push(Undecided { name, copied, path, body });
        }
    }
    Ok(review)
}

/// Lets entries pass: they are encrypted anew from now on.
pub fn accept(context: &Context<'_>, entries: &[Undecided]) -> Result<(), OpError> {
    let messages: Vec<_> = entries.iter().map(|entry| (entry.body, entry.path.clone())).collect();
    Ok(context.store.let_pass(&messages)?)
}
