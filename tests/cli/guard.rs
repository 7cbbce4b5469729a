//! The guard: lists of recipients that came from elsewhere are not encrypted to before a person's word.

mod accepting;
mod out_of_sight;
mod places;
mod returning;
mod rules;

use super::git::Repository;

/// What encrypts, one way or another; each works where the guard does not stop it.
const ENCRYPTS: [&str; 7] = [
    "echo x | pass insert -mf web/a",
    "EDITOR=$PWD/editor pass edit web/a",
    "pass generate -f web/new 9",
    "pass mv mine/b web/c",
    "pass cp mine/b web/c",
    "pass init -p web/sub $ALICE; echo x | pass insert -m web/b",
    "pass recipients add --yes web $CAROL",
];

/// A store with a remote, where somebody else can push; `web` and `mine` have lists of their own.
fn shared() -> Repository {
    let store = Repository::new();
    store.ok(
        "echo 'echo changed >>$1' >edit.sh; printf '#!/bin/sh\\necho changed >>$1\\n' >editor; chmod +x editor
        pass init $ALICE $BOB; pass init -p web $ALICE $BOB; pass init -p mine $ALICE
        echo 1 | pass insert -m web/a; echo 2 | pass insert -m mine/b; echo 3 | pass insert -m free/c
        git init -q --bare remote; git -C store remote add origin $PWD/remote; git -C store push -q -u origin master
        git clone -q remote evil; git -C evil config user.name Eve; git -C evil config user.email eve@example.org",
    );
    store
}

/// Lets Eve run a line in her clone and push; ours pulls it in.
fn eve(store: &Repository, line: &str) {
    store.ok(&format!(
        "git -C evil pull -q; cd evil; {line}; git add -A; git commit -qm harmless; git push -q; cd ..; git -C store pull -q"
    ));
}

/// Checks that `line` is refused with these words, and that nothing was encrypted or changed.
#[track_caller]
fn refuses(store: &Repository, line: &str, words: &[&str]) {
    store.refused(line, &[&["have changed", "recipients accept"], words].concat());
}

#[test]
fn nothing_is_encrypted_to_a_key_that_came_from_elsewhere() {
    let store = shared();
    eve(&store, "echo $DAVE >>web/.gpg-id");
    let dave = store.ok("echo $DAVE");
    for line in &ENCRYPTS {
        // Only the last command of a line is the one that meets the folder's list.
        let line = line.replace("pass init -p web/sub $ALICE; ", "");
        refuses(&store, &line, &[&format!("{dave} gains access"), "Eve <eve@example.org>"]);
    }
    // What is above it has a list of its own: the folder is left as it is.
    let said = store.shell("pass init $ALICE").good().err();
    assert!(said.contains("what `web/.gpg-id` rules is left as it is") && said.contains(&dave), "{said}");
    assert_eq!(
        store
            .ok("pass show web/a; echo 5 | pass insert -m mine/d; pass rm -f mine/d; pass show mine/b")
            .lines()
            .next(),
        Some("1")
    );
    // Not without a person, not for another set; then for good.
    store.refused("pass recipients accept web", &["nobody can be asked", "--expect"]);
    store.refused("pass recipients accept web --expect $ALICE", &["are not those expected"]);
    let said = store.ok("pass recipients accept web --expect $ALICE,$BOB,$DAVE");
    assert!(
        said.contains(&format!("gains   {dave}")) && said.contains("Accepted the recipients of 1"),
        "{said}"
    );
    assert!(store.ok("pass recipients accept").contains("Nothing to accept"));
    for line in &ENCRYPTS {
        store.ok(line);
        store.ok("git -C store reset -q --hard origin/master; git -C store clean -qfd");
    }
}

#[test]
#[ignore = "long: make test-long"]
fn every_way_to_change_who_can_read_a_folder_is_seen() {
    let dave = Repository::new().ok("echo $DAVE");
    for (line, target, words) in [
        // At the root, for a folder that inherits.
        ("echo $DAVE >>.gpg-id", "free/c", format!("{dave} gains access")),
        // A list of its own for a folder that had none, deeper down.
        ("mkdir -p free/deep; echo $DAVE >free/deep/.gpg-id", "free/deep/x", format!("{dave} gains access")),
        // The folder's own list deleted: the root's would rule.
        ("git rm -q mine/.gpg-id", "mine/b", "gains access".to_owned()),
        // Another folder's list copied.
        ("cp web/.gpg-id mine/", "mine/b", "gains access".to_owned()),
        // The list moved away with its folder, another one put there.
        ("git mv mine old; mkdir mine; cp web/.gpg-id mine/", "mine/b", "gains access".to_owned()),
    ] {
        let store = shared();
        eve(&store, line);
        refuses(&store, &format!("echo x | pass insert -mf {target}"), &[&words]);
        refuses(&store, &format!("pass generate -f {target} 9"), &[&words]);
        store.ok("pass show web/a; echo x | pass insert -mf web/a");
    }
    // Fewer readers are a change too: somebody would be kept out unseen.
    let store = shared();
    eve(&store, "echo $ALICE >web/.gpg-id");
    refuses(&store, "echo x | pass insert -mf web/a", &["loses it"]);
    // A link in place of a list is refused as such.
    eve(&store, "rm web/.gpg-id; ln -s ../mine/.gpg-id web/.gpg-id");
    store.refused("echo x | pass insert -mf web/a", &["symbolic link"]);
}

#[test]
fn replaying_what_once_was_right_is_seen() {
    let store = shared();
    // Signed lists, as pass has them; Bob was in, is out, and his time is replayed, signature and all.
    let sign = "export PASSWORD_STORE_SIGNING_KEY=$ALICE";
    store.ok(&format!(
        "{sign}; pass init -p web $ALICE; pass init -p mine $ALICE; pass init $ALICE $BOB; git -C store tag old; pass init $ALICE; git -C store push -q"
    ));
    store.ok(&format!("{sign}; echo x | pass insert -mf free/c; git -C store push -q"));
    let old = store.ok("git -C store rev-parse old");
    store.ok("git -C store push -q origin old");
    eve(&store, &format!("git fetch -q --tags; git checkout -q {old} -- .gpg-id .gpg-id.sig"));
    let line = format!("{sign}; echo x | pass insert -mf free/c");
    refuses(&store, &line, &["gains access again, after it was removed"]);
}

#[test]
fn an_address_that_leads_to_another_key_is_seen() {
    let store = shared();
    store.ok(
        "pass init alice@example.org carol@example.org; git -C store push -q; echo x | pass insert -mf free/c
        gpg -q --batch --yes --delete-secret-and-public-key $CAROL
        gpg -q --batch --passphrase '' --quick-gen-key carol@example.org future-default - never",
    );
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access", "loses it"]);
}

#[test]
#[ignore = "long: make test-long"]
fn content_of_a_remote_in_a_commit_of_our_own_is_seen() {
    for take in [
        "git checkout -q origin/master -- .gpg-id",
        "git checkout -q origin/master -- .gpg-id; git commit -qm mine",
        "git merge -q --squash origin/master; git commit -qm squashed",
        "git merge -q --no-ff -m merged origin/master",
        "git cherry-pick origin/master",
        "git rebase -q origin/master",
        "git fetch -q origin master; git show FETCH_HEAD:.gpg-id >.gpg-id; git commit -qam copied",
    ] {
        let store = shared();
        store.ok("cd evil; echo $DAVE >>.gpg-id; git commit -qam harmless; git push -q; cd ../store
            git commit -q --allow-empty -m ours; git fetch -q origin 2>/dev/null");
        store.ok(&format!("cd store; {take} >/dev/null"));
        refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
    }
}

#[test]
fn a_change_made_here_needs_no_word() {
    let stock = crate::common::stock_pass();
    let stock = stock.display();
    for line in [
        format!("{stock} init $ALICE $CAROL"),
        "echo $CAROL >>store/.gpg-id".to_owned(),
        "echo $CAROL >>store/.gpg-id; git -C store commit -qam mine".to_owned(),
        "echo $CAROL >>store/.gpg-id; git -C store commit -qam mine; git -C store commit -q --amend -m again".to_owned(),
        "git -C store worktree add -q -b other ../other; echo $CAROL >>other/.gpg-id; git -C other commit -qam there;
         git -C store merge -q other".to_owned(),
    ] {
        let store = shared();
        store.ok(&line);
        let output = store.shell("echo x | pass insert -mf free/c");
        assert_eq!(output.code, 0, "{line}: {}", output.err());
        assert!(output.err().contains("changed here: accepted"), "{line}: {}", output.err());
        let again = store.shell("echo y | pass insert -mf free/c").good().err();
        assert!(!again.contains("accepted"), "told once: {again}");
    }
}

#[test]
fn where_nobody_can_tell_who_made_a_change_a_word_is_needed() {
    for forget in
        ["git reflog expire --expire=all --all", "git config core.logAllRefUpdates false; rm -r .git/logs"]
    {
        let store = shared();
        store.ok(&format!(
            "cd store; {forget}; echo $CAROL >>.gpg-id; git commit -qam mine; {forget} || true"
        ));
        refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
        store.ok("pass recipients accept / --expect $ALICE,$BOB,$CAROL; echo x | pass insert -mf free/c");
    }
}

#[test]
fn the_first_use_on_a_machine_accepts_what_it_finds_and_says_so() {
    let store = shared();
    store.ok("git clone -q remote second; git -C second log -1 --format=%s");
    let line = "PASSWORD_STORE_DIR=$PWD/second; export PASSWORD_STORE_DIR; echo x | pass insert -mf free/c";
    let first = store.shell(line);
    assert_eq!(first.code, 0, "{}", first.err());
    assert!(first.err().contains("first use on this machine: 3 lists"), "{}", first.err());
    assert_eq!(store.shell(line).err(), "");
    let shown = store.shell("PASSWORD_STORE_DIR=$PWD/second pass show web/a");
    assert_eq!((shown.err().as_str(), shown.out().as_str()), ("", "1\n"));
}

#[test]
fn a_list_met_without_its_keys_is_accepted_once_they_are_there() {
    let store = shared();
    let line = "export GNUPGHOME=$PWD/h PASSWORD_STORE_DIR=$PWD/colleague";
    store.ok(
        "mkdir -m 700 h; git clone -q remote colleague; export GNUPGHOME=$PWD/h; echo no-auto-key-locate >h/gpg.conf
        gpg -q --batch --import $KEYS/alice.asc 2>/dev/null; PASSWORD_STORE_DIR=$PWD/colleague pass insert -m mine/n <<<x",
    );
    let refused = store.shell(&format!("{line}; pass insert -m web/n <<<x"));
    assert_eq!(refused.code, 1);
    assert!(refused.err().contains("no public key"), "{}", refused.err());
    store.ok(&format!("{line}; gpg -q --batch --import $KEYS/bob.asc 2>/dev/null; pass insert -m web/n <<<x; pass show web/n"));
    // But not another list.
    store.ok("echo $CAROL >>evil/web/.gpg-id; cd evil; git commit -qam more; git push -q; git -C ../colleague stash -q; git -C ../colleague pull -q --rebase");
    let refused = store.shell(&format!("{line}; gpg -q --batch --import $KEYS/carol.asc 2>/dev/null; pass insert -m web/m <<<x; gpgconf --kill all"));
    assert!(refused.err().contains("have changed"), "{}", refused.err());
}

#[test]
fn a_record_of_another_format_or_a_damaged_one_is_refused() {
    let store = shared();
    for (text, word) in
        [("version: 2\\nfolders: {}", "format 2"), ("nonsense", "damaged"), ("version: 1", "damaged")]
    {
        store.ok(&format!("printf '{text}\\n' >store/.git/passel-accepted"));
        store.refused("echo x | pass insert -mf free/c", &[word, "hint:"]);
        store.ok("pass show web/a");
    }
}

#[test]
fn a_key_that_nobody_certified_is_encrypted_to_once_accepted() {
    let store = shared();
    // A colleague's machine: public keys without any trust, and a secret key of their own.
    store.ok("mkdir -m 700 h; export GNUPGHOME=$PWD/h; echo no-auto-key-locate >h/gpg.conf
        for key in alice bob dave; do gpg -q --batch --import $KEYS/$key.asc; done 2>/dev/null
        git clone -q remote colleague; export PASSWORD_STORE_DIR=$PWD/colleague
        echo theirs | pass insert -m web/theirs; pass show web/theirs; gpgconf --kill all");
    assert_eq!(store.ok("git -C colleague push -q; git -C store pull -q; pass show web/theirs"), "theirs");
}

#[test]
fn tricks_of_git_do_not_make_a_fetched_list_ours() {
    // Turned into a list by .gitattributes: the blob in the commit is none.
    let store = shared();
    eve(
        &store,
        "echo '.gpg-id working-tree-encoding=IBM037' >.gitattributes; printf \"$ALICE\\n$BOB\\n$DAVE\\n\" >.gpg-id",
    );
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
    // A repository of one's own inside the store has no history that would tell.
    let store = shared();
    store.ok(
        "mkdir store/private; git init -q store/private; git -C store/private commit -q --allow-empty -m x",
    );
    eve(&store, "printf \"$ALICE\\n$BOB\\n$DAVE\\n\" >.gpg-id");
    let output = store.shell("echo x | pass insert -mf private/x");
    assert!(output.code == 1 && output.err().contains("have changed"), "{}", output.err());
    // Merged with a change of our own, and the merge amended.
    let store = shared();
    store.ok("pass recipients add / $CAROL --yes");
    store.ok("cd evil; git pull -q; echo '.gpg-id merge=union' >.gitattributes
        printf \"$DAVE\\n$ALICE\\n$BOB\\n\" >.gpg-id; git add -A; git commit -qm x; git push -q
        cd ../store; git pull -q --no-rebase --no-edit; git commit -q --amend -m Merge");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}

#[test]
fn a_change_that_was_refused_is_not_expected_later() {
    let store = shared();
    store.script("store/.git/hooks/pre-commit", "exit 1");
    store.shell("pass recipients add / $DAVE --yes");
    store.ok("rm store/.git/hooks/pre-commit");
    eve(&store, "echo $DAVE >>.gpg-id");
    refuses(&store, "echo x | pass insert -mf free/c", &["gains access"]);
}

#[test]
fn another_subkey_of_a_reader_needs_a_word() {
    let store = shared();
    // Erin has lost what she kept the old subkey on; the newest one is encrypted to.
    store.ok(
        "gpg() { command gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' \"$@\"; }
        gpg --faked-system-time 20240101T000000! --quick-generate-key 'Erin <erin@example.org>' ed25519 cert never
        ERIN=$(gpg --with-colons --list-keys erin@example.org | awk -F: '/^fpr/ {print $10; exit}')
        gpg --faked-system-time 20240102T000000! --quick-add-key $ERIN cv25519 encr never
        gpg --with-colons --list-keys --with-subkey-fingerprint $ERIN | awk -F: '/^fpr/ {print $10}' | tail -1 >old
        gpg --faked-system-time 20240103T000000! --quick-add-key $ERIN cv25519 encr never; echo $ERIN >erin
        pass recipients set web $ALICE $ERIN --yes; git -C store push -q",
    );
    let old = store.ok("cat old");
    eve(&store, "sed -i \"s/$(cat ../erin)/$(cat ../old)!/\" web/.gpg-id");
    for line in
        ["echo x | pass insert -mf web/a", "pass recipients add --yes web $CAROL", "pass mv mine/b web/c"]
    {
        refuses(&store, line, &[&format!("{} gains access", old.trim())]);
    }
    store.ok("pass recipients accept web --expect $ALICE,$(cat old)");
    store.ok("echo x | pass insert -mf web/a; pass recipients add --yes web $CAROL; git -C store push -q");
    // Nor does anybody else take the choice back.
    eve(&store, "sed -i \"s/$(cat ../old)!/$(cat ../erin)/\" web/.gpg-id");
    refuses(&store, "echo x | pass insert -mf web/a", &[&format!("{} loses it", old.trim())]);
    store.ok("git -C store reset -q --hard HEAD~1; echo x | pass insert -mf web/a");
    // Ours needs none.
    store.ok("pass recipients set mine $ALICE $(cat old)! --yes; echo x | pass insert -mf mine/b
        pass recipients set mine $ALICE $(cat erin) --yes; echo x | pass insert -mf mine/b");
}
