//! What counts as changed, and what does not: somebody may still know it.

use super::{json, states};
use crate::cli::git::Repository;

/// Puts entries on the list, each with its first text, writes its second one over it, and returns how they stand.
#[track_caller]
fn how_they_stand(texts: &[(&str, &str)]) -> Vec<String> {
    let store = Repository::new();
    let write = |number: usize, text: &str| format!("printf '{text}' | pass insert -mf e{number:02}; ");
    let before: String =
        texts.iter().enumerate().map(|(number, (before, _))| write(number, before)).collect();
    let after: String = texts.iter().enumerate().map(|(number, (_, after))| write(number, after)).collect();
    store.ok(&format!(
        "{before} cd store; pass rotate add $(ls *.gpg | sed 's/.gpg//') --why x; cd ..; {after}"
    ));
    let mut found = states(&store);
    found.sort();
    assert_eq!(found.len(), texts.len(), "{found:?}");
    found
}

#[test]
fn a_secret_that_stands_elsewhere_in_the_entry_is_as_it_was() {
    let as_it_was = [
        ("hunter2\\nuser: x\\n", "\\nhunter2\\nuser: x\\n"),
        ("pw\\npin: 4711\\n", "pw9\\ndoor code: 4711\\n"),
        ("pw\\ntoken: ghp_abc\\n", "pw9\\nGitHub: ghp_abc\\n"),
        ("DB_PASSWORD=abc\\nDB_HOST=h\\n", "DB_HOST=h\\nDB_PASSWORD=abc\\n"),
        ("x\\nurl: https://ada:sekret@x.example\\n", "y\\nuser: ada\\nkennwort: sekret\\n"),
        ("\\nvault code 1234\\n", "\\nvault code 1234\\nnote: seen\\n"),
        ("\\nfoo", "\\nfoo\\n"),
        (
            "pw\\notpauth://totp/x?secret=JBSWY3DPEHPK3PXP\\n",
            "pw9\\nseed JBSW Y3DP\\ncode: jbswy3dpehpk3pxp\\n",
        ),
        ("correct horse battery\\n", "new\\nold: correct horse battery\\n"),
    ];
    let found = how_they_stand(&as_it_was);
    for (state, texts) in found.iter().zip(as_it_was) {
        assert!(state.ends_with("=open"), "{state}: {texts:?}");
    }
    let changed = [
        // The login is the same word, and stays.
        ("admin\\nuser: admin\\n", "s3cret-9\\nuser: admin\\n"),
        ("pw\\nnote: pw\\n", "pw9\\n"),
        ("{\\n \"private_key\": \"abc\"\\n}\\n", "{\\n \"private_key\": \"xyz\"\\n}\\n"),
        ("\\nvault code 1234\\n", "\\nvault code 9999\\n"),
    ];
    let found = how_they_stand(&changed);
    for (state, texts) in found.iter().zip(changed) {
        assert!(state.ends_with("=changed"), "{state}: {texts:?}");
    }
}

#[test]
fn an_entry_without_a_secret_is_not_done_at_once() {
    let store = Repository::new();
    store.ok("printf '\\n' | pass insert -m a; pass rotate add a --why x");
    assert_eq!(states(&store), ["a=open"]);
    store.ok("echo new | pass insert -mf a");
    assert_eq!(states(&store), ["a=changed"]);
}

#[test]
fn a_second_leak_is_a_second_item() {
    let store = Repository::new();
    store.ok("printf 'p1\\npin: 4711\\n' | pass insert -m a; pass rotate add a --why leak
        printf 'p2\\npin: 4711\\n' | pass insert -mf a; pass rotate add a --why leak; printf 'p2\\npin: 9\\n' | pass insert -mf a");
    assert_eq!(states(&store), ["a=open", "a=changed"]);
    // Encrypted anew, it is the same value, and listed once.
    store.ok("echo x | pass insert -m b; pass rotate add b --why leak; pass recipients add / $BOB --yes; pass rotate add b --why leak");
    assert_eq!(states(&store), ["a=open", "a=changed", "b=open"]);
}

#[test]
fn entries_that_took_each_other_s_place_are_followed() {
    let two = || {
        let store = Repository::new();
        store.ok("echo AAA | pass insert -m a; echo BBB | pass insert -m b; pass rotate add a b --why x");
        store
    };
    let store = two();
    store.ok("cd store; mv a.gpg t; mv b.gpg a.gpg; mv t b.gpg; git commit -qam swap");
    assert_eq!(states(&store), ["a=open", "b=open"]);
    let listed = json(&store, "pass rotate --json")["items"].to_string();
    store.ok("echo new | pass insert -mf b");
    // What was called `a`, and stands at `b` now, is the one that was changed.
    assert_eq!(states(&store), ["a=open", "b=changed"], "{listed}");

    let store = two();
    store.ok("pass mv -f b a");
    let mut found = states(&store);
    found.sort();
    assert_eq!(found, ["a=gone", "a=open"], "the one has lost its place, the other has a new one");

    let store = two();
    store.ok("pass cp a keep; pass cp -f b a");
    assert_eq!(states(&store), ["b=open", "keep=open"]);

    let store = two();
    store.ok("pass cp a c; pass rm -f a; echo other | pass insert -m a");
    assert_eq!(states(&store), ["b=open", "c=open"]);

    // A copy that was made of the changed one takes nothing from it.
    let store = two();
    store.ok("pass cp a c; echo new | pass insert -mf a; pass cp -f a c");
    assert_eq!(states(&store), ["b=open", "a=changed"]);
}

#[test]
fn what_the_same_person_can_read_or_knew_elsewhere_is_no_change() {
    let store = Repository::new();
    store.ok("pass recipients add / $BOB --yes; echo one | pass insert -m a; echo two | pass insert -m b; pass rotate add --exposed bob@example.org
        echo new | pass insert -mf a");
    assert_eq!(states(&store), ["a=open", "b=open"], "he reads it");
    assert!(store.ok("pass rotate").contains("can be read with that key still"));
    store.ok("pass recipients remove / $BOB --yes --no-rotate");
    assert_eq!(states(&store), ["a=open", "b=open"], "he has read it");
    store.ok("echo newer | pass insert -mf a; echo one | pass insert -mf b");
    assert_eq!(states(&store), ["b=open", "a=changed"], "the one knows what the other was");
    store.ok("echo newest | pass insert -mf b");
    assert_eq!(states(&store), ["a=changed", "b=changed"]);
}

#[test]
fn what_was_removed_and_brought_back_is_followed_from_there() {
    let store = Repository::new();
    store.ok("echo AAA | pass insert -m a; pass rotate add a --why x; pass rm -f a; pass git revert --no-edit HEAD; pass mv a z");
    assert_eq!(states(&store), ["z=open"]);
    store.ok("echo new | pass insert -mf z");
    assert_eq!(states(&store), ["z=changed"]);
}

#[test]
fn a_branch_that_was_left_behind_hides_no_commit() {
    let store = Repository::new();
    store.ok("echo AAA | pass insert -m a; pass rotate add a --why x; cd store; git checkout -qb old; git checkout -q master
        git config user.name Ada; echo new | pass insert -mf a; git checkout -q old; sleep 1; printf 'AAA\\nnote: x\\n' | pass insert -mf a; git checkout -q master");
    let report = json(&store, "pass rotate --json");
    assert!(report["items"][0]["done"]["by"].as_str().is_some_and(|by| by.starts_with("Ada")), "{report}");
}

#[test]
fn lines_of_which_nobody_knows_what_they_are_are_told() {
    let store = Repository::new();
    store.ok("printf 'old\\nwifi hunter9\\n' | pass insert -m a; pass rotate add a --why x; printf 'new\\nwifi hunter9\\n' | pass insert -mf a");
    assert_eq!(states(&store), ["a=changed"]);
    assert!(store.ok("pass rotate status").contains("; other lines in it are as they were"));
}

#[test]
fn where_nobody_can_decrypt_both_it_says_so() {
    let store = Repository::new();
    store.ok("echo AAA | pass insert -m a; pass rotate add a --why x; cd store; gpg -q --trust-model always --yes -e -r $DAVE -o a.gpg <<<y; git commit -qam y");
    assert_eq!(states(&store), ["a=unknown"]);
    assert!(store.ok("pass rotate").contains("nobody can decrypt both: close it by hand"));
}
