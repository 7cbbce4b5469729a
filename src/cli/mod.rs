//! The command line: parsing, output, prompts, exit codes.

pub mod error;
pub mod exit;
pub mod getopt;
pub mod prompt;
pub mod tree;
pub mod ui;

/// Runs the program on this process's arguments.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(exit::FAILURE)
}
