//! The test body with `keybound-rustcrypto`, natively.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
};
use keybound_provider_tests::{Immediate, for_each_test};
use keybound_rustcrypto::{PreparedKey, RustCrypto, SigningKey};

/// A future that waits for nothing.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("software signatures wait for nothing"),
    }
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let provider = Immediate(RustCrypto, AlgorithmSet::ALL);
                println!("{}", finished(keybound_provider_tests::$name(&provider)));
            }
        )*
    };
}

for_each_test!(tests);

#[test]
fn with_all_features_every_algorithm_is_there() {
    assert_eq!(RustCrypto::ALGORITHMS, AlgorithmSet::ALL);
}

#[test]
fn a_prepared_key_checks_what_a_fresh_one_does() {
    struct Twice;
    impl SignatureVerifier for Twice {
        fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
            let key = PreparedKey::import(check.key)?;
            assert_eq!(key.key_type(), check.key.key_type());
            let first = key.verify(check.algorithm, check.message, check.signature);
            let second = key.verify(check.algorithm, check.message, check.signature);
            assert_eq!(first, second);
            assert_eq!(first, RustCrypto.verify(check));
            first
        }
    }
    let provider = Immediate(Twice, AlgorithmSet::ALL);
    println!("{}", finished(keybound_provider_tests::a_key_serves_its_own_algorithms_only(&provider)));
}

#[test]
fn a_signature_of_the_signing_key_verifies() {
    for octet in 1..=32 {
        let key = SigningKey::from_secret(&[octet; 32]).unwrap();
        let message = [octet; 100];
        let signature = key.sign(&message);
        assert_eq!(signature, key.sign(&message), "RFC 6979 signatures are deterministic");
        let check = SignatureCheck {
            algorithm: Algorithm::Es256,
            key: key.public_key(),
            message: &message,
            signature: &signature,
        };
        assert_eq!(RustCrypto.verify(check), Ok(()));
    }
}
