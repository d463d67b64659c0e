//! The client's side: a key pair whose private half cannot be read, and signatures made with it.

use alloc::{string::String, vec::Vec};

use js_sys::{JSON, Uint8Array};
use keybound_core::{algorithm::Algorithm, key::PublicKey};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::CryptoKey;

use crate::{
    algorithm::{algorithm_of, generation_parameters, signature_parameters},
    subtle::{Failure, member, settled, subtle, text_member, usages},
};

/// Why there is no key pair or no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPairError {
    /// There is no SubtleCrypto here: serve the page over https or from localhost.
    NoSubtleCrypto,
    /// SubtleCrypto is there and does not know this algorithm: choose another, ES256 is everywhere.
    UnsupportedAlgorithm,
    /// The private key can be read (RFC 9449 §11.4): make it with `extractable: false`.
    Extractable,
    /// The keys are not the private and the public half of a pair for this algorithm, with the
    /// usages `sign` and `verify`.
    NotAPair,
    /// SubtleCrypto failed.
    Failed,
}

impl core::fmt::Display for KeyPairError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoSubtleCrypto => "there is no SubtleCrypto here",
            Self::UnsupportedAlgorithm => "SubtleCrypto does not know this algorithm",
            Self::Extractable => "the private key is extractable",
            Self::NotAPair => "the keys are no pair for this algorithm",
            Self::Failed => "SubtleCrypto failed",
        })
    }
}

impl core::error::Error for KeyPairError {}

impl From<Failure> for KeyPairError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoSubtleCrypto => Self::NoSubtleCrypto,
            Failure::UnsupportedAlgorithm => Self::UnsupportedAlgorithm,
            Failure::Refused => Self::Failed,
        }
    }
}

/// A key pair whose private half SubtleCrypto keeps: it signs, and cannot be read.
///
/// ```no_run
/// # use keybound_core::algorithm::Algorithm;
/// # use keybound_webcrypto::{KeyPair, KeyPairError};
/// # async fn sign() -> Result<(), KeyPairError> {
/// let pair = KeyPair::generate(Algorithm::Es256).await?;
/// let jkt = pair.public_key().thumbprint().to_base64url();
/// let signature = pair.sign(b"header.payload").await?; // R || S, 64 octets
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeyPair {
    private: CryptoKey,
    public: CryptoKey,
    public_key: PublicKey,
    algorithm: Algorithm,
}

impl KeyPair {
    /// Makes a pair with a private half that is not extractable. RSA keys have 2048 bits.
    ///
    /// # Errors
    /// See [`KeyPairError`].
    pub async fn generate(algorithm: Algorithm) -> Result<Self, KeyPairError> {
        let subtle = subtle()?;
        let parameters = generation_parameters(algorithm).ok_or(KeyPairError::UnsupportedAlgorithm)?;
        let call = subtle.generate_key_with_object(&parameters, false, &usages(&["sign", "verify"]));
        let pair = settled(call).await?;
        let half = |name| member(&pair, name).map(JsValue::unchecked_into::<CryptoKey>);
        match (half("privateKey"), half("publicKey")) {
            (Some(private), Some(public)) => Self::from_crypto_keys(private, public, algorithm).await,
            _ => Err(KeyPairError::Failed),
        }
    }

    /// Takes a pair that was made or stored elsewhere. `algorithm` is the name to write into `alg`:
    /// Ed25519 has two.
    ///
    /// That the halves belong together is not tried out; a server refuses the first proof otherwise.
    ///
    /// # Errors
    /// [`KeyPairError::Extractable`], [`KeyPairError::NotAPair`] for keys of another algorithm or
    /// usage, and for a public key that [`PublicKey`] refuses (RSA below 2048 bits).
    pub async fn from_crypto_keys(
        private: CryptoKey,
        public: CryptoKey,
        algorithm: Algorithm,
    ) -> Result<Self, KeyPairError> {
        let subtle = subtle()?;
        if !is_half(&private, "private", "sign", algorithm) || !is_half(&public, "public", "verify", algorithm) {
            return Err(KeyPairError::NotAPair);
        }
        if private.extractable() {
            return Err(KeyPairError::Extractable);
        }
        let jwk = settled(subtle.export_key("jwk", &public)).await?;
        let jwk: String = JSON::stringify(&jwk).map_err(|_| KeyPairError::Failed)?.into();
        let public_key = PublicKey::from_jwk(&jwk).map_err(|_| KeyPairError::NotAPair)?;
        Ok(Self { private, public, public_key, algorithm })
    }

    /// The public half: the `jwk` of a proof, and with its thumbprint the `dpop_jkt` of an
    /// authorization request.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The `alg` of the signatures.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The handle of the private half, for storing it: IndexedDB keeps it without reading it.
    #[must_use]
    pub const fn private_crypto_key(&self) -> &CryptoKey {
        &self.private
    }

    /// The handle of the public half.
    #[must_use]
    pub const fn public_crypto_key(&self) -> &CryptoKey {
        &self.public
    }

    /// Signs as a JWS does: `R || S` for EC (RFC 7518 §3.4).
    ///
    /// # Errors
    /// See [`KeyPairError`].
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyPairError> {
        let parameters = signature_parameters(self.algorithm).ok_or(KeyPairError::UnsupportedAlgorithm)?;
        let call = subtle()?.sign_with_object_and_js_u8_array(&parameters, &self.private, &Uint8Array::from(message));
        let signature = Uint8Array::new(&settled(call).await?).to_vec();
        if signature.len() == self.public_key.signature_len(self.algorithm) {
            Ok(signature)
        } else {
            Err(KeyPairError::Failed)
        }
    }
}

/// Whether a `CryptoKey` is this half of a pair for this algorithm. What is no `CryptoKey` is none.
fn is_half(key: &CryptoKey, kind: &str, usage: &str, algorithm: Algorithm) -> bool {
    let has_usage = || {
        member(key, "usages").is_some_and(|usages| {
            js_sys::Array::from(&usages).iter().any(|name| name.as_string().as_deref() == Some(usage))
        })
    };
    text_member(key, "type").as_deref() == Some(kind)
        && algorithm_of(key).is_some_and(|of_key| same(of_key, algorithm))
        && has_usage()
}

/// RFC 9864 §2.2: "EdDSA" and "Ed25519" are one algorithm.
const fn same(of_key: Algorithm, algorithm: Algorithm) -> bool {
    matches!(
        (of_key, algorithm),
        (Algorithm::Es256, Algorithm::Es256)
            | (Algorithm::Es384, Algorithm::Es384)
            | (Algorithm::Es512, Algorithm::Es512)
            | (Algorithm::Rs256, Algorithm::Rs256)
            | (Algorithm::Ps256, Algorithm::Ps256)
            | (Algorithm::Ed25519, Algorithm::Ed25519 | Algorithm::EdDsa)
    )
}
