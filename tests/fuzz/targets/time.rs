//! Dates: a JSON number is a moment, whatever its form, and exactly those of few digits are exact.
#![no_main]

use keybound_core::{json::Object, time::Timestamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let read = Timestamp::from_json_number(text);
    let json = format!("{{\"n\":{text}}}");
    let number = Object::parse(json.as_bytes()).ok();
    let number = number.as_ref().filter(|object| object.len() == 1);
    let is_number = number.and_then(|object| object.get("n")).is_some_and(|value| value.as_number() == Some(text));
    if is_number {
        let read = read.expect("every JSON number is a moment");
        let float: f64 = text.parse().expect("a JSON number");
        let seconds = read.as_seconds();
        // The largest moment is about 9.2e12 seconds away.
        if float.abs() < 9e12 {
            assert!((seconds as f64 - float).abs() <= 1.001, "{text}: {seconds}");
            assert!((read.as_seconds_ceil() - seconds) <= 1);
        } else {
            assert!(seconds.unsigned_abs() >= 8_999_999_999_999, "{text}: {seconds}");
            assert_eq!(seconds < 0, float < 0.0);
        }
        if let Ok(whole) = text.parse::<i32>() {
            assert_eq!(read, Timestamp::from_seconds(i64::from(whole)));
            assert_eq!(read.plus_seconds(i64::from(whole)), Timestamp::from_seconds(i64::from(whole) * 2));
        }
    }
    if let Ok(float) = text.trim().parse::<f64>() {
        let moment = Timestamp::from_seconds_f64(float);
        assert_eq!(moment.is_some(), float.is_finite());
    }
});
