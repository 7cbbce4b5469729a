//! Whether what a failure left is the old or the new version, whole, and no obstacle.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::bench::{Bench, Kill, MEMORY, STORE};
use super::disk::Disk;
use super::scenario::{Prepared, entries, in_git, subjects};

/// Which version of the store was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// As before the command.
    Old,
    /// As after it.
    New,
    /// Neither.
    Neither,
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// Neither the old nor the new version is there.
    Lost,
    /// Exit code 0 with the old version, or with the new one not committed.
    Undone,
    /// Exit code 0, and a power cut right afterwards loses the new version.
    Fleeting,
    /// Files, index, history disagree, or the repository is damaged.
    Git,
    /// Something is left that no run without failure leaves.
    Stray,
    /// The next command, the same command again, or a commit by git itself fails.
    Blocked,
    /// A command did not end.
    Hung,
}

/// All kinds of breach, for the table.
pub const BREACHES: [Breach; 7] = [
    Breach::Lost,
    Breach::Undone,
    Breach::Fleeting,
    Breach::Git,
    Breach::Stray,
    Breach::Blocked,
    Breach::Hung,
];

/// What was found.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The version that is there after the next command.
    pub version: Version,
    /// Broken promises, with what was seen.
    pub breaches: Vec<(Breach, String)>,
}

impl Verdict {
    /// Notes a broken promise, once.
    pub fn add(&mut self, breach: Breach, seen: impl Into<String>) {
        let seen = (breach, seen.into());
        if !self.breaches.contains(&seen) {
            self.breaches.push(seen);
        }
    }
}

/// Judges a disk: runs the next command on it, looks, runs the same command again, looks, lets git commit.
pub fn judge(bench: &Bench, prepared: &Prepared, disk: &Disk) -> Verdict {
    let scenario = &prepared.scenario;
    bench.mount.load(disk);
    let mut verdict = Verdict { version: Version::Neither, breaches: Vec::new() };
    run(bench, prepared, &["ls"], "", &mut verdict);
    verdict.version = look(bench, prepared, 1, &mut verdict);
    if verdict.version == Version::Neither {
        return verdict;
    }
    if scenario.repeatable || verdict.version == Version::Old {
        let times = if verdict.version == Version::Old { 1 } else { 2 };
        run(bench, prepared, scenario.arguments, scenario.input, &mut verdict);
        if look(bench, prepared, times, &mut verdict) == Version::Old {
            verdict.add(Breach::Blocked, "the same command again changes nothing");
        }
    }
    if scenario.git {
        let commit = bench.git(&["commit", "-q", "--allow-empty", "-m", "Probe."]);
        if commit.code != Some(0) {
            verdict.add(Breach::Blocked, format!("git commit: {}", commit.output));
        }
    }
    verdict
}

fn run(bench: &Bench, prepared: &Prepared, arguments: &[&str], input: &str, verdict: &mut Verdict) {
    let outcome = bench.run(arguments, input, prepared.scenario.memory, Kill::No);
    if outcome.hung {
        verdict.add(Breach::Hung, arguments.join(" "));
    } else if outcome.code != Some(0) {
        let seen = format!("{} exits {:?}: {}", arguments.join(" "), outcome.code, outcome.output);
        verdict.add(Breach::Blocked, seen);
    }
}

/// Looks at the disk without changing it; the command has been done `times` times where it is the new version.
fn look(bench: &Bench, prepared: &Prepared, times: usize, verdict: &mut Verdict) -> Version {
    let disk = bench.mount.disk();
    let version = match version(bench, prepared, &disk) {
        Ok(version) => version,
        Err(seen) => {
            verdict.add(Breach::Lost, seen);
            return Version::Neither;
        }
    };
    for path in strays(prepared, &disk, version).into_iter().chain(bench.left_in_memory()) {
        verdict.add(Breach::Stray, path.display().to_string());
    }
    if prepared.scenario.git {
        let commits = if prepared.scenario.idempotent { 1 } else { times };
        look_at_git(bench, prepared, if version == Version::New { commits } else { 0 }, verdict);
    }
    version
}

/// Which version the disk holds, or what is wrong with it.
fn version(bench: &Bench, prepared: &Prepared, disk: &Disk) -> Result<Version, String> {
    others_unchanged(prepared, disk)?;
    let found = entries(disk);
    let listed = listed(disk);
    if found == prepared.entries && listed == prepared.scenario.recipients {
        return Ok(Version::Old);
    }
    if listed != prepared.scenario.recipients_after {
        return Err(format!("{listed} recipients beside changed entries"));
    }
    let expected = prepared.new_entries();
    let names: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = expected.keys().copied().collect();
    if names != wanted {
        return Err(format!("entries {names:?}"));
    }
    for (name, ciphertext) in &found {
        if prepared.entries.get(name) == Some(ciphertext) {
            if prepared.scenario.changes.iter().any(|(changed, _)| changed == name) {
                return Err(format!("{name} is old beside changed entries"));
            }
            continue;
        }
        let (text, keys) = decrypt(bench, ciphertext).map_err(|seen| format!("{name}: {seen}"))?;
        if !expected[name.as_str()].fits(&text) || keys != prepared.recipients(name) {
            return Err(format!("{name} holds {} bytes for {keys} keys", text.len()));
        }
    }
    Ok(Version::New)
}

/// How many recipients the store's own list names.
fn listed(disk: &Disk) -> usize {
    let path = Path::new(STORE).join(".gpg-id");
    let file = disk.walk().get(&path).and_then(|ino| disk.file(*ino).ok());
    file.map_or(0, |file| file.data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count())
}

/// Files that are no entries and not git's are as before, but for the store's own list where it changes.
fn others_unchanged(prepared: &Prepared, disk: &Disk) -> Result<(), String> {
    let (before, now) = (prepared.disk.walk(), disk.walk());
    for (path, ino) in before {
        let Ok(inside) = path.strip_prefix(STORE) else { continue };
        let entry = path.extension().is_some_and(|extension| extension == "gpg");
        let Ok(old) = prepared.disk.file(ino) else { continue };
        let list = prepared.scenario.recipients != prepared.scenario.recipients_after
            && inside == Path::new(".gpg-id");
        if in_git(inside) || entry || list {
            continue;
        }
        let new = now.get(&path).and_then(|ino| disk.file(*ino).ok());
        if new.is_none_or(|new| new.data != old.data) {
            return Err(format!("{} is changed", path.display()));
        }
    }
    Ok(())
}

/// The text of a message, and for how many keys it is.
fn decrypt(bench: &Bench, ciphertext: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let mut command = bench.home.command(OsStr::new("gpg"));
    command.args(["--batch", "--quiet", "--status-fd", "2", "-d"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("gpg is installed");
    // gpg may find the message broken before its end.
    let _ = child.stdin.take().expect("standard input is a pipe").write_all(ciphertext);
    let output = child.wait_with_output().expect("it is our child");
    let status = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{} bytes that do not decrypt", ciphertext.len()));
    }
    Ok((output.stdout, status.matches("[GNUPG:] ENC_TO ").count()))
}

/// Paths that a run without failure does not leave.
fn strays(prepared: &Prepared, disk: &Disk, version: Version) -> Vec<PathBuf> {
    let (own, other) = match version {
        Version::New => (&prepared.after, &prepared.before),
        _ => (&prepared.before, &prepared.after),
    };
    let known = |path: &Path| own.contains(path) || (hidden(path) && other.contains(path)) || object(path);
    disk.walk().into_keys().filter(|path| !known(path)).collect()
}

/// Whether a path is git's, or a hidden file of ours (a lock file that stays), rather than a part of the
/// store that differs between the versions.
fn hidden(path: &Path) -> bool {
    let memory = MEMORY.iter().any(|name| path.starts_with(name));
    !memory && path.iter().any(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Whether a path is named as git names objects and their folders.
fn object(path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(Path::new(STORE).join(".git/objects")) else { return false };
    let parts: Vec<&str> = inside.iter().filter_map(OsStr::to_str).collect();
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match parts[..] {
        [folder] => hex(folder, 2),
        ["pack", file] => {
            let name = file.strip_prefix("pack-").and_then(|name| name.split_once('.'));
            name.is_some_and(|(name, kind)| hex(name, 40) && ["pack", "idx", "rev"].contains(&kind))
        }
        [folder, file] => hex(folder, 2) && hex(file, 38),
        _ => false,
    }
}

fn look_at_git(bench: &Bench, prepared: &Prepared, times: usize, verdict: &mut Verdict) {
    let status = bench.git(&["status", "--porcelain"]);
    if status.code != Some(0) || !status.output.is_empty() {
        verdict.add(Breach::Git, format!("status: {}", status.output));
    }
    let check = bench.git(&["fsck", "--no-dangling", "--no-progress"]);
    if check.code != Some(0) {
        verdict.add(Breach::Git, format!("fsck: {}", check.output));
    }
    let found = subjects(bench);
    let (new, old) = found.split_at(times.min(found.len()));
    let right = new.len() == times && new.iter().all(|s| s.starts_with(prepared.scenario.subject));
    if !right || old != prepared.subjects {
        verdict.add(Breach::Git, format!("commits {found:?}"));
    }
}

/// The promises about an exit code: 0 means that the new version is there and lasts.
pub fn judge_success(verdict: &mut Verdict, after_cut: Option<Version>) {
    let broken_git = verdict.breaches.iter().any(|(breach, _)| *breach == Breach::Git);
    if verdict.version == Version::Old || broken_git {
        verdict.add(Breach::Undone, "exit 0");
    }
    if verdict.version == Version::New && after_cut.is_some_and(|version| version != Version::New) {
        verdict.add(Breach::Fleeting, format!("after a power cut: {after_cut:?}"));
    }
}

/// How often each promise was broken.
pub fn counts(verdicts: &[&Verdict]) -> BTreeMap<Breach, usize> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        let kinds: BTreeSet<Breach> = verdict.breaches.iter().map(|(breach, _)| *breach).collect();
        for breach in kinds {
            *counts.entry(breach).or_default() += 1;
        }
    }
    counts
}
