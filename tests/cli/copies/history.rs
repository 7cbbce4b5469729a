//! What is remembered of history, so that no commit is looked at twice.

use super::Attacked;

/// Enough objects for them to be written down.
const MANY: &str = "seq 400 | while read n; do printf 'blob\\ndata %d\\n%s\\n' ${#n} $n; done | git -C store fast-import --quiet";

impl Attacked {
    /// Returns what review says about the copy.
    #[track_caller]
    fn told(&self) -> String {
        let output = self.pass(&["recipients", "review"], "");
        assert_eq!(output.code, 3, "{}", output.err());
        output.out()
    }
}

#[test]
fn what_was_seen_of_history_is_written_down_for_speed_alone() {
    let store = Attacked::new();
    let told = store.told();
    assert_eq!(store.ok("ls store/.git | grep -c arrivals || true"), "0", "so little is not worth it");
    store.ok(MANY);
    assert_eq!(store.told(), told);
    assert_eq!(store.ok("stat -c %a store/.git/passel-arrivals"), "600");
    let kept = "sha256sum store/.git/passel-arrivals";
    let sum = store.ok(kept);
    for spoil in [
        "true",
        "truncate -s -1 store/.git/passel-arrivals",
        ": >store/.git/passel-arrivals",
        "sed -i '1s/1$/2/' store/.git/passel-arrivals",
        "sed -i 's/secret/public/' store/.git/passel-arrivals",
        "rm store/.git/passel-arrivals; mkfifo store/.git/passel-arrivals",
        "rm store/.git/passel-arrivals; ln -s /dev/zero store/.git/passel-arrivals",
        "rm store/.git/passel-arrivals; mkdir store/.git/passel-arrivals; chmod 0 store/.git/passel-arrivals",
    ] {
        store.ok(spoil);
        assert_eq!(store.told(), told, "{spoil}");
        if !spoil.contains("mkdir") {
            assert_eq!(store.ok("head -c 17 store/.git/passel-arrivals"), "passel-arrivals 1", "{spoil}");
        }
    }
    store.ok("rmdir store/.git/passel-arrivals");
    store.told();
    assert_eq!(store.ok(kept).len(), sum.len());
}

#[test]
fn what_came_after_it_was_written_down_is_seen() {
    let store = Attacked::before();
    store.ok(MANY);
    assert_eq!(store.ok("pass recipients review"), "Nothing is held back.");
    store.ok("test -f store/.git/passel-arrivals; cp -a store template");
    let copy = store.forged(&store.read("secret/x"));
    store.commit("dave/x", &copy);
    store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    // On no branch at first, and cleared away in the end: then nobody knows any longer where it came from.
    store.ok("rm -rf store; cp -a template store");
    store.commit("dave/old", &copy);
    store.ok(
        "cd store; git reset -q --hard HEAD~; cp secret/x.gpg dave/x.gpg; git add .; git commit -qm copy",
    );
    let message = store.forged(&store.read("secret/x"));
    std::fs::write(store.dir().join("dave/x.gpg"), message).expect("the folder is there");
    store.ok("git -C store commit -qam forged");
    store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    store.ok("cd store; git reflog expire --expire=now --all; git gc -q --prune=now");
    store.holds("pass init -p dave $ALICE $DAVE $BOB", "dave/x");
}

#[test]
fn what_a_shallow_clone_lacked_is_seen_once_it_is_fetched() {
    let store = Attacked::new();
    store.ok("echo n | pass insert -m later");
    let told = store.told();
    store.ok("git clone -q --bare store origin.git; cp store/.git/passel-accepted .; rm -rf store
        git clone -q --depth 1 file://$PWD/origin.git store; cp passel-accepted store/.git/");
    store.ok(MANY);
    assert!(store.told().contains("secret/x") && store.told() != told, "it came with the only commit");
    store.ok("test -f store/.git/passel-arrivals; git -C store fetch -q --unshallow");
    assert_eq!(store.told(), told);
    store.ok("rm store/.git/passel-arrivals");
    assert_eq!(store.told(), told);
}
