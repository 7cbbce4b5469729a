//! Files of our own, outside of the store: what is remembered between runs.

pub mod own;
pub mod whole;
