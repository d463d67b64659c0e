//! The test body with `keybound-webcrypto`: in browsers, workers and Node.
#![cfg(target_family = "wasm")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use core::cell::RefCell;
use std::collections::HashMap;

use js_sys::{Function, Object, Reflect, global};
use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    key::{KeyParts, PublicKey},
    signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError, SignatureVerifier as _},
};
use keybound_provider_tests::{Provider, for_each_test};
use keybound_rustcrypto::RustCrypto;
use keybound_webcrypto::{ImportedKey, KeyPair, KeyPairError, VerifyError, WebCrypto};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};
use web_sys::CryptoKey;

/// What the engines that these tests run in can do: everything. An engine that cannot gets a line
/// here, so that neither a lack nor its end goes unnoticed.
fn expected_algorithms() -> AlgorithmSet {
    AlgorithmSet::ALL
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// The engine, for the log.
fn engine() -> String {
    let agent = get(&get(&global(), "navigator"), "userAgent");
    let node = get(&get(&get(&global(), "process"), "versions"), "node");
    node.as_string().map(|version| format!("Node {version}")).or_else(|| agent.as_string()).unwrap_or_default()
}

/// WebKitGTK with libgcrypt 1.10, whose `mulm_25519` aborts the web process.
fn is_webkitgtk() -> bool {
    let engine = engine();
    engine.contains("AppleWebKit") && engine.contains("Linux") && !engine.contains("Chrome")
}

struct Platform;

impl AsyncSignatureVerifier for Platform {
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        AsyncSignatureVerifier::verify(&WebCrypto, check).await
    }
}

impl Provider for Platform {
    fn algorithms(&self) -> AlgorithmSet {
        expected_algorithms()
    }

    fn dies_of_points_off_ed25519(&self) -> bool {
        is_webkitgtk()
    }
}

/// Imports each key once.
#[derive(Default)]
struct Imported(RefCell<HashMap<(String, Algorithm), ImportedKey>>);

impl AsyncSignatureVerifier for Imported {
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        let id = (check.key.thumbprint().to_base64url(), check.algorithm);
        let known = self.0.borrow().get(&id).cloned();
        let key = match known {
            Some(key) => key,
            None => {
                let key = ImportedKey::import(check.key, check.algorithm).await.map_err(|_| SignatureError)?;
                self.0.borrow_mut().insert(id, key.clone());
                key
            }
        };
        assert_eq!(key.algorithm(), check.algorithm);
        key.verify(check.message, check.signature).await.map_err(|_| SignatureError)
    }
}

impl Provider for Imported {
    fn algorithms(&self) -> AlgorithmSet {
        expected_algorithms()
    }

    fn dies_of_points_off_ed25519(&self) -> bool {
        is_webkitgtk()
    }
}

mod subtle_crypto {
    use super::*;

    macro_rules! tests {
        ($($name:ident)*) => {
            $(
                #[wasm_bindgen_test]
                async fn $name() {
                    console_log!("{}", keybound_provider_tests::$name(&Platform).await);
                }
            )*
        };
    }

    for_each_test!(tests);
}

mod imported_keys {
    use super::*;

    macro_rules! tests {
        ($($name:ident)*) => {
            $(
                #[wasm_bindgen_test]
                async fn $name() {
                    console_log!("{}", keybound_provider_tests::$name(&Imported::default()).await);
                }
            )*
        };
    }

    for_each_test!(tests);
}

#[wasm_bindgen_test]
async fn the_engine_has_the_algorithms_that_are_expected_of_it() {
    console_log!("{}", engine());
    assert_eq!(WebCrypto.algorithms().await, expected_algorithms());
}

#[wasm_bindgen_test]
async fn an_imported_ec_point_is_on_its_curve() {
    let key = PublicKey::from_parts(KeyParts::Ec {
        key_type: keybound_core::algorithm::KeyType::P256,
        x: &[1; 32],
        y: &[1; 32],
    });
    let imported = ImportedKey::import(&key.unwrap(), Algorithm::Es256).await;
    assert_eq!(imported.map(|_| ()), Err(VerifyError::Signature));
}

#[wasm_bindgen_test]
async fn generated_keys_sign_and_cannot_be_read() {
    for algorithm in expected_algorithms().iter() {
        let pair = KeyPair::generate(algorithm).await.unwrap();
        assert_eq!(pair.algorithm(), algorithm);
        assert_eq!(pair.public_key().key_type(), algorithm.key_type());

        let message = b"header.payload";
        let signature = pair.sign(message).await.unwrap();
        let key = pair.public_key();
        assert_eq!(signature.len(), key.signature_len(algorithm));
        let check = SignatureCheck { algorithm, key, message, signature: &signature };
        // One provider reads what the other wrote.
        assert_eq!(WebCrypto.check(check).await, Ok(()), "{algorithm:?}");
        assert_eq!(RustCrypto.verify(check), Ok(()), "{algorithm:?}");
        let other = SignatureCheck { message: b"header.other", ..check };
        assert_eq!(WebCrypto.check(other).await, Err(VerifyError::Signature));

        assert!(!pair.private_crypto_key().extractable());
        let again =
            KeyPair::from_crypto_keys(pair.private_crypto_key().clone(), pair.public_crypto_key().clone(), algorithm);
        assert_eq!(again.await.unwrap().public_key(), key);
        console_log!("{}: generated, signed, verified by both", algorithm.name());
    }
}

#[wasm_bindgen_test]
async fn what_is_no_signing_pair_is_refused() {
    let subtle = get(&get(&global(), "crypto"), "subtle");
    let generate = |parameters: &str, extractable: bool, usages: [&str; 2]| {
        let call = get(&subtle, "generateKey").unchecked_into::<Function>();
        let usages: js_sys::Array = usages.into_iter().map(JsValue::from).collect();
        let promise = call
            .call3(&subtle, &js_sys::JSON::parse(parameters).unwrap(), &extractable.into(), &usages)
            .unwrap()
            .unchecked_into::<js_sys::Promise>();
        async move {
            let pair = js_sys::futures::JsFuture::from(promise).await.unwrap();
            let half = |name| get(&pair, name).unchecked_into::<CryptoKey>();
            (half("privateKey"), half("publicKey"))
        }
    };
    let p256 = r#"{"name":"ECDSA","namedCurve":"P-256"}"#;
    let (private, public) = generate(p256, true, ["sign", "verify"]).await;
    let pair = async |private: &CryptoKey, public: &CryptoKey, algorithm| {
        KeyPair::from_crypto_keys(private.clone(), public.clone(), algorithm).await.map(|_| ())
    };
    assert_eq!(pair(&private, &public, Algorithm::Es256).await, Err(KeyPairError::Extractable));

    let (private, public) = generate(p256, false, ["sign", "verify"]).await;
    assert_eq!(pair(&private, &public, Algorithm::Es256).await, Ok(()));
    assert_eq!(pair(&private, &public, Algorithm::Es384).await, Err(KeyPairError::NotAPair));
    assert_eq!(pair(&public, &private, Algorithm::Es256).await, Err(KeyPairError::NotAPair));
    assert_eq!(pair(&private, &private, Algorithm::Es256).await, Err(KeyPairError::NotAPair));
    let nothing = JsValue::UNDEFINED.unchecked_into::<CryptoKey>();
    assert_eq!(pair(&nothing, &public, Algorithm::Es256).await, Err(KeyPairError::NotAPair));

    let ecdh = r#"{"name":"ECDH","namedCurve":"P-256"}"#;
    let (private, public) = generate(ecdh, false, ["deriveBits", "deriveKey"]).await;
    assert_eq!(pair(&private, &public, Algorithm::Es256).await, Err(KeyPairError::NotAPair));
}

/// Replaces `crypto` of the global object while a function runs.
async fn with_crypto<T>(crypto: &JsValue, run: impl AsyncFnOnce() -> T) -> T {
    let name = JsValue::from("crypto");
    let before = Object::get_own_property_descriptor(&global(), &name);
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"value".into(), crypto).unwrap();
    Reflect::set(&descriptor, &"configurable".into(), &true.into()).unwrap();
    Object::define_property(&global(), &name, &descriptor);
    let result = run().await;
    if before.is_undefined() {
        // It was inherited.
        Reflect::delete_property(&global(), &name).unwrap();
    } else {
        Object::define_property(&global(), &name, before.unchecked_ref());
    }
    result
}

#[wasm_bindgen_test]
async fn a_missing_engine_is_told_from_a_wrong_signature() {
    let pair = KeyPair::generate(Algorithm::Es256).await.unwrap();
    let check = SignatureCheck {
        algorithm: Algorithm::Es256,
        key: pair.public_key(),
        message: b"message",
        signature: &[1; 64],
    };
    assert_eq!(WebCrypto.check(check).await, Err(VerifyError::Signature));
    assert!(!VerifyError::Signature.is_unavailable());

    // Insecure contexts have `crypto` without `subtle`.
    for crypto in [JsValue::UNDEFINED, JsValue::NULL, Object::new().into(), JsValue::from(7)] {
        with_crypto(&crypto, async || {
            let error = WebCrypto.check(check).await;
            assert_eq!(error, Err(VerifyError::NoSubtleCrypto));
            assert!(error.unwrap_err().is_unavailable());
            assert_eq!(pair.sign(b"message").await, Err(KeyPairError::NoSubtleCrypto));
            let pair = KeyPair::generate(Algorithm::Es256).await;
            assert_eq!(pair.map(|_| ()), Err(KeyPairError::NoSubtleCrypto));
            assert!(WebCrypto.algorithms().await.is_empty());
        })
        .await;
    }

    // One that has no methods, throws, or rejects.
    for subtle in [
        "({})",
        "({ importKey() { throw new DOMException('no', 'NotSupportedError') } })",
        "({ async importKey() { throw new DOMException('no', 'NotSupportedError') } })",
    ] {
        let crypto = Object::new();
        let subtle = Function::new_no_args(&format!("return {subtle}")).call0(&JsValue::UNDEFINED);
        Reflect::set(&crypto, &"subtle".into(), &subtle.unwrap()).unwrap();
        with_crypto(&crypto, async || {
            let error = WebCrypto.check(check).await;
            assert_eq!(error, Err(VerifyError::UnsupportedAlgorithm));
            assert!(error.unwrap_err().is_unavailable());
            assert!(!WebCrypto.supports(Algorithm::Ed25519).await);
        })
        .await;
    }

    // And here it is again.
    assert!(WebCrypto.supports(Algorithm::Es256).await);
}
