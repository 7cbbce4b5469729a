//! Moving and copying entries and folders; what lands under other recipients is encrypted anew.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::concerned::refuse_missing;
use super::reencrypt::{Job, Message, Reencrypted, Reencryption, is_entry, shown_entry};
use super::rules::carry_along;
use super::{Context, OpError};
use crate::model::{EntryName, FolderName, NameError, Shown};
use crate::store::beneath::State;
use crate::store::recipients::{Overlay, no_recipients_file};
use crate::store::transaction::{Change, Plan, Published};

/// Whether the source stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It goes: mv.
    Move,
    /// It stays: cp.
    Copy,
}

/// A move or copy, its names made out.
#[derive(Debug, Clone)]
pub struct Route {
    /// Whether the source stays.
    pub mode: Mode,
    /// The source's path below the root, with `.gpg` for an entry.
    pub from: PathBuf,
    /// The destination's path.
    pub to: PathBuf,
    /// Whether the source is a folder.
    pub folder: bool,
    /// Folders to make on the way, outermost first; they stay even where nothing lands in them.
    pub folders: Vec<PathBuf>,
    /// What may be replaced: anything, or only these files, which the user was asked about.
    pub replace: Replace,
}

/// What a move or copy may replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {
    /// Whatever stands there.
    Anything,
    /// Only these.
    Only(Vec<PathBuf>),
}

/// A file that is moved or copied, as it was read.
struct Source {
    from: PathBuf,
    to: PathBuf,
    bytes: Vec<u8>,
}

/// What a move or copy did.
#[derive(Debug)]
pub struct Relocated {
    /// What was published.
    pub published: Published,
    /// The entries encrypted anew.
    pub reencrypted: Vec<Reencrypted>,
    /// Each file, and each folder below a copied one, with its new place.
    pub files: Vec<(PathBuf, PathBuf)>,
}

/// Returns the source's path, as pass makes it out: an entry before a folder of the same name unless the
/// name ends in a slash. The file may be absent.
pub fn source(context: &Context<'_>, text: &OsStr) -> Result<(PathBuf, bool), OpError> {
    let folder = FolderName::parse(text)?;
    let is_folder = context.store.beneath().state(folder.as_path())? == State::Folder;
    let Ok(entry) = EntryName::parse(text) else {
        return Err(NameError::Empty.into());
    };
    let is_entry = matches!(context.store.entry_state(&entry)?, State::File(_) | State::Link(_));
    let slash = text.as_bytes().ends_with(b"/");
    if is_folder && (!is_entry || slash) {
        return Ok((folder.as_path().to_path_buf(), true));
    }
    Ok((if is_entry { entry.file() } else { entry.as_path().to_path_buf() }, false))
}

/// Makes out where `from` goes: into a folder that is there or whose name ends in a slash, otherwise to
/// the name itself.
pub fn route(context: &Context<'_>, mode: Mode, from: &OsStr, to: &OsStr) -> Result<Route, OpError> {
    let (path, folder) = source(context, from)?;
    let wrong = |what| Err(OpError::Wrong { name: Shown::os(from).to_string(), what });
    match context.store.beneath().state(&path)? {
        State::Absent => return Err(OpError::NotFound(Shown::os(from).to_string())),
        State::Link(_) => return wrong("a symbolic link, which is not moved or copied"),
        State::Other => return wrong("not a regular file"),
        State::File(_) | State::Folder => {}
    }
    let target = FolderName::for_writing(to)?;
    let slash = to.as_bytes().ends_with(b"/");
    let is_folder = target.is_root() || context.store.beneath().state(target.as_path())? == State::Folder;
    let name = path.file_name().expect("a source has a name");
    let (to, made) = if is_folder || slash {
        context.refuse_long(target.as_path())?;
        (target.as_path().join(name), target.as_path().to_path_buf())
    } else if folder {
        context.refuse_long(target.as_path())?;
        (target.as_path().to_path_buf(), parent(target.as_path()))
    } else {
        let entry = EntryName::for_writing(to)?;
        context.refuse_long(&entry.file())?;
        (entry.file(), parent(entry.as_path()))
    };
    for path in [&path, &to] {
        refuse_recipients_file(path)?;
    }
    Ok(Route { mode, from: path, to, folder, folders: vec![made], replace: Replace::Anything })
}

/// Refuses a recipients file as such: entries of both folders would be left with the wrong readers.
fn refuse_recipients_file(path: &Path) -> Result<(), OpError> {
    if path.file_name().is_some_and(|name| name == ".gpg-id" || name == ".gpg-id.sig") {
        let what = "a recipients file, which only `init` changes";
        return Err(OpError::Wrong { name: Shown::os(path).to_string(), what });
    }
    Ok(())
}

/// Returns the files at the destination that would be replaced.
pub fn occupied(context: &Context<'_>, route: &Route) -> Result<Vec<PathBuf>, OpError> {
    let mut occupied = Vec::new();
    for (_, to) in sources(context, route)? {
        if context.store.beneath().state(&to)? != State::Absent {
            occupied.push(to);
        }
    }
    Ok(occupied)
}

/// Moves or copies along `route`.
pub fn relocate(
    context: &Context<'_>,
    route: &Route,
    subject: &str,
    removal: &str,
) -> Result<Relocated, OpError> {
    refuse_impossible(context, route)?;
    let (mut files, mut reencrypted) = (Vec::new(), Vec::new());
    let published = context.publish(|| {
        let below = match route.folder {
            true => vec![(route.from.clone(), context.store.files_below(&route.from)?)],
            false => Vec::new(),
        };
        files = sources(context, route)?;
        let sources = read(context, &files)?;
        let overlay = overlay(context, route, &sources)?;
        refuse_mixing(context, route, &overlay, &files)?;
        let mut work = Reencryption::new(context, &overlay);
        let mut plan = Plan {
            subject: subject.to_owned(),
            removal_subject: Some(removal.to_owned()),
            folders: route.folders.clone(),
            below,
            ..Plan::default()
        };
        let (entries, others): (Vec<Source>, Vec<Source>) =
            sources.into_iter().partition(|source| is_entry(&source.to));
        let jobs = entries.into_iter().map(|s| Job { source: s.from, path: s.to, message: s.bytes });
        let jobs: Vec<Job> = jobs.collect();
        let new = work.messages(&jobs)?;
        let entries = jobs.into_iter().zip(new).map(|(job, new)| (job.source, job.path, job.message, new));
        let others = others.into_iter().map(|s| (s.from, s.to, s.bytes, Message::Right));
        let mut held = Vec::new();
        for (from, to, bytes, becomes) in entries.chain(others) {
            let source = State::of(&bytes);
            let new = match becomes {
                Message::Right => None,
                Message::Anew(new) => Some(new),
                // It stays where it is; the others go.
                Message::HeldBack => {
                    plan.seen.push((from.clone(), source));
                    held.push(from);
                    continue;
                }
            };
            let seen = may_land(context, route, &to, &bytes)?;
            plan.changes.push(Change { path: to, seen, new: Some(new.unwrap_or(bytes)) });
            match route.mode {
                Mode::Move => plan.changes.push(Change { path: from, seen: source, new: None }),
                Mode::Copy => plan.seen.push((from, source)),
            }
        }
        add_folders(context, route, &mut plan)?;
        if route.folder {
            // A list that goes along goes on following its groups.
            let stays = |path: &Path| (route.mode == Mode::Copy).then(|| path.to_path_buf());
            let places = |path: &Path| stays(path).into_iter().chain([moved(route, path)]).collect();
            carry_along(context, &mut plan, |path| path.starts_with(&route.from).then(|| places(path)))?;
        }
        let (done, seen) = work.finish()?;
        refuse_held_back(route, &held, &overlay, &plan)?;
        files.retain(|(from, _)| !held.contains(from));
        plan.seen.extend(seen.into_iter().filter(|(path, _)| plan.changes.iter().all(|c| c.path != *path)));
        reencrypted = done;
        Ok(plan)
    })?;
    if route.folder && route.mode == Mode::Copy {
        let folders = context.store.beneath().below(&route.from)?.folders;
        files.extend(folders.into_iter().skip(1).map(|path| (path.clone(), moved(route, &path))));
        files.sort();
    }
    Ok(Relocated { published, reencrypted, files })
}

/// Refuses a list that would come to rule, or leave behind, entries that do not go along with it.
fn refuse_mixing(
    context: &Context<'_>,
    route: &Route,
    overlay: &Overlay,
    files: &[(PathBuf, PathBuf)],
) -> Result<(), OpError> {
    for (list, new) in overlay {
        let folder = list.parent().unwrap_or(Path::new(""));
        if new.is_none() {
            refuse_missing(context, folder)?;
            continue;
        }
        let there = context.store.files_below(folder)?;
        let others = there.iter().filter(|path| is_entry(path) && !path.starts_with(&route.from));
        if let Some(other) = others.into_iter().find(|path| files.iter().all(|(_, to)| to != *path)) {
            let what = "in the way: the recipients of the folder that is to go there would rule it too";
            return Err(OpError::Wrong { name: shown_entry(other), what });
        }
    }
    Ok(())
}

/// Refuses what cannot be done without the entries that are held back: there are no others, or their list
/// would go away from above them.
fn refuse_held_back(route: &Route, held: &[PathBuf], overlay: &Overlay, plan: &Plan) -> Result<(), OpError> {
    let list_goes = route.mode == Mode::Move && !overlay.is_empty();
    if !held.is_empty() && (list_goes || plan.changes.is_empty()) {
        return Err(OpError::HeldBack(held.iter().map(|path| shown_entry(path)).collect()));
    }
    Ok(())
}

/// Reads every file once: what is published is what recipients were computed from.
fn read(context: &Context<'_>, files: &[(PathBuf, PathBuf)]) -> Result<Vec<Source>, OpError> {
    let mut sources = Vec::new();
    for (from, to) in files {
        let bytes = context.store.beneath().read(from)?;
        let bytes = bytes.ok_or_else(|| OpError::NotFound(Shown::os(from).to_string()))?;
        sources.push(Source { from: from.clone(), to: to.clone(), bytes });
    }
    Ok(sources)
}

/// Returns what stands at `to`; refuses where nothing may land, or nobody agreed to a replacement.
fn may_land(context: &Context<'_>, route: &Route, to: &Path, bytes: &[u8]) -> Result<State, OpError> {
    let seen = context.store.beneath().state(to)?;
    let shown = || Shown::os(to).to_string();
    match &seen {
        State::Absent => {}
        State::Folder | State::Link(_) | State::Other => return Err(OpError::Occupied(shown())),
        State::File(_) if seen == State::of(bytes) => {}
        State::File(_) => {
            refuse_recipients_file(to)?;
            if let Replace::Only(agreed) = &route.replace
                && !agreed.iter().any(|path| path == to)
            {
                return Err(OpError::CreatedMeanwhile(shown()));
            }
        }
    }
    Ok(seen)
}

/// Refuses what mv(1) and cp(1) refuse.
fn refuse_impossible(context: &Context<'_>, route: &Route) -> Result<(), OpError> {
    let wrong = |path: &Path, what| Err(OpError::Wrong { name: Shown::os(path).to_string(), what });
    if route.from == route.to {
        return wrong(&route.from, "source and destination at once");
    }
    if route.folder && route.to.starts_with(&route.from) {
        return wrong(&route.to, "inside of the folder that is to go there");
    }
    match context.store.beneath().state(&route.to)? {
        State::Folder if !route.folder => wrong(&route.to, "a folder, not an entry"),
        State::File(_) if route.folder => wrong(&route.to, "a file, not a folder"),
        State::Folder
            if route.mode == Mode::Move && !context.store.beneath().names(&route.to)?.is_empty() =>
        {
            wrong(&route.to, "a folder that is not empty")
        }
        State::Link(_) => wrong(&route.to, "a symbolic link, which is not followed for writing"),
        _ => Ok(()),
    }
}

/// Returns each file with its new place.
fn sources(context: &Context<'_>, route: &Route) -> Result<Vec<(PathBuf, PathBuf)>, OpError> {
    if !route.folder {
        return Ok(vec![(route.from.clone(), route.to.clone())]);
    }
    context.store.refuse_left_out(&route.from)?;
    let below = context.store.beneath().below(&route.from)?;
    if let Some(path) = below.repositories.first() {
        let what = "a git repository of its own, which only git may move";
        return Err(OpError::Wrong { name: Shown::os(path).to_string(), what });
    }
    // At its new place it would stop whoever writes there.
    if let Some(path) = below.folders.iter().find(|path| path.ends_with(".gpg-id")) {
        return Err(no_recipients_file(path, "it is a folder").into());
    }
    let mut files = Vec::new();
    for (path, kind) in below.files {
        if kind != FileType::RegularFile {
            let what = "a symbolic link or special file, which is not moved or copied";
            return Err(OpError::Wrong { name: Shown::os(&path).to_string(), what });
        }
        files.push((path.clone(), moved(route, &path)));
    }
    Ok(files)
}

/// Returns where a path below the source lands.
fn moved(route: &Route, path: &Path) -> PathBuf {
    let rest = path.strip_prefix(&route.from).expect("the path lies below the source");
    if rest.as_os_str().is_empty() { route.to.clone() } else { route.to.join(rest) }
}

/// Returns the recipients files that land at new places: they rule there from then on. Where the user
/// asks for signed ones, they are checked as they are read.
fn overlay(context: &Context<'_>, route: &Route, sources: &[Source]) -> Result<Overlay, OpError> {
    let mut overlay = Overlay::new();
    for source in sources.iter().filter(|source| source.from.ends_with(".gpg-id")) {
        context.verify(&source.from, &source.bytes)?;
        // Elsewhere it would rule unasked: what was not accepted here must not get there, nor what cannot be
        // accepted yet, for want of a key say.
        let folder = FolderName::parse(parent(&source.from).as_os_str())?;
        context.recipients(&folder)?;
        overlay.insert(source.to.clone(), Some(source.bytes.clone()));
        if route.mode == Mode::Move {
            overlay.insert(source.from.clone(), None);
        }
    }
    Ok(overlay)
}

/// Adds the folders that the destination needs, and those that the source leaves empty.
fn add_folders(context: &Context<'_>, route: &Route, plan: &mut Plan) -> Result<(), OpError> {
    if route.folder {
        let below = context.store.beneath().below(&route.from)?;
        plan.folders.extend(below.folders.iter().map(|path| moved(route, path)));
        if route.mode == Mode::Move {
            plan.prune = below.folders.into_iter().rev().collect();
        }
    } else if route.mode == Mode::Move {
        let above = route.from.ancestors().skip(1).map(PathBuf::from);
        plan.prune = above.filter(|path| !path.as_os_str().is_empty()).collect();
    }
    Ok(())
}

/// Returns the folder that holds `path`; empty for the root.
fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}
