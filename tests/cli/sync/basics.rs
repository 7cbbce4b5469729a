//! What is exchanged, and how it is merged.

use super::Pair;

#[test]
fn changes_go_both_ways_and_nothing_is_committed_that_nobody_committed() {
    let pair = Pair::new();
    pair.ok("echo new | pass insert -m web/new; echo typed >store/notes.txt");
    pair.says(0, "pass sync", &["Pushed 1 commit to origin/master"]);
    pair.says(0, "b sync --dry-run", &["1 commit would come", "web/new"]);
    pair.ok("test ! -e b/web/new.gpg");
    pair.says(0, "b sync", &["1 commit came", "web/new", "In step"]);
    assert_eq!(pair.ok("b show web/new; git -C store status --porcelain"), "new\n?? notes.txt");
    pair.ok("rm store/notes.txt");
    pair.says(0, "b sync", &["Up to date with origin/master."]);
    pair.in_step();
    // One direction alone.
    pair.ok("echo 1 | pass insert -m one; echo 2 | b insert -m two; pass sync");
    pair.says(0, "b sync --pull", &["1 commit came", "2 commits wait to be pushed"]);
    pair.says(0, "b sync --push", &["Pushed 2 commits"]);
    pair.says(0, "pass sync", &["two"]);
    pair.in_step();
}

#[test]
fn lines_that_different_people_changed_are_merged_even_neighbours() {
    let pair = Pair::new();
    pair.ok("echo 'pw user:A url:l note' | put web/x; pass sync; b sync");
    pair.ok("echo 'pw2 user:A url:l note' | put web/x; echo 'pw user:B url:l note' | bput web/x; pass sync");
    pair.says(0, "b sync", &["1 entry merged", "web/x", "Pushed 2 commits"]);
    pair.ok("pass sync");
    assert_eq!(pair.ok("pass show web/x; pass ls | grep -c conflict || true"), "pw2\nuser:B\nurl:l\nnote\n0");
    pair.in_step();
    // Nobody can read it who could not before.
    let who = pair.ok("pass recipients who --json web/x | tr -d ' \\n' | grep -o '\"fingerprint\":\"[0-9A-F]*\"' | sort -u | wc -l");
    assert_eq!(who, "2");
}

#[test]
fn both_versions_are_kept_where_the_same_line_was_changed() {
    let pair = Pair::new();
    pair.ok("echo 'A user:u' | put web/x; echo 'B user:u' | bput web/x; pass sync");
    pair.says(3, "b sync", &["both changed the same lines", "conflicts` shows both"]);
    assert_eq!(pair.ok("b show web/x | head -1; gpg -qd b/web/x.conflict-*.gpg | head -1"), "B\nA");
    // It is the commit that was pushed: the other one has both too, and either may decide.
    pair.ok("pass sync; pass conflicts pick web/x --theirs; pass sync; b sync");
    assert_eq!(pair.ok("b show web/x | head -1; b ls | grep -c conflict || true"), "A\n0");
    pair.in_step();
}

#[test]
fn two_people_who_resolve_a_conflict_alike_converge() {
    let pair = Pair::new();
    pair.ok("echo A | put web/x; echo B | bput web/x; pass sync; b sync || true; pass sync");
    pair.ok("pass conflicts pick web/x --ours; b conflicts pick web/x --ours; pass sync; b sync; pass sync");
    assert_eq!(pair.ok("pass ls | grep -c conflict || true"), "0");
    pair.in_step();
    // Also where they encrypted the same text by themselves.
    pair.ok("echo same | put web/x; echo same | bput web/x; pass sync; b sync; pass sync");
    assert_eq!(pair.ok("b show web/x; b ls | grep -c conflict || true"), "same\n0");
    pair.in_step();
}

#[test]
fn what_one_changed_and_the_other_removed_stays() {
    let pair = Pair::new();
    pair.ok("pass rm -f web/x; pass sync; echo kept | bput web/x");
    pair.says(0, "b sync", &["`web/x` was removed there and changed by somebody else: it stays"]);
    pair.ok("pass sync");
    assert_eq!(pair.ok("pass show web/x"), "kept");
    pair.ok("echo again | put web/x; b rm -f web/x; pass sync");
    pair.says(0, "b sync", &["`web/x` was removed here"]);
    assert_eq!(pair.ok("b show web/x"), "again");
    pair.ok("pass sync");
    pair.in_step();
}

#[test]
fn changes_follow_what_was_moved() {
    let pair = Pair::new();
    // An entry.
    pair.ok("pass mv web/x web/y; pass sync; echo changed | bput web/x; b sync; pass sync");
    assert_eq!(pair.ok("pass show web/y; pass ls web | grep -c x || true"), "changed\n0");
    // A folder with its list, and what the other one put there meanwhile.
    pair.ok(
        "pass init -p client $ALICE $BOB; echo 1 | pass insert -m client/a; pass sync; b sync --pull || true
        b recipients accept client --expect $ALICE,$BOB; b sync",
    );
    pair.ok("pass mv client kept; pass sync; echo 2 | b insert -m client/new");
    pair.ok("b sync; pass sync");
    assert_eq!(
        pair.ok("pass show kept/new; ls store; test -e store/client || echo gone"),
        "2\nkept\ntop.gpg\nweb\ngone"
    );
    pair.in_step();
    // A move that encrypted anew, for other people.
    pair.ok("pass init -p solo $ALICE; pass sync; b sync || true; b recipients accept solo --expect $ALICE");
    pair.ok("pass mv top solo/top; pass sync; echo edited | bput top; b sync || true; pass sync");
    assert_eq!(pair.ok("pass show solo/top; test -e store/top.gpg || echo gone"), "edited\ngone");
    let keys =
        pair.ok("gpg --list-packets --list-only store/solo/top.gpg 2>/dev/null | grep -c '^:pubkey enc'");
    assert_eq!(keys, "1");
    pair.in_step();
}

#[test]
fn entries_of_the_same_name_are_both_kept() {
    let pair = Pair::new();
    pair.ok("echo A | pass insert -m new; echo B | b insert -m new; pass sync");
    pair.says(3, "b sync", &["both made an entry of this name"]);
    pair.ok("pass sync");
    assert_eq!(pair.ok("for f in store/new*.gpg; do gpg -qd $f; done | sort | tr '\\n' ' '"), "A B");
    pair.in_step();
}

#[test]
fn changed_recipients_lock_their_folder_until_somebody_accepts() {
    let pair = Pair::new();
    pair.ok("pass recipients add web $CAROL --yes; echo 5 | pass insert -m top2; pass sync");
    // The entries come all the same.
    pair.says(3, "b sync", &["locked", "gains access", "recipients accept"]);
    assert_eq!(pair.ok("b show top2"), "5");
    pair.says(1, "echo 1 | b insert -m web/no", &["have changed"]);
    pair.ok("echo 1 | b insert -m free");
    pair.ok("b recipients accept web --expect $ALICE,$BOB,$CAROL; b sync; echo 1 | b insert -m web/yes; b sync; pass sync");
    pair.in_step();
}

#[test]
fn who_was_removed_reads_nothing_that_was_written_meanwhile() {
    let pair = Pair::new();
    pair.ok("pass recipients add web $DAVE --yes; pass sync; b sync || true; b recipients accept web --expect $ALICE,$BOB,$DAVE; b sync");
    // Offline, Bob writes for Dave; meanwhile Dave is taken out.
    pair.ok("pass recipients remove web $DAVE --yes; pass sync; echo secret | b insert -m web/late; echo merged | bput web/x");
    let before = pair.ok("git -C remote rev-parse master");
    pair.says(3, "b sync", &["not pushed", "`web/late` can be read by"]);
    assert_eq!(pair.ok("git -C remote rev-parse master"), before);
    pair.ok("b recipients accept web --expect $ALICE,$BOB");
    pair.says(0, "b sync", &["encrypted anew", "web/late", "change their passwords", "Pushed"]);
    pair.ok("pass sync");
    let dave = pair.ok("gpg --with-colons -k $DAVE | awk -F: '/^sub/{print $5}'");
    let keys = pair.ok("for f in store/web/*.gpg; do gpg --list-packets --list-only $f 2>/dev/null; done");
    assert!(!keys.contains(&dave), "{keys}");
    assert_eq!(pair.ok("git -C store log --format=%s | grep -c '^Reencrypt' "), "1");
    pair.in_step();
}

#[test]
fn two_changes_of_a_list_are_never_merged_silently() {
    let pair = Pair::new();
    pair.ok("pass init -p web $ALICE $BOB $CAROL; pass sync; b sync || true; b recipients accept web --expect $ALICE,$BOB,$CAROL; b sync");
    pair.ok("pass recipients remove web $CAROL --yes; pass sync; b recipients add web $DAVE --yes");
    let before = pair.ok("git -C remote rev-parse master");
    pair.says(
        3,
        "b sync",
        &["`web/.gpg-id` was changed here and there", "nobody here has accepted `web/.gpg-id`"],
    );
    assert_eq!(pair.ok("git -C remote rev-parse master"), before, "it was pushed");
    assert_eq!(
        pair.ok(
            "sort b/web/.gpg-id | tr '\\n' ' '; echo; printf '%s\\n' $ALICE $BOB $DAVE | sort | tr '\\n' ' '"
        )
        .lines()
        .count(),
        2
    );
    pair.ok("b recipients accept web --expect $ALICE,$BOB,$DAVE; b sync; pass sync || true; pass recipients accept web --expect $ALICE,$BOB,$DAVE; pass sync; b sync");
    let keys = pair.ok("gpg --list-packets --list-only store/web/x.gpg 2>/dev/null | grep -c '^:pubkey enc'");
    assert_eq!(keys, "3");
    pair.in_step();
}

#[test]
fn works_without_a_network_and_says_so() {
    let pair = Pair::new();
    pair.ok("git -C b remote set-url origin ssh://127.0.0.1:1/nothing; echo 1 | b insert -m offline");
    pair.says(5, "b sync", &["cannot reach", "Offline: 1 commit waits to be pushed later"]);
    pair.ok("git -C b remote set-url origin $PWD/remote; b sync; pass sync; pass show offline");
    pair.in_step();
}

#[test]
fn two_at_once_both_come_through() {
    let pair = Pair::new();
    for round in 0..3 {
        pair.ok(&format!(
            "echo {round} | pass insert -m a{round}; echo {round} | b insert -m b{round}
            pass sync >one 2>&1 & b sync >two 2>&1; wait $!; cat one two; pass sync; b sync"
        ));
    }
    pair.in_step();
    assert_eq!(pair.ok("ls store | grep -c '^[ab][0-9]'"), "6");
}

#[test]
fn repositories_in_the_store_are_synced_too() {
    let pair = Pair::new();
    pair.ok(
        "git init -q --bare inner.git; git init -q store/inner; cp store/.gpg-id store/inner; cd store/inner
        git add -A; git commit -qm inner; git remote add origin ../../inner.git; git push -q -u origin master; cd ../..
        echo inner >>store/.git/info/exclude; echo inner >>b/.git/info/exclude; git clone -q inner.git b/inner",
    );
    pair.ok("echo deep | pass insert -m inner/x; pass sync; b sync");
    assert_eq!(pair.ok("b show inner/x"), "deep");
    pair.says(0, "pass sync", &["inner: Up to date"]);
    // On no branch it is left alone, with a word; all else is synced.
    pair.ok("git -C b/inner checkout -q --detach; echo 1 | pass insert -m after; pass sync");
    pair.says(1, "b sync", &["`inner` is on no branch", "git switch"]);
    assert_eq!(pair.ok("b show after"), "1");
}

#[test]
fn programs_can_read_what_was_done() {
    let pair = Pair::new();
    pair.ok("echo A | put web/x; echo B | bput web/x; echo 1 | pass insert -m new; pass sync");
    let json = pair.ends(3, "b sync --json");
    let rows: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let row = &rows[0];
    assert_eq!(
        (&row["remote"], &row["pushed"], &row["waiting"]),
        (&"origin/master".into(), &2.into(), &0.into())
    );
    assert_eq!(row["kept"][0]["name"], "web/x");
    assert_eq!(row["came"].as_array().map(Vec::len), Some(2));
    assert!(row["added"].as_array().is_some_and(|names| names.contains(&"new".into())), "{row}");
    assert!(row["error"].is_null() && row["offline"].is_null());
}

#[test]
fn a_person_at_the_terminal_is_asked_about_recipients() {
    let pair = Pair::new();
    pair.ok("pass recipients add web $CAROL --yes; pass sync; echo late | b insert -m web/late");
    let mut terminal = pair.0.terminal("PASSWORD_STORE_DIR=$PWD/b pass sync; echo code $?");
    terminal.wait_for("Accept these recipients for web? [y/N]").type_text("y\n");
    let out = terminal.finish().out();
    assert!(out.contains("code 0") && out.contains("web/late") && out.contains("Pushed"), "{out}");
    pair.ok("pass sync");
    pair.in_step();
}

#[test]
fn a_version_kept_apart_that_was_edited_is_not_replaced_by_the_one_it_was() {
    let pair = Pair::new();
    pair.ok("put web/x <<<ours; bput web/x <<<theirs; b sync");
    pair.ends(3, "pass sync");
    pair.ok("b sync; b conflicts pick web/x --theirs; b sync");
    pair.ok("put web/x <<<mine; put $(basename store/web/x.conflict-* .gpg | sed s,^,web/,) <<<edited");
    pair.says(3, "pass sync", &["conflict: `web/x`"]);
    pair.ok("b sync");
    pair.in_step();
    let all = pair.ok("for e in store/web/x*.gpg; do gpg -q -d $e; done | sort");
    assert_eq!(all, "edited\nmine\ntheirs");
}
