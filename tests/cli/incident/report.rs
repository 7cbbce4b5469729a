//! What the reports say.

use super::{contractor, id, reports, states, worked_on};
use crate::cli::git::Repository;

/// Fails unless the text holds all of these.
#[track_caller]
fn holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
#[ignore = "long: make test-long"]
fn there_is_one_for_the_team_and_one_for_each_client_concerned() {
    let store = worked_on();
    let files: Vec<String> = reports(&store, "").into_keys().collect();
    assert_eq!(files, ["acme.html", "acme.md", "team.html", "team.md", "zebracorp.html", "zebracorp.md"]);
}

#[test]
fn a_client_reads_in_plain_words_what_concerns_them() {
    let store = worked_on();
    let all = reports(&store, "--say 'We know of no *misuse*.'");
    let acme = &all["acme.md"];
    let headings: Vec<&str> = acme.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings,
        [
            "# Report for acme",
            "## What happened",
            "## What this means for you",
            "## What was done",
            "## What remains to be done"
        ]
    );
    holds(
        acme,
        &[
            &id(&store),
            "A person who had access until 2026-03-04 could read the sign-in details of 5 accounts that we keep for you.",
            "We know of no \\*misuse\\*.",
            "| `crm/admin` | password, one-time codes, password in an address, pin | **changed** on ",
            "| `https://crm.acme.example` |",
            "| `hosting` | password | **changed** already |",
            "| `shop` | password | **no longer kept by us** |",
            "| `old-crm` | sign-in details | **no longer in your folder** |",
            "| `dns` | password | **settled** on ",
            "- 2026-03-04: we ended the access by which these accounts could be read.",
            ": we changed `crm/admin`.",
            "- We keep the details of `old-crm` in another place by now.",
            ": we looked into `dns`:",
            "- We no longer keep the details of `shop`.",
        ],
    );
    let zebra = &all["zebracorp.md"];
    holds(
        zebra,
        &[
            "of 2 accounts",
            "- We still have to change `stripes` (at `https://stripes.example`).",
            "tell us that you did",
        ],
    );
    // The page says the same.
    for (name, text) in [("acme", acme), ("zebracorp", zebra)] {
        let page = &all[&format!("{name}.html")];
        for line in text.lines().filter(|line| line.starts_with('#')) {
            holds(page, &[line.trim_start_matches(['#', ' ']).trim_start_matches("Report for ")]);
        }
        for never in ["<script", "<a ", "href", "src=", "url(", "@import"] {
            assert!(!page.contains(never), "{never} in {page}");
        }
    }
    let named = reports(&store, "--name-people");
    holds(&named["acme.md"], &["Bob, who had access until 2026-03-04, could read"]);
    assert!(!named["acme.md"].contains("bob@example.org"));
}

#[test]
#[ignore = "long: make test-long"]
fn once_all_is_done_nothing_remains() {
    let store = worked_on();
    store.ok("printf 'n\\n' | pass insert -mf clients/zebracorp/stripes");
    let zebra = &reports(&store, "")["zebracorp.md"];
    holds(zebra, &["On our side nothing: all of these accounts have been dealt with."]);
    assert!(!zebra.contains("tell us that you did"), "{zebra}");
}

#[test]
fn who_still_has_access_is_said_to_have_it() {
    let store = contractor();
    store.ok("pass incident open 'Dave lost a key' --about dave@example.org");
    let all = reports(&store, "");
    holds(
        &all["acme.md"],
        &[
            "The key of a person who still has access is, or may be, in the wrong hands. It can read the sign-in details of 5 accounts",
        ],
    );
    store.ok("pass recipients remove clients/acme $DAVE --yes --no-rotate");
    holds(
        &reports(&store, "")["acme.md"],
        &["A person who had access until 20", ": we ended the access by which"],
    );
    store.ok("pass recipients add clients/acme $DAVE --yes");
    let acme = &reports(&store, "")["acme.md"];
    holds(acme, &["The key of a person who still has access"]);
    assert!(!acme.contains("we ended"), "{acme}");
}

#[test]
fn whoever_can_still_read_something_is_not_said_to_be_out() {
    for (line, is_out) in [
        // A folder in the client's that has a list of its own.
        (
            "pass init -p clients/acme $ALICE $BOB; pass init -p clients/acme/deep $ALICE $BOB; echo x | pass insert -m clients/acme/deep/x; pass recipients remove clients/acme $BOB --yes",
            false,
        ),
        // A list that was edited, and entries that were not encrypted anew.
        (
            "pass init -p clients/acme $ALICE $BOB; echo $ALICE >store/clients/acme/.gpg-id; git -C store commit -qam out",
            false,
        ),
        // Out of a folder in it, and not out of the one above.
        (
            "pass recipients add / $BOB --yes; pass init -p clients/acme/adm $ALICE; echo y | pass insert -m clients/acme/adm/y",
            false,
        ),
        ("pass init -p clients/acme $ALICE $BOB; pass recipients remove clients/acme $BOB --yes", true),
    ] {
        let store = Repository::new();
        store.ok(&format!("echo w | pass insert -m clients/acme/web; {line}; pass incident open T --about bob@example.org; pass incident report -o out"));
        let acme = store.ok("cat out/acme.md");
        assert_eq!(acme.contains("we ended the access"), is_out, "{line}: {acme}");
        assert_eq!(acme.contains("who had access until"), is_out, "{line}: {acme}");
        // Nor is anything dealt with that they can still read, once it is encrypted by the lists as they are.
        if line.contains("clients/acme/") && !line.contains(".gpg-id") {
            store.ok("for e in $(cd store; find clients -name '*.gpg'); do echo new | pass insert -mf ${e%.gpg}; done");
            let acme = store.ok("pass incident report -o out --force; cat out/acme.md");
            assert!(!acme.contains("On our side nothing"), "{line}: {acme}");
            store.refused(
                "pass incident close $(pass incident list --json | jq -r '.incidents[0].id') --why x",
                &[],
            );
        }
    }
}

#[test]
fn each_person_is_counted_for_what_they_could_read() {
    let store = Repository::new();
    store.ok("pass init -p clients/acme/a $ALICE $BOB; pass init -p clients/acme/b $ALICE $CAROL; for e in a/x b/y b/z; do echo $e | pass insert -m clients/acme/$e; done
        pass incident open T --about $BOB --about $CAROL --about clients/acme/b/y; pass incident report -o out");
    let acme = store.ok("cat out/acme.md");
    for words in [
        "It can read the sign-in details of 1 account ",
        "It can read the sign-in details of 2 accounts ",
        "The sign-in details of 1 account that we keep for you came",
    ] {
        assert!(acme.contains(words), "{words}: {acme}");
    }
}

#[test]
fn what_could_not_be_compared_is_said_to_the_client_whose_it_is() {
    let store = Repository::new();
    store.ok("echo same | pass insert -m clients/beta/y; echo other | pass insert -m clients/acme/seen; echo third | pass insert -m clients/beta/z; mkdir -p store/clients/acme/priv
        cd store; gpg -q --trust-model always -e -r $DAVE -o clients/acme/priv/x.gpg <<<same; git add -A; git commit -qm x; cd ..
        pass incident open T --about clients/beta/y --about clients/acme/seen || true; pass incident report -o out || true");
    let (acme, beta) = (store.ok("cat out/acme.md"), store.ok("cat out/beta.md"));
    assert!(acme.contains("Not all of our records could be examined"), "{acme}");
    assert!(beta.contains("no other account that we keep for you"), "{beta}");
    let team = store.ok("cat out/team.md");
    assert!(team.contains("clients/acme/priv/x could not be compared"), "{team}");
    assert_eq!(store.shell("pass incident show").code, 3);
    let said = store.shell("pass audit exposure clients/beta/y").out();
    assert!(
        said.contains(
            "Not decrypted here, so that nobody can tell whether they hold the same: clients/acme/priv/x."
        ),
        "{said}"
    );
}

#[test]
fn of_what_lies_elsewhere_by_now_a_client_hears_that_alone() {
    let store = Repository::new();
    store.ok("pass recipients add / $BOB --yes; echo old | pass insert -m clients/acme/web; pass mv clients/acme/web clients/beta/web; printf 'old\nbeta-pin: 4711\n' | pass insert -mf clients/beta/web
        pass recipients remove / $BOB --yes; pass incident open T --about bob@example.org; pass incident report -o out | tee said");
    let acme = store.ok("cat out/acme.md");
    assert!(
        acme.contains("**no longer in your folder**") && !acme.contains("pin") && !acme.contains("beta"),
        "{acme}"
    );
    assert!(store.ok("cat said").contains("1 in another folder by now: read it before you send it"));
}

#[test]
fn reports_go_to_a_folder_outside_the_store_all_or_none() {
    let store = worked_on();
    store.refused("pass incident report -o store/clients/out", &["lies in the password store"]);
    store.refused("pass audit report -o store/x.html", &["lies in the password store"]);
    store.refused("pass incident report -o -", &["cannot go to standard output"]);
    store.ok("mkdir e; ln -s f e/zebracorp.html; echo old >e/acme.md");
    store.refused("pass incident report -o e --force", &["no ordinary file"]);
    assert_eq!(store.ok("cat e/acme.md"), "old");
}

#[test]
fn a_leak_is_no_person() {
    let store = contractor();
    store.ok("pass incident open leak --about clients/acme/shop");
    let acme = &reports(&store, "")["acme.md"];
    holds(
        acme,
        &[
            "The sign-in details of 1 account that we keep for you came, or may have come, to be known to others.",
        ],
    );
    assert!(!acme.contains("person"), "{acme}");
}

#[test]
#[ignore = "long: make test-long"]
fn what_nobody_here_can_tell_is_being_found_out() {
    let store = worked_on();
    // Dave's secret key is not here.
    store.ok("cd store; gpg -q --trust-model always --yes -e -r $DAVE -o clients/zebracorp/stripes.gpg <<<x; git commit -qam dave");
    let all = reports(&store, "");
    holds(
        &all["zebracorp.md"],
        &["| **being checked** |", "- We are finding out whether this was changed already: `stripes`."],
    );
    holds(&all["team.md"], &["Find out whether `clients/zebracorp/stripes` has changed"]);
    assert!(states(&store).contains(&"clients/zebracorp/stripes=unknown".to_owned()));
}

#[test]
fn what_could_not_be_looked_at_is_said_to_clients_as_well() {
    let store = worked_on();
    holds(&reports(&store, "")["acme.md"], &["no other account that we keep for you is concerned"]);
    store.ok("cd store; c=$(git rev-list --max-parents=0 HEAD); rm -f .git/objects/$(echo $c | cut -c-2)/$(echo $c | cut -c3-)");
    let acme = &reports(&store, "")["acme.md"];
    holds(acme, &["Not all of our records could be examined"]);
    assert!(!acme.contains("no other account"), "{acme}");
}

#[test]
#[ignore = "long: make test-long"]
fn the_team_reads_all_there_is() {
    let store = worked_on();
    let all = reports(&store, "");
    let head = store.ok("git -C store log --format=%h --abbrev=10 --grep='Open incident'");
    for text in [&all["team.md"], &all["team.html"]] {
        holds(
            text,
            &[
                "Wombat has left",
                "narwhal was told by zebracorp",
                "echidna: as at zebracorp",
                store.keyring().fingerprint("bob"),
                "clients/zebracorp/legacyplace",
                "clients/acme/old-crm",
                "quokka/wiki",
                "https://moved.zebracorp.example",
                &head,
                "Ada",
                "What remains to be done",
            ],
        );
    }
    holds(
        &all["team.md"],
        &["- Change `quokka/wiki` (password).", "- Change or close the account of `clients/acme/shop`"],
    );
}

#[test]
fn a_client_who_was_removed_is_told_as_well() {
    let store = worked_on();
    store.ok("pass client remove zebracorp --yes");
    let output = store.shell("rm -rf out; pass incident report -o out; ls out");
    assert!(
        output.out().contains("zebracorp.md, zebracorp.html: 1 account of zebracorp, 1 not done"),
        "{}",
        output.out()
    );
    assert!(states(&store).contains(&"clients/zebracorp/stripes=gone".to_owned()));
}

#[test]
fn a_client_whose_password_was_in_use_elsewhere_is_told_so_and_not_where() {
    let store = Repository::new();
    store.ok("pass recipients add / $CAROL --yes; pass init -p clients/acme $ALICE $BOB; echo same-p | pass insert -m clients/acme/a; echo same-p | pass insert -m clients/other/x
        pass recipients remove clients/acme $BOB --yes; pass incident open gone --about bob@example.org; pass incident report -o out");
    let told = store.ok("cat out/other.md");
    assert!(told.contains("A person knows the password of 1 account that we keep for you, since the same one was in use elsewhere."), "{told}");
    assert!(!told.contains("acme") && !told.contains("could read"), "{told}");
    assert!(store.ok("cat out/acme.md").contains("could read the sign-in details of 1 account"));
}
