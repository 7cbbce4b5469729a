//! What a change of recipients does not concern: folders with lists of their own, whatever is the matter there.

use crate::cli::git::Repository;

/// A store of Alice's and Bob's with a remote, where `web` and `cust/acme` have lists of their own.
fn shared() -> Repository {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; echo a | pass insert -m a; pass init -p web $ALICE $CAROL; echo w | pass insert -m web/w
        pass init -p cust/acme $ALICE $DAVE; echo c | pass insert -m cust/acme/c; echo c | pass insert -m cust/acme/deep/c
        pass group add --yes team $ALICE $BOB; pass group assign --yes team
        git init -q --bare r.git; git -C store remote add origin $PWD/r.git; git -C store push -q -u origin master
        git clone -q r.git other",
    );
    store
}

/// Returns how many can read an entry, by its session-key packets.
fn readers(store: &Repository, entry: &str) -> usize {
    let file = store.dir().join(format!("{entry}.gpg"));
    store.keyring().open(&std::fs::read(file).expect("the entry is there")).recipients.len()
}

/// What others can do to a folder of theirs, and what would be said about it.
const MISCHIEF: [(&str, &str); 6] = [
    ("echo $BOB >>cust/acme/.gpg-id", "have changed"),
    ("echo nobody@example.org >>cust/acme/.gpg-id", "no public key"),
    ("echo $EXPIRED >>cust/acme/.gpg-id", "expired"),
    (">cust/acme/.gpg-id", "names no recipient"),
    ("echo garbage >cust/acme/c.gpg", "`cust/acme/c`"),
    ("gpg -q --batch --yes --trust-model always -e -r $DAVE -o cust/acme/c.gpg </dev/null", "`cust/acme/c`"),
];

#[test]
fn nothing_in_a_folder_of_others_holds_up_a_removal() {
    let store = shared();
    store.ok("cp -a store template; cp -a other elsewhere");
    for (mischief, told) in MISCHIEF {
        store.ok(&format!("rm -rf store other r.git; cp -a template store; cp -a elsewhere other; git clone -q --bare other r.git
            cd other; {mischief}; git commit -qam harmless; git push -q; git -C ../store pull -q"));
        let theirs = "cd store; sha256sum cust/acme/.gpg-id cust/acme/c.gpg cust/acme/deep/c.gpg";
        let before = store.ok(theirs);
        let said = store.shell("pass group add --yes team $CAROL").good().err();
        let is_list = mischief.ends_with(".gpg-id");
        assert_eq!(is_list, said.contains("is left as it is") && said.contains(told), "{mischief}: {said}");
        store.ok("pass group remove --yes team $BOB");
        store.ok("pass recipients add / $DAVE --yes; pass recipients remove / $DAVE --yes");
        assert_eq!(readers(&store, "a"), 2, "Alice and Carol");
        // init goes through what has another list as well, as pass does, where that can be.
        let said = store.shell("pass init $ALICE").good().err();
        assert!(said.contains("left as it is") && said.contains(told), "{mischief}: {told:?} in\n{said}");
        assert_eq!(store.ok(theirs), before, "{mischief}");
        store.clean();
    }
}

#[test]
fn what_another_list_rules_is_not_encrypted_anew() {
    let store = shared();
    store.ok("gpg -q --batch --yes -e -r $ALICE -o store/web/w.gpg <<<w; git -C store commit -qam less");
    store.ok("pass group remove --yes team $BOB");
    assert_eq!(store.ok("git -C store show --format= --name-only"), ".gpg-id\n.passel.yaml\na.gpg");
    // pass init does.
    store.ok("pass init $ALICE $BOB");
    assert_eq!(store.ok("git -C store show --format= --name-only"), ".gpg-id\na.gpg\nweb/w.gpg");
}

#[test]
fn lists_that_cannot_be_used_are_all_named() {
    let store = Repository::new();
    store.ok("pass init $ALICE; for n in one two three; do pass init -p f/$n $ALICE $BOB; echo x | pass insert -m f/$n/in/x; done
        for n in one two; do pass init -p f/$n $ALICE; echo $EXPIRED >>store/f/$n/.gpg-id; done; git -C store commit -qam expired");
    store.ok("mkdir store/f/one/more; cp store/f/one/in/x.gpg store/f/one/more; echo garbage >store/f/three/in/x.gpg; git -C store add .; git -C store commit -qm more");
    let output = store.refused("pass mv f g; false", &["f/one/.gpg-id line 2"]);
    assert_eq!(output.err().matches("error:").count(), 1, "moving stops at lists that cannot be accepted");
    let output = store.refused("pass --internal-reencrypt store/f", &["`f/three/in/x`"]);
    for list in ["f/one/.gpg-id line 2", "f/two/.gpg-id line 2"] {
        assert_eq!(output.err().matches(list).count(), 1, "{}", output.err());
    }
}

#[test]
fn a_list_that_others_took_away_opens_nothing() {
    let store = shared();
    store
        .ok("cd other; git rm -q web/.gpg-id; git commit -qm harmless; git push -q; git -C ../store pull -q");
    for command in [
        "pass recipients add / $DAVE --yes",
        "pass init $ALICE $BOB $DAVE",
        "pass group add --yes team $DAVE",
    ] {
        store.refused(
            command,
            &["the recipients of web have changed", "gains access", "recipients accept web"],
        );
    }
    assert_eq!(readers(&store, "web/w"), 2);
    store.ok("pass recipients accept web --expect $ALICE,$BOB; pass recipients add / $DAVE --yes");
    assert_eq!(readers(&store, "web/w"), 3);
    // Taken away here, it needs no word.
    store.ok("git -C store rm -q cust/acme/.gpg-id; git -C store commit -qm here; pass recipients add / $CAROL --yes");
    assert_eq!(readers(&store, "cust/acme/c"), 4);
}

#[test]
fn init_tells_where_a_key_that_it_takes_out_can_read_on() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; pass init -p web $ALICE $BOB; pass init -p own $ALICE; echo x | pass insert -m a");
    let said = store.shell("pass init $ALICE").good().err();
    let bob = store.ok("echo $BOB");
    assert!(said.contains(&format!("note: {bob} is still a recipient of `web`")), "{said}");
    let said = store.shell("pass init -p web $ALICE $CAROL").good().err();
    assert!(!said.contains("still"), "{said}");
}
