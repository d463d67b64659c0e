//! A resource server's decisions and answers.

use keybound_core::{
    server::{
        certificate::CertificateReading,
        nonce::{NonceRule, NonceStatus},
        policy::{ClientType, RequiredFor, Scheme},
        reason::{OAuthError, Reason},
        replay::{ReplayAnswer, ReplayMark},
        request::Request,
    },
    thumbprint::Thumbprint,
    time::Timestamp,
};
use keybound_edge::{
    engine::{Config, NonceSource, TokenResolution},
    surroundings::{
        AsyncReplayStore, ExternalReplay, NonceChecker, ResolvedToken, Surroundings, TokenSource, Unavailable,
    },
};
use pollster::block_on;

use crate::support::{AUDIENCE, About, ISSUER, NOW, URL, VERIFIER, World, value};

fn with_nonces() -> World {
    World::with(Config::for_jwts([ISSUER], [AUDIENCE]).with_nonces(vec![vec![7; 32]], 60).unwrap())
}

#[test]
fn a_proof_goes_round_once_for_a_nonce_and_is_accepted_once() {
    let world = with_nonces();
    let token = world.token();
    let challenged = block_on(world.ask(&token, None, NOW)).unwrap_err();
    assert_eq!((challenged.reason(), challenged.error()), (Reason::NonceMissing, Some(OAuthError::UseDpopNonce)));
    let reply = challenged.into_reply();
    assert_eq!((reply.status, value(&reply.fields, "Cache-Control")), (401, Some("no-store")));
    assert!(value(&reply.fields, "WWW-Authenticate").unwrap().starts_with(r#"DPoP error="use_dpop_nonce""#));
    assert!(reply.body.starts_with(r#"{"error":"use_dpop_nonce","#), "{}", reply.body);
    let nonce = value(&reply.fields, "DPoP-Nonce").unwrap();

    let about = About { method: "GET", url: URL, token: Some(&token), nonce: Some(nonce), now: NOW };
    let proof = world.client.proof(about);
    let authorization = format!("DPoP {token}");
    let accepted = block_on(world.send(&authorization, &[&proof], NOW)).unwrap();
    assert_eq!(accepted.jkt().map(|jkt| jkt.to_base64url()), Some(world.client.jkt()));
    assert_eq!((accepted.scheme(), accepted.fields()), (Scheme::Dpop, Vec::new()));
    assert!(accepted.claims_json().contains(r#""sub":"ada""#));
    let again = block_on(world.send(&authorization, &[&proof], NOW)).unwrap_err();
    assert_eq!(again.reason(), Reason::ProofReplayed);

    // A minute later the nonce is the one before, and the answer brings the next.
    let later = block_on(world.ask(&token, Some(nonce), NOW + 60)).unwrap();
    let next = later.fields();
    assert!(value(&next, "DPoP-Nonce").is_some_and(|next| next != nonce));
    assert_eq!(value(&next, "Cache-Control"), Some("no-store"));
}

#[test]
fn a_bound_token_is_no_bearer_token() {
    let world = World::new();
    let token = world.token();
    let proof = world.client.proof(About { method: "GET", url: URL, token: Some(&token), nonce: None, now: NOW });
    for dpop in [&[][..], &[proof.as_str()]] {
        let rejected = block_on(world.send(&format!("Bearer {token}"), dpop, NOW)).unwrap_err();
        assert_eq!(rejected.reason(), Reason::DpopTokenAsBearer);
    }
}

#[test]
fn a_certificate_bound_token_needs_the_certificate_of_the_connection() {
    let world = World::new();
    let certificate = Thumbprint::from_bytes([5; 32]);
    let token = world.issuer.token("k1", &format!(r#""cnf":{{"x5t#S256":"{}"}}"#, certificate.to_base64url()));
    let authorization = format!("Bearer {token}");
    let request = Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[] };
    let ask = |reading| {
        let around = world.around(NOW).with_certificate(reading);
        block_on(world.server.authenticate(&request, around)).map_err(|rejected| rejected.reason())
    };
    let accepted = ask(CertificateReading::Certificate(certificate)).unwrap();
    assert_eq!((accepted.x5t_s256(), accepted.scheme()), (Some(certificate), Scheme::Bearer));
    assert_eq!(ask(CertificateReading::Absent).err(), Some(Reason::CertificateMissing));
    let other = CertificateReading::Certificate(Thumbprint::from_bytes([6; 32]));
    assert_eq!(ask(other).err(), Some(Reason::CertificateMismatch));
    let refused = CertificateReading::Refused(Reason::CertificateRevoked);
    assert_eq!(ask(refused).err(), Some(Reason::CertificateRevoked));
}

#[test]
fn where_public_clients_only_need_bound_tokens_the_claims_say_who_is_confidential() {
    let mut config = Config::for_jwts([ISSUER], [AUDIENCE]);
    config.policy.constraint.required_for = RequiredFor::PublicClients;
    let world = World::with(config);
    let confidential = |claims: &str| match claims.contains(r#""tier":"backend""#) {
        true => ClientType::Confidential,
        false => ClientType::Public,
    };
    let ask = |claims: &str, reading| {
        let authorization = format!("Bearer {}", world.issuer.token("k1", claims));
        let request = Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[] };
        let around = world.around(NOW).with_client_type(&confidential).with_certificate(reading);
        block_on(world.server.authenticate(&request, around)).map_err(|rejected| rejected.reason()).map(|_| ())
    };
    let absent = CertificateReading::Absent;
    assert_eq!(ask(r#""tier":"backend""#, absent), Ok(()));
    assert_eq!(ask(r#""tier":"app""#, absent), Err(Reason::TokenNotBound));
    // A confirmation that is there is enforced, whoever the client is.
    let bound =
        format!(r#""tier":"backend","cnf":{{"x5t#S256":"{}"}}"#, Thumbprint::from_bytes([5; 32]).to_base64url());
    assert_eq!(ask(&bound, absent), Err(Reason::CertificateMissing));
    assert_eq!(ask(&bound, CertificateReading::Certificate(Thumbprint::from_bytes([5; 32]))), Ok(()));
}

#[test]
fn a_store_that_gives_no_answer_means_503_and_never_an_acceptance() {
    struct Broken;
    impl AsyncReplayStore for Broken {
        async fn claim(&self, _: &ReplayMark, _: i64) -> ReplayAnswer {
            ReplayAnswer::Unavailable
        }
    }
    let world = World::new();
    let token = world.token();
    let authorization = format!("DPoP {token}");
    let proof = world.client.proof(About { method: "GET", url: URL, token: Some(&token), nonce: None, now: NOW });
    let request = Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[&proof] };
    let around = Surroundings::new(Timestamp::from_seconds(NOW), &VERIFIER, &world.library, &Broken);
    let rejected = block_on(world.server.authenticate(&request, around)).unwrap_err();
    assert_eq!((rejected.reason(), rejected.reply().status), (Reason::ReplayStoreUnavailable, 503));
    assert_eq!(value(&rejected.reply().fields, "Retry-After"), Some("1"));
    assert_eq!(value(&rejected.reply().fields, "WWW-Authenticate"), None);

    // Where the caller claims marks by itself, the acceptance has the mark.
    let around = Surroundings::new(Timestamp::from_seconds(NOW), &VERIFIER, &world.library, &ExternalReplay);
    let accepted = block_on(world.server.authenticate(&request, around)).unwrap();
    assert_eq!(accepted.mark().map(ReplayMark::expires_at), Some(NOW + 360));
}

#[test]
fn tokens_of_a_source_are_remembered_for_as_long_as_it_says() {
    struct Source<'a>(&'a str, std::cell::Cell<u32>);
    impl TokenSource for Source<'_> {
        async fn resolve(&self, token: &str, now: Timestamp) -> Result<ResolvedToken, Unavailable> {
            self.1.set(self.1.get() + 1);
            match token {
                "opaque" => Ok(ResolvedToken::Active { claims: self.0.to_owned(), until: Some(now.plus_seconds(10)) }),
                "gone" => Ok(ResolvedToken::Inactive),
                _ => Err(Unavailable),
            }
        }
    }
    let mut config = Config::for_jwts([ISSUER], [AUDIENCE]);
    config.resolution = TokenResolution::Driver;
    let world = World::with(config);
    let claims = format!(r#"{{"active":true,"sub":"ada","cnf":{{"jkt":"{}"}}}}"#, world.client.jkt());
    let source = Source(&claims, Default::default());
    let ask = |token: &str, now| {
        let proof = world.client.proof(About { method: "GET", url: URL, token: Some(token), nonce: None, now });
        let authorization = format!("DPoP {token}");
        let request = Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[&proof] };
        let around = world.around(now).with_tokens(&source);
        block_on(world.server.authenticate(&request, around)).map_err(|rejected| rejected.reason()).map(|_| ())
    };
    assert_eq!([ask("opaque", NOW), ask("opaque", NOW + 9)], [Ok(()); 2]);
    assert_eq!(source.1.get(), 1);
    assert_eq!(ask("opaque", NOW + 10), Ok(()));
    assert_eq!(source.1.get(), 2);
    assert_eq!(ask("gone", NOW), Err(Reason::TokenInactive));
    assert_eq!(ask("unknown", NOW), Err(Reason::TokenSourceUnavailable));
    // Without a source nobody vouches for a token.
    assert_eq!(block_on(world.ask("opaque2", None, NOW)).unwrap_err().reason(), Reason::TokenSourceUnavailable);
}

#[test]
fn a_server_may_keep_nonces_by_itself() {
    struct Own;
    impl NonceChecker for Own {
        async fn current(&self) -> Result<String, Unavailable> {
            Ok("fresh".to_owned())
        }
        async fn check(&self, nonce: &str) -> Result<NonceStatus, Unavailable> {
            match nonce {
                "fresh" => Ok(NonceStatus::Current),
                "older" => Ok(NonceStatus::Previous),
                "broken" => Err(Unavailable),
                _ => Ok(NonceStatus::Unknown),
            }
        }
    }
    let mut config = Config::for_jwts([ISSUER], [AUDIENCE]);
    config.policy.nonce = NonceRule::Require;
    config.nonces = NonceSource::Driver;
    let world = World::with(config);
    let token = world.token();
    let ask = |nonce| {
        let proof = world.client.proof(About { method: "GET", url: URL, token: Some(&token), nonce, now: NOW });
        let authorization = format!("DPoP {token}");
        let request = Request { method: "GET", url: URL, authorization: &[&authorization], dpop: &[&proof] };
        block_on(world.server.authenticate(&request, world.around(NOW).with_nonces(&Own)))
    };
    assert_eq!(ask(Some("fresh")).unwrap().fields(), []);
    assert_eq!(value(&ask(Some("older")).unwrap().fields(), "DPoP-Nonce"), Some("fresh"));
    let unknown = ask(Some("other")).unwrap_err();
    assert_eq!((unknown.reason(), value(&unknown.reply().fields, "DPoP-Nonce")), (Reason::NonceUnknown, Some("fresh")));
    assert_eq!(ask(Some("broken")).unwrap_err().reply().status, 503);
    // Whoever was to be asked is not there: a challenge without a nonce would lead nowhere.
    assert_eq!(block_on(world.ask(&token, None, NOW)).unwrap_err().reason(), Reason::NonceSourceUnavailable);
}

#[test]
fn a_token_that_lacks_a_scope_gets_403_in_its_own_scheme() {
    let world = World::new();
    let accepted = block_on(world.ask(&world.token(), None, NOW)).unwrap();
    let reply = world.server.forbid(&accepted, "orders:write");
    assert_eq!(reply.status, 403);
    let challenge = value(&reply.fields, "WWW-Authenticate").unwrap();
    assert!(challenge.starts_with(r#"DPoP error="insufficient_scope", scope="orders:write""#), "{challenge}");
    assert_eq!(reply.body, r#"{"error":"insufficient_scope","scope":"orders:write"}"#);
}

#[test]
fn nothing_presented_gets_bare_challenges() {
    let world = World::new();
    let request = Request { method: "GET", url: URL, authorization: &[], dpop: &[] };
    let rejected = block_on(world.server.authenticate(&request, world.around(NOW))).unwrap_err();
    let reply = rejected.into_reply();
    assert_eq!((reply.status, reply.body.as_str()), (401, ""));
    let challenges: Vec<_> = reply.fields.iter().filter(|field| field.0 == "WWW-Authenticate").collect();
    assert_eq!(challenges.len(), 2);
    assert!(challenges.iter().all(|(_, challenge)| !challenge.contains("error")));
}
