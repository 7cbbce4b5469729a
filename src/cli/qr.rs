//! QR codes in the terminal, drawn as `qrencode -t utf8` draws them.

use qrcode::types::QrError as EncodeError;
use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// Light modules around the code, on every side, as the standard asks (ISO/IEC 18004, 6.3.8).
const MARGIN: usize = 4;

/// Why a secret has no QR code.
#[derive(Debug, thiserror::Error)]
pub enum QrError {
    /// More than the largest code holds.
    #[error("{0} bytes are too many for a QR code, which holds at most 2953")]
    TooLong(usize),
    /// The encoder refused for another reason.
    #[error("cannot draw a QR code")]
    Encode(#[source] EncodeError),
}

/// Returns `secret` as a QR code of the lowest error correction (qrencode's default): lines of half blocks,
/// two rows of modules in each, every line ended by a line break.
///
/// Light modules are drawn, dark ones left blank, as suits a dark terminal. The text is the secret, in other
/// letters: it wipes itself. (The encoder's own buffers do not; they are freed before this returns.)
pub fn draw(secret: &[u8]) -> Result<Zeroizing<String>, QrError> {
    let code = QrCode::with_error_correction_level(secret, EcLevel::L).map_err(|error| match error {
        EncodeError::DataTooLong => QrError::TooLong(secret.len()),
        other => QrError::Encode(other),
    })?;
    let side = code.width();
    let modules = Zeroizing::new(code.to_colors().iter().map(|c| *c == Color::Dark).collect::<Vec<bool>>());
    // Rows and columns count from the margin's corner; all beyond the code is light.
    let is_dark = |row: usize, column: usize| {
        let (row, column) = (row.wrapping_sub(MARGIN), column.wrapping_sub(MARGIN));
        row < side && column < side && modules[row * side + column]
    };
    let whole = side + 2 * MARGIN;
    // As large as it can get (3 bytes a block): growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity((whole * 3 + 1) * whole.div_ceil(2)));
    for row in (0..whole).step_by(2) {
        text.extend((0..whole).map(|column| block(is_dark(row, column), is_dark(row + 1, column))));
        text.push('\n');
    }
    Ok(text)
}

/// Returns the character for two modules, one above the other.
fn block(upper_dark: bool, lower_dark: bool) -> char {
    match (upper_dark, lower_dark) {
        (false, false) => '█',
        (false, true) => '▀',
        (true, false) => '▄',
        (true, true) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    /// Runs a tool with `input`; a missing tool fails the test.
    fn run(tool: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = Command::new(tool);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{tool} is needed: {error}"));
        child.stdin.take().expect("piped").write_all(input).expect("read by the tool");
        child.wait_with_output().expect("the tool ends").stdout
    }

    /// Turns what was drawn into a picture (PBM, 3 pixels a module; 1 is black) and has zbar read it.
    fn read_back(drawn: &str) -> Vec<u8> {
        let mut rows = Vec::new();
        for line in drawn.lines() {
            let row = |upper: bool| -> Vec<u8> {
                let dark = |c| matches!((c, upper), (' ', _) | ('▀', false) | ('▄', true));
                line.chars().flat_map(|c| [if dark(c) { b'1' } else { b'0' }; 3]).collect()
            };
            rows.extend([row(true), row(true), row(true), row(false), row(false), row(false)]);
        }
        let head = format!("P1\n{} {}\n", rows[0].len(), rows.len()).into_bytes();
        let file = tempfile::NamedTempFile::with_suffix(".pbm").expect("made");
        file.as_file().write_all(&[head, rows.join(&b'\n'), b"\n".to_vec()].concat()).expect("written");
        let path = file.path().to_str().expect("utf-8");
        run("zbarimg", &["--raw", "--oneshot", "-q", "-Sbinary", path], b"")
    }

    #[test]
    fn is_read_back_as_it_was() {
        let long = "x7~".repeat(600);
        let cases: [&[u8]; 6] = [
            b"a",
            b"hunter2",
            b"0123456789",
            b"HELLO WORLD",
            "p\u{e4}ss w\u{f6}rd \u{1f511}".as_bytes(),
            long.as_bytes(),
        ];
        for secret in cases {
            let drawn = draw(secret).expect("short enough");
            assert_eq!(read_back(&drawn), secret, "\n{}", *drawn);
        }
    }

    #[test]
    fn looks_as_qrencodes() {
        let mut same = 0;
        let cases: [&[u8]; 4] = [b"a", b"hunter2", b"0123456789", b"correct horse battery staple"];
        for secret in cases {
            let drawn = draw(secret).expect("short enough");
            let theirs = run("qrencode", &["-t", "utf8"], secret);
            let theirs = String::from_utf8(theirs).expect("utf-8");
            // The mask may differ, the shape may not.
            let shape = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
            assert_eq!(shape(&drawn), shape(&theirs));
            assert_eq!(drawn.lines().next(), theirs.lines().next());
            assert_eq!(drawn.lines().last(), theirs.lines().last());
            assert_eq!(drawn.ends_with('\n'), theirs.ends_with('\n'));
            same += usize::from(*drawn == theirs);
        }
        assert!(same > 0, "not one is the same to the letter");
        println!("{same} of {} are the same to the letter", cases.len());
    }

    #[test]
    fn refuses_what_no_code_holds() {
        assert!(draw(&[b'x'; 2953]).is_ok());
        let refused = draw(&[b'x'; 2954]).expect_err("too long");
        assert_eq!(refused.to_string(), "2954 bytes are too many for a QR code, which holds at most 2953");
    }
}
