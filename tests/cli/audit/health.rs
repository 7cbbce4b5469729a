//! `audit health`: each kind of finding, the policy, what cannot be looked at, and that nothing secret is said.

mod ages;
mod policy;

use std::ops::Deref;

use serde_json::Value;

use crate::cli::git::Repository;
use crate::common::{Output, TestStore};

/// A password that nobody guesses; with a suffix, another one.
const GOOD: &str = "zr8Kq2vTbN4w";
/// What entries say besides, so that nothing is missing.
const WHO: &str = "user: anna\nurl: https://git.example.org\n";

/// A store whose passwords are looked over.
pub struct Ward(Repository);

impl Deref for Ward {
    type Target = Repository;

    fn deref(&self) -> &Repository {
        &self.0
    }
}

impl Ward {
    fn new() -> Self {
        Self(Repository::new())
    }

    /// Inserts an entry: a password, and lines below it.
    #[track_caller]
    fn insert(&self, name: &str, password: &str, rest: &str) {
        self.pass(&["insert", "-mf", name], &format!("{password}\n{rest}")).good();
    }

    /// Inserts an entry as of a day.
    #[track_caller]
    fn insert_on(&self, day: &str, name: &str, password: &str, rest: &str) {
        let text = format!("{password}\n{rest}").replace('\n', "\\n");
        self.ok(&format!("printf '{text}' | GIT_AUTHOR_DATE={day}T12:00:00Z pass insert -mf {name}"));
    }

    /// Writes the policy, and commits it.
    #[track_caller]
    fn policy(&self, health: &str) {
        std::fs::write(self.dir().join(".passel.yaml"), format!("version: 1\nhealth:\n{health}")).unwrap();
        self.ok("cd store; git add .passel.yaml; git commit -qm policy");
    }

    /// Runs `audit health` with these words, which must end with this code.
    #[track_caller]
    fn audit(&self, words: &str, code: i32) -> Output {
        let output = self.shell(&format!("pass audit health {words}"));
        assert_eq!(output.code, code, "stdout:\n{}\nstderr:\n{}", output.out(), output.err());
        output
    }

    /// Returns what `audit health --json` says.
    #[track_caller]
    fn json(&self, words: &str, code: i32) -> Value {
        serde_json::from_slice(&self.audit(&format!("--json {words}"), code).stdout).expect("it is JSON")
    }

    /// Returns kind, severity and subject of each finding.
    #[track_caller]
    fn found(&self, words: &str) -> Vec<String> {
        let output = self.shell(&format!("pass audit health --json {words}"));
        let all: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", output.err()));
        let rows = all["findings"].as_array().expect("an array");
        let text = |row: &Value, field: &str| row[field].as_str().expect("text").to_owned();
        let rows =
            rows.iter().map(|row| ["kind", "severity", "subject"].map(|field| text(row, field)).join(" "));
        let found: Vec<String> = rows.collect();
        assert_eq!(output.code, if found.is_empty() { 0 } else { 3 }, "{found:?}\n{}", output.err());
        found
    }
}

#[test]
fn nothing_is_wrong_with_good_passwords_and_with_none() {
    let store = Ward::new();
    assert_eq!(store.audit("", 0).out(), "Nothing is wrong with 0 entries.\n");
    store.insert("web/git", GOOD, WHO);
    store.insert("mail.example.org/anna", &format!("{GOOD}2"), "");
    assert_eq!(store.audit("", 0).out(), "Nothing is wrong with 2 entries.\n");
    assert_eq!(store.audit("web", 0).out(), "Nothing is wrong with 1 entry.\n");
    assert_eq!(store.audit("web/git", 0).out(), "Nothing is wrong with 1 entry.\n");
    store.refused("pass audit health nowhere", &["nowhere is not in the password store"]);
}

#[test]
fn each_kind_of_finding_is_told() {
    let store = Ward::new();
    store.insert("web/guessed", "password1234", WHO);
    store.insert("web/short", "zr8Kq2vTb", WHO);
    store.insert("web/bare", &format!("{GOOD}1"), "");
    store.insert("web/nobody", &format!("{GOOD}2"), "url: x\n");
    store.insert("web/gone", &format!("{GOOD}3"), &format!("{WHO}expires: 2020-02-29\n"));
    let soon = store.ok("date -u -d '+10 days' +%F");
    store.insert("web/soon", &format!("{GOOD}4"), &format!("{WHO}Expires: {soon}\n"));
    store.insert("web/sometime", &format!("{GOOD}5"), &format!("{WHO}expires: next year\n"));
    store.insert("web/later", &format!("{GOOD}6"), &format!("{WHO}expires: 2999-12-31T00:00:00+01:00\n"));
    store.insert(
        "web/factor",
        &format!("{GOOD}7"),
        &format!("{WHO}otpauth://totp/x?secret=JBSWY3DPEHPK3PXP\n"),
    );
    store.insert("web/codes", &format!("{GOOD}8"), &format!("{WHO}totp: x\nRecovery codes:\n1234-5678\n"));
    assert_eq!(
        store.found(""),
        [
            "weak error web/guessed",
            "expiring error web/gone",
            "short warning web/short",
            "expiring warning web/sometime",
            "expiring warning web/soon",
            "no-recovery warning web/factor",
            "no-login warning web",
            "no-url warning web/bare"
        ]
        .map(str::to_owned)
    );
    let told = store.audit("", 3).out();
    for words in [
        "error: web/guessed: the password is easily guessed (zxcvbn gives ",
        "warning: web/short: the password is shorter than 12 characters\n  hint: `pass generate -i web/short`",
        "error: web/gone: expired on 2020-02-29\n  hint: renew it: `pass edit web/gone`",
        &format!("warning: web/soon: expires on {soon}\n"),
        "warning: web/sometime: the field `expires` holds no date that passel can read",
        "warning: web/factor: it has a second factor and no recovery codes\n  hint: ",
        "warning: web: 2 entries have no field `login`: bare, nobody\n",
        "warning: web/bare: it has no field `url`\n  hint: add a line `url: ...`, with `pass edit web/bare`",
        "\n2 errors, 6 warnings in 10 entries.\n",
    ] {
        assert!(told.contains(words), "{words:?} in\n{told}");
    }
}

#[test]
fn what_many_entries_of_a_folder_lack_is_told_once() {
    let store = Ward::new();
    for number in 1..=7 {
        store.insert(&format!("web/a{number}"), &format!("{GOOD}{number}"), "login: anna\n");
    }
    store.insert("top", GOOD, "login: anna\n");
    assert_eq!(store.found(""), ["no-url warning top", "no-url warning web"]);
    let told = store.audit("web", 3).out();
    assert!(
        told.contains("warning: web: 7 entries have no field `url`: a1, a2, a3, a4, a5 and 2 more\n"),
        "{told}"
    );
}

#[test]
fn a_password_of_several_clients_is_worse_than_one_within_a_client() {
    let store = Ward::new();
    for (name, password) in [
        ("clients/acme/git", "1"),
        ("clients/acme/wiki", "1"),
        ("clients/acme/mail", "2"),
        ("clients/globex/mail", "2"),
        ("clients/initech/mail", "3"),
        ("team/mail", "3"),
        ("team/a", "4"),
        ("team/b", "4"),
        ("team/c", "5"),
    ] {
        store.insert(name, &format!("{GOOD}{password}"), WHO);
    }
    assert_eq!(
        store.found(""),
        [
            "reused error clients/acme/mail, clients/globex/mail",
            "reused error clients/initech/mail, team/mail",
            "reused warning clients/acme/git, clients/acme/wiki",
            "reused warning team/a, team/b",
        ]
    );
    let told = store.audit("", 3).out();
    assert!(
        told.contains("2 entries of different clients (acme, globex) have the same password\n"),
        "{told}"
    );
    assert!(told.contains("2 entries, of client initech and others, have the same password\n"), "{told}");
    // Only what is looked at is compared.
    assert_eq!(store.found("clients/initech"), Vec::<String>::new());
    let json = store.json("clients", 3);
    assert_eq!(
        json["findings"][0]["entries"],
        serde_json::json!(["clients/acme/mail", "clients/globex/mail"])
    );
    // The store may call its clients otherwise.
    store.ok("printf 'version: 1\\nclients: team\\n' >store/.passel.yaml; git -C store add .; git -C store commit -qm c");
    assert!(store.found("clients").iter().all(|line| line.starts_with("reused warning ")));
}

#[test]
fn what_is_no_password_is_not_rated() {
    let store = Ward::new();
    store.pass(&["insert", "-m", "note"], "\nsome text\n").good();
    store.pass(&["insert", "-m", "note2"], "\nsome text\n").good();
    store.ok("pass insert -m empty </dev/null");
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    store.pass(&["insert", "-m", "key"], key).good();
    store
        .pass(&["insert", "-m", "factor"], "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP\nrecovery: 12\n")
        .good();
    assert_eq!(store.audit("", 0).out(), "Nothing is wrong with 5 entries.\n");
}

#[test]
fn versions_that_are_kept_apart_are_no_entries() {
    let store = Ward::new();
    store.insert("web/a", GOOD, WHO);
    store.insert("web/a.conflict-0123abcd", GOOD, WHO);
    assert_eq!(store.audit("", 0).out(), "Nothing is wrong with 1 entry.\n");
}

#[test]
fn entries_of_others_are_counted_and_what_is_broken_fails() {
    let store = Ward::new();
    store.insert("web/a", GOOD, WHO);
    store.ok("pass init -p team $BOB");
    store.insert("team/x", "weak", "");
    store.insert("team/y", "weak", "");
    store.ok("gpg -q --batch --yes --delete-secret-keys $BOB");
    let told = store.audit("", 3).out();
    assert!(
        told.contains("2 entries could not be read here (not encrypted to you): team/x, team/y\n"),
        "{told}"
    );
    assert!(told.ends_with("Nothing is wrong with what could be looked at of 3 entries.\n"), "{told}");
    let json = store.json("", 3);
    assert_eq!(json["unreadable"], serde_json::json!(["team/x", "team/y"]));
    assert_eq!(json["failed"], serde_json::json!([]));
    assert_eq!((&json["entries"], &json["errors"]), (&3.into(), &0.into()));
    store.audit("web", 0);
    // What is encrypted to us and does not open is a failure.
    store.ok("printf broken >>store/web/a.gpg; : >store/web/empty.gpg");
    let output = store.audit("", 1);
    assert!(output.err().contains("web/a") && output.err().contains("web/empty"), "{}", output.err());
    assert!(
        output
            .out()
            .contains("2 entries could not be read here (what failed is said above): web/a, web/empty")
    );
    assert_eq!(store.json("", 1)["failed"], serde_json::json!(["web/a", "web/empty"]));
}

#[test]
fn no_secret_is_said_and_nothing_is_changed() {
    let store = Ward::new();
    store.policy("  min_length: 40\n  max_age: 1\n  ignore:\n  - {entry: web/d, why: so}\n");
    let secrets = [
        "hunter2secret",
        "swordfish",
        "JBSWY3DPEHPK3PXP",
        "correct-horse",
        "1234-5678",
        "soonish",
        "olderone",
    ];
    store.insert_on("2020-01-01", "web/a", "olderone", "");
    store.insert_on("2020-01-02", "web/a", "hunter2secret", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP\n");
    store.insert_on("2020-01-02", "web/b", "hunter2secret", "expires: soonish\nlogin: anna\n");
    store.insert_on("2020-01-02", "web/c", "swordfish", "totp: x\nrecovery codes\n1234-5678\n");
    store.insert_on("2020-01-02", "web/d", "correct-horse", "");
    let before = store.state();
    for words in ["", "--json", "--ignored", "--ignored --json", "web/a"] {
        let output = store.audit(words, 3);
        let said = output.out() + &output.err();
        for secret in secrets {
            assert!(!said.contains(secret), "{secret} in\n{said}");
            let hash = store.ok(&format!("printf %s {secret} | sha256sum | cut -c 1-12"));
            assert!(!said.contains(&hash), "the hash of {secret} in\n{said}");
            assert!(!said.contains(&format!("{} characters", secret.len())), "{said}");
        }
    }
    assert_eq!(store.state(), before);
}

#[test]
fn a_store_without_git_is_looked_over_as_well() {
    let store = TestStore::new();
    store.shell("pass init $ALICE; printf 'zr8Kq2vTbN4w\nuser: a\nurl: x\n' | pass insert -m a").good();
    let output = store.shell("pass audit health");
    assert_eq!(
        (output.code, output.out()),
        (0, "Nothing is wrong with 1 entry.\n".to_owned()),
        "{}",
        output.err()
    );
    std::fs::write(store.dir().join(".passel.yaml"), "version: 1\nhealth: {max_age: 30}\n").unwrap();
    let output = store.shell("pass audit health");
    let wanted = "The age of 1 password is not known, as there is no git history: a\n";
    assert!(output.code == 3 && output.out().starts_with(wanted), "{} {}", output.code, output.out());
}
