//! Who can read a folder: shown, checked, changed.

mod canonicalize;
mod change;
mod check;
mod groups;
mod list;
mod update;
mod what;
mod who;
