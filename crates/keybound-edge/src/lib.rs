#![doc = include_str!("../README.md")]
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
// Natively there is no need for an allocator and a panic handler of our own; the `worker` crate has std anyway.
#[cfg(any(not(target_family = "wasm"), feature = "worker"))]
extern crate std;

pub mod cache;
pub mod engine;
pub mod reply;
pub mod resource_server;
pub mod surroundings;
pub mod token_endpoint;
pub mod token_engine;
#[cfg(feature = "webcrypto")]
pub mod webcrypto;
#[cfg(feature = "worker")]
pub mod workers;

mod both;
mod config;
mod cors;
mod issuer_keys;
mod lru;
mod pending;
mod pending_check;
mod public_url;
mod shared;

pub use self::{
    config::ConfigError, cors::Cors, public_url::PublicUrl, resource_server::ResourceServer,
    token_endpoint::TokenEndpoint,
};

#[cfg(feature = "npm")]
mod npm;
