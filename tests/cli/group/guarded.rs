//! A change of a group makes nothing good that somebody else has slipped in.

use super::*;

/// A store as [`store`] makes it, with a clone `other` where somebody else works.
fn shared() -> Repository {
    let store = store();
    store.ok(
        "git init -q --bare r.git; git -C store remote add origin $PWD/r.git; git -C store push -q -u origin master
        git clone -q r.git other",
    );
    store
}

#[test]
fn a_list_pushed_by_others_is_not_accepted_on_the_way() {
    let store = shared();
    store.ok(
        "cd other; echo $DAVE >>.gpg-id; echo $DAVE >>shop/.gpg-id; sed -i \"s/  team:/  team:\\n  - $DAVE/\" .passel.yaml
        git commit -qam dave; git push -q; git -C ../store pull -q",
    );
    let words = ["the recipients of the password store have changed", "gains access", "recipients accept"];
    store.refused("pass group add --yes team $CAROL", &words);
    store.refused("pass group remove --yes team $BOB", &words);
    store.refused("pass group assign --yes team web", &["have changed", "recipients accept"]);
}

#[test]
fn a_group_changed_by_others_lets_nobody_in() {
    let store = shared();
    store.ok("cd other; sed -i \"s/  team:/  team:\\n  - $DAVE/\" .passel.yaml
        git commit -qam dave; git push -q; git -C ../store pull -q");
    store.refused(
        "pass group add --yes team $CAROL",
        &["the recipients of the store, `shop` are not those of"],
    );
    let changed = "group `team` gains key";
    let told = store.refused("pass group add --force --dry-run team $CAROL", &[changed, "recipients accept"]);
    assert!(told.err().contains(store.keyring().fingerprint("dave")), "{}", told.err());
    let told = store.refused("pass recipients accept", &["nobody can be asked", "--expect-rules"]);
    assert!(told.out().contains(changed), "{}", told.out());
    let told = told.err();
    store.refused("pass recipients accept --expect-rules 0", &["is not the file expected"]);
    let (_, command) = told.split_once("`pass recipients accept --expect-rules ").expect(&told);
    store.ok(&format!("pass recipients accept --expect-rules {}", &command[..64]));
    let told = store.ok("pass group add --force --dry-run team $CAROL");
    assert!(told.contains(&format!("gains  {}  Dave", store.keyring().fingerprint("dave"))), "{told}");
    store.ok("echo n | pass insert -e web/n");
    assert_eq!(readers(&store, "web/n"), ["alice", "bob"]);
}

#[test]
fn an_address_alone_is_believed_only_if_gnupg_does() {
    let store = store();
    let sender = super::super::client::Machine::new(&store, "sender");
    let key = sender.generate("new@example.org");
    store.ok("gpg -q --import sender.pub");
    store.refused("pass group add --yes team new@example.org", &["nobody has confirmed", &key]);
    store.ok(&format!("pass group add --yes team new@example.org --fingerprint {key}"));
    assert!(list(&store, "").contains(&key));
    let told = store.ok("pass group remove --yes team new@example.org");
    assert!(told.contains("Took 1 key"), "{told}");
}

#[test]
fn a_key_that_is_gone_or_useless_can_still_be_taken_out() {
    let store = store();
    let sender = super::super::client::Machine::new(&store, "sender");
    let (one, two) = (sender.generate("one@example.org"), sender.generate("two@example.org"));
    store.ok(&format!("gpg -q --import sender.pub; pass group add --yes team {one} {two}"));
    store.ok(&format!("gpg -q --batch --yes --delete-keys {one}"));
    store.refused("pass group add --yes team $CAROL", &["no public key"]);
    store.ok(&format!("pass group remove --yes team {}", &one[24..]));
    assert!(!list(&store, "shop").contains(&one) && list(&store, "shop").contains(&two));
    sender.ok(&format!("gpg -q --batch --passphrase '' --quick-set-expire {two} seconds=1; sleep 2"));
    sender.ok("gpg --export >sender.pub");
    store.ok("gpg -q --import sender.pub");
    store.ok("pass group remove --yes team two@example.org");
    store.ok(&format!("not grep -r --exclude-dir=.git {two} store"));
}

#[test]
fn a_key_that_comes_as_a_file_is_confirmed_and_imported() {
    let store = store();
    let sender = super::super::client::Machine::new(&store, "sender");
    let key = sender.generate("new@example.org");
    store.refused("pass group add --yes team --key sender.pub", &["nobody can be asked here", &key]);
    store.ok(&format!("not gpg --batch -q --list-keys {key} 2>/dev/null"));
    store.ok(&format!(
        "pass group add --yes team --key sender.pub --fingerprint {key}; gpg --batch -q --list-keys {key}"
    ));
    assert!(list(&store, "shop").contains(&key));
}

#[test]
fn an_edited_list_is_written_anew_without_whom_others_have_let_in() {
    let store = shared();
    store.ok(
        "cd other; echo $DAVE >>shop/.gpg-id; git commit -qam dave; git push -q; git -C ../store pull -q",
    );
    store.refused("pass group remove --yes team $BOB", &["`shop` are not those of the rule"]);
    store.refused("pass group assign --yes team shop", &["have changed", "recipients accept"]);
    store.ok("pass group remove --yes --force team $BOB");
    assert_eq!(readers(&store, "shop/c"), ["alice", "carol"]);
}

#[test]
fn a_group_that_others_filled_lets_nobody_in_unseen() {
    let store = shared();
    let dave = store.keyring().fingerprint("dave");
    // Dave's key is here, but nobody has certified it.
    store.ok("gpg -q --batch --export $DAVE >dave.key; gpg -q --batch --yes --delete-secret-and-public-key $DAVE
        gpg -q --batch --import dave.key 2>/dev/null
        cd other; echo '  guests:' >guests; echo \"  - $DAVE\" >>guests; sed -i '/^groups:/r guests' .passel.yaml; rm guests
        git commit -qam guests; git push -q; git -C ../store pull -q");
    assert!(store.ok("pass group list guests").contains(dave));
    store.refused("pass group assign --yes guests web", &["group `guests` is new", "recipients accept"]);
    store.ok("pass recipients accept --expect-rules $(sha256sum <store/.passel.yaml | cut -c -64)");
    for line in [
        "pass group assign --yes guests web",
        "pass client add acme $CAROL --group guests --yes",
        "pass group assign guests web",
    ] {
        store.refused(line, &["nobody has confirmed", &format!("--fingerprint {dave}")]);
        assert!(store.ok(&format!("{line} --dry-run")).contains(dave), "{line}");
    }
    store.ok(&format!("pass group assign --yes guests web --fingerprint {dave}"));
    // Once accepted here, it is known.
    store.ok("pass client add acme $CAROL --group guests --yes");
}
