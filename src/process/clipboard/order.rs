//! What the keeper is told through its pipe.
//!
//! Four fields and the secret, each with its length (little-endian, 4 bytes; all ones: no value). Both ends
//! are the same program, so there is no version.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use zeroize::Zeroizing;

use super::ClipboardOptions;

/// The length that says: no value.
const NONE: u32 = u32::MAX;
/// The longest field, in bytes.
const MAX: u32 = 64 << 20;

/// An order to copy `secret` (a [`crate::model::Plaintext`], borrowed or owned).
pub(super) struct Order<P> {
    pub(super) options: ClipboardOptions,
    pub(super) secret: P,
}

impl Order<&crate::model::Plaintext> {
    /// Writes the order.
    pub(super) fn write(&self, pipe: &mut impl Write) -> io::Result<()> {
        let options = &self.options;
        field(pipe, options.wayland.as_ref().map(|w| w.as_bytes()))?;
        field(pipe, options.display.as_ref().map(|d| d.as_bytes()))?;
        field(pipe, Some(options.selection.as_bytes()))?;
        field(pipe, Some(&options.seconds.to_le_bytes()))?;
        field(pipe, Some(self.secret.expose()))?;
        pipe.flush()
    }
}

impl Order<crate::model::Plaintext> {
    /// Reads an order.
    pub(super) fn read(pipe: &mut impl Read) -> io::Result<Self> {
        let os = |value: Option<Zeroizing<Vec<u8>>>| value.map(|v| OsString::from_vec(v.to_vec()));
        let wayland = os(read_field(pipe)?);
        let display = os(read_field(pipe)?);
        let selection = String::from_utf8_lossy(&must(read_field(pipe)?)?).into_owned();
        let seconds = must(read_field(pipe)?)?;
        let seconds = u64::from_le_bytes(seconds.as_slice().try_into().map_err(|_| malformed())?);
        let secret = crate::model::Plaintext::from_zeroizing(must(read_field(pipe)?)?);
        Ok(Order { options: ClipboardOptions { wayland, display, selection, seconds }, secret })
    }
}

/// Writes one field.
fn field(pipe: &mut impl Write, value: Option<&[u8]>) -> io::Result<()> {
    let Some(value) = value else { return pipe.write_all(&NONE.to_le_bytes()) };
    let length = u32::try_from(value.len()).ok().filter(|length| *length <= MAX);
    pipe.write_all(&length.ok_or_else(malformed)?.to_le_bytes())?;
    pipe.write_all(value)
}

/// Reads one field into a buffer that wipes itself.
fn read_field(pipe: &mut impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut length = [0; 4];
    pipe.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length == NONE {
        return Ok(None);
    }
    if length > MAX {
        return Err(malformed());
    }
    let mut value = Zeroizing::new(vec![0; length as usize]);
    pipe.read_exact(&mut value)?;
    Ok(Some(value))
}

/// Returns the value of a field that must have one.
fn must<T>(value: Option<T>) -> io::Result<T> {
    value.ok_or_else(malformed)
}

/// The error for an order that our own program cannot have written.
fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not an order for the clipboard")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Plaintext;

    #[test]
    fn survives_the_pipe() {
        let options = ClipboardOptions {
            wayland: None,
            display: Some(":1".into()),
            selection: "primary".into(),
            seconds: 45,
        };
        let secret = Plaintext::new(b"a\0b\n".to_vec());
        let mut bytes = Vec::new();
        Order { options, secret: &secret }.write(&mut bytes).expect("written");
        let order = Order::read(&mut bytes.as_slice()).expect("read");
        assert_eq!(order.options.wayland, None);
        assert_eq!(order.options.display, Some(":1".into()));
        assert_eq!((order.options.selection.as_str(), order.options.seconds), ("primary", 45));
        assert!(order.secret.equals(&secret));
        for cut in 0..bytes.len() {
            assert!(Order::read(&mut &bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
