//! What the flags of a script configure: see `script::Script::policy` for their letters.

use keybound_core::{
    algorithm::{Algorithm, AlgorithmSet},
    proof::check::ProofPolicy,
    server::{
        nonce::{NonceRole, NonceRule},
        policy::{ConstraintPolicy, Mechanism, RequiredFor},
        resource_server::ResourcePolicy,
        token::{Profile, TokenPolicy},
    },
};
use keybound_edge::engine::{Config, NonceSource, TokenResolution};

use crate::world::{self, AUDIENCE, ISSUER};

/// Flags, a letter each.
#[derive(Clone, Copy)]
pub struct Flags<'a>(pub &'a str);

impl Flags<'_> {
    #[must_use]
    pub fn has(self, flag: char) -> bool {
        self.0.contains(flag)
    }

    #[must_use]
    pub fn proof(self) -> ProofPolicy {
        let default = ProofPolicy::DEFAULT;
        ProofPolicy {
            algorithms: if self.has('w') { AlgorithmSet::EMPTY.with(Algorithm::Es256) } else { default.algorithms },
            max_age: if self.has('y') { 30 } else { default.max_age },
            max_future: if self.has('f') { 10 } else { default.max_future },
            ..default
        }
    }

    #[must_use]
    pub fn nonce(self) -> NonceRule {
        match (self.has('q'), self.has('i')) {
            (true, _) => NonceRule::Require,
            (_, true) => NonceRule::Optional,
            _ => NonceRule::Ignore,
        }
    }

    #[must_use]
    pub fn nonce_source(self, role: NonceRole) -> NonceSource {
        match (self.nonce(), self.has('n')) {
            (NonceRule::Ignore, _) => NonceSource::None,
            (_, true) => NonceSource::Stateless(world::nonces(role)),
            _ => NonceSource::Driver,
        }
    }

    #[must_use]
    pub fn policy(self) -> ResourcePolicy {
        let mechanism = match (self.has('d'), self.has('m')) {
            (true, _) => Mechanism::Dpop,
            (_, true) => Mechanism::Mtls,
            _ => Mechanism::Either,
        };
        let required_for = if self.has('P') { RequiredFor::PublicClients } else { RequiredFor::AllClients };
        let constraint = ConstraintPolicy { mechanism, required: self.has('r'), required_for };
        ResourcePolicy { proof: self.proof(), constraint, nonce: self.nonce() }
    }

    #[must_use]
    pub fn tokens(self) -> TokenPolicy {
        let profiles = [('A', Profile::Auth0), ('K', Profile::Keycloak), ('O', Profile::Okta)];
        let profile = profiles.into_iter().find(|(flag, _)| self.has(*flag));
        TokenPolicy {
            issuers: vec![ISSUER.to_owned()],
            audiences: vec![AUDIENCE.to_owned()],
            algorithms: AlgorithmSet::ALL,
            profile: profile.map_or(Profile::Rfc9068, |(_, profile)| profile),
            types: Vec::new(),
        }
    }

    #[must_use]
    pub fn cache(self) -> usize {
        if self.has('z') { 1 } else { 100 }
    }

    #[must_use]
    pub fn config(self) -> Config {
        Config {
            policy: self.policy(),
            tokens: self.tokens(),
            resolution: if self.has('s') { TokenResolution::Driver } else { TokenResolution::Jwt },
            nonces: self.nonce_source(NonceRole::ResourceServer),
            resource_metadata: None,
            token_cache: if self.has('0') { 0 } else { self.cache() },
            key_cache: self.cache(),
        }
    }
}
