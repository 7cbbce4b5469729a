//! Files outside of the store: what is remembered between runs, and what a person asked for.

pub mod given;
pub mod own;
pub mod whole;
