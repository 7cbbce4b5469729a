//! What nobody has to decide about: moves and copies of our own and of stock pass, by one person or several.

use crate::cli::git::Repository;
use crate::common::stock_pass;

/// Runs lines with stock pass as `$STOCK`, then changes every list with ours: nothing may be held back.
#[track_caller]
fn goes_through(lines: &str) {
    let store = Repository::new();
    let stock = format!("STOCK={}", stock_pass().display());
    store.ok(&format!(
        "{stock}; for n in a b c d/e; do echo $n | pass insert -m web/$n; done
        pass init -p team $ALICE $BOB; echo t | pass insert -m team/t; {lines}"
    ));
    let told = store.ok("pass recipients review");
    assert_eq!(told, "Nothing is held back.", "{lines}");
    store.ok("pass init $ALICE $CAROL; pass init -p team $ALICE $CAROL $BOB; for f in $(find store -mindepth 2 -name .gpg-id ! -path '*/team/*')
        do f=${f#store/}; pass init -p ${f%/.gpg-id} $ALICE $BOB $CAROL $DAVE; done");
    assert_eq!(store.ok("pass recipients review"), "Nothing is held back.", "{lines}");
    store.clean();
}

#[test]
fn our_own_moves_and_copies() {
    goes_through("pass cp web/a web/a2; pass mv web/b team/; pass mv team/b web/b; pass cp team/t web/t; pass cp web/d team/d
        pass mv web/c web/c2; pass mv web/c2 web/c; pass cp team web/team; pass mv web/team elsewhere; pass cp web/c ./top");
}

#[test]
fn moves_and_copies_of_stock_pass() {
    goes_through("$STOCK cp web/a web/a2; $STOCK mv web/b team/; $STOCK mv team/b web/b; $STOCK cp team/t web/t; $STOCK cp web/d team/d
        $STOCK mv web/c web/c2; $STOCK mv web/c2 web/c; $STOCK cp team web/team; $STOCK mv web/team elsewhere");
}

#[test]
fn lists_that_stock_pass_changes_after_copies() {
    goes_through("$STOCK cp web/a web/a2; $STOCK init $ALICE $BOB; $STOCK cp team/t team/t2; pass cp web/b team/b; $STOCK init -p team $ALICE
        $STOCK init -p web/d $ALICE $DAVE; $STOCK cp web/d/e team/e; $STOCK init -p web/d ''");
}

#[test]
fn copies_made_with_git_alone() {
    goes_through("cd store; cp web/a.gpg web/a3.gpg; mkdir x; cp -r team x/team2; git add .; git commit -qm copies
        git mv x/team2 y; git commit -qm move; git revert --no-edit HEAD; cd ..; printf '%s\\n' $ALICE $BOB >store/.gpg-id
        git -C store commit -qam list; pass --internal-reencrypt store");
}

#[test]
fn what_a_colleague_added_while_the_list_changed() {
    for join in ["git merge -q --no-edit side", "git rebase -q side; git branch -q -D side"] {
        goes_through(&format!("cd store; git checkout -q -b side; cd ..; echo n | pass insert -m web/new; git -C store checkout -q master
            pass init $ALICE $BOB; cd store; {join}; cd ..; pass --internal-reencrypt store; pass mv web/new web/newer"));
    }
}

#[test]
fn who_reads_with_an_older_subkey_goes_on_reading_what_is_held_back() {
    let store = Repository::new();
    let gpg =
        "gpg() { command gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase '' \"$@\"; }";
    let erin = "ERIN=$(gpg --with-colons --list-keys erin@example.org | sed -n '/^fpr/{s/.*:\\([0-9A-F]*\\):$/\\1/p;q}')";
    store.ok(&format!("{gpg}; gpg --faked-system-time 20240101T000000! --quick-generate-key 'Erin <erin@example.org>' ed25519 cert never
        {erin}; gpg --faked-system-time 20240102T000000! --quick-add-key $ERIN cv25519 encr never
        pass init $ALICE; pass init -p p $ALICE $ERIN; echo x | pass insert -m p/x; pass init -p q $ALICE $ERIN $CAROL"));
    // The subkey ends, the next one begins; somebody moves the entry by hand.
    store.ok(&format!("{gpg}; {erin}; SUB=$(gpg --with-colons --list-keys $ERIN | sed -n '/^sub/,/^fpr/s/^fpr.*:\\([0-9A-F]*\\):$/\\1/p')
        gpg --quick-set-expire $ERIN seconds=1 $SUB; gpg --quick-add-key $ERIN cv25519 encr never; sleep 2
        cd store; git mv p/x.gpg q/x.gpg; git commit -qm move; cp q/x.gpg ../before"));
    let told = store.shell("pass recipients update --yes");
    assert!(told.err().contains("held back: `q/x`"), "{}{}", told.out(), told.err());
    store.ok("cmp before store/q/x.gpg");
    // Whom the list does not name loses it all the same.
    store.ok("pass init -p q $ERIN $CAROL || test $? = 3; pass init -p q $ALICE $CAROL || test $? = 3");
    store.ok(&format!("{gpg}; {erin}; gpg --list-only --status-fd 1 -d store/q/x.gpg 2>/dev/null | grep -c ENC_TO | grep -qx 1"));
}
