//! DPoP proofs (RFC 9449 §4): building one and checking one.

#[cfg(feature = "client")]
pub mod build;
#[cfg(feature = "server")]
pub mod check;

/// The only value of a proof's `typ` header, compared exactly (RFC 9449 §4.2, §11.5).
pub const PROOF_TYPE: &str = "dpop+jwt";
