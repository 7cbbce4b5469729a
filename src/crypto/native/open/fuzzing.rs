//! What must hold of any bytes that are decrypted, or are to be.

use pgp::packet::{PacketTrait as _, SymEncryptedProtectedData};
use rand_core::OsRng;

use super::super::agent::Answer;
use super::super::fuzzing::{OWN_KEYS, session};
use super::super::packets::{self, Sealed};
use super::*;
use crate::crypto::fuzzing::cuts;
use crate::crypto::openpgp;
use crate::model::KeyId;

/// Checks what is read of encrypted data, and inside them.
pub fn content(bytes: &[u8]) {
    if let Some(sealed) = packets::sealed(bytes) {
        check_sealed(bytes, &sealed);
    }
    if let Ok(normal) = openpgp::normal(bytes) {
        check_beside_library(&normal);
    }
    check_packets(bytes);
    check_answer(bytes);
}

/// Checks a message that was taken apart.
fn check_sealed(message: &[u8], sealed: &Sealed) {
    let outline = openpgp::outline(message).expect("it is a message");
    let ids = |sealed: &Sealed| sealed.session_keys.iter().map(|(id, _)| *id).collect::<Vec<KeyId>>();
    assert!(!outline.passphrase);
    assert_eq!(ids(sealed), outline.recipients);
    let normal = openpgp::normal(message).expect("it is whole and protected");
    let again = packets::sealed(&normal).expect("so is its normal form");
    assert_eq!((&again.data, ids(&again)), (&sealed.data, outline.recipients));
    let _ = decrypt(&session(), &sealed.data);
    for (_, packet) in sealed.session_keys.iter().take(TRIES) {
        check_session_key(packet);
    }
}

/// Checks what becomes of a session-key packet, whatever the agent makes of it.
fn check_session_key(packet: &[u8]) {
    for key in OWN_KEYS.iter() {
        let Some(request) = request(key, packet) else { continue };
        assert!(request.ciphertext.len() < packet.len() + 100);
        for (data, padding) in [(&[0x40; 33][..], None), (&[4; 65], Some(0)), (b"\x02********\0\x09", None)] {
            let answer = Answer { data: value(data), padding, info: None };
            let _ = frame(key, &request, &answer).and_then(|frame| session_key(&frame)).is_some();
        }
    }
}

/// Checks that the library sees the session-key packets in a message's normal form that we do.
fn check_beside_library(normal: &[u8]) {
    let found: Result<Vec<_>, _> = PacketParser::new(normal).collect();
    let Ok(found) = found else { return };
    let outline = openpgp::outline(normal).expect("it is a message");
    let mut ids = Vec::new();
    for packet in &found {
        match packet {
            Packet::PublicKeyEncryptedSessionKey(PublicKeyEncryptedSessionKey::V3 { id, .. }) => {
                ids.push(KeyId(id.as_ref().iter().fold(0, |id, octet| (id << 8) | u64::from(*octet))));
            }
            // Of other versions it has its own ideas.
            Packet::PublicKeyEncryptedSessionKey(_) => return,
            _ => {}
        }
    }
    assert_eq!(ids, outline.recipients);
}

/// Checks what is read in `packets` once they are decrypted, and that nothing is if anybody changed them
/// before.
fn check_packets(packets: &[u8]) {
    let expected = text(open_packets(Zeroizing::new(packets.to_vec())));
    let data = encrypted(packets);
    assert_eq!(text(decrypt(&session(), &data)), expected);
    let place = *cuts(&data).last().expect("there are some");
    let mut changed = data.clone();
    changed[place] ^= 0x20;
    assert!(decrypt(&session(), &changed).is_none(), "changed at {place}");
    assert!(decrypt(&session(), &data[..place]).is_none(), "cut at {place}");
    let literal = packets::literal(packets, 0).expect("it is short");
    assert_eq!(text(open_packets(literal)).as_deref(), Some(packets));
    let length = u32::try_from(packets.len()).expect("it is short").to_be_bytes();
    let compressed = Zeroizing::new([&[0xc8, 0xff], &length[..], packets].concat());
    let inflated = inflate(packets);
    assert!(inflated.as_ref().is_none_or(|inflated| inflated.len() <= LARGEST));
    let within = inflated.and_then(|inflated| packets::literal_data(&inflated));
    assert_eq!(text(open_packets(compressed)), within.map(|within| within.to_vec()));
}

/// Checks what is read in an agent's answer.
fn check_answer(bytes: &[u8]) {
    let _ = (sexp::value(bytes).is_some(), unpad(bytes).is_some(), session_key(bytes).is_some());
    assert_eq!(sexp::value(&value(bytes)).as_deref().map(Vec::as_slice), Some(bytes));
    let padded = [b"\0\x02********\0", bytes].concat();
    assert_eq!(unpad(&padded).as_deref().map(Vec::as_slice), Some(bytes));
    for key in OWN_KEYS.iter() {
        let request = Request { ciphertext: Vec::new(), wrapped: bytes.to_vec() };
        let answer = Answer { data: Zeroizing::new(bytes.to_vec()), padding: None, info: None };
        let _ = frame(key, &request, &answer).is_some();
    }
}

/// Returns a plaintext's bytes.
fn text(plaintext: Option<Plaintext>) -> Option<Vec<u8>> {
    plaintext.map(|plaintext| plaintext.expose().to_vec())
}

/// Returns what the agent says of a value.
fn value(value: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([format!("(5:value{}:", value.len()).as_bytes(), value, b")"].concat())
}

/// Returns packets encrypted with the session key.
fn encrypted(packets: &[u8]) -> Vec<u8> {
    let session = session();
    let mut body = Vec::new();
    SymEncryptedProtectedData::encrypt_seipdv1(OsRng, session.cipher, session.key.as_ref(), packets)
        .and_then(|packet| packet.to_writer_with_header(&mut body))
        .expect("memory takes everything");
    // Behind some session-key packet, as everywhere.
    let message = [&[0x84, 9, 3, 0, 0, 0, 0, 0, 0, 0, 0], &body[..]].concat();
    packets::sealed(&message).expect("it is a message").data.into_owned()
}

#[cfg(test)]
#[test]
fn one_seed_is_decrypted() {
    let seed = include_bytes!("../../../../fuzz/corpus/packets/session-key-known");
    let sealed = packets::sealed(seed).unwrap();
    assert_eq!(text(decrypt(&session(), &sealed.data)).unwrap(), b"password\nuser: me\n");
}
