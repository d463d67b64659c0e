//! What must hold of an accepted request, read from it by other code than the product's.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keybound_core::{
    algorithm::Algorithm,
    json::Object,
    key::PublicKey,
    proof::check::ProofPolicy,
    signature::{SignatureCheck, SignatureVerifier},
    target_uri::TargetUri,
    thumbprint::Thumbprint,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::world::{CERTIFICATES, Made, Verifier};

/// A proof that was accepted: RFC 9449 §4.3, check by check.
pub fn proof(made: &Made, policy: &ProofPolicy, jkt: Thumbprint, token: Option<&str>) {
    let [field] = made.dpop.as_slice() else { panic!("check 1: one field, not {}", made.dpop.len()) };
    let proof = field.trim_matches([' ', '\t']);
    assert!(proof.len() <= policy.max_proof_bytes);
    let parts: Vec<&str> = proof.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("check 2: three parts") };
    let (header, payload) = (object(header), object(payload));
    let jwk = header.get("jwk").expect("check 7: a key").to_string();
    assert_eq!(thumbprint(&jwk), jkt, "the key in the proof is the one that is reported");
    assert_eq!(header["typ"], "dpop+jwt", "check 4");
    let algorithm = header["alg"].as_str().and_then(Algorithm::from_name).expect("check 5");
    assert!(policy.algorithms.contains(algorithm), "check 5");
    assert!(header.get("jwk").and_then(|jwk| jwk.get("d")).is_none(), "check 7");
    assert!(header.get("crit").is_none());

    let key = PublicKey::from_jwk(&jwk).expect("a key");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("a signature");
    let message = proof.rsplit_once('.').map_or("", |(message, _)| message).as_bytes();
    let check = SignatureCheck { algorithm, key: &key, message, signature: &signature };
    assert!(Verifier.verify(check).is_ok(), "check 6");

    assert!(payload["jti"].as_str().is_some_and(|jti| !jti.is_empty() && jti.len() <= policy.max_jti_bytes), "check 3");
    assert_eq!(payload["htm"].as_str(), Some(made.method.as_str()), "check 8");
    let htu = payload["htu"].as_str().expect("check 3");
    let (claimed, target) = (TargetUri::parse(htu).expect("check 9"), TargetUri::parse(&made.url).expect("check 9"));
    assert_eq!(claimed.canonical(), target.canonical(), "check 9");
    assert!(claimed.is_https() || claimed.is_loopback());
    // In whole seconds, so with one second to spare.
    let iat: f64 = payload["iat"].to_string().parse().expect("check 3");
    let now = made.now.as_seconds() as f64;
    assert!(iat >= now - f64::from(policy.max_age) - 1.0, "check 11: {iat} at {now}");
    assert!(iat <= now + f64::from(policy.max_future) + 1.0, "check 11: {iat} at {now}");
    if let Some(token) = token {
        let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
        assert_eq!(payload["ath"].as_str(), Some(ath.as_str()), "check 12");
    }
}

/// A bound token is never used without what it is bound to (RFC 9449 §7, RFC 8705 §3).
pub fn binding(claims: &str, scheme: &str, jkt: Option<Thumbprint>, certificate: Option<Thumbprint>, shown: &str) {
    let claims: Value = serde_json::from_str(claims).expect("claims");
    let member = |name: &str| claims.get("cnf").and_then(|cnf| cnf.get(name)).and_then(Value::as_str);
    let text = |thumbprint: Option<Thumbprint>| thumbprint.map(|thumbprint| thumbprint.to_base64url());
    assert_eq!(scheme.eq_ignore_ascii_case("dpop"), member("jkt").is_some(), "a scheme for each kind of token");
    assert_eq!(text(jkt).as_deref(), member("jkt"), "cnf.jkt");
    assert_eq!(text(certificate).as_deref(), member("x5t#S256"), "cnf.x5t#S256");
    assert_eq!(claims.get("cnf").is_some(), member("jkt").or(member("x5t#S256")).is_some());
    if let Some(certificate) = certificate {
        let number = CERTIFICATES.iter().position(|known| *known == certificate);
        assert_eq!(number, ["x", "y"].iter().position(|name| *name == shown), "the connection's");
    }
}

fn object(part: &str) -> Value {
    let octets = URL_SAFE_NO_PAD.decode(part).expect("check 2: base64url");
    assert!(Object::parse(&octets).is_ok());
    serde_json::from_slice(&octets).expect("check 2: JSON")
}

/// RFC 7638 §3.2.
fn thumbprint(jwk: &str) -> Thumbprint {
    let jwk: Value = serde_json::from_str(jwk).expect("a JWK");
    let members: &[&str] = match jwk["kty"].as_str() {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        _ => &["e", "kty", "n"],
    };
    let members: Vec<String> = members.iter().map(|name| format!("\"{name}\":{}", jwk[*name])).collect();
    let text = format!("{{{}}}", members.join(","));
    Thumbprint::from_bytes(Sha256::digest(text.as_bytes()).into())
}
