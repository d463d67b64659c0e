//! What both roles' cases are made of.

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    proof::check::ProofPolicy,
    server::{
        certificate::{self, CertificateReading, CloudflareFields},
        nonce::NonceRule,
        nonce::NonceStatus,
        reason::{Answer, Reason},
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
    },
    thumbprint::Thumbprint,
    time::Timestamp,
};
use serde_json::Value;

use crate::case::Step;

/// The policy of a step, merged over the file's.
pub struct Policy {
    own: Value,
    default: Value,
}

impl Policy {
    pub fn of(meta: &Value, step: &Step) -> Self {
        Self { own: step.get("policy").cloned().unwrap_or_default(), default: meta["default_policy"].clone() }
    }

    fn get(&self, name: &str) -> &Value {
        self.own.get(name).unwrap_or(&self.default[name])
    }

    pub fn flag(&self, name: &str) -> bool {
        *self.get(name) == Value::Bool(true)
    }

    pub fn proof(&self) -> ProofPolicy {
        let default = ProofPolicy::DEFAULT;
        let number = |name: &str, default: usize| self.get(name).as_u64().map_or(default, |number| number as usize);
        ProofPolicy {
            algorithms: self
                .get("algs")
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| Algorithm::from_name(name.as_str()?))
                .collect::<AlgorithmSet>(),
            max_age: number("iat_max_age_s", 300) as u32,
            max_future: number("iat_max_future_s", 60) as u32,
            max_proof_bytes: number("max_proof_bytes", default.max_proof_bytes),
            max_jti_bytes: number("max_jti_bytes", default.max_jti_bytes),
        }
    }

    /// The store of the case, or none at all.
    pub fn replay<'a>(&self, memory: &'a mut MemoryReplay) -> Replay<'a> {
        if self.flag("replay") { Replay::Memory(memory) } else { Replay::Off }
    }
}

/// The store of the case, or none at all.
pub enum Replay<'a> {
    Memory(&'a mut MemoryReplay),
    Off,
}

impl ReplayStore for Replay<'_> {
    fn claim(&mut self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        match self {
            Self::Memory(memory) => memory.claim(mark, now),
            Self::Off => ReplayAnswer::External,
        }
    }
}

/// The moment of a step.
pub fn now_of(step: &Step, default: i64) -> Timestamp {
    step.get("now")
        .and_then(Value::as_f64)
        .and_then(Timestamp::from_seconds_f64)
        .unwrap_or(Timestamp::from_seconds(default))
}

pub fn nonce_rule(step: &Step) -> NonceRule {
    match step.get("nonce_policy").map(|policy| &policy["required"]) {
        None => NonceRule::Ignore,
        Some(Value::Bool(true)) => NonceRule::Require,
        Some(_) => NonceRule::Optional,
    }
}

pub fn outcome(answer: Answer) -> String {
    match answer {
        Answer::NoCredentials => "no_credentials",
        Answer::ServerError => "server_error",
        Answer::Error(error) => error.name(),
        _ => "?",
    }
    .to_owned()
}

pub fn nonce_status(policy: &Value, nonce: &str) -> NonceStatus {
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
pub fn certificate_of(step: &Step, request: &Value) -> CertificateReading {
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

pub fn fields(request: &Value, name: &str) -> Vec<String> {
    request["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|pair| pair[0].as_str().is_some_and(|given| given.eq_ignore_ascii_case(name)))
        .map(|pair| text(&pair[1]))
        .collect()
}

pub fn refs(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
