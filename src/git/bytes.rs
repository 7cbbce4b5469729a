//! Numbers, ids, paths and lists of them as bytes, for what is kept of histories.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;

use git2::Oid;

/// Returns a number as 32 bits, the low ones first.
pub(super) fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("no store has so many").to_le_bytes()
}

/// What is still to be read.
pub(super) struct Rest<'b>(pub &'b [u8]);

impl<'b> Rest<'b> {
    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn number(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).ok()
    }

    pub(super) fn id(&mut self) -> Option<Oid> {
        Oid::from_bytes(self.bytes(20)?).ok()
    }

    pub(super) fn path(&mut self) -> Option<Rc<Path>> {
        let length = self.number()?;
        Some(Path::new(OsStr::from_bytes(self.bytes(length)?)).into())
    }

    pub(super) fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| one(self)).collect()
    }
}
