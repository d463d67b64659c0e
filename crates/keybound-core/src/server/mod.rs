//! The server's side: may this request use its token? (RFC 9449 §4.3 and §7, RFC 8705 §3)
//!
//! [`resource_server`] is the chain of decisions, each step a type that only the one before gives:
//!
//! ```text
//! Presented ── nonce ──> Parsed ── signatures ──> Signed ── client ──> Constrained
//!                                          Accepted <── replay ── Possessed <── possession
//! ```
//!
//! [`token_endpoint`] is the same for an authorization server, which issues the token.
//! Only the last hands out the token's claims, so that no check can be left out by mistake.
//!
//! # In one call
//! Where signatures are checked at once and replay marks are at hand, [`resource_server::authenticate`]
//! goes all the way, and [`answer`] says what a refusal is answered with:
//!
//! ```
//! use keybound_core::{
//!     algorithm::AlgorithmSet,
//!     server::{
//!         answer::{self, ChallengeContext},
//!         certificate::CertificateReading,
//!         jwks::Jwks,
//!         nonce::{NonceRole, NonceRule, Nonces},
//!         policy::Scheme,
//!         reason::Reason,
//!         replay::MemoryReplay,
//!         request::Request,
//!         resource_server::{ResourcePolicy, Surroundings, TokenCheck, authenticate},
//!         token::{Profile, TokenPolicy},
//!     },
//!     time::Timestamp,
//! };
//! use keybound_rustcrypto::RustCrypto;
//!
//! // Once: what is accepted, whose keys count, and what is remembered.
//! let policy = ResourcePolicy { nonce: NonceRule::Require, ..ResourcePolicy::default() };
//! let tokens = TokenPolicy {
//!     issuers: vec!["https://as.example".to_owned()],
//!     audiences: vec!["https://api.example".to_owned()],
//!     algorithms: AlgorithmSet::ALL,
//!     profile: Profile::Rfc9068,
//!     types: Vec::new(),
//! };
//! let secret = vec![7; 32]; // of the system's random generator, in earnest
//! let nonces = Nonces::new(vec![secret], 60, NonceRole::ResourceServer, "https://api.example").unwrap();
//! let mut replay = MemoryReplay::new(1_000_000, 10_000);
//! # use keybound_core::{algorithm::Algorithm, base64url};
//! # use keybound_core::proof::build::{AccessTokenHash, ProofRequest, ProofTemplate};
//! # use keybound_rustcrypto::SigningKey;
//! # let (issuer, client) = (SigningKey::from_secret(&[1; 32]).unwrap(), SigningKey::from_secret(&[2; 32]).unwrap());
//! # let jwk = issuer.public_key().to_jwk();
//! # let published = format!(r#"{{"keys":[{jwk}]}}"#);
//! # let jkt = client.public_key().thumbprint().to_base64url();
//! # let claims = format!(r#"{{"iss":"https://as.example","aud":"https://api.example","sub":"ada","client_id":"app",
//! #     "jti":"1","iat":1780000000,"exp":1780000300,"cnf":{{"jkt":"{jkt}"}}}}"#);
//! # let token = [br#"{"alg":"ES256","typ":"at+jwt"}"#, claims.as_bytes()].map(base64url::encode).join(".");
//! # let token = [token.as_str(), &base64url::encode(&issuer.sign(token.as_bytes()))].join(".");
//! # let template = ProofTemplate::new(Algorithm::Es256, client.public_key().clone()).unwrap();
//! # let authorization = format!("DPoP {token}");
//! # let prove = |nonce: Option<&str>| {
//! #     let ath = AccessTokenHash::of(&token).unwrap();
//! #     let about = ProofRequest::new("GET", "https://api.example/orders", 1_780_000_000, &[7; 16]);
//! #     let input = template.signing_input(&ProofRequest { access_token: Some(&ath), nonce, ..about }).unwrap();
//! #     let signature = client.sign(input.as_bytes());
//! #     template.finish(input, &signature).unwrap()
//! # };
//! let jwks = [Jwks::parse(&published).unwrap()]; // fetched from each of the issuers
//!
//! // For each request.
//! let now = Timestamp::from_seconds(1_780_000_000);
//! let mut decide = |proof: &str| {
//!     let request = Request {
//!         method: "GET",
//!         url: "https://api.example/orders?page=2",
//!         authorization: &[&authorization],
//!         dpop: &[proof],
//!     };
//!     authenticate(&request, &policy, TokenCheck::Jwt(&tokens, &jwks), now, Surroundings {
//!         verifier: &RustCrypto,
//!         replay: &mut replay,
//!         nonce: |nonce: &str| nonces.check(nonce, now),
//!         certificate: CertificateReading::Absent,
//!     })
//! };
//!
//! // The client does not know the nonce yet, and is told (RFC 9449 §9).
//! let reason = decide(&prove(None)).unwrap_err();
//! assert_eq!(reason, Reason::NonceMissing);
//! let context = ChallengeContext {
//!     constraint: policy.constraint,
//!     algorithms: policy.proof.algorithms,
//!     resource_metadata: None,
//! };
//! assert_eq!(answer::status(reason.answer()), 401);
//! assert!(answer::refusal(&context, reason, Some(Scheme::Dpop))[0].starts_with(r#"DPoP error="use_dpop_nonce""#));
//! let nonce = nonces.current(now); // into the field `DPoP-Nonce`
//!
//! // It comes back, once.
//! let proof = prove(Some(&nonce));
//! let accepted = decide(&proof).unwrap();
//! assert!(accepted.claims_json().contains(r#""sub":"ada""#));
//! assert_eq!(decide(&proof).unwrap_err(), Reason::ProofReplayed);
//! ```
//!
//! A token endpoint's way is [`token_endpoint::bind`]:
//!
//! ```
//! # use keybound_core::{algorithm::Algorithm, proof::build::{ProofRequest, ProofTemplate}};
//! use keybound_core::{
//!     server::{
//!         certificate::CertificateReading,
//!         nonce::NonceStatus,
//!         reason::Reason,
//!         replay::MemoryReplay,
//!         resource_server::Surroundings,
//!         token_endpoint::{Grant, TokenEndpointPolicy, TokenRequest, bind},
//!     },
//!     time::Timestamp,
//! };
//! use keybound_rustcrypto::RustCrypto;
//! # use keybound_rustcrypto::SigningKey;
//!
//! # let client = SigningKey::from_secret(&[2; 32]).unwrap();
//! # let template = ProofTemplate::new(Algorithm::Es256, client.public_key().clone()).unwrap();
//! # let about = ProofRequest::new("POST", "https://as.example/token", 1_780_000_000, &[7; 16]);
//! # let input = template.signing_input(&about).unwrap();
//! # let signature = client.sign(input.as_bytes());
//! # let proof = template.finish(input, &signature).unwrap();
//! # let jkt = client.public_key().thumbprint();
//! let now = Timestamp::from_seconds(1_780_000_000);
//! let request = TokenRequest { method: "POST", url: "https://as.example/token", dpop: &[&proof] };
//! let mut replay = MemoryReplay::new(1_000_000, 10_000);
//! let mut decide = |grant: &Grant| {
//!     bind(&request, grant, &TokenEndpointPolicy::default(), now, Surroundings {
//!         verifier: &RustCrypto,
//!         replay: &mut replay,
//!         nonce: |_: &str| NonceStatus::Unknown,
//!         certificate: CertificateReading::Absent,
//!     })
//! };
//!
//! // After the grant was found, and before it is consumed: this code was bound to another key.
//! let stolen = Grant { dpop_jkt: Some(keybound_core::thumbprint::Thumbprint::from_bytes([1; 32])), ..Grant::default() };
//! assert_eq!(decide(&stolen).unwrap_err(), Reason::GrantKeyMismatch);
//!
//! // And this one to the client's own: `cnf.jkt` of the token, and `token_type`.
//! let binding = decide(&Grant { dpop_jkt: Some(jkt), ..Grant::default() }).unwrap();
//! assert_eq!((binding.jkt(), binding.is_dpop()), (Some(jkt), true));
//! ```
//!
//! # Step by step
//! Where a step has to wait (for SubtleCrypto, for a store elsewhere), the caller goes from type to type
//! by itself, here with a token that introspection has resolved:
//!
//! ```
//! # use keybound_core::{algorithm::Algorithm, proof::build::{AccessTokenHash, ProofRequest, ProofTemplate}};
//! # use keybound_core::{server::request::Request, time::Timestamp};
//! use std::sync::Arc;
//!
//! use keybound_core::{
//!     server::{
//!         certificate::CertificateReading,
//!         policy::ClientType,
//!         reason::Reason,
//!         replay::ReplayAnswer,
//!         resource_server::{Accepted, Presented, ResourcePolicy},
//!         token::VerifiedToken,
//!     },
//!     signature::SignatureVerifier,
//! };
//! use keybound_rustcrypto::RustCrypto;
//! # use keybound_rustcrypto::SigningKey;
//!
//! fn decide(request: &Request<'_>, introspected: &str, now: Timestamp) -> Result<Accepted, Reason> {
//!     let presented = Presented::read(request, &ResourcePolicy::default(), now)?;
//!     // No nonces here: there is nothing to look up.
//!     let parsed = presented.nonce_checked(None)?;
//!     // `parsed.token()` is what to ask the issuer about.
//!     let token = Arc::new(VerifiedToken::from_source(true, introspected, &[], &[])?);
//!     let proof = parsed.proof().map_or(Ok(()), |proof| RustCrypto.verify(proof.signature_check()));
//!     let signed = parsed.signatures_checked(token, proof)?;
//!     let constrained = signed.client_known(ClientType::Public)?;
//!     let possessed = constrained.possession_checked(&CertificateReading::Absent)?;
//!     // Last of all: claim `possessed.mark()` in a store that inserts if absent, as one step.
//!     possessed.replay_checked(ReplayAnswer::Fresh)
//! }
//! # let client = SigningKey::from_secret(&[2; 32]).unwrap();
//! # let template = ProofTemplate::new(Algorithm::Es256, client.public_key().clone()).unwrap();
//! # let ath = AccessTokenHash::of("opaque").unwrap();
//! # let about = ProofRequest::new("GET", "https://api.example/orders", 1_780_000_000, &[7; 16]);
//! # let input = template.signing_input(&ProofRequest { access_token: Some(&ath), ..about }).unwrap();
//! # let signature = client.sign(input.as_bytes());
//! # let proof = template.finish(input, &signature).unwrap();
//! # let claims = format!(r#"{{"active":true,"cnf":{{"jkt":"{}"}}}}"#, client.public_key().thumbprint().to_base64url());
//! # let (url, authorization) = ("https://api.example/orders", &["DPoP opaque"]);
//! # let now = Timestamp::from_seconds(1_780_000_000);
//! # let request = Request { method: "GET", url, authorization, dpop: &[&proof] };
//! # assert!(decide(&request, &claims, now).is_ok());
//! # let request = Request { dpop: &[], ..request };
//! # assert_eq!(decide(&request, &claims, now).unwrap_err(), Reason::ProofMissing);
//! ```
//!
//! Leaving one out does not compile:
//!
//! ```compile_fail,E0599
//! # use keybound_core::server::{replay::ReplayAnswer, resource_server::{Accepted, Signed}, reason::Reason};
//! fn without_possession(signed: Signed) -> Result<Accepted, Reason> {
//!     signed.replay_checked(ReplayAnswer::Fresh)
//! }
//! ```

pub mod answer;
pub mod certificate;
pub mod confirmation;
pub mod freshness;
pub mod jwks;
pub mod nonce;
pub mod policy;
mod proof_stage;
pub mod reason;
pub mod replay;
pub mod request;
pub mod resource_server;
pub mod token;
pub mod token_endpoint;
