//! What sync meets beyond what people do to entries: full disks, submodules, forged packets, other file systems.

use super::Pair;
use crate::cli::bad_input::Disk;
use crate::cli::copies::forged;

#[test]
fn a_full_disk_leaves_a_whole_store_and_is_made_good() {
    let pair = Pair::new();
    pair.ok("pass init -p web $ALICE $BOB $CAROL; pass sync; b sync || true; b recipients accept web --expect $ALICE,$BOB,$CAROL
        printf 'new\\nuser: u\\nurl: l\\nnote\\n' | pass insert -mf web/x; for n in $(seq 40); do echo $n | pass insert -m web/n$n; done; pass sync
        b recipients remove web $CAROL --yes; printf 'pw\\nuser: u\\nurl: l2\\nnote\\n' | b insert -mf web/x; cp -a b whole; cp -a remote there");
    let _disk = Disk::over(&pair.0.root().join("b"), "3m");
    let state = "cd b; git rev-parse HEAD; git --no-optional-locks status --porcelain; git ls-files -s";
    let (mut failed, mut done) = (0, 0);
    for free in (0..900).step_by(60) {
        pair.ok(&format!(
            "rm -rf remote; cp -a there remote; find b -mindepth 1 -delete; cp -aT whole b; git -C b update-index -q --refresh; cat /dev/zero >b/.git/filling 2>/dev/null || true
            size=$(stat -c %s b/.git/filling); test {free} = 0 || truncate -s $((size - {free} * 1024)) b/.git/filling"
        ));
        let before = pair.ok(state);
        let output = pair.0.shell("PASSWORD_STORE_DIR=$PWD/b pass sync");
        let said = output.out() + &output.err();
        match output.code {
            0 => done += 1,
            _ => {
                assert!(said.contains("No space left on device"), "{free} KiB: {} {said}", output.code);
                failed += 1;
            }
        }
        // Whole, and all of it committed: as it was, or as far as it came.
        assert_eq!(pair.ok("git -C b --no-optional-locks status --porcelain"), "", "{free} KiB: {said}");
        if pair.ok(state) != before {
            pair.ok("git -C b merge-base --is-ancestor $(git -C whole rev-parse HEAD) HEAD");
        }
        pair.ok("rm b/.git/filling; b sync");
        assert_eq!(pair.ok("b show web/x; b show web/n40"), "new\nuser: u\nurl: l2\nnote\n40", "{free} KiB");
        let heads = pair.ok("git -C b rev-parse HEAD; git -C remote rev-parse master");
        let heads: Vec<&str> = heads.lines().collect();
        assert_eq!(heads[0], heads[1], "{free} KiB");
        // What git wrote of a pack until the disk was full, its gc removes.
        pair.ok("find b/.git/objects -name 'tmp_*' -delete");
        pair.0.clean_in("b");
    }
    println!("{failed} syncs on full disks failed, {done} did not");
    assert!(failed > 2 && done > 0, "{failed} failed, {done} did not");
}

#[test]
fn submodules_on_a_branch_are_synced_by_themselves() {
    let pair = Pair::new();
    pair.ok(
        "git init -q --bare sub.git; git clone -q sub.git sub 2>/dev/null; cp store/.gpg-id sub; cd sub; git add -A
        git commit -qm sub; git push -q origin master; cd ../store; git -c protocol.file.allow=always submodule -q add -b master $PWD/../sub.git team
        git commit -qm team; cd ..; pass sync; b sync; cd b; git -c protocol.file.allow=always submodule -q update --init
        git -C team switch -q master; git -C team config user.name Bob; git -C team config user.email bob@example.org",
    );
    pair.ok("echo deep | pass insert -m team/x; pass sync");
    pair.says(0, "b sync", &["team/x"]);
    assert_eq!(pair.ok("b show team/x"), "deep");
    // Both go on; each merges by itself.
    pair.ok("printf 'deep\\na: 1\\n' | pass insert -mf team/x; echo 1 | pass insert -m one; pass sync");
    pair.ok("printf 'deep\\na: 0\\n' | b insert -mf team/y; b sync; pass sync");
    assert_eq!(pair.ok("b show team/x; b show one; pass show team/y"), "deep\na: 1\n1\ndeep\na: 0");
    pair.0.clean_in("b/team");
    pair.0.clean_in("store/team");
}

#[test]
fn a_forged_packet_hands_over_nothing_in_a_merge() {
    let pair = Pair::new();
    pair.ok("pass init -p secret $ALICE $BOB; pass init -p shared $ALICE $BOB $DAVE
        printf 'treasure\\na: 1\\n' | pass insert -m secret/x; printf 'plain\\na: 1\\n' | pass insert -m shared/y; pass sync
        b sync || true; b recipients accept secret --expect $ALICE,$BOB; b recipients accept shared --expect $ALICE,$BOB,$DAVE; b sync");
    let secret = std::fs::read(pair.0.dir().join("secret/x.gpg")).expect("it is there");
    let forged = forged(&pair.0, &secret);
    // In place of the entry that Bob edits, beside it, and as the version of a conflict.
    for (number, to) in ["shared/y", "shared/z", "shared/y.conflict-0123abcd"].into_iter().enumerate() {
        pair.ok("rm -rf evil; git clone -q remote evil; git -C evil config user.name Eve; git -C evil config user.email eve@example.org");
        std::fs::write(pair.0.root().join(format!("evil/{to}.gpg")), &forged).expect("the folder is ours");
        pair.ok(&format!(
            "git -C evil add -A; git -C evil commit -qm harmless; git -C evil push -q
            printf 'plain\\na: {number}\\nb: {number}\\n' | bput shared/y"
        ));
        let output = pair.0.shell("PASSWORD_STORE_DIR=$PWD/b pass sync; PASSWORD_STORE_DIR=$PWD/b pass sync");
        assert!([0, 3].contains(&output.code), "{to}: {}{}", output.out(), output.err());
        // The keyring of the tests opens all; whose message it is, the packets say.
        for folder in ["b", "remote"] {
            let blobs = pair.ok(&format!(
                "git -C {folder} rev-list --objects --all | grep '\\.gpg$' | cut -d' ' -f1 | sort -u"
            ));
            for blob in blobs.lines() {
                let git = ["-C", folder, "cat-file", "blob", blob];
                let message = pair.0.run("git", &git, b"").good().stdout;
                let opened = pair.0.keyring().open(&message);
                let is_secret = opened.plaintext.is_some_and(|text| text.starts_with(b"treasure"));
                let for_dave = opened.recipients.iter().any(|id| pair.0.keyring().bearer(id) == "dave");
                assert!(message == forged || !(is_secret && for_dave), "{to}: {blob} in {folder}");
            }
        }
    }
}

#[test]
fn names_that_differ_in_case_alone_are_refused_where_they_would_be_one() {
    let pair = Pair::new();
    pair.ok("cp store/web/x.gpg store/web/X.gpg; git -C store add -A; git -C store commit -qm case; git -C store push -q");
    pair.refuses(1, "git -C b config core.ignorecase true; b sync", &["web/X.gpg", "web/x.gpg"]);
    pair.ok("git -C b config core.ignorecase false; b sync; test -e b/web/X.gpg");
    pair.in_step();
}

#[test]
fn syncs_of_one_clone_at_once_all_end_well() {
    let pair = Pair::new();
    for round in 0..6 {
        pair.ok(&format!(
            "echo {round} | pass insert -m a{round}; pass sync; echo {round} | b insert -m b{round}
            for n in 1 2 3; do (b sync >said$n 2>&1 || {{ echo exit $? of $n; cat said$n; }}) & done >failed; wait; cat failed >&2; test ! -s failed"
        ));
        pair.ok("pass sync");
    }
    pair.in_step();
    assert_eq!(pair.ok("ls store | grep -c '^[ab][0-9]'"), "12");
}
