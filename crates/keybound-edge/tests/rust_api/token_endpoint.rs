//! What a token endpoint binds tokens to, and its answers.

use std::cell::RefCell;

use keybound_core::{
    server::{
        certificate::CertificateReading,
        reason::{OAuthError, Reason},
        replay::MemoryReplay,
        token_endpoint::{Grant, TokenRequest},
    },
    thumbprint::Thumbprint,
    time::Timestamp,
};
use keybound_edge::{
    TokenEndpoint, reply::Rejected, surroundings::Surroundings, token_endpoint::Binding, token_engine::TokenConfig,
};
use pollster::block_on;

use crate::support::{About, NOW, Signer, VERIFIER, value};

const TOKEN_URL: &str = "https://as.example/token";

struct World {
    endpoint: TokenEndpoint,
    client: Signer,
    replay: RefCell<MemoryReplay>,
}

impl World {
    fn new(config: TokenConfig) -> Self {
        let replay = RefCell::new(MemoryReplay::new(100, 100));
        Self { endpoint: TokenEndpoint::new(config).unwrap(), client: Signer::new(3), replay }
    }

    fn proof(&self, nonce: Option<&str>) -> String {
        self.client.proof(About { method: "POST", url: TOKEN_URL, token: None, nonce, now: NOW })
    }

    fn bind(&self, dpop: &[&str], grant: &Grant, certificate: CertificateReading) -> Result<Binding, Rejected> {
        let request = TokenRequest { method: "POST", url: TOKEN_URL, dpop };
        let now = Timestamp::from_seconds(NOW);
        let around = Surroundings::new(now, &VERIFIER, &(), &self.replay).with_certificate(certificate);
        block_on(self.endpoint.bind(&request, grant, around))
    }
}

#[test]
fn a_token_is_bound_to_the_proofs_key_after_one_round_for_a_nonce() {
    let world = World::new(TokenConfig::default().with_nonces(vec![vec![7; 32]], 60).unwrap());
    let (grant, absent) = (Grant::default(), CertificateReading::Absent);
    let challenged = world.bind(&[&world.proof(None)], &grant, absent).unwrap_err();
    assert_eq!(challenged.error(), Some(OAuthError::UseDpopNonce));
    let reply = challenged.into_reply();
    // RFC 9449 §8: 400, and no challenge.
    assert_eq!((reply.status, value(&reply.fields, "WWW-Authenticate")), (400, None));
    let proof = world.proof(value(&reply.fields, "DPoP-Nonce"));
    let binding = world.bind(&[&proof], &grant, absent).unwrap();
    assert_eq!(binding.token_type(), "DPoP");
    assert_eq!(binding.cnf_json(), Some(format!(r#"{{"jkt":"{}"}}"#, world.client.jkt())));
    assert_eq!(world.bind(&[&proof], &grant, absent).unwrap_err().reason(), Reason::ProofReplayed);
}

#[test]
fn a_grant_of_another_key_is_refused_and_a_certificate_binds_as_well() {
    let world = World::new(TokenConfig::default());
    let other = Grant { dpop_jkt: Some(Thumbprint::from_bytes([1; 32])), ..Grant::default() };
    let refused = world.bind(&[&world.proof(None)], &other, CertificateReading::Absent).unwrap_err();
    assert_eq!((refused.reason(), refused.error()), (Reason::GrantKeyMismatch, Some(OAuthError::InvalidGrant)));

    let certificate = Thumbprint::from_bytes([5; 32]);
    let grant = Grant { bind_certificate: true, ..Grant::default() };
    let bound = world.bind(&[], &grant, CertificateReading::Certificate(certificate)).unwrap();
    assert_eq!(bound.token_type(), "Bearer");
    assert_eq!(bound.cnf_json(), Some(format!(r#"{{"x5t#S256":"{}"}}"#, certificate.to_base64url())));
    let missing = world.bind(&[], &grant, CertificateReading::Absent).unwrap_err();
    assert_eq!((missing.reason(), missing.reply().status), (Reason::CertificateRequired, 400));

    let unbound = world.bind(&[], &Grant::default(), CertificateReading::Absent).unwrap();
    assert_eq!((unbound.token_type(), unbound.cnf_json()), ("Bearer", None));
}
