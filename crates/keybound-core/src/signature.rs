//! Signatures are checked elsewhere: what is to be checked, and the traits of those who do it.

use crate::{algorithm::Algorithm, key::PublicKey};

/// One signature to check (RFC 7515 §5.2).
///
/// For an EC algorithm `signature` has the fixed length of RFC 7518 §3.4 and is `R || S`; high values
/// of `S` are valid. For RSA it has the length of the modulus.
#[derive(Clone, Copy, Debug)]
pub struct SignatureCheck<'a> {
    /// The algorithm of the `alg` header; its key type is the key's.
    pub algorithm: Algorithm,
    /// The public key.
    pub key: &'a PublicKey,
    /// The JWS signing input: header, dot, payload, as received.
    pub message: &'a [u8],
    /// The decoded signature.
    pub signature: &'a [u8],
}

/// The signature does not verify, or the key is none (a point off its curve). Says no more on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureError;

/// Checks signatures at once: native code, or software signatures in WebAssembly.
pub trait SignatureVerifier {
    /// Checks one signature.
    ///
    /// # Errors
    /// The signature does not verify with this key, or the key is not on its curve.
    fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError>;
}

/// Checks signatures asynchronously: SubtleCrypto.
#[allow(async_fn_in_trait, reason = "single-threaded in wasm; native callers use SignatureVerifier")]
pub trait AsyncSignatureVerifier {
    /// Checks one signature.
    ///
    /// # Errors
    /// The signature does not verify with this key, or the key is not on its curve.
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError>;
}
