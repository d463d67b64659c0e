//! Moments and spans in microseconds, read from JSON numbers without floating point.

/// A moment: microseconds since 1970-01-01T00:00:00Z, saturating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS: i64 = 1_000_000;

impl Timestamp {
    /// A moment from whole seconds; far values saturate.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS))
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
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS)))
    }

    /// Reads a NumericDate (RFC 7519 §2): the text of a JSON number, which may be fractional or in
    /// exponent form. Values beyond what fits (9e18, 1e400) saturate; digits below a microsecond
    /// are cut off. The text must be a JSON number; anything else gives `None`.
    #[must_use]
    pub fn from_json_number(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(at) => (digits.get(..at)?, parse_exponent(digits.get(at.checked_add(1)?..)?)?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() {
            return None;
        }
        // The value is `sum * 10^(power - 6)`; digits beyond the first eighteen only shift.
        let mut sum: i64 = 0;
        let mut power: i64 = exponent.saturating_add(6);
        for (octet, fractional) in whole.bytes().map(|o| (o, false)).chain(fraction.bytes().map(|o| (o, true))) {
            let digit = octet.checked_sub(b'0').filter(|digit| *digit < 10)?;
            if sum < 100_000_000_000_000_000 {
                sum = sum.saturating_mul(10).saturating_add(i64::from(digit));
                if fractional {
                    power = power.saturating_sub(1);
                }
            } else if !fractional {
                power = power.saturating_add(1);
            }
        }
        let micros = scale(sum, power);
        Some(Self(match (negative, micros) {
            (true, i64::MAX) => i64::MIN,
            (true, micros) => micros.saturating_neg(),
            (false, micros) => micros,
        }))
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for octet in digits.bytes() {
        let digit = octet.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value = value.saturating_mul(10).saturating_add(i64::from(digit)).min(1_000_000);
    }
    Some(if negative { value.saturating_neg() } else { value })
}

/// `sum * 10^power`, saturating, rounded toward zero.
fn scale(sum: i64, power: i64) -> i64 {
    if sum == 0 {
        return 0;
    }
    let steps = power.unsigned_abs().min(64);
    let mut value = sum;
    for _ in 0..steps {
        value = if power < 0 { value.checked_div(10).unwrap_or(0) } else { value.saturating_mul(10) };
    }
    value
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
