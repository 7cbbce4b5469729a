//! What must be changed, and what has been: out of the rotation list, as much as may be told.
//!
//! What colleagues wrote of it in their own words is left out, as are the names of secrets: the list is encrypted, and a
//! page is not. On the page of a folder nobody is named who never could read it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Held, Party, Source};
use crate::model::{Fingerprint, KeyId};
use crate::ops::OpError;
use crate::ops::rotate::{self, Listed, Reason, State};

/// The state of rotation.
#[derive(Debug, Default)]
pub struct Rotation {
    /// The items, in the order of the list.
    pub items: Vec<Item>,
    /// Whether there are items that are encrypted to others.
    pub has_unread: bool,
}

/// A secret that must be changed, or has been.
#[derive(Debug)]
pub struct Item {
    /// The entry's file.
    pub entry: PathBuf,
    /// The folder whose list rules it, or did.
    pub folder: PathBuf,
    /// Why.
    pub reason: Reason,
    /// Who could read it, as far as that may be told.
    pub who: BTreeSet<Party>,
    /// When it was written, in seconds since 1970.
    pub opened: i64,
    /// How things stand.
    pub standing: Standing,
}

/// How things stand with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is as it was.
    Open,
    /// Nobody can tell here.
    Unknown,
    /// The entry is gone: whether the account is, nobody can tell.
    Gone,
    /// It has changed: when, in seconds since 1970; none if that is not committed.
    Changed(Option<i64>),
    /// Somebody has said that it is done, or need not be: when.
    Closed(i64),
}

impl Standing {
    /// Whether somebody is to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Standing::Open | Standing::Unknown | Standing::Gone)
    }
}

impl From<&State> for Standing {
    fn from(state: &State) -> Self {
        match state {
            State::Open(_) => Standing::Open,
            State::Unknown(_) => Standing::Unknown,
            State::Gone => Standing::Gone,
            State::Changed(done) => Standing::Changed(done.as_ref().map(|done| done.moment.when)),
            State::Closed(when, _) => Standing::Closed(*when),
        }
    }
}

impl Source<'_> {
    /// Reads the rotation list; `held` says who could ever read what is told of.
    pub(super) fn rotation(&self, held: &[Held], gaps: &mut Vec<String>) -> Result<Rotation, OpError> {
        let list = rotate::list(self.context)?;
        if !list.failed.is_empty() {
            gaps.push("the rotation list cannot be read as a whole".to_owned());
        }
        if list.unread > 0 {
            gaps.push("items of the rotation list are encrypted to others".to_owned());
        }
        let could: BTreeSet<&Party> = held.iter().map(|held| &held.party).collect();
        let item = |listed: &Listed| Item {
            entry: listed.entry.clone(),
            folder: self.ruled_by(&listed.entry),
            reason: listed.item.reason,
            who: listed
                .item
                .who
                .iter()
                .flat_map(|who| self.called(who))
                .filter(|who| could.contains(who))
                .collect(),
            opened: listed.item.opened,
            standing: Standing::from(&listed.state),
        };
        let items = list.items.iter().filter(|listed| self.holds(&listed.entry)).map(item);
        Ok(Rotation { items: items.collect(), has_unread: list.unread > 0 })
    }

    /// Returns whom the list means: those that it calls by a fingerprint or a key ID, as [`rotate::called`] does.
    fn called(&self, who: &str) -> BTreeSet<Party> {
        let digits = who.strip_suffix(')').and_then(|who| who.rsplit_once('('));
        let digits = digits.map_or(who, |(_, digits)| digits);
        match (Fingerprint::parse(digits), u64::from_str_radix(digits, 16)) {
            (Some(key), _) => BTreeSet::from([Party::Key(key)]),
            (None, Ok(id)) if digits.len() == 16 => self.parties(&[KeyId(id)]),
            _ => BTreeSet::new(),
        }
    }

    /// Returns the folder whose list rules an entry, or did when it stood.
    fn ruled_by(&self, entry: &Path) -> PathBuf {
        let mut above = entry.ancestors().skip(1);
        let list = above.find(|folder| self.survey.lists.contains_key(&folder.join(".gpg-id")));
        self.within(list.unwrap_or(Path::new(""))).to_path_buf()
    }
}
