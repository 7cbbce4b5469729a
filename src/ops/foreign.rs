//! Files in a store besides entries: those that other programs are known to keep there, and those that anybody
//! can read.

use std::ffi::OsStr;
use std::path::Path;

use rustix::fs::FileType;

use crate::model::entry::is_entry;

/// What is known by its name, at the root or anywhere: name, whether only at the root, whose it is.
pub(super) const KNOWN: [(&str, bool, &str); 11] = [
    (".public-keys", true, "public keys of recipients, as gopass and prs keep them; passel uses them too"),
    (".gpg-keys", true, "public keys, as old versions of gopass kept them; left alone"),
    (".gopass", true, "gopass's own: settings and templates for new entries; left alone"),
    (".pass-template", false, "a template of gopass's for new entries; left alone"),
    (".gpg-id.sig", false, "a signature as pass and ripasso make them (PASSWORD_STORE_SIGNING_KEY)"),
    (".extensions", true, "extensions of pass's, which passel runs as pass does"),
    (".gitattributes", true, "how git shows entries (pass, gopass)"),
    (".browserpass.json", false, "settings of browserpass; left alone"),
    (".age-recipients", false, "recipients of gopass's or passage's age entries, which passel cannot read"),
    (".passage", true, "passage's own; left alone"),
    (".stversions", true, "old versions that Syncthing keeps; left alone"),
];

/// Whether a file is neither encrypted nor one that a store consists of besides entries.
pub(super) fn is_plain(path: &Path, kind: FileType) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let end = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let is_known = KNOWN.iter().any(|(known, at_root, _)| match at_root {
        true => path.starts_with(known),
        false => name == *known,
    });
    let own = [".gpg-id", ".passel.yaml", ".gitignore", ".gitmodules", ".git", ".gitkeep"];
    kind == FileType::RegularFile
        && !is_entry(path)
        && !is_known
        && !own.contains(&name)
        && !["gpg", "age", "sig", "asc"].contains(&end)
}
