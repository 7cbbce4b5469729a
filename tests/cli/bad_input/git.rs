//! Repositories that are missing, busy or in disorder.

use std::fs;

use super::Bad;
use crate::cli::hostile::look::is_new_object;
use crate::common::TestStore;

#[test]
fn git_in_a_store_without_a_repository_says_so() {
    let store = TestStore::new();
    store.pass(&["init", store.keyring().fingerprint("alice")], "").good();
    let output = store.pass(&["git", "log"], "");
    assert_eq!(output.code, 1);
    assert!(output.err().contains("not a git repository"), "{}", output.err());
    // Without a repository a store works all the same.
    store.pass(&["insert", "-m", "a"], "x\n").good();
    assert_eq!(store.pass(&["show", "a"], "").good().out(), "x\n");
}

#[test]
fn a_merge_in_progress_is_left_alone() {
    let bad = Bad::new();
    let script = "cd store && git checkout -q -b other && echo one >note && git add note && git commit -q -m 1 \
                  && git checkout -q master && echo two >note && git add note && git commit -q -m 2";
    bad.0.shell(script).good();
    assert_eq!(bad.0.shell("git -C store merge -q other").code, 1, "it conflicts");
    for args in [&["insert", "-mf", "a"][..], &["rm", "-f", "a"], &["mv", "a", "b"], &["generate", "-i", "a"]]
    {
        bad.refuses(args, "middle of a merge");
        bad.refuses(args, "git merge --abort");
    }
    assert_eq!(bad.0.pass(&["show", "a"], "").good().out(), "a\nmore\n", "reading goes on");
    bad.0.shell("pass git merge --abort && pass rm -f a").good();
}

#[test]
fn changes_of_others_are_not_swept_into_a_commit() {
    let bad = Bad::new();
    let script = "cd store && echo tracked >note && echo other >staged && git add note && git commit -q -m note \
                  && echo dirty >note && git add staged && echo untracked >stray";
    bad.0.shell(script).good();
    let status = || bad.0.shell("git -C store status --porcelain").good().out();
    let before = status();
    assert_eq!(before, " M note\nA  staged\n?? stray\n");
    let last = || bad.0.shell("git -C store show --name-only --format= HEAD").good().out();
    bad.0.pass(&["insert", "-mf", "a"], "new\n").good();
    assert_eq!((status(), last()), (before.clone(), "a.gpg\n".into()));
    bad.0.pass(&["mv", "a", "moved"], "").good();
    assert_eq!(status(), before);
    bad.0.pass(&["generate", "-i", "moved"], "").good();
    bad.0.pass(&["rm", "-f", "moved"], "").good();
    assert_eq!((status(), last()), (before, "moved.gpg\n".into()));
    assert_eq!(fs::read_to_string(bad.0.dir().join("note")).expect("it stays"), "dirty\n");
}

#[test]
fn without_a_name_for_the_commit_nothing_is_stored() {
    let bad = Bad::new();
    for args in ["insert -mf a <input", "rm -f a", "mv a b", "generate -f new"] {
        fs::write(bad.0.root().join("input"), "new\n").expect("the folder is ours");
        bad.refuses_line(&format!("GIT_CONFIG_GLOBAL=/dev/null EMAIL= pass {args}"), "user.name");
    }
}

#[test]
#[ignore = "long: make test-long"]
fn a_stale_index_lock_is_named_with_its_age_and_the_mend() {
    let bad = Bad::new();
    let lock = bad.0.dir().join(".git/index.lock");
    bad.0.shell("touch -d '2 minutes ago' store/.git/index.lock").good();
    let before = bad.look();
    let output = bad.0.pass(&["insert", "-mf", "a"], "new\n");
    let said = output.err();
    assert!(output.code == 1 && said.contains(&format!("rm {}", lock.display())), "{said}");
    let mut changed = bad.look().differences(&before);
    // The commit was made before git's lock could not be had, as git makes it.
    changed.retain(|difference| !is_new_object(difference));
    assert_eq!(changed, Vec::<String>::new());
    let age: u64 =
        said.split(" s old").next().and_then(|t| t.rsplit(' ').next()?.parse().ok()).expect("an age");
    assert!((120..200).contains(&age), "{said}");
    fs::remove_file(lock).expect("it is still there");
    bad.0.pass(&["insert", "-mf", "a"], "new\n").good();
}

#[test]
fn changes_of_many_files_are_one_commit_each() {
    // From 16 files on, objects go into one pack.
    let bad = Bad::new();
    for number in 0..20 {
        fs::create_dir_all(bad.0.dir().join("many")).expect("the store is ours");
        fs::copy(bad.0.dir().join("a.gpg"), bad.0.dir().join(format!("many/{number}.gpg")))
            .expect("it is there");
    }
    bad.0.shell("git -C store add -A && git -C store commit -q -m many").good();
    let bob = bad.0.keyring().fingerprint("bob").to_owned();
    let before = bad.0.subjects().len();
    for args in
        [&["init", &bob][..], &["cp", "many", "d/x"], &["mv", "many", "moved"], &["rm", "-rf", "moved"]]
    {
        bad.0.pass(args, "").good();
    }
    assert_eq!(bad.0.subjects().len(), before + 4);
    assert_eq!(bad.0.shell("git -C store fsck --strict 2>&1; git -C store status --porcelain").out(), "");
    assert_eq!(bad.0.pass(&["show", "d/x/7"], "").good().out(), "a\nmore\n");
}
