//! Key sets: only keys that can check signatures come out, and each under its own name.
#![no_main]

use keybound_core::{
    algorithm::Algorithm,
    json::Object,
    server::jwks::{Jwks, MAX_KEYS},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(set) = Jwks::parse(text) else { return };
    let object = Object::parse(data).expect("a set is strict JSON");
    let given = object.get("keys").and_then(|keys| keys.as_array()).expect("a set has keys");
    assert!(set.keys().len() <= given.len().min(MAX_KEYS));
    for jwk in set.keys() {
        assert!(jwk.kid().is_none_or(|kid| text.contains(kid) || text.contains('\\')));
        for algorithm in Algorithm::ALL {
            let Some(found) = set.find(jwk.kid(), algorithm) else { continue };
            assert_eq!(found.key().key_type(), algorithm.key_type());
            assert!(jwk.kid().is_none() || found.kid() == jwk.kid());
        }
    }
    assert!(set.find(Some("a name that nobody gave"), Algorithm::Es256).is_none() || text.contains("nobody"));
});
