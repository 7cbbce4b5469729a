//! The store: lookup, listing, recipients, locking and all-or-nothing changes.
