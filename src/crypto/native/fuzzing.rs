//! What the checks of any bytes share here: keys and a session key, made up or thrown away.

use std::sync::LazyLock;

use pgp::composed::RawSessionKey;
use pgp::crypto::sym::SymmetricKeyAlgorithm;
use pgp::packet::{Packet, PacketParser};

use super::SessionKey;
use super::keys::Part;
use super::own::OwnKey;

pub use super::cache::fuzzing::cache;
pub use super::open::fuzzing::content;

/// Returns a session key: that of the seed `session-key-known`, which gpg wrote.
pub(super) fn session() -> SessionKey {
    SessionKey { cipher: SymmetricKeyAlgorithm::AES256, key: RawSessionKey::from(&SESSION[..]) }
}

/// Its bytes.
const SESSION: [u8; 32] = *b"\xe8\xa6\x94\x91\xe3\x85\x30\xa4\x09\xd9\x22\xab\x86\x30\x73\x4c\
    \x62\xaa\x71\x5c\x8c\xac\x23\x30\x97\xeb\xcc\xca\x8a\x5c\x37\xee";

/// A key of our own of every kind that is told apart, Curve25519 first. Nobody has their secrets.
pub(super) static OWN_KEYS: LazyLock<[OwnKey; 3]> = LazyLock::new(|| {
    // A curve's name, a point on it, and the choices for the derivation: SHA-256 and AES-128.
    let curve25519: [&[u8]; 4] =
        [b"\x12\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01", b"\x01\x07\x40", &[9; 32], b"\x03\x01\x08\x07"];
    // The generator (SP 800-186, section 3.2.1.3).
    let p256: [&[u8]; 4] = [
        b"\x12\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x02\x03\x04",
        b"\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\
          \xa1\x39\x45\xd8\x98\xc2\x96",
        b"\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\
          \xb6\x40\x68\x37\xbf\x51\xf5",
        b"\x03\x01\x08\x07",
    ];
    // A modulus of 2,048 bits, and an exponent.
    let rsa: [&[u8]; 4] = [b"\x01\x08\x00", &[0xff; 256], b"\x00\x11", b"\x01\x00\x01"];
    [curve25519, p256, rsa].map(|numbers| own_key(&numbers.concat()))
});

/// Returns the key with these numbers.
fn own_key(numbers: &[u8]) -> OwnKey {
    // A subkey of version 4, made in 1970.
    let body = [&[4, 0, 0, 0, 0], numbers].concat();
    let length = u32::try_from(body.len()).expect("it is short").to_be_bytes();
    let packet = [&[0xce, 0xff], &length[..], &body].concat();
    let Some(Ok(Packet::PublicSubkey(subkey))) = PacketParser::new(&packet[..]).next() else {
        panic!("it is a subkey");
    };
    let part = Part::Subkey(subkey);
    let fingerprint = part.fingerprint().expect("it is of version 4");
    let [keygrip, name, description] = [(); 3].map(|()| String::new());
    OwnKey { part, fingerprint, keygrip, name, description, on_card: false, is_current: true }
}
