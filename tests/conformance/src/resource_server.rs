//! The resource server's cases.

use std::sync::Arc;

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    proof::check::ProofPolicy,
    server::{
        answer,
        certificate::{self, CertificateReading, CloudflareFields},
        jwks::Jwks,
        nonce::NonceStatus,
        policy::{ConstraintPolicy, Mechanism},
        reason::{Answer, Reason},
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        request::Request,
        resource_server::{
            Accepted, NonceRule, ResourcePolicy, Surroundings, TokenCheck, authenticate,
        },
        token::{Profile, TokenPolicy, VerifiedToken},
    },
    thumbprint::Thumbprint,
    time::Timestamp,
};
use keybound_rustcrypto::RustCrypto;
use serde_json::{Value, json};

use crate::case::{Case, Observed, Step};

/// One verifier, to which the steps of a case go.
pub struct Runner {
    issuer: String,
    audience: String,
    jwks: Vec<Jwks>,
    proof: ProofPolicy,
    constraint: ConstraintPolicy,
    replay: Replay,
    now: i64,
}

/// A fresh store for the case, or none at all.
enum Replay {
    Memory(MemoryReplay),
    Off,
}

impl ReplayStore for Replay {
    fn claim(&mut self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        match self {
            Self::Memory(memory) => memory.claim(mark, now),
            Self::Off => ReplayAnswer::External,
        }
    }
}

impl Runner {
    pub fn new(meta: &Value, case: &Case) -> Self {
        let steps = case.steps();
        let own = steps.first().and_then(|step| step.get("policy")).cloned().unwrap_or_default();
        let policy = |name: &str| own.get(name).unwrap_or(&meta["default_policy"][name]).clone();
        let flag = |name: &str| policy(name) == Value::Bool(true);
        let number = |name: &str, default: u64| policy(name).as_u64().unwrap_or(default);
        let algorithms: AlgorithmSet = policy("algs")
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| Algorithm::from_name(name.as_str()?))
            .collect();
        let default = ProofPolicy::DEFAULT;
        Self {
            issuer: text(&meta["issuer"]),
            audience: text(&meta["audience"]),
            jwks: Jwks::parse(&meta["jwks"].to_string()).into_iter().collect(),
            proof: ProofPolicy {
                algorithms,
                max_age: number("iat_max_age_s", 300) as u32,
                max_future: number("iat_max_future_s", 60) as u32,
                max_proof_bytes: number("max_proof_bytes", default.max_proof_bytes as u64) as usize,
                max_jti_bytes: number("max_jti_bytes", default.max_jti_bytes as u64) as usize,
            },
            constraint: ConstraintPolicy {
                mechanism: if flag("require_dpop") { Mechanism::Dpop } else { Mechanism::Either },
                required: flag("require_dpop") || flag("require_sender_constraint"),
            },
            replay: if flag("replay") { Replay::Memory(MemoryReplay::new(100_000, 10_000)) } else { Replay::Off },
            now: meta["now_default"].as_i64().unwrap_or(0),
        }
    }

    pub fn run(&mut self, step: &Step) -> Observed {
        match self.decide(step) {
            Ok(accepted) => Observed {
                outcome: "accept".to_owned(),
                reason: None,
                binding: json!({
                    "jkt": accepted.jkt().map(|jkt| jkt.to_base64url()),
                    "x5t#S256": accepted.x5t_s256().map(|x5t| x5t.to_base64url()),
                }),
            },
            Err(reason) => Observed { outcome: outcome(reason), reason: Some(reason.code()), binding: Value::Null },
        }
    }

    fn decide(&mut self, step: &Step) -> Result<Accepted, Reason> {
        let now = Timestamp::from_seconds_f64(step.get("now").and_then(Value::as_f64).unwrap_or(self.now as f64))
            .unwrap_or(Timestamp::from_seconds(self.now));
        let request = step.get("request").cloned().unwrap_or_default();
        let (method, url) = (text(&request["method"]), text(&request["url"]));
        let authorization = fields(&request, "authorization");
        let dpop = fields(&request, "dpop");
        let borrowed = [refs(&authorization), refs(&dpop)];
        let request_parts =
            Request { method: &method, url: &url, authorization: &borrowed[0], dpop: &borrowed[1] };
        let nonces = step.get("nonce_policy");
        let policy = ResourcePolicy {
            proof: self.proof,
            constraint: self.constraint,
            nonce: match nonces.map(|policy| &policy["required"]) {
                None => NonceRule::Ignore,
                Some(Value::Bool(true)) => NonceRule::Require,
                Some(_) => NonceRule::Optional,
            },
        };
        let issuer = step.get("token_claims").and_then(|claims| claims["iss"].as_str()).unwrap_or(&self.issuer);
        let token_policy = TokenPolicy {
            issuers: vec![issuer.to_owned()],
            audiences: vec![self.audience.clone()],
            algorithms: AlgorithmSet::ALL,
            profile: Profile::Rfc9068,
            types: Vec::new(),
        };
        let token = match step.get("token_claims") {
            None => TokenCheck::Jwt(&token_policy, &self.jwks),
            Some(claims) => TokenCheck::Resolved(
                VerifiedToken::from_source(
                    claims.get("active").is_none_or(|active| *active == Value::Bool(true)),
                    &claims.to_string(),
                    &token_policy.issuers,
                    &token_policy.audiences,
                )
                .map(Arc::new),
            ),
        };
        let surroundings = Surroundings {
            verifier: &RustCrypto,
            replay: &mut self.replay,
            nonce: |nonce: &str| nonces.map_or(NonceStatus::Unknown, |policy| nonce_status(policy, nonce)),
            certificate: certificate_of(step, &request),
        };
        let context = answer::ChallengeContext {
            constraint: self.constraint,
            algorithms: self.proof.algorithms,
            resource_metadata: None,
        };
        authenticate(&request_parts, &policy, token, now, surroundings).inspect_err(|reason| {
            // Whatever is refused, it must be possible to answer it.
            let used = answer::scheme_used(&request_parts);
            let challenges = answer::refusal(&context, *reason, used);
            assert_eq!(challenges.is_empty(), reason.answer() == Answer::ServerError);
        })
    }
}

fn outcome(reason: Reason) -> String {
    match reason.answer() {
        Answer::NoCredentials => "no_credentials",
        Answer::ServerError => "server_error",
        Answer::Error(error) => error.name(),
        _ => "?",
    }
    .to_owned()
}

fn nonce_status(policy: &Value, nonce: &str) -> NonceStatus {
    let lists = |name: &str| policy[name].as_array().is_some_and(|list| list.iter().any(|one| one == nonce));
    if policy["current"] == nonce {
        NonceStatus::Current
    } else if lists("accepted") {
        NonceStatus::Previous
    } else if lists("expired") {
        NonceStatus::Stale
    } else {
        NonceStatus::Unknown
    }
}

/// What the TLS layer or a platform says of the connection.
fn certificate_of(step: &Step, request: &Value) -> CertificateReading {
    let Some(tls) = step.get("tls") else { return CertificateReading::Absent };
    if let Some(pem) = tls["client_cert_pem"].as_str() {
        return certificate::from_pem(pem).into();
    }
    if let Some(hex) = tls["client_cert_sha256_hex"].as_str() {
        return certificate::from_hex(hex).into();
    }
    if let Some(cf) = tls.get("cf").filter(|cf| !cf.is_null()) {
        let auth = cf.get("tlsClientAuth").unwrap_or(cf);
        let field = |name: &str| auth[name].as_str().unwrap_or("");
        let fields = CloudflareFields {
            presented: field("certPresented"),
            verified: field("certVerified"),
            revoked: field("certRevoked"),
            rfc9440: field("certRFC9440"),
            fingerprint_sha256: field("certFingerprintSHA256"),
        };
        let reading = certificate::from_cloudflare(&fields, false);
        if reading != CertificateReading::Absent {
            return reading;
        }
    }
    if tls["trust_client_cert_header"] == Value::Bool(true) {
        let values = fields(request, "client-cert");
        if !values.is_empty() {
            return Result::<Thumbprint, Reason>::into(certificate::from_rfc9440(&values.join(", ")));
        }
    }
    CertificateReading::Absent
}

fn fields(request: &Value, name: &str) -> Vec<String> {
    request["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|pair| pair[0].as_str().is_some_and(|given| given.eq_ignore_ascii_case(name)))
        .map(|pair| text(&pair[1]))
        .collect()
}

fn refs(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
