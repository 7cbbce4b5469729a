//! A sync that was killed, anywhere: the next one ends where an undisturbed one would have.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Pair;
use super::random::Random;
use super::tree::Tree;

/// What everybody must be able to see in the end.
#[derive(Debug, PartialEq, Eq)]
struct End {
    /// What entries say, and who can read them.
    entries: BTreeMap<String, (Vec<String>, BTreeSet<&'static str>)>,
    lists: BTreeMap<String, BTreeSet<&'static str>>,
}

impl End {
    fn of(pair: &Pair) -> Self {
        let Tree { entries, lists } = Tree::read(&pair.0.dir(), pair.0.keyring());
        let entries = entries.into_iter().map(|(name, entry)| (name, (entry.lines, entry.readers))).collect();
        Self { entries, lists }
    }
}

/// Makes a state from which a sync has everything to do: to fetch, to merge an entry, to keep another one apart, to
/// encrypt entries anew for a list that was changed here, and to push. It lies in `from`, the store and the remote.
fn everything_to_do() -> Pair {
    let pair = Pair::new();
    // A remote is another machine: what runs there is not killed along with what runs here.
    pair.ok(
        "git -C store config remote.origin.receivepack 'setsid git-receive-pack'
        git -C store config remote.origin.uploadpack 'setsid git-upload-pack'
        pass init -p acme $ALICE $BOB $RSA; for name in web/x web/y acme/x; do put $name <<<'pw user url note'; done
        pass sync; b sync || test $? = 3; b recipients accept acme --expect $ALICE,$BOB,$RSA
        pass recipients remove --yes acme $RSA; put web/x <<<'pw alice url note'; put web/y <<<'alice user'
        put web/mine <<<mine; pass mv top web/top
        bput web/x <<<'bob user url note'; bput web/y <<<'bob user'; bput acme/x <<<'bob user url note'
        for name in acme/1 acme/2 acme/3; do bput $name <<<new; done; b sync
        mkdir from; cp -a store remote from",
    );
    pair
}

/// Puts the state in its place again.
fn prepare(pair: &Pair) {
    // What git knows of files is about others than the copies.
    pair.ok("rm -rf store remote; cp -a from/store from/remote .; git -C store update-index -q --refresh");
}

/// Starts a sync as the leader of a group of processes.
fn start(pair: &Pair) -> std::process::Child {
    let mut command = pair.0.command("bin/pass");
    command.arg("sync").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs")
}

/// Returns where a killed sync stopped, as far as one can see.
fn stopped_at(pair: &Pair, pushed: &str) -> &'static str {
    let line = "cd store; git log -1 --format=%s; git for-each-ref refs/passel/fetched | wc -l; git -C ../remote rev-parse master";
    let told = pair.ok(line);
    let told: Vec<&str> = told.lines().collect();
    match told[0] {
        _ if told[2] != pushed => "pushed",
        subject if subject.starts_with("Reencrypt") => "encrypted anew",
        subject if subject.starts_with("Merge") => "merged",
        _ => "before the merge",
    }
}

fn kill_and_sync_again(rounds: usize, seed: u64) {
    let pair = everything_to_do();
    let theirs = pair.ok("git -C from/remote rev-parse master");
    let words = ["merged, as both sides had", "conflict: `web/y`", "encrypted anew", "Pushed"];
    let (mut took, mut wanted) = (Duration::MAX, None);
    // Twice: the first time may be slow for other reasons.
    for _ in 0..2 {
        prepare(&pair);
        let begun = Instant::now();
        pair.says(3, "pass sync", &words);
        took = took.min(begun.elapsed());
        pair.is_pushed();
        let end = End::of(&pair);
        assert_eq!(&end, wanted.get_or_insert_with(|| End::of(&pair)));
    }
    let wanted = wanted.expect("it was made");
    let mut random = Random(seed);
    let mut stops = BTreeMap::<&str, usize>::new();
    for round in 0..rounds {
        prepare(&pair);
        let mut child = start(&pair);
        let moment = took * u32::try_from(random.below(1000)).expect("it is small") / 1000;
        std::thread::sleep(moment);
        let group = Pid::from_child(&child);
        // It may have ended.
        let _ = kill_process_group(group, Signal::KILL);
        let is_ended = child.wait().expect("it is ours").code().is_some();
        let at = if is_ended { "ended before" } else { stopped_at(&pair, &theirs) };
        *stops.entry(at).or_default() += 1;
        let output = pair.0.pass(&["sync"], "");
        let said = output.out() + &output.err();
        let told = format!("round {round} of seed {seed}, killed after {moment:?} ({at}): {said}");
        assert!([0, 3].contains(&output.code), "{} {told}", output.code);
        assert_eq!(End::of(&pair), wanted, "{told}");
        pair.is_pushed();
    }
    println!("{rounds} kills within {took:?}: {stops:?}; the next sync came to the same each time");
}

impl Pair {
    /// Checks that the remote holds what the store holds, and that nothing is amiss or left about in either.
    #[track_caller]
    fn is_pushed(&self) {
        let heads = self.ok("git -C store rev-parse HEAD; git -C remote rev-parse master");
        let heads: Vec<&str> = heads.lines().collect();
        assert_eq!(heads[0], heads[1]);
        // What git left that was killed itself, `git gc` removes; nobody waits for it.
        self.ok("find store/.git/objects -name 'tmp_obj_*' -delete");
        self.0.clean_in("store");
        assert_eq!(
            self.ok("git -C remote fsck --strict 2>&1 | grep -v -e ^dangling -e ^notice: || true"),
            ""
        );
    }
}

#[test]
fn killed_at_some_moments_the_next_sync_ends_in_the_same_state() {
    kill_and_sync_again(4, 1);
}

#[test]
#[ignore = "long: make test-long"]
fn killed_at_a_hundred_moments_the_next_sync_ends_in_the_same_state() {
    kill_and_sync_again(100, 2);
}

#[test]
fn killed_with_the_branch_of_the_remote_locked_the_next_sync_lets_it_go() {
    crate::common::tool("strace");
    let pair = Pair::new();
    // git push moves it, and calls it by the way from the store. That is killed; so is all the rest.
    let (calls, file) = ("rename,renameat,renameat2", ".git/refs/remotes/origin/master");
    let traced = format!(
        "strace -f -qq -o /dev/null -P {file} -P {file}.lock -P $PWD/store/{file} -P $PWD/store/{file}.lock \
         -e trace={calls} -e inject={calls}:signal=KILL pass sync >/dev/null 2>&1; test -e store/{file}.lock"
    );
    pair.ok(&format!(
        "put web/x <<<mine; ! {{ {traced}; }} && exit 1; put web/x <<<again; pass sync; b sync"
    ));
    pair.in_step();
}
