//! Entries that are not what they seem, among good ones: work on many names each of them, once, and goes on.

use super::Bad;
use crate::common::TestStore;

/// Makes entries in the folder `x`, each of which is bad in another way; `a`'s message begins with 96 bytes of
/// session-key packet.
const MAKE: &str = "cd store; mkdir x; a=a.gpg c=bobs/c.gpg
    alice() { gpg --batch --quiet --trust-model always -r alice@example.org \"$@\"; }
    echo more >x/plain.gpg
    echo more | alice -u alice@example.org -s >x/signed.gpg
    head -c -1 $a >x/cut.gpg
    { head -c -4 $a; echo more | head -c 4; } >x/changed.gpg
    { head -c 50 $a; printf '\\1\\2\\3\\4'; tail -c +55 $a; } >x/session-key.gpg
    { tail -c +97 $a; head -c 96 $a; } >x/reordered.gpg
    { head -c 3 $c; head -c 11 $a | tail -c 8; tail -c +12 $c; } >x/lying.gpg
    { head -c 96 $c; tail -c +97 $a; } >x/swapped.gpg
    : >x/empty.gpg
    echo more | alice --rfc2440 --disable-mdc -z 0 -e >x/unprotected.gpg
    head -c 300M /dev/zero | alice --compress-algo zlib -z 9 -e >x/bomb.gpg
    git add .; git commit -qm bad";

const NAMES: [&str; 11] = [
    "bomb",
    "changed",
    "cut",
    "empty",
    "lying",
    "plain",
    "reordered",
    "session-key",
    "signed",
    "swapped",
    "unprotected",
];

#[test]
#[ignore = "long: make test-long"]
fn every_bad_entry_is_named_and_the_others_are_searched() {
    let bad = Bad::new();
    bad.0.shell(MAKE).good();
    // The second time, the good ones' session keys are remembered.
    for _ in 0..2 {
        let found = bad.0.shell("pass grep more");
        assert_eq!(found.code, 1, "{}", found.err());
        let out =
            ["\x1b[94m", "\x1b[1m", "\x1b[0m"].iter().fold(found.out(), |out, code| out.replace(code, ""));
        let headers: Vec<&str> = out.lines().filter(|line| line.ends_with(':')).collect();
        assert_eq!(headers, ["a:", "bobs/c:", "web/b:"], "{}", found.out());
        for name in NAMES {
            let errors = found.err().matches(&format!("error: cannot decrypt `x/{name}`\n")).count();
            assert_eq!(errors, 1, "{name}: {}", found.err());
        }
        assert!(found.err().contains("caused by: what it holds is larger than 256 MiB"), "{}", found.err());
        assert!(found.err().ends_with("error: 11 entries could not be searched\n"), "{}", found.err());
    }
    // All of them or nothing: what can be decrypted is not encrypted anew either.
    let before = bad.look();
    let refused = bad.0.shell("pass init $ALICE $CAROL");
    assert_eq!(refused.code, 1, "{}", refused.err());
    // One holds another entry's encrypted data, and is held back before anybody looks what is in it.
    for name in NAMES.iter().filter(|name| **name != "lying") {
        assert!(refused.err().contains(&format!("`x/{name}`")), "{name}: {}", refused.err());
    }
    assert_eq!(bad.look().differences(&before), Vec::<String>::new());
}

#[test]
#[ignore = "long: make test-long"]
fn a_message_of_a_gibibyte_takes_no_memory_from_the_others() {
    let store = TestStore::new();
    store.shell("pass init $ALICE; for name in a z; do echo more | pass insert -m $name; done").good();
    store.shell("{ head -c 96 store/a.gpg; printf '\\322\\377\\100\\0\\0\\0\\1'; } >store/huge.gpg; truncate -s 1G store/huge.gpg").good();
    let found = store.shell("ulimit -v 2000000; pass grep more");
    assert_eq!(found.code, 1, "{}", found.err());
    assert_eq!(found.out().matches("more").count(), 2);
    assert!(found.err().contains("huge.gpg` is larger than 256 MiB\n"), "{}", found.err());
    let before = std::fs::read(store.dir().join("a.gpg")).unwrap();
    let refused = store.shell("ulimit -v 2000000; pass init $ALICE $BOB");
    assert_eq!(refused.code, 1, "{}", refused.err());
    assert!(refused.err().contains("`huge` is larger than 256 MiB\n"), "{}", refused.err());
    assert_eq!(std::fs::read(store.dir().join("a.gpg")).unwrap(), before);
    assert_eq!(store.shell("cat store/.gpg-id").out().lines().count(), 1);
    let known = store.shell("ulimit -v 2000000; pass recipients who huge").good().out();
    assert!(known.contains("alice"), "{known}");
}
