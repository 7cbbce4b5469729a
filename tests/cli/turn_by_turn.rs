//! Stock pass and our program use one store, turn by turn: each reads what the other wrote.

use crate::common::{Output, TestStore, stock_pass};

/// A store that both programs work on.
struct Shared(TestStore);

impl Shared {
    fn ours(&self, args: &[&str], stdin: &str) -> Output {
        self.0.pass(args, stdin).good()
    }

    fn stock(&self, args: &[&str], stdin: &str) -> Output {
        self.0.run(stock_pass(), args, stdin.as_bytes()).good()
    }

    /// Checks that both programs show the same for an entry.
    #[track_caller]
    fn both_show(&self, entry: &str, expected: &str) {
        assert_eq!(self.ours(&["show", entry], "").out(), expected, "ours shows {entry}");
        assert_eq!(self.stock(&["show", entry], "").out(), expected, "stock pass shows {entry}");
    }

    /// Checks that both programs list the same.
    #[track_caller]
    fn both_list(&self) {
        assert_eq!(self.ours(&["ls"], "").out(), self.stock(&["ls"], "").out());
        assert_eq!(self.ours(&["find", "a"], "").out(), self.stock(&["find", "a"], "").out());
    }

    /// Checks who can read an entry, by the number of keys and the contents.
    #[track_caller]
    fn readers(&self, entry: &str, expected: usize) {
        let bytes = std::fs::read(self.0.dir().join(format!("{entry}.gpg"))).expect("the entry exists");
        let message = self.0.keyring().open(&bytes);
        assert_eq!(message.recipients.len(), expected, "{entry}: {:?}", message.recipients);
        assert!(message.plaintext.is_some(), "{entry} can be read");
    }

    #[track_caller]
    fn clean(&self) {
        let status = self.0.run("git", &["-C", "store", "status", "--porcelain"], b"").good();
        assert_eq!(status.out(), "", "nothing is left uncommitted");
        self.0.run("git", &["-C", "store", "fsck", "--strict"], b"").good();
    }
}

#[test]
fn stock_pass_and_ours_share_a_store_turn_by_turn() {
    let shared = Shared(TestStore::new());
    let key = |name: &str| shared.0.keyring().fingerprint(name).to_owned();
    let (alice, bob) = (key("alice"), key("bob"));
    let editor = shared.0.root().join("editor");
    std::fs::write(&editor, "#!/bin/sh\necho \"edited by $0\" >>\"$1\"\n").expect("the folder is ours");
    let edit = |program: &str| shared.0.shell(&format!("EDITOR='sh {}' {program}", editor.display())).good();
    let stock_edit = format!("{} edit web/a", stock_pass().display());
    let line = format!("edited by {}\n", editor.display());

    // Ours starts the store, stock pass makes it a repository; each inserts, each reads.
    shared.ours(&["init", &alice, &bob], "");
    shared.stock(&["git", "init"], "");
    shared.ours(&["insert", "-m", "web/a"], "ours\n");
    shared.stock(&["insert", "-m", "web/b"], "stock\n");
    shared.both_show("web/a", "ours\n");
    shared.both_show("web/b", "stock\n");
    shared.both_list();
    shared.clean();

    // Each overwrites and generates over what the other wrote.
    shared.stock(&["insert", "-mf", "web/a"], "by stock\nuser: anna\n");
    shared.ours(&["generate", "-i", "web/a", "30"], "");
    shared.stock(&["generate", "-n", "web/gen", "20"], "");
    let generated = shared.0.decrypted("web/gen");
    shared.both_show("web/gen", &generated);
    let generated = shared.0.decrypted("web/a");
    assert_eq!(
        (generated.lines().next().map(str::len), generated.lines().nth(1)),
        (Some(30), Some("user: anna"))
    );
    shared.both_show("web/a", &generated);

    // Each edits after the other.
    edit("pass edit web/a");
    edit(&stock_edit);
    shared.both_show("web/a", &format!("{generated}{line}{line}"));
    shared.clean();

    // A folder for Bob and Alice with a list of its own, in turns: entries moved in and out follow it.
    shared.stock(&["init", &alice], "");
    shared.readers("web/a", 1);
    shared.ours(&["init", "-p", "team", &alice, &bob], "");
    shared.stock(&["mv", "web/a", "team/a"], "");
    shared.ours(&["cp", "web/b", "team/b"], "");
    shared.readers("team/a", 2);
    shared.readers("team/b", 2);
    shared.ours(&["mv", "team/a", "mine"], "");
    shared.readers("mine", 1);
    shared.stock(&["init", "-p", "team", ""], "");
    shared.readers("team/b", 1);
    shared.ours(&["init", &bob, &alice], "");
    shared.readers("web/b", 2);
    shared.both_list();
    shared.clean();

    // Each removes what the other made.
    shared.stock(&["rm", "-f", "mine"], "");
    shared.ours(&["rm", "-rf", "team"], "");
    shared.stock(&["rm", "-rf", "web"], "");
    assert_eq!(shared.0.shell("ls store").out(), "");
    shared.clean();
    let subjects = shared.0.subjects();
    for expected in [
        "Add given password for web/a to store.",
        "Add given password for web/b to store.",
        "Replace generated password for web/a.",
        "Add generated password for web/gen.",
        &format!("Edit password for web/a using sh {}.", editor.display()),
        "Rename web/a to team/a.",
        "Copy web/b to team/b.",
        "Rename team/a to mine.",
        "Remove mine from store.",
        "Remove team from store.",
    ] {
        assert!(subjects.iter().any(|subject| subject == expected), "{expected:?} in {subjects:#?}");
    }
}

#[test]
fn both_reach_colleagues_through_a_remote() {
    let store = TestStore::new();
    let remote = store.bare_remote("remote.git");
    let shared = Shared(store);
    let alice = shared.0.keyring().fingerprint("alice").to_owned();
    shared.stock(&["init", &alice], "");
    shared.ours(&["git", "init"], "");
    shared.ours(&["insert", "-m", "a"], "1\n");
    let remote = remote.to_str().expect("the path is plain");
    shared.ours(&["git", "remote", "add", "origin", remote], "");
    shared.ours(&["git", "push", "-q", "-u", "origin", "HEAD"], "");
    shared.stock(&["insert", "-m", "b"], "2\n");
    shared.stock(&["git", "push", "-q"], "");
    let log = shared.0.run("git", &["-C", remote, "log", "--format=%s"], b"").good().out();
    assert!(
        log.starts_with("Add given password for b to store.\nAdd given password for a to store.\n"),
        "{log}"
    );
}
