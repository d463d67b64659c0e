//! Making ES256 signatures: native clients and tests. Browsers sign with SubtleCrypto, whose keys cannot be read.

use keybound_core::{
    algorithm::KeyType,
    key::{KeyParts, PublicKey},
};
use signature::Signer;

/// The octets are no secret key of P-256: zero, or not below the order of the group. Of random octets
/// about one draw in 2^32 is; draw again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretKeyError;

impl core::fmt::Display for SecretKeyError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the octets are no P-256 secret key; draw again")
    }
}

impl core::error::Error for SecretKeyError {}

/// An ES256 key pair. Its secret is overwritten when it is dropped; it is neither printed nor cloned.
///
/// ```
/// use keybound_core::{algorithm::Algorithm, signature::{SignatureCheck, SignatureVerifier}};
/// use keybound_rustcrypto::{RustCrypto, SigningKey};
///
/// let octets = [7; 32]; // of the system's random generator, in earnest
/// let key = SigningKey::from_secret(&octets).unwrap();
/// let signature = key.sign(b"header.payload");
/// let check = SignatureCheck {
///     algorithm: Algorithm::Es256,
///     key: key.public_key(),
///     message: b"header.payload",
///     signature: &signature,
/// };
/// assert!(RustCrypto.verify(check).is_ok());
/// ```
pub struct SigningKey {
    secret: p256::ecdsa::SigningKey,
    public: PublicKey,
}

impl SigningKey {
    /// A key pair from 32 secret octets: uniformly random ones for a new key, or the `d` of a JWK
    /// (RFC 7518 §6.2.2.1).
    ///
    /// # Errors
    /// The octets are out of range; see [`SecretKeyError`].
    pub fn from_secret(octets: &[u8; 32]) -> Result<Self, SecretKeyError> {
        let secret = p256::ecdsa::SigningKey::from_slice(octets).map_err(|_| SecretKeyError)?;
        let point = secret.verifying_key().to_sec1_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else {
            return Err(SecretKeyError);
        };
        let public =
            PublicKey::from_parts(KeyParts::Ec { key_type: KeyType::P256, x, y }).map_err(|_| SecretKeyError)?;
        Ok(Self { secret, public })
    }

    /// The public half: the `jwk` of a proof, and with its thumbprint the `jkt` of a token.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs with ES256: `R || S` (RFC 7518 §3.4), with the deterministic nonce of RFC 6979 §3.2.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: p256::ecdsa::Signature = self.secret.sign(message);
        signature.to_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::SigningKey;

    // RFC 6979 appendix A.2.5, SHA-256, message "sample".
    const SECRET: [u8; 32] = *b"\xc9\xaf\xa9\xd8\x45\xba\x75\x16\x6b\x5c\x21\x57\x67\xb1\xd6\x93\x4e\x50\xc3\xdb\x36\xe8\x9b\x12\x7b\x8a\x62\x2b\x12\x0f\x67\x21";
    const SIGNATURE: [u8; 64] = *b"\xef\xd4\x8b\x2a\xac\xb6\xa8\xfd\x11\x40\xdd\x9c\xd4\x5e\x81\xd6\x9d\x2c\x87\x7b\x56\xaa\xf9\x91\xc3\x4d\x0e\xa8\x4e\xaf\x37\x16\xf7\xcb\x1c\x94\x2d\x65\x7c\x41\xd4\x36\xc7\xa1\xb6\xe2\x9f\x65\xf3\xe9\x00\xdb\xb9\xaf\xf4\x06\x4d\xc4\xab\x2f\x84\x3a\xcd\xa8";

    #[test]
    fn signatures_are_those_of_rfc_6979() {
        let signature = SigningKey::from_secret(&SECRET).map(|key| key.sign(b"sample"));
        assert_eq!(signature, Ok(SIGNATURE));
    }

    #[test]
    fn a_secret_out_of_range_is_refused() {
        assert!(SigningKey::from_secret(&[0; 32]).is_err());
        assert!(SigningKey::from_secret(&[0xff; 32]).is_err());
    }
}
