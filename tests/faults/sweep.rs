//! Every failure at every operation, over all scenarios, and the table of what came of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::bench::{Bench, Home, Kill, MEMORY};
use super::disk::{Body, Disk};
use super::inject::Failure;
use super::judge::{BREACHES, Breach, Verdict, Version, counts, judge, judge_success};
use super::power::{Cut, cut};
use super::random::Random;
use super::scenario::{Prepared, Scenario};

/// How much is swept.
#[derive(Clone, Copy)]
pub struct Extent {
    /// Every how many operations something fails; 1 is all of them.
    pub step: usize,
    /// How many kills at random moments each scenario gets.
    pub kills: usize,
}

/// One thing that goes wrong.
#[derive(Clone, Copy)]
enum Trouble {
    /// At this operation, that.
    Failure(usize, Failure),
    /// The power fails before this operation.
    Cut(usize, Cut),
    /// A kill at a random moment.
    Kill(u64),
}

impl Trouble {
    /// The row of the table.
    fn kind(self) -> &'static str {
        match self {
            Trouble::Failure(_, Failure::Kill) => "killed",
            Trouble::Failure(_, Failure::Full) => "disk full",
            Trouble::Failure(_, Failure::Error) => "one I/O error",
            Trouble::Failure(_, Failure::Broken) => "disk broken",
            Trouble::Cut(_, Cut::Unsynced) => "power, strict",
            Trouble::Cut(_, Cut::Data) => "power, data",
            Trouble::Cut(_, Cut::Some(_)) => "power, mixed",
            Trouble::Kill(_) => "random kill",
        }
    }
}

/// What came of one trouble.
struct Found {
    scenario: usize,
    kind: &'static str,
    place: String,
    happened: bool,
    success: bool,
    verdict: Verdict,
}

/// What came of all of them.
pub struct Report {
    /// The table, and examples of broken promises.
    pub text: String,
    /// How many runs broke each promise.
    pub breaches: BTreeMap<Breach, usize>,
    /// How many runs there were.
    pub runs: usize,
}

struct Sweep<'a> {
    prepared: Vec<Prepared>,
    jobs: Vec<(usize, Trouble)>,
    /// Verdicts of disks seen before: a command that undid its work has left the disk of others that did.
    known: Mutex<HashMap<(usize, u64), Verdict>>,
    home: &'a Home,
    subject: &'a Path,
}

/// Sweeps the scenarios with a program.
pub fn sweep(subject: &Path, scenarios: &[Scenario], extent: Extent) -> Report {
    let home = Home::new();
    let bench = Bench::new(&home, subject);
    let prepared: Vec<_> = scenarios.iter().map(|scenario| Prepared::new(&bench, *scenario)).collect();
    drop(bench);
    let jobs = jobs(&prepared, extent);
    let sweep = Sweep { prepared, jobs, known: Mutex::default(), home: &home, subject };
    let found = sweep.run();
    report(&sweep, &found)
}

fn jobs(prepared: &[Prepared], extent: Extent) -> Vec<(usize, Trouble)> {
    let mut jobs = Vec::new();
    for (scenario, prepared) in prepared.iter().enumerate() {
        let operations = prepared.steps.len() - 1;
        for number in (0..operations).step_by(extent.step) {
            for failure in [Failure::Kill, Failure::Full, Failure::Error] {
                jobs.push((scenario, Trouble::Failure(number, failure)));
            }
            // A disk that stays broken is little more than a kill: at some operations it is enough.
            if number % (4 * extent.step) == 0 {
                jobs.push((scenario, Trouble::Failure(number, Failure::Broken)));
            }
        }
        for number in (0..operations).step_by(extent.step).chain([operations]) {
            for cut in [Cut::Unsynced, Cut::Data, Cut::Some(number as u64)] {
                jobs.push((scenario, Trouble::Cut(number, cut)));
            }
        }
        jobs.extend((0..extent.kills).map(|seed| (scenario, Trouble::Kill(seed as u64))));
    }
    jobs
}

impl Sweep<'_> {
    /// Runs all jobs, on as many disks at once as there are processors.
    fn run(&self) -> Vec<Found> {
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let workers = thread::available_parallelism().map_or(2, usize::from).min(8);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    let bench = Bench::new(self.home, self.subject);
                    while let Some((scenario, trouble)) = self.jobs.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let one = self.one(&bench, *scenario, *trouble);
                        found.lock().expect("no worker panics here").push(one);
                    }
                });
            }
        });
        found.into_inner().expect("no worker panics here")
    }

    fn one(&self, bench: &Bench, scenario: usize, trouble: Trouble) -> Found {
        bench.clear_memory();
        match trouble {
            Trouble::Failure(number, failure) => self.fail(bench, scenario, number, failure),
            Trouble::Cut(number, how) => self.cut(bench, scenario, number, how),
            Trouble::Kill(seed) => self.kill(bench, scenario, seed),
        }
    }

    /// Runs the command with a failing disk, then judges what is on it.
    fn fail(&self, bench: &Bench, scenario: usize, number: usize, failure: Failure) -> Found {
        let prepared = &self.prepared[scenario];
        bench.mount.load(&prepared.disk);
        {
            let mut state = bench.mount.state();
            state.armed = true;
            state.plan = Some((number, failure));
        }
        let (outcome, hung) = self.command(bench, prepared, Kill::No);
        let (disk, happened, place) = {
            let state = bench.mount.state();
            let place = state.operations.get(number).map_or_else(String::new, ToString::to_string);
            (state.disk.clone(), state.fired, place)
        };
        let success = outcome == Some(0);
        let mut verdict = self.judge(bench, scenario, &disk);
        if success {
            let left = self.judge(bench, scenario, &cut(&disk, Cut::Unsynced, &MEMORY));
            judge_success(&mut verdict, Some(left.version));
        }
        if hung {
            verdict.add(Breach::Hung, "the command itself");
        }
        let kind = Trouble::Failure(number, failure).kind();
        Found { scenario, kind, place: format!("{number}: {place}"), happened, success, verdict }
    }

    /// Judges what a power cut leaves of the recorded run.
    fn cut(&self, bench: &Bench, scenario: usize, number: usize, how: Cut) -> Found {
        let steps = &self.prepared[scenario].steps;
        let (disk, place) = &steps[number];
        let success = number + 1 == steps.len();
        let mut verdict = self.judge(bench, scenario, &cut(disk, how, &MEMORY));
        if success && verdict.version == Version::Old {
            verdict.add(Breach::Fleeting, "after exit 0");
        }
        let kind = Trouble::Cut(number, how).kind();
        Found { scenario, kind, place: format!("{number}: {place}"), happened: true, success, verdict }
    }

    /// Kills the command, alone or with its children, at a random moment of the time it takes.
    fn kill(&self, bench: &Bench, scenario: usize, seed: u64) -> Found {
        let prepared = &self.prepared[scenario];
        let mut random = Random::new(seed ^ ((scenario as u64) << 32));
        let most = prepared.took.as_micros() as u64 * 5 / 4;
        let after = Duration::from_micros(random.below(most.max(1)));
        let kill = if seed.is_multiple_of(2) { Kill::Alone(after) } else { Kill::WithChildren(after) };
        bench.mount.load(&prepared.disk);
        let (code, hung) = self.command(bench, prepared, kill);
        let disk = bench.mount.disk();
        let mut verdict = self.judge(bench, scenario, &disk);
        if code == Some(0) {
            judge_success(&mut verdict, None);
        }
        if hung {
            verdict.add(Breach::Hung, "the command itself");
        }
        let (place, success) = (format!("{kill:?}"), code == Some(0));
        Found { scenario, kind: "random kill", place, happened: code.is_none(), success, verdict }
    }

    fn command(&self, bench: &Bench, prepared: &Prepared, kill: Kill) -> (Option<i32>, bool) {
        let scenario = &prepared.scenario;
        let outcome = bench.run(scenario.arguments, scenario.input, scenario.memory, kill);
        (outcome.code, outcome.hung)
    }

    fn judge(&self, bench: &Bench, scenario: usize, disk: &Disk) -> Verdict {
        let key = (scenario, fingerprint(disk));
        if let Some(verdict) = self.known.lock().expect("no worker panics here").get(&key) {
            return verdict.clone();
        }
        let verdict = judge(bench, &self.prepared[scenario], disk);
        self.known.lock().expect("no worker panics here").insert(key, verdict.clone());
        verdict
    }
}

/// A number that is the same for disks with the same paths, modes and contents.
fn fingerprint(disk: &Disk) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (path, ino) in disk.walk() {
        let node = disk.node(ino).expect("walked nodes exist");
        (path, node.mode).hash(&mut hasher);
        match &node.body {
            Body::File(file) => file.data.hash(&mut hasher),
            Body::Link(target) => target.hash(&mut hasher),
            Body::Folder(_) => 0_u8.hash(&mut hasher),
        }
    }
    hasher.finish()
}

const KINDS: [&str; 8] = [
    "killed",
    "disk full",
    "one I/O error",
    "disk broken",
    "power, strict",
    "power, data",
    "power, mixed",
    "random kill",
];

fn report(sweep: &Sweep, found: &[Found]) -> Report {
    let mut text = format!("{:<18}{:<15}{:>5}{:>6}{:>6}", "scenario", "trouble", "ops", "runs", "hit");
    let columns = ["old", "new", "exit0"].map(str::to_owned).into_iter();
    for column in columns.chain(BREACHES.iter().map(|breach| format!("{breach:?}").to_lowercase())) {
        write!(text, "{column:>9}").expect("strings grow");
    }
    text.push('\n');
    for (scenario, prepared) in sweep.prepared.iter().enumerate() {
        for kind in KINDS {
            let of_row = |one: &&Found| one.scenario == scenario && one.kind == kind;
            row(&mut text, prepared, kind, &found.iter().filter(of_row).collect::<Vec<_>>());
        }
    }
    row(&mut text, &sweep.prepared[0], "(all)", &found.iter().collect::<Vec<_>>());
    examples(&mut text, sweep, found);
    let verdicts: Vec<&Verdict> = found.iter().map(|one| &one.verdict).collect();
    Report { text, breaches: counts(&verdicts), runs: found.len() }
}

fn row(text: &mut String, prepared: &Prepared, kind: &str, found: &[&Found]) {
    if found.is_empty() {
        return;
    }
    let count = |matches: &dyn Fn(&Found) -> bool| found.iter().filter(|one| matches(one)).count();
    let all = kind == "(all)";
    let name = if all { "everything" } else { prepared.scenario.name };
    let operations = if all { String::new() } else { (prepared.steps.len() - 1).to_string() };
    let hit = count(&|one| one.happened);
    write!(text, "{name:<18}{kind:<15}{operations:>5}{:>6}{hit:>6}", found.len()).expect("strings grow");
    let old = count(&|one| one.verdict.version == Version::Old);
    let new = count(&|one| one.verdict.version == Version::New);
    write!(text, "{old:>9}{new:>9}{:>9}", count(&|one| one.success)).expect("strings grow");
    let verdicts: Vec<&Verdict> = found.iter().map(|one| &one.verdict).collect();
    let counts = counts(&verdicts);
    for breach in BREACHES {
        write!(text, "{:>9}", counts.get(&breach).copied().unwrap_or(0)).expect("strings grow");
    }
    text.push('\n');
}

/// Up to three broken promises for each scenario, trouble and kind of breach.
fn examples(text: &mut String, sweep: &Sweep, found: &[Found]) {
    let mut shown: BTreeMap<(usize, &str, Breach), usize> = BTreeMap::new();
    for one in found {
        for (breach, seen) in &one.verdict.breaches {
            let count = shown.entry((one.scenario, one.kind, *breach)).or_default();
            *count += 1;
            if *count <= 3 {
                let name = sweep.prepared[one.scenario].scenario.name;
                let seen = seen.trim().replace('\n', " / ");
                let line = format!("{breach:?}: {name}, {} at {}: {seen}", one.kind, one.place);
                writeln!(text, "{}", line.chars().take(400).collect::<String>()).expect("strings grow");
            }
        }
    }
}
