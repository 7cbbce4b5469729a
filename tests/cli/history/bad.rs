//! Stores and histories in which not all is well.

use super::Chronicle;
use crate::common::TestStore;

#[test]
fn where_there_is_no_history_it_is_said_why() {
    let store = Chronicle::new();
    store.insert("web/a", "one\n");
    for line in ["pass log nothing", "pass history nothing"] {
        store.refused(line, &["never was as far as its history goes back"]);
    }
    store.refused("pass history web", &["`web` is a folder, not an entry", "`pass log 'web'`"]);
    store.ok("echo x | gpg -qer $ALICE >store/new.gpg");
    store.refused("pass history new", &["`new` is in no commit yet", "pass git add"]);
    store.refused("pass log new", &["`new` is in no commit yet"]);
    store.refused("pass log ../x", &["sneaky"]);
}

#[test]
fn a_store_without_commits_or_without_git() {
    let store = TestStore::new();
    assert_ne!(store.pass(&["log"], "").code, 0);
    store.shell("pass init $ALICE; echo x | pass insert -m a").good();
    for line in [&["log"][..], &["log", "a"], &["history", "a"], &["history", "restore", "a", "1"]] {
        let output = store.pass(line, "");
        assert_eq!(output.code, 1);
        assert!(
            output.err().contains("no git repository") && output.err().contains("pass git init"),
            "{}",
            output.err()
        );
    }
    store.shell("git init -q store").good();
    assert_eq!(store.pass(&["log"], "").good().out(), "There is no commit to tell of.\n");
    let output = store.pass(&["history", "a"], "");
    assert!(output.code == 1 && output.err().contains("in no commit yet"), "{}", output.err());
}

#[test]
fn a_shallow_clone_is_incomplete_and_says_so() {
    let store = Chronicle::new();
    store.insert("web/a", "one\n");
    store.insert("web/b", "one\n");
    store.insert("web/a", "two\n");
    store.ok("git clone -q --bare store origin.git; rm -rf store
        git clone -q --depth 2 file://$PWD/origin.git store");
    let output = store.shell("pass log");
    assert!(output.out().contains("  password changed of web/a\n"), "{}", output.out());
    assert!(output.out().ends_with("  holds 2 entries; what came before is not here\n"), "{}", output.out());
    assert!(output.code == 0 && output.err().contains("git fetch --unshallow"), "{}", output.err());
    assert_eq!(store.versions("web/a"), ["1 password-changed", "2 present"]);
    assert_eq!(store.ok("pass history web/a --show 2"), "one");
}

#[test]
fn damage_is_told_and_the_rest_shown() {
    let store = Chronicle::new();
    store.insert("web/a", "one\n");
    store.insert("web/a", "two\n");
    store.insert("web/a", "three\n");
    let lose = |rev: &str| {
        store.ok(&format!("cd store; id=$(git rev-parse {rev}); mv .git/objects/${{id:0:2}}/${{id:2}} ../lost; echo $id >../id"))
    };
    let back = || store.ok("cd store; id=$(cat ../id); mv ../lost .git/objects/${id:0:2}/${id:2}");
    lose("HEAD~2");
    let output = store.shell("pass log");
    assert_eq!(output.code, 1);
    assert!(output.out().contains("  password changed of web/a\n"), "{}", output.out());
    assert!(output.out().contains("; what came before is not here\n"), "{}", output.out());
    let id = store.ok("cat id");
    assert!(
        output.err().contains(&format!("commit {id} cannot be read")) && output.err().contains("git fsck"),
        "{}",
        output.err()
    );
    assert_eq!(store.shell("pass history web/a").code, 1);
    back();
    lose("HEAD~1^{tree}");
    let output = store.shell("pass log web");
    assert_eq!(output.code, 1);
    assert!(
        output.out().contains("cannot be read: ") && output.out().contains("added web/a"),
        "{}",
        output.out()
    );
    back();
    lose("HEAD~1:web/a.gpg");
    assert!(store.ok("pass log web").contains("cannot be read here"));
    back();
    assert!(!store.ok("pass log web").contains("cannot be read"));
}

#[test]
fn authors_and_names_do_no_harm() {
    let store = Chronicle::new();
    store.ok("printf x | gpg -qer $ALICE >\"store/$(printf 'a\\033[31mb').gpg\"; cd store; git add .
        tree=$(git write-tree); head=$(git rev-parse HEAD)
        put() { git reset -q --soft $(git hash-object --literally -t commit -w --stdin); }
        printf 'tree %s\\nparent %s\\nauthor \\033[2J E\\xff <e@x\\n\\nmessage\\033\\n' $tree $head | put");
    let told = store.ok("pass log -n 1");
    assert!(
        told.starts_with("(no date)         \\x1b[2J E\\xef\\xbf\\xbd <e@x>  ")
            || told.starts_with("(no date)         \\x1b[2J E\u{fffd} <e@x>  "),
        "{told}"
    );
    assert!(told.contains("  added a\\x1b[31mb") && !told.contains('\u{1b}'), "{told}");
    let all = store.ok("pass log -n 1 --json");
    assert!(all.contains("\"date\": null") && !all.contains('\u{1b}'), "{all}");
    store.ok("cd store; printf 'tree %s\\nparent %s\\n\\n' $(git write-tree) $(git rev-parse HEAD~1) >../raw
        git reset -q --soft $(git hash-object --literally -t commit -w --stdin <../raw)");
    assert!(store.ok("pass log -n 1").contains("(nobody)"));
    assert!(store.ok("pass history a$(printf '\\033')[31mb").contains("added"));
}

#[test]
fn the_innermost_repository_has_the_history() {
    let store = Chronicle::new();
    store.ok("mkdir -p store/sub; git init -q store/sub");
    store.insert("sub/deep/a", "one\n");
    store.insert("sub/deep/a", "two\n");
    store.ok("pass mv sub/deep/a sub/b");
    assert_eq!(store.newest("sub"), "moved sub/b from sub/deep/a");
    assert_eq!(
        store.told("pass log sub/deep"),
        "moved sub/deep/a to sub/b\npassword changed of sub/deep/a\nadded sub/deep/a"
    );
    assert!(!store.ok("pass log").contains("sub"));
    assert_eq!(store.versions("sub/b"), ["1 moved sub/deep/a", "2 password-changed", "3 added"]);
    store.ok("pass history restore -f sub/b 3");
    assert_eq!(store.ok("pass show sub/b"), "one");
    assert!(store.ok("git -C store/sub log -1 --format=%s").starts_with("Restore sub/b as of "));
}

#[test]
fn an_entry_comes_before_a_folder_and_a_former_one_is_found() {
    let store = Chronicle::new();
    store.insert("web", "one\n");
    store.insert("web/a", "two\n");
    assert_eq!(store.told("pass log web"), "added web");
    assert_eq!(store.told("pass log web/"), "added web/a");
    store.ok("pass rm -rf web/");
    assert_eq!(store.told("pass log web/"), "removed web/a\nadded web/a");
    store.ok("pass rm -f web");
    assert_eq!(store.told("pass log web"), "removed web\nadded web");
    assert_eq!(store.told("pass log -n 0 /").lines().count(), store.told("pass log -n 0").lines().count());
}
