//! `recipients list`.

use crate::cli::git::Repository;

/// A store for Alice and Bob, with a folder for Carol, a dot in a name, and an entry that only Alice reads
/// although Bob should.
fn store() -> Repository {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; for n in a web/b.c; do echo x | pass insert -m $n; done
        pass init -p carol $CAROL; echo x | pass insert -m carol/d
        gpg --batch --yes -e -r $ALICE -o store/old.gpg <<<x; git -C store add -A; git -C store commit -qm old");
    store
}

#[test]
fn lists_names_fingerprints_and_how_the_entries_agree() {
    let store = store();
    let out = store.ok("pass recipients");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "Recipients of the store, from .gpg-id:");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(lines[1]), ["NAME", "E-MAIL", "FINGERPRINT", "EXPIRES", "VALIDITY", "READS", "FROM"]);
    let (alice, bob) = (store.keyring().fingerprint("alice"), store.keyring().fingerprint("bob"));
    assert_eq!(
        words(lines[2])[1..],
        ["alice@example.org", alice, "never", "ultimate", "3/3", ".gpg-id", "line", "1"]
    );
    assert_eq!(
        words(lines[3])[1..],
        ["bob@example.org", bob, "never", "ultimate", "2/3", ".gpg-id", "line", "2"]
    );
    assert!(
        lines[4].contains("3 entries: 1 can be read by other keys; `pass recipients update` mends that.")
    );
    assert_eq!(lines[5].trim(), "old");
    // The word `list` is not needed, and a folder that inherits says from where.
    assert_eq!(store.ok("pass recipients list"), out);
    let web = store.ok("pass recipients web");
    assert!(web.starts_with("Recipients of web, from .gpg-id, a folder above:"), "{web}");
    assert!(web.ends_with("1 entry: exactly these keys can read each."), "{web}");
}

#[test]
fn lists_the_whole_tree() {
    let store = store();
    let out = store.ok("pass recipients --tree");
    assert!(out.contains("Recipients of the store, from .gpg-id:\n"), "{out}");
    assert!(out.contains("\n\nRecipients of carol, from carol/.gpg-id:\n"), "{out}");
    assert!(!store.ok("pass recipients list").contains("carol"), "without --tree, no other list");
}

#[test]
fn a_subcommand_wins_over_a_folder_of_its_name() {
    let store = store();
    store.ok("pass init -p list $DAVE; pass init -p who $DAVE");
    assert!(store.ok("pass recipients list").starts_with("Recipients of the store"));
    assert!(store.ok("pass recipients list list").starts_with("Recipients of list, from list/.gpg-id:"));
    assert!(store.ok("pass recipients list who").starts_with("Recipients of who, from who/.gpg-id:"));
}

#[test]
fn prints_json_for_programs() {
    let store = store();
    store.ok(
        "mkdir -p $'store/e\\e\"'; echo '# us' >> store/.gpg-id; echo nobody@example.org >> store/.gpg-id;
        cp store/a.gpg $'store/e\\e\"/x.gpg'; rm store/old.gpg",
    );
    let out = store.ok("pass recipients --json --tree");
    assert!(!out.contains('\x1b'));
    let json: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    let root = &json["folders"][0];
    assert_eq!((root["folder"].as_str(), root["file"].as_str()), (Some(""), Some(".gpg-id")));
    let bob = &root["recipients"][1];
    assert_eq!(bob["fingerprint"], store.keyring().fingerprint("bob"));
    assert_eq!((&bob["line"], &bob["email"]), (&2.into(), &"bob@example.org".into()));
    assert_eq!((&bob["expires"], &bob["problem"], &bob["reads"]), (&().into(), &().into(), &3.into()));
    let nobody = &root["recipients"][2];
    assert_eq!((&nobody["line"], &nobody["fingerprint"]), (&4.into(), &().into()));
    assert!(nobody["problem"].as_str().unwrap().contains("no public key"), "{nobody}");
    assert_eq!((&root["entries"]["total"], &root["entries"]["unclear"]), (&3.into(), &3.into()));
    assert!(root["entries"]["names"].as_array().unwrap().contains(&"e\x1b\"/x".into()));
    assert_eq!(json["folders"][1]["folder"], "carol");
}

#[test]
fn shows_unusable_keys_and_what_is_the_matter() {
    let store = store();
    store.ok("printf '%s\\n' $ALICE $EXPIRED $REVOKED mallory@example.org >store/.gpg-id");
    let out = store.ok("pass recipients");
    for part in
        ["2024-02-01", "line 2: key ", "expired on 2024-02-01", "was revoked", "(mallory@example.org)"]
    {
        assert!(out.contains(part), "{part} in\n{out}");
    }
}

#[test]
fn a_recipients_file_that_can_be_none_is_an_error() {
    let store = store();
    store.ok("ln -sf /dev/null store/web/.gpg-id");
    let output = store.pass(&["recipients", "web"], "");
    assert_eq!(output.code, 1, "{}", output.out());
    assert!(output.err().contains("web/.gpg-id"), "{}", output.err());
    let output = store.pass(&["recipients", "list", "absent"], "");
    assert_eq!((output.code, output.err().as_str()), (1, "Error: absent is not in the password store.\n"));
}

#[test]
fn looking_accepts_nothing_that_has_changed() {
    let store = store();
    store.ok("cp store/.git/passel-accepted before; echo $DAVE >>store/.gpg-id
        pass recipients --tree; pass recipients who a; pass recipients check || true
        cmp before store/.git/passel-accepted");
}
