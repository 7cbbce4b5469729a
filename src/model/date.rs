//! Days and moments as people write them into entries.

use super::key::start_of_day;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// Returns the second (since 1970) from which on what ends then has ended: a day (`YYYY-MM-DD`, UTC) is over with its
/// last second, a moment (RFC 3339, section 5.6) when it comes. None for another text.
pub fn end(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let start = start_of_day(date)?;
    if rest.is_empty() {
        return Some(start + DAY);
    }
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = time.split_at_checked(8)?;
    let seconds = clock_seconds(clock)?;
    // Parts of a second do not matter here.
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    Some(start + seconds - offset(zone)?)
}

/// Returns a moment (in seconds since 1970) as RFC 3339 has it, in UTC.
pub fn moment(when: i64) -> String {
    let second = when.rem_euclid(DAY);
    let (hours, minutes) = (second / 3600, second / 60 % 60);
    format!("{}T{hours:02}:{minutes:02}:{:02}Z", super::key::day(when), second % 60)
}

/// Returns the seconds of `HH:MM:SS`; the last minute of a day may have a leap second.
fn clock_seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(two_digits);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    (parts.next().is_none() && hours < 24 && minutes < 60 && seconds <= 60)
        .then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Returns how many seconds a zone is ahead of UTC: `Z`, `+HH:MM`, `-HH:MM`.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn two_digits(text: &str) -> Option<i64> {
    let right = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| text.parse().expect("two digits are a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_itself_and_a_moment_when_it_comes() {
        for (text, wanted) in [
            ("1970-01-01", DAY),
            ("2000-02-29", 951_782_400 + DAY),
            ("1970-01-01T00:00:10Z", 10),
            ("1970-01-01t01:00:00.25+01:00", 0),
            ("1970-01-01 00:00:00-00:30", 1800),
        ] {
            assert_eq!(end(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "soon",
            "2026-1-1",
            "2026-02-30",
            "01.02.2026",
            "2026-01-01T",
            "2026-01-01T12:00:00",
            "2026-01-01T24:00:00Z",
            "2026-01-01T12:00Z",
            "2026-01-01T12:00:00+1:00",
            "2026-01-01Z",
            "2026-01-0\u{e9}",
        ] {
            assert_eq!(end(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_texts_do_no_harm(text: String) {
            end(&text);
        }

        #[test]
        fn a_moment_is_read_back(when in 0..4_102_444_800_i64) {
            assert_eq!(end(&moment(when)), Some(when));
        }
    }
}
