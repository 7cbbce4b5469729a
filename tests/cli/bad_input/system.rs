//! Permissions, full disks, other writers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bad;
use crate::common::tool;

/// An ordinary user, whom permissions bind even when the tests run as root.
const NOBODY: &str = "65534";

fn run(program: &str, args: &[&str]) {
    let output = Command::new(tool(program)).args(args).output().expect("it runs");
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our paths are plain")
}

#[test]
fn a_store_that_may_not_be_written_stays_as_it_is() {
    let bad = Bad::new();
    let root = bad.0.root();
    // The program's own folder may be closed to others.
    let program = root.join("program");
    fs::copy(crate::common::subject(), &program).expect("the folder is ours");
    // A copy of the keyring, for the agent must be that user's own.
    let home = root.join("gnupg");
    run("cp", &["-r", text(bad.0.keyring().path()), text(&home)]);
    run("sh", &["-c", &format!("rm -f '{}'/S.*", text(&home))]);
    run("chown", &["-R", NOBODY, text(root)]);
    run("chmod", &["-R", "a-w", text(&bad.0.dir())]);
    let before = bad.look();
    let as_nobody = |words: &[&str]| {
        let mut line = vec!["--reuid", NOBODY, "--clear-groups", "env"];
        let home = format!("GNUPGHOME={}", text(&home));
        line.extend([home.as_str(), text(&program)]);
        line.extend(words);
        bad.0.run("setpriv", &line, b"new\n")
    };
    assert_eq!(as_nobody(&["show", "a"]).good().out(), "a\nmore\n");
    for words in [
        &["insert", "-mf", "a"][..],
        &["insert", "-mf", "new/entry"],
        &["generate", "-i", "a"],
        &["rm", "-f", "a"],
        &["rm", "-rf", "web"],
        &["mv", "a", "b"],
        &["cp", "a", "b"],
        &["init", "alice@example.org", "bob@example.org"],
    ] {
        let output = as_nobody(words);
        bad.check(1, &format!("{words:?}"), &output, "Permission denied", &before);
    }
    as_nobody(&["ls"]).good();
    let end = ["--reuid", NOBODY, "--clear-groups", "gpgconf", "--homedir", text(&home), "--kill", "all"];
    run("setpriv", &end);
    run("chmod", &["-R", "u+w", text(&bad.0.dir())]);
}

/// A file system in memory, as large as it was made.
pub struct Disk(PathBuf);

impl Disk {
    /// Puts one in a folder's place, with all that is in there.
    pub fn over(folder: &Path, size: &str) -> Self {
        let aside = folder.with_file_name("aside");
        fs::rename(folder, &aside).expect("the folder is ours");
        fs::create_dir(folder).expect("the folder is ours");
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", text(folder)]);
        let disk = Self(folder.to_path_buf());
        run("cp", &["-aT", text(&aside), text(folder)]);
        disk
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let bad = Bad::new();
    let _disk = Disk::over(&bad.0.dir(), "2m");
    let full =
        bad.0.shell("cat /dev/zero >store/filling 2>/dev/null; sync; df --output=avail store | tail -1");
    assert_eq!(full.out().trim(), "0");
    let before = bad.look();
    for args in [
        &["insert", "-mf", "a"][..],
        &["insert", "-mf", "new/entry"],
        &["generate", "-i", "a"],
        &["mv", "a", "b"],
        &["cp", "a", "b"],
        &["init", "alice@example.org", "bob@example.org"],
    ] {
        let output = bad.0.pass(args, "new\n");
        bad.check(1, &format!("{args:?}"), &output, "No space left on device", &before);
    }
    assert_eq!(bad.0.pass(&["show", "a"], "").good().out(), "a\nmore\n");
    fs::remove_file(bad.0.dir().join("filling")).expect("it is there");
    bad.0.pass(&["insert", "-mf", "a"], "new\n").good();
    assert_eq!(bad.0.pass(&["show", "a"], "").good().out(), "new\n");
    assert_eq!(bad.0.shell("git -C store status --porcelain").out(), "");
}

#[test]
#[ignore = "long: make test-long"]
fn a_lock_held_by_another_is_waited_for_then_named() {
    let bad = Bad::new();
    let mut holder = bad.0.command(tool("flock"));
    let mut holder = holder.args(["-x", "store", "sleep", "40"]).spawn().expect("flock runs");
    // Until it is held.
    while bad.0.shell("flock -n -x store true").code == 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let begun = std::time::Instant::now();
    bad.refuses(&["insert", "-mf", "a"], "another passel has been writing to the store for 10 seconds");
    assert!((10..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(bad.0.pass(&["show", "a"], "").good().out(), "a\nmore\n", "reading needs no lock");
    bad.refuses(&["rm", "-f", "a"], "then try again");
    // `sleep` holds the lock as well: end both.
    let children =
        fs::read_to_string(format!("/proc/{0}/task/{0}/children", holder.id())).unwrap_or_default();
    holder.kill().expect("it is ours");
    holder.wait().expect("it is ours");
    for child in children.split_whitespace() {
        run("kill", &[child]);
    }
    bad.0.pass(&["insert", "-mf", "a"], "new\n").good();
}
