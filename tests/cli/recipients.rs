//! Who can read a folder: shown, checked, changed.

mod list;
mod update;
mod what;
mod who;
