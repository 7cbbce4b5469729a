//! Names that not every system tells apart, or shows as they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::report::{Kind, Report};
use super::scene::Scene;
use crate::model::{EntryName, Shown};
use crate::ops::vet::{has_controls, lower};

/// Looks at the names of files and folders.
pub(super) fn look(scene: &Scene<'_>, report: &mut Report) {
    let mut twins: BTreeMap<(&Path, String), Vec<&PathBuf>> = BTreeMap::new();
    for item in scene.folders.iter().chain(&scene.files) {
        let Some(name) = item.path.file_name() else { continue };
        let folder = item.path.parent().unwrap_or(Path::new(""));
        twins.entry((folder, lower(&item.path))).or_default().push(&item.path);
        if has_controls(name) {
            let what = "has characters in its name that drive a terminal";
            report.warning(Kind::Name, Shown::os(&item.path), what, "give it another name");
        } else if let Err(error) = EntryName::parse(name) {
            report.warning(Kind::Name, Shown::os(&item.path), &error.to_string(), "give it another name");
        }
    }
    for same in twins.into_values().filter(|same| same.len() > 1) {
        let others: Vec<String> = same[1..].iter().map(|path| format!("`{}`", Shown::os(path))).collect();
        let what = format!("differs in case only from {}: macOS and Windows keep but one", others.join(", "));
        report.warning(Kind::Name, Shown::os(same[0]), &what, "`passel mv` gives one another name");
    }
}
