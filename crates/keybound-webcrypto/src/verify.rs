//! Checking signatures.

use alloc::vec::Vec;

use js_sys::{JSON, Object, Uint8Array};
use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet, KeyType},
    key::{KeyParts, PublicKey},
    signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError},
};
use wasm_bindgen::JsCast as _;
use web_sys::CryptoKey;

use crate::{
    algorithm::{key_parameters, signature_parameters},
    subtle::{Failure, settled, subtle, usages},
};

/// Why a signature was not found good. The first is about the signature, the others about the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The signature does not verify, or the key is none (a point off its curve), or the key is not
    /// for this algorithm. Says no more on purpose.
    Signature,
    /// There is no SubtleCrypto here: serve the page over https or from localhost.
    NoSubtleCrypto,
    /// SubtleCrypto is there and does not know this algorithm: leave it out of the accepted
    /// algorithms, or check it with `keybound-rustcrypto`.
    UnsupportedAlgorithm,
}

impl VerifyError {
    /// Whether the check could not be made at all. Nothing is known about the signature then; the
    /// request is refused all the same.
    #[must_use]
    pub const fn is_unavailable(self) -> bool {
        matches!(self, Self::NoSubtleCrypto | Self::UnsupportedAlgorithm)
    }
}

impl core::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Signature => "the signature does not verify",
            Self::NoSubtleCrypto => "there is no SubtleCrypto here",
            Self::UnsupportedAlgorithm => "SubtleCrypto does not know this algorithm",
        })
    }
}

impl core::error::Error for VerifyError {}

impl From<Failure> for VerifyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoSubtleCrypto => Self::NoSubtleCrypto,
            Failure::UnsupportedAlgorithm => Self::UnsupportedAlgorithm,
            Failure::Refused => Self::Signature,
        }
    }
}

/// Checks signatures with SubtleCrypto.
///
/// Each check imports its key; an [`ImportedKey`] is imported once and checks many signatures.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebCrypto;

impl WebCrypto {
    /// Checks one signature, and tells a wrong signature from an engine that cannot check it.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn check(&self, check: SignatureCheck<'_>) -> Result<(), VerifyError> {
        ImportedKey::import(check.key, check.algorithm)
            .await?
            .verify(check.message, check.signature)
            .await
    }

    /// Whether this engine can check signatures of the algorithm. It tries one out.
    pub async fn supports(&self, algorithm: Algorithm) -> bool {
        let Some(key) = sample_key(algorithm.key_type()) else {
            return false;
        };
        let signature: Vec<u8> = core::iter::repeat_n(1, key.signature_len(algorithm)).collect();
        let check = SignatureCheck { algorithm, key: &key, message: &[], signature: &signature };
        matches!(self.check(check).await, Ok(()) | Err(VerifyError::Signature))
    }

    /// The algorithms that this engine can check. Ask once: it tries each of them.
    pub async fn algorithms(&self) -> AlgorithmSet {
        let mut set = AlgorithmSet::EMPTY;
        for algorithm in Algorithm::ALL {
            if self.supports(algorithm).await {
                set = set.with(algorithm);
            }
        }
        set
    }
}

impl AsyncSignatureVerifier for WebCrypto {
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        self.check(check).await.map_err(|_| SignatureError)
    }
}

/// A public key that SubtleCrypto holds ready for one algorithm. Cloning copies the handle only.
///
/// Keep it as long as the key is of interest (by its thumbprint, say): a check then costs one call.
///
/// ```no_run
/// # use keybound_core::{algorithm::Algorithm, key::PublicKey};
/// # use keybound_webcrypto::{ImportedKey, VerifyError};
/// # async fn check(jwk: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
/// let key = ImportedKey::import(jwk, Algorithm::Es256).await?;
/// key.verify(message, signature).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ImportedKey {
    key: CryptoKey,
    parameters: Object,
    algorithm: Algorithm,
    signature_len: usize,
}

impl ImportedKey {
    /// Imports a key for one algorithm.
    ///
    /// # Errors
    /// [`VerifyError::Signature`] for a point off its curve (RFC 8725 §3.4), for a key that is not of
    /// the algorithm's type, and for an RSA key that the engine does not take; the others if this
    /// engine cannot do it at all. Some engines look at an Ed25519 point only when they check a
    /// signature, which then fails.
    pub async fn import(key: &PublicKey, algorithm: Algorithm) -> Result<Self, VerifyError> {
        if key.key_type() != algorithm.key_type() {
            return Err(VerifyError::Signature);
        }
        let subtle = subtle()?;
        let (Some(key_parameters), Some(parameters)) =
            (key_parameters(algorithm), signature_parameters(algorithm))
        else {
            return Err(VerifyError::UnsupportedAlgorithm);
        };
        let (format, data) = match key.parts() {
            KeyParts::Ec { x, y, .. } => {
                // SEC 1 §2.3.4, uncompressed.
                let point = [&[4], x, y].concat();
                ("raw", Uint8Array::from(point.as_slice()).into())
            }
            KeyParts::Ed25519 { x } => ("raw", Uint8Array::from(x.as_slice()).into()),
            _ => {
                let jwk = JSON::parse(&key.to_jwk()).map_err(|_| VerifyError::Signature)?;
                ("jwk", jwk.unchecked_into::<Object>())
            }
        };
        let call = subtle.import_key_with_object(format, &data, &key_parameters, true, &usages(&["verify"]));
        Ok(Self {
            key: settled(call).await?.unchecked_into(),
            parameters,
            algorithm,
            signature_len: key.signature_len(algorithm),
        })
    }

    /// The algorithm that the key was imported for.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The handle, for code that calls SubtleCrypto by itself.
    #[must_use]
    pub const fn crypto_key(&self) -> &CryptoKey {
        &self.key
    }

    /// Checks one signature, which has the shape that
    /// [`SignatureCheck`](keybound_core::signature::SignatureCheck) describes. Message and signature
    /// are copied before this returns to the event loop.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub async fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), VerifyError> {
        // Not left to the engine: none may take DER or a shorter `R` (RFC 7518 §3.4).
        if signature.len() != self.signature_len {
            return Err(VerifyError::Signature);
        }
        let call = subtle()?.verify_with_object_and_buffer_source_and_buffer_source(
            &self.parameters,
            &self.key,
            &Uint8Array::from(signature),
            &Uint8Array::from(message),
        );
        if settled(call).await?.as_bool() == Some(true) { Ok(()) } else { Err(VerifyError::Signature) }
    }
}

/// Some key of the type: the base points of the curves (SEC 2 §2.4.2, §2.5.1, §2.6.1; RFC 8032 §5.1),
/// and a modulus of ones.
fn sample_key(key_type: KeyType) -> Option<PublicKey> {
    let modulus;
    let parts = match key_type {
        KeyType::P256 => KeyParts::Ec { key_type, x: P256.0, y: P256.1 },
        KeyType::P384 => KeyParts::Ec { key_type, x: P384.0, y: P384.1 },
        KeyType::P521 => KeyParts::Ec { key_type, x: P521.0, y: P521.1 },
        KeyType::Rsa => {
            modulus = [0xff; 256];
            KeyParts::Rsa { n: &modulus, e: &[1, 0, 1] }
        }
        KeyType::Ed25519 => KeyParts::Ed25519 { x: b"Xfffffffffffffffffffffffffffffff" },
        _ => return None,
    };
    PublicKey::from_parts(parts).ok()
}

type Point = (&'static [u8], &'static [u8]);
const P256: Point = (
    b"\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96",
    b"\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5",
);
const P384: Point = (
    b"\xaa\x87\xca\x22\xbe\x8b\x05\x37\x8e\xb1\xc7\x1e\xf3\x20\xad\x74\x6e\x1d\x3b\x62\x8b\xa7\x9b\x98\x59\xf7\x41\xe0\x82\x54\x2a\x38\x55\x02\xf2\x5d\xbf\x55\x29\x6c\x3a\x54\x5e\x38\x72\x76\x0a\xb7",
    b"\x36\x17\xde\x4a\x96\x26\x2c\x6f\x5d\x9e\x98\xbf\x92\x92\xdc\x29\xf8\xf4\x1d\xbd\x28\x9a\x14\x7c\xe9\xda\x31\x13\xb5\xf0\xb8\xc0\x0a\x60\xb1\xce\x1d\x7e\x81\x9d\x7a\x43\x1d\x7c\x90\xea\x0e\x5f",
);
const P521: Point = (
    b"\x00\xc6\x85\x8e\x06\xb7\x04\x04\xe9\xcd\x9e\x3e\xcb\x66\x23\x95\xb4\x42\x9c\x64\x81\x39\x05\x3f\xb5\x21\xf8\x28\xaf\x60\x6b\x4d\x3d\xba\xa1\x4b\x5e\x77\xef\xe7\x59\x28\xfe\x1d\xc1\x27\xa2\xff\xa8\xde\x33\x48\xb3\xc1\x85\x6a\x42\x9b\xf9\x7e\x7e\x31\xc2\xe5\xbd\x66",
    b"\x01\x18\x39\x29\x6a\x78\x9a\x3b\xc0\x04\x5c\x8a\x5f\xb4\x2c\x7d\x1b\xd9\x98\xf5\x44\x49\x57\x9b\x44\x68\x17\xaf\xbd\x17\x27\x3e\x66\x2c\x97\xee\x72\x99\x5e\xf4\x26\x40\xc5\x50\xb9\x01\x3f\xad\x07\x61\x35\x3c\x70\x86\xa2\x72\xc2\x40\x88\xbe\x94\x76\x9f\xd1\x66\x50",
);
