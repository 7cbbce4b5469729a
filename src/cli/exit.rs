//! Exit codes. They never change.

/// Done: stored, durable and committed.
pub const OK: u8 = 0;
/// Refused or failed; a message on standard error says why.
pub const FAILURE: u8 = 1;
/// An entry could not be decrypted (gpg's own code).
pub const CANNOT_DECRYPT: u8 = 2;
/// All else was done, but entries were held back until a person decides about them; or `audit` has found something that
/// a person is to look after.
pub const NEEDS_DECISION: u8 = 3;
/// `fsck` found no error, or `audit` has an answer, but could not look at everything.
pub const INCOMPLETE: u8 = 3;
/// `recipients check` or `fsck` found errors.
pub const FINDINGS: u8 = 4;
/// The remote repository could not be reached: what is here waits.
pub const OFFLINE: u8 = 5;
