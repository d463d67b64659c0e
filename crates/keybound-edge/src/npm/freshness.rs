//! How long an issuer's documents serve.

use alloc::{string::String, vec::Vec};

use keybound_core::{
    server::freshness::{Freshness, ResponseFields},
    time::Timestamp,
};
use wasm_bindgen::prelude::*;

/// Seconds for which a key set, or metadata, is fresh, and for which it then serves stale. Dates are in
/// seconds since the epoch; one that is not there is NaN, and `expires` 0 if it is no date.
#[wasm_bindgen]
pub fn freshness(
    metadata: bool,
    cache_control: Option<String>,
    age: Option<String>,
    expires: f64,
    date: f64,
) -> Vec<u32> {
    let seconds = |value| Timestamp::from_seconds_f64(value).map(|time| time.as_seconds());
    let fields = ResponseFields {
        cache_control: cache_control.as_deref(),
        age: age.as_deref(),
        expires: seconds(expires),
        date: seconds(date).unwrap_or(0),
    };
    let freshness = if metadata { Freshness::of_metadata(&fields) } else { Freshness::of_keys(&fields) };
    [freshness.fresh, freshness.stale].into()
}
