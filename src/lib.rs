//! passel: a team password store, compatible with pass(1), that clients can be let into.
//!
//! Layers, each calling only those to its right:
//! `cli` → `ops` → `store`, `check`, `config`, `watch` → `crypto`, `git`, `process`, `search` →
//! `files` → `model`.
//! Below `cli` nothing prints, prompts, exits or reads the environment.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod check;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod files;
pub mod git;
pub mod model;
pub mod ops;
pub mod process;
pub mod search;
pub mod store;
pub mod watch;
