//! A token endpoint that takes `worker::Request`.

use alloc::{rc::Rc, string::String, vec::Vec};

use ::worker::{Request, Response, Result};
use keybound_core::{
    server::{
        replay::ReplayMark,
        token_endpoint::{Grant, TokenRequest},
    },
    thumbprint::Thumbprint,
};

use super::{Front, Rejected, fields, now};
use crate::{
    config::ConfigError,
    cors::Cors,
    public_url::PublicUrl,
    reply::Field,
    surroundings::{AsyncReplayStore, Surroundings},
    token_engine::TokenConfig,
    webcrypto::CachedWebCrypto,
};

/// How many imported keys are remembered.
const KEYS: usize = 10_000;

/// Says what a worker's token requests bind their tokens to. A handle: cloning it copies no state.
#[derive(Clone, Debug)]
pub struct TokenEndpoint {
    endpoint: Rc<crate::TokenEndpoint>,
    verifier: Rc<CachedWebCrypto>,
    front: Rc<Front>,
}

/// What a token is to be bound to.
#[derive(Debug)]
pub struct Binding {
    binding: crate::token_endpoint::Binding,
    cors: Vec<Field>,
}

impl TokenEndpoint {
    /// An endpoint without any state yet. Does no I/O: make it at module scope, or with the first request
    /// where it needs that one's `Env`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: TokenConfig) -> core::result::Result<Self, ConfigError> {
        Ok(Self {
            endpoint: Rc::new(crate::TokenEndpoint::new(config)?),
            verifier: Rc::new(CachedWebCrypto::new(KEYS)),
            front: Rc::new(Front::default()),
        })
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

    /// The answer to a CORS preflight; `None` if the request is none.
    ///
    /// # Errors
    /// The runtime refused a field.
    pub fn preflight(&self, request: &Request) -> Result<Option<Response>> {
        self.front.preflight(request)
    }

    /// Decides about one request. Call it after the grant was found and before it is consumed: a nonce
    /// challenge must not burn a code or refresh token.
    ///
    /// # Errors
    /// The first check that fails, with the answer to give.
    pub async fn bind<R: AsyncReplayStore>(
        &self,
        request: &Request,
        grant: &Grant,
        replay: &R,
    ) -> core::result::Result<Binding, Rejected> {
        let Ok(head) = self.front.head(request) else { return Err(Rejected::unreadable()) };
        let cors = self.front.cors_fields(head.origin.as_deref());
        let dpop = head.dpop.as_deref();
        let token_request = TokenRequest { method: &head.method, url: &head.url, dpop: dpop.as_slice() };
        let around =
            Surroundings::new(now(), &*self.verifier, &(), replay).with_certificate(self.front.certificate(request));
        match self.endpoint.bind(&token_request, grant, around).await {
            Ok(binding) => Ok(Binding { binding, cors }),
            Err(rejected) => Err(Rejected { rejected, cors }),
        }
    }
}

impl Binding {
    /// `token_type` of the token response (RFC 9449 §5, RFC 8705 §3).
    #[must_use]
    pub const fn token_type(&self) -> &'static str {
        self.binding.token_type()
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
        self.binding.cnf_json()
    }

    /// The mark that the caller still has to claim, with [`crate::surroundings::ExternalReplay`].
    #[must_use]
    pub const fn mark(&self) -> Option<&ReplayMark> {
        self.binding.mark()
    }

    /// The response with what the decision adds to it: the next nonce where due, `Cache-Control`, CORS.
    ///
    /// # Errors
    /// The runtime refused a field.
    pub fn finish(&self, response: Response) -> Result<Response> {
        let mut all = self.binding.fields();
        all.extend(self.cors.iter().cloned());
        fields::finish(response, &all)
    }
}
