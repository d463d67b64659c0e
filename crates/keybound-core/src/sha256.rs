//! SHA-256, the only hash of DPoP and of certificate thumbprints (RFC 9449 §11.10, RFC 8705 §3.1).

use sha2::{Digest, Sha256};

/// The SHA-256 of some octets.
#[must_use]
pub fn digest(octets: &[u8]) -> [u8; 32] {
    Sha256::digest(octets).into()
}

/// The SHA-256 of several parts one after the other.
#[must_use]
pub fn digest_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
