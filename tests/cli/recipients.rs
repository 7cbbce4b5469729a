//! Who can read a folder: shown, checked, changed.

mod canonicalize;
mod check;
mod list;
mod uncommitted;
mod unconcerned;
mod update;
mod what;
mod who;
