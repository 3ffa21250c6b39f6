//! Numbers on the command line: read in all forms that [`parse_number`] reads, and told with what
//! they count.

use std::ops::RangeInclusive;

use broth::format::{parse_number, thousands};

/// Larger numbers end ranges that nobody comes to the end of.
const MOST_TO_BE_SAID: u64 = 1 << 30;

/// Reads any number that the type holds.
pub(super) fn any<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let number = parse_number(text)?;
    T::try_from(number).map_err(|_| {
        let bits = 8 * size_of::<T>();
        format!("`{text}` is too large; choose a number below 2^{bits}")
    })
}

/// Reads a number in `range`.
pub(super) fn within<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let is_inside = |number: &u64| range.contains(number);
        let number = Some(parse_number(text)?).filter(is_inside);
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| {
                let [least, most] = [range.start(), range.end()].map(|it| thousands(*it as usize));
                if *range.end() <= MOST_TO_BE_SAID {
                    format!("choose a number from {least} to {most}")
                } else if parse_number(text).is_ok_and(|number| number < *range.start()) {
                    format!("choose {least} or more")
                } else {
                    format!("choose a number up to {most}")
                }
            })
    }
}

/// Reads a number that fits into a settings file.
pub(super) fn count(text: &str) -> Result<u64, String> {
    within(0..=i64::MAX.cast_unsigned())(text)
}

/// As [`count`], from 1 up.
pub(super) fn at_least_one(text: &str) -> Result<u64, String> {
    within(1..=i64::MAX.cast_unsigned())(text)
}

/// Reads a number of threads.
pub(super) fn threads(text: &str) -> Result<u16, String> {
    within(1..=1024)(text)
}

/// So many of something.
pub(super) fn plural(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {what}{ending}", thousands(count as usize))
}

/// A share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// A number of bytes in KiB once there are that many.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        _ => format!("{} KiB", thousands(count.div_ceil(1024) as usize)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range() {
        assert_eq!(any::<u32>("1e9"), Ok(1_000_000_000));
        assert!(any::<u32>("1e10").unwrap_err().contains("below 2^32"));
        assert_eq!(within::<u16>(1..=1000)("1k"), Ok(1000));
        assert!(
            within::<u16>(1..=1000)("0")
                .unwrap_err()
                .contains("from 1 to 1,000")
        );
        assert!(
            within::<u16>(1..=1000)("1001")
                .unwrap_err()
                .contains("from 1 to 1,000")
        );
        assert!(
            within::<u64>(1..=u64::MAX)("0")
                .unwrap_err()
                .contains("choose 1 or more")
        );
        assert!(within::<u16>(1..=1000)("x").unwrap_err().contains("2^17"));
        assert_eq!(count("2^62"), Ok(1 << 62));
        assert!(count("2^63").is_err());
        assert_eq!(at_least_one("0").unwrap_err(), "choose 1 or more");
        assert!(at_least_one("2^63").unwrap_err().contains("up to 9,223,"));
        assert_eq!(threads("1k"), Ok(1000));
        assert!(threads("1025").is_err());
    }
}
