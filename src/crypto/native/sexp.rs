//! The canonical S-expressions that the agent takes and gives for a private-key operation (libgcrypt's
//! manual, "Cryptographic Functions"; RFC 9804).

use zeroize::Zeroizing;

/// Returns the number of an RSA session-key packet for the agent.
pub fn rsa(number: &[u8]) -> Vec<u8> {
    // libgcrypt reads numbers as signed.
    let sign: &[u8] = if number.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
    [b"(7:enc-val(3:rsa(1:a", string(&[sign, number].concat()).as_slice(), b")))"].concat()
}

/// Returns the ephemeral point and the wrapped session key of an ECDH session-key packet for the agent.
pub fn ecdh(point: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
    let wrapped = [&[u8::try_from(wrapped.len()).ok()?], wrapped].concat();
    let parts: [&[u8]; 5] = [b"(7:enc-val(4:ecdh(1:s", &string(&wrapped), b")(1:e", &string(point), b")))"];
    Some(parts.concat())
}

/// Returns a string with its length before it.
fn string(bytes: &[u8]) -> Vec<u8> {
    [format!("{}:", bytes.len()).as_bytes(), bytes].concat()
}

/// Returns what the agent computed: `(5:valueN:…)`, perhaps with a zero byte behind.
pub fn value(answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let answer = answer.strip_suffix(b"\0").unwrap_or(answer);
    let rest = answer.strip_prefix(b"(5:value")?.strip_suffix(b")")?;
    let colon = rest.iter().position(|b| *b == b':').filter(|at| (1..=5).contains(at))?;
    let (digits, value) = (&rest[..colon], &rest[colon + 1..]);
    let length: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (value.len() == length).then(|| Zeroizing::new(value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_agent_takes() {
        assert_eq!(rsa(b"\x7fab"), b"(7:enc-val(3:rsa(1:a3:\x7fab)))");
        assert_eq!(rsa(b"\x80ab"), b"(7:enc-val(3:rsa(1:a4:\0\x80ab)))");
        assert_eq!(ecdh(b"@p", b"w").unwrap(), b"(7:enc-val(4:ecdh(1:s2:\x01w)(1:e2:@p)))");
        assert_eq!(ecdh(b"@p", &[0; 256]), None);
    }

    #[test]
    fn reads_what_the_agent_gives() {
        for good in [&b"(5:value2:ab)"[..], b"(5:value2:ab)\0"] {
            assert_eq!(value(good).unwrap().to_vec(), b"ab");
        }
        for bad in [
            &b"(5:value3:ab)"[..],
            b"(5:value1:ab)",
            b"(5:value:ab)",
            b"(5:value-2:ab)",
            b"(5:value2:ab",
            b"(5:value000002:ab)",
            b"(3:sig2:ab)",
            b"",
        ] {
            assert_eq!(value(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = (value(&bytes).is_some(), value(&[b"(5:value", &bytes[..], b")"].concat()).is_some());
        }
    }
}
