#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

#[cfg_attr(
    not(any(feature = "p256", feature = "p384", feature = "p521", feature = "rsa", feature = "ed25519")),
    allow(unused, reason = "without an algorithm every check fails")
)]
mod prepared;
#[cfg(feature = "sign")]
mod sign;

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
};

pub use prepared::PreparedKey;
#[cfg(feature = "sign")]
pub use sign::{SecretKeyError, SigningKey};

/// Checks signatures in pure Rust, at once.
///
/// Each check imports its key; a [`PreparedKey`] is imported once and checks many signatures.
///
/// ```
/// use keybound_core::{algorithm::Algorithm, base64url, key::PublicKey};
/// use keybound_core::signature::{SignatureCheck, SignatureVerifier};
/// use keybound_rustcrypto::RustCrypto;
///
/// // RFC 8037 appendix A.4
/// let key = PublicKey::from_jwk(
///     r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
/// ).unwrap();
/// let signature = base64url::decode(
///     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
/// ).unwrap();
/// let check = SignatureCheck {
///     algorithm: Algorithm::EdDsa,
///     key: &key,
///     message: b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
///     signature: &signature,
/// };
/// assert!(RustCrypto.verify(check).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl RustCrypto {
    /// The algorithms that the enabled features bring. Checks with any other one fail.
    pub const ALGORITHMS: AlgorithmSet = {
        const FEATURES: [(Algorithm, bool); 7] = [
            (Algorithm::Es256, cfg!(feature = "p256")),
            (Algorithm::Es384, cfg!(feature = "p384")),
            (Algorithm::Es512, cfg!(feature = "p521")),
            (Algorithm::Rs256, cfg!(feature = "rsa")),
            (Algorithm::Ps256, cfg!(feature = "rsa")),
            (Algorithm::EdDsa, cfg!(feature = "ed25519")),
            (Algorithm::Ed25519, cfg!(feature = "ed25519")),
        ];
        let mut set = AlgorithmSet::EMPTY;
        let mut rest: &[(Algorithm, bool)] = &FEATURES;
        while let [(algorithm, enabled), others @ ..] = rest {
            if *enabled {
                set = set.with(*algorithm);
            }
            rest = others;
        }
        set
    };
}

impl SignatureVerifier for RustCrypto {
    fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        PreparedKey::import(check.key)?.verify(check.algorithm, check.message, check.signature)
    }
}
