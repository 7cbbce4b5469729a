//! Entries that others can read than their recipients files name, and files that are no messages.

use std::path::Path;

use super::{Check, CheckError, Facts, Finding, Severity, argument, entries, quoted, some_of};
use crate::model::Shown;
use crate::model::entry::shown_entry;
use crate::store::survey::{Entry, Standing};

/// The check.
pub struct Differing;

impl Check for Differing {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let mut findings = Vec::new();
        for list in facts.survey.lists.values() {
            let mut add = |severity, what: &str, which: &dyn Fn(&Standing) -> bool| {
                let found: Vec<&Entry> =
                    facts.survey.ruled_by(list).filter(|entry| which(&entry.standing)).collect();
                // What is held back, no update brings in line: it is a finding of its own.
                let found: Vec<&Entry> =
                    found.into_iter().filter(|entry| !facts.held.contains_key(&entry.path)).collect();
                if !found.is_empty() {
                    let names: Vec<String> = found.iter().map(|entry| shown_entry(&entry.path)).collect();
                    findings.push(Finding {
                        severity,
                        subject: Shown::os(&list.file).to_string(),
                        message: format!("{} {what}: {}", entries(found.len()), some_of(&names)),
                        hint: match list.recipients().is_some() {
                            true => format!("`passel recipients update{}`", argument(&list.folder)),
                            false => format!(
                                "when its recipients are mended: `passel recipients update{}`",
                                argument(&list.folder)
                            ),
                        },
                    });
                }
            };
            let foreign = |s: &Standing| matches!(s, Standing::Differs { extra, .. } if !extra.is_empty());
            let lacking = |s: &Standing| matches!(s, Standing::Differs { extra, .. } if extra.is_empty());
            add(Severity::Error, "can be read by keys that it does not name", &foreign);
            add(Severity::Error, "cannot be read by all keys that it names", &lacking);
            add(Severity::Warning, "encrypted to a subkey that is not the newest", &|s| {
                *s == Standing::Older
            });
            add(Severity::Warning, "with hidden recipients: nobody can tell who they are", &|s| {
                *s == Standing::Hidden
            });
        }
        let broken = facts.survey.entries.iter().filter_map(|entry| match &entry.standing {
            Standing::Broken(why) => Some(Finding {
                severity: Severity::Error,
                subject: shown_entry(&entry.path),
                message: Shown::new(why).to_string(),
                hint: match facts.survey.is_ruled(&entry.path) {
                    true => back_or_away(facts, &entry.path),
                    // Its message is whole: it is the list that is missing.
                    false => format!("`passel init{} KEY...` says who can read it", init_place(&entry.path)),
                },
            }),
            _ => None,
        });
        findings.extend(broken);
        Ok(findings)
    }
}

/// Returns `init`'s arguments for the folder of an entry.
fn init_place(path: &Path) -> String {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => format!(" -p {}", crate::model::argument(folder)),
        None => String::new(),
    }
}

/// Returns how an entry that is no message can be had again, or got rid of.
fn back_or_away(facts: &Facts<'_>, path: &Path) -> String {
    let remove = format!("`passel rm {}` removes it", quoted(&path.with_extension("")));
    match facts.has_git {
        true => format!(
            "`passel git log -- {0}` lists its versions, `passel git checkout COMMIT -- {0}` brings one back; {remove}",
            quoted(path)
        ),
        false => remove,
    }
}
