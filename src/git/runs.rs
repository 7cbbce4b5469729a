//! Since when files have said what they say now: one walk of the history, for any number of files.
//!
//! From commit to parent it is known which files still say the same, and under which paths. Only what a commit
//! changed is looked at, so that a commit costs what it changed, however many files are asked about. A file's run ends
//! at a commit none of whose parents say the same.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::Oid;

use super::history::{Commit, History};
use super::renames::sources;
use super::trees::{Differences, Trees};
use crate::model::entry::is_entry;

/// How the subject of a commit begins that copies.
const COPY: &str = "Copy ";
/// So many removed entries are compared with one that was added where nothing else says which it was.
const FEW: usize = 4;

/// Since when a file has said what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    /// The time of the oldest commit of the run, in seconds since 1970; none if there is no commit that tells.
    pub since: Option<i64>,
    /// Whether nobody can tell what was before: it may have said the same for longer.
    pub is_open: bool,
}

/// Tells whether a blob says what the file of that number says now; none if nobody can tell.
pub type Says<'f> = dyn FnMut(usize, Oid) -> Option<bool> + 'f;

/// A path and a file that stands there and says the same as now, by their numbers.
type Place = (usize, usize);
/// All such places in a commit.
type Open = BTreeSet<Place>;

impl History<'_> {
    /// Returns for each file of HEAD (paths in the repository) since when it has said what it says now.
    pub fn runs(&self, files: &[PathBuf], says: &mut Says<'_>, step: &mut dyn FnMut()) -> Vec<Run> {
        let mut walk =
            Walk { history: self, says, numbers: HashMap::new(), runs: vec![Run::default(); files.len()] };
        let first = files.iter().enumerate().map(|(file, path)| (walk.number(path), file)).collect();
        let mut open: Vec<Option<Rc<Open>>> = vec![None; self.commits().len()];
        if let Some(head) = open.first_mut() {
            *head = Some(Rc::new(first));
        }
        let mut trees = Trees::new(self.objects());
        for place in 0..open.len() {
            step();
            let Some(here) = open[place].take().filter(|here| !here.is_empty()) else { continue };
            trees.step();
            for (parent, theirs) in walk.commit(&mut trees, place, here) {
                match &mut open[parent] {
                    Some(known) if Rc::ptr_eq(known, &theirs) || **known == *theirs => {}
                    Some(known) => *known = Rc::new(&**known | &*theirs),
                    none => *none = Some(theirs),
                }
            }
        }
        walk.runs
    }
}

struct Walk<'h, 'r, 'f, 's> {
    history: &'h History<'r>,
    says: &'f mut Says<'s>,
    /// The numbers of paths that are met.
    numbers: HashMap<PathBuf, usize>,
    runs: Vec<Run>,
}

/// How it was in a parent with what says something else there, or is not there.
#[derive(Default)]
struct Before {
    /// Places that are none there.
    gone: Vec<Place>,
    /// Those of them of which nobody can tell.
    unsure: BTreeSet<usize>,
    /// Where they were.
    moved: Vec<Place>,
}

/// The places that parents lack.
#[derive(Default)]
struct Ends {
    /// How many lack each.
    counts: HashMap<Place, usize>,
    /// Files of which nobody can tell.
    unsure: BTreeSet<usize>,
    /// Files that a parent has at another path.
    moved: BTreeSet<usize>,
}

impl Ends {
    fn add(&mut self, before: Before) {
        for gone in before.gone {
            *self.counts.entry(gone).or_default() += 1;
        }
        self.unsure.extend(before.unsure);
        self.moved.extend(before.moved.iter().map(|(_, file)| *file));
    }

    /// Returns the files that none of so many parents has.
    fn everywhere(&self, parents: usize) -> Vec<usize> {
        let all = self.counts.iter().filter(|(_, count)| **count == parents);
        all.map(|((_, file), _)| *file).filter(|file| !self.moved.contains(file)).collect()
    }
}

impl Walk<'_, '_, '_, '_> {
    fn number(&mut self, path: &Path) -> usize {
        if let Some(known) = self.numbers.get(path) {
            return *known;
        }
        let number = self.numbers.len();
        self.numbers.insert(path.to_path_buf(), number);
        number
    }

    /// Returns which places say the same in each of a commit's parents.
    fn commit(&mut self, trees: &mut Trees<'_>, place: usize, here: Rc<Open>) -> Vec<(usize, Rc<Open>)> {
        let history = self.history;
        let commit = &history.commits()[place];
        let parents = commit.parent_places();
        if commit.is_cut {
            here.iter().for_each(|(_, file)| self.runs[*file].is_open = true);
        }
        if parents.is_empty() {
            here.iter().for_each(|(_, file)| self.end(*file, commit));
            return Vec::new();
        }
        let mut ends = Ends::default();
        let mut found = Vec::with_capacity(parents.len());
        let mut rest = Some(here);
        for (number, parent) in parents.iter().enumerate() {
            // The last one takes it over, so that nothing is copied where there is one parent.
            let mine = if number + 1 == parents.len() { rest.take() } else { rest.clone() };
            let mut theirs = mine.expect("it is taken by the last one");
            let before = self.before(trees, place, *parent, &theirs);
            if !before.gone.is_empty() {
                let open = Rc::make_mut(&mut theirs);
                before.gone.iter().for_each(|gone| _ = open.remove(gone));
                open.extend(&before.moved);
            }
            ends.add(before);
            found.push((*parent, theirs));
        }
        for file in ends.everywhere(parents.len()) {
            self.runs[file].is_open |= ends.unsure.contains(&file);
            self.end(file, commit);
        }
        found
    }

    /// Notes that a run begins with a commit.
    fn end(&mut self, file: usize, commit: &Commit) {
        let run = &mut self.runs[file];
        run.is_open |= commit.when.is_none();
        // Where several begin, the value was there since the first of them.
        run.since = [run.since, commit.when].into_iter().flatten().min();
    }

    /// Returns how a parent differs in the places of `open`.
    fn before(&mut self, trees: &mut Trees<'_>, place: usize, parent: usize, open: &Open) -> Before {
        let commits = self.history.commits();
        let mut before = Before::default();
        let Ok(differences) = trees.differences(Some(commits[parent].tree()), Some(commits[place].tree()))
        else {
            before.gone = open.iter().copied().collect();
            before.unsure = open.iter().map(|(_, file)| *file).collect();
            return before;
        };
        let mut removed: Option<Removed<'_>> = None;
        for (path, (blob, _)) in &differences {
            let Some(number) = self.numbers.get(path).copied() else { continue };
            for at in open.range((number, 0)..=(number, usize::MAX)) {
                let told = match blob {
                    Some(blob) => (self.says)(at.1, *blob),
                    None => {
                        let removed = removed.get_or_insert_with(|| {
                            Removed::of(self.history, trees, place, parent, &differences)
                        });
                        let (told, from) = self.source(removed, path, at.1);
                        before.moved.extend(from.map(|from| (self.number(&from), at.1)));
                        told
                    }
                };
                if told.is_none() {
                    before.unsure.insert(at.1);
                }
                if blob.is_none() || told != Some(true) {
                    before.gone.push(*at);
                }
            }
        }
        before
    }

    /// Returns where a file that a commit adds was before, under another name or as another entry that it was copied
    /// from; and whether that is certain.
    fn source(&mut self, removed: &Removed<'_>, path: &Path, file: usize) -> (Option<bool>, Option<PathBuf>) {
        let mut told = Some(false);
        for (from, blob) in removed.candidates(path).into_iter().chain(removed.copied(path)) {
            match (self.says)(file, blob) {
                Some(true) => return (Some(true), Some(from.to_path_buf())),
                Some(false) => {}
                None => told = None,
            }
        }
        (told, None)
    }
}

/// What a commit removes, to be found again under another name.
struct Removed<'d> {
    subject: Vec<u8>,
    by_path: HashMap<&'d Path, Oid>,
    by_name: HashMap<&'d std::ffi::OsStr, Vec<&'d Path>>,
    /// All entries of the parent, where the commit says that it copies some.
    beside: HashMap<PathBuf, Oid>,
}

impl<'d> Removed<'d> {
    fn of(
        history: &History<'_>,
        trees: &mut Trees<'_>,
        place: usize,
        parent: usize,
        differences: &'d Differences,
    ) -> Self {
        let mut by_path = HashMap::new();
        let mut by_name: HashMap<_, Vec<&Path>> = HashMap::new();
        for (path, (before, after)) in differences.iter().filter(|(path, _)| is_entry(path)) {
            if let (Some(blob), None, Some(name)) = (before, after, path.file_name()) {
                by_path.insert(path.as_path(), *blob);
                by_name.entry(name).or_default().push(path);
            }
        }
        let subject = history.details(place).subject;
        let mut beside = HashMap::new();
        if subject.starts_with(COPY.as_bytes()) {
            let files = trees.new_files(None, history.commits()[parent].tree(), &is_entry);
            beside.extend(files.unwrap_or_default().into_iter().map(|file| (file.path, file.blob)));
        }
        Removed { subject, by_path, by_name, beside }
    }

    /// Returns what the file that was added at `path` may have been: by what the commit's message says (which is
    /// believed in nothing), by its name, or as there is not much else.
    fn candidates(&self, path: &Path) -> Vec<(&'d Path, Oid)> {
        let hinted = sources(&self.subject, "Rename ", path);
        let hinted = hinted.iter().filter_map(|from| self.by_path.get_key_value(from.as_path()));
        let alike = path.file_name().and_then(|name| self.by_name.get(name)).into_iter().flatten().take(FEW);
        let alike = alike.filter_map(|from| self.by_path.get_key_value(from));
        let others = self.by_path.iter().take(if self.by_path.len() <= FEW { FEW } else { 0 });
        let mut seen = BTreeSet::new();
        let all = hinted.chain(alike).chain(others).map(|(from, blob)| (*from, *blob));
        all.filter(|(from, _)| seen.insert(*from)).collect()
    }

    /// Returns what the commit's message says that it was copied from.
    fn copied(&self, path: &Path) -> Vec<(&Path, Oid)> {
        let named = sources(&self.subject, COPY, path);
        let there = named.iter().filter_map(|from| self.beside.get_key_value(from));
        there.map(|(from, blob)| (from.as_path(), *blob)).collect()
    }
}
