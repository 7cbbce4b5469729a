//! GNU getopt's habits on clap's definitions.
use std::ffi::OsString;
/// x
#[derive(Debug)]
pub struct GetoptError {
    /// x
    pub message: String,
}
/// x
pub fn normalise(
    args: &[OsString],
    _command: &clap::Command,
    _program: &str,
    _posix: bool,
) -> Result<Vec<OsString>, GetoptError> {
    Ok(args.to_vec())
}
