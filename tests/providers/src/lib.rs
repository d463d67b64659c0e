//! One test body for every signature provider.
//!
//! The functions here are the tests; [`for_each_test`] names them all. Each returns a line that says
//! what it counted. They run
//! - with `keybound-rustcrypto` natively (`tests/rustcrypto.rs`) and in WebAssembly
//!   (`tests/rustcrypto_wasm.rs`): `cargo test`, `wasm-pack test --node`;
//! - with `keybound-aws-lc` natively (`tests/aws_lc.rs`);
//! - with `keybound-webcrypto` (`tests/webcrypto.rs`) in Node, and in pages and workers of Chromium and
//!   Firefox: `WASM_BINDGEN_USE_BROWSER=1 wasm-pack test --headless --chrome`, or
//!   `WASM_BINDGEN_USE_DEDICATED_WORKER`, `WASM_BINDGEN_USE_SERVICE_WORKER`. Without one of these
//!   variables the runner skips every test and calls that a success;
//! - with the same in WebKitGTK, whose driver passes for Safari's: `WASM_BINDGEN_USE_BROWSER=1
//!   WASM_BINDGEN_TEST_WEBDRIVER_JSON=webkit.json xvfb-run -a wasm-pack test --headless --safari
//!   --safaridriver /usr/bin/WebKitWebDriver`;
//! - with the same in workerd: `workerd/worker.js` says how.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a failed test panics"
)]

mod cases;
mod ed25519;
mod figures;
mod vectors;
mod wycheproof;

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    key::PublicKey,
    signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError, SignatureVerifier},
};

pub use cases::*;
pub use ed25519::*;
pub use figures::*;
pub use wycheproof::*;

/// Calls a macro with the names of all tests.
#[macro_export]
macro_rules! for_each_test {
    ($define:ident) => {
        $define! {
            es256_agrees_with_wycheproof
            es384_agrees_with_wycheproof
            es512_agrees_with_wycheproof
            rs256_agrees_with_wycheproof
            ps256_agrees_with_wycheproof
            ed25519_agrees_with_wycheproof_under_both_names
            another_hash_salt_padding_or_encoding_is_refused
            high_s_is_valid
            der_is_refused
            any_other_length_is_refused
            r_and_s_out_of_range_are_refused
            a_point_off_its_curve_is_refused
            a_changed_message_or_signature_is_refused
            a_key_serves_its_own_algorithms_only
            rsa_keys_out_of_bounds_are_refused
            ed25519_small_order_keys_are_no_keys
            ed25519_is_checked_without_cofactor
            the_proofs_of_rfc_9449_verify
            the_certificates_of_rfc_8705_and_rfc_9440_verify
            published_keys_have_their_thumbprints
        }
    };
}

/// A provider, and what it can do.
pub trait Provider: AsyncSignatureVerifier {
    /// The algorithms that it must be able to check. Signatures of all others it must refuse.
    fn algorithms(&self) -> AlgorithmSet;

    /// Whether the engine ends the process when it is given an Ed25519 key that is no point, so that
    /// it cannot be tried.
    fn dies_of_points_off_ed25519(&self) -> bool {
        false
    }
}

/// A provider that answers at once.
#[derive(Clone, Copy, Debug)]
pub struct Immediate<V>(pub V, pub AlgorithmSet);

impl<V: SignatureVerifier> AsyncSignatureVerifier for Immediate<V> {
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        self.0.verify(check)
    }
}

impl<V: SignatureVerifier> Provider for Immediate<V> {
    fn algorithms(&self) -> AlgorithmSet {
        self.1
    }
}

async fn verifies<P: Provider>(
    provider: &P,
    algorithm: Algorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    provider.verify(SignatureCheck { algorithm, key, message, signature }).await.is_ok()
}
