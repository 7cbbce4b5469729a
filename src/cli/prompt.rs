//! Questions.
use crate::model::Plaintext;
use std::io::{BufRead as _, IsTerminal as _};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// x
    #[error("interrupted")]
    Interrupted,
    /// x
    #[error("the input ended")]
    Closed,
}
/// x
pub trait Prompt {
    /// x
    fn is_terminal(&self) -> bool;
    /// x
    fn confirm(&self, question: &str) -> Result<bool, PromptError>;
    /// x
    fn secret(&self, prompt: &str) -> Result<Plaintext, PromptError>;
    /// x
    fn line(&self, prompt: &str) -> Result<Plaintext, PromptError>;
}
/// x
pub struct Terminal;
impl Prompt for Terminal {
    fn is_terminal(&self) -> bool {
        std::io::stdin().is_terminal()
    }
    fn confirm(&self, _: &str) -> Result<bool, PromptError> {
        Ok(true)
    }
    fn secret(&self, p: &str) -> Result<Plaintext, PromptError> {
        self.line(p)
    }
    fn line(&self, _: &str) -> Result<Plaintext, PromptError> {
        let mut s = String::new();
        let n = std::io::stdin().lock().read_line(&mut s).map_err(|_| PromptError::Closed)?;
        if n == 0 {
            return Err(PromptError::Closed);
        }
        Ok(Plaintext::new(s.trim_end_matches('\n').as_bytes().to_vec()))
    }
}
