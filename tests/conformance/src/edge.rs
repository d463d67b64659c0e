//! The same cases by the asynchronous API of `keybound-edge`, which must decide just as the core does.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use keybound_core::{
    server::{
        certificate::CertificateReading,
        jwks::Jwks,
        nonce::{NonceRule, NonceStatus},
        reason::Reason,
        replay::{MemoryReplay, ReplayAnswer, ReplayMark},
        request::Request,
        resource_server::ResourcePolicy,
        token::TokenPolicy,
        token_endpoint::{Grant, TokenEndpointPolicy, TokenRequest},
    },
    time::Timestamp,
};
use keybound_edge::{
    ResourceServer, TokenEndpoint,
    engine::{Config, NonceSource, TokenResolution},
    resource_server::Accepted,
    surroundings::{
        AsyncReplayStore, NonceChecker, ResolvedToken, Surroundings, Synchronous, TokenSource, Unavailable,
    },
    token_endpoint::Binding,
    token_engine::TokenConfig,
};
use keybound_rustcrypto::RustCrypto;
use serde_json::Value;

use crate::common::nonce_status;

/// Servers by what they are configured with, so that caches serve from one step to the next.
pub struct Edge {
    resource: HashMap<String, ResourceServer>,
    token: HashMap<String, TokenEndpoint>,
    replay: Replay,
}

/// What one step is about.
pub struct Around<'a> {
    pub now: Timestamp,
    pub certificate: CertificateReading,
    pub nonces: Option<&'a Value>,
    pub replay: bool,
}

/// A token that introspection resolved: whether it is active, and its claims.
pub struct Introspected(pub Option<(bool, String)>);

struct Replay {
    memory: RefCell<MemoryReplay>,
    on: Cell<bool>,
}

struct Nonces<'a>(Option<&'a Value>);

impl Edge {
    pub fn new() -> Self {
        let replay = Replay { memory: RefCell::new(MemoryReplay::new(100_000, 10_000)), on: Cell::new(true) };
        Self { resource: HashMap::new(), token: HashMap::new(), replay }
    }

    pub fn authenticate(
        &mut self,
        request: &Request<'_>,
        policy: ResourcePolicy,
        tokens: &TokenPolicy,
        keys: &[Jwks],
        introspected: &Introspected,
        around: &Around<'_>,
    ) -> Result<Accepted, Reason> {
        let by_source = introspected.0.is_some();
        let name = format!("{policy:?} {tokens:?} {by_source}");
        let server = self.resource.entry(name).or_insert_with(|| {
            let mut config = Config::for_jwts(tokens.issuers.clone(), tokens.audiences.clone());
            (config.policy, config.tokens) = (policy, tokens.clone());
            config.nonces = nonce_source(policy.nonce);
            if by_source {
                config.resolution = TokenResolution::Driver;
            }
            let server = ResourceServer::new(config).expect("the cases' configurations are good");
            keys.iter().fold(server, |server, keys| server.with_keys(0, keys.clone()))
        });
        self.replay.on.set(around.replay);
        let nonces = Nonces(around.nonces);
        let surroundings = Surroundings::new(around.now, &Synchronous(RustCrypto), &(), &self.replay)
            .with_certificate(around.certificate)
            .with_tokens(introspected)
            .with_nonces(&nonces);
        pollster::block_on(server.authenticate(request, surroundings)).map_err(|rejected| rejected.reason())
    }

    pub fn bind(
        &mut self,
        request: &TokenRequest<'_>,
        grant: &Grant,
        policy: TokenEndpointPolicy,
        around: &Around<'_>,
    ) -> Result<Binding, Reason> {
        let endpoint = self.token.entry(format!("{policy:?}")).or_insert_with(|| {
            let config = TokenConfig { policy, nonces: nonce_source(policy.nonce), key_cache: 0 };
            TokenEndpoint::new(config).expect("the cases' configurations are good")
        });
        self.replay.on.set(around.replay);
        let nonces = Nonces(around.nonces);
        let surroundings = Surroundings::new(around.now, &Synchronous(RustCrypto), &(), &self.replay)
            .with_certificate(around.certificate)
            .with_nonces(&nonces);
        pollster::block_on(endpoint.bind(request, grant, surroundings)).map_err(|rejected| rejected.reason())
    }
}

const fn nonce_source(rule: NonceRule) -> NonceSource {
    match rule {
        NonceRule::Ignore => NonceSource::None,
        NonceRule::Optional | NonceRule::Require => NonceSource::Driver,
    }
}

impl AsyncReplayStore for Replay {
    async fn claim(&self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        if self.on.get() { self.memory.claim(mark, now).await } else { ReplayAnswer::External }
    }
}

impl TokenSource for Introspected {
    async fn resolve(&self, _: &str, _: Timestamp) -> Result<ResolvedToken, Unavailable> {
        match &self.0 {
            None => Err(Unavailable),
            Some((false, _)) => Ok(ResolvedToken::Inactive),
            Some((true, claims)) => Ok(ResolvedToken::Active { claims: claims.clone(), until: None }),
        }
    }
}

impl NonceChecker for Nonces<'_> {
    async fn current(&self) -> Result<String, Unavailable> {
        Ok("current".to_owned())
    }

    async fn check(&self, nonce: &str) -> Result<NonceStatus, Unavailable> {
        Ok(self.0.map_or(NonceStatus::Unknown, |policy| nonce_status(policy, nonce)))
    }
}
