//! A public key made ready for many checks: read by AWS-LC, and its point found on its curve.

use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaPublicKeyComponents};
use keybound_core::{
    algorithm::{Algorithm, KeyType},
    key::{KeyParts, PublicKey},
    signature::SignatureError,
};

/// An imported public key. Cloning copies the handle only.
///
/// ```
/// use keybound_aws_lc::PreparedKey;
/// use keybound_core::{algorithm::Algorithm, key::PublicKey};
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
    /// With the curve's one hash (RFC 7518 §3.4).
    Ec(KeyType, ParsedPublicKey),
    /// AWS-LC ties a key to one padding.
    Rsa {
        pkcs1: ParsedPublicKey,
        pss: ParsedPublicKey,
    },
    Ed25519(ParsedPublicKey),
}

impl PreparedKey {
    /// Imports a key.
    ///
    /// # Errors
    /// An EC or Ed25519 point is not on its curve (RFC 8725 §3.4).
    pub fn import(key: &PublicKey) -> Result<Self, SignatureError> {
        match key.parts() {
            KeyParts::Ec { key_type, x, y } => {
                let algorithm = ecdsa(key_type).ok_or(SignatureError)?;
                // SEC 1 §2.3.3, uncompressed.
                let point = [&[4], x, y].concat();
                parsed(ParsedPublicKey::new(algorithm, point)).map(|key| Imported::Ec(key_type, key))
            }
            KeyParts::Rsa { n, e } => {
                let numbers = RsaPublicKeyComponents { n, e };
                let pkcs1 = parsed(numbers.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256))?;
                // RFC 7518 §3.5: the salt is as long as the hash, MGF1 uses the same hash.
                let pss = parsed(numbers.to_parsed_public_key(&signature::RSA_PSS_2048_8192_SHA256))?;
                Ok(Imported::Rsa { pkcs1, pss })
            }
            KeyParts::Ed25519 { x } => parsed(ParsedPublicKey::new(&signature::ED25519, x)).map(Imported::Ed25519),
            _ => Err(SignatureError),
        }
        .map(Self)
    }

    /// The kind of key.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self.0 {
            Imported::Ec(key_type, _) => key_type,
            Imported::Rsa { .. } => KeyType::Rsa,
            Imported::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// Checks one signature: `R || S` of full length for EC (RFC 7518 §3.4), as long as the modulus
    /// for RSA (RFC 8017 §8.1.2, §8.2.2), 64 octets for Ed25519 (RFC 8032 §5.1.7).
    ///
    /// # Errors
    /// The signature does not verify, or the algorithm is none of this key's.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if algorithm.key_type() != self.key_type() {
            return Err(SignatureError);
        }
        let key = match (&self.0, algorithm) {
            (Imported::Ec(_, key), _) => key,
            (Imported::Rsa { pkcs1, .. }, Algorithm::Rs256) => pkcs1,
            (Imported::Rsa { pss, .. }, Algorithm::Ps256) => pss,
            (Imported::Ed25519(key), _) if !is_of_small_order(signature) => key,
            _ => return Err(SignatureError),
        };
        key.verify_sig(message, signature).map_err(|_| SignatureError)
    }
}

fn parsed<E>(key: Result<ParsedPublicKey, E>) -> Result<ParsedPublicKey, SignatureError> {
    key.map_err(|_| SignatureError)
}

/// ECDSA with signatures of fixed length, `R || S`.
const fn ecdsa(key_type: KeyType) -> Option<&'static EcdsaVerificationAlgorithm> {
    match key_type {
        KeyType::P256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
        KeyType::P384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
        KeyType::P521 => Some(&signature::ECDSA_P521_SHA512_FIXED),
        _ => None,
    }
}

/// Whether the `R` of an Ed25519 signature is of small order, or none at all: what a key may not be
/// either. AWS-LC does not ask.
fn is_of_small_order(signature: &[u8]) -> bool {
    let r = signature.first_chunk::<32>();
    r.is_none_or(|x| PublicKey::from_parts(KeyParts::Ed25519 { x }).is_err())
}
