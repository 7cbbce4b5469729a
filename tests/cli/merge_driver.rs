//! Entries merged by the real git, through our driver.

use std::fs;

use super::git::Repository;
use crate::common::{Keyring, TestStore, subject};

/// The entry that both branches start from.
const BASE: &str = "pw\nuser: a\nurl: x\n";

/// A store that git merges with us, on `master`; `other` is a branch with the entry `web/a` as it is there.
fn store() -> Repository {
    let store = Repository::new();
    put(&store, BASE);
    store.ok("git -C store branch other");
    store
}

/// Stores a text as the entry.
#[track_caller]
fn put(store: &Repository, text: &str) {
    store.pass(&["insert", "-mf", "web/a"], text).good();
}

/// Changes the entry on each branch, then stands on `master`.
#[track_caller]
fn change(store: &Repository, master: &str, other: &str) {
    store.ok("git -C store checkout -q other");
    put(store, other);
    store.ok("git -C store checkout -q master");
    put(store, master);
}

/// Merges `other`, which must conflict; returns what was said.
#[track_caller]
fn conflicts(store: &Repository) -> String {
    let merged = store.shell("git -C store merge -q --no-edit other");
    assert_eq!(merged.code, 1, "{}{}", merged.out(), merged.err());
    assert_eq!(store.ok("git -C store diff --name-only --diff-filter=U"), "web/a.gpg", "{}", merged.err());
    merged.err() + &merged.out()
}

/// Returns the name of the one version that is kept apart, without `.gpg`.
#[track_caller]
fn kept(store: &Repository) -> String {
    let all = store.ok("cd store; find . -name '*.conflict-*' -printf '%P\\n'");
    assert_eq!(all.lines().count(), 1, "{all}");
    all.strip_suffix(".gpg").expect("an entry").to_owned()
}

#[test]
fn neighbouring_lines_are_merged_without_a_question() {
    let store = store();
    change(&store, "new\nuser: a\nurl: x\n", "pw\nuser: b\nurl: x\nnote: 1\n");
    store.ok("git -C store merge -q --no-edit other");
    assert_eq!(store.decrypted("web/a"), "new\nuser: b\nurl: x\nnote: 1\n");
    assert_eq!(store.pass(&["recipients", "check"], "").good().code, 0);
    assert_eq!(store.pass(&["conflicts"], "").good().out(), "No conflicts.\n");
    store.clean();
}

#[test]
fn the_other_side_comes_to_the_same_text() {
    let store = store();
    change(&store, "pw\nuser: a\nurl: x\nb: 1\n", "pw\nuser: a\nurl: x\na: 1\n");
    store.ok("git -C store branch mine; git -C store merge -q --no-edit other");
    let one = store.decrypted("web/a");
    store.ok("git -C store checkout -q other; git -C store merge -q --no-edit mine");
    assert_eq!((store.decrypted("web/a"), &*one), (one.clone(), "pw\nuser: a\nurl: x\na: 1\nb: 1\n"));
    // Both merges, which differ in bytes, are merged to one of them, whichever side it is.
    store.ok("git -C store branch theirs; git -C store merge -q --no-edit master");
    let two = fs::read(store.dir().join("web/a.gpg")).unwrap();
    store.ok("git -C store checkout -q master; git -C store merge -q --no-edit --no-ff theirs");
    assert_eq!(fs::read(store.dir().join("web/a.gpg")).unwrap(), two);
    assert_eq!(store.decrypted("web/a"), one);
    store.clean();
}

#[test]
fn rebasing_and_picking_commits_merge_too() {
    let store = store();
    change(&store, "new\nuser: a\nurl: x\n", "pw\nuser: b\nurl: x\n");
    store.ok("git -C store checkout -q other; git -C store rebase -q master");
    assert_eq!(store.decrypted("web/a"), "new\nuser: b\nurl: x\n");
    store.clean();
}

#[test]
fn one_line_changed_by_both_keeps_both_versions() {
    let store = store();
    change(&store, "one\nuser: a\nurl: x\n", "other\nuser: a\nurl: x\n");
    let before = store.ok("git -C store rev-parse HEAD:web/a.gpg");
    let blob = store.ok("git -C store rev-parse other:web/a.gpg");
    let said = conflicts(&store);
    let kept = kept(&store);
    assert_eq!(kept, format!("web/a.conflict-{}", &blob[..8]), "by the id of what is kept");
    assert_eq!(store.ok("git -C store hash-object web/a.gpg"), before, "ours stays as it is");
    assert_eq!(store.ok(&format!("git -C store hash-object {kept}.gpg")), blob);
    assert!(said.contains("both sides changed the same lines") && said.contains(&kept), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    // As the message says.
    store.ok(&format!("pass git add web/a.gpg {kept}.gpg; pass git commit -q --no-edit"));
    assert_eq!(store.ok("pass conflicts"), format!("web/a\n  {kept}"));
    store.ok("pass conflicts pick web/a --theirs");
    assert_eq!(store.decrypted("web/a"), "other\nuser: a\nurl: x\n");
    store.clean();
}

#[test]
fn both_added_is_a_conflict_unless_they_say_the_same() {
    let store = Repository::new();
    store.ok("git -C store commit -q --allow-empty -m base; git -C store branch other");
    change(&store, "one\n", "one\n");
    store.ok("git -C store merge -q --no-edit other");
    assert_eq!(store.decrypted("web/a"), "one\n");
    store.ok("git -C store reset -q --hard HEAD^");
    put(&store, "two\n");
    let said = conflicts(&store);
    assert!(said.contains("both sides added it"), "{said}");
    assert_eq!(store.decrypted(&kept(&store)), "one\n");
}

#[test]
fn what_cannot_be_decrypted_is_kept_as_it_is() {
    let store = store();
    store.ok("git -C store checkout -q other");
    // Encrypted by another program, to somebody else alone.
    store.ok("echo secret | gpg -q --batch --trust-model always -e -r $BOB -o store/web/a.gpg --yes
        git -C store commit -qam theirs; git -C store checkout -q master");
    put(&store, "one\nuser: a\nurl: x\n");
    let blob = store.ok("git -C store rev-parse other:web/a.gpg");
    store.ok("gpg -q --batch --yes --delete-secret-keys $BOB");
    let said = conflicts(&store);
    assert!(said.contains("cannot decrypt `web/a`"), "{said}");
    assert_eq!(store.ok(&format!("git -C store hash-object {}.gpg", kept(&store))), blob);
    assert_eq!(store.decrypted("web/a"), "one\nuser: a\nurl: x\n");
}

#[test]
fn reencrypted_is_no_change() {
    let store = store();
    // Ours changes the text, theirs only the bytes: ours is taken as it is.
    change(&store, "one\nuser: a\nurl: x\n", BASE);
    let ours = store.ok("git -C store rev-parse HEAD:web/a.gpg");
    store.ok("git -C store merge -q --no-edit other");
    assert_eq!(store.ok("git -C store rev-parse HEAD:web/a.gpg"), ours);
    // Both only the bytes: the one that is encrypted to the list's keys, whichever side it is.
    let store = self::store();
    store.ok("git -C store checkout -q other
        printf 'pw\\nuser: a\\nurl: x\\n' | gpg -q --batch --yes --trust-model always -e -r $BOB -r $ALICE -o store/web/a.gpg
        git -C store commit -qam both; git -C store checkout -q master");
    put(&store, BASE);
    let ours = store.ok("git -C store rev-parse HEAD:web/a.gpg; git -C store branch mine");
    store.ok("git -C store merge -q --no-edit other");
    assert_eq!(store.ok("git -C store rev-parse HEAD:web/a.gpg"), ours);
    store.ok("git -C store checkout -q other; git -C store merge -q --no-edit mine");
    assert_eq!(store.ok("git -C store rev-parse HEAD:web/a.gpg"), ours);
}

#[test]
fn nobody_gains_access_by_a_merge() {
    // Bob is taken out on the other branch, where the password changes; the list here still names him.
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB");
    put(&store, BASE);
    store.ok("git -C store branch other");
    put(&store, "pw\nuser: b\nurl: x\n");
    store.ok("git -C store checkout -q other; pass recipients remove --yes / $BOB");
    put(&store, "secret\nuser: a\nurl: x\n");
    store.ok("git -C store checkout -q master; pass recipients accept / --expect $ALICE,$BOB");
    let said = conflicts(&store);
    let told = format!("{} could read one of the versions only", store.ok("echo $BOB"));
    assert!(said.contains(&told), "{said}");
    assert_eq!(store.decrypted(&kept(&store)), "secret\nuser: a\nurl: x\n");
    assert_eq!(store.decrypted("web/a"), "pw\nuser: b\nurl: x\n");
}

#[test]
fn recipients_that_nobody_accepted_are_not_encrypted_to() {
    let store = store();
    change(&store, "new\nuser: a\nurl: x\n", "pw\nuser: b\nurl: x\n");
    // Somebody else's commit brings a list.
    store.ok(
        "git clone -q store evil; git -C evil config user.name Eve; git -C evil config user.email eve@example.org
        echo $BOB >>evil/.gpg-id; git -C evil commit -qam harmless; git -C store pull -q ../evil master",
    );
    let said = conflicts(&store);
    assert!(said.contains("have changed") && said.contains("recipients accept"), "{said}");
    assert_eq!(store.decrypted(&kept(&store)), "pw\nuser: b\nurl: x\n");
    assert_eq!(store.decrypted("web/a"), "new\nuser: a\nurl: x\n");
}

#[test]
fn nobody_elses_ciphertext_is_merged() {
    // Who can write the list of `web` but not read `mine` copies an entry of `mine` over one of `web`, with a
    // packet for themselves in front: the merge must not hand it over.
    let store = Repository::new();
    store.ok("pass init -p web $ALICE $BOB; pass init -p mine $ALICE; printf 'pw\\nb: 1\\n' | pass insert -m mine/s");
    put(&store, "pw\n");
    store.ok("git -C store branch other; git -C store checkout -q other");
    store.ok("echo x | gpg -q --batch --yes --trust-model always -r $BOB -o packet -e
        gpg -q --batch --yes --delete-secret-keys $BOB");
    let packet = fs::read(store.root().join("packet")).unwrap();
    let secret = fs::read(store.dir().join("mine/s.gpg")).unwrap();
    let forged = [&packet[..2 + usize::from(packet[1])], &secret].concat();
    fs::write(store.dir().join("web/a.gpg"), forged).unwrap();
    store.ok("git -C store commit -qam harmless; git -C store checkout -q master");
    put(&store, "pw\na: 1\n");
    let said = conflicts(&store);
    assert!(said.contains("mine/s"), "{said}");
    assert_eq!(store.decrypted("web/a"), "pw\na: 1\n");
}

#[test]
fn other_work_trees_and_folders_are_merged_where_they_are() {
    let store = store();
    change(&store, "new\nuser: a\nurl: x\n", "pw\nuser: b\nurl: x\n");
    store.ok("git -C store worktree add -q ../tree other; cd tree; git merge -q --no-edit master");
    assert!(!fs::read_to_string(store.root().join("tree/.git")).unwrap().is_empty());
    store.ok("git -C tree diff --quiet HEAD; git -C store merge -q --no-edit other");
    assert_eq!(store.decrypted("web/a"), "new\nuser: b\nurl: x\n");
    // A conflict in the other tree is kept there.
    let store = self::store();
    change(&store, "one\n", "two\n");
    store.ok("git -C store worktree add -q ../tree other");
    assert_eq!(store.shell("cd tree; git merge -q --no-edit master").code, 1);
    assert_eq!(store.ok("ls tree/web | grep -c conflict; ls store/web"), "1\na.gpg");
    // A repository in a folder of the store, under the store's list.
    let store = Repository::new();
    store.ok(
        "mkdir store/sub; git init -q store/sub; pass git-setup; echo 1 | pass insert -m sub/a
        git -C store/sub branch other; printf '2\\n' | pass insert -mf sub/a; git -C store/sub checkout -q other
        printf '1\\nuser: a\\n' | pass insert -mf sub/a; git -C store/sub merge -q --no-edit master",
    );
    assert_eq!(store.decrypted("sub/a"), "2\nuser: a\n");
}

#[test]
fn nobody_is_waited_for() {
    // Whoever calls git may hold the store's lock; what cannot be merged then is kept apart as well.
    let store = store();
    change(&store, "new\nuser: a\nurl: x\n", "pw\nuser: b\nurl: x\n");
    let merge = "timeout 20 flock store flock store/.git git -C store merge -q --no-edit";
    store.ok(&format!("{merge} other"));
    assert_eq!(store.decrypted("web/a"), "new\nuser: b\nurl: x\n");
    change(&store, "one\nuser: b\nurl: x\n", "two\nuser: b\nurl: x\n");
    assert_eq!(store.shell(&format!("{merge} other")).code, 1);
    kept(&store);
}

#[test]
fn plaintext_never_touches_the_disk() {
    let store = store();
    change(&store, "one canary\nuser: a\nurl: x\n", "two canary\nuser: canary\nurl: x\n");
    // What is written to a file or handed to another program; gpg and the agent are asked through pipes.
    let calls = "openat,execve,write,pwrite64,writev,sendfile";
    let line =
        // Started by what is traced, the agent would be waited for.
        format!(
            "gpgconf --launch gpg-agent; strace -f -y -e trace={calls} -s 9999 -o trace git -C store merge -q --no-edit other"
        );
    assert_eq!(store.shell(&line).code, 1);
    let trace = String::from_utf8_lossy(&fs::read(store.root().join("trace")).unwrap()).into_owned();
    assert!(trace.contains("merge-driver"), "it was called");
    let places =
        [store.root().to_str().expect("it is ours"), "/tmp", "/var"].map(|place| format!("<{place}"));
    let leaks: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains("canary"))
        .filter(|line| line.contains("execve(") || places.iter().any(|place| line.contains(place)))
        .collect();
    assert_eq!(leaks, [""; 0]);
    let kept = kept(&store);
    store.ok(&format!("pass git add web/a.gpg {kept}.gpg; pass git commit -q --no-edit"));
    let found = store.shell("grep -rl canary store home 2>/dev/null");
    assert_eq!(found.out(), "");
    assert_eq!(store.shell("find store -name '.merge_file*' -o -name '*.new'").out(), "");
}

#[test]
fn setting_up_tells_git_and_nobody_else() {
    let store = TestStore::new();
    store.shell("pass init $ALICE && cd store && git init -q && git add -A && git commit -qm first").good();
    let said = store.pass(&["git-setup"], "").good().out();
    for word in [
        "merge.passel.driver = pass merge-driver %O %A %B %P",
        "diff.gpg.textconv = gpg",
        "info/attributes: *.gpg merge=passel",
        "info/attributes: *.gpg diff=gpg",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(
        store.shell("git -C store check-attr merge diff -- web/a.gpg").out(),
        "web/a.gpg: merge: passel\nweb/a.gpg: diff: gpg\n"
    );
    assert_eq!(store.shell("git -C store status --porcelain").out(), "");
    // Once is enough, and what is set for diffs stays.
    store.shell("git -C store config diff.gpg.textconv mine").good();
    assert!(store.pass(&["git-setup"], "").good().out().contains("already"));
    assert_eq!(
        store
            .shell("git -C store config --get-all diff.gpg.textconv; grep -c . store/.git/info/attributes")
            .out(),
        "mine\n2\n"
    );
}

#[test]
fn setting_up_adds_no_line_that_the_store_has() {
    let store = Repository::new();
    assert_eq!(store.ok("cat store/.git/info/attributes"), "*.gpg merge=passel");
    assert_eq!(store.ok("git -C store config merge.passel.driver"), "pass merge-driver %O %A %B %P");
    // By its place, where no name leads to it.
    let path = subject();
    store.ok(&format!("ln -s '{}' \"it's\"; PATH=${{PATH#*:}} \"./it's\" git-setup", path.display()));
    let driver = store.ok("git -C store config merge.passel.driver");
    assert_eq!(driver, format!("'{}' merge-driver %O %A %B %P", path.canonicalize().unwrap().display()));
    let none = TestStore::with(&subject(), &Keyring::new());
    none.shell("pass init $ALICE").good();
    let refused = none.pass(&["git-setup"], "");
    assert!(refused.code == 1 && refused.err().contains("not a git repository"), "{}", refused.err());
}

#[test]
fn plaintext_in_notes_is_refused() {
    let store = Repository::new();
    for (set, driver) in [
        ("git -C store config diff.gpg.cachetextconv true", "gpg"),
        ("git config --global diff.gpg.cachetextconv yes", "gpg"),
        (
            "echo '*.gpg diff=own' >>store/.git/info/attributes; git -C store config diff.own.cachetextconv on",
            "own",
        ),
    ] {
        store.ok(set);
        let said = store.refused("pass git-setup", &[&format!("diff.{driver}.cachetextconv")]).err();
        assert!(said.contains(&format!("pass git update-ref -d refs/notes/textconv/{driver}")), "{said}");
        // The hint mends it.
        let mend =
            said.split('`').find(|part| part.starts_with("pass git config")).expect("a command").to_owned();
        store.ok(&format!("{mend}; pass git-setup"));
    }
    // It is about entries alone, and the last word counts.
    store.ok(
        "git config --global diff.gpg.cachetextconv true; git -C store config diff.gpg.cachetextconv false
        git -C store config diff.word.cachetextconv true; pass git-setup",
    );
    // Nor is a store put under git so.
    let fresh = TestStore::new();
    fresh.shell("pass init $ALICE && git config --global diff.gpg.cachetextconv true").good();
    let refused = fresh.pass(&["git", "init"], "");
    assert!(refused.code == 1 && refused.err().contains("cachetextconv"), "{}", refused.err());
    assert!(!fresh.dir().join(".git").exists());
}
