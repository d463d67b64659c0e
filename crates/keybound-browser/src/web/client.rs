//! Requests: the driver of core's state machine.

use alloc::{rc::Rc, string::String};

use js_sys::Date;
use keybound_core::client::{
    Answer, ClientError, Command, Event as Happened, Exchange, Policy, Preparation, Report, RequestHead, Role,
    TokenAnswer,
};
use keybound_core::{
    base64url,
    json::{Object, Value},
    target_uri::RequestTarget,
};
use web_sys::{Request, RequestInit, Response, ResponseType, Url};

use super::{
    BoundToken, DpopKey, Error, Event, KeySource, NoToken, TokenSource, body, key, request,
    servers::{Servers, Turn},
    waiting::{Patience, within},
};
use crate::platform;

/// No answer of a token endpoint is larger, in octets, nor takes longer to arrive once it began, in milliseconds.
const TOKEN_ANSWER_LIMIT: u32 = 1024 * 1024;
const TOKEN_ANSWER_PATIENCE: u32 = 30_000;

/// Clocks that differ by so many seconds are the same, as to core: answers take time.
const CLOCK_TOLERANCE: u64 = 5;

/// Sends requests with proofs, and deals with nonces, clocks, retries and redirects (RFC 9449 §4.2, §5, §7-9).
///
/// It learns the newest nonce of each server from every answer, and its clock from `Date` and from fresh tokens;
/// clones share that. Many first requests at once cost one challenge: the others wait for the answer to the first,
/// three seconds at most, and five in all. Each attempt has a proof of its own; there is one retry with a nonce and one
/// with another token, three attempts at most.
///
/// How long the server may take is said by the request's `AbortSignal`, which is heeded at every wait:
/// `AbortSignal::timeout_with_u32` gives [`Error::TimedOut`].
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
pub struct Client<T, K = DpopKey> {
    keys: K,
    policy: Policy,
    tokens: T,
    servers: Servers,
    replayable_body_bytes: u32,
    listener: Listener,
}

#[derive(Clone, Default)]
struct Listener(Option<Rc<Tell>>);

type Tell = dyn Fn(&Event);

impl core::fmt::Debug for Listener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Listener").field(&self.0.is_some()).finish()
    }
}

impl<T: TokenSource, K: KeySource> Client<T, K> {
    /// For resource servers: `Authorization: DPoP` and a proof with `ath`, only to the origins of these URLs
    /// (RFC 9449 §7). A request to any other origin goes out without token and proof. `keys` is a [`DpopKey`], a
    /// [`Keyring`](super::Keyring) or a source of your own.
    ///
    /// # Errors
    /// [`ClientError::InvalidUrl`] for an origin that is neither `https` nor loopback.
    pub fn resource_server<I>(keys: K, origins: I, tokens: T) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Ok(Self::new(keys, Policy::resource_server(origins)?, tokens))
    }

    /// A client with a policy of its own: `strict`, say, which refuses requests to other origins.
    #[must_use]
    pub fn new(keys: K, policy: Policy, tokens: T) -> Self {
        let (servers, listener) = (Servers::default(), Listener::default());
        Self { keys, policy, tokens, servers, replayable_body_bytes: 1024 * 1024, listener }
    }

    /// Keeps bodies up to this many octets for a retry (1 MiB by default). A larger one is sent once:
    /// [`ClientError::BodyNotReplayable`] if the server then wants a nonce; see [`Client::prime_nonce`].
    #[must_use]
    pub fn replayable_body_bytes(mut self, bytes: u32) -> Self {
        self.replayable_body_bytes = bytes;
        self
    }

    /// Tells `listener` about retries, clocks, lost keys and what CORS hides. Without a listener a hidden nonce is a
    /// warning in the console.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event) + 'static) -> Self {
        self.listener = Listener(Some(Rc::new(listener)));
        self
    }

    /// By how many whole seconds the clock of the server at this URL is ahead of this machine's, as far as it told:
    /// by `Date`, where CORS shows it, or by the `iat` of a token that it just made. Keep it with the token, as
    /// [`BoundToken::clock_offset`].
    #[must_use]
    pub fn clock_offset(&self, url: &str) -> Option<i64> {
        self.servers.clock_offset(&Url::new(url).ok()?.origin())
    }

    /// Learns whether this server wants nonces, and which one, from a `HEAD` request: before an upload that is too
    /// large to be repeated (RFC 9449 §8, §9).
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn prime_nonce(&self, url: &str) -> Result<(), Error> {
        let init = RequestInit::new();
        init.set_method("HEAD");
        let request = Request::new_with_str_and_init(url, &init).map_err(Error::Fetch)?;
        self.send(&request).await.map(|_| ())
    }

    /// Sends a request. Its body is read once and, up to a size, kept for a retry. Redirects are refused: the browser
    /// would send token and proof along unseen.
    ///
    /// # Errors
    /// See [`Error`]; what the server answers is no error.
    pub async fn send(&self, given: &Request) -> Result<Response, Error> {
        let patience = Patience::of(given.signal());
        let outcome = self.drive(given, &patience).await;
        match outcome {
            Err(Error::Fetch(_)) if patience.is_over() => Err(patience.error()),
            outcome => outcome,
        }
    }

    async fn drive(&self, given: &Request, patience: &Patience) -> Result<Response, Error> {
        let head = Head::of(given);
        let (mut exchange, mut command) = Exchange::begin(&self.policy, &head.as_request_head());
        let mut life = Life { url: given.url(), ..Life::default() };
        loop {
            let event = match command {
                Command::PassThrough => return patience.with(request::send(given)).await?.map_err(Error::Fetch),
                Command::Return => return life.answer.ok_or(Error::Client(ClientError::OutOfTurn)),
                Command::Fail(error) => {
                    body::discard(life.answer.as_ref());
                    return Err(error.into());
                }

                Command::AskToken { stale } => {
                    life.token = patience.with(self.tokens.token(stale)).await?;
                    command = exchange.handle(Happened::Token(life.token.as_ref().map(BoundToken::as_token)));
                    continue;
                }
                Command::Prepare => {
                    command = self.prepare(&mut exchange, &mut life, given, patience).await?;
                    continue;
                }
                Command::Send => {
                    command = self.attempt(&mut exchange, &mut life, patience).await?;
                    continue;
                }
                Command::ReadBody => {
                    let answer = life.answer.as_ref().ok_or(ClientError::OutOfTurn)?;
                    let reading = within(TOKEN_ANSWER_PATIENCE, Members::of(answer));
                    let Some(members) = patience.with(reading).await? else {
                        body::discard(Some(answer));
                        return Err(Error::TimedOut);
                    };
                    command = exchange.handle(Happened::Body(members?.as_token_answer(life.now())));
                    continue;
                }

                Command::StoreNonce => {
                    if let Some(nonce) = exchange.nonce() {
                        self.servers.keep_nonce(exchange.role(), exchange.origin(), nonce);
                    }
                    Happened::Done
                }
                Command::AdjustClock => {
                    let seconds = exchange.clock_adjustment();
                    let known = self.offset(&exchange, &life);
                    life.offset = life.offset.saturating_add(seconds);
                    // Of requests at one time, the first is news.
                    if life.offset.abs_diff(known) > CLOCK_TOLERANCE {
                        self.servers.set_clock(exchange.role(), exchange.origin(), life.offset);
                        self.tell(&Event::ClockSkew { seconds });
                    }
                    Happened::Done
                }
                Command::Follow => {
                    life.url = life.location.take().unwrap_or_default();
                    Happened::Done
                }
                Command::Report(report) => {
                    self.report(report, &life.url);
                    Happened::Done
                }
                _ => return Err(ClientError::OutOfTurn.into()),
            };
            command = exchange.handle(event);
        }
    }

    async fn prepare(
        &self,
        exchange: &mut Exchange,
        life: &mut Life,
        given: &Request,
        patience: &Patience,
    ) -> Result<Command, Error> {
        let kept = match life.kept.take() {
            Some(kept) => kept,
            None => patience.with(request::keep(given, self.replayable_body_bytes)).await?.map_err(Error::Fetch)?,
        };
        let body = life.kept.insert(kept).kind();
        let key = life.key.insert(patience.with(self.keys.key(life.token.as_ref())).await??).clone();
        let (role, origin) = (exchange.role(), String::from(exchange.origin()));
        let nonce = self.servers.nonce(role, &origin, &mut life.turn, patience).await?;
        life.offset = self.offset(exchange, life);
        let random = platform::random();
        Ok(exchange.handle(Happened::Prepared(Preparation {
            key: key.template().head(),
            target: RequestTarget::of_url(&life.url),
            nonce: nonce.as_deref(),
            now: life.now(),
            random: &random,
            body,
            heard: self.servers.was_heard(&origin),
        })))
    }

    async fn attempt(&self, exchange: &mut Exchange, life: &mut Life, patience: &Patience) -> Result<Command, Error> {
        let key = life.key.as_ref().ok_or(ClientError::OutOfTurn)?;
        let proof = patience.with(key.sign(exchange.take_signing_input())).await?.inspect_err(|error| {
            if *error == Error::KeyLost {
                self.tell(&Event::KeyLost { name: key.name().unwrap_or_default().into() });
            }
        })?;
        let kept = life.kept.as_ref().ok_or(ClientError::OutOfTurn)?;
        let next = kept.next(&life.url).map_err(Error::Fetch)?;
        let headers = next.headers();
        headers.set("dpop", &proof).map_err(Error::Fetch)?;
        if let Some(token) = &life.token {
            headers.set("authorization", &token.authorization()).map_err(Error::Fetch)?;
        }
        body::discard(life.answer.take().as_ref());
        let response = patience.with(request::send(&next)).await?.map_err(Error::Fetch)?;
        let command = self.answered(exchange, life, &response);
        life.answer = Some(response);
        Ok(command)
    }

    fn answered(&self, exchange: &mut Exchange, life: &mut Life, response: &Response) -> Command {
        let field = |name| response.headers().get(name).ok().flatten();
        life.location = field("location")
            .and_then(|location| Url::new_with_base(&location, &life.url).ok())
            .map(|location| location.href());
        // A nonce that it brings is stored before any of those that wait runs: nothing is awaited in between.
        self.servers.hear(exchange.origin());
        life.turn = None;
        exchange.handle(Happened::Answered(Answer {
            status: response.status(),
            opaque_redirect: response.type_() == ResponseType::Opaqueredirect,
            cross_origin: response.type_() == ResponseType::Cors,
            location: life.location.as_deref().map(RequestTarget::of_url),
            www_authenticate: field("www-authenticate").as_deref(),
            dpop_nonce: field("dpop-nonce").as_deref(),
            date: field("date").and_then(|date| seconds_of(Date::parse(&date) / 1000.0)),
            now: life.now(),
        }))
    }

    /// What is known now of the server's clock.
    fn offset(&self, exchange: &Exchange, life: &Life) -> i64 {
        let of_token = life.token.as_ref().and_then(|token| token.clock_offset);
        self.servers.likely_offset(exchange.origin(), of_token)
    }

    fn report(&self, report: Report, url: &str) {
        match report {
            Report::Retry(reason) => self.tell(&Event::Retry { reason, url: url.into() }),
            Report::NonceHidden if self.listener.0.is_none() => web_sys::console::warn_1(&NONCE_HIDDEN.into()),
            Report::NonceHidden => self.tell(&Event::NonceHidden { url: url.into() }),
            _ => {}
        }
    }

    fn tell(&self, event: &Event) {
        if let Some(listener) = &self.listener.0 {
            listener(event);
        }
    }
}

/// What one request has come to so far.
#[derive(Default)]
struct Life {
    url: String,
    token: Option<BoundToken>,
    key: Option<DpopKey>,
    kept: Option<request::Kept>,
    answer: Option<Response>,
    /// Where the answer redirects to.
    location: Option<String>,
    /// By which clock the last attempt was made, in seconds ahead of ours; others may learn another meanwhile.
    offset: i64,
    /// It is the first to its server.
    turn: Option<Turn>,
}

impl Life {
    /// By the clock of the last attempt.
    fn now(&self) -> i64 {
        key::now().saturating_add(self.offset)
    }
}

impl<K: KeySource> Client<NoToken, K> {
    /// For authorization servers at these origins: form-encoded POSTs (token, PAR, revocation) carry
    /// a proof (RFC 9449 §5); everything else passes untouched.
    ///
    /// # Errors
    /// As [`Client::resource_server`].
    pub fn authorization_server<I>(keys: K, origins: I) -> Result<Self, Error>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Ok(Self::new(keys, Policy::authorization_server(origins)?, NoToken))
    }

    /// Takes a token that is not bound to the key: otherwise [`ClientError::TokenDowngraded`] (RFC 9449 §5). It works
    /// for whoever has it.
    #[must_use]
    pub fn dangerously_accept_bearer(mut self, accept: bool) -> Self {
        if self.policy.role() == Role::AuthorizationServer {
            self.policy = self.policy.dangerously_accept_bearer(accept);
        }
        self
    }
}

const NONCE_HIDDEN: &str = "keybound: the server's nonce is hidden from this page. Its answers need \
     Access-Control-Expose-Headers: DPoP-Nonce, WWW-Authenticate, Date";

#[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
fn seconds_of(seconds: f64) -> Option<i64> {
    seconds.is_finite().then_some(seconds as i64)
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
    issued_at: Option<i64>,
}

impl Members {
    /// A body that is no JSON object has none of them.
    async fn of(answer: &Response) -> Result<Self, Error> {
        let copy = answer.clone().map_err(Error::Fetch)?;
        let Some(octets) = body::of_response(&copy, TOKEN_ANSWER_LIMIT).await.map_err(Error::Fetch)? else {
            // Too large: nobody looked whether there is a token, so it counts as one that is not bound.
            return Ok(Self { has_access_token: true, ..Self::default() });
        };
        let Ok(json) = Object::parse(&octets) else { return Ok(Self::default()) };
        let text = |name| json.get(name).and_then(Value::as_str);
        let fresh = text("id_token").or_else(|| text("access_token"));
        Ok(Self {
            error: text("error").map(String::from),
            token_type: text("token_type").map(String::from),
            has_access_token: json.get("access_token").is_some(),
            issued_at: fresh.and_then(issued_at),
        })
    }

    fn as_token_answer(&self, now: i64) -> TokenAnswer<'_> {
        TokenAnswer {
            error: self.error.as_deref(),
            token_type: self.token_type.as_deref(),
            has_access_token: self.has_access_token,
            issued_at: self.issued_at,
            now,
        }
    }
}

/// When a fresh JWT was made (RFC 7519 §4.1.6), if that can be seen.
fn issued_at(token: &str) -> Option<i64> {
    let payload = base64url::decode(token.split('.').nth(1)?).ok()?;
    let claims = Object::parse(&payload).ok()?;
    match claims.get("iat")? {
        Value::Number(seconds) => seconds_of(seconds.parse().ok()?),
        _ => None,
    }
}
