//! Numbers as people read and write them.

/// A number with separators between thousands: `131,072`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as pairs of hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How to mend a count that is 0, or larger than settings files hold; nothing if it is neither.
pub(crate) fn outside_counts(count: u64) -> Option<String> {
    let most = i64::MAX.cast_unsigned();
    match count {
        0 => Some("choose 1 or more".into()),
        _ if count > most => Some(format!("choose at most {}", thousands(most as usize))),
        _ => None,
    }
}

/// How whole numbers may be written.
const FORMS: &str = "write a whole number as 131072, 131,072, 131k (k = 1,000), 1e6, 2^17 or 0x1d";

/// Why a text is not a whole number below 2^64.
enum Wrong {
    Unreadable,
    Fraction,
    TooLarge,
}

/// Read a whole number: `131072`, `131,072`, `131_072`, `131k`, `1.5M`, `1e6`, `2^17` or `0x1d`.
/// The letters k, M, G and T stand for powers of 1,000.
///
/// The error says what is wrong, and how numbers may be written.
pub fn parse_number(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let number = if let Some(digits) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        hexadecimal(digits)
    } else if let Some((base, exponent)) = text.split_once('^') {
        power(base, exponent)
    } else {
        decimal(text)
    };
    number.map_err(|wrong| match wrong {
        Wrong::Unreadable if text.is_empty() => format!("a number is missing; {FORMS}"),
        Wrong::Unreadable if text.starts_with('-') => {
            format!("`{text}` is not a number from 0 up; {FORMS}")
        }
        Wrong::Unreadable => format!("`{text}` is not a number; {FORMS}"),
        Wrong::Fraction => format!("`{text}` is a fraction; {FORMS}"),
        Wrong::TooLarge => format!("`{text}` is too large; choose a number below 2^64"),
    })
}

/// Decimal digits without their separators: underscores between digits, or commas between
/// thousands.
fn digits(text: &str) -> Result<String, Wrong> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let are_thousands = text.split(',').enumerate().all(|(i, group)| {
        let is_long_enough = if i == 0 {
            group.len() <= 3
        } else {
            group.len() == 3
        };
        is_long_enough && is_number(group)
    });
    let is_separated = text.split('_').all(is_number);
    if are_thousands || is_separated {
        Ok(text.replace(['_', ','], ""))
    } else {
        Err(Wrong::Unreadable)
    }
}

fn hexadecimal(text: &str) -> Result<u64, Wrong> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_hexdigit());
    if !text.split('_').all(is_number) {
        return Err(Wrong::Unreadable);
    }
    u64::from_str_radix(&text.replace('_', ""), 16).map_err(|_| Wrong::TooLarge)
}

fn power(base: &str, exponent: &str) -> Result<u64, Wrong> {
    let base: u64 = digits(base)?.parse().map_err(|_| Wrong::TooLarge)?;
    let exponent: u32 = digits(exponent)?.parse().map_err(|_| Wrong::TooLarge)?;
    base.checked_pow(exponent).ok_or(Wrong::TooLarge)
}

fn decimal(text: &str) -> Result<u64, Wrong> {
    let suffixes = [
        (['k', 'K'], 3),
        (['m', 'M'], 6),
        (['g', 'G'], 9),
        (['t', 'T'], 12),
    ];
    let suffix = suffixes
        .iter()
        .find_map(|(letters, tens)| Some((text.strip_suffix(letters)?, *tens)));
    let (mantissa, tens) = match (suffix, text.split_once(['e', 'E'])) {
        (Some((mantissa, tens)), _) => (mantissa, tens),
        (None, Some((mantissa, exponent))) => {
            let exponent = digits(exponent.strip_prefix('+').unwrap_or(exponent))?;
            (mantissa, exponent.parse().map_err(|_| Wrong::TooLarge)?)
        }
        (None, None) => (text, 0_u32),
    };
    let mantissa = mantissa.strip_prefix('+').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (digits(whole)?, digits(fraction)?),
        None => (digits(mantissa)?, String::new()),
    };
    let fraction = fraction.trim_end_matches('0');
    let all = whole + fraction;
    let number: u128 = match all.trim_start_matches('0') {
        "" => return Ok(0),
        all => all.parse().map_err(|_| Wrong::TooLarge)?,
    };
    let tens = tens
        .checked_sub(fraction.len() as u32)
        .ok_or(Wrong::Fraction)?;
    10_u128
        .checked_pow(tens)
        .and_then(|scale| number.checked_mul(scale))
        .and_then(|number| u64::try_from(number).ok())
        .ok_or(Wrong::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(131_072), "131,072");
    }

    #[test]
    fn counts_begin_with_one_and_end_where_settings_files_do() {
        assert_eq!(outside_counts(0).unwrap(), "choose 1 or more");
        assert_eq!(outside_counts(1), None);
        assert_eq!(outside_counts((1 << 63) - 1), None);
        let most = outside_counts(1 << 63).unwrap();
        assert_eq!(most, "choose at most 9,223,372,036,854,775,807");
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, number) in [
            ("0", 0),
            ("007", 7),
            ("+5", 5),
            ("131072", 131_072),
            ("131,072", 131_072),
            ("1,131,072", 1_131_072),
            ("131_072", 131_072),
            ("1_3_1072", 131_072),
            ("131k", 131_000),
            ("131K", 131_000),
            ("1.5k", 1500),
            ("0.5M", 500_000),
            ("1,500k", 1_500_000),
            ("2G", 2_000_000_000),
            ("3T", 3_000_000_000_000),
            ("1e6", 1_000_000),
            ("1E+6", 1_000_000),
            ("1.25e2", 125),
            ("1.0", 1),
            ("0e99", 0),
            ("2^17", 131_072),
            ("10^6", 1_000_000),
            ("7^0", 1),
            ("2^63", 1 << 63),
            ("0x1d", 29),
            ("0X1D", 29),
            ("0xffff_ffff_ffff_ffff", u64::MAX),
            ("18446744073709551615", u64::MAX),
            (" 29 ", 29),
        ] {
            assert_eq!(parse_number(text), Ok(number), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_answered_with_how_to_write_one() {
        for (text, problem) in [
            ("", "is missing"),
            ("  ", "is missing"),
            ("-5", "from 0 up"),
            ("-1k", "from 0 up"),
            ("abc", "is not a number"),
            ("k", "is not a number"),
            ("1kk", "is not a number"),
            ("1e6k", "is not a number"),
            ("1e", "is not a number"),
            ("1e-3", "is not a number"),
            ("1,5", "is not a number"),
            ("1234,567", "is not a number"),
            ("131,0720", "is not a number"),
            ("1_", "is not a number"),
            ("_1", "is not a number"),
            ("1__0", "is not a number"),
            ("1_000,000", "is not a number"),
            ("0x", "is not a number"),
            ("0xg", "is not a number"),
            ("2^", "is not a number"),
            ("2^-1", "is not a number"),
            (".5k", "is not a number"),
            ("5.", "is not a number"),
            ("1 000", "is not a number"),
            ("1.5", "is a fraction"),
            ("1.2345k", "is a fraction"),
            ("nan", "is not a number"),
            ("inf", "is not a number"),
        ] {
            let error = parse_number(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
            for form in ["131k", "1e6", "2^17", "131,072", "0x1d"] {
                assert!(error.contains(form), "{text}: {error}");
            }
        }
        for text in [
            "18446744073709551616",
            "2^64",
            "0x1_0000_0000_0000_0000",
            "1e20",
            "1e99",
            "1e999999999999",
            "99999999T",
            "9999999999999999999999999999999999999999999",
        ] {
            let error = parse_number(text).unwrap_err();
            assert!(
                error.contains("is too large; choose a number below 2^64"),
                "{error}"
            );
        }
    }
}
