//! Who the user is and how they commit, as their own git sees it.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::GitError;
use crate::process::git::GitProgram;

/// A name, an e-mail address and a time, as a commit carries them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The person's name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Offset of the time zone, in minutes east of UTC.
    pub offset: i32,
}

impl Identity {
    /// Parses what `git var GIT_AUTHOR_IDENT` prints: `Name <email> seconds +hhmm`.
    fn parse(text: &str) -> Option<Self> {
        let (person, time) = text.trim_end().rsplit_once("> ")?;
        let (name, email) = person.rsplit_once(" <").or_else(|| Some(("", person.strip_prefix('<')?)))?;
        let (seconds, zone) = time.split_once(' ')?;
        let digits: i32 = zone.get(1..)?.parse().ok()?;
        let minutes = digits / 100 * 60 + digits % 100;
        Some(Identity {
            name: name.to_owned(),
            email: email.to_owned(),
            seconds: seconds.parse().ok()?,
            offset: if zone.starts_with('-') { -minutes } else { minutes },
        })
    }

    /// Returns the identity as git writes it into commits and reflogs.
    pub fn line(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let offset = self.offset.abs();
        format!("{} <{}> {} {sign}{:02}{:02}", self.name, self.email, self.seconds, offset / 60, offset % 60)
    }

    pub(super) fn signature(&self) -> Result<git2::Signature<'static>, GitError> {
        let time = git2::Time::new(self.seconds, self.offset);
        git2::Signature::new(&self.name, &self.email, &time).map_err(super::git_error("use your name"))
    }
}

/// What git's configuration says about commits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who made the change.
    pub author: Identity,
    /// Who commits it.
    pub committer: Identity,
    /// Whether commits are signed (`pass.signcommits` or `commit.gpgsign`).
    pub sign: bool,
    /// The folder of hooks.
    pub hooks: PathBuf,
    /// Whether reflogs are started where there are none (`core.logAllRefUpdates`).
    pub log_all: bool,
}

impl Settings {
    /// Asks git, in `workdir`. libgit2 would not see `GIT_CONFIG_GLOBAL`, `GIT_AUTHOR_NAME` and other
    /// sources that git itself heeds; the four questions run side by side.
    pub fn read(git: &GitProgram, workdir: &Path) -> Result<Self, GitError> {
        let author = start(git.command(workdir).args(["var", "GIT_AUTHOR_IDENT"]))?;
        let committer = start(git.command(workdir).args(["var", "GIT_COMMITTER_IDENT"]))?;
        let wanted = r"^(pass\.signcommits|commit\.gpgsign|core\.logallrefupdates)$";
        let config = start(git.command(workdir).args(["config", "--null", "--get-regexp", wanted]))?;
        // core.hooksPath may begin with `~` or stand in an included file: only git resolves it truly.
        let hooks = start(git.command(workdir).args(["rev-parse", "--git-path", "hooks"]))?;
        let author = identity(author)?;
        let committer = identity(committer)?;
        let config = config.wait_with_output().map_err(not_run)?;
        // 1: no such setting. Anything else is a failure, and no reason to go on without signatures.
        if !matches!(config.status.code(), Some(0 | 1)) {
            return Err(failed(&config.stderr));
        }
        let hooks = hooks.wait_with_output().map_err(not_run)?;
        if !hooks.status.success() || hooks.stdout.trim_ascii_end().is_empty() {
            return Err(failed(&hooks.stderr));
        }
        let hooks = workdir.join(std::ffi::OsStr::from_bytes(hooks.stdout.trim_ascii_end()));
        Ok(Settings::from_config(&config.stdout, author, committer, hooks))
    }

    /// Takes the last value of each name from `git config --null --get-regexp`.
    fn from_config(config: &[u8], author: Identity, committer: Identity, hooks: PathBuf) -> Self {
        let mut settings = Settings { author, committer, sign: false, hooks, log_all: true };
        let (mut pass_signs, mut git_signs) = (false, false);
        for record in config.split(|b| *b == 0).filter(|r| !r.is_empty()) {
            // `name LF value`; a name without value means true.
            let (name, value) = match record.iter().position(|b| *b == b'\n') {
                Some(end) => (&record[..end], &record[end + 1..]),
                None => (record, &b"true"[..]),
            };
            match name {
                b"pass.signcommits" => pass_signs = is_true(value),
                b"commit.gpgsign" => git_signs = is_true(value),
                b"core.logallrefupdates" => settings.log_all = value == b"always" || is_true(value),
                _ => {}
            }
        }
        settings.sign = pass_signs || git_signs;
        settings
    }
}

/// Fails if git does not know who the user is, in `folder`, which need not be a repository.
pub fn check_identity(git: &GitProgram, folder: &Path) -> Result<(), GitError> {
    identity(start(git.command(folder).args(["var", "GIT_COMMITTER_IDENT"]))?).map(drop)
}

/// Returns the error that git told of on standard error.
fn failed(stderr: &[u8]) -> GitError {
    let said = String::from_utf8_lossy(stderr);
    GitError::Program(said.lines().next().unwrap_or("it did not say why").to_owned())
}

/// Whether git takes `value` for true (git-config(1), "boolean").
pub(super) fn is_true(value: &[u8]) -> bool {
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    matches!(value.as_str(), "true" | "yes" | "on") || value.parse::<i64>().is_ok_and(|n| n != 0)
}

fn start(command: &mut Command) -> Result<Child, GitError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(not_run)
}

fn not_run(source: std::io::Error) -> GitError {
    GitError::NotRun { program: "git".to_owned(), source }
}

fn identity(child: Child) -> Result<Identity, GitError> {
    let output = child.wait_with_output().map_err(not_run)?;
    let text = String::from_utf8_lossy(&output.stdout);
    match Identity::parse(&text) {
        Some(identity) if output.status.success() => Ok(identity),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no name is set");
            Err(GitError::Identity(last.trim_start_matches("fatal: ").to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_git_prints() {
        let line = "Ann O'Hara <ann@example.org> 1700000000 -0330";
        let identity = Identity::parse(&format!("{line}\n")).unwrap();
        assert_eq!((identity.name.as_str(), identity.offset), ("Ann O'Hara", -210));
        assert_eq!(identity.line(), line);
        assert!(Identity::parse("nobody").is_none());
    }

    #[test]
    fn knows_gits_booleans() {
        for value in ["true", "Yes", "on", "1", "2"] {
            assert!(is_true(value.as_bytes()), "{value}");
        }
        for value in ["false", "no", "off", "0", ""] {
            assert!(!is_true(value.as_bytes()), "{value}");
        }
    }
}
