//! Files and folders that must be the user's own: nobody else's are read, or written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

/// How often, and how far apart, a lock that somebody else holds is tried.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Opens a regular file of the user's that nobody else can read or write, through no link.
pub fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.mode(0o600).custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK)).open(path)?;
    let found = file.metadata()?;
    match found.is_file() && is_own(&found) && found.mode() & 0o077 == 0 {
        true => Ok(file),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// Returns the content of such a file of not more than `largest` bytes; none if there is none, or it is something
/// else.
pub fn read_own(path: &Path, largest: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = open_own(path, OpenOptions::new().read(true)).ok()?;
    file.take(largest + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= largest).then_some(bytes)
}

/// Returns the lock on a folder of the user's, which is made if there is none; none if somebody else holds it for
/// long, or the folder is another's.
pub fn lock(folder: &Path) -> Option<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).ok()?;
    let flags = flags(OFlags::NOFOLLOW | OFlags::DIRECTORY);
    let handle = OpenOptions::new().read(true).custom_flags(flags).open(folder).ok()?;
    let found = handle.metadata().ok().filter(is_own)?;
    if found.mode() & 0o077 != 0 {
        handle.set_permissions(fs::Permissions::from_mode(0o700)).ok()?;
    }
    let mut options = OpenOptions::new();
    let lock = open_own(&folder.join("lock"), options.read(true).write(true).create(true)).ok()?;
    for _ in 0..TRIES {
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(lock),
            Err(Errno::WOULDBLOCK) => std::thread::sleep(PAUSE),
            Err(_) => return None,
        }
    }
    None
}

/// Whether something is the user's.
fn is_own(found: &fs::Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw()
}

/// Returns open flags as the standard library takes them.
fn flags(flags: OFlags) -> i32 {
    #[allow(clippy::cast_possible_wrap, reason = "open flags are small")]
    let flags = flags.bits() as i32;
    flags
}
