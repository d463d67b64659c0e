//! The asynchronous API for Rust, natively: both roles, their surroundings, and what they answer.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc
)]

mod keys;
mod resource_server;
mod support;
mod token_endpoint;
