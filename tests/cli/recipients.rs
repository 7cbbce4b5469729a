//! Who can read a folder: shown, checked, changed.

mod canonicalize;
mod change;
mod check;
mod compared;
mod groups;
mod list;
mod uncommitted;
mod unconcerned;
mod update;
mod what;
mod who;
