//! Other programs: the only folder that starts any.

pub mod hardening;
