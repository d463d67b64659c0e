//! Proofs up to their signature: what a client builds is read by a server, and what a server reads is
//! for that request. See `src/script.rs` for the input; nothing is signed here.
#![no_main]

use keybound_core::{
    algorithm::Algorithm,
    json::Object,
    key::PublicKey,
    proof::{
        build::{AccessTokenHash, Claim, ProofRequest, ProofTemplate},
        check::{self, ExpectedRequest, ProofPolicy},
    },
    target_uri::TargetUri,
    time::Timestamp,
};
use keybound_fuzz::{
    script::{Script, Step},
    world,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else { return };
    for step in &Script::read(text).steps {
        read(step);
        build(step);
    }
});

fn read(step: &Step<'_>) {
    let made = world::make(step, false);
    let Ok(target) = TargetUri::parse(&made.url) else { return };
    let policy = ProofPolicy::DEFAULT;
    let expected = ExpectedRequest { method: &made.method, target: &target, access_token_hash: None, now: made.now };
    for field in &made.dpop {
        let Ok(parsed) = check::parse(field, &policy, &expected) else { continue };
        let check = parsed.signature_check();
        assert!(check.algorithm.key_type() == check.key.key_type());
        assert_eq!(check.signature.len(), check.key.signature_len(check.algorithm));
        assert!(field.as_bytes().starts_with(check.message));
        assert_eq!(parsed.thumbprint(), check.key.thumbprint());
        // Of another method or at another place it is none.
        let other = format!("{}x", made.method);
        assert!(check::parse(field, &policy, &ExpectedRequest { method: &other, ..expected }).is_err());
        let elsewhere = TargetUri::parse("https://elsewhere.example/x").expect("a URI");
        if elsewhere.difference(&target).is_some() {
            assert!(check::parse(field, &policy, &ExpectedRequest { target: &elsewhere, ..expected }).is_err());
        }
        let tomorrow = made.now.plus_seconds(86_400);
        if tomorrow != made.now {
            assert!(check::parse(field, &policy, &ExpectedRequest { now: tomorrow, ..expected }).is_err());
        }
        let verified = parsed.verified(Ok(())).expect("we say so");
        assert!(!verified.jti().is_empty());
        assert!(serde_json::from_str::<serde_json::Value>(verified.claims_json()).is_ok());
    }
}

/// A client with this request, nonce and further claim.
fn build(step: &Step<'_>) {
    let (own, _) = world::clients(step.key);
    let key = PublicKey::from_jwk(&own.jwk).expect("our own");
    let template = ProofTemplate::new(Algorithm::Es256, key).expect("ES256 with P-256");
    let issued_at = step.now.parse::<i64>().unwrap_or(1_780_000_000).clamp(-9_000_000_000, 9_000_000_000_000);
    let token = step.authorization.first().map_or("", |field| field.trim_start_matches("DPoP "));
    let hash = AccessTokenHash::of(token).ok();
    let claims = [Claim { name: step.proof_damage, json: step.proof_claims }];
    let request = ProofRequest {
        access_token: hash.as_ref(),
        nonce: Some(step.nonce).filter(|nonce| !nonce.is_empty()),
        claims: if step.edits.is_empty() { &[] } else { &claims },
        ..ProofRequest::new(step.method, step.url, issued_at, &[7; 16])
    };
    let Ok(input) = template.signing_input(&request) else { return };
    let proof = template.finish(input, &[1; 64]).expect("64 octets");
    // A client leaves userinfo out; the server never sees it.
    let url = keybound_core::target_uri::for_request(step.url).expect("it was signed").wire_form();
    let target = TargetUri::parse(&url).expect("what is signed is read");
    let digest = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(token)).into();
    let expected = ExpectedRequest {
        method: step.method,
        target: &target,
        access_token_hash: hash.as_ref().map(|_| &digest),
        now: Timestamp::from_seconds(issued_at),
    };
    let policy = ProofPolicy { max_proof_bytes: usize::MAX, ..ProofPolicy::DEFAULT };
    let read = check::parse(&proof, &policy, &expected);
    // Whether a further claim's value is strict JSON is its caller's word.
    let claim = format!("{{\"claim\":{}}}", step.proof_claims);
    let strict = Object::parse(claim.as_bytes()).is_ok_and(|object| object.len() == 1);
    if step.edits.is_empty() || strict {
        let read = read.expect("what is built is read");
        assert_eq!(read.nonce(), request.nonce);
        assert_eq!(read.thumbprint(), template.key().thumbprint());
    }
}
