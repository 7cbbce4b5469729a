//! Many files in one change.

use super::Repository;

#[test]
fn a_big_folder_moves_in_one_commit_and_one_pack() {
    let store = Repository::new();
    store.ok("pass generate big/0; cd store/big; for n in $(seq 1 299); do mkdir -p $((n % 7)); cp 0.gpg $((n % 7))/$n.gpg; done
        git add .; git commit -qm many");
    let (commits, packs) = (store.count(), store.ok("ls store/.git/objects/pack | wc -l"));
    store.ok("pass mv big large/er");
    assert_eq!(store.count(), commits + 1);
    store.clean();
    assert_eq!(
        store.ok("find store/large -name '*.gpg' | wc -l; ls -d store/big 2>/dev/null || echo gone"),
        "300\ngone"
    );
    // Blobs are all there already: at most a pack of trees.
    assert!(
        store.ok("ls store/.git/objects/pack/*.pack | wc -l").parse::<usize>().unwrap()
            <= 1 + packs.parse::<usize>().unwrap()
    );
    store.ok("pass rm -rf large");
    assert_eq!(store.count(), commits + 2);
    store.clean();
}

#[test]
fn many_entries_are_encrypted_anew_in_one_commit_and_one_pack() {
    let store = Repository::new();
    store.ok("echo x | pass insert -m team/0; cd store/team; for n in $(seq 1 59); do cp 0.gpg $n.gpg; done; git add .; git commit -qm many");
    let commits = store.count();
    let loose = store.ok("find store/.git/objects/?? -type f | wc -l");
    store.ok("pass init -p team $ALICE $BOB");
    assert_eq!(store.count(), commits + 1);
    store.clean();
    assert_eq!(store.ok("ls store/.git/objects/pack/*.pack | wc -l"), "1");
    let more = store.ok("find store/.git/objects/?? -type f | wc -l").parse::<usize>().unwrap()
        - loose.parse::<usize>().unwrap();
    assert!(more <= 1, "only the commit is loose, not {more} objects");
    assert_eq!(store.ok("git -C store show --stat --format= HEAD | tail -1 | cut -d' ' -f2"), "61");
    let message = std::fs::read(store.dir().join("team/42.gpg")).unwrap();
    assert_eq!(store.keyring().open(&message).recipients.len(), 2);
}

#[test]
#[ignore = "long: make test-long"]
fn many_entries_are_encrypted_anew_with_few_gpg_and_to_the_same_keys_as_by_gpg() {
    let store = Repository::new();
    store.ok("for n in $(seq 9); do printf 'password-%s\\nuser: ada\\n' $n | pass insert -m team/$n; done");
    crate::common::tool("strace");
    let runs = |line: &str| -> usize {
        store.ok(&format!(
            "gpgconf --launch gpg-agent; strace -f -qq -s 9999 -e trace=execve -o runs sh -c 'unset PASSEL_CRYPTO PASSEL_CACHE; {line}'"
        ));
        store.ok("grep -c 'execve(\"/usr/bin/gpg\".*\"--\\(de\\|en\\)crypt\"' runs").parse().unwrap()
    };
    let check = || {
        for number in 1..=9 {
            let message = std::fs::read(store.dir().join(format!("team/{number}.gpg"))).unwrap();
            let opened = store.keyring().open(&message);
            assert_eq!(opened.plaintext.unwrap(), format!("password-{number}\nuser: ada\n").into_bytes());
            assert_eq!(opened.recipients.len(), 3);
        }
        store.clean();
    };
    assert_eq!(runs("pass init -p team $ALICE $BOB $RSA"), 1, "whether gpg would take the keys");
    check();
    store.ok("pass init -p team $ALICE");
    assert!(runs("PASSEL_CRYPTO=gpgme pass init -p team $ALICE $BOB $RSA") >= 9, "all are gpg's");
    check();
    // Nobody knows what a script around gpg makes of its options.
    store.script("wrapped/gpg", "#!/bin/sh\nexec /usr/bin/gpg \"$@\"\n");
    store.ok("pass init -p team $ALICE");
    assert!(runs("PATH=$PWD/wrapped:$PATH; pass init -p team $ALICE $BOB $RSA") >= 9);
    check();
    // An option in gpg.conf that changes what is written is for gpg to follow.
    store.ok("pass init -p team $ALICE; echo throw-keyids >>$GNUPGHOME/gpg.conf");
    assert!(runs("pass init -p team $ALICE $BOB") >= 9);
    let message = std::fs::read(store.dir().join("team/5.gpg")).unwrap();
    assert_eq!(store.keyring().open(&message).recipients, ["0000000000000000", "0000000000000000"]);
}
