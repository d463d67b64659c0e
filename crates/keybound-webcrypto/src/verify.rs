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
        ImportedKey::import(check.key, check.algorithm).await?.verify(check.message, check.signature).await
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
    shape: Shape,
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
        let (Some(key_parameters), Some(parameters)) = (key_parameters(algorithm), signature_parameters(algorithm))
        else {
            return Err(VerifyError::UnsupportedAlgorithm);
        };
        let (format, data) = match key.parts() {
            KeyParts::Ec { key_type, x, y } => {
                // Not "raw" and not "jwk": with these, WebKitGTK does not look whether the point is on
                // its curve.
                let prefix = spki_prefix(key_type).ok_or(VerifyError::UnsupportedAlgorithm)?;
                let spki = [prefix, x, y].concat();
                ("spki", Uint8Array::from(spki.as_slice()).into())
            }
            KeyParts::Ed25519 { x } => ("raw", Uint8Array::from(x.as_slice()).into()),
            _ => {
                let jwk = JSON::parse(&key.to_jwk()).map_err(|_| VerifyError::Signature)?;
                ("jwk", jwk.unchecked_into::<Object>())
            }
        };
        let call = subtle.import_key_with_object(format, &data, &key_parameters, true, &usages(&["verify"]));
        Ok(Self { key: settled(call).await?.unchecked_into(), parameters, algorithm, shape: Shape::of(key, algorithm) })
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
        if !self.shape.fits(signature) {
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

/// SubjectPublicKeyInfo up to the coordinates (RFC 5480 §2): `ecPublicKey` and the curve, then a bit
/// string with an uncompressed point.
const fn spki_prefix(key_type: KeyType) -> Option<&'static [u8]> {
    Some(match key_type {
        KeyType::P256 => {
            b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\0\x04"
        }
        KeyType::P384 => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x22\x03\x62\0\x04",
        KeyType::P521 => b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x23\x03\x81\x86\0\x04",
        _ => return None,
    })
}

/// What is not left to the engine: the length, that a number is below the modulus that it counts in,
/// and that no point is of small order. (WebKitGTK takes `s` and `s + n`, `S` and `S + L`, two
/// spellings of one signature; no engine that was tried refuses an `R` of small order, as Web
/// Cryptography Level 2 §26.4.2 asks for.)
#[derive(Clone, Debug)]
enum Shape {
    /// RFC 7518 §3.4: never DER, never shortened. The engines check the range of `R` and `S`.
    Ecdsa { len: usize },
    /// RFC 8017 §5.2.2: below the modulus, and as long.
    Rsa { modulus: Vec<u8> },
    /// RFC 8032 §5.1.7: `S` below the order of the group.
    Ed25519,
}

impl Shape {
    fn of(key: &PublicKey, algorithm: Algorithm) -> Self {
        match key.parts() {
            KeyParts::Rsa { n, .. } => Self::Rsa { modulus: n.to_vec() },
            KeyParts::Ed25519 { .. } => Self::Ed25519,
            _ => Self::Ecdsa { len: key.signature_len(algorithm) },
        }
    }

    fn fits(&self, signature: &[u8]) -> bool {
        match self {
            Self::Ecdsa { len } => signature.len() == *len,
            // Octets of one length compare as the numbers do.
            Self::Rsa { modulus } => signature.len() == modulus.len() && signature < modulus.as_slice(),
            Self::Ed25519 => {
                let Some((r, s)) = signature.split_first_chunk::<32>() else { return false };
                s.len() == 32
                    && s.iter().rev().lt(ED25519_ORDER.iter().rev())
                    // What makes a point a key (canonical, not of small order) is asked of `R` too.
                    && PublicKey::from_parts(KeyParts::Ed25519 { x: r }).is_ok()
            }
        }
    }
}

/// 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032 §5.1).
const ED25519_ORDER: [u8; 32] =
    *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";

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

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use core::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;
    use crate::{KeyPair, KeyPairError};

    fn finished<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn outside_of_webassembly_there_is_no_subtle_crypto_and_no_panic() {
        for algorithm in Algorithm::ALL {
            let key = sample_key(algorithm.key_type());
            assert!(key.is_some(), "{algorithm:?}");
            let check = key.as_ref().map(|key| SignatureCheck { algorithm, key, message: &[], signature: &[] });
            let checked = check.map(|check| finished(WebCrypto.check(check)));
            assert_eq!(checked, Some(Some(Err(VerifyError::NoSubtleCrypto))));
            let generated = finished(KeyPair::generate(algorithm)).map(|pair| pair.map(|_| ()));
            assert_eq!(generated, Some(Err(KeyPairError::NoSubtleCrypto)));
        }
        assert_eq!(finished(WebCrypto.algorithms()), Some(AlgorithmSet::EMPTY));
    }

    #[test]
    fn numbers_beyond_their_modulus_do_not_fit() {
        let key = sample_key(KeyType::Ed25519);
        let shape = key.as_ref().map(|key| Shape::of(key, Algorithm::Ed25519));
        let fits = |r: [u8; 32], s: [u8; 32]| shape.as_ref().is_some_and(|shape| shape.fits(&[r, s].concat()));
        let mut below = ED25519_ORDER;
        below[0] -= 1;
        let mut above = ED25519_ORDER;
        above[0] += 1;
        let r = [2; 32];
        assert!(fits(r, below) && fits(r, [0; 32]) && fits(r, [0x0f; 32]));
        assert!(!fits(r, ED25519_ORDER) && !fits(r, above) && !fits(r, [0x11; 32]) && !fits(r, [0xff; 32]));
        // `R` of order 2, and beyond the prime.
        assert!(!fits([0; 32], below) && !fits([0xff; 32], below));

        let key = sample_key(KeyType::Rsa);
        let shape = key.as_ref().map(|key| Shape::of(key, Algorithm::Ps256));
        let fits = |signature: &[u8]| shape.as_ref().is_some_and(|shape| shape.fits(signature));
        assert!(fits(&[0xfe; 256]) && !fits(&[0xff; 256]) && !fits(&[0xfe; 255]) && !fits(&[0xfe; 257]));
    }
}
