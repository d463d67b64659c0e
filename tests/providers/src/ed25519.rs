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

/// `S B = R + k A`, as it stands: a point of small order added to `R` shows, and does not vanish as it
/// does where both sides are multiplied by eight (Web Cryptography Level 2 §26.4.2, "cofactorless").
///
/// `R` of small order is refused as well, although only the key's holder can sign so. Signatures of a
/// key of mixed order are counted, not judged: they depend on whether the hash was reduced modulo the
/// group's order first, which no standard says. Most engines do, WebKitGTK's does not.
pub async fn ed25519_is_checked_without_cofactor<P: Provider>(provider: &P) -> String {
    if !provider.algorithms().contains(Algorithm::Ed25519) {
        return "no Ed25519 here".into();
    }
    let mut judged = 0;
    let mut counted = Vec::new();
    for line in SMALL_ORDER.lines().filter(|line| !line.starts_with("key")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, equation, x, message, signature] = fields[..] else { panic!("{line}") };
        let key = PublicKey::from_parts(KeyParts::Ed25519 { x: &unhex(x).try_into().unwrap() }).unwrap();
        let verdict = verifies(provider, Algorithm::Ed25519, &key, &unhex(message), &unhex(signature)).await;
        let expected = match (name, equation) {
            ("ordinary", "holds") => true,
            ("mixed_r", "holds_with_cofactor_only") => false,
            (name, _) if name.ends_with("_r") => false,
            _ => {
                counted.push((name, equation, verdict));
                continue;
            }
        };
        assert_eq!(verdict, expected, "{line}");
        judged += 1;
    }
    assert_eq!((judged, counted.len()), (6, 2));
    format!("{judged} as expected; verified or not: {counted:?}")
}
