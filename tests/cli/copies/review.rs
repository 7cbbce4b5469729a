//! `recipients review`.

use super::Attacked;

#[test]
fn review_shows_what_is_held_back_and_takes_a_persons_word() {
    let store = Attacked::new();
    let told = store.pass(&["recipients", "review"], "");
    assert_eq!(told.code, 3);
    let commit = store.ok("git -C store log -1 --format=%h --abbrev=10");
    let day = store.ok("git -C store log -1 --format=%ad --date=format-local:%Y-%m-%d");
    let dave = store.keyring().fingerprint("dave");
    assert_eq!(
        told.out(),
        format!(
            "dave/x\n  was encrypted for others as  secret/x\n  came here with               commit {commit} of {day} by Dave <dave@example.org>\n  \
             would gain access            {dave}  Dave <dave@example.org>\n"
        )
    );
    assert!(
        told.err().contains("`pass recipients review dave/x --accept`")
            && told.err().contains("`pass rm dave/x`")
    );
    assert_eq!(store.ok("pass recipients review secret"), "Nothing is held back.");
    store.refused("pass recipients review nothing", &["nothing is not in the password store"]);
    store.refused("pass recipients review dave/x --accept", &["nobody can be asked here", "--yes"]);
    store.ok("pass recipients review dave --accept --yes");
    assert_eq!(store.ok("pass recipients review"), "Nothing is held back.");
    store.ok("pass init -p dave $ALICE $DAVE $CAROL");
    assert_eq!((store.readers("dave/x"), store.decrypted("dave/x")), (3, "topsecret\n".to_owned()));
}

#[test]
fn what_was_replaced_is_taken_back_by_the_commands_that_are_named() {
    let store = Attacked::before();
    let message = store.forged(&store.read("secret/x"));
    store.commit("dave/own", &message);
    let told = store.pass(&["recipients", "review", "/"], "");
    assert_eq!(told.code, 3, "{}", told.err());
    let said = told.err();
    let line = said.lines().find(|line| line.contains("git checkout")).expect("how to take it back");
    for command in line.split('`').skip(1).step_by(2) {
        store.ok(command);
    }
    assert_eq!(store.decrypted("dave/own"), "mine\n");
    assert_eq!(store.ok("pass recipients review"), "Nothing is held back.");
    // What stands beside its original is told by `check` as well.
    store.commit("dave/own", &message);
    let check = store.pass(&["recipients", "check"], "");
    assert!(check.code == 4 && check.out().contains("error: dave/own: is held back"), "{}", check.out());
    assert!(check.out().contains("`pass recipients review dave/own`"), "{}", check.out());
}

#[test]
fn a_persons_word_counts_for_one_place_only() {
    let store = Attacked::new();
    store.ok("pass recipients review dave/x --accept --yes; cp store/dave/x.gpg store/dave/y.gpg; git -C store add .; git -C store commit -qm y");
    let output = store.shell("pass init -p dave $ALICE $DAVE $CAROL");
    assert!(output.code == 3 && output.err().contains("held back: `dave/y` holds"), "{}", output.err());
    assert!(!output.err().contains("held back: `dave/x`"), "{}", output.err());
    assert_eq!((store.readers("dave/x"), store.readers("dave/y")), (3, 2));
}

#[test]
fn a_removed_copy_is_no_longer_in_the_way() {
    let store = Attacked::new();
    store.ok("pass rm dave/x; pass init -p dave $ALICE $DAVE $CAROL");
    assert_eq!(store.readers("dave/own"), 3);
}

#[test]
fn a_move_that_was_held_back_can_be_let_pass() {
    let store = Attacked::new();
    store.ok("pass init -p team $ALICE $BOB");
    store.holds("pass mv dave/x team/x", "dave/x");
    store.ok("pass recipients review dave/x --accept --yes; pass mv dave/x team/x");
    assert_eq!((store.readers("team/x"), store.decrypted("team/x")), (2, "topsecret\n".to_owned()));
}

#[test]
fn a_newer_format_of_what_was_let_pass_is_refused() {
    let store = Attacked::new();
    store.ok("pass recipients review dave/x --accept --yes; sed -i 's/^version: 1/version: 2/' store/.git/passel-reviewed");
    store.refused("pass init -p dave $ALICE $DAVE $CAROL", &["has format 2", "use a newer passel"]);
    store.ok("echo x >store/.git/passel-reviewed");
    store.refused("pass init -p dave $ALICE $DAVE $CAROL", &["is damaged", "asked about again"]);
}
