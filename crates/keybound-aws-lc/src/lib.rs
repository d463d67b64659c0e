#![doc = include_str!("../README.md")]

mod prepared;

use keybound_core::{
    algorithm::AlgorithmSet,
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
};

pub use prepared::PreparedKey;

/// Checks signatures through AWS-LC, at once.
///
/// Each check imports its key; a [`PreparedKey`] is imported once and checks many signatures.
///
/// ```
/// use keybound_aws_lc::AwsLc;
/// use keybound_core::{algorithm::Algorithm, base64url, key::PublicKey};
/// use keybound_core::signature::{SignatureCheck, SignatureVerifier};
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
/// assert!(AwsLc.verify(check).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl AwsLc {
    /// The algorithms that it checks: all.
    pub const ALGORITHMS: AlgorithmSet = AlgorithmSet::ALL;
}

impl SignatureVerifier for AwsLc {
    fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        PreparedKey::import(check.key)?.verify(check.algorithm, check.message, check.signature)
    }
}
