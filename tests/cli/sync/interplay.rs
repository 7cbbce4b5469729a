//! A colleague on stock pass and plain git takes part.

use super::Pair;
use crate::common::stock_pass;

/// Lines of shell in which `b` is stock pass on Bob's clone, and git pulls and pushes there.
struct Stock(Pair);

impl Stock {
    fn new() -> Self {
        let pair = Pair::new();
        pair.ok("git -C b config pull.rebase false");
        Stock(pair)
    }

    fn line(line: &str) -> String {
        let pass = stock_pass();
        format!("b() {{ PASSWORD_STORE_DIR=$PWD/b {} \"$@\"; }}; {line}", pass.display())
    }

    #[track_caller]
    fn ok(&self, line: &str) -> String {
        self.0.ok(&Self::line(line))
    }
}

#[test]
fn all_that_stock_pass_does_arrives() {
    let stock = Stock::new();
    stock.ok(
        "echo 1 | b insert -m free/new; b mv web/x web/y; b generate -n top 12 >/dev/null; b git push -q",
    );
    stock.0.says(0, "pass sync", &["free/new", "web/y", "top"]);
    assert_eq!(stock.ok("pass show web/y | head -1; pass show free/new"), "pw\n1");
    // What they encrypt anew needs a word, as every change of recipients.
    stock.ok("b init -p web $ALICE $BOB $CAROL; b git push -q; echo 2 | pass insert -m web/mine");
    stock.0.says(3, "pass sync", &["locked", "gains access"]);
    stock.ok("pass recipients accept web --expect $ALICE,$BOB,$CAROL; pass sync; b git pull -q");
    let keys = stock.ok("for f in b/web/*.gpg; do gpg --list-packets --list-only $f 2>/dev/null | grep -c '^:pubkey enc'; done");
    assert_eq!(keys, "3\n3");
    assert_eq!(stock.ok("b show web/mine"), "2");
    stock.0.in_step();
}

#[test]
fn what_they_resolve_by_hand_is_taken() {
    let stock = Stock::new();
    stock.ok("echo A | put web/x; pass sync; echo B | b insert -mf web/x");
    // git cannot merge what is encrypted.
    stock.ok("not git -C b pull -q >/dev/null 2>&1; b git checkout --ours web/x.gpg 2>/dev/null; b git add -A; b git commit -qm resolved; b git push -q");
    stock.0.says(0, "pass sync", &["web/x"]);
    assert_eq!(stock.ok("pass show web/x"), "B");
    // And the other way round: what passel merged, plain git takes.
    stock
        .ok("echo 1 | pass insert -m one; echo 2 | b insert -m two; b git push -q; pass sync; b git pull -q");
    assert_eq!(stock.ok("b show one; b show two"), "1\n2");
    stock.0.in_step();
}

#[test]
fn with_the_driver_their_git_merges_lines_too() {
    let stock = Stock::new();
    stock
        .ok("PASSWORD_STORE_DIR=$PWD/b pass git-setup; echo 'pw2 user:_u url:_l note' | put web/x; pass sync
        printf 'pw\\nuser: u\\nurl: other\\nnote\\n' | b insert -mf web/x >/dev/null");
    stock.ok("printf 'pw2\\nuser: u\\nurl: l\\nnote\\n' | pass insert -mf web/x; pass sync; b git pull -q --no-edit; b git push -q; pass sync");
    assert_eq!(stock.ok("pass show web/x"), "pw2\nuser: u\nurl: other\nnote");
    stock.0.in_step();
    // Where the same line was changed, both are kept, and passel goes on from there.
    stock.ok("printf 'A\\n' | pass insert -mf web/x; pass sync; printf 'B\\n' | b insert -mf web/x
        not git -C b pull -q --no-edit >/dev/null 2>&1; ls b/web | grep -q conflict; b git add -A; b git commit -qm both; b git push -q");
    stock.ok("pass sync; pass conflicts pick web/x --ours; pass sync; b git pull -q");
    assert_eq!(stock.ok("b show web/x; ls b/web"), "B\nx.gpg");
    stock.0.in_step();
}
