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
