//! What a person is told when a command fails.

use std::error::Error;
use std::fmt::Write as _;

use super::exit;

/// A failed command: an exit code and the text for standard error.
///
/// Texts that programs look for are pass's own, to the letter ([`CliError::pass`]); all others read
/// `error: …`, `caused by: …`, `hint: …`.
#[derive(Debug)]
pub struct CliError {
    code: u8,
    text: String,
    hints: Vec<String>,
}

impl CliError {
    /// Returns an error with a text of pass's own, printed as it is.
    pub fn pass(text: impl Into<String>) -> Self {
        CliError { code: exit::FAILURE, text: text.into(), hints: Vec::new() }
    }

    /// Returns an error that reads `error: MESSAGE`.
    pub fn new(message: impl AsRef<str>) -> Self {
        CliError::pass(format!("error: {}", message.as_ref()))
    }

    /// Returns an error that says nothing more: the cause has been printed already.
    pub fn silent(code: u8) -> Self {
        CliError { code, text: String::new(), hints: Vec::new() }
    }

    /// Returns an error that reads `error: MESSAGE`, then each source of `error` as `caused by: …`.
    pub fn caused(message: impl AsRef<str>, error: &(dyn Error + 'static)) -> Self {
        CliError::pass_caused(format!("error: {}", message.as_ref()), error)
    }

    /// Returns an error with a text of pass's own, and `error` and its sources below.
    pub fn pass_caused(text: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        let mut text = text.into();
        let mut next = Some(error);
        while let Some(cause) = next {
            let _ = write!(text, "\ncaused by: {cause}");
            next = cause.source();
        }
        CliError::pass(text)
    }

    /// Returns an error that reads `error: ERROR` with its sources below.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        match error.source() {
            Some(source) => CliError::caused(error.to_string(), source),
            None => CliError::new(error.to_string()),
        }
    }

    /// Adds something to run or change.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the exit code.
    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> u8 {
        self.code
    }

    /// Returns the whole text for standard error; empty if all was said.
    pub fn text(&self) -> String {
        let mut text = self.text.clone();
        for hint in &self.hints {
            let _ = write!(text, "{}hint: {hint}", if text.is_empty() { "" } else { "\n" });
        }
        text
    }
}

impl From<std::io::Error> for CliError {
    /// Output that nobody reads any more is given up silently; anything else is an error.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return CliError::silent(exit::FAILURE);
        }
        CliError::caused("cannot write to standard output", &error)
    }
}

impl From<super::prompt::PromptError> for CliError {
    fn from(error: super::prompt::PromptError) -> Self {
        CliError::from_error(&error)
    }
}
