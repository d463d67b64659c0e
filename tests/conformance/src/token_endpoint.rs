//! The token endpoint's cases, and those of pushed authorization requests.

use keybound_core::{
    server::{
        answer::token_endpoint_error,
        nonce::NonceStatus,
        reason::Reason,
        replay::MemoryReplay,
        resource_server::Surroundings,
        token_endpoint::{Binding, Endpoint, Grant, TokenEndpointPolicy, TokenRequest, bind},
    },
    thumbprint::Thumbprint,
};
use keybound_rustcrypto::RustCrypto;
use serde_json::{Value, json};

use crate::{
    case::{Observed, Step},
    common::{Policy, certificate_of, fields, nonce_rule, nonce_status, now_of, outcome, refs, text},
    edge::{Around, Edge},
};

/// One endpoint, to which the steps of a case go.
pub struct Runner {
    meta: Value,
    replay: MemoryReplay,
    edge: Edge,
    now: i64,
}

impl Runner {
    pub fn new(meta: &Value) -> Self {
        let replay = MemoryReplay::new(100_000, 10_000);
        Self { meta: meta.clone(), replay, edge: Edge::new(), now: meta["now_default"].as_i64().unwrap_or(0) }
    }

    pub fn run(&mut self, step: &Step) -> Observed {
        match self.decide(step) {
            Ok(binding) => Observed {
                outcome: "accept".to_owned(),
                reason: None,
                binding: json!({
                    "jkt": binding.jkt().map(|jkt| jkt.to_base64url()),
                    "x5t#S256": binding.x5t_s256().map(|x5t| x5t.to_base64url()),
                    "token_type": if binding.is_dpop() { "DPoP" } else { "Bearer" },
                }),
            },
            Err(reason) => Observed {
                outcome: outcome(token_endpoint_error(reason)),
                reason: Some(reason.code()),
                binding: Value::Null,
            },
        }
    }

    fn decide(&mut self, step: &Step) -> Result<Binding, Reason> {
        let request = step.get("request").cloned().unwrap_or_default();
        let (method, url) = (text(&request["method"]), text(&request["url"]));
        let dpop = fields(&request, "dpop");
        let dpop = refs(&dpop);
        let nonces = step.get("nonce_policy");
        let own = Policy::of(&self.meta, step);
        let grant = grant_of(step, own.flag("require_dpop"));
        let certificate = certificate_of(step, &request);
        let surroundings = Surroundings {
            verifier: &RustCrypto,
            replay: &mut own.replay(&mut self.replay),
            nonce: |nonce: &str| nonces.map_or(NonceStatus::Unknown, |policy| nonce_status(policy, nonce)),
            certificate,
        };
        let policy = TokenEndpointPolicy { proof: own.proof(), nonce: nonce_rule(step) };
        let request = TokenRequest { method: &method, url: &url, dpop: &dpop };
        let now = now_of(step, self.now);
        let decision = bind(&request, &grant, &policy, now, surroundings);
        let around = Around { now, certificate, nonces, replay: own.flag("replay") };
        let by_edge = self.edge.bind(&request, &grant, policy, &around);
        let said = |binding: &Binding| (binding.jkt(), binding.x5t_s256(), binding.is_dpop());
        let edge_said = by_edge.map(|bound| (bound.jkt(), bound.x5t_s256(), bound.token_type() == "DPoP"));
        assert_eq!(decision.as_ref().map(said).map_err(|reason| *reason), edge_said, "keybound-edge decides otherwise");
        decision
    }
}

fn grant_of(step: &Step, require_dpop: bool) -> Grant {
    let context = step.get("as_context").cloned().unwrap_or_default();
    let mut malformed = false;
    let mut thumbprint = |name: &str| {
        let given = context[name].as_str()?;
        let thumbprint = Thumbprint::parse(given);
        malformed |= thumbprint.is_none();
        thumbprint
    };
    let dpop_jkt = thumbprint("code_dpop_jkt").or_else(|| thumbprint("par_dpop_jkt"));
    let confidential = context["client_type"] == "confidential";
    let refresh_jkt = if confidential { None } else { thumbprint("refresh_token_jkt") };
    let flag = |name: &str| context.get(name).and_then(Value::as_bool);
    Grant {
        endpoint: match context["endpoint"].as_str() {
            Some("par") => Endpoint::PushedAuthorization,
            _ => Endpoint::Token,
        },
        dpop_jkt,
        refresh_jkt,
        refresh_x5t_s256: None,
        confidential,
        require_dpop: flag("dpop_bound_access_tokens").unwrap_or(require_dpop),
        bind_certificate: flag("certificate_bound").unwrap_or(false),
        malformed,
    }
}
