//! A public key made ready for many checks: the point decoded and found on its curve, the modulus in Montgomery form.

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    key::{KeyParts, PublicKey},
    signature::SignatureError,
};

/// An imported public key. Importing costs a good part of a check (a square root for Ed25519, the
/// curve equation, Montgomery parameters), and a client shows the same key with each proof.
///
/// ```
/// use keybound_core::{algorithm::Algorithm, key::PublicKey};
/// use keybound_rustcrypto::PreparedKey;
///
/// let key = PublicKey::from_jwk(
///     r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#,
/// ).unwrap();
/// let prepared = PreparedKey::import(&key).unwrap();
/// assert!(prepared.verify(Algorithm::Es256, b"header.payload", &[1; 64]).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct PreparedKey(Imported);

#[derive(Clone, Debug)]
enum Imported {
    #[cfg(feature = "p256")]
    P256(p256::ecdsa::VerifyingKey),
    #[cfg(feature = "p384")]
    P384(p384::ecdsa::VerifyingKey),
    #[cfg(feature = "p521")]
    P521(p521::ecdsa::VerifyingKey),
    #[cfg(feature = "rsa")]
    Rsa(rsa::RsaPublicKey),
    #[cfg(feature = "ed25519")]
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PreparedKey {
    /// Imports a key.
    ///
    /// # Errors
    /// An EC or Ed25519 point is not on its curve (RFC 8725 §3.4), or the feature for this kind of
    /// key is not enabled ([`RustCrypto::ALGORITHMS`](crate::RustCrypto::ALGORITHMS)).
    pub fn import(key: &PublicKey) -> Result<Self, SignatureError> {
        match key.parts() {
            #[cfg(feature = "p256")]
            KeyParts::Ec { key_type: KeyType::P256, x, y } => {
                ec::import(x, y, p256::ecdsa::VerifyingKey::from_affine).map(Imported::P256)
            }
            #[cfg(feature = "p384")]
            KeyParts::Ec { key_type: KeyType::P384, x, y } => {
                ec::import(x, y, p384::ecdsa::VerifyingKey::from_affine).map(Imported::P384)
            }
            #[cfg(feature = "p521")]
            KeyParts::Ec { key_type: KeyType::P521, x, y } => {
                ec::import(x, y, p521::ecdsa::VerifyingKey::from_affine).map(Imported::P521)
            }
            #[cfg(feature = "rsa")]
            KeyParts::Rsa { n, e } => rsassa::import(n, e).map(Imported::Rsa),
            #[cfg(feature = "ed25519")]
            KeyParts::Ed25519 { x } => eddsa::import(x).map(Imported::Ed25519),
            #[allow(unreachable_patterns, reason = "reachable when a feature is off")]
            _ => Err(SignatureError),
        }
        .map(Self)
    }

    /// The kind of key.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self.0 {
            #[cfg(feature = "p256")]
            Imported::P256(_) => KeyType::P256,
            #[cfg(feature = "p384")]
            Imported::P384(_) => KeyType::P384,
            #[cfg(feature = "p521")]
            Imported::P521(_) => KeyType::P521,
            #[cfg(feature = "rsa")]
            Imported::Rsa(_) => KeyType::Rsa,
            #[cfg(feature = "ed25519")]
            Imported::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// Checks one signature: `R || S` of full length for EC (RFC 7518 §3.4), as long as the modulus
    /// for RSA (RFC 8017 §8.1.2, §8.2.2), 64 octets for Ed25519 (RFC 8032 §5.1.7).
    ///
    /// # Errors
    /// The signature does not verify, or the algorithm is none of this key's.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match (&self.0, algorithm) {
            #[cfg(feature = "p256")]
            (Imported::P256(key), Algorithm::Es256) => ec::verify::<_, p256::ecdsa::Signature>(key, message, signature),
            #[cfg(feature = "p384")]
            (Imported::P384(key), Algorithm::Es384) => ec::verify::<_, p384::ecdsa::Signature>(key, message, signature),
            #[cfg(feature = "p521")]
            (Imported::P521(key), Algorithm::Es512) => ec::verify::<_, p521::ecdsa::Signature>(key, message, signature),
            #[cfg(feature = "rsa")]
            (Imported::Rsa(key), Algorithm::Rs256) => rsassa::verify_pkcs1(key, message, signature),
            #[cfg(feature = "rsa")]
            (Imported::Rsa(key), Algorithm::Ps256) => rsassa::verify_pss(key, message, signature),
            #[cfg(feature = "ed25519")]
            (Imported::Ed25519(key), Algorithm::EdDsa | Algorithm::Ed25519) => eddsa::verify(key, message, signature),
            _ => Err(SignatureError),
        }
    }
}

#[cfg(any(feature = "p256", feature = "p384", feature = "p521"))]
mod ec {
    use elliptic_curve::point::AffineCoordinates;
    use keybound_core::signature::SignatureError;
    use signature::Verifier;

    /// Checks that both coordinates are below the field prime, and the curve equation; all three curves
    /// have cofactor 1, so that a point on the curve is in the group. Not by way of SEC 1 octets: what
    /// reads those decompresses points as well, a seventh of a WebAssembly module.
    pub(super) fn import<A, K>(
        x: &[u8],
        y: &[u8],
        key: impl Fn(A) -> Result<K, signature::Error>,
    ) -> Result<K, SignatureError>
    where
        A: AffineCoordinates<FieldRepr: for<'a> TryFrom<&'a [u8]>>,
    {
        let (Ok(x), Ok(y)) = (x.try_into(), y.try_into()) else {
            return Err(SignatureError);
        };
        let point = A::from_coordinates(&x, &y).into_option().ok_or(SignatureError)?;
        key(point).map_err(|_| SignatureError)
    }

    /// `S` reads `R || S` of exactly twice the length of the order, both from 1 to the order less one.
    pub(super) fn verify<K, S>(key: &K, message: &[u8], signature: &[u8]) -> Result<(), SignatureError>
    where
        K: Verifier<S>,
        S: for<'a> TryFrom<&'a [u8]>,
    {
        let signature = S::try_from(signature).map_err(|_| SignatureError)?;
        key.verify(message, &signature).map_err(|_| SignatureError)
    }
}

#[cfg(feature = "rsa")]
mod rsassa {
    use keybound_core::{sha256, signature::SignatureError};
    use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
    use sha2::Sha256;

    /// What [`PublicKey`](keybound_core::key::PublicKey) promises, said here too so that the bound
    /// does not hang on the crate's own default.
    const MODULUS_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

    pub(super) fn import(n: &[u8], e: &[u8]) -> Result<RsaPublicKey, SignatureError> {
        let (n, e) = (BoxedUint::from_be_slice_vartime(n), BoxedUint::from_be_slice_vartime(e));
        RsaPublicKey::new_with_size_limits(n, e, MODULUS_BITS).map_err(|_| SignatureError)
    }

    pub(super) fn verify_pkcs1(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &sha256::digest(message), signature).map_err(|_| SignatureError)
    }

    /// RFC 7518 §3.5: the salt is as long as the hash, MGF1 uses the same hash.
    pub(super) fn verify_pss(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        key.verify(Pss::<Sha256>::new_with_salt(32), &sha256::digest(message), signature).map_err(|_| SignatureError)
    }
}

#[cfg(feature = "ed25519")]
mod eddsa {
    use ed25519_dalek::{Signature, VerifyingKey};
    use keybound_core::signature::SignatureError;

    pub(super) fn import(x: &[u8; 32]) -> Result<VerifyingKey, SignatureError> {
        let key = VerifyingKey::from_bytes(x).map_err(|_| SignatureError)?;
        if key.is_weak() { Err(SignatureError) } else { Ok(key) }
    }

    /// The equation without cofactor, `S` below the order, neither key nor `R` of small order: what
    /// Web Cryptography's Ed25519 asks for as well.
    pub(super) fn verify(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError)?;
        key.verify_strict(message, &signature).map_err(|_| SignatureError)
    }
}
