//! Checking who can read a part of the store.

use std::collections::BTreeSet;

use super::readers::survey_folder;
use super::{Context, OpError};
use crate::check::{Facts, Finding, Unaccepted, run};
use crate::model::FolderName;
use crate::store::survey::Survey;

/// Returns what is wrong at and below `folder`; `now` is in seconds since 1970.
pub fn check(context: &Context<'_>, folder: &FolderName, now: i64) -> Result<Vec<Finding>, OpError> {
    let survey = survey_folder(context, folder)?;
    let unaccepted = unaccepted(context, &survey, folder)?;
    let facts = Facts { survey: &survey, crypto: context.crypto, unaccepted: &unaccepted, now };
    Ok(run(&facts)?)
}

/// Returns the folders whose recipients have to be accepted here: of those with a list of their own, and of
/// those that had one when it was accepted. Nothing on a machine that has accepted none yet: it will accept
/// what it finds.
fn unaccepted(
    context: &Context<'_>,
    survey: &Survey,
    folder: &FolderName,
) -> Result<Vec<Unaccepted>, OpError> {
    let Some(accepted) = context.store.accepted()? else { return Ok(Vec::new()) };
    let mut folders: BTreeSet<FolderName> = survey.lists.values().map(|list| list.folder.clone()).collect();
    for (path, _) in accepted.folders() {
        if let Ok(name) = FolderName::parse(path.as_os_str())
            && path.starts_with(folder.as_path())
            && context.store.folder_exists(&name)?
        {
            folders.insert(name);
        }
    }
    let mut found = Vec::new();
    for folder in folders {
        // A list that cannot be used is a finding of its own.
        if let Some(list) = survey.ruling(&folder)
            && let Some(recipients) = list.recipients()
            && let Some(difference) = context.would_refuse(&accepted, &folder, &list.rule, &recipients)?
        {
            found.push(Unaccepted { folder, told: difference.told() });
        }
    }
    Ok(found)
}
