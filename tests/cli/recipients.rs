//! Who can read a folder: shown, checked, changed.

mod list;
mod what;
mod who;
