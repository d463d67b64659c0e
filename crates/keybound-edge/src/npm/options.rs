//! A resource server's options, read once from JSON.
//!
//! With the reader that reads tokens: one that knows serde would make the module half as large again
//! (measured: 86 kB against 41 kB, brotli). `options.ts` checked them and says what to change: here `None` stands
//! for options that only another version's JavaScript would give.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    base64url,
    json::{Object, Value},
    proof::check::ProofPolicy,
    server::{
        nonce::{NonceRole, NonceRule, Nonces},
        policy::{ConstraintPolicy, Mechanism, RequiredFor},
        resource_server::ResourcePolicy,
        token::{Profile, TokenPolicy},
        token_endpoint::{Endpoint, Grant, TokenEndpointPolicy},
    },
    thumbprint::Thumbprint,
};

use crate::{
    engine::{Config, NonceSource, TokenResolution},
    token_engine::TokenConfig,
};

/// Reads the options.
pub(super) fn read(json: &str) -> Option<Config> {
    let options = object(json)?;
    let audiences = texts(&options, "audiences").unwrap_or_default();
    let role = NonceRole::ResourceServer;
    let (rule, nonces) = read_nonce(member(&options, "nonce"), role, &audiences)?;
    let mechanism = match text(&options, "mechanism") {
        Some("dpop") => Mechanism::Dpop,
        Some("mtls") => Mechanism::Mtls,
        Some("either") => Mechanism::Either,
        _ => return None,
    };
    let required = options.get("required") != Some(&Value::Bool(false));
    let required_for = match text(&options, "requiredFor") {
        None | Some("all_clients") => RequiredFor::AllClients,
        Some("public_clients") => RequiredFor::PublicClients,
        _ => return None,
    };
    let proof = proof_policy(member(&options, "proof"))?;
    let tokens = member(&options, "tokens");
    let resolution = if tokens.is_some() { TokenResolution::Jwt } else { TokenResolution::Driver };
    let issuers = texts(&options, "issuers").unwrap_or_default();
    Some(Config {
        policy: ResourcePolicy {
            proof,
            constraint: ConstraintPolicy { mechanism, required, required_for },
            nonce: rule,
        },
        tokens: read_tokens(tokens, issuers, audiences)?,
        resolution,
        nonces,
        resource_metadata: text(&options, "resourceMetadata").map(ToOwned::to_owned),
        token_cache: size(&options, "tokenCache").unwrap_or(0),
        key_cache: size(&options, "keyCache").unwrap_or(0),
    })
}

/// Reads a token endpoint's options.
pub(super) fn read_token_endpoint(json: &str) -> Option<TokenConfig> {
    let options = object(json)?;
    let role = NonceRole::AuthorizationServer;
    let (nonce, nonces) = read_nonce(member(&options, "nonce"), role, &[])?;
    let proof = proof_policy(member(&options, "proof"))?;
    let key_cache = size(&options, "keyCache").unwrap_or(0);
    Some(TokenConfig { policy: TokenEndpointPolicy { proof, nonce }, nonces, key_cache })
}

/// Reads what is known of a grant.
pub(super) fn read_grant(json: &str) -> Option<Grant> {
    let grant = object(json)?;
    let flag = |name: &str| grant.get(name) == Some(&Value::Bool(true));
    let mut malformed = false;
    let mut thumbprint = |name: &str| {
        let given = text(&grant, name)?;
        let thumbprint = Thumbprint::parse(given);
        malformed |= thumbprint.is_none();
        thumbprint
    };
    let confidential = flag("confidential");
    let dpop_jkt = thumbprint("dpopJkt");
    // Not enforced for confidential clients, whatever it is.
    let (refresh_jkt, refresh_x5t_s256) =
        if confidential { (None, None) } else { (thumbprint("refreshJkt"), thumbprint("refreshX5t")) };
    Some(Grant {
        endpoint: if flag("par") { Endpoint::PushedAuthorization } else { Endpoint::Token },
        dpop_jkt,
        refresh_jkt,
        refresh_x5t_s256,
        confidential,
        require_dpop: flag("requireDpop"),
        bind_certificate: flag("bindCertificate"),
        malformed,
    })
}

/// Reads a proof policy; what is left out has its default.
pub(super) fn read_proof_policy(json: &str) -> Option<ProofPolicy> {
    proof_policy(Some(&object(json)?))
}

fn proof_policy(policy: Option<&Object<'_>>) -> Option<ProofPolicy> {
    let default = ProofPolicy::DEFAULT;
    let Some(policy) = policy else { return Some(default) };
    let seconds = |name| size(policy, name).and_then(|seconds| u32::try_from(seconds).ok());
    Some(ProofPolicy {
        algorithms: algorithms(policy, default.algorithms)?,
        max_age: seconds("maxAge").unwrap_or(default.max_age),
        max_future: seconds("maxFuture").unwrap_or(default.max_future),
        max_proof_bytes: size(policy, "maxProofBytes").unwrap_or(default.max_proof_bytes),
        max_jti_bytes: size(policy, "maxJtiBytes").unwrap_or(default.max_jti_bytes),
    })
}

fn read_tokens(jwt: Option<&Object<'_>>, issuers: Vec<String>, audiences: Vec<String>) -> Option<TokenPolicy> {
    let empty = Object::default();
    let jwt = jwt.unwrap_or(&empty);
    let profile = match text(jwt, "profile") {
        None | Some("rfc9068") => Profile::Rfc9068,
        Some("auth0") => Profile::Auth0,
        Some("keycloak") => Profile::Keycloak,
        Some("okta") => Profile::Okta,
        _ => return None,
    };
    let algorithms = algorithms(jwt, AlgorithmSet::ALL)?;
    let types = texts(jwt, "types").unwrap_or_default();
    Some(TokenPolicy { issuers, audiences, algorithms, profile, types })
}

fn read_nonce(nonce: Option<&Object<'_>>, role: NonceRole, audiences: &[String]) -> Option<(NonceRule, NonceSource)> {
    let Some(nonce) = nonce else { return Some((NonceRule::Ignore, NonceSource::None)) };
    let optional = nonce.get("required") == Some(&Value::Bool(false));
    let rule = if optional { NonceRule::Optional } else { NonceRule::Require };
    // Without secrets the driver is asked.
    let Some(secrets) = texts(nonce, "secrets") else { return Some((rule, NonceSource::Driver)) };
    let secrets: Option<Vec<_>> = secrets.iter().map(|secret| base64url::decode(secret).ok()).collect();
    let window = size(nonce, "window").and_then(|window| u32::try_from(window).ok()).unwrap_or(0);
    let mut audience = String::new();
    for name in audiences {
        audience.push_str(name);
        audience.push(' ');
    }
    let nonces = Nonces::new(secrets?, window, role, &audience).ok()?;
    Some((rule, NonceSource::Stateless(nonces)))
}

fn algorithms(object: &Object<'_>, default: AlgorithmSet) -> Option<AlgorithmSet> {
    let Some(names) = texts(object, "algorithms") else { return Some(default) };
    names.iter().map(|name| Algorithm::from_name(name)).collect()
}

fn object(json: &str) -> Option<Object<'_>> {
    Object::parse(json.as_bytes()).ok()
}

fn member<'a>(object: &'a Object<'a>, name: &str) -> Option<&'a Object<'a>> {
    object.get(name).and_then(Value::as_object)
}

fn text<'a>(object: &'a Object<'_>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn texts(object: &Object<'_>, name: &str) -> Option<Vec<String>> {
    let values = object.get(name)?.as_array()?;
    Some(values.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
}

fn size(object: &Object<'_>, name: &str) -> Option<usize> {
    object.get(name)?.as_number()?.parse().ok()
}
