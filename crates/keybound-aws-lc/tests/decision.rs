//! A resource server's whole decision through AWS-LC, and that it is the decision of pure Rust.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core
)]

use keybound_aws_lc::AwsLc;
use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    base64url,
    proof::build::{AccessTokenHash, ProofRequest, ProofTemplate},
    server::{
        certificate::CertificateReading,
        jwks::Jwks,
        nonce::NonceStatus,
        reason::Reason,
        replay::MemoryReplay,
        request::Request,
        resource_server::{ResourcePolicy, Surroundings, TokenCheck, authenticate},
        token::{Profile, TokenPolicy},
    },
    signature::SignatureVerifier,
    time::Timestamp,
};
use keybound_rustcrypto::{RustCrypto, SigningKey};

const URL: &str = "https://rs.example/items";
const NOW: i64 = 1_780_000_000;

fn key(octet: u8) -> SigningKey {
    SigningKey::from_secret(&[octet; 32]).unwrap()
}

fn token(issuer: &SigningKey, client: &SigningKey) -> String {
    let header = r#"{"typ":"at+jwt","alg":"ES256"}"#;
    let claims = format!(
        r#"{{"iss":"https://as.example","aud":"https://rs.example","sub":"ada","client_id":"app","jti":"t","iat":{NOW},"exp":{},"cnf":{{"jkt":"{}"}}}}"#,
        NOW + 300,
        client.public_key().thumbprint().to_base64url()
    );
    let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()));
    let signature = base64url::encode(&issuer.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn proof(client: &SigningKey, token: &str) -> String {
    let template = ProofTemplate::new(Algorithm::Es256, client.public_key().clone()).unwrap();
    let ath = AccessTokenHash::of(token).unwrap();
    let request = ProofRequest { access_token: Some(&ath), ..ProofRequest::new("GET", URL, NOW, &[1; 16]) };
    let input = template.signing_input(&request).unwrap();
    let signature = client.sign(input.as_bytes());
    template.finish(input, &signature).unwrap()
}

struct Server {
    jwks: [Jwks; 1],
    policy: TokenPolicy,
}

impl Server {
    fn of(issuer: &SigningKey) -> Self {
        let jwks = Jwks::parse(&format!(r#"{{"keys":[{}]}}"#, issuer.public_key().to_jwk())).unwrap();
        let policy = TokenPolicy {
            issuers: vec!["https://as.example".into()],
            audiences: vec!["https://rs.example".into()],
            algorithms: AlgorithmSet::ALL,
            profile: Profile::Rfc9068,
            types: Vec::new(),
        };
        Self { jwks: [jwks], policy }
    }

    fn ask<V: SignatureVerifier>(
        &self,
        verifier: &V,
        token: &str,
        proof: &str,
        replay: &mut MemoryReplay,
    ) -> Result<(), Reason> {
        let authorization = format!("DPoP {token}");
        let nonce = |_: &str| NonceStatus::Unknown;
        authenticate(
            &Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[proof] },
            &ResourcePolicy::default(),
            TokenCheck::Jwt(&self.policy, &self.jwks),
            Timestamp::from_seconds(NOW),
            Surroundings { verifier, replay, nonce, certificate: CertificateReading::Absent },
        )
        .map(|_| ())
    }
}

#[test]
fn a_request_is_accepted_once_with_its_own_key_and_a_token_of_the_issuer_only() {
    let (issuer, client) = (key(1), key(2));
    let server = Server::of(&issuer);
    let token = token(&issuer, &client);
    let replay = &mut MemoryReplay::new(100, 100);
    let mut ask = |token: &str, proof: &str| server.ask(&AwsLc, token, proof, replay);

    assert_eq!(ask(&token, &proof(&client, &token)), Ok(()));
    assert_eq!(ask(&token, &proof(&client, &token)), Err(Reason::ProofReplayed));
    assert_eq!(ask(&token, &proof(&key(3), &token)), Err(Reason::JktMismatch));
    let forged = self::token(&key(3), &client);
    assert_eq!(ask(&forged, &proof(&client, &forged)), Err(Reason::TokenSignatureInvalid));
}

#[test]
fn of_every_changed_request_pure_rust_says_the_same() {
    let (issuer, client) = (key(1), key(2));
    let server = Server::of(&issuer);
    let token = token(&issuer, &client);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    let alphabet = b"ABCXYZabcxyz0189-_";
    let mut change = |jws: &str, from: usize| {
        let mut octets = jws.as_bytes().to_vec();
        let at = from + random(octets.len() - from);
        octets[at] = alphabet[random(alphabet.len())];
        String::from_utf8(octets).unwrap()
    };
    let mut signatures = 0;
    for round in 0..300 {
        // Half of the changes are within the signature, which nothing else looks at.
        let from = |jws: &str| if round % 2 == 0 { jws.len() - 86 } else { 0 };
        let changed = if round % 4 < 2 { change(&token, from(&token)) } else { token.clone() };
        let good = proof(&client, &changed);
        let proof = if round % 4 < 2 { good } else { change(&good, from(&good)) };
        let fresh = || MemoryReplay::new(10, 10);
        let said = server.ask(&AwsLc, &changed, &proof, &mut fresh());
        assert_eq!(said, server.ask(&RustCrypto, &changed, &proof, &mut fresh()), "{changed} {proof}");
        let is_same = changed == token && proof == self::proof(&client, &token);
        assert_eq!(said.is_ok(), is_same, "{changed} {proof}");
        signatures += usize::from(matches!(said, Err(Reason::TokenSignatureInvalid | Reason::ProofSignatureInvalid)));
    }
    assert!(signatures > 100, "{signatures} came as far as a signature");
}
