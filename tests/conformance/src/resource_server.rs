//! The resource server's cases.

use std::sync::Arc;

use keybound_core::{
    algorithm::AlgorithmSet,
    server::{
        answer,
        jwks::Jwks,
        nonce::NonceStatus,
        policy::{ConstraintPolicy, Mechanism},
        reason::{Answer, Reason},
        replay::MemoryReplay,
        request::Request,
        resource_server::{Accepted, ResourcePolicy, Surroundings, TokenCheck, authenticate},
        token::{Profile, TokenPolicy, VerifiedToken},
    },
};
use keybound_rustcrypto::RustCrypto;
use serde_json::{Value, json};

use crate::{
    case::{Observed, Step},
    common::{Policy, certificate_of, fields, nonce_rule, nonce_status, now_of, outcome, refs, text},
    edge::{Around, Edge, Introspected},
};

/// One verifier, to which the steps of a case go.
pub struct Runner {
    issuer: String,
    audience: String,
    jwks: Vec<Jwks>,
    meta: Value,
    replay: MemoryReplay,
    edge: Edge,
    now: i64,
}

impl Runner {
    pub fn new(meta: &Value) -> Self {
        Self {
            issuer: text(&meta["issuer"]),
            audience: text(&meta["audience"]),
            jwks: Jwks::parse(&meta["jwks"].to_string()).into_iter().collect(),
            meta: meta.clone(),
            replay: MemoryReplay::new(100_000, 10_000),
            edge: Edge::new(),
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
            Err(reason) => {
                Observed { outcome: outcome(reason.answer()), reason: Some(reason.code()), binding: Value::Null }
            }
        }
    }

    fn decide(&mut self, step: &Step) -> Result<Accepted, Reason> {
        let now = now_of(step, self.now);
        let request = step.get("request").cloned().unwrap_or_default();
        let (method, url) = (text(&request["method"]), text(&request["url"]));
        let authorization = fields(&request, "authorization");
        let dpop = fields(&request, "dpop");
        let borrowed = [refs(&authorization), refs(&dpop)];
        let request_parts = Request { method: &method, url: &url, authorization: &borrowed[0], dpop: &borrowed[1] };
        let nonces = step.get("nonce_policy");
        let own = Policy::of(&self.meta, step);
        let (proof, constraint) = (own.proof(), constraint_of(&own));
        let policy = ResourcePolicy { proof, constraint, nonce: nonce_rule(step) };
        // The figures of the RFCs have an issuer of their own.
        let figure = step.get("token_claims").filter(|_| step.get("group").is_some_and(|group| group == "rfc-vector"));
        let issuer = figure.and_then(|claims| claims["iss"].as_str()).unwrap_or(&self.issuer);
        let token_policy = TokenPolicy {
            issuers: vec![issuer.to_owned()],
            audiences: vec![self.audience.clone()],
            algorithms: AlgorithmSet::ALL,
            profile: Profile::Rfc9068,
            types: Vec::new(),
        };
        let introspected =
            Introspected(step.get("token_claims").map(|claims| (is_active(step, claims), claims.to_string())));
        let token = match &introspected.0 {
            None => TokenCheck::Jwt(&token_policy, &self.jwks),
            Some((active, claims)) => TokenCheck::Resolved(
                VerifiedToken::from_source(*active, claims, &token_policy.issuers, &token_policy.audiences)
                    .map(Arc::new),
            ),
        };
        let certificate = certificate_of(step, &request);
        let surroundings = Surroundings {
            verifier: &RustCrypto,
            replay: &mut own.replay(&mut self.replay),
            nonce: |nonce: &str| nonces.map_or(NonceStatus::Unknown, |policy| nonce_status(policy, nonce)),
            certificate,
        };
        let context = answer::ChallengeContext { constraint, algorithms: proof.algorithms, resource_metadata: None };
        let decision = authenticate(&request_parts, &policy, token, now, surroundings).inspect_err(|reason| {
            // Whatever is refused, it must be possible to answer it.
            let used = answer::scheme_used(&request_parts);
            let challenges = answer::refusal(&context, *reason, used);
            assert_eq!(challenges.is_empty(), reason.answer() == Answer::ServerError);
        });
        let around = Around { now, certificate, nonces, replay: own.flag("replay") };
        let by_edge = self.edge.authenticate(&request_parts, policy, &token_policy, &self.jwks, &introspected, &around);
        let said = |accepted: &Accepted| (accepted.jkt(), accepted.x5t_s256(), accepted.claims_json().to_owned());
        let edge_said =
            by_edge.map(|accepted| (accepted.jkt(), accepted.x5t_s256(), accepted.claims_json().to_owned()));
        assert_eq!(decision.as_ref().map(said).map_err(|reason| *reason), edge_said, "keybound-edge decides otherwise");
        decision
    }
}

fn constraint_of(policy: &Policy) -> ConstraintPolicy {
    ConstraintPolicy {
        mechanism: if policy.flag("require_dpop") { Mechanism::Dpop } else { Mechanism::Either },
        required: policy.flag("require_dpop") || policy.flag("require_sender_constraint"),
        ..ConstraintPolicy::default()
    }
}

/// An introspection answer must say that the token is active (RFC 7662 §2.2); the claims of a JWT have no such member.
fn is_active(step: &Step, claims: &Value) -> bool {
    let introspected = step.get("token_source").is_some_and(|source| source == "introspection");
    claims.get("active").map_or(!introspected, |active| *active == Value::Bool(true))
}
