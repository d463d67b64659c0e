//! What must hold for any input, tried with many: parsers against independent ones, writers against readers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc
)]

mod base64url;
mod challenge;
mod json;
mod nonce;
mod target_uri;
mod time;

use proptest::test_runner::Config;

/// So many inputs for a property. One that fails is printed, and belongs into a test of its own.
fn cases(number: u32) -> Config {
    Config { cases: number, failure_persistence: None, ..Config::default() }
}
