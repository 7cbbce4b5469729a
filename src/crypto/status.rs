//! gpg's status lines (GnuPG's doc/DETAILS): what it vouches for, read from a pipe of our own.

use crate::model::Fingerprint;

use super::native::is_cancellation;
use super::{CryptoError, Undecryptable, Verdict};

/// Returns keyword and arguments of each line.
fn lines(status: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(status);
    let lines = text.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
    lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).map(|(k, a)| (k.into(), a.into())).collect()
}

/// Returns whether the plaintext that gpg wrote, all of it, comes from one encrypted message whose
/// integrity was checked.
///
/// A packet that is not encrypted, or one beside the encrypted ones, makes `gpg -d` write it and exit
/// with 0; so do `--ignore-mdc-error` and `--allow-multiple-messages` of a user's gpg.conf.
pub fn vouches_for_decryption(status: &[u8]) -> Result<(), CryptoError> {
    let lines = lines(status);
    let places = |keyword: &str| -> Vec<usize> {
        let all = lines.iter().enumerate();
        all.filter(|(_, (found, _))| found == keyword).map(|(place, _)| place).collect()
    };
    let (begins, ends) = (places("BEGIN_DECRYPTION"), places("END_DECRYPTION"));
    let [begin] = begins[..] else {
        return Err(CryptoError::Unsound(match begins.len() {
            0 => "it holds no encrypted data",
            _ => "it is more than one encrypted message",
        }));
    };
    // `ERROR` lines are no verdict: there is one for each secret key that would not work before one did.
    let failed = ["DECRYPTION_FAILED", "BADMDC"].iter().any(|keyword| !places(keyword).is_empty());
    if failed || places("DECRYPTION_OKAY").len() != 1 || ends.len() != 1 {
        return Err(CryptoError::Unsound("gpg did not confirm that the message is whole"));
    }
    if places("GOODMDC").len() != 1 {
        return Err(CryptoError::Unsound("the message is not protected against changes"));
    }
    match places("PLAINTEXT")[..] {
        [plaintext] if begin < plaintext && plaintext < ends[0] => Ok(()),
        _ => Err(CryptoError::Unsound("the message holds other data beside what was encrypted")),
    }
}

/// Returns why gpg could not decrypt, as far as its status lines say.
pub fn undecryptable(status: &[u8]) -> Undecryptable {
    let lines = lines(status);
    let says = |keyword: &str| lines.iter().any(|(found, _)| found == keyword);
    if lines.is_empty() {
        // It did not even begin: because of an option, say. What it wrote tells why.
        Undecryptable::Other
    } else if !says("BEGIN_DECRYPTION") {
        Undecryptable::NoMessage
    } else if says("DECRYPTION_KEY") {
        // Said once a key has opened the session key: what follows needs none.
        Undecryptable::Damaged
    } else if lines.iter().any(|(keyword, arguments)| keyword == "ERROR" && is_cancelled(arguments))
        || says("PINENTRY_LAUNCHED") && !says("ERROR") && !says("NEED_PASSPHRASE_SYM")
    {
        // With `--quiet`, gpg says nothing of a cancelled passphrase but that nobody gave it.
        Undecryptable::Cancelled
    } else if says("ERROR") || says("NEED_PASSPHRASE_SYM") {
        // There is a key, but not its passphrase or its card; or there is only a passphrase.
        Undecryptable::Other
    } else {
        Undecryptable::NoKey
    }
}

/// Whether the arguments of an `ERROR` line say that a passphrase was not given.
fn is_cancelled(arguments: &str) -> bool {
    let code = arguments.strip_prefix("pkdecrypt_failed ").and_then(|rest| rest.split(' ').next());
    code.and_then(|code| code.parse().ok()).is_some_and(is_cancellation)
}

/// Returns why gpg refused a recipient, if it did.
pub fn refused_recipient(status: &[u8]) -> Option<CryptoError> {
    let lines = lines(status);
    let (_, arguments) = lines.iter().find(|(keyword, _)| keyword == "INV_RECP")?;
    Some(refusal(arguments))
}

/// Returns the error for the arguments of an `INV_RECP` line: a reason's number and the recipient.
pub fn refusal(arguments: &str) -> CryptoError {
    let (reason, recipient) = arguments.split_once(' ').unwrap_or((arguments, ""));
    match (reason, Fingerprint::parse(recipient.trim_end_matches('!'))) {
        // 10: "Key not trusted".
        ("10", Some(fingerprint)) => CryptoError::Untrusted(fingerprint),
        _ => CryptoError::Gpg(format!("cannot encrypt to {recipient} (reason {reason})")),
    }
}

/// Returns the full fingerprints of good signatures. `VALIDSIG` alone also stands for expired and
/// revoked keys; only behind `GOODSIG` nothing is wrong.
pub fn good_signatures(status: &[u8]) -> Vec<Fingerprint> {
    valid_signatures(status, &["GOODSIG"])
}

/// Returns the fingerprints of those signatures of which gpg says one of `keywords`.
fn valid_signatures(status: &[u8], keywords: &[&str]) -> Vec<Fingerprint> {
    let (mut good, mut fingerprints) = (false, Vec::new());
    for (keyword, arguments) in lines(status) {
        match keyword.as_str() {
            "NEWSIG" | "GOODSIG" | "BADSIG" | "ERRSIG" | "EXPSIG" | "EXPKEYSIG" | "REVKEYSIG" => {
                good = keywords.contains(&keyword.as_str());
            }
            "VALIDSIG" if good => {
                let words: Vec<&str> = arguments.split(' ').collect();
                let ends = [words.first(), words.get(9)];
                fingerprints.extend(ends.into_iter().flatten().filter_map(|w| Fingerprint::parse(w)));
                good = false;
            }
            _ => {}
        }
    }
    fingerprints.dedup();
    fingerprints
}

/// Returns what gpg says of a signature; of several, the best.
pub fn verdict(status: &[u8]) -> Verdict {
    let found = |keywords: &[&str]| {
        Some(valid_signatures(status, keywords)).filter(|fingerprints| !fingerprints.is_empty())
    };
    // `ERRSIG` says that there was no checking it, for want of the key mostly.
    let is_unknown = lines(status).iter().any(|(keyword, _)| keyword == "ERRSIG");
    found(&["GOODSIG"])
        .map(Verdict::Good)
        .or_else(|| found(&["EXPSIG", "EXPKEYSIG"]).map(Verdict::Expired))
        .or_else(|| found(&["REVKEYSIG"]).map(Verdict::Revoked))
        .unwrap_or(if is_unknown { Verdict::Unknown } else { Verdict::Bad })
}

/// Whether a listing failed only because no key has the name (error 9, `GPG_ERR_NO_PUBKEY`).
pub fn found_no_key(status: &[u8]) -> bool {
    let lines = lines(status);
    let mut errors = lines.iter().filter(|(keyword, _)| keyword == "ERROR").peekable();
    errors.peek().is_some() && errors.all(|(_, arguments)| arguments == "keylist.getkey 9")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns status lines from keywords.
    fn status(keywords: &str) -> Vec<u8> {
        keywords.split(", ").map(|k| format!("[GNUPG:] {k}\n")).collect::<String>().into_bytes()
    }

    const GOOD: &str =
        "ENC_TO 1 18 0, BEGIN_DECRYPTION, PLAINTEXT 62 1 p, DECRYPTION_OKAY, GOODMDC, END_DECRYPTION";

    #[test]
    fn vouches_for_one_whole_message_only() {
        assert!(vouches_for_decryption(&status(GOOD)).is_ok());
        assert!(vouches_for_decryption(&status(&format!("ERROR pkdecrypt_failed 1, {GOOD}"))).is_ok());
        let cases = [
            ("PLAINTEXT 62 1 p".to_owned(), "no encrypted data"),
            (format!("{GOOD}, {GOOD}"), "more than one"),
            (GOOD.replace("GOODMDC, ", ""), "not protected"),
            (GOOD.replace("DECRYPTION_OKAY, ", ""), "whole"),
            (format!("{GOOD}, DECRYPTION_FAILED"), "whole"),
            (format!("{GOOD}, PLAINTEXT 62 1 p"), "beside"),
            (format!("PLAINTEXT 62 1 p, {GOOD}"), "beside"),
            (GOOD.replace("PLAINTEXT 62 1 p, ", "PLAINTEXT 62 1 p, PLAINTEXT 62 1 p, "), "beside"),
            (GOOD.replace("PLAINTEXT 62 1 p, ", ""), "beside"),
        ];
        for (lines, expected) in cases {
            let error = vouches_for_decryption(&status(&lines)).unwrap_err().to_string();
            assert!(error.contains(expected), "{lines}: {error}");
        }
        // What the plaintext says on standard output is no status line, and a prefix is no keyword.
        assert!(vouches_for_decryption(GOOD.as_bytes()).is_err());
    }

    #[test]
    fn tells_why_nothing_was_decrypted() {
        assert_eq!(undecryptable(b""), Undecryptable::Other);
        for (lines, why) in [
            ("NODATA 3", Undecryptable::NoMessage),
            ("ENC_TO 1 18 0, BEGIN_DECRYPTION, DECRYPTION_FAILED", Undecryptable::NoKey),
            (
                "ENC_TO 1 18 0, ERROR pkdecrypt_failed 83886179, BEGIN_DECRYPTION, DECRYPTION_FAILED",
                Undecryptable::Cancelled,
            ),
            (
                "ENC_TO 1 18 0, PINENTRY_LAUNCHED 3, BEGIN_DECRYPTION, DECRYPTION_FAILED",
                Undecryptable::Cancelled,
            ),
            (
                "ENC_TO 1 18 0, ERROR pkdecrypt_failed 67108949, BEGIN_DECRYPTION, DECRYPTION_FAILED",
                Undecryptable::Other,
            ),
            ("NEED_PASSPHRASE_SYM 9 3 2, BEGIN_DECRYPTION, DECRYPTION_FAILED", Undecryptable::Other),
            ("DECRYPTION_KEY A A u, BEGIN_DECRYPTION, BADMDC, DECRYPTION_FAILED", Undecryptable::Damaged),
        ] {
            assert_eq!(undecryptable(&status(lines)), why, "{lines}");
        }
    }

    #[test]
    fn takes_good_signatures_only() {
        let fpr = "E9F6C0FD638B34B635A94FAF712A8FE78EC21FAC";
        let valid = format!("VALIDSIG {} 2026-11-21 1 0 4 0 22 8 00 {fpr}", "A".repeat(40));
        let good = good_signatures(&status(&format!("NEWSIG, GOODSIG 1 A, {valid}")));
        assert_eq!(good, [Fingerprint::parse(&"A".repeat(40)).unwrap(), Fingerprint::parse(fpr).unwrap()]);
        for bad in ["EXPKEYSIG 1 A", "REVKEYSIG 1 A", "EXPSIG 1 A", "BADSIG 1 A"] {
            assert_eq!(good_signatures(&status(&format!("NEWSIG, {bad}, {valid}"))), []);
        }
        let judged = |lines: &str| verdict(&status(&lines.replace("VALID", &valid)));
        assert_eq!(judged("NEWSIG, GOODSIG 1 A, VALID"), Verdict::Good(good.clone()));
        assert_eq!(judged("NEWSIG, EXPKEYSIG 1 A, VALID"), Verdict::Expired(good.clone()));
        assert_eq!(judged("NEWSIG, REVKEYSIG 1 A, VALID"), Verdict::Revoked(good));
        assert_eq!(judged("NEWSIG, ERRSIG 1 22 8 00 1 9 -, NO_PUBKEY 1"), Verdict::Unknown);
        assert_eq!(judged("NEWSIG, BADSIG 1 A"), Verdict::Bad);
        assert_eq!(judged("NEWSIG, GOODSIG 1 A, BADSIG 1 A, VALID"), Verdict::Bad);
        assert_eq!(judged("NODATA 4"), Verdict::Bad);
    }

    #[test]
    fn reads_refusals() {
        let fpr = "E9F6C0FD638B34B635A94FAF712A8FE78EC21FAC";
        let untrusted = refused_recipient(&status(&format!("INV_RECP 10 {fpr}!"))).unwrap();
        assert!(matches!(untrusted, CryptoError::Untrusted(f) if f.as_str() == fpr));
        assert!(matches!(refused_recipient(&status("INV_RECP 1 x")), Some(CryptoError::Gpg(_))));
        assert!(found_no_key(&status("ERROR keylist.getkey 9")));
        assert!(!found_no_key(&status("ERROR add_keyblock_resource 33587281, ERROR keylist.getkey 9")));
        assert!(!found_no_key(b""));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = (vouches_for_decryption(&bytes), good_signatures(&bytes));
        }
    }
}
