//! How long an issuer's documents serve: whatever an answer says, within our bounds; and saying less
//! never makes it longer. The input is `Cache-Control`, `Age` and `Expires`, a line each.
#![no_main]

use keybound_core::server::freshness::{Freshness, ResponseFields};
use libfuzzer_sys::fuzz_target;

const DATE: i64 = 1_780_000_000;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let mut next = || lines.next().filter(|line| !line.is_empty());
    let (cache_control, age, expires) = (next(), next(), next());
    let expires = expires.map(|seconds| seconds.parse().unwrap_or(0));
    let fields = ResponseFields { cache_control, age, expires, date: DATE };
    let (keys, metadata) = (Freshness::of_keys(&fields), Freshness::of_metadata(&fields));
    assert!((60..=86_400).contains(&keys.fresh) && (300..=3600).contains(&keys.stale));
    assert!((600..=3600).contains(&metadata.fresh) && metadata.stale == 0);

    // An answer that has been in another cache serves no longer than a new one.
    let new = Freshness::of_keys(&ResponseFields { age: None, ..fields });
    assert!(keys.fresh <= new.fresh && keys.stale == new.stale);
    // One that must not be kept at all is fetched anew each minute, unless that stands within quotes.
    let said = cache_control.unwrap_or("");
    if !said.contains('"') {
        let never = format!("{said}, no-store");
        let never = Freshness::of_keys(&ResponseFields { cache_control: Some(&never), ..fields });
        assert_eq!(never, Freshness { fresh: 60, stale: 300 });
        let short = format!("{said}, max-age=0, s-maxage=0");
        let short = Freshness::of_keys(&ResponseFields { cache_control: Some(&short), ..fields });
        assert_eq!(short, Freshness { fresh: 60, ..keys });
    }
});
