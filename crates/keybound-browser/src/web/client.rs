//! Requests: the driver of core's state machine.

use alloc::{collections::BTreeMap, rc::Rc, string::String};
use core::cell::RefCell;

use js_sys::{Date, JSON, Reflect, futures::JsFuture};
use keybound_core::client::{
    Answer, ClientError, Command, Event, Exchange, NonceCache, Policy, Preparation, Report, RequestHead, Role, Token,
    TokenAnswer,
};
use wasm_bindgen::JsValue;
use web_sys::{Request, Response, ResponseType, Url};

use super::{DpopKey, Error, key, request};
use crate::platform;

/// An access token, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundToken {
    /// The token.
    pub access_token: String,
    /// Its `token_type`; another than `DPoP` is an error (RFC 9449 §5).
    pub token_type: Option<String>,
    /// The thumbprint of its key (`jkt`); another than the client's is an error.
    pub thumbprint: Option<String>,
}

impl BoundToken {
    /// A token of which no more is known.
    #[must_use]
    pub fn new(access_token: impl Into<String>) -> Self {
        Self { access_token: access_token.into(), token_type: None, thumbprint: None }
    }
}

/// Where the access token comes from.
#[allow(async_fn_in_trait, reason = "JavaScript has one thread")]
pub trait TokenSource {
    /// Called before each attempt; `None`: nobody is logged in, the request goes out plain.
    /// `stale`: the server just answered `invalid_token`; another token earns one more attempt.
    async fn token(&self, stale: bool) -> Option<BoundToken>;
}

impl TokenSource for BoundToken {
    async fn token(&self, _stale: bool) -> Option<BoundToken> {
        Some(self.clone())
    }
}

/// For authorization servers: requests there carry no access token.
#[derive(Clone, Copy, Debug)]
pub struct NoToken;

impl TokenSource for NoToken {
    async fn token(&self, _stale: bool) -> Option<BoundToken> {
        None
    }
}

/// Sends requests with proofs, and deals with nonces, retries and redirects.
///
/// ```no_run
/// # use keybound_browser::{BoundToken, Client, DpopKey, Error};
/// # async fn call() -> Result<(), Error> {
/// let key = DpopKey::open("default").await?;
/// let client = Client::resource_server(key, ["https://api.example"], BoundToken::new("2YotnFZFEjr1z"))?;
/// let request = web_sys::Request::new_with_str("https://api.example/items").map_err(Error::Fetch)?;
/// let response = client.send(&request).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client<T> {
    key: DpopKey,
    policy: Policy,
    tokens: T,
    state: Rc<RefCell<State>>,
    replayable_body_bytes: u32,
}

#[derive(Debug, Default)]
struct State {
    nonces: NonceCache,
    /// Servers that answered, and by how many seconds their clocks are ahead.
    heard: BTreeMap<String, i64>,
}

impl<T: TokenSource> Client<T> {
    /// For resource servers: `Authorization: DPoP` and a proof, only to these origins (RFC 9449 §7).
    ///
    /// # Errors
    /// [`ClientError::InvalidUrl`] for an origin that is neither `https` nor loopback.
    pub fn resource_server<I>(key: DpopKey, origins: I, tokens: T) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Ok(Self::new(key, Policy::resource_server(origins)?, tokens))
    }

    /// A client with a policy of its own.
    #[must_use]
    pub fn new(key: DpopKey, policy: Policy, tokens: T) -> Self {
        Self { key, policy, tokens, state: Rc::default(), replayable_body_bytes: 1024 * 1024 }
    }

    /// Keeps bodies up to this size for a retry (1 MiB by default).
    #[must_use]
    pub fn replayable_body_bytes(mut self, bytes: u32) -> Self {
        self.replayable_body_bytes = bytes;
        self
    }

    /// Sends a request. Its body is read once and, up to a size, kept for a retry. Redirects are refused.
    ///
    /// # Errors
    /// See [`Error`]; what the server answers is no error.
    pub async fn send(&self, given: &Request) -> Result<Response, Error> {
        let outcome = self.drive(given).await;
        if given.signal().aborted() && outcome.is_err() { Err(Error::Aborted) } else { outcome }
    }

    async fn drive(&self, given: &Request) -> Result<Response, Error> {
        let head = Head::of(given);
        let (mut exchange, mut command) = Exchange::begin(&self.policy, &head.as_request_head());
        let mut url = given.url();
        let mut kept = None;
        let mut answer: Option<Response> = None;
        loop {
            if given.signal().aborted() {
                return Err(Error::Aborted);
            }
            let event = match command {
                Command::PassThrough => return request::send(given).await.map_err(Error::Fetch),
                Command::Return => return answer.ok_or(Error::Client(ClientError::OutOfTurn)),
                Command::Fail(error) => return Err(error.into()),

                Command::AskToken { stale } => {
                    let token = self.tokens.token(stale).await;
                    command = exchange.handle(Event::Token(token.as_ref().map(borrowed)));
                    continue;
                }
                Command::Prepare => {
                    if kept.is_none() {
                        kept = Some(request::keep(given, self.replayable_body_bytes).await.map_err(Error::Fetch)?);
                    }
                    command = self.prepare(&mut exchange, &url, kept.as_ref());
                    continue;
                }
                Command::Send { input } => {
                    let proof = self.key.sign(input).await?;
                    let next = kept.as_ref().ok_or(ClientError::OutOfTurn)?.next(&url).map_err(Error::Fetch)?;
                    let headers = next.headers();
                    headers.set("dpop", &proof).map_err(Error::Fetch)?;
                    if let Some(authorization) = exchange.authorization() {
                        headers.set("authorization", &authorization).map_err(Error::Fetch)?;
                    }
                    let response = request::send(&next).await.map_err(Error::Fetch)?;
                    command = self.answered(&mut exchange, &url, &response);
                    answer = Some(response);
                    continue;
                }
                Command::ReadBody => {
                    let body = Members::of(answer.as_ref()).await?;
                    command = exchange.handle(Event::Body(body.as_token_answer()));
                    continue;
                }

                Command::StoreNonce(nonce) => {
                    self.state.borrow_mut().nonces.set(exchange.role(), exchange.origin(), &nonce);
                    Event::Done
                }
                Command::AdjustClock(seconds) => {
                    let mut state = self.state.borrow_mut();
                    let offset = state.heard.entry(exchange.origin().into()).or_default();
                    *offset = offset.saturating_add(seconds);
                    Event::Done
                }
                Command::Follow(location) => {
                    url = location;
                    Event::Done
                }
                Command::Report(report) => {
                    if report == Report::NonceHidden {
                        web_sys::console::warn_1(&NONCE_HIDDEN.into());
                    }
                    Event::Done
                }
                _ => return Err(ClientError::OutOfTurn.into()),
            };
            command = exchange.handle(event);
        }
    }

    fn prepare(&self, exchange: &mut Exchange, url: &str, kept: Option<&request::Kept>) -> Command {
        let mut state = self.state.borrow_mut();
        let (role, origin) = (exchange.role(), String::from(exchange.origin()));
        let offset = state.heard.get(&origin).copied();
        let random = platform::random();
        exchange.handle(Event::Prepared(Preparation {
            key: self.key.template().head(),
            url,
            nonce: state.nonces.get(role, &origin),
            now: key::now().saturating_add(offset.unwrap_or(0)),
            random: &random,
            body: kept.map_or(keybound_core::client::BodyKind::Repeatable, request::Kept::kind),
            heard: offset.is_some(),
        }))
    }

    fn answered(&self, exchange: &mut Exchange, url: &str, response: &Response) -> Command {
        let offset = *self.state.borrow_mut().heard.entry(exchange.origin().into()).or_default();
        let field = |name| response.headers().get(name).ok().flatten();
        let location = field("location")
            .and_then(|location| Url::new_with_base(&location, url).ok())
            .map(|location| location.href());
        exchange.handle(Event::Answered(Answer {
            status: response.status(),
            opaque_redirect: response.type_() == ResponseType::Opaqueredirect,
            cross_origin: response.type_() == ResponseType::Cors,
            location: location.as_deref(),
            www_authenticate: field("www-authenticate").as_deref(),
            dpop_nonce: field("dpop-nonce").as_deref(),
            date: field("date").and_then(|date| seconds_of(&date)),
            now: key::now().saturating_add(offset),
        }))
    }
}

impl Client<NoToken> {
    /// For authorization servers at these origins: form-encoded POSTs (token, PAR, revocation) carry
    /// a proof (RFC 9449 §5); everything else passes untouched.
    ///
    /// # Errors
    /// As [`Client::resource_server`].
    pub fn authorization_server<I>(key: DpopKey, origins: I) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Ok(Self::new(key, Policy::authorization_server(origins)?, NoToken))
    }

    /// Takes a token that is not bound to the key. It works for whoever has it.
    #[must_use]
    pub fn dangerously_accept_bearer(mut self, accept: bool) -> Self {
        if self.policy.role() == Role::AuthorizationServer {
            self.policy = self.policy.dangerously_accept_bearer(accept);
        }
        self
    }
}

const NONCE_HIDDEN: &str = "keybound: the server's nonce is hidden from this page. Its answers need \
     Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate";

fn borrowed(token: &BoundToken) -> Token<'_> {
    Token {
        token_type: token.token_type.as_deref(),
        thumbprint: token.thumbprint.as_deref(),
        ..Token::new(&token.access_token)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
fn seconds_of(date: &str) -> Option<i64> {
    let milliseconds = Date::parse(date);
    milliseconds.is_finite().then_some((milliseconds / 1000.0) as i64)
}

/// The head of the caller's request.
struct Head {
    method: String,
    url: String,
    content_type: Option<String>,
    authorization: Option<String>,
    has_proof: bool,
}

impl Head {
    fn of(request: &Request) -> Self {
        let field = |name| request.headers().get(name).ok().flatten();
        Self {
            method: request.method(),
            url: request.url(),
            content_type: field("content-type"),
            authorization: field("authorization"),
            has_proof: field("dpop").is_some(),
        }
    }

    fn as_request_head(&self) -> RequestHead<'_> {
        RequestHead {
            content_type: self.content_type.as_deref(),
            authorization: self.authorization.as_deref(),
            has_proof: self.has_proof,
            ..RequestHead::new(&self.method, &self.url)
        }
    }
}

/// The members of an authorization server's answer that decide.
#[derive(Default)]
struct Members {
    error: Option<String>,
    token_type: Option<String>,
    has_access_token: bool,
}

impl Members {
    /// A body that is no JSON has none of them.
    async fn of(answer: Option<&Response>) -> Result<Self, Error> {
        let copy = answer.ok_or(ClientError::OutOfTurn)?.clone().map_err(Error::Fetch)?;
        let text = JsFuture::from(copy.text().map_err(Error::Fetch)?).await.map_err(Error::Fetch)?;
        let json = text.as_string().and_then(|text| JSON::parse(&text).ok()).unwrap_or(JsValue::NULL);
        if !json.is_object() {
            return Ok(Self::default());
        }
        let member = |name: &str| Reflect::get(&json, &name.into()).unwrap_or(JsValue::UNDEFINED);
        Ok(Self {
            error: member("error").as_string(),
            token_type: member("token_type").as_string(),
            has_access_token: !member("access_token").is_undefined(),
        })
    }

    fn as_token_answer(&self) -> TokenAnswer<'_> {
        TokenAnswer {
            error: self.error.as_deref(),
            token_type: self.token_type.as_deref(),
            has_access_token: self.has_access_token,
            ..TokenAnswer::default()
        }
    }
}
