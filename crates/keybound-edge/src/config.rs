//! Configurations by the few things that every server has to say, and what makes one impossible.

use alloc::{string::String, vec::Vec};

use keybound_core::{
    algorithm::AlgorithmSet,
    server::{
        nonce::{NoncePolicyError, NonceRole, NonceRule, Nonces},
        resource_server::ResourcePolicy,
        token::{Profile, TokenPolicy},
        token_endpoint::TokenEndpointPolicy,
    },
    target_uri::TargetUri,
};

use crate::{
    engine::{Config, NonceSource, TokenResolution},
    token_engine::TokenConfig,
};

/// How many verified tokens a server remembers unless told otherwise.
const TOKENS: usize = 10_000;

/// Why a server cannot be made of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// JWTs are to be verified, and there is no issuer to ask for keys: name one.
    NoIssuer,
    /// An issuer is no `https` URL without query and fragment (RFC 8414 §2).
    InvalidIssuer,
    /// There is no audience, or an empty one: name the identifiers that tokens for this server have in `aud`.
    NoAudience,
    /// No algorithm is accepted, so that no proof can be.
    NoAlgorithm,
    /// Nonces are asked for, and nobody knows any: give secrets.
    NoNonceSource,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::NoIssuer => "name at least one issuer",
            Self::InvalidIssuer => "an issuer is an https URL without query and fragment",
            Self::NoAudience => "name at least one audience",
            Self::NoAlgorithm => "accept at least one algorithm for proofs",
            Self::NoNonceSource => "nonces are asked for, and there are no secrets to make them from",
        })
    }
}

impl core::error::Error for ConfigError {}

impl Config {
    /// A resource server for JWTs (RFC 9068) of these issuers and for these audiences: tokens bound to a
    /// DPoP key or a certificate only, no nonces.
    ///
    /// ```
    /// use keybound_core::server::policy::Mechanism;
    /// use keybound_edge::engine::Config;
    ///
    /// let mut config = Config::for_jwts(["https://as.example"], ["https://api.example"])
    ///     .with_nonces(vec![vec![7; 32]], 60)
    ///     .unwrap();
    /// config.policy.constraint.mechanism = Mechanism::Dpop;
    /// ```
    #[must_use]
    pub fn for_jwts<I, A>(issuers: I, audiences: A) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
        A: IntoIterator<Item: Into<String>>,
    {
        Self {
            policy: ResourcePolicy::default(),
            tokens: TokenPolicy {
                issuers: issuers.into_iter().map(Into::into).collect(),
                audiences: audiences.into_iter().map(Into::into).collect(),
                algorithms: AlgorithmSet::ALL,
                profile: Profile::default(),
                types: Vec::new(),
            },
            resolution: TokenResolution::Jwt,
            nonces: NonceSource::None,
            resource_metadata: None,
            token_cache: TOKENS,
            // Imported keys are with the verifier here.
            key_cache: 0,
        }
    }

    /// The same, and every proof needs a nonce (RFC 9449 §9). Servers with one of the secrets, of at
    /// least 32 octets each, and the same audiences know each other's nonces; the first secret signs.
    /// `window` is in seconds.
    ///
    /// # Errors
    /// See [`NoncePolicyError`].
    pub fn with_nonces(mut self, secrets: Vec<Vec<u8>>, window: u32) -> Result<Self, NoncePolicyError> {
        let mut audience = String::new();
        for name in &self.tokens.audiences {
            audience.push_str(name);
            audience.push(' ');
        }
        let nonces = Nonces::new(secrets, window, NonceRole::ResourceServer, &audience)?;
        self.nonces = NonceSource::Stateless(nonces);
        self.policy.nonce = NonceRule::Require;
        Ok(self)
    }

    /// Whether a server can be made of it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let TokenPolicy { issuers, audiences, .. } = &self.tokens;
        if issuers.is_empty() && self.resolution == TokenResolution::Jwt {
            return Err(ConfigError::NoIssuer);
        }
        if !issuers.iter().all(|issuer| is_issuer(issuer)) {
            return Err(ConfigError::InvalidIssuer);
        }
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(ConfigError::NoAudience);
        }
        check_proofs(self.policy.proof.algorithms, self.policy.nonce, &self.nonces)
    }
}

impl Default for TokenConfig {
    /// A token endpoint without nonces.
    fn default() -> Self {
        Self { policy: TokenEndpointPolicy::default(), nonces: NonceSource::None, key_cache: 0 }
    }
}

impl TokenConfig {
    /// The same, and every proof needs a nonce (RFC 9449 §8). As [`Config::with_nonces`].
    ///
    /// # Errors
    /// See [`NoncePolicyError`].
    pub fn with_nonces(mut self, secrets: Vec<Vec<u8>>, window: u32) -> Result<Self, NoncePolicyError> {
        let nonces = Nonces::new(secrets, window, NonceRole::AuthorizationServer, "")?;
        self.nonces = NonceSource::Stateless(nonces);
        self.policy.nonce = NonceRule::Require;
        Ok(self)
    }

    /// Whether an endpoint can be made of it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        check_proofs(self.policy.proof.algorithms, self.policy.nonce, &self.nonces)
    }
}

fn check_proofs(algorithms: AlgorithmSet, rule: NonceRule, nonces: &NonceSource) -> Result<(), ConfigError> {
    if algorithms.iter().next().is_none() {
        return Err(ConfigError::NoAlgorithm);
    }
    match (rule, nonces) {
        (NonceRule::Optional | NonceRule::Require, NonceSource::None) => Err(ConfigError::NoNonceSource),
        _ => Ok(()),
    }
}

fn is_issuer(issuer: &str) -> bool {
    is_secure(issuer) && !issuer.contains(['?', '#'])
}

/// Whether it is an absolute https URL. A developer's own machine may use http.
pub(crate) fn is_secure(url: &str) -> bool {
    TargetUri::parse(url).is_ok_and(|url| url.is_https() || url.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_at_construction() {
        let jwts = |issuer: &str, audience: &str| Config::for_jwts([issuer], [audience]).check();
        assert_eq!(jwts("https://as.example", "https://api.example"), Ok(()));
        assert_eq!(jwts("http://localhost:8080/realms/one", "api"), Ok(()));
        for issuer in ["http://as.example", "https://as.example?x", "https://as.example#x", "as.example", ""] {
            assert_eq!(jwts(issuer, "api"), Err(ConfigError::InvalidIssuer), "{issuer}");
        }
        assert_eq!(jwts("https://as.example", ""), Err(ConfigError::NoAudience));
        let none: [&str; 0] = [];
        assert_eq!(Config::for_jwts(none, ["api"]).check(), Err(ConfigError::NoIssuer));
        let mut config = Config::for_jwts(["https://as.example"], ["api"]);
        config.policy.nonce = NonceRule::Optional;
        assert_eq!(config.check(), Err(ConfigError::NoNonceSource));
        config.policy.proof.algorithms = AlgorithmSet::EMPTY;
        assert_eq!(config.check(), Err(ConfigError::NoAlgorithm));
    }
}
