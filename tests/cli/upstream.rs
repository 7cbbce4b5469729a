//! Upstream's own test suite of pass, fetched when the tests run, passes against our program.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{stock_pass, subject, tool};

/// Scripts of the suite that may fail, each with its reason. None should be needed.
const EXCEPTIONS: &[(&str, &str)] = &[];
/// The suite of 1.7.4 has this many scripts; fewer would mean that it was not run whole.
const SCRIPTS: usize = 10;

#[test]
fn upstreams_own_suite_passes() {
    for name in ["apt-get", "dpkg-query", "git", "gpg", "tree"] {
        tool(name);
    }
    stock_pass();
    let program = subject().canonicalize().expect("the program under test exists");
    let output = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upstream/run"))
        .arg(program)
        .arg(cache())
        .output()
        .expect("the script can be run");
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}{}", String::from_utf8_lossy(&output.stderr));
    let named = |start: &str| -> Vec<String> {
        report.lines().filter_map(|line| line.strip_prefix(start)).map(str::to_owned).collect()
    };
    let (passed, mut failed) = (named("ok t"), named("failed t"));
    assert_eq!(passed.len() + failed.len(), SCRIPTS, "the suite did not run whole");
    for (script, reason) in EXCEPTIONS {
        let before = failed.len();
        failed.retain(|name| format!("t{name}") != *script);
        assert!(failed.len() < before, "{script} passes now, no longer excused: {reason}");
    }
    assert!(failed.is_empty(), "upstream's tests fail: t{}", failed.join(", t"));
}

/// Returns where the fetched suite is kept between runs: in cargo's target folder.
fn cache() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.join("upstream")
}
