//! What a decision asks of its surroundings, each a small trait: documents, signatures, replay marks,
//! and where a server has them, its own tokens and nonces.

use alloc::string::String;
use core::cell::RefCell;

use keybound_core::{
    server::{
        certificate::CertificateReading,
        freshness::{Freshness, ResponseFields},
        nonce::NonceStatus,
        policy::ClientType,
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
    },
    signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError, SignatureVerifier},
    time::Timestamp,
};

/// It gave no answer. The request is answered with 503, never accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// A document of another server's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The body of its answer.
    pub text: String,
    /// `Cache-Control`; several of them joined with commas (RFC 9110 §5.3). Keys serve as long as it says, within
    /// bounds.
    pub cache_control: Option<String>,
    /// `Age`, as it came.
    pub age: Option<String>,
    /// `Expires` in seconds since the epoch; 0 if it is no date (RFC 9111 §5.3).
    pub expires: Option<i64>,
    /// `Date` in seconds since the epoch. Without it the time of the request counts.
    pub date: Option<i64>,
}

impl Document {
    /// A document of which no more is known than what stands in it: its keys are fetched anew after ten minutes.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// How long it serves as a key set (RFC 9111 §4.2), in seconds.
    pub(crate) fn freshness_of_keys(&self, now: i64) -> Freshness {
        Freshness::of_keys(&ResponseFields {
            cache_control: self.cache_control.as_deref(),
            age: self.age.as_deref(),
            expires: self.expires,
            date: self.date.unwrap_or(now),
        })
    }
}

/// Fetches issuers' metadata and key sets.
///
/// `()` fetches nothing: for servers that were given their keys.
#[allow(async_fn_in_trait, reason = "a worker has one thread")]
pub trait Documents {
    /// The answer to a GET with status 200, and what its fields say of its age. It follows no redirect, takes
    /// some seconds at most and no more than a megabyte.
    ///
    /// # Errors
    /// [`Unavailable`] for anything else: old keys serve for a while then, else requests are answered with 503.
    async fn get(&self, url: &str) -> Result<Document, Unavailable>;

    /// Waits. The timer belongs to the request that waits: on workers nothing else may wake it.
    async fn pause(&self, milliseconds: u32);
}

impl Documents for () {
    async fn get(&self, _: &str) -> Result<Document, Unavailable> {
        Err(Unavailable)
    }

    async fn pause(&self, _: u32) {}
}

/// A place that remembers replay marks (RFC 9449 §11.1): insert-if-absent, as one step, for everybody
/// who serves the same origin.
///
/// A [`MemoryReplay`] in a [`RefCell`] is one for a single process.
#[allow(async_fn_in_trait, reason = "a worker has one thread")]
pub trait AsyncReplayStore {
    /// Inserts a mark unless it is there. `now` is in seconds since the epoch.
    async fn claim(&self, mark: &ReplayMark, now: i64) -> ReplayAnswer;
}

impl AsyncReplayStore for RefCell<MemoryReplay> {
    async fn claim(&self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        self.try_borrow_mut().map_or(ReplayAnswer::Unavailable, |mut memory| memory.claim(mark, now))
    }
}

/// Nobody is asked: the caller claims the mark of the acceptance by itself, before it acts on the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExternalReplay;

impl AsyncReplayStore for ExternalReplay {
    async fn claim(&self, _: &ReplayMark, _: i64) -> ReplayAnswer {
        ReplayAnswer::External
    }
}

/// Signatures that are checked at once: native code, or runtimes without SubtleCrypto.
#[derive(Clone, Copy, Debug, Default)]
pub struct Synchronous<V>(pub V);

impl<V: SignatureVerifier> AsyncSignatureVerifier for Synchronous<V> {
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        self.0.verify(check)
    }
}

/// Resolves access tokens that are no JWTs, by introspection (RFC 7662), say. Asked where the
/// configuration's `resolution` is `TokenResolution::Driver`.
#[allow(async_fn_in_trait, reason = "a worker has one thread")]
pub trait TokenSource {
    /// What is known of the token. An unknown one is not active.
    async fn resolve(&self, token: &str, now: Timestamp) -> Result<ResolvedToken, Unavailable>;
}

/// What a source says of a token.
#[derive(Clone, Debug)]
pub enum ResolvedToken {
    /// It is good for something.
    Active {
        /// Its claims, as a JSON object.
        claims: String,
        /// Until when this answer may be remembered. `None`: not at all.
        until: Option<Timestamp>,
    },
    /// It is not.
    Inactive,
}

impl TokenSource for () {
    async fn resolve(&self, _: &str, _: Timestamp) -> Result<ResolvedToken, Unavailable> {
        Err(Unavailable)
    }
}

/// Knows nonces, for servers that keep them by themselves. Asked where the configuration's `nonces` is
/// `NonceSource::Driver`.
#[allow(async_fn_in_trait, reason = "a worker has one thread")]
pub trait NonceChecker {
    /// The nonce to give out now.
    async fn current(&self) -> Result<String, Unavailable>;

    /// What is known of one that came back.
    async fn check(&self, nonce: &str) -> Result<NonceStatus, Unavailable>;
}

impl NonceChecker for () {
    async fn current(&self) -> Result<String, Unavailable> {
        Err(Unavailable)
    }

    async fn check(&self, _: &str) -> Result<NonceStatus, Unavailable> {
        Err(Unavailable)
    }
}

/// The surroundings of one request. Made anew for each: what does I/O belongs to the request that it
/// was made for.
pub struct Surroundings<'a, V, D, R, T = (), N = ()> {
    pub(crate) now: Timestamp,
    pub(crate) verifier: &'a V,
    pub(crate) documents: &'a D,
    pub(crate) replay: &'a R,
    pub(crate) certificate: CertificateReading,
    pub(crate) tokens: &'a T,
    pub(crate) nonces: &'a N,
    pub(crate) client_type: &'a dyn Fn(&str) -> ClientType,
}

impl<V, D, R, T, N> core::fmt::Debug for Surroundings<'_, V, D, R, T, N> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Surroundings").field("now", &self.now).finish_non_exhaustive()
    }
}

impl<'a, V, D, R> Surroundings<'a, V, D, R> {
    /// What every request needs: the time, and who checks signatures, fetches keys and remembers proofs.
    #[must_use]
    pub const fn new(now: Timestamp, verifier: &'a V, documents: &'a D, replay: &'a R) -> Self {
        let certificate = CertificateReading::Absent;
        Self {
            now,
            verifier,
            documents,
            replay,
            certificate,
            tokens: &(),
            nonces: &(),
            client_type: &everybody_is_public,
        }
    }
}

impl<'a, V, D, R, T, N> Surroundings<'a, V, D, R, T, N> {
    /// The connection's certificate (RFC 8705 §3). What a client can write itself is none.
    #[must_use]
    pub const fn with_certificate(mut self, certificate: CertificateReading) -> Self {
        self.certificate = certificate;
        self
    }

    /// Tells a client's type by its token's claims (JSON). Asked where a constraint is required of public
    /// clients only; without it every client counts as public.
    #[must_use]
    pub const fn with_client_type(mut self, client_type: &'a dyn Fn(&str) -> ClientType) -> Self {
        self.client_type = client_type;
        self
    }

    /// A source of tokens.
    #[must_use]
    pub const fn with_tokens<S>(self, tokens: &'a S) -> Surroundings<'a, V, D, R, S, N> {
        let Self { now, verifier, documents, replay, certificate, nonces, client_type, .. } = self;
        Surroundings { now, verifier, documents, replay, certificate, tokens, nonces, client_type }
    }

    /// The server's own nonces.
    #[must_use]
    pub const fn with_nonces<C>(self, nonces: &'a C) -> Surroundings<'a, V, D, R, T, C> {
        let Self { now, verifier, documents, replay, certificate, tokens, client_type, .. } = self;
        Surroundings { now, verifier, documents, replay, certificate, tokens, nonces, client_type }
    }
}

pub(crate) const fn everybody_is_public(_: &str) -> ClientType {
    ClientType::Public
}
