//! A resource server for asynchronous Rust: [`Engine`] with somebody who carries out its steps.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use keybound_core::{
    server::{
        answer,
        jwks::Jwks,
        nonce::NonceStatus,
        policy::Scheme,
        reason::{Answer, OAuthError, Reason},
        replay::{ReplayAnswer, ReplayMark},
        request::Request,
        resource_server,
    },
    signature::{AsyncSignatureVerifier, SignatureError},
    thumbprint::Thumbprint,
    time::Timestamp,
};

use crate::{
    both::both,
    config::ConfigError,
    engine::{Config, Engine, NonceSource, Step},
    issuer_keys::{Due, IssuerKeys},
    pending_check::PendingCheck,
    reply::{self, Field, Rejected, Reply},
    shared::Shared,
    surroundings::{AsyncReplayStore, Documents, NonceChecker, ResolvedToken, Surroundings, TokenSource, Unavailable},
};

/// Decides about requests that present an access token (RFC 9449 §7, RFC 8705 §3).
///
/// It keeps verified tokens and issuers' keys from one request to the next, and nothing that does I/O:
/// make it once, in a `thread_local!`.
#[derive(Debug)]
pub struct ResourceServer {
    engine: Shared<Engine>,
    issuers: Vec<IssuerKeys>,
    asks_for_nonces: bool,
}

/// A request that may use its token.
#[derive(Debug)]
pub struct Accepted {
    accepted: resource_server::Accepted,
    scheme: Scheme,
    nonce: Option<String>,
}

impl ResourceServer {
    /// A server without any state yet. Does no I/O and needs no clock.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            issuers: config.tokens.issuers.iter().map(|issuer| IssuerKeys::new(issuer)).collect(),
            asks_for_nonces: matches!(config.nonces, NonceSource::Driver),
            engine: Shared::new(Engine::new(config)),
        })
    }

    /// Gives the keys of one of the configuration's issuers, by its place, which are then never fetched.
    #[must_use]
    pub fn with_keys(self, issuer: usize, keys: Jwks) -> Self {
        self.give_keys(issuer, keys);
        self
    }

    pub(crate) fn give_keys(&self, issuer: usize, keys: Jwks) {
        if let Some(place) = self.issuers.get(issuer) {
            place.given();
        }
        self.engine.with(|engine| engine.set_keys(issuer, keys));
    }

    /// Decides about one request.
    ///
    /// # Errors
    /// The first check that fails, with the answer to give.
    pub async fn authenticate<V, D, R, T, N>(
        &self,
        request: &Request<'_>,
        around: Surroundings<'_, V, D, R, T, N>,
    ) -> Result<Accepted, Rejected>
    where
        V: AsyncSignatureVerifier,
        D: Documents,
        R: AsyncReplayStore,
        T: TokenSource,
        N: NonceChecker,
    {
        let scheme = answer::scheme_used(request);
        match self.decide(request, &around).await {
            Ok(accepted) => {
                let renews = accepted.renews_nonce();
                let nonce = if renews { self.current_nonce(&around).await.ok() } else { None };
                // What was accepted had one.
                Ok(Accepted { accepted, scheme: scheme.unwrap_or(Scheme::Bearer), nonce })
            }
            Err(reason) => Err(self.reject(reason, scheme, &around).await),
        }
    }

    /// The answer to an accepted request whose token lacks a scope (RFC 6750 §3.1).
    #[must_use]
    pub fn forbid(&self, accepted: &Accepted, scope: &str) -> Reply {
        let reply =
            self.engine.with(|engine| Reply::insufficient_scope(&engine.challenge_context(), scope, accepted.scheme));
        let mut reply = reply.unwrap_or(Reply { status: 403, fields: Vec::new(), body: String::new() });
        reply.fields.extend(accepted.nonce.clone().map(|nonce| ("DPoP-Nonce", nonce)));
        reply
    }

    async fn decide<V, D, R, T, N>(
        &self,
        request: &Request<'_>,
        around: &Surroundings<'_, V, D, R, T, N>,
    ) -> Result<resource_server::Accepted, Reason>
    where
        V: AsyncSignatureVerifier,
        D: Documents,
        R: AsyncReplayStore,
        T: TokenSource,
        N: NonceChecker,
    {
        let now = around.now;
        self.refresh_keys(now, around.documents).await;
        let mut step = self.engine.step(|engine| engine.begin(request, now));
        let mut fetched = false;
        loop {
            step = match step {
                Step::Rejected(reason) => return Err(reason),
                Step::Accepted(outcome) => return Ok(outcome.accepted),
                Step::NeedNonce(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let nonce = self.engine.with(|engine| engine.nonce_of(handle).map(ToOwned::to_owned)).flatten();
                    let status = check_nonce(around.nonces, nonce).await?;
                    waiting.goes_on(|engine| engine.nonce(handle, status))
                }
                Step::NeedKeys(handle, issuer) => {
                    let waiting = self.engine.waiting(handle);
                    // What was fetched already does not change by asking again.
                    if fetched || !self.load_keys(issuer, now, around.documents).await {
                        return Err(Reason::TokenSourceUnavailable);
                    }
                    fetched = true;
                    waiting.goes_on(|engine| engine.resume(handle))
                }
                Step::NeedSource(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let token = self.engine.with(|engine| engine.token_of(handle).map(ToOwned::to_owned)).flatten();
                    let resolved = around.tokens.resolve(&token.unwrap_or_default(), now).await;
                    let (active, claims, until) =
                        match resolved.map_err(|Unavailable| Reason::TokenSourceUnavailable)? {
                            ResolvedToken::Active { claims, until } => (true, claims, until),
                            ResolvedToken::Inactive => (false, "{}".to_owned(), None),
                        };
                    waiting.goes_on(|engine| engine.source(handle, active, &claims, until))
                }
                Step::NeedSignatures(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let (token, proof) = self.check_signatures(handle, around.verifier).await;
                    let certificate = Some(around.certificate);
                    waiting.goes_on(|engine| engine.signatures(handle, token, proof, certificate, None))
                }
                Step::NeedClientType(handle) => {
                    let client = self.engine.with(|engine| engine.claims_of(handle).map(around.client_type)).flatten();
                    self.engine.step(|engine| engine.client(handle, client.unwrap_or_default(), None))
                }
                Step::NeedCertificate(handle) => {
                    self.engine.step(|engine| engine.certificate(handle, around.certificate, None))
                }
                Step::NeedReplay(handle) => {
                    let waiting = self.engine.waiting(handle);
                    let mark = self.engine.with(|engine| engine.mark_of(handle).copied()).flatten();
                    let answer = claim(around.replay, mark, now).await;
                    waiting.goes_on(|engine| engine.replay(handle, answer))
                }
            };
        }
    }

    /// Fetches keys that are due anew; while the issuer cannot be reached the old ones serve for a while.
    async fn refresh_keys<D: Documents>(&self, now: Timestamp, documents: &D) {
        for (issuer, keys) in self.issuers.iter().enumerate() {
            let due = keys.due(now);
            if due != Due::Fine && !self.load_keys(issuer, now, documents).await && due == Due::TooOld {
                keys.forget();
                self.engine.with(|engine| engine.set_keys(issuer, Jwks::default()));
            }
        }
    }

    async fn load_keys<D: Documents>(&self, issuer: usize, now: Timestamp, documents: &D) -> bool {
        let Some(keys) = self.issuers.get(issuer) else { return false };
        let take = |jwks| {
            self.engine.with(|engine| engine.set_keys(issuer, jwks));
        };
        keys.load(now, documents, take).await
    }

    /// Both signatures at once.
    async fn check_signatures<V: AsyncSignatureVerifier>(
        &self,
        handle: u32,
        verifier: &V,
    ) -> (Result<(), SignatureError>, Result<(), SignatureError>) {
        // Copies: other requests use the engine while these are checked.
        let copies = self.engine.with(|engine| {
            let signatures = engine.signatures_of(handle)?;
            Some((signatures.token.map(PendingCheck::of), signatures.proof.map(PendingCheck::of)))
        });
        let (token, proof) = copies.flatten().unwrap_or_default();
        both(PendingCheck::verify(token, verifier), PendingCheck::verify(proof, verifier)).await
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
        scheme: Option<Scheme>,
        around: &Surroundings<'_, V, D, R, T, N>,
    ) -> Rejected {
        let (reason, nonce) = match reason.answer() {
            Answer::Error(OAuthError::UseDpopNonce) => match self.current_nonce(around).await {
                Ok(nonce) => (reason, Some(nonce)),
                // A challenge without a nonce would send the client round in circles.
                Err(Unavailable) => (Reason::NonceSourceUnavailable, None),
            },
            _ => (reason, None),
        };
        let used = reason;
        self.engine
            .with(|engine| Rejected::at_resource_server(&engine.challenge_context(), used, scheme, nonce))
            .unwrap_or_else(|| Rejected::at_token_endpoint(Reason::Overloaded, None))
    }
}

pub(crate) async fn check_nonce<N: NonceChecker>(nonces: &N, nonce: Option<String>) -> Result<NonceStatus, Reason> {
    let nonce = nonce.unwrap_or_default();
    nonces.check(&nonce).await.map_err(|Unavailable| Reason::NonceSourceUnavailable)
}

pub(crate) async fn claim<R: AsyncReplayStore>(replay: &R, mark: Option<ReplayMark>, now: Timestamp) -> ReplayAnswer {
    match mark {
        Some(mark) => replay.claim(&mark, now.as_seconds()).await,
        None => ReplayAnswer::Unavailable,
    }
}

impl Accepted {
    /// The token's claims, as the JSON object that its issuer made.
    #[must_use]
    pub fn claims_json(&self) -> &str {
        self.accepted.claims_json()
    }

    /// The scheme under which the token was presented.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The thumbprint of the key that was proven, `cnf.jkt`.
    #[must_use]
    pub const fn jkt(&self) -> Option<Thumbprint> {
        self.accepted.jkt()
    }

    /// The thumbprint of the certificate that was shown, `cnf["x5t#S256"]`.
    #[must_use]
    pub const fn x5t_s256(&self) -> Option<Thumbprint> {
        self.accepted.x5t_s256()
    }

    /// The mark that the caller still has to claim, with [`crate::surroundings::ExternalReplay`].
    #[must_use]
    pub const fn mark(&self) -> Option<&ReplayMark> {
        self.accepted.mark()
    }

    /// Fields to add to the answer, whatever it is: the next nonce, where the client's is getting old.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        reply::nonce_fields(self.nonce.as_deref())
    }
}
