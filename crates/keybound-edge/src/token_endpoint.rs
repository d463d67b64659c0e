//! A token endpoint's half of sender constraining for asynchronous Rust: [`TokenEngine`] with somebody
//! who carries out its steps.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use keybound_core::{
    json::write_string,
    server::{
        reason::{Answer, OAuthError, Reason},
        replay::ReplayMark,
        token_endpoint::{self, Grant, TokenRequest},
    },
    signature::AsyncSignatureVerifier,
    thumbprint::Thumbprint,
};

use crate::{
    config::ConfigError,
    engine::NonceSource,
    pending_check::PendingCheck,
    reply::{self, Field, Rejected},
    resource_server::{check_nonce, claim},
    shared::Shared,
    surroundings::{AsyncReplayStore, NonceChecker, Surroundings, Unavailable},
    token_engine::{TokenConfig, TokenEngine, TokenStep},
};

/// Says what a token is to be bound to (RFC 9449 §5, §8 and §10, RFC 8705 §3 and §4).
///
/// It keeps nothing that does I/O: make it once, in a `thread_local!`. Serves pushed authorization
/// requests as well (RFC 9449 §10.1).
#[derive(Debug)]
pub struct TokenEndpoint {
    engine: Shared<TokenEngine>,
    asks_for_nonces: bool,
}

/// What a token is to be bound to.
#[derive(Debug)]
pub struct Binding {
    binding: token_endpoint::Binding,
    nonce: Option<String>,
}

impl TokenEndpoint {
    /// An endpoint without any state yet. Does no I/O and needs no clock.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: TokenConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let asks_for_nonces = matches!(config.nonces, NonceSource::Driver);
        Ok(Self { engine: Shared::new(TokenEngine::new(config)), asks_for_nonces })
    }

    /// Decides about one request. Call it after the grant was found and before it is consumed: a nonce
    /// challenge must not burn a code or refresh token. Documents and tokens of the surroundings are
    /// not asked here.
    ///
    /// # Errors
    /// The first check that fails, with the answer to give.
    pub async fn bind<V, D, R, T, N>(
        &self,
        request: &TokenRequest<'_>,
        grant: &Grant,
        around: Surroundings<'_, V, D, R, T, N>,
    ) -> Result<Binding, Rejected>
    where
        V: AsyncSignatureVerifier,
        R: AsyncReplayStore,
        N: NonceChecker,
    {
        match self.decide(request, grant, &around).await {
            Ok(binding) => {
                let nonce = if binding.renews_nonce() { self.current_nonce(&around).await.ok() } else { None };
                Ok(Binding { binding, nonce })
            }
            Err(reason) => Err(self.reject(reason, &around).await),
        }
    }

    async fn decide<V, D, R, T, N>(
        &self,
        request: &TokenRequest<'_>,
        grant: &Grant,
        around: &Surroundings<'_, V, D, R, T, N>,
    ) -> Result<token_endpoint::Binding, Reason>
    where
        V: AsyncSignatureVerifier,
        R: AsyncReplayStore,
        N: NonceChecker,
    {
        let now = around.now;
        let mut step = self.engine.step(|engine| engine.begin(request, grant, now));
        loop {
            step = match step {
                TokenStep::Rejected(reason) => return Err(reason),
                TokenStep::Bound(binding, _) => return Ok(binding),
                TokenStep::NeedNonce(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let nonce = self.engine.with(|engine| engine.nonce_of(handle).map(ToOwned::to_owned)).flatten();
                    let status = check_nonce(around.nonces, nonce).await?;
                    waiting.goes_on(|engine| engine.nonce(handle, status))
                }
                TokenStep::NeedSignature(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let copy = self
                        .engine
                        .with(|engine| engine.signature_of(handle).map(|(check, _)| PendingCheck::of(check)))
                        .flatten();
                    let answer = PendingCheck::verify(copy, around.verifier).await;
                    waiting.goes_on(|engine| engine.signature(handle, answer, None))
                }
                TokenStep::NeedCertificate(handle) => {
                    self.engine.step(|engine| engine.certificate(handle, &around.certificate, None))
                }
                TokenStep::NeedReplay(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let mark = self.engine.with(|engine| engine.mark_of(handle).copied()).flatten();
                    let answer = claim(around.replay, mark, now).await;
                    waiting.goes_on(|engine| engine.replay(handle, answer))
                }
            };
        }
    }

    async fn current_nonce<V, D, R, T, N: NonceChecker>(
        &self,
        around: &Surroundings<'_, V, D, R, T, N>,
    ) -> Result<String, Unavailable> {
        if self.asks_for_nonces {
            return around.nonces.current().await;
        }
        self.engine.with(|engine| engine.current_nonce(around.now)).flatten().ok_or(Unavailable)
    }

    async fn reject<V, D, R, T, N: NonceChecker>(
        &self,
        reason: Reason,
        around: &Surroundings<'_, V, D, R, T, N>,
    ) -> Rejected {
        match reason.answer() {
            Answer::Error(OAuthError::UseDpopNonce) => match self.current_nonce(around).await {
                Ok(nonce) => Rejected::at_token_endpoint(reason, Some(nonce)),
                // A challenge without a nonce would send the client round in circles.
                Err(Unavailable) => Rejected::at_token_endpoint(Reason::NonceSourceUnavailable, None),
            },
            _ => Rejected::at_token_endpoint(reason, None),
        }
    }
}

impl Binding {
    /// `token_type` of the token response (RFC 9449 §5, RFC 8705 §3).
    #[must_use]
    pub const fn token_type(&self) -> &'static str {
        if self.binding.is_dpop() { "DPoP" } else { "Bearer" }
    }

    /// `cnf.jkt` of the token, or what a pushed request is bound to.
    #[must_use]
    pub const fn jkt(&self) -> Option<Thumbprint> {
        self.binding.jkt()
    }

    /// `cnf["x5t#S256"]` of the token.
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<Thumbprint> {
        self.binding.x5t_s256()
    }

    /// The `cnf` claim of the token, or of the introspection answer. `None`: it is unbound.
    #[must_use]
    pub fn cnf_json(&self) -> Option<String> {
        let mut out = String::new();
        for (name, thumbprint) in [("jkt", self.jkt()), ("x5t#S256", self.x5t_s256())] {
            let Some(thumbprint) = thumbprint else { continue };
            out.push(if out.is_empty() { '{' } else { ',' });
            write_string(name, &mut out);
            out.push(':');
            write_string(&thumbprint.to_base64url(), &mut out);
        }
        if out.is_empty() {
            return None;
        }
        out.push('}');
        Some(out)
    }

    /// The mark that the caller still has to claim, with [`crate::surroundings::ExternalReplay`].
    #[must_use]
    pub const fn mark(&self) -> Option<&ReplayMark> {
        self.binding.mark()
    }

    /// Fields to add to the answer: the next nonce, where the client's is getting old.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        reply::nonce_fields(self.nonce.as_deref())
    }
}
