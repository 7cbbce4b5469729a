//! Everybody whom the store's recipients files name.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

use crate::crypto::{RecipientError, lookup};
use crate::model::{Fingerprint, FolderName, Key, RecipientId};
use crate::ops::{Context, OpError};
use crate::store::accepted::Keys;
use crate::store::beneath::State;
use crate::store::recipients::Overlay;

/// One line of a recipients file.
#[derive(Debug)]
pub struct Line {
    /// The folder whose file it stands in.
    pub folder: FolderName,
    /// Its number, from 1.
    pub number: usize,
    /// Its text without comment.
    pub id: String,
    /// What it stands for.
    pub found: Rc<Result<Vec<RecipientId>, RecipientError>>,
}

impl Line {
    /// Returns the primary keys that the line stands for, usable or not.
    pub fn keys(&self, keyring: &[Key]) -> Vec<Fingerprint> {
        match &*self.found {
            Ok(found) => found.iter().map(|key| key.fingerprint.clone()).collect(),
            // Where the line asks for a subkey, that is what the error names.
            Err(RecipientError::Unusable { fingerprint, .. }) => {
                let has = |key: &&Key| key.subkeys.iter().any(|part| part.fingerprint == *fingerprint);
                keyring.iter().find(has).map(|key| key.fingerprint.clone()).into_iter().collect()
            }
            Err(_) => Vec::new(),
        }
    }
}

/// Everybody whom the store's recipients files name.
#[derive(Debug)]
pub struct Everyone {
    /// The lines of all files.
    pub lines: Vec<Line>,
    /// What stood where recipients files were looked for.
    pub seen: Vec<(PathBuf, State)>,
}

impl Everyone {
    /// Reads every recipients file of the store; the keyring is listed once.
    ///
    /// Fails where one of them cannot be read: then nobody knows whom it names.
    pub fn read(context: &Context<'_>) -> Result<Self, OpError> {
        let mut rules = Vec::new();
        for folder in context.ruled_folders()? {
            // A folder called `.gpg-id` is no file: then the list above rules, which is read anyway.
            if let Some(rule) = context.store.rule(&folder, &Overlay::new())?
                && rule.file.as_ref() == Some(&folder.gpg_id())
            {
                rules.push((folder, rule));
            }
        }
        let ids: BTreeSet<&str> = rules.iter().flat_map(|(_, r)| &r.lines).map(|l| l.id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let found = context.crypto.resolve_all(&ids).into_iter().map(Rc::new);
        let found: HashMap<&str, Rc<_>> = ids.iter().copied().zip(found).collect();
        let mut lines = Vec::new();
        for (folder, rule) in &rules {
            lines.extend(rule.lines.iter().map(|line| Line {
                folder: folder.clone(),
                number: line.number,
                id: line.id.clone(),
                found: Rc::clone(&found[line.id.as_str()]),
            }));
        }
        let seen = rules.iter().flat_map(|(_, rule)| rule.seen.clone()).collect();
        Ok(Everyone { lines, seen })
    }

    /// Returns the primary keys of all, usable or not, that the keyring has.
    pub fn keys(&self, keyring: &[Key]) -> Keys {
        self.lines.iter().flat_map(|line| line.keys(keyring)).collect()
    }

    /// Returns the folders whose lists name `key`, or may mean it where the keyring does not know.
    pub fn folders_of(&self, key: &Key, keyring: &[Key]) -> BTreeSet<&FolderName> {
        let means = |line: &&Line| {
            let keys = line.keys(keyring);
            keys.contains(&key.fingerprint) || (keys.is_empty() && lookup::may_name(&line.id, key))
        };
        self.lines.iter().filter(means).map(|line| &line.folder).collect()
    }

    /// Returns the lines that no key of the keyring is known for.
    pub fn unknown<'e>(&'e self, keyring: &'e [Key]) -> impl Iterator<Item = &'e Line> {
        self.lines.iter().filter(|line| line.keys(keyring).is_empty())
    }
}
