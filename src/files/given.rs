//! Writing a file where a person said: whole or not at all, over nothing that they did not mean.

use std::io::{self, Write as _};
use std::path::Path;

use crate::model::Shown;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum GivenError {
    /// There is a file of that name.
    #[error("`{0}` is there already")]
    Exists(String),
    /// Something else has the name: a folder, a link, a device.
    #[error("`{0}` is there already, and no ordinary file")]
    NoFile(String),
    /// It could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Writes `bytes` to `path`, readable by the user alone, and on disk when it returns. A file that is there is kept, unless
/// `replaces` says otherwise; a link is never followed, and what is no ordinary file never replaced.
pub fn write(path: &Path, bytes: &[u8], replaces: bool) -> Result<(), GivenError> {
    let shown = || Shown::os(path).to_string();
    let failed = |source| GivenError::Write { path: shown(), source };
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => return Err(GivenError::NoFile(shown())),
        Ok(_) if !replaces => return Err(GivenError::Exists(shown())),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Its permissions are 0600 from the start; it goes if anything fails.
    let mut file = tempfile::Builder::new().prefix(".passel-").tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match replaces {
        true => _ = file.persist(path).map_err(|error| failed(error.error))?,
        // Who came first since then is kept as well.
        false => {
            file.persist_noclobber(path).map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => GivenError::Exists(shown()),
                _ => failed(error.error),
            })?;
        }
    }
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn writes_a_new_file_for_the_user_alone_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.html");
        write(&path, b"one", false).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(write(&path, b"two", false), Err(GivenError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, b"two", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["a.html"]);
    }

    #[test]
    fn follows_no_link_and_replaces_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (other, link, sub) =
            (folder.path().join("other"), folder.path().join("link"), folder.path().join("sub"));
        fs::write(&other, "mine").unwrap();
        symlink(&other, &link).unwrap();
        fs::create_dir(&sub).unwrap();
        for path in [&link, &sub] {
            for replaces in [false, true] {
                assert!(matches!(write(path, b"x", replaces), Err(GivenError::NoFile(_))));
            }
        }
        assert!(matches!(write(&folder.path().join("none/x"), b"x", true), Err(GivenError::Write { .. })));
        assert_eq!(fs::read(&other).unwrap(), b"mine");
        assert_eq!(names(folder.path()), ["link", "other", "sub"]);
    }
}
