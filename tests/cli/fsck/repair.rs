//! What `--repair` mends, and what it leaves.

use super::{found, fsck, says, sound};

/// Describes all files of the store with their modes and contents, without git's own.
const FILES: &str = "cd store; find . -name .git -prune -o -type f -exec sha256sum {} + | sort";

#[test]
fn takes_permissions_from_others() {
    let store = sound();
    store.ok("chmod 755 store store/web store/.git; chmod 644 store/b.gpg store/.gpg-id; chmod 755 store/web/a.gpg");
    let (files, count) = (store.ok(FILES), store.count());
    let (kinds, value) = found(&store, "--repair", 0);
    assert_eq!(kinds, ["warning permissions", "warning permissions"], "{value:#}");
    assert_eq!((value["repaired"].as_u64(), value["warnings"].as_u64()), (Some(2), Some(0)), "{value:#}");
    says(&fsck(&store, "", 0), &["Nothing is wrong."]);
    let modes = store.ok("stat -c %a store store/web store/.git store/b.gpg store/web/a.gpg | tr '\\n' ' '");
    assert_eq!(modes.trim(), "700 700 700 600 600");
    assert_eq!((store.ok(FILES), store.count()), (files, count), "no content and no commit changes");
}

#[test]
fn removes_what_killed_commands_left() {
    let store = sound();
    let nonce = "0123456789abcdef";
    store.ok(&format!(
        "cd store; cp b.gpg web/.a.gpg.passel-{nonce}; echo x >.git/passel-{nonce}.message; cp .git/index .git/passel-{nonce}.index
        ln .git/passel-{nonce}.index .git/index.lock"
    ));
    let (kinds, value) = found(&store, "", 0);
    assert_eq!(kinds, ["warning leftover", "warning leftover"], "{value:#}");
    let said = fsck(&store, "--repair", 0);
    says(&said, &["repaired: web/.a.gpg.passel-0123456789abcdef"]);
    says(&said, &["Nothing is wrong, 2 repaired."]);
    says(&fsck(&store, "", 0), &["Nothing is wrong."]);
    store.clean();
}

#[test]
fn ends_the_lines_of_recipients_files_as_pass_reads_them() {
    let store = sound();
    store.ok("printf \"$ALICE\\r\\n$BOB\" >store/.gpg-id; git -C store commit -qam ends");
    let count = store.count();
    let (kinds, value) = found(&store, "", 0);
    assert_eq!(kinds, ["warning recipients"], "{value:#}");
    says(
        &fsck(&store, "", 0),
        &["warning: .gpg-id: its lines end as on Windows", "its last line has no line break"],
    );
    // What else lies about is mended in the same run.
    store.ok("chmod 755 store");
    says(&fsck(&store, "--repair", 0), &["Nothing is wrong, 2 repaired."]);
    says(&fsck(&store, "", 0), &["Nothing is wrong."]);
    assert_eq!(store.ok("cat store/.gpg-id"), store.ok("printf \"$ALICE\\n$BOB\\n\""));
    assert_eq!(store.count(), count + 1);
    store.clean();
}

#[test]
fn leaves_what_a_person_may_have_made() {
    let store = sound();
    store.ok("mkdir -p .store.passel-Ab3d; cd store; echo x >password.txt; echo x >b.gpg.orig; echo x >.b.passel-0123456789
        cp b.gpg c.gpg; cp b.gpg x.conflict-1e2d3c4b.gpg; ln -s /etc/passwd p.gpg; echo x >.git/passel-mine; echo x >n.passel-0123456789abcdef");
    let files = store
        .ok("find store .store.passel-Ab3d -name .git -prune -o -print | sort; ls store/.git/passel-mine");
    let before = fsck(&store, "", 0);
    says(&before, &["warning: ", ".store.passel-Ab3d: is what a clone left"]);
    assert_eq!(fsck(&store, "--repair", 0), before, "nothing of it is repaired");
    assert_eq!(
        store.ok(
            "find store .store.passel-Ab3d -name .git -prune -o -print | sort; ls store/.git/passel-mine"
        ),
        files
    );
}

#[test]
fn a_damaged_journal_is_left_to_a_person() {
    let store = sound();
    store.ok("echo nonsense >store/.git/passel-journal; cp store/b.gpg store/.b.gpg.passel-0123456789abcdef");
    let said = fsck(&store, "", 4);
    says(&said, &["error: ", "passel-journal: an interrupted change: ", "is damaged"]);
    assert!(!said.contains("nothing tells of"), "what the journal may tell of is no leftover: {said}");
    fsck(&store, "--repair", 4);
    store.ok("test -e store/.git/passel-journal; test -e store/.b.gpg.passel-0123456789abcdef");
}
