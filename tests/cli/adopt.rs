//! `adopt`: stores as other programs make them are looked over, and mended where that is safe.

use super::git::Repository;

/// Runs `adopt` with exit code `code`; returns what it said.
#[track_caller]
fn adopt(store: &Repository, line: &str, code: i32) -> String {
    let output = store.shell(line);
    assert_eq!(output.code, code, "{line}\n{}\n{}", output.out(), output.err());
    output.out() + &output.err()
}

/// Checks that `text` holds all of `words`.
#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} in\n{text}");
    }
}

/// Looks the store over, which changes nothing; mends it, which takes one commit, leaves the entries as they
/// are and the recipients as `wanted`; and looks again.
#[track_caller]
fn mends(store: &Repository, words: &[&str], wanted: &str) -> String {
    let before = store.state();
    let said = adopt(store, "pass adopt", 0);
    holds(&said, words);
    assert_eq!(store.state(), before, "looking changes nothing");
    let entries = "cd store; find . -name '*.gpg' -type f -exec sha256sum {} +";
    let (count, ciphertext) = (store.count(), store.ok(entries));
    holds(&adopt(store, "pass adopt --fix", 0), &["Mended:"]);
    assert_eq!(store.count(), count + 1);
    assert_eq!(store.ok(entries), ciphertext);
    assert_eq!(store.ok("cat store/.gpg-id"), store.ok(&format!("printf \"{wanted}\"")));
    store.clean();
    let state = store.state();
    let said = adopt(store, "pass adopt --fix", 0);
    holds(&said, &["The store is as passel would have made it."]);
    assert_eq!(store.state(), state);
    // Stock pass goes on with it, and so do we.
    store.ok("echo 1 | /usr/bin/pass insert -m by/stock; echo 2 | pass insert -m by/us; /usr/bin/pass by/us");
    said
}

#[test]
fn adopts_a_store_of_pass() {
    let store = Repository(crate::common::TestStore::new());
    store.ok(
        "/usr/bin/pass init alice@example.org ${BOB:24} '0x$CAROL' 'Dave'; sed -i \"s/0x.*/0x$CAROL/\" store/.gpg-id
        /usr/bin/pass git init; echo x | /usr/bin/pass insert -m web/a; /usr/bin/pass init -p team $ALICE
        /usr/bin/pass git add -A; /usr/bin/pass git commit -qm all || true",
    );
    let words =
        ["an e-mail address", "a key ID", "written otherwise", "a user ID", "without a remote", "git shows"];
    mends(&store, &words, r"$ALICE\n$BOB\n$CAROL\n$DAVE\n");
    assert_eq!(store.ok("ls store/.public-keys | wc -l"), "4");
}

#[test]
fn adopts_a_store_of_gopass() {
    let store = Repository::new();
    // Recipients by long key IDs, in order, and their keys in files of these names.
    store.ok(
        "echo x | pass insert -m a; cd store; mkdir .public-keys .gopass
        for key in $ALICE $BOB; do echo 0x${key:24}; gpg --armor --export $key >.public-keys/0x${key:24}; done >.gpg-id
        echo '{{ .Content }}' >.pass-template; echo autosync >.gopass/config; cd ..; pass init $ALICE $BOB
        sed -i -E 's/^.{24}/0x/' store/.gpg-id; pass git add -A; pass git commit -qm gopass",
    );
    let words =
        ["0x", "a key ID", ".pass-template: a template of gopass's", ".gopass: gopass's own", "left alone"];
    let said = mends(&store, &words, r"$ALICE\n$BOB\n");
    holds(&said, &["not named by the fingerprint of the key in it", "it is there under that name too"]);
    assert_eq!(store.ok("ls store/.public-keys | wc -l"), "4");
}

#[test]
fn adopts_a_store_of_prs() {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; echo x | pass insert -m a; printf \"$ALICE\\n$BOB\" >store/.gpg-id
        mkdir store/.public-keys; for key in $ALICE $BOB; do gpg --armor --export $key >store/.public-keys/$key; done
        ln -s a.gpg store/alias.gpg; pass git add -A; pass git commit -qm prs",
    );
    let words = ["no line break", "as gopass and prs keep them", "1 entries are links"];
    mends(&store, &words, r"$ALICE\n$BOB\n");
    assert_eq!(store.ok("readlink store/alias.gpg"), "a.gpg");
}

#[test]
fn adopts_a_store_of_ripasso() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; echo x | pass insert -m a
        printf \"#the team\\n0x$ALICE # Alice\\n0x$BOB\\n\" >store/.gpg-id; pass git commit -qam ripasso");
    let words = ["ripasso puts 0x before it", "2 comments, which stay"];
    mends(&store, &words, r"#the team\n$ALICE # Alice\n$BOB\n");
}

#[test]
fn mends_lines_that_end_as_on_windows() {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; printf \"$ALICE\\r\\n$BOB\\r\\n\" >store/.gpg-id; pass git commit -qam crlf",
    );
    mends(&store, &["CR LF"], r"$ALICE\n$BOB\n");
}

#[test]
fn entries_that_differ_stay_as_they_are_where_their_list_is_mended() {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE $BOB; echo x | pass insert -m a; echo alice@example.org >store/.gpg-id; pass git commit -qam out",
    );
    let before = store.ok("sha256sum store/a.gpg");
    holds(&adopt(&store, "pass adopt --fix", 1), &["Mended:", "a: ", "pass recipients update`"]);
    assert_eq!(store.ok("cat store/.gpg-id"), store.ok("echo $ALICE"));
    assert_eq!(store.ok("sha256sum store/a.gpg"), before);
}

#[test]
fn leaves_to_a_person_what_only_a_person_can_know() {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE; for f in missing expired revoked ambiguous; do pass init -p $f $ALICE; echo x | pass insert -m $f/a; done
        echo mallory@example.org >>store/missing/.gpg-id; echo $EXPIRED >>store/expired/.gpg-id
        echo revoked@example.org >>store/revoked/.gpg-id; echo example.org >>store/ambiguous/.gpg-id
        sed -i 's/$/\\r/' store/missing/.gpg-id; pass init -p off $ALICE $BOB; echo x | pass insert -m off/a
        printf \"$ALICE\\n$ALICE\\n\" >store/off/.gpg-id
        mkdir store/link store/junk store/empty; ln -s ../.gpg-id store/link/.gpg-id; echo x >store/junk/a.gpg; echo x >store/junk/b.age
        echo '# nobody' >store/empty/.gpg-id; pass git add -A; pass git commit -qm mess",
    );
    let lists = "cd store; for f in missing expired revoked ambiguous off link; do sha256sum $f/.gpg-id; done; sha256sum */*.gpg";
    let before = store.ok(lists);
    let words = [
        "missing/.gpg-id line 2: no public key for `mallory@example.org` is in the keyring",
        "hint: ask for the key, and import it",
        "expired on 2024-02-01",
        "was revoked",
        "could mean any of",
        "off/a: ",
        "(Bob <bob@example.org>) can read it and is not named",
        "`pass recipients update off`",
        "lines 1 and 2 name one key",
        "link/.gpg-id: ",
        "symbolic link",
        "junk/a: not an OpenPGP message",
        "1 entries are encrypted with age",
        "empty/.gpg-id: it names no recipient",
        "need a person",
    ];
    holds(&adopt(&store, "pass adopt", 1), &words);
    holds(&adopt(&store, "pass adopt --fix", 1), &words);
    assert_eq!(store.ok(lists), before, "nothing of it is touched");
}

#[test]
fn a_name_becomes_a_fingerprint_only_where_something_speaks_for_it() {
    let store = Repository::new();
    store.ok("echo $BOB:2: | gpg --quiet --import-ownertrust; gpg --quiet --check-trustdb
        printf \"$ALICE\\nbob@example.org\\n\" >store/.gpg-id; pass git commit -qam name");
    // Whoever makes a key of that address would be pinned.
    let said = adopt(&store, "pass adopt --fix", 1);
    holds(&said, &["for which nothing speaks but that", "compare the fingerprint with its owner"]);
    assert_eq!(store.ok("tail -n1 store/.gpg-id"), "bob@example.org");
    // What everything has been encrypted to so far is what is meant.
    store.ok(
        "echo x | gpg --batch --trust-model always --encrypt -r $ALICE -r $BOB >store/a.gpg; pass git add -A; pass git commit -qm a",
    );
    adopt(&store, "pass adopt --fix", 0);
    assert_eq!(store.ok("tail -n1 store/.gpg-id"), store.ok("echo $BOB"));
}

#[test]
fn a_list_that_came_from_elsewhere_is_not_accepted_by_mending_it() {
    let store = Repository::new();
    store.ok(
        "pass init $ALICE; echo x | pass insert -m a; git init -q --bare remote; git -C store remote add origin $PWD/remote
        git -C store push -q -u origin master; git clone -q remote eve; echo bob@example.org >>eve/.gpg-id
        git -C eve commit -qam harmless; git -C eve push -q; git -C store pull -q",
    );
    let said = adopt(&store, "pass adopt --fix", 1);
    holds(&said, &["`.gpg-id` stays as it is", "have changed", "recipients accept"]);
    assert_eq!(store.ok("tail -n1 store/.gpg-id"), "bob@example.org");
    store.refused("echo x | pass insert -m b", &["have changed"]);
}

#[test]
fn mends_a_store_without_git() {
    let store = crate::common::TestStore::new();
    store.shell("/usr/bin/pass init alice@example.org").good();
    let said = store.shell("pass adopt --fix").good().out();
    holds(&said, &["Mended:", "no git repository", "pass git init"]);
    assert_eq!(
        store.shell("cat store/.gpg-id; ls store/.public-keys").out(),
        store.shell("echo $ALICE; echo $ALICE").out()
    );
}
