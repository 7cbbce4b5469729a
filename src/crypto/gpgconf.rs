//! `gpgconf`: where GnuPG's files are, and the start of its agent.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Filter;

/// The places that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// GnuPG's home folder, with the user's gpg.conf.
    pub home: PathBuf,
    /// The folder of the gpg.conf for everybody, of GnuPG 2.3 and later.
    pub system: PathBuf,
    /// The agent's socket.
    pub agent: PathBuf,
}

/// Returns the places of the GnuPG whose home folder is `home`, or the environment's; none if gpgconf does
/// not tell.
pub fn directories(home: Option<&Path>) -> Option<Directories> {
    let mut command = command(home);
    command.arg("--list-dirs");
    let done = Filter::new(command, b"").keep_stderr().run().ok()?;
    done.exit.success().then(|| read_directories(&done.stdout))?
}

/// Starts the agent if it does not run.
pub fn launch_agent(home: Option<&Path>) -> bool {
    let mut command = command(home);
    command.args(["--launch", "gpg-agent"]);
    Filter::new(command, b"").keep_stderr().run().is_ok_and(|done| done.exit.success())
}

/// Returns the program, which finds the home folder as gpg does.
fn command(home: Option<&Path>) -> Command {
    let mut command = Command::new("gpgconf");
    if let Some(home) = home {
        command.env("GNUPGHOME", home);
    }
    command
}

/// Reads the output of `--list-dirs`: lines of name, colon and percent-escaped path.
fn read_directories(listing: &[u8]) -> Option<Directories> {
    let path = |name: &str| {
        let value = listing
            .split(|b| *b == b'\n')
            .find_map(|line| line.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b":")))?;
        Some(PathBuf::from(OsString::from_vec(unescape(value)?))).filter(|path| path.is_absolute())
    };
    Some(Directories { home: path("homedir")?, system: path("sysconfdir")?, agent: path("agent-socket")? })
}

/// Undoes `%3a`; none where digits are missing.
pub fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, tail @ ..] = rest else { return None };
        let digit = |b: u8| char::from(b).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        rest = tail;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places() {
        let listing = b"sysconfdir:/etc/gnupg\nagent-socket:/tmp/a%3ab/S\nagent-ssh-socket:/x\nhomedir:/h\n";
        let read = read_directories(listing).unwrap();
        assert_eq!(read.agent, Path::new("/tmp/a:b/S"));
        assert_eq!((read.home, read.system), ("/h".into(), "/etc/gnupg".into()));
        assert_eq!(read_directories(b"homedir:/h\n"), None);
        assert_eq!(read_directories(b"sysconfdir:etc\nagent-socket:/s\nhomedir:/h\n"), None);
        assert_eq!(unescape(b"a%2"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "((homedir|sysconfdir|agent-socket):[%/a-f0-9]{0,9}\n){0,4}", bytes: Vec<u8>) {
            let _ = (read_directories(text.as_bytes()), read_directories(&bytes), unescape(&bytes));
        }
    }
}
