//! Keys and recipients against the rules: what `recipients check` finds.

use super::report::{Kind, Mend, Report};
use super::scene::{Scene, shown_folder};
use crate::check::Severity;
use crate::model::{FolderName, Shown};
use crate::ops::adopt;
use crate::ops::check::check;
use crate::store::recipients::Overlay;

/// Runs the checks of recipients on the folder; an entry alone has none of its own.
pub(super) fn look(scene: &Scene<'_>, now: i64, report: &mut Report) {
    if scene.folders.is_empty() {
        return;
    }
    let folder = FolderName::parse(scene.place.as_os_str()).expect("it was found by its name");
    let found = match check(scene.context, &folder, now) {
        Ok(found) => found,
        Err(error) => {
            report.failed("the recipients", &error);
            return without_list(scene, &folder, report);
        }
    };
    line_ends(scene, &folder, report);
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

/// Looks for recipients files of which pass reads other lines than we do.
fn line_ends(scene: &Scene<'_>, folder: &FolderName, report: &mut Report) {
    match adopt::line_ends(scene.context, folder) {
        Ok(found) => {
            for (folder, what) in found {
                let file = folder.gpg_id();
                report.mendable(Kind::Recipients, Shown::os(&file), &what, vec![Mend::LineEnds(folder)]);
            }
        }
        Err(error) => report.failed("the recipients", &error),
    }
}

/// Says where no list rules the folder: that much can be told whatever keeps the checks from looking.
fn without_list(scene: &Scene<'_>, folder: &FolderName, report: &mut Report) {
    match scene.context.store.rule(folder, &Overlay::new()) {
        Ok(Some(_)) => {}
        Ok(None) => {
            let subject = shown_folder(&scene.place);
            report.error(
                Kind::Recipients,
                subject,
                "nothing says who can read it",
                "`passel init GPG-ID...`",
            );
        }
        Err(error) => report.failed("the recipients", &error),
    }
}
