//! Packets inside encrypted data (RFC 9580, section 5.9).

use zeroize::Zeroizing;

/// What comes before the data in a literal packet: binary, no name, and a time that nobody reads (`seconds`
/// since 1970).
fn literal_header(seconds: u32) -> [u8; 6] {
    let [a, b, c, d] = seconds.to_be_bytes();
    [b'b', 0, a, b, c, d]
}

/// Returns a literal packet that holds `data`; none if they are too large for one.
pub fn literal(data: &[u8], seconds: u32) -> Option<Zeroizing<Vec<u8>>> {
    let header = literal_header(seconds);
    let length = u32::try_from(data.len().checked_add(header.len())?).ok()?;
    // Of its final size from the beginning: growing would leave copies behind.
    let mut packet = Zeroizing::new(Vec::with_capacity(6 + header.len() + data.len()));
    packet.extend([0xcb, 0xff]);
    packet.extend(length.to_be_bytes());
    packet.extend(header);
    packet.extend_from_slice(data);
    Some(packet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_literal_data() {
        let packet = literal(b"ab", 0x0102_0304).unwrap();
        assert_eq!(*packet, *b"\xcb\xff\0\0\0\x08b\0\x01\x02\x03\x04ab");
    }
}
