//! Who could read what, and when: out of the packets of all versions of all entries.
//!
//! Every version of an entry names the keys that can read it, and git keeps every version. So nothing here asks what a
//! list says, but what was encrypted; and nothing is taken for absent because it could not be looked at.

pub mod access;
mod error;
pub mod exposure;
pub mod lives;
pub mod past;
pub mod report;
pub mod values;

pub use error::AuditError;
pub use past::{Moment, Past};
