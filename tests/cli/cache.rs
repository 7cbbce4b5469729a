//! Session keys that are remembered between runs.

use crate::common::TestStore;

/// A store of which entries are read many times, and an agent that writes down what it is asked.
struct Agent(TestStore);

impl Agent {
    fn new() -> Self {
        let store = TestStore::as_shipped();
        store.shell("pass init $ALICE; pass git init; for n in 1 2 3 4; do echo secret-$n | pass insert -m team/$n; done").good();
        store.shell("printf 'log-file %s/log\\ndebug ipc\\n' $PWD >>$GNUPGHOME/gpg-agent.conf; gpgconf --kill gpg-agent").good();
        Agent(store)
    }

    /// Runs a line of shell; returns what it printed, and the number of private-key operations that it cost.
    fn run(&self, line: &str) -> (String, usize) {
        let operations = || {
            let count = self.0.shell("cat log 2>/dev/null | grep -a -c -- '<- PKDECRYPT$'").out();
            count.trim().parse::<usize>().unwrap()
        };
        let before = operations();
        let done = self.0.shell(line).good();
        (done.out(), operations() - before)
    }
}

#[test]
fn entries_that_were_read_before_cost_one_private_key_operation_in_all() {
    let agent = Agent::new();
    let (found, operations) = agent.run("pass grep secret");
    assert_eq!(operations, 4);
    assert_eq!(agent.run("pass grep secret"), (found.clone(), 1));
    assert_eq!(agent.run("pass init -p team $ALICE $BOB").1, 1);
    assert_eq!(agent.run("pass grep secret"), (found.clone(), 1), "what is encrypted anew is remembered too");
    // Nothing of it is in the store; all of it is readable by the user alone.
    assert_eq!(
        agent.run("git -C store status --porcelain; git -C store ls-files | grep -v gpg").0,
        ".gitattributes\n"
    );
    let files = agent.run("cd home/.cache/passel/session-keys; stat -c '%a %F' * */*.pgp").0;
    assert_eq!(files, "700 directory\n600 regular file\n");
    assert_eq!(
        agent.run("pass cache clear; ls home/.cache/passel/session-keys").0,
        "The remembered session keys are gone.\n"
    );
    assert_eq!(agent.run("pass grep secret"), (found.clone(), 4));
    assert_eq!(agent.run("pass cache clear --all; pass cache clear").0.lines().count(), 2);
    assert_eq!(agent.run("ls home/.cache/passel").0, "own-keys\n");
    for off in ["PASSEL_CACHE=off", "PASSEL_CRYPTO=gpgme"] {
        let line = format!("{off} pass grep secret; not ls home/.cache/passel/session-keys");
        assert_eq!(agent.run(&line), (found.clone(), 4), "{off}");
    }
    let wrong = agent.0.shell("PASSEL_CACHE=no pass ls");
    assert_eq!(
        (wrong.code, wrong.err().as_str()),
        (1, "error: PASSEL_CACHE is `no`, not on, off or cards\n")
    );
}

#[test]
fn what_is_gone_is_forgotten_in_time() {
    let agent = Agent::new();
    agent.run(
        "cd store/team; for n in $(seq 5 130); do cp 4.gpg $n.gpg; done; git add .; git commit -qm many",
    );
    let size =
        || agent.run("cat home/.cache/passel/session-keys/*/* | wc -c").0.trim().parse::<usize>().unwrap();
    agent.run("pass init -p team $ALICE $BOB");
    let one = size();
    for list in ["$ALICE", "$ALICE $BOB", "$ALICE", "$ALICE $BOB"] {
        agent.run(&format!("pass init -p team {list}"));
        assert!(size() < 3 * one, "{} of {one}", size());
    }
    assert_eq!(agent.run("pass grep -c secret | sort | uniq -c | sort -n | tail -1").1, 1);
}

#[test]
fn a_place_where_nothing_can_be_written_is_no_failure() {
    let agent = Agent::new();
    let (found, _) = agent.run("pass grep secret");
    for place in [
        "XDG_CACHE_HOME=/proc/nowhere",
        "XDG_CACHE_HOME=relative",
        "HOME= XDG_CACHE_HOME=",
        "XDG_CACHE_HOME=$PWD/log",
    ] {
        assert_eq!(agent.run(&format!("{place} pass grep secret 2>&1")).0, found, "{place}");
    }
    // A full disk: what stands there stays whole.
    let keys = "home/.cache/passel/session-keys";
    let (file, _) = agent.run(&format!("cat {keys}/*/* | sha256sum"));
    let line = format!(
        "cd store/team; for n in $(seq 5 80); do cp 4.gpg $n.gpg; done; git add .; git commit -qm many; cd ../..
        cp -a {keys} aside; mount -t tmpfs -o size=64k none {keys}; trap 'umount {keys}' EXIT; cp -a aside/. {keys}
        cat /dev/zero >{keys}/filling 2>/dev/null || true
        pass init -p team $ALICE $BOB >/dev/null
        pass grep secret; cat {keys}/*/* | sha256sum"
    );
    let full = agent.run(&line).0;
    assert!(full.lines().count() == 2 * 80 + 1 && full.ends_with(&file), "{full}");
    assert_eq!(agent.run("pass grep secret").1, 1 + 80, "what was encrypted anew is asked for");
}
