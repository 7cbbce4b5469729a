//! The versions of an entry.

use super::Chronicle;

/// Moves an entry to where it is encrypted anew, in between to a name that another one had.
fn moved_about(store: &Chronicle) {
    store.ok("pass init -p team $ALICE $BOB");
    store.insert("team/a", "another\n");
    store.ok("pass rm -f team/a");
    store.insert("web/a", "one\nuser: x\n");
    store.insert("web/a", "one\nuser: y\n");
    store.ok("pass mv web/a team/a");
    store.insert("web/a", "newcomer\n");
    store.insert("team/a", "two\nuser: y\n");
}

#[test]
fn renames_are_followed_backwards() {
    let store = Chronicle::new();
    moved_about(&store);
    assert_eq!(store.versions("team/a"), ["1 password-changed", "2 moved web/a", "3 edited", "4 added"]);
    assert_eq!(store.versions("web/a"), ["1 added", "- removed", "2 edited", "3 added"]);
    for (rev, text) in [
        ("1", "two\nuser: y"),
        ("2", "one\nuser: y"),
        ("4", "one\nuser: x"),
        ("HEAD", "two\nuser: y"),
        ("HEAD~1", "one\nuser: y"),
        ("HEAD~3", "one\nuser: y"),
        ("HEAD~4", "one\nuser: x"),
        ("$(git -C store rev-parse --short HEAD~4)", "one\nuser: x"),
        ("'master@{0}'", "two\nuser: y"),
        ("'master@{4}'", "one\nuser: x"),
    ] {
        assert_eq!(store.ok(&format!("pass history team/a --show {rev}")), text, "{rev}");
    }
    store.refused("pass history team/a --show HEAD~5", &["there was no `team/a` as of HEAD~5"]);
    store.refused("pass history team/a --show 5", &["no version 5: there are 4"]);
    store.refused("pass history team/a --show nonsense", &["`nonsense` names no commit", "hint: "]);
    // The bytes are those that show prints.
    store.pass(&["insert", "-mf", "raw"], "a\u{1b}[31m\n\nb").good();
    let [shown, old] =
        ["show raw", "history raw --show 1"].map(|line| store.shell(&format!("pass {line}")).stdout);
    assert_eq!(shown, old);
}

#[test]
fn the_list_is_for_people() {
    let store = Chronicle::new();
    moved_about(&store);
    let told = store.ok("pass history team/a");
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("#  DATE") && lines[0].ends_with("SIGNATURE  WHAT"), "{told}");
    assert!(lines[1].starts_with("1  ") && lines[1].contains("  Test Person <test@example.org>  "), "{told}");
    assert!(lines[1].ends_with("  unsigned   password changed"), "{told}");
    assert!(lines[2].ends_with("moved from web/a, re-encrypted"), "{told}");
    let quick = store.ok("pass history team/a --no-decrypt");
    assert!(quick.lines().nth(1).is_some_and(|line| line.ends_with("  changed")), "{quick}");
    store.ok("echo x >>store/team/a.gpg");
    let output = store.shell("pass history team/a");
    assert!(
        output.err().contains("note: `team/a` was changed since, and that is not committed"),
        "{}",
        output.err()
    );
}

#[test]
fn what_it_said_once_is_restored() {
    let store = Chronicle::new();
    for text in ["one\n", "two\n", "one\n", "one\n"] {
        store.insert("a", text);
    }
    store.ok("pass rm -f a");
    store.insert("a", "two\n");
    assert_eq!(
        store.versions("a"),
        ["1 restored", "- removed", "2 reencrypted", "3 restored", "4 password-changed", "5 added"]
    );
}

#[test]
fn differences_are_masked_unless_they_are_to_be_revealed() {
    let store = Chronicle::new();
    store.insert("a", "oldsecret\nuser: ann\nurl: same\n1234:5678\n");
    store.insert("a", "newsecret\nuser: bob\nurl: same\n1234:9999\nnote\n");
    let masked = store.ok("pass history a --diff");
    let body: Vec<&str> = masked.lines().skip(2).collect();
    assert_eq!(
        body,
        [
            "password changed",
            "-••••",
            "+••••",
            "user changed",
            "-user: ••••",
            "+user: ••••",
            "line 4 changed",
            "-••••",
            "+••••",
            "line 5 added",
            "+••••"
        ]
    );
    assert!(masked.starts_with("--- a  version 2, ") && masked.contains("\n+++ a  version 1, "), "{masked}");
    for secret in ["secret", "ann", "bob", "same", "1234", "note"] {
        assert!(!masked.contains(secret), "{secret}");
    }
    let open = store.ok("pass history a --diff HEAD~1 --reveal");
    assert!(open.contains("-oldsecret\n+newsecret\n") && open.contains("+user: bob"), "{open}");
    assert!(!open.contains("same"), "{open}");
    assert_eq!(store.ok("pass history a --diff 1 | tail -n 1"), "Both say the same.");
    store.insert("b", "x\n");
    store.refused("pass history b --diff", &["`b` has only one version"]);
}

#[test]
fn what_cannot_be_read_here_is_said_to_be_so() {
    let store = Chronicle::new();
    store.insert("a", "one\n");
    store.ok("gpg --batch -q --passphrase '' --quick-gen-key eve@example.org future-default - never
        echo x | gpg --trust-model always -qer eve@example.org >store/a.gpg; git -C store commit -qam eve
        EVE=$(gpg --with-colons --list-keys eve@example.org | awk -F: '/^fpr/{print $10; exit}')
        gpg --batch --yes --delete-secret-keys $EVE");
    store.insert("a", "two\n");
    assert_eq!(store.versions("a"), ["1 unreadable", "2 unreadable", "3 added"]);
    let output = store.shell("pass log a");
    assert!(output.out().contains("  changed a (cannot be read here)"), "{}", output.out());
    assert_eq!(output.err(), "", "gpg is not asked about what is not ours");
    let refused = store.shell("pass history a --show 2");
    assert_eq!((refused.code, &*refused.stdout), (2, &b""[..]));
    assert_eq!(store.shell("pass history restore -f a 2").code, 2);
}
