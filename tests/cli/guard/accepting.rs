//! `recipients accept`: what it asks about, and what it says.

use super::{eve, shared};
use crate::cli::git::Repository;

/// Runs `pass recipients accept ARGS` on a terminal with these answers; returns its exit code and all it said.
fn accept(store: &Repository, args: &str, answers: &[&str]) -> (i32, String) {
    let mut terminal = store.terminal(&format!("pass recipients accept {args}"));
    for answer in answers {
        terminal.wait_for("[y/N]");
        terminal.type_text(answer);
    }
    let output = terminal.finish();
    (output.code, output.out())
}

#[test]
fn every_list_is_asked_about_whatever_comes_of_the_others() {
    let store = shared();
    store.ok("for c in a b c 'Bïrch & Söhne'; do pass init -p \"clients/$c\" $ALICE; done; pass init -p gone $ALICE
        echo x | pass insert -m gone/x; git -C store push -q");
    eve(
        &store,
        "for c in clients/*; do echo $DAVE >>\"$c\"/.gpg-id; done; echo $CAROL >>clients/b/.gpg-id; : >web/.gpg-id; git rm -q gone/.gpg-id",
    );
    // A list that was deleted, and one that names nobody, hide no other.
    store.refused(
        "pass recipients accept",
        &["web/.gpg-id", "names no recipient", "nobody can be asked", "gone"],
    );
    let told = store.refused("pass recipients accept clients", &["nobody can be asked"]);
    let command = "pass recipients accept 'clients/Bïrch & Söhne' --expect ";
    assert!(told.err().contains(command) && told.err().contains("clients/a --expect"), "{}", told.err());
    // A no is no end: a, b and the one with blanks are asked about as well.
    let (code, said) = accept(&store, "clients", &["y\r", "n\r", "y\r", "y\r"]);
    assert!(code == 1 && said.contains("Accepted the recipients of 3 folders"), "{code} {said}");
    assert!(said.contains("not accepted: clients/") && said.contains("Dave <dave@example.org>"), "{said}");
    let (code, said) = accept(&store, "gone", &["y\r"]);
    assert!(code == 0 && said.contains("no recipients of its own any more"), "{said}");
    store.ok("echo x | pass insert -mf gone/x");
    // An empty list is an error, whatever else there is.
    let (code, said) = accept(&store, "", &["y\r"]);
    assert!(code == 1 && said.contains("names no recipient"), "{said}");
}

#[test]
fn a_folder_that_inherits_is_no_way_to_accept_the_list_above_unseen() {
    let store = shared();
    store.ok("pass init -p free/own $ALICE $BOB; git -C store push -q");
    eve(&store, "echo $DAVE >>.gpg-id; git rm -q free/own/.gpg-id; mkdir -p free/own; echo x >free/own/note");
    let (code, said) = accept(&store, "free", &["n\r"]);
    assert!(code == 1 && said.contains("free is ruled by the recipients of the store"), "{said}");
    assert!(said.contains("Accept these recipients for the store?"), "{said}");
    // Nor is one that once had a list: whoever refuses the one above has refused this one.
    let (code, said) = accept(&store, "free/own", &["n\r"]);
    assert!(code == 1 && said.contains("depends on the store, which is not accepted"), "{said}");
    store.refused("echo x | pass insert -m free/c2", &["have changed", "is Dave <dave@example.org>"]);
    let (code, said) = accept(&store, "free", &["y\r", "y\r"]);
    assert!(
        code == 0 && said.contains("Accepted the recipients of 2 folders: the store, free/own."),
        "{said}"
    );
    store.ok("echo x | pass insert -m free/c2");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let store = shared();
    store.refused("pass recipients accept wbe", &["wbe is not in the password store"]);
    store.refused(
        "pass recipients accept web/a",
        &["is an entry, not a folder", "`pass recipients accept web`", "`pass recipients who web/a`"],
    );
}

#[test]
fn a_refusal_names_both_ways_out_and_both_work() {
    let store = shared();
    eve(&store, "echo $DAVE >>web/.gpg-id");
    let dave = store.ok("echo $DAVE");
    let remove = format!("pass recipients remove web {dave}");
    store.refused(
        "echo x | pass insert -m web/z",
        &["is Dave <dave@example.org>", "`pass recipients accept web`", &format!("`{remove}`")],
    );
    store.ok(&format!("{remove} --yes; echo x | pass insert -m web/z"));
    assert_eq!(
        store.ok("pass recipients accept"),
        "Nothing to accept: the recipients are those that were accepted before."
    );
}

#[test]
fn lists_that_were_changed_alike_are_asked_about_once() {
    let store = shared();
    store.ok("for c in a b c d e f; do pass init -p clients/$c $ALICE; done; git -C store push -q");
    eve(&store, "for c in clients/*; do echo $DAVE >>$c/.gpg-id; done; echo $CAROL >>clients/f/.gpg-id");
    let told = store.refused(
        "pass recipients accept",
        &["clients/a, clients/b, clients/c, clients/d, clients/e and 1 more"],
    );
    assert!(
        told.out().contains("Recipients of 5 folders:") && told.out().contains("  clients/e\n"),
        "{}",
        told.out()
    );
    assert_eq!(told.err().matches("--expect").count(), 6, "five hints, and that there are more");
    // A no leaves all of them, and asks about the others.
    let (code, said) = accept(&store, "", &["n\r", "y\r"]);
    assert!(code == 1 && said.contains("Accepted the recipients of 1 folder: clients/f."), "{said}");
    store.refused("echo x | pass insert -m clients/a/x", &["have changed"]);
    let (code, said) = accept(&store, "", &["y\r"]);
    assert!(code == 0 && said.contains("Accepted the recipients of 5 folders: clients/a"), "{said}");
    assert!(said.contains("Accept these recipients for all 5 folders?"), "{said}");
    store.ok("for c in a b c d e f; do echo x | pass insert -m clients/$c/x; done");
}

#[test]
fn each_key_is_told_with_the_commit_that_brought_it() {
    let store = shared();
    eve(&store, "echo $DAVE >>web/.gpg-id");
    store.ok("cd evil; git config user.name Mallory; echo $CAROL >>web/.gpg-id; git commit -qam carol; echo '# a word' >>web/.gpg-id
        git config user.name Anna; git commit -qam comment; git push -q; git -C ../store pull -q");
    let (dave, carol) = (store.ok("echo $DAVE"), store.ok("echo $CAROL"));
    let told = store.refused("echo x | pass insert -m web/n", &["have changed"]).err();
    let by = |key: &str| {
        let (_, rest) = told.split_once(&format!("{key} gains access (commit ")).expect(&told);
        rest[..rest.find(')').unwrap()].to_owned()
    };
    assert!(by(&dave).contains("Eve") && by(&carol).contains("Mallory"), "{told}");
    // One commit for all is told once.
    store.ok("pass recipients accept web --expect $ALICE,$BOB,$CAROL,$DAVE; cd evil; sed -i \"/$DAVE/d\" web/.gpg-id
        git commit -qam out; echo '# more' >>web/.gpg-id; git config user.name Other; git commit -qam more; git push -q; git -C ../store pull -q");
    let told = store.refused("echo x | pass insert -m web/n", &["loses it; commit ", "by Anna"]);
    assert!(!told.err().contains("Other"), "{}", told.err());
}

#[test]
fn one_of_two_keys_that_came_together_is_taken_out_and_the_other_kept() {
    let store = shared();
    eve(&store, "printf \"$DAVE\\n$CAROL\\n\" >>web/.gpg-id");
    let (dave, carol) = (store.ok("echo $DAVE"), store.ok("echo $CAROL"));
    let told =
        store.refused("pass recipients remove web $DAVE --yes", &["gains access", "the same command"]).err();
    assert!(told.contains(&format!("`--fingerprint {carol}`")) && !told.contains(&dave), "{told}");
    store.ok("pass recipients remove web $DAVE --fingerprint $CAROL --yes; echo x | pass insert -m web/n");
    store.ok("grep -q $CAROL store/web/.gpg-id; not grep -q $DAVE store/web/.gpg-id");
}
