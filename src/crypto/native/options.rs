//! Which gpg.conf leaves encryption and decryption as they are without any: then ours give what gpg's would.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Options that change neither who can read what is encrypted and how, nor whether and how it is decrypted,
/// given what we always ask of gpg: fingerprints as recipients, `--no-encrypt-to`, no compression, binary
/// output, and trust as accepted by a person. Everything that is not here counts as a reason to leave the
/// work to gpg: options of other versions, abbreviations, and what nobody has thought of.
const HARMLESS: &[&str] = &[
    // Whom to take for a name, and where to find keys: all are named by fingerprint and present.
    "auto-key-import",
    "auto-key-locate",
    "auto-key-retrieve",
    "group",
    "include-key-block",
    "keyring",
    "keyserver",
    "keyserver-options",
    "no-auto-key-import",
    "no-auto-key-locate",
    "no-auto-key-retrieve",
    "no-default-keyring",
    "no-include-key-block",
    "primary-keyring",
    // Taken back by `--no-encrypt-to`, or without effect where recipients are named.
    "default-recipient",
    "default-recipient-self",
    "encrypt-to",
    "hidden-encrypt-to",
    "no-default-recipient",
    "no-encrypt-to",
    // Signatures, certifications and trust; what they make of a key is in gpg's listing, which we follow.
    "always-trust",
    "ask-cert-expire",
    "ask-cert-level",
    "auto-check-trustdb",
    "cert-digest-algo",
    "cert-notation",
    "cert-policy-url",
    "completes-needed",
    "default-cert-level",
    "default-key",
    "default-new-key-algo",
    "default-preference-list",
    "default-sig-expire",
    "local-user",
    "marginals-needed",
    "max-cert-depth",
    "min-cert-level",
    "no-ask-cert-expire",
    "no-ask-cert-level",
    "no-auto-check-trustdb",
    "personal-digest-preferences",
    "require-cross-certification",
    "sender",
    "set-notation",
    "sig-keyserver-url",
    "sig-notation",
    "sig-policy-url",
    "tofu-default-policy",
    "trust-model",
    "trusted-key",
    "weak-digest",
    // Compression, which pass switches off, and passphrases that are no recipients.
    "bzip2-compress-level",
    "compress-algo",
    "compress-level",
    "personal-compress-preferences",
    "s2k-cipher-algo",
    "s2k-count",
    "s2k-digest-algo",
    "s2k-mode",
    // What is shown, asked, or written into armour.
    "batch",
    "charset",
    "comment",
    "display-charset",
    "emit-version",
    "expert",
    "fixed-list-mode",
    "import-options",
    "keyid-format",
    "list-options",
    "lock-multiple",
    "lock-once",
    "no-comments",
    "no-emit-version",
    "no-greeting",
    "no-permission-warning",
    "no-random-seed-file",
    "no-secmem-warning",
    "no-symkey-cache",
    "no-tty",
    "no-utf8-strings",
    "no-verbose",
    "photo-viewer",
    "quiet",
    "show-photos",
    "use-agent",
    "utf8-strings",
    "verbose",
    "verify-options",
    "with-fingerprint",
    "with-key-origin",
    "with-keygrip",
    "with-subkey-fingerprint",
];

/// Whether every gpg.conf in these folders is without consequence. Files of other versions count too
/// (`gpg.conf-2.2`): which of them gpg reads depends on which it is.
pub fn are_harmless(folders: &[&Path]) -> bool {
    folders.iter().all(|folder| files_are_harmless(folder).unwrap_or(false))
}

/// Whether gpg would say nothing of its own when it decrypts, with the home folder `home`: it is not made to
/// tell more, and does not warn of others who can reach its files.
pub fn say_nothing(home: &Path) -> bool {
    let is_private = fs::metadata(home)
        .is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0);
    let text = fs::read(home.join("gpg.conf")).unwrap_or_default();
    let is_verbose = |line: &str| line.trim_start().starts_with("verbose");
    is_private && !String::from_utf8_lossy(&text).lines().any(is_verbose)
}

/// Whether every gpg.conf in a folder is without consequence.
fn files_are_harmless(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(b"gpg.conf")
            && !is_harmless(&String::from_utf8_lossy(&fs::read(entry.path())?))
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the text of a gpg.conf is without consequence.
fn is_harmless(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((line, ""))).all(
        |(name, value)| match name {
            // We take AES-256 where all recipients prefer it, and so does gpg, then.
            "personal-cipher-preferences" => {
                let first = value.split([' ', '\t', ',']).find(|word| !word.is_empty());
                first.is_some_and(|first| {
                    first.eq_ignore_ascii_case("AES256") || first.eq_ignore_ascii_case("S9")
                })
            }
            _ => HARMLESS.contains(&name),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_changes_nothing() {
        for text in [
            "",
            "# armor\n\n  no-greeting\nkeyid-format 0xlong\r\n",
            "default-key A\nencrypt-to B\ngroup us = a b",
            "personal-cipher-preferences AES256 AES192 AES",
            "personal-cipher-preferences\ts9, s8",
        ] {
            assert!(is_harmless(text), "{text}");
        }
        for text in [
            "armor",
            "no-greeting\nthrow-keyids",
            "--armor",
            "a",
            "hidden-recipient x",
            "cipher-algo AES",
            "personal-cipher-preferences AES AES256",
            "personal-cipher-preferences",
            "disable-cipher-algo AES256",
            "rfc2440",
            "pinentry-mode loopback",
            "Armor",
            "[+always] armor",
        ] {
            assert!(!is_harmless(text), "{text}");
        }
    }

    #[test]
    fn looks_at_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let (there, gone) = (folder.path(), folder.path().join("gone"));
        assert!(are_harmless(&[there, &gone]));
        fs::write(there.join("gpg.conf"), "quiet").unwrap();
        assert!(are_harmless(&[there]));
        fs::write(there.join("gpg.conf-2"), "armor").unwrap();
        assert!(!are_harmless(&[&gone, there]));
        fs::remove_file(there.join("gpg.conf-2")).unwrap();
        fs::create_dir(there.join("gpg.conf-3")).unwrap();
        assert!(!are_harmless(&[there]));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text: String) {
            let _ = is_harmless(&text);
        }
    }
}
