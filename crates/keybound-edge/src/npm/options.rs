//! A resource server's options, read once from JavaScript.

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    proof::check::ProofPolicy,
    server::{
        nonce::{NoncePolicyError, NonceRole, Nonces},
        policy::{ConstraintPolicy, Mechanism},
        resource_server::{NonceRule, ResourcePolicy},
        token::{Profile, TokenPolicy},
    },
};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use crate::engine::{Config, NonceSource, TokenResolution};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    issuers: Vec<String>,
    audiences: Vec<String>,
    mechanism: String,
    required: bool,
    proof: Proof,
    tokens: Option<Jwt>,
    nonce: Option<Nonce>,
    resource_metadata: Option<String>,
    token_cache: u32,
    key_cache: u32,
}

/// A proof policy; what is left out has its default.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Proof {
    algorithms: Option<Vec<String>>,
    max_age: Option<u32>,
    max_future: Option<u32>,
    max_proof_bytes: Option<u32>,
    max_jti_bytes: Option<u32>,
}

#[derive(Deserialize)]
struct Jwt {
    profile: String,
    algorithms: Option<Vec<String>>,
    types: Vec<String>,
}

#[derive(Deserialize)]
struct Nonce {
    required: bool,
    /// Absent: the driver is asked.
    secrets: Option<Vec<Vec<u8>>>,
    window: u32,
}

/// Reads the options.
pub(super) fn read(value: JsValue) -> Result<Config, JsError> {
    let options: Options = serde_wasm_bindgen::from_value(value)?;
    let (rule, nonces) = read_nonce(options.nonce, &options.audiences)?;
    let proof = options.proof.policy()?;
    let mechanism = match options.mechanism.as_str() {
        "dpop" => Mechanism::Dpop,
        "mtls" => Mechanism::Mtls,
        "either" => Mechanism::Either,
        other => return Err(unknown("mechanism", other)),
    };
    let constraint = ConstraintPolicy { mechanism, required: options.required };
    let resolution =
        if options.tokens.is_some() { TokenResolution::Jwt } else { TokenResolution::Driver };
    Ok(Config {
        policy: ResourcePolicy { proof, constraint, nonce: rule },
        tokens: read_tokens(options.tokens, options.issuers, options.audiences)?,
        resolution,
        nonces,
        resource_metadata: options.resource_metadata,
        token_cache: usize::try_from(options.token_cache).unwrap_or(usize::MAX),
        key_cache: usize::try_from(options.key_cache).unwrap_or(usize::MAX),
    })
}

impl Proof {
    pub(super) fn policy(self) -> Result<ProofPolicy, JsError> {
        let default = ProofPolicy::DEFAULT;
        let size = |given: Option<u32>, default: usize| {
            given.and_then(|given| usize::try_from(given).ok()).unwrap_or(default)
        };
        Ok(ProofPolicy {
            algorithms: algorithms(self.algorithms, default.algorithms)?,
            max_age: self.max_age.unwrap_or(default.max_age),
            max_future: self.max_future.unwrap_or(default.max_future),
            max_proof_bytes: size(self.max_proof_bytes, default.max_proof_bytes),
            max_jti_bytes: size(self.max_jti_bytes, default.max_jti_bytes),
        })
    }
}

fn read_tokens(
    jwt: Option<Jwt>,
    issuers: Vec<String>,
    audiences: Vec<String>,
) -> Result<TokenPolicy, JsError> {
    let jwt = jwt.unwrap_or(Jwt { profile: String::from("rfc9068"), algorithms: None, types: Vec::new() });
    let profile = match jwt.profile.as_str() {
        "rfc9068" => Profile::Rfc9068,
        "auth0" => Profile::Auth0,
        "keycloak" => Profile::Keycloak,
        "okta" => Profile::Okta,
        other => return Err(unknown("profile", other)),
    };
    let algorithms = algorithms(jwt.algorithms, AlgorithmSet::ALL)?;
    Ok(TokenPolicy { issuers, audiences, algorithms, profile, types: jwt.types })
}

fn read_nonce(
    nonce: Option<Nonce>,
    audiences: &[String],
) -> Result<(NonceRule, NonceSource), JsError> {
    let Some(nonce) = nonce else { return Ok((NonceRule::Ignore, NonceSource::None)) };
    let rule = if nonce.required { NonceRule::Require } else { NonceRule::Optional };
    let Some(secrets) = nonce.secrets else { return Ok((rule, NonceSource::Driver)) };
    let audience = audiences.join(" ");
    let nonces = Nonces::new(secrets, nonce.window, NonceRole::ResourceServer, &audience).map_err(
        |error| match error {
            NoncePolicyError::NoSecret => JsError::new("nonce.secrets is empty"),
            NoncePolicyError::ShortSecret => JsError::new("a nonce secret has less than 32 bytes"),
            _ => JsError::new("nonce.window must be at least one second"),
        },
    )?;
    Ok((rule, NonceSource::Stateless(nonces)))
}

fn algorithms(names: Option<Vec<String>>, default: AlgorithmSet) -> Result<AlgorithmSet, JsError> {
    let Some(names) = names else { return Ok(default) };
    names
        .iter()
        .map(|name| Algorithm::from_name(name).ok_or_else(|| unknown("algorithm", name)))
        .collect()
}

fn unknown(what: &str, name: &str) -> JsError {
    JsError::new(&format!("unknown {what} {name:?}"))
}
