//! `clone`: a store comes to a machine for the first time.

use std::path::Path;

use super::git::Repository;
use crate::common::{Output, Terminal};

/// Alice's store with a remote, and Anna's machine: a keyring of her own, and no store yet.
struct Two(Repository);

impl Two {
    /// Makes a store for Alice and Bob with a folder for Alice and Carol; their keys travel with it. Anna has her own
    /// key and knows nobody's.
    fn new() -> Self {
        let store = Repository::new();
        store.ok(
            "pass init $ALICE $BOB; pass init -p web $ALICE $CAROL
            for name in a b web/c; do echo secret $name | pass insert -m $name; done; pass keys export
            git init -q --bare remote; git -C store remote add origin $PWD/remote; git -C store push -q -u origin master
            mkdir -m 700 g; echo no-auto-key-locate >g/gpg.conf
            GNUPGHOME=$PWD/g gpg --batch -q --passphrase '' --quick-gen-key 'Anna <anna@example.org>' future-default - never",
        );
        Self(store)
    }

    /// The same where Anna's keyring is Carol's: one who can read something.
    fn for_carol() -> Self {
        let two = Self::new();
        let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
        two.anna(&format!("gpg --batch -q --import {}/carol.asc", keys.display())).good();
        two
    }

    /// Runs a line at Anna's.
    fn anna(&self, line: &str) -> Output {
        self.0.shell(&format!("{} set -e; {line}", Self::SCENE))
    }

    const SCENE: &'static str = "export GNUPGHOME=$PWD/g PASSWORD_STORE_DIR=$PWD/anna;";

    /// Runs a line at Anna's that must succeed.
    #[track_caller]
    fn anna_ok(&self, line: &str) -> String {
        self.anna(line).good().out()
    }

    /// Runs a line at Anna's that must end with `code`; returns all that it said.
    #[track_caller]
    fn anna_ends(&self, line: &str, code: i32) -> String {
        let output = self.anna(line);
        assert_eq!(output.code, code, "{line}\n{}\n{}", output.out(), output.err());
        output.out() + &output.err()
    }

    /// Starts a line at Anna's on a terminal.
    fn at_terminal(&self, line: &str) -> Terminal {
        self.0.terminal(&format!("{} {line}", Self::SCENE))
    }

    /// Checks that nothing is left of a clone, and nothing beside it.
    #[track_caller]
    fn nothing_is_left(&self) {
        assert_eq!(self.0.ok("ls -d anna .anna* deep 2>/dev/null || true"), "");
    }

    /// Tries to write at Anna's; it must be refused until the recipients are accepted.
    #[track_caller]
    fn is_locked(&self) {
        for line in ["echo x | pass insert -m new", "pass generate web/new 9", "pass generate -f web/c 9"] {
            let said = self.anna_ends(line, 1);
            holds(&said, &["gains access", "recipients accept"]);
        }
        self.anna_ok(
            "test ! -e anna/new.gpg -a ! -e anna/web/new.gpg; test -z \"$(git -C anna status --porcelain)\"",
        );
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        // Its agent would outlive the folder.
        self.anna("gpgconf --kill all");
    }
}

/// Checks that `text` holds all of `words`.
#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} in\n{text}");
    }
}

#[test]
fn a_person_imports_keys_accepts_the_recipients_and_is_told_what_they_can_read() {
    let two = Two::for_carol();
    let [alice, bob, carol] =
        ["alice", "bob", "carol"].map(|name| two.0.keyring().fingerprint(name).to_owned());
    let mut terminal = two.at_terminal("pass clone remote; echo code $?; pass show web/c");
    terminal
        .wait_for("New key of ")
        .wait_for("New key of ")
        .wait_for("Import these 2 keys? [y/N]")
        .type_text("y\r");
    terminal.wait_for("Imported ").wait_for("Imported ").wait_for("Recipients of the store, from .gpg-id:");
    terminal.wait_for("Recipients of web, from web/.gpg-id:").wait_for("Carol");
    terminal.wait_for("Accept these recipients? [y/N]").type_text("y\r");
    terminal.wait_for("Accepted the recipients of 2 folders.").wait_for("code 0").wait_for("secret web/c");
    let said = terminal.finish().out();
    holds(
        &said,
        &[
            "You can read 1 of 3 entries: web (1).",
            "New key of Alice",
            "New key of Bob",
            &alice,
            &bob,
            &carol,
            "Cloned remote into",
        ],
    );
    assert!(
        !said.contains("first use") && !said.contains("To be let in") && !said.contains("Cloning into"),
        "{said}"
    );
    // From here on as any store: nothing to accept, git merges with us, nobody else can look in.
    let said = two.anna_ends("echo x | pass insert -m web/d; pass recipients accept; pass sync", 0);
    holds(&said, &["Nothing to accept", "Pushed 1 commit"]);
    assert!(!said.contains("first use"), "{said}");
    holds(&two.anna_ok("git -C anna config merge.passel.driver"), &["merge-driver %O %A %B %P"]);
    assert_eq!(
        two.anna_ok("stat -c %a anna; find anna/.git/objects anna/web -perm /077 | wc -l"),
        "700\n0\n"
    );
    assert_eq!(two.0.ok("ls -d .anna* 2>/dev/null || true"), "");
    assert_eq!(two.anna_ok("git -C anna fsck --strict; git -C anna status --porcelain"), "");
}

#[test]
fn without_a_person_nothing_is_written_until_somebody_accepts() {
    let two = Two::for_carol();
    let said = two.anna_ends("pass clone remote", 3);
    holds(
        &said,
        &[
            "2 public keys of recipients come with the store: `pass keys import`",
            "the recipients are not accepted",
            "`pass recipients accept`",
            "You can read 1 of 3 entries: web (1).",
        ],
    );
    // Whoever imports the keys has accepted nobody by that; nor has whoever reads, runs git or syncs.
    let keys = two.0.ok("echo $ALICE,$BOB");
    let said = two.anna_ends(
        &format!("pass keys import --fingerprint {keys}; pass show web/c; pass git status; pass ls"),
        0,
    );
    assert!(!said.contains("first use"), "{said}");
    two.is_locked();
    two.anna_ok("pass sync");
    two.is_locked();
    let said = two.anna_ends("pass recipients accept", 1);
    let [alice, bob, carol] =
        ["alice", "bob", "carol"].map(|name| two.0.keyring().fingerprint(name).to_owned());
    holds(
        &said,
        &[
            &format!("gains   {alice}  Alice"),
            &format!("gains   {bob}  Bob"),
            &format!("gains   {carol}  Carol"),
        ],
    );
    two.anna_ok("pass recipients accept web --expect $ALICE,$CAROL; echo x | pass insert -m web/d");
    two.anna_ends("echo x | pass insert -m new", 1);
    two.anna_ok("pass recipients accept / --expect $ALICE,$BOB; echo x | pass insert -m new; pass sync");
}

#[test]
fn keys_that_are_in_the_keyring_already_are_not_accepted_for_that() {
    let two = Two::for_carol();
    two.anna_ends("pass clone --import remote", 3);
    two.is_locked();
    // A no is no.
    let two = Two::for_carol();
    let mut terminal = two.at_terminal("pass clone --no-import remote; echo code $?");
    terminal
        .wait_for("Accept these recipients? [y/N]")
        .type_text("n\r")
        .wait_for("recipients accept")
        .wait_for("code 3");
    let said = terminal.finish().out();
    assert!(!said.contains("New key"), "{said}");
    two.anna_ok("test -e anna/.git/passel-accepted");
    // Nor does it accept anything to break off.
    let two = Two::for_carol();
    let mut terminal = two.at_terminal("pass clone --import remote; echo code $?");
    terminal.wait_for("Accept these recipients? [y/N]").type_text("\x03").wait_for("code 3");
    drop(terminal.finish());
    two.is_locked();
    let two = Two::for_carol();
    let mut terminal = two.at_terminal("pass clone remote; echo code $?");
    terminal.wait_for("Import these 2 keys? [y/N]").type_text("\x03").wait_for("interrupted");
    terminal.wait_for("the store is in its place").wait_for("code 1");
    drop(terminal.finish());
    two.anna_ok("gpg --batch -q --import store/.public-keys/*");
    two.is_locked();
}

#[test]
fn flags_answer_the_questions() {
    let two = Two::for_carol();
    let said =
        two.anna_ends("pass clone --yes --import $PWD/remote; echo x | pass insert -m new; pass sync", 0);
    holds(&said, &["Imported", "Accepted the recipients of 2 folders.", "Pushed 1 commit"]);
    assert!(!said.contains("first use"), "{said}");
    // Keys that are still missing are waited for, by the fingerprints that were accepted.
    let two = Two::for_carol();
    let said = two.anna_ends("pass clone -y --no-import $PWD/remote", 0);
    holds(&said, &["nothing can be encrypted yet to the recipients of the store, web", "recipients check"]);
    let keys = two.0.ok("echo $ALICE,$BOB");
    two.anna_ok(&format!("pass keys import --fingerprint {keys}; echo x | pass insert -m new"));
}

#[test]
fn groups_and_rules_are_shown_and_accepted_too() {
    let two = Two::for_carol();
    two.0.ok("pass group add team $ALICE $BOB --yes; pass group assign team web --yes; git -C store push -q");
    let said = two.anna_ends("pass clone --import remote", 3);
    holds(&said, &["Groups and rules:", "group `team` is new"]);
    holds(&two.anna_ends("pass recipients accept", 1), &["Groups and rules:"]);
    two.anna_ok("rm -rf anna; pass clone --yes --import remote");
    holds(&two.anna_ok("pass recipients accept"), &["Nothing to accept"]);
}

#[test]
fn who_can_read_nothing_is_told_how_to_be_let_in() {
    let two = Two::new();
    let anna = two.anna_ok("gpg --with-colons -K | awk -F: '/^fpr/{print $10; exit}'").trim().to_owned();
    let said = two.anna_ok("pass clone --yes --import remote");
    let export = format!("gpg --armor --export {anna} > me.asc");
    let add = "recipients add FOLDER --key me.asc";
    holds(
        &said,
        &[
            "You can read none of 3 entries.",
            &format!("{anna}  Anna"),
            &export,
            add,
            "`pass sync` here lets you in",
        ],
    );
    two.anna_ends("pass show web/c", 2);
    // As it says.
    two.anna_ok(&export);
    two.0.ok(&format!("pass recipients add web --key me.asc --fingerprint {anna} --yes; pass sync"));
    two.anna("pass sync");
    assert_eq!(two.anna_ok("pass show web/c"), "secret web/c\n");
    two.anna_ends("pass show a", 2);
}

#[test]
fn who_has_no_secret_key_is_told_how_to_make_one() {
    let two = Two::new();
    two.anna_ok("rm -rf g/private-keys-v1.d g/pubring.kbx; gpgconf --kill all");
    let said = two.anna_ok("pass clone --yes --import remote");
    holds(&said, &["no secret key", "gpg --quick-generate-key", "gpg --armor --export FPR > me.asc"]);
}

#[test]
fn a_remote_that_goes_back_later_is_noticed() {
    let two = Two::for_carol();
    two.anna_ok("pass clone --yes --import remote");
    two.0.ok("git -C store reset -q --hard HEAD~1; git -C store push -q -f");
    holds(&two.anna_ends("pass sync", 1), &["an older state"]);
}

#[test]
fn an_empty_repository_is_kept_to_begin_a_store_in() {
    let two = Two::for_carol();
    two.0.ok("git init -q --bare empty");
    let said = two.anna_ok("pass clone empty");
    holds(&said, &["there is no store in it yet", "pass init KEY...", "pass sync"]);
    two.anna_ok("pass init $CAROL; echo x | pass insert -m a; pass sync");
    assert_eq!(two.0.ok("git -C empty ls-tree -r --name-only HEAD"), ".gpg-id\na.gpg");
}

#[test]
fn what_is_no_store_or_must_not_be_taken_is_refused_and_removed() {
    let two = Two::for_carol();
    two.0.ok("git init -q code; cd code; mkdir src; echo x >src/main.c; echo x >README; git add .; git commit -qm x");
    let said = two.anna_ends("pass clone code deep/er/store", 1);
    holds(&said, &["code is no password store", "README, src/"]);
    two.nothing_is_left();
    for (line, word) in [
        ("touch $(printf 'a\\a.txt')", "a\\x07.txt` has control characters"),
        ("mkdir git~1; touch git~1/x", "holds `.git`"),
        ("truncate -s 101M large.gpg", "`large.gpg` has 101 MiB"),
    ] {
        let lenient = "git -c core.protectNTFS=false -C evil";
        two.0.ok(&format!(
            "rm -rf evil; git clone -q remote evil; (cd evil; {line}); {lenient} add .; {lenient} commit -qm x
            git config --global core.protectNTFS false"
        ));
        holds(&two.anna_ends("pass clone --yes evil", 1), &["holds what is not taken", word]);
        two.nothing_is_left();
    }
    // No branch to take.
    two.0.ok("git -C remote symbolic-ref HEAD refs/heads/nothing");
    holds(&two.anna_ends("pass clone remote", 1), &["origin/master", "symbolic-ref"]);
    two.nothing_is_left();
}

#[test]
fn what_is_odd_in_a_store_that_is_there_already_is_told() {
    let two = Two::for_carol();
    two.0.ok(
        "git clone -q remote other; cd other; ln -s a.gpg link.gpg; echo plain >plain.gpg; echo >web/X; echo >web/x
        git add .; git commit -qm x; git push -q",
    );
    let said = two.anna_ends("pass clone --yes --import remote", 0);
    let odd = [
        "`link.gpg` is a symbolic link, to `a.gpg`",
        "`plain.gpg` is no encrypted message",
        "differ in case only",
    ];
    holds(&said, &odd);
}

#[test]
fn what_is_there_already_is_left_alone() {
    let two = Two::for_carol();
    two.anna_ok("mkdir anna; echo mine >anna/file");
    holds(&two.anna_ends("pass clone remote", 1), &["is not empty", "pass clone remote DIR"]);
    assert_eq!(two.anna_ok("ls -A anna; cat anna/file"), "file\nmine\n");
    // Elsewhere, then; and where it is empty, also through a link.
    let said = two.anna_ends("mkdir real; ln -s real link; pass clone --yes --import remote link", 0);
    holds(&said, &[&format!("PASSWORD_STORE_DIR={}/real", two.0.root().display())]);
    two.anna_ok("test -L link; test -d real/.git");
    holds(&two.anna_ends("pass clone remote real", 1), &["is not empty", "`pass sync`"]);
    holds(&two.anna_ends("touch f; pass clone remote f", 1), &["is no folder"]);
    holds(&two.anna_ends("pass clone remote f/store", 1), &["cannot", "ls -ld"]);
}

#[test]
fn what_goes_wrong_is_told_with_what_mends_it() {
    let two = Two::for_carol();
    two.0.script("ssh", "#!/bin/sh\necho \"ssh: $SAYS\" >&2; exit 255\n");
    let ssh = "export GIT_SSH=$PWD/ssh;";
    for (line, code, words) in [
        ("pass clone $PWD/nowhere", 1, &["there is no repository at", "nowhere", "address"][..]),
        (
            "SAYS='Could not resolve hostname x: Name or service not known' pass clone x:y",
            5,
            &["cannot reach x:y", "network"],
        ),
        (
            "SAYS='git@x: Permission denied (publickey).' pass clone git@x:y",
            1,
            &["refused access", "git ls-remote git@x:y"],
        ),
        ("pass clone https://me:secret@127.0.0.1:1/x", 5, &["cannot reach https://127.0.0.1:1/x"]),
    ] {
        let said = two.anna_ends(&format!("{ssh} {line}"), code);
        holds(&said, words);
        assert!(!said.contains("secret"), "{said}");
        two.nothing_is_left();
    }
    two.0.script("full/git", "#!/bin/sh\ncase \" $* \" in *' clone '*) echo 'fatal: write error: No space left on device' >&2; exit 128;; *) exec /usr/bin/git \"$@\";; esac\n");
    holds(&two.anna_ends("PATH=$PWD/full:$PATH pass clone remote", 1), &["no room", "df -h"]);
    two.nothing_is_left();
    // git keeps what it decrypts for diffs: not of entries.
    two.0.ok("git config --global diff.gpg.cachetextconv true");
    two.anna_ends("pass clone remote", 1);
    two.nothing_is_left();
}

#[test]
fn an_interrupted_clone_leaves_nothing_behind() {
    let two = Two::for_carol();
    // What git has started outlives it for a moment.
    two.0.script("ssh", "#!/bin/sh\ntouch started; exec sleep 30\n");
    let clone = "GIT_SSH=$PWD/ssh pass clone host:x deep/store";
    let mut terminal = two.at_terminal(&format!("trap : INT; {clone}; echo code $?"));
    let root = two.0.root().to_owned();
    let wait = || {
        let begun = std::time::Instant::now();
        while !root.join("started").exists() {
            assert!(begun.elapsed().as_secs() < 20, "git has not begun");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        std::fs::remove_file(root.join("started")).unwrap();
        assert!(root.join("deep").exists());
    };
    wait();
    terminal.type_text("\x03").wait_for("interrupted: nothing is left").wait_for("code 130");
    terminal.finish();
    two.nothing_is_left();
    let said = two.anna(&format!("({clone}) & while ! test -e started; do sleep .1; done; test -d deep; pkill -TERM -P $! pass || kill -TERM $!; wait $!"));
    assert_eq!(said.code, 143, "{}\n{}", said.out(), said.err());
    two.nothing_is_left();
}

#[test]
fn repositories_in_folders_of_the_store_come_along() {
    let two = Two::for_carol();
    two.0.ok(
        "git config --global protocol.file.allow always
        git init -q --bare inner; git init -q seed; cd seed; gpg -q --batch -e -r $CAROL -o c.gpg /dev/null; echo $CAROL >.gpg-id
        git add .; git commit -qm x; git push -q $OLDPWD/inner master; cd ..
        git -C store submodule -q add $PWD/inner sub; git -C store commit -qm sub; git -C store push -q",
    );
    let said = two.anna_ends("pass clone --yes --import remote", 0);
    holds(&said, &["Recipients of sub, from sub/.gpg-id:", "sub (1)"]);
    // It is as git made it, wherever it was made: nothing names the folder that was renamed.
    let files = two.anna_ok("cat anna/sub/.git; git -C anna/sub status --porcelain; git -C anna submodule status; ! grep -r passel-.... anna/.git --include=config -l");
    holds(&files, &["gitdir: ../.git/modules/sub"]);
    two.anna_ok("git -C anna/sub fsck; git -C anna/sub config merge.passel.driver; git -C anna submodule update; pass ls sub");
    // One that is not for everybody does not keep the rest away.
    two.anna_ok("rm -rf anna; mv inner gone");
    let said = two.anna_ends("pass clone --yes --import remote", 0);
    holds(&said, &["submodule path", "git submodule update --init"]);
    two.anna_ok("pass show web/c");
}
