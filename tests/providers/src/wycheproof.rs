//! Project Wycheproof's vectors: what is valid must verify, what is invalid must not.

use keybound_core::algorithm::Algorithm;

use crate::{
    Provider,
    vectors::{Verdict, set},
    verifies,
};

/// A set, and how many of its signatures are valid, invalid and acceptable.
type Set = (&'static str, [usize; 3]);

async fn agrees<P: Provider>(provider: &P, algorithm: Algorithm, sets: &[Set]) -> String {
    let supported = provider.algorithms().contains(algorithm);
    let (mut total, mut verified) = (0, 0);
    let mut disagreements = Vec::new();
    for (name, expected) in sets {
        let mut counted = [0; 3];
        for vector in set(name) {
            counted[vector.verdict as usize] += 1;
            total += 1;
            // All keys of these sets are of a shape that keybound takes.
            let key = vector.key.unwrap();
            let verdict = verifies(provider, algorithm, &key, &vector.message, &vector.signature).await;
            verified += usize::from(verdict);
            // "Acceptable" is, in these sets, the PKCS #1 v1.5 encoding without the NULL of the hash
            // identifier. RFC 8017 §8.2.2 compares with the encoding that has it: no signature.
            if verdict != (supported && vector.verdict == Verdict::Valid) {
                disagreements.push(format!("{name} {} is {:?}", vector.id, vector.verdict));
            }
        }
        assert_eq!(counted, *expected, "{name} has other vectors than before");
    }
    assert!(disagreements.is_empty(), "{algorithm:?}: {disagreements:#?}");
    format!("{}: {total} vectors, {verified} verified, the rest refused", algorithm.name())
}

/// ECDSA on P-256 (RFC 7518 §3.4).
pub async fn es256_agrees_with_wycheproof<P: Provider>(provider: &P) -> String {
    agrees(provider, Algorithm::Es256, &[("ecdsa_secp256r1_sha256_p1363", [173, 89, 0])]).await
}

/// ECDSA on P-384 (RFC 7518 §3.4).
pub async fn es384_agrees_with_wycheproof<P: Provider>(provider: &P) -> String {
    agrees(provider, Algorithm::Es384, &[("ecdsa_secp384r1_sha384_p1363", [193, 87, 0])]).await
}

/// ECDSA on P-521 (RFC 7518 §3.4).
pub async fn es512_agrees_with_wycheproof<P: Provider>(provider: &P) -> String {
    agrees(provider, Algorithm::Es512, &[("ecdsa_secp521r1_sha512_p1363", [231, 87, 0])]).await
}

/// RSASSA-PKCS1-v1_5 (RFC 7518 §3.3), moduli up to 8192 bits, exponents 3 and 65537.
pub async fn rs256_agrees_with_wycheproof<P: Provider>(provider: &P) -> String {
    let sets = [
        ("rsa_signature_2048_sha256", [9, 249, 1]),
        ("rsa_signature_3072_sha256", [8, 250, 1]),
        ("rsa_signature_4096_sha256", [7, 250, 1]),
        ("rsa_signature_8192_sha256", [7, 250, 1]),
    ];
    agrees(provider, Algorithm::Rs256, &sets).await
}

/// RSASSA-PSS (RFC 7518 §3.5).
pub async fn ps256_agrees_with_wycheproof<P: Provider>(provider: &P) -> String {
    let sets = [
        ("rsa_pss_2048_sha256_mgf1_32", [63, 45, 0]),
        ("rsa_pss_3072_sha256_mgf1_32", [63, 45, 0]),
        ("rsa_pss_4096_sha256_mgf1_32", [63, 45, 0]),
    ];
    agrees(provider, Algorithm::Ps256, &sets).await
}

/// Ed25519 under its old and its new name (RFC 8037 §3.1, RFC 9864 §2.2).
pub async fn ed25519_agrees_with_wycheproof_under_both_names<P: Provider>(provider: &P) -> String {
    let sets = [("ed25519", [88, 63, 0])];
    let old = agrees(provider, Algorithm::EdDsa, &sets).await;
    let new = agrees(provider, Algorithm::Ed25519, &sets).await;
    format!("{old}; {new}")
}

/// Signatures that are valid for something else.
pub async fn another_hash_salt_padding_or_encoding_is_refused<P: Provider>(provider: &P) -> String {
    let mut total = 0;
    let mut verified = Vec::new();
    for (algorithm, name) in [
        // DER (RFC 7518 §3.4 has R || S).
        (Algorithm::Es256, "ecdsa_secp256r1_sha256"),
        (Algorithm::Es384, "ecdsa_secp384r1_sha384"),
        (Algorithm::Es512, "ecdsa_secp521r1_sha512"),
        // SHA-512 with P-256.
        (Algorithm::Es256, "ecdsa_secp256r1_sha512_p1363"),
        // SHA-512; PSS; PKCS #1 v1.5.
        (Algorithm::Rs256, "rsa_signature_2048_sha512"),
        (Algorithm::Rs256, "rsa_pss_2048_sha256_mgf1_32"),
        (Algorithm::Ps256, "rsa_signature_2048_sha256"),
        // No salt; SHA-1 in MGF1 and a salt of 20 octets; SHA-384.
        (Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1_0"),
        (Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1sha1_20"),
        (Algorithm::Ps256, "rsa_pss_2048_sha384_mgf1_48"),
    ] {
        // What is invalid there may be wrong in being right here: a PSS signature among those of
        // PKCS #1 v1.5, say.
        for vector in set(name).into_iter().filter(|vector| vector.verdict != Verdict::Invalid) {
            total += 1;
            let key = vector.key.unwrap();
            if verifies(provider, algorithm, &key, &vector.message, &vector.signature).await {
                verified.push(format!("{name} {}", vector.id));
            }
        }
    }
    assert!(verified.is_empty(), "{verified:?}");
    assert!(total > 1000, "{total}");
    format!("{total} signatures of another kind refused")
}
