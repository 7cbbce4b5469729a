//! Looking at the store as a whole: what it holds, who can read it, and what should not be there.
//!
//! One file for each kind of look. They neither print nor mend: what can be mended without a person is written down
//! beside the finding. What could not be looked at is kept apart from what is wrong ([`Unseen`]), and
//! keeps nobody from looking at the rest.

mod conflicts;
mod history;
mod leftovers;
mod messages;
mod names;
mod permissions;
mod recipients;
mod repair;
mod report;
mod repository;
mod scene;
mod strays;
mod tracked;

use std::ffi::OsStr;

pub use report::{Found, Kind, Others, Report, Unseen};

use super::{Context, OpError};

/// How to look.
#[derive(Debug)]
pub struct Request<'a> {
    /// The entry or folder to look at; the whole store if there is none.
    pub place: Option<&'a OsStr>,
    /// Whether every entry is decrypted.
    pub decrypt: bool,
    /// Whether what is safe to mend is mended.
    pub repair: bool,
    /// The time, in seconds since 1970.
    pub now: i64,
    /// Whose the files should be.
    pub user: u32,
}

/// Returns what is wrong, and what could not be looked at. Nothing is changed unless that is asked for.
pub fn fsck(context: &Context<'_>, request: &Request<'_>) -> Result<Report, OpError> {
    let mut report = Report::default();
    let scene = scene::Scene::take(context, request.place, &mut report)?;
    messages::look(&scene, request.decrypt, &mut report);
    recipients::look(&scene, request.now, &mut report);
    permissions::look(&scene, request.user, &mut report);
    strays::look(&scene, &mut report);
    conflicts::look(&scene, &mut report);
    names::look(&scene, &mut report);
    leftovers::look(&scene, &mut report);
    for prefix in &scene.repositories {
        if let Some(repo) = repository::open(&scene, prefix, &mut report) {
            tracked::look(&scene, &repo, &mut report);
            history::look(&scene, &repo, &mut report);
            repository::look(&scene, &repo, &mut report);
        }
    }
    if request.repair {
        repair::repair(&scene, &mut report);
    }
    report.sort();
    Ok(report)
}
