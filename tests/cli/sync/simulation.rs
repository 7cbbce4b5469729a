//! Three people and a remote, at random: nothing is lost, all come to the same, and who was taken out stays out.
//!
//! Every line that is written is unique: a token. What a member's work tree held before and after each of their own
//! changes says which tokens they replaced knowingly; any other must be somewhere in the end. Likewise, a fourth
//! person, who only reads, may read what stood in a folder whose list named them; nothing else, in any blob that ever
//! reached the remote ([`model`]).

mod check;
mod model;
mod steps;
mod syncs;
mod team;

use std::rc::Rc;

use super::random::Random;
use super::tree::Tree;
use crate::cli::git::Repository;
use crate::common::Keyring;
use model::Model;
use team::Team;

/// The members, and Dave, who only reads. His key is the test key that bears no person's name: of `dave.asc` there
/// is no secret half to read with.
const PEOPLE: [&str; 4] = ["alice", "bob", "carol", DAVE];
const DAVE: &str = "rsa";

/// The folders with lists of their own, and whom these name at first. Dave comes and goes in the clients' folders.
const FOLDERS: [(&str, &str); 3] =
    [("team", "$ALICE $BOB $CAROL"), ("acme", "$ALICE $BOB"), ("zeta", "$BOB $CAROL $ALICE $RSA")];
const CLIENTS: [&str; 2] = ["acme", "zeta"];

/// What happened how often.
#[derive(Debug, Default)]
struct Counts {
    steps: usize,
    refused: usize,
    syncs: usize,
    offline: usize,
    merged: usize,
    conflicts: usize,
    resolved: usize,
    reencrypted: usize,
    accepted: usize,
    reviewed: usize,
    races: usize,
    lost: usize,
}

struct Simulation {
    team: Team,
    /// All keys: who can read what is looked up here.
    full: Rc<Keyring>,
    dave: Rc<Keyring>,
    model: Model,
    random: Random,
    seed: u64,
    counts: Counts,
    /// For how many more steps each member is offline.
    offline: [usize; 3],
    told: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let full = Keyring::new();
        let of = |name: &'static str| (name, Keyring::of(name, &PEOPLE, &full));
        let team = Team::new(PEOPLE[..3].iter().map(|name| of(name)).collect::<Vec<_>>());
        let lists = FOLDERS.map(|(folder, names)| format!("pass init -p {folder} {names}")).join("; ");
        team.found(&format!("pass init $ALICE $BOB $CAROL; pass git init -q; {lists}"));
        let dave = of(DAVE).1;
        let mut made = Self {
            team,
            dave,
            model: Model::default(),
            full,
            random: Random(seed),
            seed,
            counts: Counts::default(),
            offline: [0; 3],
            told: Vec::new(),
        };
        for name in ["acme/a", "acme/db/a", "team/web/a", "team/web/b", "zeta/a"] {
            made.insert_as(0, name);
        }
        made.settle();
        made
    }

    fn member(&self, who: usize) -> &Repository {
        self.team.member(who)
    }

    fn tree(&self, who: usize) -> Tree {
        Tree::read(&self.member(who).dir(), &self.full)
    }

    fn tell(&mut self, line: impl AsRef<str>) {
        self.told.push(format!("{}: {}", self.counts.steps, line.as_ref()));
    }

    /// Takes a random step.
    fn step(&mut self) {
        self.counts.steps += 1;
        let who = self.random.below(3);
        match self.random.below(100) {
            0..=39 => self.edit(who),
            40..=44 => self.insert(who),
            45..=50 => self.mv(who),
            51..=54 => self.remove(who),
            55..=58 => self.generate(who),
            59..=66 => self.recipients(who),
            67..=72 => self.resolve(who),
            73..=75 => self.go_offline(who),
            76..=92 => self.sync(&[who]),
            93..=96 => self.sync(&[who, (who + 1) % 3]),
            _ => self.sync(&[0, 1, 2]),
        }
        for who in 0..3 {
            match self.offline[who] {
                0 => {}
                1 => self.go_online(who),
                _ => self.offline[who] -= 1,
            }
        }
    }
}

/// What is told of a simulation that fails.
impl Drop for Simulation {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        println!("seed {}: {:?}; the last steps:", self.seed, self.counts);
        self.told.iter().skip(self.told.len().saturating_sub(60)).for_each(|line| println!("  {line}"));
        // Everybody's folder, for whoever looks into it.
        if let Some(folder) = std::env::var_os("PASSEL_TEST_KEEP") {
            let from = (0..3).map(|who| self.member(who).root().to_owned());
            let _ = std::process::Command::new("cp").arg("-a").args(from).arg(folder).status();
        }
    }
}

/// Runs a simulation.
fn simulate(seed: u64, steps: usize) {
    let begun = std::time::Instant::now();
    let mut simulation = Simulation::new(seed);
    for _ in 0..steps {
        simulation.step();
    }
    simulation.settle();
    simulation.check();
    println!("  took {:.0?}", begun.elapsed());
}

#[test]
fn sixty_steps_of_three_people_lose_nothing() {
    simulate(1, 60);
}

#[test]
#[ignore = "long: make test-long"]
fn five_hundred_steps_of_three_people_lose_nothing() {
    let seeds = std::env::var("PASSEL_TEST_SEEDS").unwrap_or_else(|_| "11 12 13".to_owned());
    let steps = std::env::var("PASSEL_TEST_STEPS").map_or(500, |steps| steps.parse().expect("a number"));
    // Most of the time goes by waiting for git and gpg.
    let seeds: Vec<u64> = seeds.split(' ').map(|seed| seed.parse().expect("a number")).collect();
    let running: Vec<_> =
        seeds.into_iter().map(|seed| std::thread::spawn(move || simulate(seed, steps))).collect();
    let ended: Vec<_> = running.into_iter().map(std::thread::JoinHandle::join).collect();
    assert!(ended.iter().all(Result::is_ok), "see above");
}
