//! Other programs: the only folder that starts any.

pub mod clipboard;
pub mod editor;
pub mod extension;
pub mod hardening;
pub mod tmpdir;
