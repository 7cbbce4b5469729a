//! What an error says: the entry, the cause, the mend, and the program's name as it was called.

use std::fs;
use std::os::unix::fs::symlink;

use super::Bad;
use crate::cli::git::Repository;
use crate::common::{TestStore, subject};

#[test]
fn an_empty_store_says_how_to_begin_under_the_name_it_was_asked_by() {
    let store = TestStore::new();
    symlink(subject(), store.root().join("bin/passel")).expect("the folder is ours");
    for program in ["passel", "pass"] {
        for line in ["ls", "show", ""] {
            let err = store.shell(&format!("{program} {line}")).err();
            assert_eq!(err, format!("Error: password store is empty. Try \"{program} init\".\n"));
        }
    }
}

/// Returns the line of `text` that calls the program `pass` or `passel`, if there is one.
fn misnamed(text: &str) -> Option<&str> {
    let is_name = |c: char| c.is_alphanumeric() || "-_./(".contains(c);
    text.lines().find(|line| line.split(|c| !is_name(c)).any(|word| ["pass", "passel"].contains(&word)))
}

#[test]
fn every_message_names_the_program_as_it_was_called() {
    let bad = Bad::new();
    symlink(subject(), bad.0.root().join("bin/vault")).expect("the folder is ours");
    bad.0
        .shell("mkdir store/web/.gpg-id; ln -s a.gpg store/l.gpg; git -C store config user.name ''; : >store/bobs/.gpg-id")
        .good();
    let commands = "init show find grep insert edit generate rm mv cp git";
    for line in commands.split(' ').map(|command| format!("vault {command} --help")).chain(
        [
            "vault init",
            "vault find",
            "vault grep",
            "vault insert",
            "vault edit",
            "vault generate",
            "vault rm",
            "vault mv",
            "vault cp",
            "vault show -x",
            "vault init mallory",
            "vault insert -m web/x",
            "vault insert -m bobs/x",
            "vault insert -m new",
            "vault rm -f web",
            "vault rm -f l",
            "vault mv l k",
            "vault generate -i nothing",
            "vault show -c a",
            "PASSWORD_STORE_DIR=nowhere vault",
            "PASSWORD_STORE_DIR=nowhere vault insert -m a",
            "PASSWORD_STORE_DIR=nowhere vault git init",
            "PASSWORD_STORE_DIR=nowhere vault git log",
            "PASSWORD_STORE_DIR=nowhere vault init -p x ''",
            "rm -rf store/.git; vault git log",
        ]
        .map(str::to_owned),
    ) {
        let output = bad.0.shell(&line);
        let said = output.out() + &output.err();
        assert!(!said.trim().is_empty(), "{line} says nothing");
        assert_eq!(misnamed(&said), None, "{line}");
    }
}

#[test]
fn a_damaged_entry_is_named_with_the_cause_and_the_mend() {
    let bad = Bad::new();
    let file = bad.0.dir().join("web/b.gpg");
    let whole = fs::read(&file).expect("it is there");
    let mend = "hint: `pass git log -- 'web/b.gpg'` lists its versions, \
                `pass git checkout COMMIT -- 'web/b.gpg'` brings one back\n\
                hint: without one, store it anew (`pass insert -m 'web/b'`) or remove it (`pass rm 'web/b'`)\n";
    for (bytes, cause) in [
        (Vec::new(), "not an OpenPGP message: the file is empty"),
        (b"\xa3\x07\x00\xff\x12".repeat(30), "it is no OpenPGP message"),
        (b"sesame\n".to_vec(), "it is no OpenPGP message"),
        (whole[..whole.len() - 1].to_vec(), "the message is damaged"),
        (whole[..whole.len() / 3].to_vec(), ""),
    ] {
        fs::write(&file, bytes).expect("the store is ours");
        for name in ["web/b", "/web/b"] {
            let err = bad.0.pass(&["show", name], "").err();
            assert!(err.contains(&format!("error: cannot decrypt `{name}`\ncaused by: {cause}")), "{err}");
            assert!(err.ends_with(mend), "{err}");
        }
        let err = bad.0.pass(&["generate", "-i", "web/b"], "").err();
        let told = format!(
            "Could not reencrypt new password.\ncaused by: cannot decrypt `web/b`\ncaused by: {cause}"
        );
        assert!(err.contains(&told) && err.ends_with(mend), "{err}");
        bad.refuses_with(2, &["edit", "web/b"], mend);
        bad.refuses(&["mv", "web/b", "bobs/b"], "hint: `pass show 'web/b'` says why");
    }
    bad.0.shell("cd store; git checkout HEAD -- 'web/b.gpg'").good();
    assert_eq!(bad.0.pass(&["show", "web/b"], "").good().out(), "web/b\nmore\n");
}

#[test]
fn what_others_keys_open_says_whom_to_ask() {
    let bad = Bad::new();
    let line = "echo x | gpg --batch -q --trust-model always -e -r dave@example.org >store/daves.gpg";
    bad.0.shell(line).good();
    let told = "caused by: none of your secret keys can read it\n\
                hint: ask somebody who can read it to let your key in: `pass recipients add / KEY`\n";
    bad.refuses_with(2, &["show", "daves"], told);
}

#[test]
fn an_entry_whose_password_cannot_be_replaced_is_named() {
    let bad = Bad::new();
    let told = |name: &str| {
        format!(
            "Could not reencrypt new password.\ncaused by: `{name}` is not in the password store\n\
             hint: `pass generate '{name}'` makes a new entry\n"
        )
    };
    bad.refuses(&["generate", "-i", "nope"], &told("nope"));
    bad.refuses(&["generate", "-i", "web"], &told("web"));
}

#[test]
fn a_clipboard_that_is_not_there_is_named_with_the_mend() {
    let bad = Bad::new();
    // Nothing but what decrypts.
    bad.0.shell("mkdir few; ln -s $(command -v gpg) few/; ln -s /bin/true few/wl-copy").good();
    for (line, text) in [
        (
            "pass show -c a",
            "Error: No X11 or Wayland display detected\n\
             hint: `a` was not copied: neither DISPLAY (X11) nor WAYLAND_DISPLAY is set\n",
        ),
        (
            "DISPLAY=:4711 pass show -c a",
            "error: cannot copy `a` to the clipboard\n\
             caused by: there is no display `:4711`, which DISPLAY names\nhint: set DISPLAY to",
        ),
        (
            "WAYLAND_DISPLAY=none PATH=few:$PATH pass show -c a",
            "caused by: there is no display `none`, which WAYLAND_DISPLAY names\nhint: set WAYLAND_DISPLAY to",
        ),
        (
            "DISPLAY=:1 PATH=few bin/pass show -c a",
            "caused by: the clipboard needs xclip or xsel, which is not installed\n\
             hint: install the package xclip\n",
        ),
        (
            "rm few/wl-copy; WAYLAND_DISPLAY=none PATH=few bin/pass show -c a",
            "caused by: the clipboard needs wl-copy, which is not installed\n\
             hint: install the package wl-clipboard",
        ),
        (
            "DISPLAY=:1 PASSWORD_STORE_X_SELECTION=nowhere pass show -c a",
            "caused by: there is no selection `nowhere`\nhint: PASSWORD_STORE_X_SELECTION takes clipboard,",
        ),
    ] {
        bad.refuses_line(line, text);
    }
}

#[test]
fn a_password_that_cannot_be_copied_is_not_generated() {
    let bad = Bad::new();
    for command in ["generate -c new", "generate -cf a", "generate -ci a 30", "generate -cn web/b"] {
        bad.refuses_line(&format!("pass {command}"), "Error: No X11 or Wayland display detected\nhint: ");
        bad.refuses_line(&format!("DISPLAY=:4711 pass {command}"), "there is no display `:4711`");
        bad.refuses_line(
            &format!("PASSWORD_STORE_CLIP_TIME=soon DISPLAY=:4711 pass {command}"),
            "PASSWORD_STORE_CLIP_TIME is `soon`",
        );
    }
}

#[test]
fn a_wrong_option_for_gpg_is_no_damage_to_an_entry() {
    let store = Repository::new();
    store.ok("pass init $ALICE; echo x | pass insert -m a");
    let told = store.shell("PASSWORD_STORE_GPG_OPTS=--bogus pass show a");
    assert!(told.code == 2 && told.err().contains("bogus"), "{}", told.err());
    assert!(!told.err().contains("no OpenPGP message") && !told.err().contains("pass rm"), "{}", told.err());
}

#[test]
fn the_last_list_stays_as_long_as_there_are_entries() {
    let store = Repository::new();
    store.ok("pass init $ALICE; echo x | pass insert -m a");
    store.refused("pass init ''", &["the entries of the store would have no recipients", "pass rm -r NAME"]);
}

#[test]
fn a_merge_that_is_not_finished_is_named_before_what_it_left() {
    let store = Repository::new();
    store.ok("pass init $ALICE; echo x | pass insert -m a; cd store; git checkout -qb other; cd ..; echo y | pass insert -mf a
        cd store; git checkout -q master; cd ..; echo z | pass insert -mf a; not git -C store merge -q other >/dev/null 2>&1");
    store.refused(
        "pass init $ALICE $BOB",
        &["is in the middle of a merge", "pass git status", "pass git merge --abort"],
    );
    // Both sides of a conflict in the configuration.
    store.ok("git -C store merge --abort; printf '<<<<<<< HEAD\\nversion: 1\\n=======\\nversion: 1\\n>>>>>>> x\\n' >store/.passel.yaml");
    store.refused("pass group list", &["`.passel.yaml` holds a merge conflict", "pass git add .passel.yaml"]);
}

#[test]
fn what_may_not_be_written_or_read_is_named_with_the_folder_to_look_at() {
    let store = Repository::new();
    // Whoever is root may write everywhere.
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    store.ok("pass init $ALICE; echo x | pass insert -m a; chmod 755 . store; chmod -R a+rX store; rm -rf store/.git");
    let told =
        store.shell(&format!("export GNUPGHOME=/nonexistent PASSWORD_STORE_KEY=; HOME=/nonexistent XDG_STATE_HOME= {nobody} pass rm -f a"));
    if told.err().contains("setpriv") {
        return;
    }
    assert!(told.code == 1 && told.err().contains("ls -ld"), "{}", told.err());
    let told = store.shell(&format!("chmod 700 store; export GNUPGHOME=/nonexistent; HOME=/nonexistent XDG_STATE_HOME= {nobody} pass show a"));
    assert!(
        told.code == 1 && told.err().contains("ls -ld") && !told.err().contains("You must run"),
        "{}",
        told.err()
    );
}
