//! Entries of which two versions are kept: listing, comparing, choosing.

use super::git::Repository;

/// The two versions.
const OURS: &str = "hunter2\nuser: ann\nurl: x\nfree text\n";
const THEIRS: &str = "swordfish\nuser: bea\nurl: x\nfree text\n";

/// A store with a conflict of `web/a`.
fn store() -> Repository {
    let store = Repository::new();
    store.pass(&["insert", "-m", "web/a"], OURS).good();
    store.pass(&["insert", "-m", "web/a.conflict-0123abcd"], THEIRS).good();
    store
}

#[test]
fn without_conflicts_there_is_nothing_to_do() {
    let store = Repository::new();
    store.pass(&["insert", "-m", "web/a"], OURS).good();
    for args in [&["conflicts"][..], &["conflicts", "web"], &["conflicts", "web/a"], &["conflicts", "/"]] {
        assert_eq!(store.pass(args, "").good().out(), "No conflicts.\n");
    }
    assert_eq!(store.pass(&["conflicts", "--json"], "").good().out().trim(), "[]");
    store.refused("pass conflicts nowhere", &["nowhere is not in the password store"]);
    store.refused("pass conflicts show web/a", &["there is no other version of `web/a`"]);
}

#[test]
fn lists_pairs_and_what_is_alone() {
    let store = store();
    store.pass(&["insert", "-m", "web/a.conflict-ffffffff"], THEIRS).good();
    store.pass(&["insert", "-m", "mail/gone.conflict-00000000"], THEIRS).good();
    store.pass(&["insert", "-m", "mail/b.conflict-ABCDEF01"], "no such name\n").good();
    let web = "web/a\n  web/a.conflict-0123abcd\n  web/a.conflict-ffffffff\n";
    let mail = "mail/gone (not there)\n  mail/gone.conflict-00000000\n";
    assert_eq!(store.pass(&["conflicts"], "").good().out(), format!("{mail}{web}"));
    for place in ["web", "web/a"] {
        assert_eq!(store.pass(&["conflicts", place], "").good().out(), web);
    }
    assert_eq!(store.ok("pass conflicts web/a.conflict-ffffffff"), "web/a\n  web/a.conflict-ffffffff");
    let json: serde_json::Value =
        serde_json::from_slice(&store.pass(&["conflicts", "--json", "mail"], "").good().stdout).unwrap();
    let wanted = serde_json::json!([
        { "name": "mail/gone", "is_there": false, "versions": ["mail/gone.conflict-00000000"] }
    ]);
    assert_eq!(json, wanted);
}

#[test]
fn shows_what_differs_and_nothing_of_what_it_says() {
    let store = store();
    let shown = store.pass(&["conflicts", "show", "web/a"], "").good().out();
    assert_eq!(
        shown,
        "--- web/a\n+++ web/a.conflict-0123abcd\n- (password) ••••\n+ (password) ••••\n- user: ••••\n+ user: ••••\n  \
         url: ••••\n  ••••\n"
    );
    // By either name; all of it if that is asked for.
    let revealed = store.pass(&["conflicts", "show", "--reveal", "web/a.conflict-0123abcd"], "").good().out();
    assert_eq!(
        revealed,
        "--- web/a\n+++ web/a.conflict-0123abcd\n- (password) hunter2\n+ (password) swordfish\n- user: ann\n+ user: \
         bea\n  url: x\n  free text\n"
    );
    store.pass(&["insert", "-mf", "web/a"], THEIRS).good();
    let shown = store.pass(&["conflicts", "show", "web/a"], "").good().out();
    assert!(shown.contains("  (password) ••••\n") && shown.ends_with("say the same.\n"), "{shown}");
    store.pass(&["insert", "-mf", "web/a"], THEIRS.trim_end()).good();
    let shown = store.pass(&["conflicts", "show", "web/a"], "").good().out();
    assert!(shown.ends_with("line break at the end differs.\n"), "{shown}");
}

#[test]
fn one_version_is_kept_in_one_commit() {
    for (side, text) in [("--ours", OURS), ("--theirs", THEIRS)] {
        let store = store();
        let before = store.count();
        store.pass(&["conflicts", "pick", "web/a", side], "").good();
        assert_eq!(store.decrypted("web/a"), text);
        assert_eq!(store.pass(&["conflicts"], "").good().out(), "No conflicts.\n");
        assert_eq!((store.count(), &*store.subjects()[before]), (before + 1, "Resolve conflict in web/a."));
        store.clean();
    }
    let store = store();
    assert_eq!(store.shell("pass conflicts pick web/a").code, 1);
    assert_eq!(store.shell("pass conflicts pick web/a --ours --theirs").code, 1);
    // A version that nobody has committed yet goes as well.
    store.ok("git -C store rm -q --cached web/a.conflict-0123abcd.gpg; git -C store commit -qm forgotten
        pass conflicts pick web/a --ours");
    assert_eq!(store.pass(&["conflicts"], "").good().out(), "No conflicts.\n");
    store.clean();
}

#[test]
fn what_others_can_read_is_encrypted_anew_in_its_place() {
    let store = store();
    store.ok("cp store/web/a.conflict-0123abcd.gpg old; pass init $ALICE $BOB; cp old store/web/a.conflict-0123abcd.gpg
        git -C store commit -qam old");
    // Bob cannot read that version yet.
    store.ok("pass conflicts pick web/a --theirs; pass recipients check");
    assert_eq!(store.decrypted("web/a"), THEIRS);
}

#[test]
fn of_several_versions_one_is_named() {
    let store = store();
    store.pass(&["insert", "-m", "web/a.conflict-ffffffff"], "third\n").good();
    for line in ["show web/a", "pick web/a --ours", "edit web/a"] {
        let words =
            ["there are 2 other versions of `web/a`", "web/a.conflict-0123abcd, web/a.conflict-ffffffff"];
        store.refused(&format!("pass conflicts {line}"), &words);
    }
    store.ok("pass conflicts pick web/a.conflict-ffffffff --theirs");
    assert_eq!(store.decrypted("web/a"), "third\n");
    assert_eq!(store.ok("pass conflicts"), "web/a\n  web/a.conflict-0123abcd");
}

#[test]
fn a_version_that_is_alone_can_take_its_place() {
    let store = store();
    store.ok("pass rm -f web/a");
    for line in ["show web/a", "pick web/a --ours", "edit web/a"] {
        store.refused(
            &format!("pass conflicts {line}"),
            &["`web/a` is not there", "pass conflicts pick web/a.conflict-0123abcd --theirs"],
        );
    }
    store.ok("pass conflicts pick web/a.conflict-0123abcd --theirs");
    assert_eq!(store.decrypted("web/a"), THEIRS);
    store.clean();
}

#[test]
fn both_versions_are_edited_as_one_text() {
    let store = store();
    store.script("editor", "#!/bin/sh\ncase $1 in /dev/shm/*) ;; *) exit 1;; esac\ncp \"$1\" seen; sed -i '/^[<=>]\\{7\\}/d' \"$1\"\n");
    let before = store.count();
    store.ok("EDITOR=$PWD/editor pass conflicts edit web/a");
    assert_eq!(
        store.ok("cat seen"),
        "<<<<<<< web/a\nhunter2\n=======\nswordfish\n>>>>>>> web/a.conflict-0123abcd\n<<<<<<< web/a\nuser: \
         ann\n=======\nuser: bea\n>>>>>>> web/a.conflict-0123abcd\nurl: x\nfree text"
    );
    assert_eq!(store.decrypted("web/a"), "hunter2\nswordfish\nuser: ann\nuser: bea\nurl: x\nfree text\n");
    assert_eq!(store.pass(&["conflicts"], "").good().out(), "No conflicts.\n");
    assert_eq!((store.count(), &*store.subjects()[before]), (before + 1, "Resolve conflict in web/a."));
    store.clean();
}

#[test]
fn a_text_with_marks_is_not_stored() {
    let store = store();
    store.script("editor", "#!/bin/sh\nsed -i '/^=/d' \"$1\"\n");
    store.refused(
        "EDITOR=$PWD/editor pass conflicts edit web/a",
        &["still has marks", "both versions are as they were"],
    );
    store.refused("EDITOR=true pass conflicts edit web/a", &["Password unchanged."]);
    store.ok("cp store/web/a.gpg store/web/a.conflict-0123abcd.gpg; git -C store commit -qam same");
    store.refused("EDITOR=true pass conflicts edit web/a", &["say the same"]);
}

#[test]
fn what_changes_while_both_are_edited_is_not_lost() {
    // Either version may change.
    for other in ["web/a", "web/a.conflict-0123abcd"] {
        let store = store();
        store.script(
            "editor",
            &format!(
                "#!/bin/sh\necho newer | pass insert -mf {other} >/dev/null; printf 'edited\\n' >\"$1\"\n"
            ),
        );
        let output = store.shell("EDITOR=$PWD/editor pass conflicts edit web/a");
        assert!(output.code == 1 && output.err().contains("was changed meanwhile"), "{}", output.err());
        assert_eq!(store.decrypted(other), "newer\n");
        let all = store.ok("pass conflicts");
        assert_eq!(all.lines().count(), 3, "{all}");
        let edited =
            all.lines().skip(1).map(|kept| store.decrypted(kept.trim())).any(|text| text == "edited\n");
        assert!(edited, "{all}");
    }
}
