//! The test body with `keybound-aws-lc`.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use keybound_aws_lc::{AwsLc, PreparedKey};
use keybound_core::{
    algorithm::AlgorithmSet,
    signature::{SignatureCheck, SignatureError, SignatureVerifier},
};
use keybound_provider_tests::{Immediate, for_each_test};

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
                let provider = Immediate(AwsLc, AlgorithmSet::ALL);
                println!("{}", finished(keybound_provider_tests::$name(&provider)));
            }
        )*
    };
}

for_each_test!(tests);

#[test]
fn every_algorithm_is_there() {
    assert_eq!(AwsLc::ALGORITHMS, AlgorithmSet::ALL);
}

#[test]
fn a_prepared_key_checks_what_a_fresh_one_does() {
    struct Twice;
    impl SignatureVerifier for Twice {
        fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
            let key = PreparedKey::import(check.key)?;
            assert_eq!(key.key_type(), check.key.key_type());
            let first = key.verify(check.algorithm, check.message, check.signature);
            let second = key.clone().verify(check.algorithm, check.message, check.signature);
            assert_eq!(first, second);
            assert_eq!(first, AwsLc.verify(check));
            first
        }
    }
    let provider = Immediate(Twice, AlgorithmSet::ALL);
    println!("{}", finished(keybound_provider_tests::a_key_serves_its_own_algorithms_only(&provider)));
}
