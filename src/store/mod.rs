//! The store: lookup, listing, recipients, locking and all-or-nothing changes.

pub mod listing;
pub mod locale;
pub mod pattern;
