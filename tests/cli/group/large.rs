//! Many recipients and many folders.

use super::*;

/// Takes one of `people` out of a group that `folders` follow, and looks who can read what then.
fn one_leaves(people: usize, folders: usize) {
    let store = Repository::new();
    let machine = super::super::client::Machine::new(&store, "many");
    let keys = machine.generate_many(people - 1);
    let leaver = keys[0].clone();
    store.ok("gpg -q --import many.pub 2>/dev/null");
    let all = keys.join(" ");
    store.ok(&format!("pass group add --yes team $ALICE {all}"));
    // Stock pass trusts certified keys only; who is taken out later need not be.
    store.ok(&format!(
        "for key in {all}; do echo $key:6:; done | gpg --batch -q --import-ownertrust 2>/dev/null
        gpg --batch -q --check-trustdb 2>/dev/null; pass group assign --yes team"
    ));
    // One rule a folder, as the commands would make them, in one go.
    store.ok(&format!(
        "cd store; for n in $(seq {folders}); do mkdir c$n; cp .gpg-id c$n/; printf '  c%s:\\n    groups:\\n    - team\\n' $n >>.passel.yaml; done
        git add -A; git commit -qm folders; cd ..; for n in $(seq {folders}); do echo $n | pass insert -e c$n/e >/dev/null; done"
    ));
    let before = store.count();
    let told = store.ok(&format!("pass group remove --yes team {leaver}"));
    assert!(told.contains(&format!("{} folders: the store, ", folders + 1)), "{told}");
    assert_eq!(store.count(), before + 1, "one commit");
    store.clean();
    store.ok(&format!("not git -C store grep -q {leaver}; ! git -C store ls-files | grep -q {leaver}"));
    let subkey =
        store.ok(&format!("gpg --list-keys --with-colons {leaver} | awk -F: '/^sub/ {{ print $5 }}'"));
    let carried =
        store.ok("for e in store/c*/e.gpg; do gpg --batch --list-packets --list-only $e 2>&1; done");
    assert_eq!(carried.matches(&subkey).count(), 0, "an entry carries the removed key");
    let ids = carried.lines().filter(|line| line.contains("pubkey enc packet")).count();
    assert_eq!(ids, (people - 1) * folders);
    let stock = stock_pass().display().to_string();
    store.ok(&format!("test \"$({stock} show c1/e)\" = 1; echo s | {stock} insert -e c2/s"));
    let written = store.ok("gpg --batch --list-packets --list-only store/c2/s.gpg 2>&1");
    assert_eq!(written.matches("pubkey enc packet").count(), people - 1);
    assert!(!written.contains(&subkey));
}

#[test]
fn one_of_six_leaves_eight_folders() {
    one_leaves(6, 8);
}

#[test]
#[ignore = "long"]
fn one_of_thirty_leaves_a_hundred_folders() {
    one_leaves(30, 100);
}
