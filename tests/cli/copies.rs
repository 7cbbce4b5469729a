//! Entries that somebody without access copied, for us to encrypt anew: they are held back. Dave is the one who
//! wants to read Alice's secret; his folder is hers too.

mod history;
mod honest;
mod review;
mod smuggled;

use std::ops::Deref;
use std::path::Path;

use super::git::Repository;

/// A store in which Dave has put a copy of `secret/x` into his folder, `dave/x`.
pub struct Attacked(Repository);

/// Returns the message with a session-key packet for Dave in front, which opens nothing.
pub fn forged(store: &Repository, message: &[u8]) -> Vec<u8> {
    store.ok("echo x | gpg --batch --yes --quiet --trust-model always -r dave@example.org -o packet -e");
    let packet = std::fs::read(store.root().join("packet")).expect("gpg wrote it");
    assert_eq!(packet[0], 0x84, "a session-key packet with one octet of length");
    [&packet[..2 + usize::from(packet[1])], message].concat()
}

impl Deref for Attacked {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.0
    }
}

impl Attacked {
    fn new() -> Self {
        let made = Self::before();
        let message = made.forged(&made.read("secret/x"));
        made.commit("dave/x", &message);
        made
    }

    /// The same store before the attack.
    fn before() -> Self {
        let store = Repository::new();
        store.ok("echo topsecret | pass insert -m secret/x; pass init -p dave $ALICE $DAVE; echo mine | pass insert -m dave/own");
        Attacked(store)
    }

    fn read(&self, entry: &str) -> Vec<u8> {
        std::fs::read(self.dir().join(format!("{entry}.gpg"))).expect("the entry is there")
    }

    /// Returns the message with a session-key packet for Dave in front, which opens nothing.
    fn forged(&self, message: &[u8]) -> Vec<u8> {
        forged(self, message)
    }

    /// Commits a message as Dave.
    fn commit(&self, entry: &str, message: &[u8]) {
        std::fs::write(self.dir().join(format!("{entry}.gpg")), message).expect("the folder is there");
        self.ok("cd store; git add .; git commit -q --author='Dave <dave@example.org>' -m 'Add a note.'");
    }

    /// Returns how many can read an entry, by its session-key packets.
    fn readers(&self, entry: &str) -> usize {
        self.keyring().open(&self.read(entry)).recipients.len()
    }

    /// Runs a line that must hold `entry` back, and checks that the secret is encrypted to nobody anew.
    #[track_caller]
    fn holds(&self, line: &str, entry: &str) -> String {
        let original = self.read("secret/x");
        let end = &original[original.len() - 40..];
        let output = self.shell(line);
        assert_eq!(output.code, 3, "{line}\n{}{}", output.out(), output.err());
        let told = format!("held back: `{entry}` holds ");
        assert!(output.err().contains(&told), "{line}: {told}\n{}", output.err());
        let files = self.ok("find store -name '*.gpg'");
        for file in files.lines() {
            let bytes = std::fs::read(self.root().join(file)).expect("it was listed");
            if self.keyring().open(&bytes).plaintext.as_deref() == Some(b"topsecret\n") {
                assert!(bytes.ends_with(end), "{line}: {file} was encrypted anew");
            }
        }
        output.err()
    }

    /// Runs lines on copies of the store, each on a fresh one.
    fn each(&self, lines: &[&str], check: impl Fn(&str)) {
        self.ok("cp -a store template");
        for line in lines {
            self.ok("rm -rf store; cp -a template store; git -C store status");
            check(line);
        }
    }
}

/// Puts the encrypted data of a message of gpg's behind another header, `framed`.
fn reframed(message: &[u8], framed: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let start = 2 + usize::from(message[1]);
    assert_eq!((message[0], message[start]), (0x84, 0xd2));
    let data = &message[start + 2..];
    assert_eq!(usize::from(message[start + 1]), data.len());
    [&message[..start], &framed(data)].concat()
}

#[test]
fn no_command_encrypts_a_copy_anew() {
    let store = Attacked::new();
    store.ok("pass init -p team $ALICE $CAROL");
    store.each(
        &[
            "pass init -p dave $ALICE $DAVE $CAROL",
            "pass init -p dave $ALICE $CAROL",
            "pass init -p dave $CAROL $ALICE $BOB",
            "printf '%s\\n' $ALICE $DAVE $BOB >store/dave/.gpg-id; git -C store commit -qam list; pass --internal-reencrypt store/dave",
            "pass mv dave/x team/x",
            "pass cp dave/x team/x",
            "pass mv dave/x team/",
            "pass generate -i dave/x",
            "pass edit dave/x",
        ],
        |line| {
            let told = store.holds(line, "dave/x");
            assert!(told.contains("what stood at `secret/x`, encrypted for others, since commit "), "{told}");
            assert!(told.contains("by Dave <dave@example.org>; ") && told.contains(" would gain access"), "{told}");
            assert!(told.contains("recipients review"), "{told}");
            store.clean();
        },
    );
}

#[test]
fn the_rest_is_done() {
    let store = Attacked::new();
    store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    assert_eq!((store.readers("dave/own"), store.readers("dave/x")), (3, 2));
    assert_eq!(store.ok("git -C store show --format= --name-only"), "dave/.gpg-id\ndave/own.gpg");
    store.ok("pass init -p team $ALICE $BOB; mkdir store/dave/deep; cd store; git mv dave/x.gpg dave/own.gpg dave/deep; git commit -qm move");
    store.holds("pass cp dave/deep team/", "dave/deep/x");
    assert_eq!(
        store.ok("cd store; ls dave/deep team/deep"),
        "dave/deep:\nown.gpg\nx.gpg\n\nteam/deep:\nown.gpg"
    );
    store.holds("pass mv dave/deep team/deeper", "dave/deep/x");
    assert_eq!(store.ok("cd store; ls dave/deep team/deeper"), "dave/deep:\nx.gpg\n\nteam/deeper:\nown.gpg");
    store.clean();
}

#[test]
fn a_list_does_not_go_from_above_a_copy() {
    let store = Attacked::new();
    store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    store.refused_to_drop("pass mv dave elsewhere");
    // Taken back to those who could read it where it stood, nobody gains.
    store.ok("pass init -p dave ''");
    assert_eq!((store.readers("dave/x"), store.decrypted("dave/x")), (1, "topsecret\n".to_owned()));
}

#[test]
fn keys_that_are_taken_away_are_taken_off() {
    let store = Attacked::new();
    let before = store.read("dave/x");
    store.holds("pass init -p dave $ALICE $CAROL", "dave/x");
    // Alice's packet and the data stay, to the byte; Dave's packet is gone.
    assert!(before.ends_with(&store.read("dave/x")));
    assert_eq!(store.readers("dave/x"), 1);
    store.clean();
    // With nobody left, the list cannot change before a person decides.
    store.refused_to_drop("pass init -p dave $CAROL");
}

impl Attacked {
    /// Checks that a line changes nothing, for want of a decision.
    #[track_caller]
    fn refused_to_drop(&self, line: &str) {
        let before = self.state();
        self.holds(line, "dave/x");
        assert_eq!(self.state(), before, "{line} changed something");
    }
}

#[test]
fn a_copy_is_known_however_it_is_framed() {
    let store = Attacked::before();
    let original = store.read("secret/x");
    let length = |data: &[u8]| u8::try_from(data.len()).expect("it is short");
    let forms = [
        reframed(&original, |data| [&[0xd2, 255, 0, 0, 0, length(data)], data].concat()),
        reframed(&original, |data| [&[0xd2, 0], data].concat()),
        reframed(&original, |data| {
            [&[0xd2, 0xe4], &data[..16], &[length(&data[16..])], &data[16..]].concat()
        }),
        reframed(&original, |data| [&[0xd2, 0xe0], &data[..1], &[length(&data[1..])], &data[1..]].concat()),
    ];
    store.ok("cp -a store template");
    for form in forms {
        store.ok("rm -rf store; cp -a template store");
        store.commit("dave/x", &store.forged(&form));
        store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    }
    // In armour, and in armour of a form that only gpg reads.
    store.ok("rm -rf store; cp -a template store");
    let form = store.forged(&original);
    std::fs::write(store.root().join("form"), form).expect("the folder is ours");
    store.ok("gpg --enarmor <form | sed 's/ARMORED FILE/MESSAGE/' >store/dave/x.gpg");
    let armored = store.read("dave/x");
    store.commit("dave/x", &armored);
    assert_eq!(store.shell("pass init -p dave $ALICE $DAVE $CAROL").code, 3);
    assert!(armored.starts_with(b"-----BEGIN PGP MESSAGE-----") && store.read("dave/x") == armored);
    store.ok("sed -i '1i before' store/dave/x.gpg; git -C store commit -qam odd");
    store.refused("pass init -p dave $ALICE $DAVE $BOB", &["cannot decrypt `dave/x`"]);
}

#[test]
fn a_copy_inside_of_another_message_is_refused() {
    let store = Attacked::before();
    store.ok("gpg --batch --quiet --trust-model always --no-literal --compress-algo none -r alice@example.org -r dave@example.org \
              -o store/dave/x.gpg -e store/secret/x.gpg; git -C store add .; git -C store commit -qm nested; gpg -q --batch -d store/dave/x.gpg");
    store.refused("pass init -p dave $ALICE $DAVE $CAROL", &["cannot decrypt `dave/x`"]);
    store.refused("pass generate -i dave/x", &["Could not reencrypt"]);
}

#[test]
fn an_old_version_from_before_the_sharing_is_held_back() {
    let store = Attacked::before();
    let old = store.forged(&store.read("secret/x"));
    store.ok("pass generate -f secret/x; pass init -p secret $ALICE $DAVE");
    store.ok("cp -a store template");
    store.commit("secret/x", &old);
    let told = store.shell("pass init -p secret $ALICE $DAVE $CAROL");
    assert_eq!(told.code, 3, "{}", told.err());
    assert!(
        told.err().contains("`secret/x` holds an old version that was encrypted for others"),
        "{}",
        told.err()
    );
    // Brought back by a merge that takes Dave's side.
    store.ok("rm -rf store; cp -a template store; cd store; git checkout -q -b side HEAD~2; git commit -q --allow-empty -m side
        git checkout -q master; git merge -q --no-commit --no-ff -s ours side; git checkout -q side -- secret/x.gpg; git commit -qm merge");
    let told = store.shell("pass init -p secret $ALICE $DAVE $CAROL");
    assert_eq!(told.code, 3, "{}", told.err());
    assert_eq!(store.decrypted("secret/x"), "topsecret\n");
    assert_eq!(store.readers("secret/x"), 1);
}

#[test]
fn a_list_that_was_the_same_for_one_commit_does_not_help() {
    let store = Attacked::before();
    store.ok(
        "cp store/dave/.gpg-id list; echo $ALICE >store/dave/.gpg-id; git -C store commit -qam 'Tidy up.'",
    );
    store.commit("dave/x", &store.forged(&store.read("secret/x")));
    store.ok("cp list store/dave/.gpg-id; git -C store commit -qam 'Tidy up.'");
    store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    // Nor does one that was opened for one commit where the secret stands.
    let store = Attacked::before();
    store.ok(
        "cp store/dave/.gpg-id store/secret/.gpg-id; git -C store add .; git -C store commit -qm 'Tidy up.'",
    );
    store.commit("dave/x", &store.forged(&store.read("secret/x")));
    store.ok("git -C store rm -q secret/.gpg-id; git -C store commit -qm 'Tidy up.'");
    store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
}

#[test]
fn what_is_not_committed_counts_only_if_it_was_fetched() {
    let store = Attacked::new();
    store.ok("pass init -p team $ALICE $CAROL; cd store; git branch fetched; git reset -q --hard HEAD~2");
    // Taken out of another branch, and out of nothing at all: a person moved it by hand.
    store.ok("cp -a store template; git -C store checkout fetched -- dave/x.gpg");
    store.holds("pass generate -i dave/x", "dave/x");
    store.ok("rm -rf store; mv template store; mv store/secret/x.gpg store/dave/z.gpg; pass --internal-reencrypt store/dave");
    assert_eq!((store.readers("dave/z"), store.decrypted("dave/z")), (2, "topsecret\n".to_owned()));
}

#[test]
fn without_git_the_other_entries_are_compared() {
    let store = Attacked::new();
    store.ok("rm -rf store/.git");
    let told = store.holds("pass init -p dave $ALICE $DAVE $CAROL", "dave/x");
    assert!(told.contains("which is not committed"), "{told}");
    assert_eq!(store.readers("dave/own"), 3);
    let output = store.pass(&["recipients", "review", "dave/x", "--accept", "--yes"], "");
    assert_eq!(output.code, 0, "{}", output.err());
    store.ok("pass init -p dave $ALICE $DAVE $CAROL");
    assert_eq!(store.decrypted("dave/x"), "topsecret\n");
    assert!(!Path::new(&store.dir().join(".git")).exists());
}
