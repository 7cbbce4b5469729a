//! Writing a file of our own whole or not at all.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What failed, and why.
pub type Failure = (&'static str, io::Error);

/// Writes `bytes` to `path`, readable by the user alone; with `durable`, on disk when it returns.
pub fn write(path: &Path, bytes: &[u8], durable: bool) -> Result<(), Failure> {
    let beside = beside(path);
    let failed = |action| move |error| (action, error);
    let written = (|| {
        // Never through a link, and never over anything.
        let new = || OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let mut file = new();
        if file.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            std::fs::remove_file(&beside).map_err(failed("replace"))?;
            file = new();
        }
        let mut file = file.map_err(failed("create"))?;
        file.write_all(bytes).map_err(failed("write"))?;
        if durable {
            file.sync_all().map_err(failed("sync"))?;
        }
        std::fs::rename(&beside, path).map_err(failed("put in place"))
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    if durable && let Some(folder) = path.parent() {
        std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(failed("sync"))?;
    }
    Ok(())
}

/// Returns the name under which a file is written before it is put in place.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
