//! `audit report`.

use super::json;
use crate::cli::git::Repository;

/// Returns the page that is written to standard output, with all else in order.
#[track_caller]
fn page(store: &Repository, options: &str) -> String {
    let output = store.shell(&format!("pass audit report {options} -o -"));
    assert_eq!(output.code, 0, "{}", output.err());
    output.out()
}

/// Returns what can be read on a page, in one line.
fn words(page: &str) -> String {
    let body = page.split_once("<body>").expect("a page has a body").1;
    let mut text = String::new();
    let mut is_tag = false;
    for c in body.replace("<wbr>", "").chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn holds(text: &str, all: &[&str]) {
    for one in all {
        assert!(text.contains(one), "{one:?} in\n{text}");
    }
}

#[track_caller]
fn lacks(text: &str, all: &[&str]) {
    for one in all {
        assert!(!text.to_lowercase().contains(&one.to_lowercase()), "{one:?} in\n{text}");
    }
}

/// Returns the part of a page's words between two headings.
#[track_caller]
fn part<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let start = text.find(from).unwrap_or_else(|| panic!("{from} in\n{text}"));
    let rest = &text[start..];
    &rest[..rest.find(to).unwrap_or_else(|| panic!("{to} in\n{rest}"))]
}

fn store() -> Repository {
    let store = Repository::new();
    store.ok("export GIT_AUTHOR_DATE='2026-01-01T12:00:00Z' GIT_COMMITTER_DATE='2026-01-01T12:00:00Z'
        echo 1 | pass insert -m web/a; echo 1 | pass insert -m web/b; pass init -p team $ALICE $BOB; echo 1 | pass insert -m team/c");
    store.ok("export GIT_AUTHOR_DATE='2026-02-01T12:00:00Z' GIT_COMMITTER_DATE='2026-02-01T12:00:00Z'
        pass init -p team $ALICE $CAROL; pass rm -f web/b");
    store
}

#[test]
fn says_who_reads_who_could_and_when_that_changed() {
    let store = store();
    let text = words(&page(&store, ""));
    holds(
        &text,
        &[
            "entries 2 people can read 2 keys 2",
            "✓ As it should be Every entry can be read by exactly those whom its list names.",
            "2026-02-01 by Test Person team + gained: Carol 1 entry − lost: Bob 1 entry",
            "team + gained: Alice + gained: Bob",
            "✓ Nothing is listed",
        ],
    );
    let matrix = part(&text, "Who can read what", "Changes of access");
    holds(matrix, &["Alice ● all 1 ● all 1", "Carol – none ● all 1"]);
    lacks(matrix, &["Bob", "differ from"]);
    let keys = part(&text, "What each key could ever read", "What must be changed");
    let bob = part(keys, "Bob", "2026-01-01 2026-01-01");
    holds(bob, &["former bob@example.org", " 0 1 1 "]);
    holds(keys, &[" 2 3 4 2026-01-01 2026-02-01"]);
    // The whole fingerprint, in groups.
    let bare = keys.replace(' ', "");
    holds(&bare, &[store.ok("echo $BOB").trim()]);
}

#[test]
fn counts_as_exposure_does() {
    let store = store();
    store.ok("pass mv web/a team/moved; cd store; git checkout -qb side HEAD~2; pass init -p web $ALICE $DAVE; git checkout -q master");
    let text = words(&page(&store, ""));
    for who in ["alice", "bob", "carol", "dave"] {
        let report = json(&store, &format!("pass audit exposure {who}@example.org --no-decrypt --json"));
        let entries = report["entries"].as_array().unwrap().iter().filter(|one| one["versions"] != 0).count();
        let row = part(&text, "What each key could ever read", "What must be changed");
        let row = &row[row.find(&format!("{who}@")).unwrap_or_else(|| panic!("{who} in {row}"))..];
        // Behind the ten groups of the fingerprint: what is read now, entries, versions.
        let numbers: Vec<&str> = row.split(' ').skip_while(|word| !is_group(word)).skip(11).take(2).collect();
        assert_eq!(numbers, [entries.to_string(), report["versions"].to_string()], "{who} in {row}");
    }
}

fn is_group(word: &str) -> bool {
    word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

#[test]
fn where_files_and_lists_differ_is_said_in_words() {
    let store = store();
    store.ok("cd store; echo $BOB >>team/.gpg-id; gpg -q --trust-model always -e -r $ALICE -r $RSA -o x.gpg <<<x; mv x.gpg web/a.gpg
        git add .; git commit -qm odd");
    let text = words(&page(&store, ""));
    holds(
        &text,
        &[
            "entries unlike their lists 2",
            "Rosa can read 1 entry without being on the list: web/a .",
            "Bob is on the list, but cannot read 1 entry: team/c .",
            "not on the list",
            "on the list, cannot read",
            "/ (all without a list of its own) + gained: Rosa 1 entry not by the list",
            "team + gained: Bob",
        ],
    );
    lacks(&text, &["As it should be"]);
}

/// A store of two clients. Everything of `zulu`, and of the store itself, has a name of its own.
fn clients() -> Repository {
    let store = Repository::new();
    store.ok("git config --global user.name 'Author Acme'
        pass init $ALICE $CAROL; pass init -p clients/zulu $ALICE $DAVE
        echo ZULUPASS | pass insert -m clients/zulu/oldname; echo 2 | pass insert -m clients/zulu/zuluonly; echo 2 | pass insert -m quebec/entry
        pass init $ALICE $RSA; pass init -p clients/acme $ALICE $BOB $EXPIRED || pass init -p clients/acme $ALICE $BOB
        printf 'ACMEPASS\\nuser: uniform\\nurl: https://victor.example\\nwhiskey note\\n' | pass insert -m clients/acme/shop
        pass mv clients/zulu/oldname clients/acme/arrived
        pass mv clients/acme/shop clients/zulu/gone; pass mv clients/zulu/gone clients/acme/shop
        pass init -p clients/acme $ALICE
        for client in acme zulu; do echo 'Xk9#mQ2-vL7@pR4!zT' | pass insert -m clients/$client/twin; done
        cd store; git commit -q --allow-empty -m 'tango of zulu'; echo x >clients/acme/notes.txt; git add .; git commit -qm 'sierra';
        git branch romeo; git tag november");
    store.ok("pass rotate add --exposed dave@example.org; pass rotate add clients/zulu/zuluonly --why 'papa'
        pass rotate add clients/acme/shop --why 'oscar of zulu'; pass rotate add --exposed bob@example.org
        pass rotate add --health");
    store
}

#[test]
fn the_page_of_a_folder_holds_nothing_of_others() {
    let store = clients();
    let html = page(&store, "--folder clients/acme");
    let text = words(&html);
    holds(
        &text,
        &[
            "clients/acme",
            "entries 3 person can read 1",
            "clients/acme − lost: Bob 2 entries clients/acme + gained: Alice + gained: Bob What each",
            "Bob former",
            "clients/acme/arrived",
            "known to Bob",
            "known to somebody who can no longer read it",
            "somebody asked for it",
            "not good enough any more",
        ],
    );
    let dave = store.ok("echo $DAVE");
    let keys: String = ["$DAVE", "$CAROL", "$RSA"].map(|key| store.ok(&format!("echo {key}"))).join(" ");
    let digits: Vec<&str> = keys.split(' ').map(|key| &key[..16]).collect();
    lacks(
        &html,
        &[
            "zulu",
            "oldname",
            "quebec",
            "tango",
            "sierra",
            "romeo",
            "november",
            "papa",
            "oscar",
            "notes.txt",
            "dave",
            "carol",
            "rosa",
            "rsa@",
            "passel.d",
            "store/",
            "more than once",
        ],
    );
    lacks(&html.replace(' ', ""), &digits);
    lacks(&html, &[&store.dir().display().to_string(), &dave[32..]]);
    // The whole of it speaks of them.
    holds(
        &words(&page(&store, "")),
        &["clients/zulu/zuluonly", "Dave", "Carol", "Rosa", "used more than once"],
    );
    // A folder that is gone has a past.
    store.ok("pass rm -rf clients/acme");
    let text = words(&page(&store, "--folder clients/acme"));
    holds(&text, &["There is no entry.", "Bob former", "lost: Alice"]);
    lacks(&text, &["zulu", "dave"]);
    assert!(store.shell("pass audit report --folder nowhere -o -").err().contains("nowhere"));
}

#[test]
fn nothing_of_what_entries_say_is_on_a_page_and_nothing_is_loaded() {
    let store = clients();
    for options in ["", "--folder clients/acme", "--no-decrypt"] {
        let html = page(&store, options);
        lacks(&html, &["Xk9#", "ACMEPASS", "ZULUPASS", "uniform", "victor", "whiskey"]);
        lacks(
            &html,
            &[
                "http:",
                "https:",
                "<script",
                "url(",
                "@import",
                "src=",
                "<link",
                "<img",
                "javascript:",
                " style=",
                " onload=",
            ],
        );
        holds(
            &html,
            &[
                "<!DOCTYPE html><html lang=\"en\">",
                "<meta charset=\"utf-8\">",
                "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'",
                "name=\"viewport\"",
                "prefers-color-scheme: dark",
                "@media print",
            ],
        );
    }
    lacks(&page(&store, "--no-decrypt"), &["What must be changed"]);
}

#[test]
fn names_that_are_made_to_do_harm_do_none() {
    let store = Repository::new();
    store.ok("gpg --batch -q --passphrase '' --quick-gen-key 'Eve\"onload=x&<b> <eve@example.org>' future-default - never 2>/dev/null || \
          gpg --batch -q --passphrase '' --quick-gen-key 'Eve\"onload=x&b <eve@example.org>' future-default - never
        EVE=$(gpg --list-keys --with-colons eve@example.org | awk -F: '/^fpr/ {print $10; exit}')
        git config --global user.name \"$(printf 'An\"onload=\"x\\342\\200\\256')\"
        pass init -p '<script>x' $ALICE $EVE; echo 1 | pass insert -m '<script>x/\"onload=y'; echo 1 | pass insert -m \"<script>x/$(printf 'a\\342\\200\\256b\\033[31m')\"
        gpg -q --trust-model always -e -r $ALICE -r $RSA <<<x >x.gpg; cp x.gpg 'store/<script>x/\"onload=y.gpg'; cp x.gpg \"store/<script>x/$(printf 'a\\342\\200\\256b\\033[31m').gpg\"
        git -C store commit -qam odd; pass rotate add '<script>x/\"onload=y' --why '<script>w'");
    for options in ["", "--folder '<script>x'"] {
        let html = page(&store, options);
        lacks(&html, &["<script", "\u{202e}", "\u{1b}"]);
        let text = words(&html);
        holds(&text, &["<script>x/\"onload=y", "<script>x/a\\u{202e}b\\x1b[31m", "Eve\"onload=x&"]);
        // On a folder's page nobody is named for what they did.
        assert_eq!(text.contains("by An\"onload=\"x\\u{202e}"), options.is_empty(), "{text}");
        // Quotes do not end attributes: whatever stands between tags has no tag of ours.
        for tag in html.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
            assert!(!tag.contains("onload"), "{tag}");
        }
    }
}

#[test]
fn what_the_page_may_lack_it_says() {
    let store = store();
    store.ok("git clone -q --depth 1 file://$PWD/store shallow; cd store; echo plain >web/plain.gpg; git add .; git commit -qm odd");
    let output = store.shell("pass audit report -o page.html");
    assert_eq!(output.code, 3, "{}", output.err());
    assert!(output.err().contains("incomplete: 1 entry is no message"), "{}", output.err());
    let text = words(&store.ok("cat page.html"));
    holds(
        &text,
        &["This page may lack something. 1 entry is no message", "nobody can tell who reads them: web/plain"],
    );
    let output = store.shell("PASSWORD_STORE_DIR=$PWD/shallow pass audit report -o -");
    assert_eq!(output.code, 3, "{}", output.err());
    holds(
        &words(&output.out()),
        &["the history is cut off", "Older history is not here: this may have been so before."],
    );
    // Of a version that is missing, the page of a folder that never held it says nothing.
    store.ok("cd store; rm web/plain.gpg; git commit -qam back; rm .git/passel-versions*; b=$(git rev-parse HEAD~4:team/c.gpg); rm -f .git/objects/$(echo $b | cut -c-2)/$(echo $b | cut -c3-)");
    let output = store.shell("pass audit report --no-decrypt -o -");
    assert_eq!(output.code, 3, "{}", output.err());
    holds(&words(&output.out()), &["1 version cannot be read, or is not here"]);
    assert_eq!(store.shell("pass audit report --folder web -o -").code, 0);
}

#[test]
fn without_git_or_entries_there_is_a_page_all_the_same() {
    let store = Repository::new();
    let text = words(&page(&store, ""));
    holds(&text, &["There is no entry.", "No key could read anything.", "gained: Alice"]);
    store.ok("rm -rf store/.git; echo 1 | pass insert -m web/a");
    let text = words(&page(&store, ""));
    holds(&text, &["Alice ● all 1", "kept without git"]);
    lacks(&text, &["could ever", "Entries ever", "What must be changed", "commit"]);
}

#[test]
fn people_of_one_name_are_told_apart() {
    let store = store();
    store.ok("for n in 1 2; do gpg --batch -q --passphrase '' --quick-gen-key \"Bob <bob$n@example.org>\" future-default - never 2>/dev/null; done
        pass init -p web $ALICE $BOB bob1@example.org bob2@example.org");
    let text = words(&page(&store, ""));
    holds(&text, &["+ gained: Bob bob1@example.org 1 entry + gained: Bob bob2@example.org 1 entry"]);
    let matrix = part(&text, "Who can read what", "Changes of access");
    holds(matrix, &["Bob bob@example.org –", "Bob bob1@example.org –"]);
    // The same person's new key.
    store.ok("gpg --batch -q --yes --passphrase '' --quick-gen-key 'Alice <alice@example.org>' future-default - never 2>/dev/null
        pass init -p new $ALICE $(gpg --list-keys --with-colons alice@example.org | awk -F: '/^fpr/ {print $10}' | grep -v $ALICE | tail -2 | head -1)");
    let text = words(&page(&store, ""));
    let id = store.ok("echo $ALICE");
    holds(&text, &[&format!("gained: Alice {}", &id[24..])]);
}

#[test]
fn keys_that_are_odd_are_marked() {
    let store = store();
    store.ok("cd store; gpg -q --trust-model always -R $ALICE -e -o web/hidden.gpg <<<x
        gpg -q --batch --faked-system-time 20240110T000000 --trust-model always -r $ALICE -r $EXPIRED -e -o web/expired.gpg <<<x
        git add .; git commit -qm odd; gpg -q --batch --yes --delete-secret-and-public-key $BOB");
    let text = words(&page(&store, ""));
    holds(
        &text,
        &[
            "Hidden recipient could be anybody",
            "not known here former",
            "Erin Expired expired on 2024-02-01",
            "Erin Expired can read 1 entry without being on the list: web/expired",
            "1 entry has hidden recipients, as many as the list names: they may be those, or anybody: web/hidden .",
        ],
    );
}

#[test]
fn a_page_is_written_whole_for_the_user_alone_and_over_nothing() {
    let store = store();
    store.ok("umask 0; mkdir out; pass audit report -o out/a.html");
    assert_eq!(store.ok("stat -c %a out/a.html; ls -A out; tail -c 8 out/a.html"), "600\na.html\n</html>");
    let before = store.ok("sha256sum out/a.html");
    let refused = store.shell("pass audit report -o out/a.html");
    assert_eq!(refused.code, 1);
    holds(&refused.err(), &["`out/a.html` is there already", "--force"]);
    assert_eq!(store.ok("sha256sum out/a.html"), before);
    store.ok("echo old >out/a.html; pass audit report --folder team -o out/a.html --force; grep -q '<h1>' out/a.html");
    store.ok("echo mine >mine; ln -s ../mine out/link; ln -s nowhere out/dangling");
    for name in ["link", "dangling"] {
        let refused = store.shell(&format!("pass audit report -o out/{name} --force"));
        assert_eq!(refused.code, 1);
        holds(&refused.err(), &["no ordinary file"]);
    }
    assert_eq!(store.ok("cat mine; ls -A out"), "mine\na.html\ndangling\nlink");
    assert_eq!(store.shell("pass audit report -o none/a.html").code, 1);
    assert_eq!(store.shell("pass audit report").code, 1, "where it goes must be said");
    store.clean();
}
