//! Public keys: one key has one spelling and one thumbprint, and no key makes a signature check panic.
#![no_main]

use keybound_core::{
    algorithm::Algorithm,
    key::PublicKey,
    signature::{SignatureCheck, SignatureVerifier},
};
use keybound_rustcrypto::RustCrypto;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(key) = PublicKey::from_jwk(text) else { return };
    let jwk = key.to_jwk();
    assert_eq!(PublicKey::from_jwk(&jwk).as_ref(), Ok(&key));
    assert_eq!(PublicKey::from_parts(key.parts()).as_ref(), Ok(&key));
    // RFC 7638 §3: the hash of exactly that text.
    assert_eq!(key.thumbprint().as_bytes()[..], Sha256::digest(jwk.as_bytes())[..]);
    let given: serde_json::Value = serde_json::from_str(text).expect("strict JSON is JSON");
    for (name, value) in serde_json::from_str::<serde_json::Map<_, _>>(&jwk).expect("our own text") {
        assert_eq!(given.get(&name), Some(&value), "{name}");
    }
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(given.get(name).is_none(), "private member {name}");
    }
    // A signature of the algorithm's length, and one of another.
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.key_type() == key.key_type()) {
        for len in [key.signature_len(algorithm), 3] {
            let signature: Vec<u8> = data.iter().copied().cycle().take(len).collect();
            let check = SignatureCheck { algorithm, key: &key, message: b"message", signature: &signature };
            assert!(RustCrypto.verify(check).is_err(), "nobody signed this");
        }
    }
});
