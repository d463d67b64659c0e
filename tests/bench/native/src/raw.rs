//! What has to be checked at least: signatures, with keys that are imported and octets that are decoded.

use keybound_core::{
    base64url,
    key::KeyParts,
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
};
use serde_json::Value;

use crate::{
    Work,
    keybound::Provider,
    material::{Material, Request},
};

/// What one signature covers, and the signature; with its key, imported by `import` from its two coordinates.
struct Signed<K> {
    key: K,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl<K> Signed<K> {
    fn of(jws: &str, jwk: &Value, import: impl Fn(&[u8], &[u8]) -> K) -> Self {
        let (message, signature) = jws.rsplit_once('.').expect("a compact JWS");
        let coordinate = |name: &str| decode(jwk[name].as_str().expect("a P-256 key"));
        let key = import(&coordinate("x"), &coordinate("y"));
        Self { key, message: message.as_bytes().to_vec(), signature: decode(signature) }
    }
}

fn decode(text: &str) -> Vec<u8> {
    base64url::decode(text).expect("base64url")
}

fn proof<K>(Request(_, proof): &Request, import: impl Fn(&[u8], &[u8]) -> K) -> Signed<K> {
    let header = decode(proof.split('.').next().unwrap_or_default());
    let header: Value = serde_json::from_slice(&header).expect("a proof's header");
    Signed::of(proof, &header["jwk"], import)
}

fn token<K>(material: &Material, Request(token, _): &Request, import: impl Fn(&[u8], &[u8]) -> K) -> Signed<K> {
    Signed::of(token, &material.jwks["keys"][0], import)
}

fn one_by<'a, K: 'a>(
    material: &Material,
    import: fn(&[u8], &[u8]) -> K,
    verify: fn(&K, &[u8], &[u8]) -> bool,
) -> Work<'a> {
    let proofs: Vec<_> = material.warm.iter().map(|request| proof(request, import)).collect();
    assert!(!verify(&proofs[0].key, &proofs[1].message, &proofs[0].signature), "another message verifies");
    Box::new(move |index| {
        let Signed { key, message, signature } = &proofs[index];
        assert!(verify(key, message, signature), "a good signature does not verify");
    })
}

fn two_by<'a, K: 'a>(
    material: &Material,
    import: fn(&[u8], &[u8]) -> K,
    verify: fn(&K, &[u8], &[u8]) -> bool,
) -> Work<'a> {
    let both = |request| [token(material, request, import), proof(request, import)];
    let requests: Vec<_> = material.key.iter().map(both).collect();
    Box::new(move |index| {
        for Signed { key, message, signature } in &requests[index] {
            assert!(verify(key, message, signature), "a good signature does not verify");
        }
    })
}

fn uncompressed(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

/// A provider on the very version of `p256` that `dpop-verifier` has, which is not that of `keybound-rustcrypto`.
pub struct P256OfDpopVerifier;

impl Provider for P256OfDpopVerifier {}

impl SignatureVerifier for P256OfDpopVerifier {
    fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        let KeyParts::Ec { x, y, .. } = check.key.parts() else { return Err(SignatureError) };
        let key = p256_of_dpop_verifier::imported(x, y).ok_or(SignatureError)?;
        let verified = p256_of_dpop_verifier::verify(&key, check.message, check.signature);
        if verified { Ok(()) } else { Err(SignatureError) }
    }
}

macro_rules! backend {
    ($name:ident, $key:ty, $import:expr, $verify:expr) => {
        pub mod $name {
            use super::*;

            pub(super) fn imported(x: &[u8], y: &[u8]) -> Option<$key> {
                $import(&uncompressed(x, y)).ok()
            }

            fn import(x: &[u8], y: &[u8]) -> $key {
                imported(x, y).expect("a key")
            }

            pub(super) fn verify(key: &$key, message: &[u8], signature: &[u8]) -> bool {
                $verify(key, message, signature)
            }

            pub fn one<'a>(material: &Material) -> Work<'a> {
                one_by(material, import, verify)
            }

            #[allow(dead_code, reason = "one backend is there for a peer that checks one signature")]
            pub fn two<'a>(material: &Material) -> Work<'a> {
                two_by(material, import, verify)
            }
        }
    };
}

backend!(
    p256,
    ::p256::ecdsa::VerifyingKey,
    ::p256::ecdsa::VerifyingKey::from_sec1_bytes,
    |key: &::p256::ecdsa::VerifyingKey, message, signature| {
        use ::p256::ecdsa::{Signature, signature::Verifier};
        Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }
);

backend!(
    p256_of_dpop_verifier,
    ::p256_of_dpop_verifier::ecdsa::VerifyingKey,
    ::p256_of_dpop_verifier::ecdsa::VerifyingKey::from_sec1_bytes,
    |key: &::p256_of_dpop_verifier::ecdsa::VerifyingKey, message, signature| {
        use ::p256_of_dpop_verifier::ecdsa::{Signature, signature::Verifier};
        Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }
);

backend!(
    aws_lc,
    ::aws_lc_rs::signature::ParsedPublicKey,
    |point: &[u8]| {
        ::aws_lc_rs::signature::ParsedPublicKey::new(&::aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED, point)
    },
    |key: &::aws_lc_rs::signature::ParsedPublicKey, message, signature| key.verify_sig(message, signature).is_ok()
);
