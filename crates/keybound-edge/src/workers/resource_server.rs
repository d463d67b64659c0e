//! A resource server that takes `worker::Request`.

use alloc::{rc::Rc, vec::Vec};

use ::worker::{Request, Response, Result};
use keybound_core::{
    server::{
        certificate::CertificateReading,
        jwks::Jwks,
        policy::{ClientType, Scheme},
        replay::ReplayMark,
        request,
    },
    thumbprint::Thumbprint,
};

use super::{Front, Head, Rejected, WorkerFetch, fields, now};
use crate::{
    config::ConfigError,
    cors::Cors,
    engine::Config,
    public_url::PublicUrl,
    reply::Field,
    surroundings::{AsyncReplayStore, Surroundings, TokenSource, everybody_is_public},
    webcrypto::CachedWebCrypto,
};

/// How many imported keys are remembered.
const KEYS: usize = 10_000;

/// Decides about a worker's requests. A handle: cloning it copies no state.
#[derive(Clone, Debug)]
pub struct ResourceServer {
    server: Rc<crate::ResourceServer>,
    verifier: Rc<CachedWebCrypto>,
    front: Rc<Front>,
    client_type: fn(&str) -> ClientType,
}

/// A request that may use its token.
#[derive(Debug)]
pub struct Accepted {
    accepted: crate::resource_server::Accepted,
    server: ResourceServer,
    cors: Vec<Field>,
}

impl ResourceServer {
    /// A server without any state yet. Does no I/O: make it at module scope, or with the first request
    /// where it needs that one's `Env`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: Config) -> core::result::Result<Self, ConfigError> {
        Ok(Self {
            server: Rc::new(crate::ResourceServer::new(config)?),
            verifier: Rc::new(CachedWebCrypto::new(KEYS)),
            front: Rc::new(Front::default()),
            client_type: everybody_is_public,
        })
    }

    /// Gives the keys of one of the configuration's issuers, by its place, which are then never fetched.
    #[must_use]
    pub fn with_keys(self, issuer: usize, keys: Jwks) -> Self {
        self.server.give_keys(issuer, keys);
        self
    }

    /// Where clients see this server, if it is not where the worker sees itself.
    #[must_use]
    pub fn with_public_url(mut self, url: PublicUrl) -> Self {
        Rc::make_mut(&mut self.front).public_url = Some(url);
        self
    }

    /// Answers for pages of other origins.
    #[must_use]
    pub fn with_cors(mut self, cors: Cors) -> Self {
        Rc::make_mut(&mut self.front).cors = Some(cors);
        self
    }

    /// Asks Cloudflare for the client's certificate. `allow_self_signed` (RFC 8705 §2.2) lets that one
    /// verification failure pass, never an expired or revoked certificate.
    #[must_use]
    pub fn with_cloudflare_certificates(mut self, allow_self_signed: bool) -> Self {
        Rc::make_mut(&mut self.front).certificates = Some(allow_self_signed);
        self
    }

    /// Tells a client's type by its token's claims (JSON). Asked where a constraint is required of public
    /// clients only; without it every client counts as public.
    #[must_use]
    pub fn with_client_type(mut self, client_type: fn(&str) -> ClientType) -> Self {
        self.client_type = client_type;
        self
    }

    /// The answer to a CORS preflight; `None` if the request is none.
    ///
    /// # Errors
    /// The runtime refused a field.
    pub fn preflight(&self, request: &Request) -> Result<Option<Response>> {
        self.front.preflight(request)
    }

    /// Decides about one request.
    ///
    /// # Errors
    /// The first check that fails, with the answer to give.
    pub async fn authenticate<R: AsyncReplayStore>(
        &self,
        request: &Request,
        replay: &R,
    ) -> core::result::Result<Accepted, Rejected> {
        self.authenticate_by(request, replay, &()).await
    }

    /// As [`ResourceServer::authenticate`], with a source of tokens that are no JWTs: introspection
    /// (RFC 7662), say. Asked where the configuration's `resolution` is `TokenResolution::Driver`.
    ///
    /// # Errors
    /// The first check that fails, with the answer to give.
    pub async fn authenticate_by<R: AsyncReplayStore, T: TokenSource>(
        &self,
        request: &Request,
        replay: &R,
        tokens: &T,
    ) -> core::result::Result<Accepted, Rejected> {
        let Ok(head) = self.front.head(request) else { return Err(Rejected::unreadable()) };
        let certificate = self.front.certificate(request);
        let cors = self.front.cors_fields(head.origin.as_deref());
        match self.decide(&head, certificate, replay, tokens).await {
            Ok(accepted) => Ok(Accepted { accepted, server: self.clone(), cors }),
            Err(rejected) => Err(Rejected { rejected, cors }),
        }
    }

    async fn decide<R: AsyncReplayStore, T: TokenSource>(
        &self,
        head: &Head,
        certificate: CertificateReading,
        replay: &R,
        tokens: &T,
    ) -> core::result::Result<crate::resource_server::Accepted, crate::reply::Rejected> {
        let (authorization, dpop) = (head.authorization.as_deref(), head.dpop.as_deref());
        let request = request::Request {
            method: &head.method,
            url: &head.url,
            authorization: authorization.as_slice(),
            dpop: dpop.as_slice(),
        };
        let around = Surroundings::new(now(), &*self.verifier, &WorkerFetch, replay)
            .with_certificate(certificate)
            .with_client_type(&self.client_type)
            .with_tokens(tokens);
        self.server.authenticate(&request, around).await
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
        self.accepted.scheme()
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

    /// The response with what the decision adds to it: the next nonce where due, `Cache-Control`, CORS.
    ///
    /// # Errors
    /// The runtime refused a field.
    pub fn finish(&self, response: Response) -> Result<Response> {
        let mut all = self.accepted.fields();
        all.extend(self.cors.iter().cloned());
        fields::finish(response, &all)
    }

    /// 403 with an `insufficient_scope` challenge (RFC 6750 §3.1).
    ///
    /// # Errors
    /// The runtime refused a field.
    pub fn forbid(&self, scope: &str) -> Result<Response> {
        fields::respond(self.server.server.forbid(&self.accepted, scope), self.cors.clone())
    }
}
