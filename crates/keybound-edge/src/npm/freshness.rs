//! How long an issuer's documents serve.

use alloc::string::String;

use keybound_core::{
    server::freshness::{Freshness, ResponseFields},
    time::Timestamp,
};

use super::{
    desk::{Desk, some},
    tables,
};

/// Seconds for which a key set, or metadata, is fresh, and for which it then serves stale. The texts: `Cache-Control`
/// and `Age`. Dates are in seconds since the epoch; one that is not there is NaN, and `expires` 0 if it is no date.
#[unsafe(no_mangle)]
extern "C" fn freshness(desk: &mut Desk, len: usize, metadata: bool, expires: f64, date: f64) {
    let seconds = |value| Timestamp::from_seconds_f64(value).map(|time| time.as_seconds());
    let [cache_control, age] = desk.texts(len).unwrap_or_default();
    let fields = ResponseFields {
        cache_control: some(cache_control),
        age: some(age),
        expires: seconds(expires),
        date: seconds(date).unwrap_or(0),
    };
    let freshness = if metadata { Freshness::of_metadata(&fields) } else { Freshness::of_keys(&fields) };
    let mut out = String::new();
    tables::push_number(u64::from(freshness.fresh), &mut out);
    out.push(' ');
    tables::push_number(u64::from(freshness.stale), &mut out);
    desk.output = out;
}
