//! Who is a client and who is not, whatever happens to the lists.

use super::*;

/// Returns the store with a client `acme` whose key is Carol's, and two entries of theirs.
fn with_client() -> Repository {
    let store = shared();
    store.ok(
        "pass client add acme $CAROL --yes; for n in y x; do echo $n | pass insert -e clients/acme/$n; done",
    );
    store
}

#[test]
fn a_colleague_who_left_is_no_client() {
    let store = with_client();
    let key = |name| store.keyring().fingerprint(name).to_owned();
    store.ok("pass recipients remove / $BOB --yes");
    let shown = store.ok("pass client show acme");
    assert!(shown.contains(&format!("  client  {}", key("carol"))), "{shown}");
    assert!(shown.contains(&format!("  reader  {}", key("bob"))), "{shown}");
    let listed = store.ok("pass client list");
    assert!(listed.contains(&key("carol")) && !listed.contains(&key("bob")), "{listed}");
    // A list above that nobody can make out makes nobody a client.
    store.ok("echo nobody@nowhere.example >store/.gpg-id; git -C store commit -qam nobody");
    assert_eq!(store.ok("pass client list"), listed);
    // Taken out by hand, the client can still be removed.
    store.ok(
        "git -C store revert --no-edit HEAD >/dev/null; pass recipients remove clients/acme $CAROL --yes",
    );
    store.ok("not grep -q $CAROL store/.passel.yaml 2>/dev/null");
    store.refused(
        "pass client remove acme --keep-entries --yes",
        &["no key of `clients/acme`", "recipients remove"],
    );
    let told = store.ok("pass client remove acme --yes; not test -e store/clients/acme");
    assert!(told.ends_with("change their passwords:\n  clients/acme/x\n  clients/acme/y"), "{told}");
    store.clean();
}

#[test]
fn what_the_client_could_read_is_listed_either_way() {
    let store = with_client();
    store.ok("pass init -p clients/acme/ours $ALICE $BOB; echo z | pass insert -e clients/acme/ours/z");
    let exposed =
        "could be read by who was removed; change their passwords:\n  clients/acme/x\n  clients/acme/y";
    let told = store.ok("pass client remove acme --keep-entries --yes");
    assert!(
        told.contains(&format!(
            "{exposed}\nRemoval is not retroactive: the key could read 2 versions of 2 entries"
        )),
        "{told}"
    );
    store.ok("not test -e store/clients/acme/.gpg-id; not git -C store grep -q $CAROL");
    store.refused("pass client remove acme --yes", &["there is no client `acme`"]);
    store.ok("pass client add acme $CAROL --yes");
    let told = store.ok("pass client remove acme --yes");
    assert!(told.ends_with(exposed), "{told}");
    store.clean();
}

#[test]
fn whoever_reads_more_is_no_client() {
    let store = shared();
    store.refused("pass client add self $BOB --yes", &["can read the store already", "reads nothing else"]);
    store.ok("pass group add sales $ALICE $CAROL --yes; pass init -p shop $ALICE; pass group assign sales shop --yes");
    let told = store.ok("pass client add acme $CAROL --yes");
    assert!(told.contains("can read those of their own folder, and of `shop`."), "{told}");
    let told = store.ok("pass client add globex $DAVE --yes");
    assert!(told.contains("can read those of their own folder only."), "{told}");
}

#[test]
fn one_may_give_a_client_a_folder_that_one_cannot_read() {
    let store = shared();
    store.ok("pass group add sales $BOB --yes");
    let machine = Machine::new(&store, "me");
    machine.ok("gpg -q --import alice.key bob.pub carol.pub");
    let line = "pass client add acme $CAROL --group sales --yes --fingerprint $CAROL";
    machine.refused(line, &["you could no longer read `clients/acme`", "--force"]);
    machine.ok(&format!("{line} --force"));
    assert!(store.ok("pass client show acme").contains("  client  "));
}

#[test]
fn clients_move_with_their_folder() {
    let store = with_client();
    store.ok("pass mv clients customers");
    assert!(store.ok("pass client list").starts_with("acme (2 entries)"));
    assert!(store.ok("cat store/.passel.yaml").contains("clients: customers"));
    store.ok("pass cp customers copy; pass client show acme | grep -q customers/acme");
    store.ok("pass mv customers clients; not grep -q ^clients: store/.passel.yaml");
    store.clean();
    // Where nobody uses clients or groups, a folder of that name is one like any other.
    let store = shared();
    store.ok("pass insert -m clients/a <<<x; pass mv clients customers; not test -e store/.passel.yaml");
}
