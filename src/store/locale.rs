//! What a locale says about listings: the order of names, and whether its characters are UTF-8.
//!
//! The C library knows a locale's order, and no crate gives it: ICU's collation orders punctuation
//! otherwise. So this one file calls the C library. It keeps to the functions that take their locale as an
//! argument, which are safe to call from several threads; the process's own locale is left alone.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;

unsafe extern "C" {
    /// POSIX 2008; the libc crate has it for other systems only.
    fn strxfrm_l(
        to: *mut libc::c_char,
        from: *const libc::c_char,
        size: usize,
        locale: libc::locale_t,
    ) -> usize;
}

/// The order of names and the character set that a user's locale asks for.
pub struct Locale {
    /// None where names are ordered by their bytes: `C`, `POSIX`, `C.UTF-8` and locales not installed.
    collation: Option<Handle>,
    utf8: bool,
}

impl Locale {
    /// Returns the locale of these names: `collate` stands for LC_COLLATE, `ctype` for LC_CTYPE. Like
    /// `setlocale`, takes one that is not installed for `C`.
    pub fn new(collate: &OsStr, ctype: &OsStr) -> Self {
        let collation = match collate.as_bytes() {
            b"" | b"C" | b"POSIX" | b"C.UTF-8" | b"C.utf8" => None,
            _ => Handle::new(libc::LC_COLLATE_MASK, collate),
        };
        let utf8 = Handle::new(libc::LC_CTYPE_MASK, ctype).is_some_and(|handle| handle.is_utf8());
        Locale { collation, utf8 }
    }

    /// Returns the locale named `C`: byte order, ASCII.
    pub fn c() -> Self {
        Locale { collation: None, utf8: false }
    }

    /// Whether the locale's characters are UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// Returns what to sort `name` by: the order of these bytes is the locale's order of the names.
    pub fn sort_key(&self, name: &OsStr) -> Vec<u8> {
        let c_name = self.collation.as_ref().zip(CString::new(name.as_bytes()).ok());
        c_name.and_then(|(handle, name)| handle.sort_key(&name)).unwrap_or_else(|| name.as_bytes().to_vec())
    }
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

    /// Returns the bytes that order `name` among others, none if the C library fails.
    ///
    /// Keys, not `strcoll` itself: the order of bytes is a total one, whatever the names hold, and a sort
    /// may panic on any other.
    fn sort_key(&self, name: &CStr) -> Option<Vec<u8>> {
        let mut key = vec![0u8; name.to_bytes().len() * 8 + 16];
        loop {
            // SAFETY: `key` has the length passed, `name` ends in NUL, the locale object is valid.
            let length = unsafe { strxfrm_l(key.as_mut_ptr().cast(), name.as_ptr(), key.len(), self.0) };
            if length < key.len() {
                key.truncate(length);
                return Some(key);
            }
            let enough = length.checked_add(1)?;
            key.resize(enough, 0);
        }
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

    #[test]
    fn locale_c_orders_by_bytes() {
        let locale = Locale::new(OsStr::new("C"), OsStr::new("C"));
        assert!(locale.sort_key(OsStr::new("B")) < locale.sort_key(OsStr::new("a")));
        assert!(!locale.is_utf8());
    }

    #[test]
    fn unknown_locales_count_as_c() {
        let locale = Locale::new(OsStr::new("xx_XX.UTF-8"), OsStr::new("xx_XX.UTF-8"));
        assert_eq!(locale.sort_key(OsStr::new("é")), "é".as_bytes());
        assert!(!locale.is_utf8());
    }

    #[test]
    fn knows_a_utf8_locale() {
        assert!(Locale::new(OsStr::new("C"), OsStr::new("C.UTF-8")).is_utf8());
    }
}
