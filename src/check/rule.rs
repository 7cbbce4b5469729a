//! Lists that are not what the groups come to that their folders follow: somebody edited them, or their groups.

use super::{Check, CheckError, Facts, Finding, OffRule, Severity, argument, key_name, some_of};
use crate::config::FILE;

/// The check.
pub struct OffRules;

impl Check for OffRules {
    fn find(&self, facts: &Facts<'_>) -> Result<Vec<Finding>, CheckError> {
        let off = match facts.off_rules {
            Ok(off) => off,
            Err(what) => return Ok(vec![damaged(facts, what)]),
        };
        let finding = |off: &OffRule| {
            let missing: Vec<String> = off.missing.iter().map(|key| key_name(facts.survey, key)).collect();
            let lacks = (!missing.is_empty()).then(|| format!("it lacks {}", some_of(&missing)));
            let names = (!off.extra.is_empty()).then(|| format!("it names {} besides", some_of(&off.extra)));
            let parts: Vec<String> = lacks.into_iter().chain(names).collect();
            let (group, folder) = (&off.group, argument(&off.folder));
            Finding {
                severity: Severity::Warning,
                subject: match off.folder.is_root() {
                    true => "the store".to_owned(),
                    false => off.folder.to_string(),
                },
                message: format!(
                    "its list, which counts, is not what its rule in {FILE} comes to: {}",
                    parts.join("; ")
                ),
                hint: format!(
                    "`passel group assign {group}{folder}` takes the list into the rule as it is; `passel group add` \
                     and `remove` with --force write it anew from the rule"
                ),
            }
        };
        Ok(off.iter().map(finding).collect())
    }
}

/// Returns the finding of a configuration that cannot be used.
fn damaged(facts: &Facts<'_>, what: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        subject: FILE.to_owned(),
        message: format!("the groups cannot be used: {what}"),
        hint: match facts.has_git {
            true => format!("`passel git log -p -- {FILE}` shows how it came about"),
            false => "mend it in an editor".to_owned(),
        },
    }
}
