//! What the store's policy holds passwords to, and what it ignores.

use serde_json::json;

use super::{GOOD, WHO, Ward};

#[test]
fn folders_are_held_to_what_the_policy_says() {
    let store = Ward::new();
    store.insert("web/a", GOOD, WHO);
    store.insert("clients/acme/a", &format!("{GOOD}1"), WHO);
    store.insert("clients/acme/pins/b", "7391", "");
    store.policy(
        "  folders:\n    clients/acme: {min_length: 20}\n    clients/acme/pins: {min_length: 4, min_score: 0, skip: [no-url, no-login]}\n",
    );
    assert_eq!(store.found(""), ["short warning clients/acme/a"]);
    let told = store.audit("clients/acme/a", 3).out();
    assert!(told.contains("the password is shorter than 20 characters"), "{told}");
    // Kinds are switched skip, and by a folder on again.
    store.policy(
        "  min_length: 14\n  skip: [short, no-login]\n  folders:\n    clients/acme/pins: {skip: []}\n",
    );
    assert_eq!(
        store.found(""),
        [
            "weak error clients/acme/pins/b",
            "short warning clients/acme/pins/b",
            "no-login warning clients/acme/pins/b",
            "no-url warning clients/acme/pins/b"
        ]
    );
}

#[test]
fn what_is_ignored_has_a_reason_and_is_counted() {
    let store = Ward::new();
    store.insert("printer", "73917391", WHO);
    store.insert("web/a", GOOD, WHO);
    store.insert("web/b", GOOD, WHO);
    store.insert("web/c", GOOD, "");
    store.policy(
        "  ignore:\n  - {entry: printer, kinds: [weak, short], why: the device allows 8 digits}\n  - {entry: web/c, why: a test}\n  - {entry: web/c, kinds: [old], why: x}\n  - {entry: gone, why: x}\n  - {entry: web/a, kinds: [weak], why: x}\n",
    );
    assert_eq!(store.found(""), ["reused warning web/a, web/b"]);
    let output = store.audit("", 3);
    assert!(
        output.out().ends_with("0 errors, 1 warning in 4 entries; 5 findings are ignored.\n"),
        "{}",
        output.out()
    );
    for note in [
        "note: `gone` is ignored in vain: it is not there\n",
        "note: `web/a` is ignored in vain: nothing of that kind is found\n",
        "note: `web/c` is ignored in vain: nothing of that kind is found\n",
    ] {
        assert!(output.err().contains(note), "{note} in\n{}", output.err());
    }
    let shown = store.audit("--ignored", 3).out();
    let printer =
        "ignored: printer: the password is shorter than 12 characters\n  why: the device allows 8 digits\n";
    assert!(shown.contains(printer), "{shown}");
    let json = store.json("--ignored", 3);
    let ignored: Vec<_> =
        json["findings"].as_array().unwrap().iter().filter(|row| !row["ignored"].is_null()).collect();
    assert_eq!((ignored.len(), &json["ignored"], &json["warnings"]), (5, &5.into(), &1.into()));
    assert_eq!(json["notes"].as_array().map(Vec::len), Some(3));
    // Elsewhere, it is nobody's business.
    let output = store.audit("printer", 0);
    assert_eq!(output.out(), "Nothing is wrong with 1 entry; 2 findings are ignored.\n");
    assert_eq!(output.err(), "");
}

#[test]
fn what_others_lack_is_told_beside_what_is_ignored() {
    let store = Ward::new();
    store.insert("web/a", GOOD, "");
    store.insert("web/b", &format!("{GOOD}1"), "");
    store.policy("  skip: [no-login]\n  ignore:\n  - {entry: web/a, kinds: [no-url], why: nowhere}\n");
    assert_eq!(store.found("--ignored"), ["no-url warning web/b", "no-url warning web/a"]);
}

#[test]
fn a_policy_that_means_nothing_is_refused() {
    let store = Ward::new();
    store.insert("web/a", GOOD, WHO);
    for (health, words) in [
        (
            "  ignore:\n  - {entry: web/a, kinds: [weak]}\n",
            "ignores `web/a` and does not say why\nhint: add a line",
        ),
        ("  skip: [ugly]\n", "`ugly`, which is no kind of finding\nhint: the kinds are weak, short, "),
        ("  max_age: 0\n", "`max_age` to 0, not a number of days\nhint: "),
        ("  folders: {../x: {}}\n", "`../x`, which can be no folder\nhint: "),
        ("  smallest: 3\n", "`.passel.yaml` is damaged: "),
    ] {
        store.policy(health);
        store.refused("pass audit health", &[words]);
    }
}

#[test]
fn the_policy_is_nobodys_to_accept_and_stays_when_groups_change() {
    let store = Ward::new();
    store.ok("pass group add team $ALICE --yes; pass group assign team / --yes");
    let said = std::fs::read_to_string(store.dir().join(".passel.yaml")).unwrap();
    let policy = "health:\n  max_age: 365\n  ignore:\n  - entry: web/a\n    why: so\n";
    std::fs::write(store.dir().join(".passel.yaml"), format!("{said}{policy}")).unwrap();
    // As if a colleague had done it: the reflog knows no commit of ours.
    store.ok("cd store; git add .passel.yaml; git -c user.name=Eve commit -qm policy; rm .git/logs -r");
    store.ok("pass recipients check; pass group add team $BOB --yes");
    let said = std::fs::read_to_string(store.dir().join(".passel.yaml")).unwrap();
    assert!(said.ends_with(policy), "{said}");
    assert_eq!(store.json("", 0)["notes"], json!(["`web/a` is ignored in vain: it is not there"]));
}

#[test]
fn what_is_said_of_a_folder_goes_along_with_it() {
    let store = Ward::new();
    store.insert("far/away/a", "7391", WHO);
    store.insert("far/away/b", GOOD, WHO);
    store.policy(
        "  folders:\n    far/away: {min_length: 20}\n  ignore:\n  - {entry: far/away/a, kinds: [weak, short], why: x}\n",
    );
    assert_eq!(store.found(""), ["short warning far/away/b"]);
    store.ok("pass mv far near");
    assert_eq!(store.found(""), ["short warning near/away/b"]);
    store.ok("pass cp near/away copy; pass rm -rf near; pass rm -f copy/a");
    assert_eq!(store.found(""), ["short warning copy/b"]);
    let said = std::fs::read_to_string(store.dir().join(".passel.yaml")).unwrap();
    assert!(said.contains("entry: copy/a") && !said.contains("near") && !said.contains("far"), "{said}");
}
