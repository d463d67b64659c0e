//! NumericDates: one moment, however its number is written (RFC 7519 §2, RFC 8259 §6).

use keybound_core::time::Timestamp;
use proptest::prelude::*;

use crate::cases;

fn read(text: &str) -> Timestamp {
    Timestamp::from_json_number(text).unwrap()
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn one_number_is_one_moment_in_every_form(
        micros in -9_000_000_000_000_000_i64..9_000_000_000_000_000,
        shift in -25..25_i32,
    ) {
        let sign = if micros < 0 { "-" } else { "" };
        let digits = micros.unsigned_abs();
        let plain = format!("{sign}{}.{:06}", digits / 1_000_000, digits % 1_000_000);
        let moment = read(&plain);
        for exponent in ["e", "E", "e+", "E+"] {
            prop_assert_eq!(read(&format!("{plain}{exponent}0")), moment);
            prop_assert_eq!(read(&format!("{plain}000{exponent}00")), moment);
        }
        prop_assert_eq!(read(&format!("{sign}{digits}e-6")), moment);
        // The point moved, and the exponent with it.
        let moved = match shift {
            0.. => format!("{sign}{digits}{}e-{}", "0".repeat(shift.unsigned_abs() as usize), 6 + shift),
            _ => {
                let all = format!("{digits:030}");
                let (whole, fraction) = all.split_at(all.len() - shift.unsigned_abs() as usize);
                let whole = whole.trim_start_matches('0');
                format!("{sign}{}.{fraction}e{}", if whole.is_empty() { "0" } else { whole }, -shift - 6)
            }
        };
        // Beyond eighteen digits the last ones are cut off.
        if digits < 100_000_000_000 || shift < 0 {
            prop_assert_eq!(read(&moved), moment, "{}", moved);
        }
        prop_assert_eq!(moment.as_seconds(), micros.div_euclid(1_000_000));
        let rounded_up = micros.div_euclid(1_000_000) + i64::from(micros.rem_euclid(1_000_000) > 0);
        prop_assert_eq!(moment.as_seconds_ceil(), rounded_up);
    }

    #[test]
    fn order_is_kept(a in -1e15..1e15_f64, b in -1e15..1e15_f64) {
        let moments = [a, b].map(|number| read(&number.to_string()));
        if a < b {
            prop_assert!(moments[0] <= moments[1]);
        }
        prop_assert_eq!(read(&format!("{a:e}")), moments[0]);
        prop_assert_eq!(Timestamp::from_seconds_f64(a).is_some(), true);
    }

    #[test]
    fn what_does_not_fit_saturates(digit in 1..10_u8, exponent in 13..1_000_000_u64) {
        let far = Timestamp::from_seconds(i64::MAX);
        let before = Timestamp::from_seconds(i64::MIN);
        let text = format!("{digit}e{exponent}");
        prop_assert_eq!(read(&text), far);
        prop_assert_eq!(read(&format!("-{text}")), before);
        prop_assert_eq!(read(&format!("{digit}e-{exponent}")), Timestamp::from_seconds(0));
        prop_assert_eq!(far.plus_seconds(i64::from(digit)), far);
        prop_assert_eq!(before.plus_seconds(-i64::from(digit)), before);
    }

    #[test]
    fn whole_seconds_are_whole_seconds(seconds in -9_000_000_000_000_i64..9_000_000_000_000, more in any::<i32>()) {
        let moment = read(&seconds.to_string());
        prop_assert_eq!(moment, Timestamp::from_seconds(seconds));
        prop_assert_eq!((moment.as_seconds(), moment.as_seconds_ceil()), (seconds, seconds));
        prop_assert_eq!(moment.plus_seconds(i64::from(more)), Timestamp::from_seconds(seconds + i64::from(more)));
    }

    #[test]
    fn text_without_digits_is_no_number(text in "[-+eE. \"a-z]{0,6}") {
        prop_assert_eq!(Timestamp::from_json_number(&text), None);
    }
}
