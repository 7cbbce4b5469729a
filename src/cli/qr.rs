//! placeholder
use crate::model::Plaintext;
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct QrError;
/// x
pub fn render(_secret: &Plaintext) -> Result<zeroize::Zeroizing<String>, QrError> {
    Err(QrError)
}
