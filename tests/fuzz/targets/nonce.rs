//! Nonces: what was not given out is never known, and what was is known in its time only. The input
//! is a time, four octets that choose secrets and window, and a text to be taken for a nonce.
#![no_main]

use keybound_core::{
    client::{NonceCache, Role},
    nonce_syntax::{MAX_NONCE_LEN, is_nonce},
    server::nonce::{MIN_SECRET_BYTES, NonceRole, NonceStatus, Nonces},
    time::Timestamp,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((time, rest)) = data.split_first_chunk::<8>() else { return };
    let Some(([first, second, window, step], text)) = rest.split_first_chunk::<4>() else { return };
    let Ok(text) = core::str::from_utf8(text) else { return };
    let now = Timestamp::from_seconds(i64::from_le_bytes(*time) % 1_000_000_000_000);
    let window = u32::from(*window).saturating_mul(7).max(1);
    let make = |secrets: &[u8], role, audience| {
        let secrets = secrets.iter().map(|octet| vec![*octet; MIN_SECRET_BYTES]).collect();
        Nonces::new(secrets, window, role, audience).expect("a policy")
    };
    let ours = make(&[*first], NonceRole::ResourceServer, "a");
    let rotated = make(&[*second, *first], NonceRole::ResourceServer, "a");
    let given = ours.current(now);
    assert!(is_nonce(&given) && given.len() == 28);
    assert_eq!(ours.check(&given, now), NonceStatus::Current);
    assert_eq!(rotated.check(&given, now), NonceStatus::Current);

    // Of another role, audience or secret.
    assert_eq!(make(&[*first], NonceRole::AuthorizationServer, "a").check(&given, now), NonceStatus::Unknown);
    assert_eq!(make(&[*first], NonceRole::ResourceServer, "a ").check(&given, now), NonceStatus::Unknown);
    if first != second {
        assert_eq!(make(&[*second], NonceRole::ResourceServer, "a").check(&given, now), NonceStatus::Unknown);
    }

    // Later: by how many windows tells. Before 1970 all windows are the first.
    let later = now.plus_seconds(i64::from(*step).saturating_mul(i64::from(window)));
    let windows = |moment: Timestamp| (moment.as_seconds() / i64::from(window)).max(0) & ((1 << 40) - 1);
    let age = windows(later) - windows(now);
    let expected = match age {
        0 => NonceStatus::Current,
        1 => NonceStatus::Previous,
        _ => NonceStatus::Stale,
    };
    assert_eq!(ours.check(&given, later), expected, "{age}");

    // A text from outside.
    if !text.starts_with(&given) {
        assert_eq!(ours.check(text, now), NonceStatus::Unknown, "forged");
    }
    let strange = text.is_empty() || text.len() > MAX_NONCE_LEN || !text.bytes().all(|o| matches!(o, b'!'..=b'~'));
    assert_eq!(is_nonce(text), !strange && !text.contains(['"', '\\']));

    // The client's memory of it.
    let mut cache = NonceCache::new(usize::from(*step % 4));
    cache.set(Role::ResourceServer, text, &given);
    cache.set(Role::ResourceServer, "https://rs.example", text);
    let kept = cache.get(Role::ResourceServer, "https://rs.example");
    assert!(if is_nonce(text) { kept == Some(text) } else { kept.is_none_or(is_nonce) });
    assert!(cache.get(Role::AuthorizationServer, text).is_none());
});
