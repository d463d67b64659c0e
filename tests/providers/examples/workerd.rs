//! The test body with `keybound-webcrypto` in workerd, which wasm-bindgen's test runner does not know.
//! `workerd/worker.js` calls it, see there.
#![allow(clippy::panic, unreachable_pub, reason = "a failed test panics; wasm-bindgen exports what is pub")]

#[cfg(target_family = "wasm")]
mod exports {
    use keybound_core::{
        algorithm::AlgorithmSet,
        signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError},
    };
    use keybound_provider_tests::{Provider, for_each_test};
    use keybound_webcrypto::{KeyPair, WebCrypto};
    use wasm_bindgen::prelude::wasm_bindgen;

    struct Platform;

    impl AsyncSignatureVerifier for Platform {
        async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
            AsyncSignatureVerifier::verify(&WebCrypto, check).await
        }
    }

    impl Provider for Platform {
        fn algorithms(&self) -> AlgorithmSet {
            AlgorithmSet::ALL
        }
    }

    macro_rules! tests {
        ($($name:ident)*) => {
            /// The names of the tests, separated by blanks.
            #[wasm_bindgen]
            pub fn names() -> String {
                concat!($(stringify!($name), " "),*, "algorithms generated_keys").into()
            }

            /// Runs one of them. A failed one traps.
            #[wasm_bindgen]
            pub async fn run(name: String) -> String {
                match name.as_str() {
                    $(stringify!($name) => keybound_provider_tests::$name(&Platform).await,)*
                    "algorithms" => algorithms().await,
                    "generated_keys" => generated_keys().await,
                    _ => panic!("no test {name}"),
                }
            }
        };
    }

    for_each_test!(tests);

    async fn algorithms() -> String {
        let set = WebCrypto.algorithms().await;
        assert_eq!(set, AlgorithmSet::ALL);
        format!("{} algorithms", set.iter().count())
    }

    async fn generated_keys() -> String {
        for algorithm in AlgorithmSet::ALL.iter() {
            let pair = KeyPair::generate(algorithm).await.unwrap_or_else(|error| panic!("{algorithm:?} {error}"));
            let message = b"header.payload";
            let signature = pair.sign(message).await.unwrap_or_else(|error| panic!("{algorithm:?} {error}"));
            let check = SignatureCheck { algorithm, key: pair.public_key(), message, signature: &signature };
            assert_eq!(WebCrypto.check(check).await, Ok(()));
        }
        "7 key pairs".into()
    }
}
