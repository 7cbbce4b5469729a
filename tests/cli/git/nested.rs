//! Repositories inside the store: the innermost one records a change.

use super::Repository;

#[test]
fn the_innermost_repository_records_a_change() {
    let store = Repository::new();
    store.ok("pass init -p team $ALICE $BOB; git init -q store/team; git -C store/team add .; git -C store/team commit -qm team
        git -C store rm -q --cached team/.gpg-id; echo team/ >store/.gitignore; git -C store add .gitignore; git -C store commit -qm out");
    let outer = store.count();
    store.ok("pass generate team/deep/a; pass generate team/b; pass rm -f team/b");
    assert_eq!(store.count(), outer);
    assert_eq!(store.ok("git -C store/team rev-list --count HEAD"), "4");
    // A move across gives two commits, and the entry its new readers.
    store.ok("echo x | pass insert -m mine; pass mv mine team/mine");
    assert_eq!(store.ok("git -C store log -1 --format=%s"), "Remove mine.");
    assert_eq!(store.ok("git -C store/team log -1 --format=%s"), "Rename mine to team/mine.");
    store.ok("pass mv team/mine back; pass cp back team/copy");
    assert_eq!(store.ok("git -C store log -1 --format=%s"), "Rename team/mine to back.");
    assert_eq!(
        store.ok("git -C store/team log -2 --format=%s"),
        "Copy back to team/copy.\nRemove team/mine."
    );
    for folder in ["store", "store/team"] {
        store.clean_in(folder);
    }
    store.refused("pass rm -rf team", &["a git repository of its own"]);
    store.refused("pass mv team elsewhere", &["a git repository of its own"]);
    // A hook of one repository that refuses stops both.
    store.script("store/.git/hooks/pre-commit", "#!/bin/sh\nexit 1\n");
    let before = store.ok("git -C store/team rev-parse HEAD");
    store.refused("pass mv back team/back", &["pre-commit"]);
    assert_eq!(store.ok("git -C store/team rev-parse HEAD; git -C store/team status --porcelain"), before);
}

#[test]
fn a_submodule_records_its_own_changes() {
    let store = Repository::new();
    store.ok("git init -q shared; cd shared; echo $ALICE >.gpg-id; git add .; git commit -qm shared; cd ../store
        git -c protocol.file.allow=always submodule --quiet add ../shared team; git commit -qm submodule; test -f team/.git");
    let outer = store.count();
    store.ok("pass generate team/a; pass mv team/a team/b; pass generate c; pass mv c team/c");
    store.clean_in("store/team");
    assert_eq!(store.count(), outer + 2);
    assert_eq!(store.ok("git -C store status --porcelain"), " M team");
    assert_eq!(
        store.ok("git -C store log -1 --format=%s; git -C store/team log -1 --format=%s"),
        "Remove c.\nRename c to team/c."
    );
    assert_eq!(
        store.ok("git -C store fsck --strict; find store -name '*passel*' -not -name passel-accepted"),
        ""
    );
}

#[test]
fn a_submodule_that_was_not_fetched_is_not_written_into() {
    let store = Repository::new();
    store.ok("git init -q shared; git -C shared commit -q --allow-empty -m shared; cd store
        git -c protocol.file.allow=always submodule --quiet add ../shared team; git commit -qm submodule; git submodule --quiet deinit -f team; ls -d team");
    store.refused("pass generate team/a", &["team"]);
}

#[test]
fn recipients_of_a_submodule_that_was_not_fetched_are_not_changed() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; echo x | pass insert -m a; pass init -p own $ALICE $BOB; echo x | pass insert -m own/b
        git init -q shared; git -C shared commit -q --allow-empty -m shared; cd store
        git -c protocol.file.allow=always submodule --quiet add ../shared team; git commit -qm submodule; git submodule --quiet deinit -f team");
    let words = ["`team` is a submodule that has not been fetched", "git submodule update --init team"];
    store.refused("pass recipients remove / $BOB --yes", &words);
    store.refused("pass init $ALICE", &words);
    store.ok("pass recipients remove own $BOB --yes");
    store.ok("cd store; git -c protocol.file.allow=always submodule --quiet update --init team; cd ..; pass recipients remove / $BOB --yes");
}

#[test]
fn a_repository_inside_whose_list_others_took_away_follows_nobody_unasked() {
    // The list of the one outside would let Carol in.
    for taken_away in [
        "git -C evil rm -q .gpg-id; git -C evil commit -qm gone; git -C evil push -q; git -C store/team pull -q",
        "cd evil; git checkout -q --orphan new; git rm -qf .gpg-id; git commit -qm new; git push -qf origin new:master
            cd ../store/team; git fetch -q; git reset -q --hard origin/master",
        "git -C evil rm -q .gpg-id; git -C evil commit -qm gone; git -C evil push -q; rm -rf store/team
            git clone -q --depth 1 file://$PWD/r.git store/team",
    ] {
        let store = Repository::new();
        store.ok("pass init $ALICE $CAROL; echo team >>store/.git/info/exclude; git init -q --bare r.git; git clone -q r.git store/team 2>/dev/null
            pass init -p team $ALICE $BOB; echo x | pass insert -m team/a; git -C store/team push -q; git clone -q r.git evil; pass recipients check >/dev/null");
        store.ok(taken_away);
        store.refused("echo x | pass insert -m team/b", &["recipients of team have changed", "gains access"]);
    }
}
