//! Hooks: run when git would run them, and heeded.

use super::Repository;

#[test]
fn a_hook_that_refuses_leaves_everything_as_it_was() {
    let store = Repository::new();
    store.ok("pass generate -n web/a; pass generate -n web/b");
    for hook in ["pre-commit", "prepare-commit-msg", "commit-msg"] {
        store.script(&format!("store/.git/hooks/{hook}"), "#!/bin/sh\necho to stdout\nexit 3\n");
        for line in [
            "echo x | pass insert -m new/c",
            "pass generate -f web/a",
            "pass mv web net",
            "pass rm -rf web",
            "pass init $ALICE $BOB",
        ] {
            let output = store.refused(line, &[hook, "exit code 3", "to stdout"]);
            assert!(!output.out().contains("to stdout"), "standard output is the command's own");
        }
        store.ok(&format!("rm store/.git/hooks/{hook}"));
    }
    store.clean();
}

#[test]
fn a_pre_commit_sees_exactly_our_change_and_may_add_to_it() {
    let store = Repository::new();
    store.ok("pass generate a; echo s >store/staged; git -C store add staged");
    store.script(
        "store/.git/hooks/pre-commit",
        "#!/bin/sh\ngit diff --cached --name-status >../seen\ngit rev-parse HEAD >../head\npwd >../pwd\n\
         echo \"$GIT_INDEX_FILE\" >../index\n",
    );
    let head = store.ok("git -C store rev-parse HEAD");
    store.ok("pass mv a web/b");
    assert_eq!(store.ok("cat seen"), "R100\ta.gpg\tweb/b.gpg");
    assert_eq!(store.ok("cat head"), head, "the branch had not moved");
    assert_eq!(store.ok("cat pwd"), store.ok("realpath store"));
    assert!(!store.ok("cat index").ends_with("/index"), "a temporary index");
    assert_eq!(store.ok("git -C store status --porcelain"), "A  staged");
    store.script("store/.git/hooks/pre-commit", "#!/bin/sh\ndate >listing\ngit add listing\n");
    store.ok("pass generate c");
    assert!(store.last().ends_with("\n\nA\tc.gpg\nA\tlisting"), "{}", store.last());
    assert_eq!(store.ok("git -C store status --porcelain"), "A  staged");
    assert_eq!(store.ok("git -C store diff --cached --name-only"), "staged");
}

#[test]
fn a_pre_commit_that_stages_everything_does_not_lose_our_change() {
    let store = Repository::new();
    store.ok("pass generate web/a; echo >store/stray");
    store.script("store/.git/hooks/pre-commit", "#!/bin/sh\ngit add -A\n");
    for (line, changed) in [
        ("pass generate b", "A\tb.gpg\nA\tstray"),
        ("pass mv web/a net/a", "A\tnet/a.gpg\nD\tweb/a.gpg"),
        ("pass rm -f b", "D\tb.gpg"),
    ] {
        store.ok(line);
        assert!(store.last().ends_with(&format!("\n\n{changed}")), "{line}: {}", store.last());
        store.clean();
    }
}

#[test]
fn messages_may_be_rewritten_but_not_emptied() {
    let store = Repository::new();
    store.script(
        "store/.git/hooks/prepare-commit-msg",
        "#!/bin/sh\necho \"$2\" >kind\nsed -i '1s/^/[ann] /' \"$1\"\n",
    );
    store.script(
        "store/.git/hooks/commit-msg",
        "#!/bin/sh\nmv kind ..\nprintf '\\nSigned-off-by: Ann\\n\\n\\n' >>\"$1\"\n",
    );
    store.ok("pass generate '#a'");
    assert_eq!(
        store.ok("git -C store log -1 --format=%B"),
        "[ann] Add generated password for #a.\n\nSigned-off-by: Ann"
    );
    assert_eq!(store.ok("cat kind"), "message");
    store.clean();
    store.script("store/.git/hooks/commit-msg", "#!/bin/sh\nrm kind\n: >\"$1\"\n");
    store.refused("pass generate b", &["empty"]);
}

#[test]
fn hooks_are_found_where_git_finds_them() {
    let store = Repository::new();
    let hook = "#!/bin/sh\necho \"$0\" >>\"$HOME/ran\"\n";
    for folder in ["store/.git/hooks", "store/our hooks", "home/hooks"] {
        store.script(&format!("{folder}/pre-commit"), hook);
    }
    store.ok("git -C store add -A; pass generate a; git -C store config core.hooksPath 'our hooks'; pass generate b
        git -C store config core.hooksPath '~/hooks'; pass generate c");
    let ran = store.ok("cat home/ran");
    let folders: Vec<&str> = ran.lines().map(|line| line.rsplit('/').nth(1).unwrap()).collect();
    assert_eq!(folders, ["hooks", "our hooks", "hooks"]);
    assert!(ran.lines().last().unwrap().contains("/home/"));
    // Without the right to execute it, git passes a hook over; without `#!`, the shell runs it.
    store.ok("chmod -x home/hooks/pre-commit; rm home/ran; pass generate d; test ! -e home/ran
        echo 'echo plain >>\"$HOME/ran\"' >home/hooks/pre-commit; chmod +x home/hooks/pre-commit; pass generate e");
    assert_eq!(store.ok("cat home/ran"), "plain");
    store.ok("git -C store config core.hooksPath /dev/null; pass generate f");
}

#[test]
fn a_post_commit_may_push_and_call_us_again() {
    let store = Repository::new();
    store.bare_remote("remote.git");
    store.ok("git -C store remote add origin ../remote.git; git -C store push -q -u origin master");
    store.script(
        "store/.git/hooks/post-commit",
        "#!/bin/sh\ntest -z \"$AGAIN\" || exit 0\nexport AGAIN=1\npass show a >../shown\n\
         echo y | pass insert -m b\ngit push -q\n",
    );
    let output = store.shell("echo x | pass insert -m a");
    assert_eq!(output.code, 0, "{}", output.err());
    assert!(!output.err().contains("warning") && !output.err().contains("error"), "{}", output.err());
    assert_eq!(store.ok("cat shown"), "x");
    assert_eq!(store.decrypted("b"), "y\n");
    assert_eq!(
        store.ok("git -C remote.git log -2 --format=%s"),
        "Add given password for b to store.\nAdd given password for a to store."
    );
    store.clean();
    store.script("store/.git/hooks/post-commit", "#!/bin/sh\nexit 9\n");
    let output = store.shell("echo x | pass insert -m c");
    assert_eq!(output.code, 0, "what is done is done");
    assert!(output.err().contains("post-commit") && output.err().contains('9'), "{}", output.err());
    store.clean();
}
