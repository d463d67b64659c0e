//! The protocol of sender-constrained OAuth tokens, and nothing that does I/O.
//!
//! A token that is bound to a key is of no use to whoever steals it: DPoP (RFC 9449) binds it to a
//! key that the client proves to hold with a signed JWT for each request, mutual TLS (RFC 8705) to
//! the certificate of the connection. This crate knows both: it builds and checks proofs, decides
//! about requests at a resource server and a token endpoint, and drives a client through nonces
//! and retries.
//!
//! It has no clock, no randomness, no network and no storage. Time, random octets, keys' public
//! halves, nonces and certificates are handed in; what must happen next (check this signature,
//! claim this replay mark, retry with this nonce) is handed out as data.
//!
//! | feature | what it brings |
//! |---|---|
//! | `client` | building proofs ([`proof::build`]) and the client state machine ([`client`]) |
//! | `server` | checking proofs ([`proof::check`]), tokens, nonces and certificates ([`server`]) |
//!
//! [`server`] shows both of its roles whole: in one call with a synchronous verifier, and step by step.
//! For asynchronous Rust, and for workers, `keybound-edge` carries the steps out.
#![no_std]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod algorithm;
pub mod base64url;
pub mod challenge;
#[cfg(feature = "client")]
pub mod client;
pub mod json;
#[cfg(feature = "server")]
pub mod jws;
pub mod key;
pub mod nonce_syntax;
pub mod proof;
#[cfg(feature = "server")]
pub mod server;
pub mod sha256;
pub mod signature;
pub mod target_uri;
pub mod thumbprint;
pub mod time;

mod hex;

/// The examples of the README are tests.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../README.md")]
struct Readme;
