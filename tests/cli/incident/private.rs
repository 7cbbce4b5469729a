//! What no report holds, and what no client's report holds.

use std::collections::BTreeSet;

use super::{reports, worked_on};
use crate::cli::git::Repository;

/// Returns every secret of every version of every entry: passwords, logins, notes, codes, and what addresses hold beside
/// host and path.
fn secrets(store: &Repository) -> BTreeSet<String> {
    let blobs = store.ok("cd store; git rev-list --all --objects | grep '\\.gpg$' | grep -v ' .passel.d/' | cut -d' ' -f1 | sort -u");
    let mut found = BTreeSet::new();
    for blob in blobs.lines() {
        let message = store.run("git", &["-C", "store", "cat-file", "blob", blob], b"").stdout;
        let plaintext = store.keyring().open(&message).plaintext.expect("Alice reads all");
        for line in String::from_utf8(plaintext).expect("text").lines() {
            let (name, value) = line.split_once(": ").unwrap_or(("", line));
            match name {
                "url" => {
                    let address = value.split_once("://").map_or(value, |(_, rest)| rest);
                    let (place, rest) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
                    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
                    let words = user.split(':').chain(rest.split(['?', '#', '&', '=']));
                    found.extend(words.filter(|word| word.len() > 3).map(str::to_owned));
                }
                _ => {
                    let words = value.split(['?', '=', '/']).filter(|word| word.len() > 3);
                    found.extend(words.chain([value]).map(str::to_owned));
                }
            }
        }
    }
    // What `otpauth://totp/x?secret=` says of itself.
    for word in ["otpauth:", "totp", "secret"] {
        found.remove(word);
    }
    found
}

#[test]
fn no_report_holds_a_secret() {
    let store = worked_on();
    let secrets = secrets(&store);
    for known in [
        "Crm-Pass-1",
        "Crm-Pass-2",
        "crm-user-1",
        "Crm-Note-2",
        "JBSWY3DPEHPK3PXP",
        "Url-Pass-1",
        "Url-Query-2",
        "Url-Frag-1",
        "url-user-2",
        "08154711",
        "Own-Pass-1",
    ] {
        assert!(secrets.contains(known), "{known} was not looked for: {secrets:?}");
    }
    assert!(secrets.len() > 25, "{secrets:?}");
    let all = reports(&store, "--name-people --say hello");
    assert_eq!(all.len(), 6);
    let said = store.ok("pass incident show; pass incident show --json; pass incident list --json; rm -rf out; pass incident report -o out");
    for (name, text) in all.iter().chain([(&"what is printed".to_owned(), &said)]) {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {name}:\n{text}");
        }
    }
}

#[test]
fn a_client_s_report_holds_nothing_of_others() {
    let store = worked_on();
    let commits = store.ok("git -C store log --all --format=%h --abbrev=7");
    let mut strange: Vec<String> = [
        // Other clients, folders, entries; where an entry of theirs went, and its address there.
        "zebracorp",
        "quokka",
        "untouched",
        "stripes",
        "wiki",
        "legacyplace",
        "clients/",
        "Zebra",
        // The title, a note, a reason, a commit's message.
        "Wombat",
        "narwhal",
        "echidna",
        "platypus",
        // People and their addresses.
        "Bob",
        "Alice",
        "Dave",
        "Carol",
        "Ada",
        "Test Person",
        "@example.org",
        ".passel",
        "rotat",
    ]
    .map(str::to_owned)
    .to_vec();
    strange
        .extend(["alice", "bob", "carol", "dave"].map(|name| store.keyring().fingerprint(name).to_owned()));
    strange.extend(commits.lines().map(str::to_owned));
    let all = reports(&store, "");
    for text in [&all["acme.md"], &all["acme.html"]] {
        // The stylesheet is the same for everybody.
        let text = text.split("<style>").next().unwrap().to_owned() + text.split("</style>").last().unwrap();
        for word in &strange {
            assert!(!text.contains(word.as_str()), "{word} in\n{text}");
        }
    }
    for text in [&all["zebracorp.md"], &all["zebracorp.html"]] {
        for word in [
            "acme", "old-crm", "crm", "hosting", "shop", "dns", "wiki", "Wombat", "narwhal", "echidna",
            "Bob", "5 ",
        ] {
            let text = text.split("</style>").last().unwrap();
            assert!(!text.contains(word), "{word} in\n{text}");
        }
    }
}

#[test]
fn names_of_all_kinds_stay_names() {
    let store = Repository::new();
    store.ok(r#"evil='a|b `c` *d* <script>alert(1)</script> [x](y)'; evil=${evil//\//-}
        pass init -p "clients/$evil" $ALICE $BOB; pass init -p clients/team $ALICE $BOB; pass init -p clients/TEAM $ALICE $BOB
        echo Pass-1 | pass insert -m "clients/$evil/"$'n\n# h\e[31m\u202e|z'
        printf 'Pass-2\nurl: https://a.example/<script>`|x\n' | pass insert -m "clients/team/<img src=x onerror=1>"
        echo Pass-3 | pass insert -m clients/TEAM/x
        pass incident open $'t <script> | `x`\n# y \u202e' --about bob@example.org
        git -C store config user.name '<b>Eve|</b>'; printf 'n\n' | pass insert -mf clients/TEAM/x"#);
    let all = reports(&store, "--say '<script>|'");
    let files: Vec<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(files.len(), 8, "{files:?}");
    for file in &files {
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "._-=".contains(c);
        assert!(file.chars().all(is_safe), "{file}");
    }
    assert!(all.contains_key("team=2.md") || all.contains_key("TEAM=2.md"), "{files:?}");
    assert!(all["team.md"].contains("for the team only"));
    for (name, text) in &all {
        for never in ["<script", "<img", "<b>", "\u{202e}", "\u{1b}", "\n# h", "\n# y"] {
            assert!(
                !text.contains(never)
                    || (name.ends_with(".md")
                        && text.contains(&format!("\\{never}"))
                        && !text.replace(&format!("\\{never}"), "").contains(never)),
                "{never:?} in {name}:\n{text}"
            );
        }
        if name.ends_with(".md") {
            let tables = text.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>();
            let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
            for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
                let counts: BTreeSet<usize> = table.lines().map(cells).collect();
                assert_eq!(counts.len(), 1, "{name}:\n{table}");
            }
            assert!(!tables.is_empty());
        }
    }
    let shown = store.ok("pass incident show; pass incident list");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
}
