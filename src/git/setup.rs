//! What git is told about entries in a repository's own configuration: that we merge them, and how diffs show
//! them. Nobody else's clone is concerned.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use super::GitError;
use super::error::io_error;
use super::settings::is_true;
use crate::files::whole;
use crate::process::git::GitProgram;

/// Which files are entries, as gitattributes(5) names them.
const ENTRIES: &str = "*.gpg";

/// A setting to be made: its name, its value, and whether another value stays.
type Setting = (&'static str, OsString, bool);

/// Tells git to merge entries with the command `driver`, and to show them in diffs as `textconv` decrypts
/// them, in the repository whose work tree is `workdir`. Returns what was set; what is right already is not.
pub fn install(
    git: &GitProgram,
    workdir: &Path,
    driver: &OsStr,
    textconv: &OsStr,
) -> Result<Vec<String>, GitError> {
    refuse_cached_plaintext(git, workdir)?;
    let settings: [Setting; 5] = [
        ("merge.passel.name", "passel: encrypted entries, by line and field".into(), false),
        ("merge.passel.driver", driver.to_owned(), false),
        // Between merge bases git wants no person's answer; what they have in common is good enough.
        ("merge.passel.recursive", "binary".into(), false),
        ("diff.gpg.binary", "true".into(), true),
        ("diff.gpg.textconv", textconv.to_owned(), true),
    ];
    let mut done = Vec::new();
    for (name, value, stays) in settings {
        let (code, there) = ask(git, workdir, &["config", "--local", "--null", "--get", name])?;
        let there = there.strip_suffix(b"\0").unwrap_or(&there);
        if code == Some(0) && (stays || there == value.as_bytes()) {
            continue;
        }
        let words: [&OsStr; 5] =
            ["config".as_ref(), "--local".as_ref(), "--replace-all".as_ref(), name.as_ref(), &value];
        expect(run(git, workdir, &words, b"")?)?;
        done.push(format!("{name} = {}", value.to_string_lossy()));
    }
    done.extend(add_attributes(git, workdir)?);
    Ok(done)
}

/// Says in the repository's own attributes that entries are merged by us, and shown in diffs unless the
/// attributes in the work tree say something of that. Returns the lines that were added.
fn add_attributes(git: &GitProgram, workdir: &Path) -> Result<Vec<String>, GitError> {
    let (_, path) = ask(git, workdir, &["rev-parse", "--git-path", "info/attributes"])?;
    let path = workdir.join(PathBuf::from(OsString::from_vec(path.trim_ascii_end().to_vec())));
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    let has =
        |line: &str| text.split(|byte| *byte == b'\n').any(|there| there.trim_ascii() == line.as_bytes());
    let mut added = Vec::new();
    let merge = format!("{ENTRIES} merge=passel");
    if !has(&merge) {
        added.push(merge);
    }
    if attributes(git, workdir, "diff", b"entry.gpg\0")?.iter().any(|(_, value)| value == "unspecified") {
        added.push(format!("{ENTRIES} diff=gpg"));
    }
    if !added.is_empty() {
        let mut new = text;
        if !new.is_empty() && !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        new.extend(added.iter().flat_map(|line| line.bytes().chain([b'\n'])));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        }
        whole::write(&path, &new, false).map_err(|(action, source)| io_error(action, &path)(source))?;
    }
    Ok(added.into_iter().map(|line| format!("info/attributes: {line}")).collect())
}

/// Fails if git would keep the plaintext of entries that it decrypts for diffs: with `cachetextconv`, it writes
/// that into notes, which are objects as any other (gitattributes(5), "Caching textconv").
pub fn refuse_cached_plaintext(git: &GitProgram, workdir: &Path) -> Result<(), GitError> {
    let words = ["config", "--null", "--show-scope", "--get-regexp", r"^diff\..*\.cachetextconv$"];
    let (code, found) = ask(git, workdir, &words)?;
    // 1: there is no such setting.
    if !matches!(code, Some(0 | 1)) {
        return Err(GitError::Program("cannot read its configuration".to_owned()));
    }
    let mut cached = BTreeMap::new();
    let mut parts = found.split(|byte| *byte == 0);
    while let (Some(scope), Some(setting)) = (parts.next(), parts.next()) {
        // `name LF value`; a name without value means true. The last one counts.
        let (name, value) = match setting.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&setting[..end], &setting[end + 1..]),
            None => (setting, &b"true"[..]),
        };
        let driver = &name[b"diff.".len()..name.len() - b".cachetextconv".len()];
        let driver = String::from_utf8_lossy(driver).into_owned();
        match is_true(value) {
            true => drop(cached.insert(driver, String::from_utf8_lossy(scope).into_owned())),
            false => drop(cached.remove(&driver)),
        }
    }
    if let Some(scope) = cached.remove("gpg") {
        return Err(GitError::CachedPlaintext { driver: "gpg".to_owned(), scope });
    }
    // Only now it is worth asking which files that is about.
    let (code, _) = ask(git, workdir, &["rev-parse", "--git-dir"])?;
    if cached.is_empty() || code != Some(0) {
        return Ok(());
    }
    let (_, mut files) = ask(git, workdir, &["ls-files", "-z", "--cached", "--others", "--", ENTRIES])?;
    files.extend_from_slice(b"entry.gpg\0");
    let used = attributes(git, workdir, "diff", &files)?;
    match cached.into_iter().find(|(driver, _)| used.iter().any(|(_, used)| used == driver)) {
        Some((driver, scope)) => Err(GitError::CachedPlaintext { driver, scope }),
        None => Ok(()),
    }
}

/// Returns what git says of an attribute of files, each ended by NUL.
fn attributes(
    git: &GitProgram,
    workdir: &Path,
    attribute: &str,
    files: &[u8],
) -> Result<Vec<(Vec<u8>, String)>, GitError> {
    let words = ["check-attr", "-z", "--stdin", attribute].map(OsStr::new);
    let said = expect(run(git, workdir, &words, files)?)?;
    let parts: Vec<&[u8]> = said.split(|byte| *byte == 0).collect();
    let triple = |part: &[&[u8]]| (part[0].to_vec(), String::from_utf8_lossy(part[2]).into_owned());
    Ok(parts.chunks_exact(3).map(triple).collect())
}

/// Asks git; returns its exit code and what it printed.
fn ask(git: &GitProgram, workdir: &Path, words: &[&str]) -> Result<(Option<i32>, Vec<u8>), GitError> {
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let output = run(git, workdir, &words, b"")?;
    Ok((output.status.code(), output.stdout))
}

/// Returns what git printed; fails if it did.
fn expect(output: Output) -> Result<Vec<u8>, GitError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(GitError::Program(said.lines().next().unwrap_or("it did not say why").to_owned()))
}

fn run(git: &GitProgram, workdir: &Path, words: &[&OsStr], input: &[u8]) -> Result<Output, GitError> {
    let not_run = |source| GitError::NotRun { program: "git".to_owned(), source };
    let mut command = git.command(workdir);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(not_run)?;
    let mut pipe = child.stdin.take().expect("it is piped");
    std::thread::scope(|scope| {
        // git answers while it is still being asked; one that ends early need not read all of it.
        scope.spawn(move || drop(pipe.write_all(input)));
        child.wait_with_output().map_err(not_run)
    })
}
