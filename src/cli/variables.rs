//! Variables of the environment.

use std::ffi::OsString;

use crate::search::{Characters, Surroundings};
use crate::store::locale::{CATEGORIES, Locale, is_c, is_installed};

/// Returns the value of a variable that is set and not empty.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Returns the name of the user's locale for a category, if one is set; found as setlocale(3) finds it: LC_ALL,
/// the category's own variable, LANG.
pub fn category(name: &str) -> Option<OsString> {
    ["LC_ALL", name, "LANG"].into_iter().find_map(variable)
}

/// Returns what grep(1) would take from the environment; none where that changes its colours or its options.
pub fn grep_surroundings() -> Option<Surroundings> {
    if ["GREP_COLORS", "GREP_COLOR", "GREP_OPTIONS"].into_iter().any(|name| variable(name).is_some()) {
        return None;
    }
    let is_plain = |name: &OsString| is_c(name) || name == "C.UTF-8" || name == "C.utf8";
    let [collate, ctype, messages] =
        ["LC_COLLATE", "LC_CTYPE", "LC_MESSAGES"].map(|name| category(name).unwrap_or_default());
    let locale = Locale::new(&collate, &ctype);
    let is_whole = CATEGORIES.iter().all(|name| is_installed(&category(name).unwrap_or_default()));
    let is_english = is_plain(&messages) || messages.as_encoded_bytes().starts_with(b"en_US");
    Some(Surroundings {
        characters: match is_whole {
            true if is_c(&ctype) => Characters::Bytes,
            true if locale.is_utf8() && locale.has_plain_case() => Characters::Utf8,
            _ => Characters::Unknown,
        },
        has_plain_ranges: is_plain(&collate),
        is_translated: !is_english || variable("LANGUAGE").is_some(),
        posixly_correct: is_posix(),
    })
}

/// Whether options end at the first word that is none.
pub fn is_posix() -> bool {
    std::env::var_os("POSIXLY_CORRECT").is_some()
}
