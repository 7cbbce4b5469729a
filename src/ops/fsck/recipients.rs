//! Keys and recipients against the rules: what `recipients check` finds.

use super::report::{Kind, Report};
use super::scene::Scene;
use crate::check::Severity;
use crate::model::FolderName;
use crate::ops::check::check;

/// Runs the checks of recipients on the folder; an entry alone has none of its own.
pub(super) fn look(scene: &Scene<'_>, now: i64, report: &mut Report) {
    if scene.folders.is_empty() {
        return;
    }
    let folder = FolderName::parse(scene.place.as_os_str()).expect("it was found by its name");
    let found = match check(scene.context, &folder, now) {
        Ok(found) => found,
        Err(error) => return report.failed("the recipients", &error),
    };
    for finding in found {
        // What is no message was found by looking at the entries.
        let is_told = finding.severity == Severity::Error
            && report.findings.iter().any(|known| {
                known.kind == Kind::Structure
                    && known.finding.severity == Severity::Error
                    && known.finding.subject == finding.subject
            });
        if !is_told {
            report.take(Kind::Recipients, finding, Vec::new());
        }
    }
}
