//! The server's side: may this request use its token? (RFC 9449 §4.3 and §7, RFC 8705 §3)
//!
//! [`resource_server`] is the chain of decisions, each step a type that only the one before gives:
//!
//! ```text
//! Presented ── nonce ──> Parsed ── signatures ──> Signed ── possession ──> Possessed ── replay ──> Accepted
//! ```
//!
//! [`token_endpoint`] is the same for an authorization server, which issues the token.
//! Only the last hands out the token's claims, so that no check can be left out by mistake.

pub mod answer;
pub mod certificate;
pub mod confirmation;
pub mod jwks;
pub mod nonce;
pub mod policy;
mod proof_stage;
pub mod reason;
pub mod replay;
pub mod request;
pub mod resource_server;
pub mod token;
pub mod token_endpoint;
