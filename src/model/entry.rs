//! Names of entries and folders, relative to the store's root.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::Shown;

/// Why a text names no entry or folder of a store.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// A `..` component: pass calls this a sneaky path.
    #[error("`{0}` holds `..`, which leaves the store")]
    Parent(String),
    /// A name that begins with `/`.
    #[error("`{0}` is an absolute name")]
    Absolute(String),
    /// A component that git keeps for itself, in any case.
    #[error("`{0}` holds `.git`, which belongs to git")]
    Git(String),
    /// A component of passel's own.
    #[error("`{0}` holds `{1}`, which belongs to passel")]
    Own(String, &'static str),
    /// A component that only recipients files are called by.
    #[error("`{0}` holds `.gpg-id`, which only recipients files are called")]
    Recipients(String),
    /// Nothing but slashes and dots.
    #[error("the name is empty")]
    Empty,
    /// A NUL byte, which no file name can hold.
    #[error("`{0}` holds a NUL byte")]
    Nul(String),
    /// A component of a new name that is longer than file systems take (255 bytes) with what we add to it.
    #[error("`{0}` has a part of more than {max} bytes", max = MAX_COMPONENT)]
    TooLong(String),
    /// A name longer than systems take, with room for the root's path.
    #[error("the name has more than {max} bytes", max = MAX_NAME)]
    LongName,
}

/// The longest name, in bytes: paths may have 4,095, and the root's comes before it.
const MAX_NAME: usize = 3072;

/// The longest component of a new name, in bytes: 255 less what `.gpg` and our temporary names add. Names
/// that stock pass made may be longer.
const MAX_COMPONENT: usize = 220;

/// What stands between the name of an entry and the digits of a version that is kept apart.
const CONFLICT: &str = ".conflict-";

/// How many digits that are.
const CONFLICT_ID: usize = 8;

/// The name of an entry: relative, normalised, without `..` and without the suffix `.gpg`.
///
/// Bytes are kept as they are (names need not be UTF-8); `Display` escapes them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName(PathBuf);

impl EntryName {
    /// Returns the entry that `text` names.
    pub fn parse(text: &OsStr) -> Result<Self, NameError> {
        let path = normalise(text)?;
        if path.as_os_str().is_empty() {
            return Err(NameError::Empty);
        }
        Ok(EntryName(path))
    }

    /// Returns the entry that `text` names, to write to it: no folder of it may be called as recipients
    /// files are, which would be in their place.
    pub fn for_writing(text: &OsStr) -> Result<Self, NameError> {
        let name = Self::parse(text)?;
        refuse_recipients_file(&name.0)?;
        Ok(name)
    }

    /// Returns the path of the entry's file below the root: the name with `.gpg`.
    pub fn file(&self) -> PathBuf {
        let mut file = self.0.clone().into_os_string();
        file.push(".gpg");
        file.into()
    }

    /// Returns the name as a path, without `.gpg`.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Returns the name of an entry beside this one: with `suffix`, and cut to the length of a new name.
    pub fn beside(&self, suffix: &str) -> EntryName {
        let name = self.0.file_name().unwrap_or_default().as_bytes();
        let room = MAX_COMPONENT - suffix.len();
        let is_start = |at: &usize| name.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80);
        // Not within a character, which has up to four bytes.
        let end = room.min(name.len());
        let end = (end.saturating_sub(3)..=end).rev().find(is_start).unwrap_or(end);
        let mut cut = OsStr::from_bytes(&name[..end]).to_owned();
        cut.push(suffix);
        EntryName(self.0.with_file_name(cut))
    }

    /// Returns the name under which another version of this entry is kept apart: `NAME.conflict-ID`, `id`
    /// being the first eight hexadecimal digits of the git blob that the version's file is.
    pub fn conflict(&self, id: &str) -> EntryName {
        self.beside(&format!("{CONFLICT}{id}"))
    }

    /// Returns of which entry this is a version that was kept apart, and by which digits; none if it is no
    /// such name. A long name was cut on the way, and is found as it was cut.
    pub fn conflicted(&self) -> Option<(EntryName, String)> {
        let part = self.0.file_name()?.as_bytes();
        let (rest, id) = part.split_at_checked(part.len().checked_sub(CONFLICT_ID)?)?;
        let name = rest.strip_suffix(CONFLICT.as_bytes()).filter(|name| !name.is_empty())?;
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let id = std::str::from_utf8(id).ok().filter(|id| id.bytes().all(|byte| is_digit(&byte)))?;
        Some((EntryName(self.0.with_file_name(OsStr::from_bytes(name))), id.to_owned()))
    }

    /// Returns the folder that holds the entry.
    pub fn folder(&self) -> FolderName {
        FolderName(self.0.parent().map(Path::to_path_buf).unwrap_or_default())
    }
}

/// The name of a folder, relative to the root; empty for the root itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FolderName(PathBuf);

impl FolderName {
    /// Returns the folder that `text` names; the empty text and `/` alone name the root.
    pub fn parse(text: &OsStr) -> Result<Self, NameError> {
        if text.as_bytes().iter().all(|b| *b == b'/') {
            return Ok(FolderName::default());
        }
        normalise(text).map(FolderName)
    }

    /// Returns the folder that `text` names, to write into it; as [`EntryName::for_writing`].
    pub fn for_writing(text: &OsStr) -> Result<Self, NameError> {
        let name = Self::parse(text)?;
        refuse_recipients_file(&name.0)?;
        Ok(name)
    }

    /// Returns the root folder.
    pub fn root() -> Self {
        FolderName::default()
    }

    /// Returns the path below the root; empty for the root.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.as_os_str().is_empty()
    }

    /// Returns the folder that holds this one, none for the root.
    pub fn parent(&self) -> Option<FolderName> {
        self.0.parent().map(|p| FolderName(p.to_path_buf()))
    }

    /// Returns the path of this folder's recipients file below the root.
    pub fn gpg_id(&self) -> PathBuf {
        self.0.join(".gpg-id")
    }
}

/// Checks `text` component by component; drops empty and `.` components.
fn normalise(text: &OsStr) -> Result<PathBuf, NameError> {
    let bytes = text.as_bytes();
    let shown = || Shown::new(bytes).to_string();
    if bytes.contains(&0) {
        return Err(NameError::Nul(shown()));
    }
    if bytes.first() == Some(&b'/') {
        return Err(NameError::Absolute(shown()));
    }
    let mut path = PathBuf::new();
    for part in bytes.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(NameError::Parent(shown())),
            part if is_git(part) => return Err(NameError::Git(shown())),
            b".passel" => return Err(NameError::Own(shown(), ".passel")),
            part => path.push(OsStr::from_bytes(part)),
        }
    }
    if path.as_os_str().len() > MAX_NAME {
        return Err(NameError::LongName);
    }
    Ok(path)
}

/// Whether the last component of a path, an entry's file or a folder, is longer than that of a new name.
pub fn is_long(path: &Path) -> bool {
    let part = path.file_name().unwrap_or_default().as_bytes();
    part.strip_suffix(b".gpg").unwrap_or(part).len() > MAX_COMPONENT
}

/// Refuses a name with `.gpg-id` as a component.
fn refuse_recipients_file(path: &Path) -> Result<(), NameError> {
    if path.iter().any(|part| part == ".gpg-id") {
        return Err(NameError::Recipients(Shown::os(path).to_string()));
    }
    Ok(())
}

/// Whether a component is `.git` to some file system: any case, trailing dots and blanks (Windows),
/// `git~1` (its short name), and characters that macOS ignores. As git's own `is_ntfs_dotgit` and
/// `is_hfs_dotgit` have it.
fn is_git(part: &[u8]) -> bool {
    let text = String::from_utf8_lossy(part);
    let visible: String = text.chars().filter(|c| !super::shown::drives_terminal(*c)).collect();
    let bare = visible.split(':').next().unwrap_or("").trim_end_matches(['.', ' ']);
    bare.eq_ignore_ascii_case(".git") || bare.eq_ignore_ascii_case("git~1")
}

/// Whether a file's name is an entry's: pass takes the suffix in any case.
pub fn is_entry(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("gpg"))
}

/// The hidden folder at the store's root that holds our own records, encrypted for the team as all else is.
pub const RECORDS: &str = ".passel.d";

/// Whether a file is an entry that holds something of an account, and is no record of ours.
pub fn is_credential(path: &Path) -> bool {
    is_entry(path) && !is_record(path)
}

/// Whether a path leads to our own records.
pub fn is_record(path: &Path) -> bool {
    path.starts_with(RECORDS)
}

/// Returns an entry's name for messages.
pub fn shown_entry(path: &Path) -> String {
    let text = Shown::os(path).to_string();
    text.strip_suffix(".gpg").unwrap_or(&text).to_owned()
}

/// Whether pass's own check would call `text` sneaky: a `..` component.
pub fn is_sneaky(text: &OsStr) -> bool {
    text.as_bytes().split(|b| *b == b'/').any(|part| part == b"..")
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::os(&self.0).fmt(f)
    }
}

impl fmt::Debug for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryName(`{self}`)")
    }
}

impl fmt::Display for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown::os(&self.0).fmt(f)
    }
}

impl fmt::Debug for FolderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FolderName(`{self}`)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<EntryName, NameError> {
        EntryName::parse(OsStr::new(text))
    }

    #[test]
    fn drops_empty_and_dot_components() {
        assert_eq!(parse("a//./b/").unwrap().as_path(), Path::new("a/b"));
        assert_eq!(parse("a/b").unwrap().file(), Path::new("a/b.gpg"));
    }

    #[test]
    fn refuses_names_that_leave_the_store() {
        for name in ["..", "../a", "a/../b", "a/..", "/a", "", ".", "///"] {
            assert!(parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn refuses_look_alikes_of_git() {
        for name in
            [".git", ".GIT/hooks/x", "a/.gIt", "git~1", ".git.", ".git ", ".g\u{200c}it", ".git::$INDEX"]
        {
            assert!(matches!(parse(name), Err(NameError::Git(_))), "{name}");
        }
        for name in [".gitlab", "git", "a.git", ".github/x"] {
            assert!(parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_beside_a_long_one_is_cut_between_characters() {
        let beside = |name: &str| parse(name).unwrap().beside(".new").as_path().to_str().unwrap().to_owned();
        assert_eq!(beside("web/a"), "web/a.new");
        assert_eq!(beside(&format!("web/{}", "a".repeat(251))), format!("web/{}.new", "a".repeat(216)));
        assert_eq!(beside(&format!("a{}", "€".repeat(80))), format!("a{}.new", "€".repeat(71)));
    }

    #[test]
    fn versions_kept_apart_are_known_by_their_names() {
        let kept = parse("web/a").unwrap().conflict("0123abcd");
        assert_eq!(kept.file(), Path::new("web/a.conflict-0123abcd.gpg"));
        assert_eq!(kept.conflicted(), Some((parse("web/a").unwrap(), "0123abcd".to_owned())));
        // Of such a version there may be another one.
        let twice = kept.conflict("00000000");
        assert_eq!(twice.conflicted(), Some((kept, "00000000".to_owned())));
        for name in ["a", "a.conflict-0123abc", "a.conflict-0123ABCD", ".conflict-0123abcd", "0123abcd", "é"]
        {
            assert_eq!(parse(name).unwrap().conflicted(), None, "{name}");
        }
        assert_eq!(parse("a.conflict-0123abcd/b").unwrap().conflicted(), None);
    }

    #[test]
    fn writes_to_no_place_of_recipients_files() {
        for name in [".gpg-id", ".gpg-id/x", "a/.gpg-id/b", "a/.gpg-id"] {
            assert!(parse(name).is_ok(), "{name}");
            let refused = NameError::Recipients(name.to_owned());
            assert_eq!(EntryName::for_writing(OsStr::new(name)), Err(refused), "{name}");
            assert!(FolderName::for_writing(OsStr::new(name)).is_err(), "{name}");
        }
        for name in ["gpg-id", ".gpg-id2/x", "a/.GPG-ID"] {
            assert!(EntryName::for_writing(OsStr::new(name)).is_ok(), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_version_kept_apart_is_its_entry_s(bytes: Vec<u8>, id in "[0-9a-f]{8}") {
            if let Ok(name) = EntryName::parse(OsStr::from_bytes(&bytes)) {
                assert_eq!(name.conflict(&id).conflicted(), Some((name, id)));
            }
        }

        #[test]
        fn no_name_escapes_the_store(bytes: Vec<u8>) {
            if let Ok(name) = EntryName::parse(OsStr::from_bytes(&bytes)) {
                let file = name.file();
                assert!(file.is_relative());
                assert!(file.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
