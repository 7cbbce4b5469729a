//! `fsck`: every scene makes one thing wrong, and that is found, and nothing else.

mod history;
mod repair;
mod unseen;

use serde_json::Value;

use crate::cli::git::Repository;
use crate::common::TestStore;

/// What entries hold in these tests, and no output may.
const SECRET: &str = "hunter2-plain";

/// Makes a store for two with two entries, of which nothing is wrong.
fn sound() -> Repository {
    let store = Repository::new();
    store.ok(&format!(
        "pass init $ALICE $BOB; for entry in web/a b; do echo {SECRET} | pass insert -m $entry; done"
    ));
    store
}

/// Runs `fsck` with these arguments, which must end with this code, and returns what it says.
#[track_caller]
fn fsck(store: &TestStore, arguments: &str, code: i32) -> String {
    let output = store.shell(&format!("pass fsck {arguments}"));
    let said = output.out() + &output.err();
    assert_eq!(output.code, code, "fsck {arguments}\n{said}");
    assert!(!said.contains(SECRET), "plaintext in\n{said}");
    assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "control characters in\n{said:?}");
    said
}

/// Returns what `fsck --json` finds, as severity and kind, and all of it.
#[track_caller]
fn found(store: &TestStore, arguments: &str, code: i32) -> (Vec<String>, Value) {
    let said = fsck(store, &format!("--json {arguments} 2>/dev/null"), code);
    let value: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let text = |row: &Value, field: &str| row[field].as_str().expect("a text").to_owned();
    let rows = value["findings"].as_array().expect("an array");
    let kinds = rows.iter().map(|row| format!("{} {}", text(row, "severity"), text(row, "kind")));
    (kinds.collect(), value)
}

/// Checks that some line holds all of `parts`.
#[track_caller]
fn says(out: &str, parts: &[&str]) {
    let found = out.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "{parts:?} in\n{out}");
}

/// Checks that after `line` in a sound store, `fsck` finds `kinds` and nothing else, ends with `code`, changes
/// nothing, and says all of `parts` in one line.
#[track_caller]
fn finds(line: &str, kinds: &[&str], code: i32, parts: &[&str]) {
    let store = sound();
    store.ok(line);
    let state = store.state();
    let (found, value) = found(&store, "", code);
    assert_eq!(found, kinds, "{line}\n{value:#}");
    assert_eq!(value["unseen"].as_array().expect("an array").len(), 0, "{line}\n{value:#}");
    says(&fsck(&store, "", code), parts);
    assert_eq!(store.state(), state, "{line}: looking changes nothing");
}

#[test]
fn finds_nothing_in_a_store_that_is_right() {
    let store = sound();
    let said = fsck(&store, "", 0);
    assert_eq!(said, "2 entries: 2 decrypted here, 0 for others; 5 commits.\nNothing is wrong.\n");
    let said = fsck(&store, "--no-decrypt web", 0);
    assert!(said.starts_with("1 entry: not decrypted;"), "{said}");
    let said = fsck(&store, "web/a", 0);
    assert!(said.starts_with("1 entry: 1 decrypted here"), "{said}");
    store.refused("pass fsck nothing", &["nothing is not in the password store"]);
}

#[test]
fn tells_in_json_what_it_looked_at() {
    let store = sound();
    let (kinds, value) = found(&store, "", 0);
    assert!(kinds.is_empty(), "{value:#}");
    let count = |field: &str| value[field].as_u64().unwrap_or_else(|| panic!("{field} in {value:#}"));
    let fields = ["errors", "warnings", "repaired", "entries", "decrypted", "others", "commits"];
    assert_eq!(fields.map(count), [0, 0, 0, 2, 2, 0, 5]);
    store.ok("echo x >store/note.txt");
    let (_, value) = found(&store, "", 0);
    let row = &value["findings"][0];
    assert_eq!(row["subject"], "note.txt");
    assert_eq!(row["repaired"], false);
    for field in ["severity", "kind", "message", "hint"] {
        assert!(row[field].as_str().is_some_and(|text| !text.is_empty()), "{field} in {row}");
    }
}

#[test]
fn an_empty_store_is_told_how_to_begin_and_one_without_git_is_looked_at() {
    let store = TestStore::new();
    store.shell("mkdir -m 700 store").good();
    says(&fsck(&store, "", 4), &["the store: nothing says who can read it"]);
    store.shell(&format!("pass init $ALICE $BOB; echo {SECRET} | pass insert -m a")).good();
    let said = fsck(&store, "", 0);
    assert_eq!(said, "1 entry: 1 decrypted here, 0 for others.\nNothing is wrong.\n");
    store.shell("echo x >store/.a.gpg.passel-0123456789abcdef; echo x >store/b.gpg").good();
    let (kinds, value) = found(&store, "", 4);
    assert_eq!(kinds, ["error structure", "warning leftover"], "{value:#}");
}

#[test]
fn finds_entries_that_are_no_messages() {
    let whole = |line: &str| format!("{line}; git -C store commit -qam x");
    // In the history, what is damaged is no message either, unless nothing of it tells what it held.
    let cases: [(&str, &[&str], &str); 5] = [
        (": >store/b.gpg", &["error structure"], "b: is empty"),
        ("echo trailing >>store/b.gpg", &["error structure"], "something follows the encrypted data"),
        ("truncate -s -9 store/b.gpg", &["error structure"], "it is cut short"),
        ("echo hello >store/b.gpg", &["error structure", "error history"], "b: not an OpenPGP message"),
        (
            "gpg --batch --yes --export $ALICE >store/b.gpg",
            &["error structure", "error history"],
            "b: not an OpenPGP message",
        ),
    ];
    for (line, kinds, said) in cases {
        finds(&whole(line), kinds, 4, &["error: ", said]);
    }
}

#[test]
fn finds_messages_that_not_everybody_reads() {
    let again = |options: &str| {
        format!(
            "echo x | gpg --batch --yes --trust-model always --pinentry-mode loopback --passphrase y {options} \
             -r $ALICE -r $BOB -e -o store/b.gpg; git -C store commit -qam x"
        )
    };
    finds(&again("--armor"), &["warning structure"], 0, &["warning: b: is armored"]);
    let store = sound();
    store.ok(&again("-c"));
    let (kinds, value) = found(&store, "", 4);
    assert_eq!(kinds, ["error recipients", "warning structure"], "{value:#}");
    says(&fsck(&store, "", 4), &["warning: b: is encrypted to a passphrase too"]);
    let large = "head -c 17825792 /dev/urandom | gpg --batch --yes --trust-model always -r $ALICE -r $BOB -e -o store/b.gpg; \
        git -C store commit -qam x";
    finds(large, &["warning structure"], 0, &["warning: b: has 17 MiB"]);
}

#[test]
fn finds_a_message_for_us_that_does_not_decrypt() {
    // The last bytes are the modification detection code; the first ones of the body the session key.
    let flip = |place: &str| {
        format!(
            "python3 - <<'END'
path = 'store/b.gpg'
data = bytearray(open(path, 'rb').read())
data[{place}] ^= 255
open(path, 'wb').write(data)
END
git -C store commit -qam x"
        )
    };
    for place in ["-3", "-30"] {
        finds(&flip(place), &["error decrypt"], 4, &["error: b: is for you, but does not decrypt: "]);
    }
    // Session keys that cannot be unwrapped: the one key of ours opens the other entry, so that it is there.
    let store = sound();
    store.ok(&format!("gpg --batch --yes --delete-secret-keys $BOB; {}\n{}", flip("60"), flip("156")));
    says(
        &fsck(&store, "", 4),
        &["error: b: is for you, but does not decrypt: ", "your key does not open it"],
    );
    let store = sound();
    store.ok(&flip("-3"));
    says(&fsck(&store, "--no-decrypt", 0), &["Nothing is wrong."]);
    says(&fsck(&store, "web", 0), &["Nothing is wrong."]);
}

#[test]
fn names_those_who_can_read_what_we_cannot() {
    let store = sound();
    store.ok(&format!(
        "pass init -p team $BOB $CAROL; echo {SECRET} | pass insert -m team/a
        gpg --batch --yes --delete-secret-keys $BOB; gpg --batch --yes --delete-secret-and-public-key $CAROL
        gpg --batch -q --import $KEYS/carol.asc; gpg --batch --yes --delete-secret-keys $CAROL"
    ));
    let (kinds, value) = found(&store, "", 0);
    assert_eq!(kinds, ["note others"], "{value:#}");
    assert_eq!(value["findings"][0]["subject"], "team/a");
    assert_eq!((value["decrypted"].as_u64(), value["others"].as_u64()), (Some(2), Some(1)));
    let bob = store.keyring().fingerprint("bob");
    says(
        &fsck(&store, "", 0),
        &["note: team/a: can be read by ", "bob@example.org", bob, "carol@example.org"],
    );
    store.ok("gpg --batch --yes --delete-key $CAROL");
    says(&fsck(&store, "team", 4), &["note: team/a: ", "bob@example.org", "which is not in the keyring"]);
}

#[test]
fn finds_what_the_check_of_recipients_finds() {
    let line = "echo x | gpg --batch --yes --trust-model always -r $ALICE -e -o store/b.gpg; git -C store commit -qam x";
    let kinds = ["error recipients", "warning recipients"];
    finds(line, &kinds, 4, &["error: .gpg-id: 1 entry cannot be read by all keys that it names: b"]);
}

#[test]
fn finds_files_that_others_can_read() {
    let subject = "warning: the store: ";
    finds(
        "chmod 755 store",
        &["warning permissions"],
        0,
        &[subject, "other users of this machine can get at files and folders: the store"],
    );
    finds("chmod 700 store/b.gpg", &["warning permissions"], 0, &[subject, "can be executed: b.gpg"]);
    finds("chmod 500 store/web", &["warning permissions"], 0, &[subject, "nothing can be written", "web"]);
    if rustix::process::geteuid().is_root() {
        finds("chown 12345 store/b.gpg", &["warning permissions"], 0, &["user 12345 owns", "b.gpg"]);
    }
    // Below a closed folder, nobody gets at anything; and what the umask grants is meant.
    let store = sound();
    store.ok("chmod 644 store/b.gpg; chmod 755 store/web");
    says(&fsck(&store, "", 0), &["Nothing is wrong."]);
    store.ok("chmod 750 store store/web; chmod 640 store/b.gpg; export PASSWORD_STORE_UMASK=027; pass fsck | grep Nothing");
}

#[test]
fn finds_files_that_are_no_entries() {
    let cases: [(&str, &str); 6] = [
        ("echo x >store/password.txt", "password.txt: is not encrypted"),
        ("echo x >store/web/.a.gpg.swp", "web/.a.gpg.swp: is what an editor puts aside"),
        ("echo x >store/b.gpg~", "b.gpg~: is what an editor puts aside"),
        ("cp store/b.gpg store/b.gpg~", "b.gpg~: is an encrypted message, but no entry"),
        ("mkfifo store/pipe", "pipe: is neither a file nor a folder"),
        ("echo x >store/.b.passel-0123", ".b.passel-0123: is not encrypted"),
    ];
    for (line, said) in cases {
        finds(line, &["warning stray"], 0, &["warning: ", said]);
    }
}

#[test]
fn follows_no_link_out_of_the_store() {
    let line = "mkdir out; echo outside >out/x.gpg; cd store; ln -s ../out/x.gpg l.gpg; git add -A; git commit -qm x";
    finds(line, &["warning link"], 0, &["l.gpg: is a link that leads out of the store, to `../out/x.gpg`"]);
    let line =
        "mkdir out; echo outside >out/x.gpg; cd store; ln -s ../out folder; git add -A; git commit -qm x";
    finds(line, &["warning link"], 0, &["folder: is a link that leads out of the store"]);
    let line = "cd store; ln -s gone l.gpg; git add -A; git commit -qm x";
    finds(line, &["warning link"], 0, &["l.gpg: is a link that leads nowhere, to `gone`"]);
    let store = sound();
    store.ok("cd store; ln -s b.gpg l.gpg; git add -A; git commit -qm x");
    says(&fsck(&store, "", 0), &["Nothing is wrong."]);
}

#[test]
fn finds_conflicts_that_nobody_resolved() {
    let kept = "pass cp b b.conflict-1e2d3c4b";
    finds(kept, &["warning conflict"], 0, &["b.conflict-1e2d3c4b: is another version of `b`"]);
    finds("cp store/b.gpg store/b.gpg.orig", &["warning conflict"], 0, &["b.gpg.orig: is what a merge"]);
    let markers = "printf '<<<<<<< ours\n*.x diff=y\n=======\n>>>>>>> theirs\n' >>store/.gitattributes; git -C store commit -qam x";
    finds(markers, &["error conflict"], 4, &["error: .gitattributes: holds git's conflict markers"]);
    let merge = "cd store; git checkout -qb side; echo x | pass insert -mf b; git checkout -q master; echo y | pass insert -mf b
        git merge side || true";
    let store = sound();
    store.ok(merge);
    // Our driver keeps the other version apart, for a person to commit.
    let (kinds, value) = found(&store, "", 4);
    assert_eq!(kinds, ["error conflict", "warning conflict", "warning untracked"], "{value:#}");
    says(&fsck(&store, "", 4), &["error: the store: the git repository at ", "is in the middle of a merge"]);
}

#[test]
fn finds_entries_that_nobody_else_gets() {
    let untracked = "cp store/b.gpg store/c.gpg";
    finds(untracked, &["warning untracked"], 0, &["no commit holds entries", ": c.gpg"]);
    let ignored = "echo c.gpg >store/.gitignore; git -C store add -A; git -C store commit -qm x; cp store/b.gpg store/c.gpg";
    finds(ignored, &["warning untracked"], 0, &["git ignores entries", ": c.gpg"]);
}

#[test]
fn finds_names_that_collide_or_drive_a_terminal() {
    let twins = "pass cp b B; pass cp web/a Web/x";
    let store = sound();
    store.ok(twins);
    let (kinds, value) = found(&store, "", 0);
    assert_eq!(kinds, ["warning name", "warning name"], "{value:#}");
    says(&fsck(&store, "", 0), &["B.gpg: differs in case only from `b.gpg`"]);
    let control = "cd store; cp b.gpg $'e\\e[31m.gpg'; git add -A; git commit -qm x";
    finds(
        control,
        &["warning name"],
        0,
        &["e\\x1b[31m.gpg: has characters in its name that drive a terminal"],
    );
}

#[test]
#[ignore = "long: make test-long"]
fn two_thousand_entries_are_looked_at_at_once() {
    let store = sound();
    store.ok("cd store; mkdir many; for n in $(seq 2000); do cp b.gpg many/$n.gpg; done; git add -A; git commit -qm many");
    // Whatever takes long is ended with an error.
    let said = fsck(&store, "", 0);
    assert!(said.starts_with("2002 entries: 2002 decrypted here"), "{said}");
}
