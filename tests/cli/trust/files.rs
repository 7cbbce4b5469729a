//! Lists that are signed as files, as pass does it.

use super::{accepts, asks, eve, trusting};

/// Adds a key to a list, and signs it with the trusted key.
fn signs(folder: &str, line: &str) -> String {
    format!("{line}; gpg -q --batch --yes --no-armor -u $BOB --detach-sign {folder}/.gpg-id")
}

#[test]
fn a_list_with_a_signature_of_its_own_is_accepted_where_it_is_new() {
    let store = trusting();
    eve(&store, &signs("web", "echo $DAVE >>web/.gpg-id"));
    accepts(&store, &["Accepted: recipients of web, in commit", "the list signed by"]);
}

#[test]
#[ignore = "long: make test-long"]
fn a_signed_file_is_not_taken_from_elsewhere_or_before() {
    for (line, entry) in [
        // Another key's signature, and that of other bytes.
        ("echo $DAVE >>web/.gpg-id; gpg -q --batch --yes -u $CAROL --detach-sign web/.gpg-id", "web/a"),
        ("gpg -q --batch --yes -u $BOB --detach-sign web/.gpg-id; echo $DAVE >>web/.gpg-id", "web/a"),
        // A folder that had no list.
        (
            "printf \"$ALICE\\n$DAVE\\n\" >free/.gpg-id; gpg -q --batch -u $BOB --detach-sign free/.gpg-id",
            "free/c",
        ),
    ] {
        let store = trusting();
        eve(&store, line);
        asks(&store, entry, line);
    }
    // Signed for `web`, and there for a while.
    let store = trusting();
    eve(&store, &signs("web", "echo $DAVE >>web/.gpg-id"));
    eve(&store, &signs("web", "printf \"$ALICE\\n$BOB\\n\" >web/.gpg-id"));
    accepts(&store, &[]);
    let old = "old=$(git log --format=%H -- web/.gpg-id | sed -n 2p)";
    for (target, entry) in [("web", "web/a"), ("mine", "mine/b")] {
        eve(
            &store,
            &format!("{old}; for f in .gpg-id .gpg-id.sig; do git show $old:web/$f >{target}/$f; done"),
        );
        asks(&store, entry, target);
    }
}

#[test]
fn a_signed_file_lets_nobody_back_in() {
    let store = trusting();
    eve(&store, &signs("web", "echo $DAVE >>web/.gpg-id"));
    accepts(&store, &["recipients of web"]);
    eve(&store, &signs("web", "printf \"$ALICE\\n$BOB\\n\" >web/.gpg-id"));
    store.ok("pass sync || true; pass recipients accept web --expect $ALICE,$BOB; pass sync");
    // Other bytes than before: it stands there for the first time.
    eve(&store, &signs("web", "printf \"$DAVE\\n$ALICE\\n$BOB\\n\" >web/.gpg-id"));
    asks(&store, "web/a", "somebody who was taken out");
}
