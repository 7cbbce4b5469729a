//! `recipients check` and `list`: what lists and entries are compared with besides each other: groups,
//! signatures, history.

use crate::cli::git::Repository;

#[test]
fn lists_that_are_not_what_their_groups_come_to_are_found() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; pass group add team $ALICE $BOB --yes; pass group assign team web --yes 2>/dev/null ||
        { mkdir -p store/web; echo x | pass insert -m web/a; pass group assign team web --yes; }
        ");
    assert!(!store.shell("pass recipients check").out().contains("its rule"));
    store.ok("echo $CAROL >store/web/.gpg-id; git -C store commit -qam carol");
    let said = store.shell("pass recipients check").out();
    let line = said.lines().find(|line| line.contains("is not what its rule")).expect(&said);
    assert!(
        line.starts_with("warning: web: ") && line.contains("it lacks") && line.contains("besides"),
        "{said}"
    );
    assert!(said.contains("`pass group assign team web`"), "{said}");
    let said = store.ok("pass recipients list web");
    assert!(said.contains("not what its groups come to: `pass recipients check web`"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&store.ok("pass recipients list web --json")).expect("it is JSON");
    assert_eq!(json["folders"][0]["differs_from_rule"], true);
    // What no longer is a configuration is found too.
    store.ok("echo junk >store/.passel.yaml; git -C store commit -qam junk");
    let said = store.shell("pass recipients check").out();
    assert!(said.contains("error: .passel.yaml: the groups cannot be used"), "{said}");
}

#[test]
fn groups_that_others_changed_are_found() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; pass group add team $ALICE $BOB --yes
        git init -q --bare r.git; git -C store remote add origin $PWD/r.git; git -C store push -q -u origin master
        git clone -q r.git other; cd other; sed -i \"s/^  team:/  team:\\n  - $DAVE/\" .passel.yaml
        git commit -qam team; git push -q; git -C ../store pull -q");
    let dave = store.ok("echo $DAVE");
    let said = store.shell("pass recipients check").out();
    let found = format!("not accepted on this machine: group `team` gains key {dave}");
    assert!(said.contains(&format!("error: .passel.yaml: its groups and rules were {found}")), "{said}");
    store.ok("git -C store reset -q --hard HEAD~1; pass recipients check");
}

#[test]
fn lists_that_are_not_signed_as_asked_for_are_found() {
    let store = Repository::new();
    store.ok("export PASSWORD_STORE_SIGNING_KEY=$ALICE; pass init $ALICE $BOB; pass recipients check
        echo $CAROL >>store/.gpg-id; git -C store commit -qam carol");
    let output = store.shell("PASSWORD_STORE_SIGNING_KEY=$ALICE pass recipients check");
    assert!(
        output.code == 4 && output.out().contains("error: .gpg-id: its signature is missing"),
        "{}",
        output.out()
    );
    // The command that is printed mends it.
    let said = output.out();
    let line = said.lines().find(|line| line.contains("--detach-sign")).expect("a hint");
    let command = line.split('`').nth(1).expect("a command");
    store.ok(&format!("{command} 2>/dev/null; PASSWORD_STORE_SIGNING_KEY=$ALICE pass recipients check"));
}

#[test]
fn findings_are_printed_as_json() {
    let store = Repository::new();
    store.ok("pass init $ALICE $BOB; echo x | pass insert -m a; echo $EXPIRED >>store/.gpg-id; git -C store commit -qam old");
    let output = store.shell("pass recipients check --json");
    assert_eq!(output.code, 4);
    let json: serde_json::Value = serde_json::from_str(&output.out()).expect("it is JSON");
    let found = json["findings"].as_array().expect("an array");
    assert_eq!(json["errors"], found.iter().filter(|row| row["severity"] == "error").count());
    let expired = store.ok("echo $EXPIRED");
    let finding =
        found.iter().find(|row| row["message"].as_str().unwrap().contains("expired on")).expect("it");
    assert!(finding["message"].as_str().unwrap().contains("Erin Expired"), "{finding}");
    let hint = finding["hint"].as_str().unwrap();
    assert!(hint.contains(&format!("`pass recipients remove / {expired}`")), "{hint}");
    // The command works as it is printed; what only it could mend is not said to be mended by an update.
    assert!(
        output.out().contains("when its recipients are mended: `pass recipients update`"),
        "{}",
        output.out()
    );
    store.ok(&format!("pass recipients remove / {expired} --yes; pass recipients check"));
    let json: serde_json::Value =
        serde_json::from_str(&store.ok("pass recipients who / --json")).expect("it is JSON");
    assert_eq!((&json["total"], &json["readers"][0]["reads"]), (&1.into(), &1.into()));
    let json: serde_json::Value =
        serde_json::from_str(&store.ok("pass recipients what $ALICE --json")).expect("it is JSON");
    assert_eq!((&json["reads"][0]["name"], &json["reads"][0]["named"]), (&"a".into(), &true.into()));
}
