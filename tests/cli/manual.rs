//! Every example of the manual pages is run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::{Keyring, TestStore, subject};

/// What the examples find: entries, an editor, and a remote at the address that they name.
const SCENE: &str = "set -e
    git init -q --bare remote.git
    gpg --batch -q --armor --export $CAROL >acme.asc
    git config --global url.$PWD/remote.git.insteadOf git@example.org:passwords.git
    passel init $ALICE; passel git init -q
    for entry in gitlab wiki; do printf 'secret\nuser: anna\n' | passel insert -m web/$entry; done
    printf '#!/bin/sh\necho more >>\"$1\"\n' >bin/nano; chmod +x bin/nano";

/// What else the line of a page finds: in the page of the program nobody says where to push to.
fn scene(page: &str, line: &str) -> &'static str {
    match page {
        "passel.1" if line.ends_with("git push") => {
            "git -C store remote add origin git@example.org:passwords.git; git -C store push -qu origin HEAD"
        }
        "passel-sync.1" | "passel-clone.1" | "passel-git-setup.1" => {
            "git -C store remote get-url origin >/dev/null 2>&1 || {
                git -C store remote add origin git@example.org:passwords.git; git -C store push -qu origin HEAD; }"
        }
        "passel-conflicts.1" => {
            "test -e store/web/gitlab.conflict-1e2d3c4b.gpg || {
                printf '%s\nuser: anna\n' $RANDOM | passel insert -m web/gitlab.conflict-1e2d3c4b; }"
        }
        // Without findings, it ends with 0.
        "passel-audit.1" => {
            "for entry in gitlab wiki; do
                printf 'zr8Kq2vTbN4w%s\nuser: anna\nurl: https://%s.example.org\n' $entry $entry | passel insert -mf web/$entry; done"
        }
        _ => "true",
    }
}

/// An X server, ended when dropped: some examples copy.
struct Display(Child, String);

impl Display {
    fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "64x64x8", "-nolisten", "tcp", "-noreset"]);
        let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Xvfb runs");
        let mut number = String::new();
        let out = server.stdout.as_mut().expect("it is piped");
        BufReader::new(out).read_line(&mut number).expect("Xvfb tells when it is ready");
        Self(server, format!(":{}", number.trim()))
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the lines to type of a page's examples.
fn examples(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once(".SH EXAMPLES\n") else { return Vec::new() };
    let section = rest.split("\n.SH ").next().unwrap_or_default();
    let blocks = section.split(".nf\n").skip(1).filter_map(|block| block.split("\n.fi").next());
    let signs = [("\\-", "-"), ("\\(aq", "'"), ("\\(ha", "^"), ("\\(ti", "~"), ("\\(ga", "`"), ("\\e", "\\")];
    let plain =
        |line: &str| signs.iter().fold(line.to_owned(), |line, (roff, sign)| line.replace(roff, sign));
    blocks.flat_map(str::lines).map(plain).collect()
}

#[test]
fn every_example_of_the_manual_runs() {
    let keyring = Keyring::new();
    let display = Display::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let mut lines = 0;
    for entry in fs::read_dir(folder).expect("the manual is part of the source") {
        let path = entry.expect("a listed file").path();
        let page = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !page.ends_with(".1") {
            continue;
        }
        let store = TestStore::with(&subject(), &keyring);
        fs::rename(store.root().join("bin/pass"), store.root().join("bin/passel"))
            .expect("the folder is ours");
        store.shell(SCENE).good();
        let examples = examples(&fs::read_to_string(&path).expect("text"));
        assert!(!examples.is_empty(), "{page} has no example");
        for line in examples {
            assert!(line.contains("passel"), "{page}: {line}");
            store.shell(scene(&page, &line)).good();
            // Whoever is asked types the same again and again.
            let output = store.shell(&format!(
                "export EDITOR=nano DISPLAY={} PASSWORD_STORE_CLIP_TIME=1; set -o pipefail
                 yes sesame | head -n 4 >typed; {{ {line}; }} <typed",
                display.1
            ));
            assert_eq!(output.code, 0, "{page}: {line}\n{}{}", output.out(), output.err());
            lines += 1;
        }
    }
    assert!(lines > 30, "only {lines} lines of examples");
}
