//! Where implementations of Ed25519 differ: points of small order (RFC 8032 §5.1.7, RFC 8725 §3.4).

use keybound_core::{
    algorithm::Algorithm,
    key::{KeyError, KeyParts, PublicKey},
};

use crate::{Provider, vectors::unhex, verifies};

const SMALL_ORDER: &str = include_str!(concat!(env!("OUT_DIR"), "/ed25519_small_order.txt"));

/// With such a key one signature serves for many messages.
pub async fn ed25519_small_order_keys_are_no_keys<P: Provider>(_: &P) -> String {
    let mut refused = 0;
    for line in SMALL_ORDER.lines() {
        let Some(x) = line.strip_prefix("key\t") else { continue };
        let x: [u8; 32] = unhex(x).try_into().unwrap();
        // In core: no provider sees them.
        assert_eq!(PublicKey::from_parts(KeyParts::Ed25519 { x: &x }), Err(KeyError::InvalidPoint), "{x:02x?}");
        refused += 1;
    }
    assert!(refused >= 14);
    format!("{refused} encodings of points of small order refused")
}

/// `S B = R + k A`, as it stands (Web Cryptography Level 2 §26, "cofactorless"). A key of mixed order
/// is therefore a key whose signatures hold for about one message in eight.
///
/// Where `R` itself is of small order the engines differ, although Web Cryptography refuses it: only
/// the key's holder can make such a signature, and it serves for one message only. Counted, not judged.
pub async fn ed25519_is_checked_without_cofactor<P: Provider>(provider: &P) -> String {
    if !provider.algorithms().contains(Algorithm::Ed25519) {
        return "no Ed25519 here".into();
    }
    let (mut verified, mut refused) = (0, 0);
    let mut small_r = Vec::new();
    for line in SMALL_ORDER.lines().filter(|line| !line.starts_with("key")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, equation, x, message, signature] = fields[..] else { panic!("{line}") };
        let key = PublicKey::from_parts(KeyParts::Ed25519 { x: &unhex(x).try_into().unwrap() }).unwrap();
        let verdict = verifies(provider, Algorithm::Ed25519, &key, &unhex(message), &unhex(signature)).await;
        match (name, equation) {
            (name, "holds") if name.ends_with("identity_r") => small_r.push((name, verdict)),
            (_, "holds") => {
                assert!(verdict, "{line}");
                verified += 1;
            }
            (_, "holds_with_cofactor_only") => {
                assert!(!verdict, "{line}");
                refused += 1;
            }
            _ => panic!("{line}"),
        }
    }
    assert!(verified >= 2 && refused >= 3 && small_r.len() == 2);
    format!("{verified} verified, {refused} that need the cofactor refused; of small order, verified: {small_r:?}")
}
