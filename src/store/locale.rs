//! What a locale says: the order of names in listings, and what its characters are.
//!
//! The C library knows a locale's order, and no crate gives it: ICU's collation orders punctuation
//! otherwise. So this one file calls the C library. It keeps to the functions that take their locale as an
//! argument, which are safe to call from several threads; the process's own locale is left alone.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;

unsafe extern "C" {
    /// POSIX 2008; the libc crate has it for other systems only.
    fn strcoll_l(a: *const libc::c_char, b: *const libc::c_char, locale: libc::locale_t) -> libc::c_int;
    fn towupper_l(character: libc::c_uint, locale: libc::locale_t) -> libc::c_uint;
    fn towlower_l(character: libc::c_uint, locale: libc::locale_t) -> libc::c_uint;
}

/// The variables that name the categories of a user's locale.
pub const CATEGORIES: [&str; 12] = [
    "LC_CTYPE",
    "LC_NUMERIC",
    "LC_TIME",
    "LC_COLLATE",
    "LC_MONETARY",
    "LC_MESSAGES",
    "LC_PAPER",
    "LC_NAME",
    "LC_ADDRESS",
    "LC_TELEPHONE",
    "LC_MEASUREMENT",
    "LC_IDENTIFICATION",
];

/// Whether the locale of that name is installed. Programs that find one category's missing take `C` for all.
pub fn is_installed(name: &OsStr) -> bool {
    is_c(name) || Handle::new(libc::LC_ALL_MASK, name).is_some()
}

/// Whether a name stands for the locale `C`.
pub fn is_c(name: &OsStr) -> bool {
    matches!(name.as_bytes(), b"" | b"C" | b"POSIX")
}

/// The order of names and the character set that a user's locale asks for.
pub struct Locale {
    /// None where names are ordered by their bytes: `C`, `POSIX`, `C.UTF-8` and locales not installed.
    collation: Option<Handle>,
    utf8: bool,
    plain_case: bool,
}

impl Locale {
    /// Returns the locale of these names: `collate` stands for LC_COLLATE, `ctype` for LC_CTYPE. Like
    /// `setlocale`, takes one that is not installed for `C`.
    pub fn new(collate: &OsStr, ctype: &OsStr) -> Self {
        let collation = match collate.as_bytes() {
            b"" | b"C" | b"POSIX" | b"C.UTF-8" | b"C.utf8" => None,
            _ => Handle::new(libc::LC_COLLATE_MASK, collate),
        };
        let ctype = Handle::new(libc::LC_CTYPE_MASK, ctype);
        let utf8 = ctype.as_ref().is_some_and(Handle::is_utf8);
        Locale { collation, utf8, plain_case: ctype.is_none_or(|handle| handle.has_plain_case()) }
    }

    /// Returns the locale named `C`: byte order, ASCII.
    pub fn c() -> Self {
        Locale { collation: None, utf8: false, plain_case: true }
    }

    /// Whether the locale's characters are UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// Whether the two cases of each letter of ASCII are those of English. In Turkish they are not: `I` is no
    /// `i`.
    pub fn has_plain_case(&self) -> bool {
        self.plain_case
    }

    /// Returns `items` in the locale's order of their names.
    pub fn sorted<T>(&self, mut items: Vec<T>, name: impl Fn(&T) -> &OsStr) -> Vec<T> {
        let Some(handle) = &self.collation else {
            items.sort_by(|a, b| name(a).cmp(name(b)));
            return items;
        };
        // No file's name holds NUL, so none is lost here.
        let named = |item| Some((CString::new(name(&item).as_bytes()).ok()?, item));
        let items = items.into_iter().filter_map(named).collect();
        merge_sorted(items, &|a: &(CString, T), b| handle.is_before(&b.0, &a.0))
            .into_iter()
            .map(|(_, item)| item)
            .collect()
    }
}

/// Returns `items` sorted, given whether one belongs strictly behind another.
///
/// Not the standard library's sort, which may panic: glibc's `strcoll` is no total order (nor does its
/// `strxfrm` agree with it, in 28 of 490,000 pairs measured). Halving and merging is what `qsort` does.
fn merge_sorted<T>(mut left: Vec<T>, is_behind: &impl Fn(&T, &T) -> bool) -> Vec<T> {
    if left.len() < 2 {
        return left;
    }
    let right = merge_sorted(left.split_off(left.len() / 2), is_behind);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut left = merge_sorted(left, is_behind).into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if is_behind(a, b) { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left.chain(right));
    merged
}

/// A locale object of the C library, freed when dropped.
struct Handle(libc::locale_t);

impl Handle {
    /// Returns the categories `mask` of the locale `name`, none if it is not installed.
    fn new(mask: libc::c_int, name: &OsStr) -> Option<Self> {
        if name.is_empty() {
            // The C library would look into the environment.
            return None;
        }
        let name = CString::new(name.as_bytes()).ok()?;
        // SAFETY: `name` ends in NUL and outlives the call; a null base asks for a new object.
        let locale = unsafe { libc::newlocale(mask, name.as_ptr(), std::ptr::null_mut()) };
        // Lazily: a handle of null must not come to be, not even to be dropped.
        (!locale.is_null()).then(|| Handle(locale))
    }

    /// Whether the locale's character set is UTF-8, by the two names that tree(1) knows.
    fn is_utf8(&self) -> bool {
        // SAFETY: the locale object is valid until we are dropped; the text that comes back is a string
        // of the C library's that lives at least as long, and we are done with it before that.
        let codeset = unsafe { CStr::from_ptr(libc::nl_langinfo_l(libc::CODESET, self.0)) };
        matches!(codeset.to_bytes(), b"UTF-8" | b"utf8")
    }

    /// Whether the two cases of each letter of ASCII are those of English.
    fn has_plain_case(&self) -> bool {
        (b'a'..=b'z').all(|letter| {
            let (lower, upper) = (letter.into(), letter.to_ascii_uppercase().into());
            // SAFETY: the locale object is valid; both functions take any character.
            unsafe { towupper_l(lower, self.0) == upper && towlower_l(upper, self.0) == lower }
        })
    }

    /// Whether `a` comes strictly before `b`.
    fn is_before(&self, a: &CStr, b: &CStr) -> bool {
        // SAFETY: both end in NUL and outlive the call; the locale object is valid.
        unsafe { strcoll_l(a.as_ptr(), b.as_ptr(), self.0) < 0 }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: ours alone, made by `newlocale`, and freed only here.
        unsafe { libc::freelocale(self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(locale: &str, names: &[&'static str]) -> Vec<&'static str> {
        let locale = Locale::new(OsStr::new(locale), OsStr::new(locale));
        locale.sorted(names.to_vec(), |name| OsStr::new(*name))
    }

    #[test]
    fn locale_c_orders_by_bytes_and_so_do_unknown_ones() {
        for locale in ["C", "POSIX", "C.UTF-8", "xx_XX.UTF-8", ""] {
            assert_eq!(sorted(locale, &["é", "a", "B", "b"]), ["B", "a", "b", "é"], "{locale}");
        }
        assert!(!Locale::new(OsStr::new("C"), OsStr::new("xx_XX.UTF-8")).is_utf8());
    }

    #[test]
    fn sorts_by_an_order_that_is_none() {
        let numbers: Vec<u32> = (0..100).collect();
        assert_eq!(merge_sorted(numbers.clone(), &|a, b| (a * 7 + b * 3) % 5 < 2).len(), 100);
        assert_eq!(merge_sorted(numbers.iter().rev().copied().collect(), &|a, b| a > b), numbers);
    }

    #[test]
    fn knows_a_utf8_locale() {
        let locale = Locale::new(OsStr::new("C"), OsStr::new("C.UTF-8"));
        assert!(locale.is_utf8() && locale.has_plain_case());
        assert!(["", "C", "C.UTF-8"].iter().all(|name| is_installed(OsStr::new(name))));
        assert!(!is_installed(OsStr::new("xx_XX.UTF-8")));
    }
}
