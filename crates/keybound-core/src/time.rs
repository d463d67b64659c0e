//! Moments and spans in microseconds, read from JSON numbers without floating point.

/// A moment: microseconds since 1970-01-01T00:00:00Z, saturating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS: i64 = 1_000_000;

impl Timestamp {
    /// A moment from whole seconds; far values saturate.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(micros(seconds))
    }

    /// A moment from fractional seconds, as JavaScript clocks give them. `None` if it is no finite number.
    #[must_use]
    pub fn from_seconds_f64(seconds: f64) -> Option<Self> {
        // Float-to-integer casts saturate.
        #[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
        let micros = (seconds * 1e6) as i64;
        seconds.is_finite().then_some(Self(micros))
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// Whole seconds, rounded up.
    #[must_use]
    pub const fn as_seconds_ceil(self) -> i64 {
        self.0.saturating_add(999_999).div_euclid(MICROS)
    }

    /// This moment and so many seconds more (or fewer); saturating.
    #[must_use]
    #[inline(never)]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(micros(seconds)))
    }

    /// Reads a NumericDate (RFC 7519 §2): the text of a JSON number, which may be fractional or in
    /// exponent form. Values beyond what fits (9e18, 1e400) saturate; digits below a microsecond
    /// are cut off. The text must be a JSON number; anything else gives `None`.
    #[must_use]
    pub fn from_json_number(text: &str) -> Option<Self> {
        let (negative, mut octets) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            octets => (false, octets),
        };
        // The value is `sum * 10^(power - 6)`; digits beyond the first eighteen only shift.
        let (mut sum, mut power, mut digits, mut fractional) = (0_i64, 6_i32, false, false);
        while let [octet, rest @ ..] = octets {
            octets = rest;
            match octet {
                b'0'..=b'9' => {
                    digits = true;
                    if sum < 100_000_000_000_000_000 {
                        sum = sum.wrapping_mul(10).wrapping_add(i64::from(octet & 15));
                        power = power.saturating_sub(i32::from(fractional));
                    } else {
                        power = power.saturating_add(i32::from(!fractional));
                    }
                }
                b'.' if digits && !fractional => fractional = true,
                b'e' | b'E' => {
                    power = power.saturating_add(parse_exponent(rest)?);
                    break;
                }
                _ => return None,
            }
        }
        let micros = scale(sum, power);
        let micros = match (negative, micros) {
            (true, i64::MAX) => i64::MIN,
            (true, micros) => micros.wrapping_neg(),
            (false, micros) => micros,
        };
        digits.then_some(Self(micros))
    }
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        digits => (false, digits),
    };
    let mut value = None;
    for octet in digits {
        let digit = octet.is_ascii_digit().then_some(i32::from(octet & 15))?;
        // Far beyond what any sum needs, and far below what overflows.
        value = Some(value.unwrap_or(0_i32).wrapping_mul(10).wrapping_add(digit).min(1_000_000));
    }
    value.map(|value| if negative { value.wrapping_neg() } else { value })
}

/// `sum * 10^power` of a sum that is not negative, saturating, rounded toward zero.
fn scale(sum: i64, power: i32) -> i64 {
    let mut value = sum;
    for _ in 0..power.unsigned_abs().min(64) {
        value = match value {
            _ if power < 0 => value / 10,
            0..=MOST_TENTHS => value.wrapping_mul(10),
            _ => i64::MAX,
        };
    }
    value
}

/// More than this times ten saturates.
const MOST_TENTHS: i64 = i64::MAX / 10;

/// Microseconds, saturating. On its own, and not where it is needed: a product that saturates is long in WebAssembly.
#[inline(never)]
const fn micros(seconds: i64) -> i64 {
    const MOST: i64 = i64::MAX / MICROS;
    match seconds {
        ..=-1 if seconds < -MOST => i64::MIN,
        ..=MOST => seconds.wrapping_mul(MICROS),
        _ => i64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        Timestamp::from_json_number(text).map(|moment| moment.0)
    }

    #[test]
    fn numeric_dates_come_in_every_form_of_a_json_number() {
        assert_eq!(micros("1780000000"), Some(1_780_000_000_000_000));
        assert_eq!(micros("1780000000.25"), Some(1_780_000_000_250_000));
        assert_eq!(micros("1.78e9"), Some(1_780_000_000_000_000));
        assert_eq!(micros("178E+7"), Some(1_780_000_000_000_000));
        assert_eq!(micros("17800000000e-1"), Some(1_780_000_000_000_000));
        assert_eq!(micros("-1.5"), Some(-1_500_000));
        assert_eq!(micros("0"), Some(0));
        assert_eq!(micros("0.0000001"), Some(0));
        assert_eq!(micros("1e-400"), Some(0));
        assert_eq!(micros("0e999999999999999999999"), Some(0));
    }

    #[test]
    fn far_values_saturate() {
        assert_eq!(micros("9e18"), Some(i64::MAX));
        assert_eq!(micros("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(micros("1e400"), Some(i64::MAX));
        assert_eq!(micros("-1e99999999999999999999"), Some(i64::MIN));
        let long = alloc::format!("{}.0", "9".repeat(5000));
        assert_eq!(micros(&long), Some(i64::MAX));
        let tiny = alloc::format!("0.{}1", "0".repeat(5000));
        assert_eq!(micros(&tiny), Some(0));
        let shifted = alloc::format!("{}e-4990", "1".repeat(5000));
        assert_eq!(micros(&shifted), Some(1_111_111_111_111_111));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".5", "e5", "1e", "1e+", "abc", "NaN", "1_000"] {
            assert_eq!(micros(text), None, "{text:?}");
        }
    }

    #[test]
    fn seconds_round_as_named() {
        assert_eq!(Timestamp::from_json_number("1.5").unwrap().as_seconds(), 1);
        assert_eq!(Timestamp::from_json_number("1.5").unwrap().as_seconds_ceil(), 2);
        assert_eq!(Timestamp::from_seconds(2).as_seconds_ceil(), 2);
        assert_eq!(Timestamp::from_json_number("-1.5").unwrap().as_seconds(), -2);
        assert_eq!(Timestamp::from_seconds_f64(1.25).unwrap().0, 1_250_000);
        assert!(Timestamp::from_seconds_f64(f64::NAN).is_none());
    }
}
