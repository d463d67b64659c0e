//! The test body with `keybound-rustcrypto` compiled to WebAssembly: big numbers have other limbs
//! there. What is left out takes long unoptimised, and nothing in it depends on the target.
#![cfg(target_family = "wasm")]

use keybound_core::algorithm::AlgorithmSet;
use keybound_provider_tests::Immediate;
use keybound_rustcrypto::RustCrypto;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[wasm_bindgen_test]
            async fn $name() {
                let provider = Immediate(RustCrypto, AlgorithmSet::ALL);
                console_log!("{}", keybound_provider_tests::$name(&provider).await);
            }
        )*
    };
}

tests! {
    es256_agrees_with_wycheproof
    ps256_agrees_with_wycheproof
    ed25519_agrees_with_wycheproof_under_both_names
    high_s_is_valid
    any_other_length_is_refused
    r_and_s_out_of_range_are_refused
    a_point_off_its_curve_is_refused
    a_changed_message_or_signature_is_refused
    a_key_serves_its_own_algorithms_only
    ed25519_is_checked_without_cofactor
}
