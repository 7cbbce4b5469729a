//! Checking who can read a part of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::readers::{survey_folder, waiting};
use super::{Context, OpError, review, rules};
use crate::check::{Facts, Finding, OffRule, Unaccepted, run};
use crate::model::FolderName;
use crate::model::entry::shown_entry;
use crate::store::survey::Survey;

/// Returns what is wrong at and below `folder`; `now` is in seconds since 1970.
pub fn check(context: &Context<'_>, folder: &FolderName, now: i64) -> Result<Vec<Finding>, OpError> {
    let survey = survey_folder(context, folder)?;
    let held = review::held_back(context, survey.entries.iter())?;
    let held = held.into_iter().map(|(path, copied)| {
        let told = copied.told(&shown_entry(&path));
        (path, told)
    });
    let facts = Facts {
        crypto: context.crypto,
        root: context.store.root(),
        has_git: context.store.work_tree(folder).is_some(),
        waiting: &waiting(context, &survey),
        unaccepted: &unaccepted(context, &survey, folder)?,
        off_rules: &off_rules(context, folder)?,
        rules: &rules_not_accepted(context, folder)?,
        unsigned: &unsigned(context, &survey)?,
        signing_keys: context.signing_keys,
        held: &held.collect::<BTreeMap<PathBuf, String>>(),
        survey: &survey,
        now,
    };
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
    folders.extend(context.with_recipients(folder)?);
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

/// Returns the folders at and below `folder` whose lists are not what their rules come to; why not if the rules
/// cannot be used.
fn off_rules(context: &Context<'_>, folder: &FolderName) -> Result<Result<Vec<OffRule>, String>, OpError> {
    let now = match rules::Now::read(context) {
        Ok(now) => now,
        Err(OpError::Rule(error)) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for (ruled, rule) in &now.config.rules {
        if ruled.as_path().starts_with(folder.as_path())
            && let Some(off) = now.difference(ruled)?
            && let Some(group) = rule.groups.first()
        {
            found.push(OffRule {
                folder: ruled.clone(),
                group: group.to_string(),
                missing: off.missing.into_iter().collect(),
                extra: off.extra,
            });
        }
    }
    Ok(Ok(found))
}

/// Returns how groups and rules differ from what was accepted here, when the whole store is looked at.
fn rules_not_accepted(context: &Context<'_>, folder: &FolderName) -> Result<Option<String>, OpError> {
    // Where nobody has looked yet, nothing differs.
    if !folder.is_root() || context.store.accepted()?.is_none() {
        return Ok(None);
    }
    match context.unaccepted_rules() {
        Ok(difference) => Ok(difference.map(|difference| difference.told())),
        // Rules that cannot be used are a finding of their own.
        Err(OpError::Rule(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the recipients files that are not signed as the user asks for.
fn unsigned(context: &Context<'_>, survey: &Survey) -> Result<Vec<PathBuf>, OpError> {
    let mut found = Vec::new();
    for list in survey.lists.values() {
        match context.verify(&list.file, &list.rule.gpg_id) {
            Ok(()) => {}
            Err(OpError::Signature(_)) => found.push(list.file.clone()),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
