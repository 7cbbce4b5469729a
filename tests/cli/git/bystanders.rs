//! Changes that are none of ours stay exactly as they are.

use super::Repository;

/// Describes what is staged, unstaged and untracked.
fn others(store: &Repository) -> String {
    store.ok("cd store; git status --porcelain; git ls-files -s notes new staged.gpg gone; cat notes new; git diff --cached --stat -- notes new gone")
}

#[test]
fn what_others_staged_or_changed_never_lands_in_our_commits() {
    let store = Repository::new();
    store.ok("pass generate a; pass generate staged; cd store; echo 1 >notes; echo 1 >gone; git add .; git commit -qm notes
        echo 2 >notes; git add notes; echo 3 >notes; echo n >new; git add -N new; echo u >untracked; git rm -q gone
        cp a.gpg staged.gpg; git add staged.gpg");
    let before = others(&store);
    assert!(before.contains("MM notes") && before.contains("D  gone") && before.contains("M  staged.gpg"));
    for line in [
        "pass generate web/b",
        "pass generate -f a",
        "pass mv web/b net/b",
        "pass cp net/b net/c",
        "pass rm -f net/b",
        "pass rm -rf net",
        "pass init -p team $BOB",
    ] {
        store.ok(line);
        assert_eq!(others(&store), before, "{line}");
        let paths = store.last();
        for path in ["notes", "new", "untracked", "gone", "staged"] {
            assert!(!paths.contains(path), "{line}: {paths}");
        }
        assert_eq!(store.ok("git -C store fsck --strict 2>&1 | grep -v -e dangling -e notice || true"), "");
    }
}

#[test]
fn an_entry_that_git_ignores_is_stored_but_not_committed() {
    let store = Repository::new();
    store.ok("cd store; echo 'private/' >.gitignore; git add .; git commit -qm ignore");
    let count = store.count();
    let output = store.shell("echo x | pass insert -m private/a");
    assert_eq!(output.code, 0, "{}", output.err());
    assert!(output.err().contains("is ignored by git: it is stored, but not committed"), "{}", output.err());
    assert_eq!((store.decrypted("private/a").as_str(), store.count()), ("x\n", count));
    store.clean();
    store.ok("echo y | pass insert -mf private/a; pass mv private/a open");
    assert_eq!((store.decrypted("open").as_str(), store.count()), ("y\n", count + 1));
    store.clean();
    // What git tracks nevertheless goes on being committed.
    store.ok("mkdir store/private; pass cp open private/b; git -C store add -f private/b.gpg
        git -C store commit -qm forced; pass generate -f private/b; pass rm -f private/b");
    assert_eq!(store.count(), count + 4);
    store.clean();
}

#[test]
fn removing_an_entry_that_was_only_staged_unstages_it() {
    // What a stock pass leaves behind that was killed, or lost a race, between `git add` and `git commit`.
    let store = Repository::new();
    store.ok("pass generate a; cp store/a.gpg store/b.gpg; git -C store add b.gpg; pass rm -f b");
    store.clean();
}

#[test]
fn a_name_that_is_a_pattern_unstages_no_other() {
    // Git looks for more than the name itself only among what sorts before it.
    for name in ["a*", "[1-9]", "?", ":1", ":(glob)a b", ":!x"] {
        let store = Repository::new();
        store.ok(&format!(
            "pass generate 'a b'; pass generate 1; cp store/1.gpg 'store/{name}.gpg'
             git -C store --literal-pathspecs add '{name}.gpg'; pass rm -f '{name}'"
        ));
        store.clean();
        assert_eq!(store.ok("git -C store ls-files '*.gpg'"), "1.gpg\na b.gpg", "{name}");
    }
}

#[test]
fn a_file_where_a_folder_is_needed_is_named() {
    let store = Repository::new();
    store.ok("pass generate a; mkdir store/f.gpg; echo >store/f.gpg/note");
    store.refused("pass generate a.gpg/b", &["a.gpg"]);
    store.refused("pass generate f", &["f.gpg"]);
    store.refused("pass mv a f", &["f"]);
    // git still has a file where the work tree has a folder.
    store.ok("cd store; rm a.gpg; cd ..");
    let output = store.shell("pass generate a.gpg/b");
    if output.code == 0 {
        store.ok("git -C store fsck --strict");
        assert_eq!(store.ok("git -C store ls-files a.gpg"), "a.gpg/b.gpg");
    } else {
        assert_eq!(store.ok("find store -name '*b.gpg'"), "");
    }
}

#[test]
fn a_file_that_may_be_executed_stays_so() {
    let store = Repository::new();
    store.ok("pass generate a; chmod +x store/a.gpg; git -C store commit -qam mode; pass generate -f a");
    store.clean();
    assert_eq!(store.ok("git -C store ls-tree HEAD a.gpg | cut -c1-6"), "100755");
    store.ok("pass mv a b");
    store.clean();
}
