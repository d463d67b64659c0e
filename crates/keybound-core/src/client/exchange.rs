//! One request's life.

use alloc::string::String;

use super::{
    ClientError, Role, clock,
    policy::{Admission, Policy, RequestHead, Rules},
};
use crate::{
    challenge,
    nonce_syntax::is_nonce,
    proof::build::{AccessTokenHash, ProofHead, ProofRequest},
    sha256,
    target_uri::{RequestTarget, TargetUriError},
};

/// Redirects that are followed in a row.
const MAX_HOPS: u8 = 5;

/// What the driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Ask the application for the access token; `stale` if the server just refused the last one.
    AskToken {
        /// Another token than before earns one more attempt.
        stale: bool,
    },
    /// Hand in the key, the stored nonce of this role and origin, the time and random octets.
    Prepare,
    /// Sign [`Exchange::take_signing_input`] with the key, and send the request with the finished proof in `DPoP`, at a
    /// resource server with the access token under the `DPoP` scheme, and without letting the platform follow redirects.
    Send,
    /// Read a copy of the answer's body as JSON.
    ReadBody,
    /// Keep [`Exchange::nonce`], which is the one of the last answer, as the server's newest.
    StoreNonce,
    /// Add [`Exchange::clock_adjustment`] to the time handed in for this server from now on.
    AdjustClock,
    /// Go on with the URL in the answer's `Location`, which is of the same origin.
    Follow,
    /// Tell the application.
    Report(Report),
    /// Send the request as it came, without token and proof. The end.
    PassThrough,
    /// Hand the last answer to the caller. The end.
    Return,
    /// Throw this. The end.
    Fail(ClientError),
}

/// What the application is told beside the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// The request is sent once more.
    Retry(RetryReason),
    /// CORS hides the headers of a challenge.
    NonceHidden,
}

/// Why a request is sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryReason {
    /// The server wants the nonce that it just gave (RFC 9449 §8, §9).
    UseDpopNonce,
    /// The token was refused, and the application has another one.
    InvalidToken,
}

/// What the driver found or did.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The access token; `None`: nobody is logged in.
    Token(Option<Token<'a>>),
    /// All that a proof needs.
    Prepared(Preparation<'a>),
    /// The head of the answer.
    Answered(Answer<'a>),
    /// The body of the answer.
    Body(TokenAnswer<'a>),
    /// The last command was carried out.
    Done,
}

/// An access token.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// The token itself.
    pub access_token: &'a str,
    /// Its `token_type`, where known (RFC 6749 §7.1).
    pub token_type: Option<&'a str>,
    /// The thumbprint of the key it is bound to (`jkt`), where known.
    pub thumbprint: Option<&'a str>,
    /// The SHA-256 of the token's octets.
    pub digest: [u8; 32],
}

impl<'a> Token<'a> {
    /// A token of which no more is known.
    #[must_use]
    pub fn new(access_token: &'a str) -> Self {
        let digest = sha256::digest(access_token.as_bytes());
        Self { access_token, token_type: None, thumbprint: None, digest }
    }
}

/// What goes into the next proof.
#[derive(Clone, Debug)]
pub struct Preparation<'a, O = String> {
    /// The key, see [`ProofTemplate::head`](crate::proof::build::ProofTemplate::head).
    pub key: ProofHead<'a>,
    /// What to sign: where the request goes, unless a proxy rewrites that.
    pub target: Result<RequestTarget<'a, O>, TargetUriError>,
    /// The stored nonce of this role and origin.
    pub nonce: Option<&'a str>,
    /// Seconds since 1970, with [`Command::AdjustClock`] applied.
    pub now: i64,
    /// At least 16 fresh random octets.
    pub random: &'a [u8],
    /// Whether the body can be sent again.
    pub body: BodyKind,
    /// Whether this server answered before, so that it is known whether it wants nonces.
    pub heard: bool,
}

/// Whether a body can be sent more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// No body, or one that was kept.
    Repeatable,
    /// Too large to keep; the caller still has it.
    Large,
    /// A stream too large to keep: sending consumes it.
    Stream,
}

/// The head of an answer.
#[derive(Clone, Debug, Default)]
pub struct Answer<'a, O = String> {
    /// The status; 0 where the platform hides it.
    pub status: u16,
    /// The platform says no more than that this is a redirect (Fetch: `opaqueredirect`).
    pub opaque_redirect: bool,
    /// `Location`, made absolute.
    pub location: Option<Result<RequestTarget<'a, O>, TargetUriError>>,
    /// `WWW-Authenticate`, several joined by commas.
    pub www_authenticate: Option<&'a str>,
    /// `DPoP-Nonce`, several joined by commas.
    pub dpop_nonce: Option<&'a str>,
    /// The answer is of another origin and CORS may hide its fields (Fetch: type `cors`).
    pub cross_origin: bool,
    /// `Date` in seconds since 1970, where visible.
    pub date: Option<i64>,
    /// Seconds since 1970 when the answer came, with [`Command::AdjustClock`] applied.
    pub now: i64,
}

/// The members of an authorization server's JSON that decide. All `None` if the body is no JSON object.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenAnswer<'a> {
    /// `error` (RFC 6749 §5.2).
    pub error: Option<&'a str>,
    /// Whether there is an `access_token`.
    pub has_access_token: bool,
    /// `token_type`.
    pub token_type: Option<&'a str>,
    /// When a JWT in it says that it was issued (`iat`), seconds since 1970: a fresh token shows its server's clock.
    pub issued_at: Option<i64>,
    /// Seconds since 1970 when the body was there, with [`Command::AdjustClock`] applied.
    pub now: i64,
}

/// One request's life, from the question for a token to the answer that the caller gets.
#[derive(Debug)]
pub struct Exchange {
    rules: Rules,
    method: String,
    origin: String,
    awaits: Awaits,
    asked: Asked,
    following: Following,

    access_token_hash: Option<AccessTokenHash>,
    thumbprint: Option<String>,
    input: String,
    /// The newest nonce that this exchange has seen: the one that was sent, until the answer brings another.
    nonce: Option<String>,
    body: BodyKind,
    sent_at: i64,
    clock_adjustment: i64,

    nonce_retried: bool,
    token_retried: bool,
    hops: u8,
    last: LastAnswer,
}

/// What follows once the last command was carried out, in this order.
#[derive(Clone, Copy, Debug)]
struct Following {
    store_nonce: bool,
    adjust_clock: bool,
    report: Option<Report>,
    end: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Token,
    Preparation,
    Answer,
    Body,
    Acknowledgement,
    Nothing,
}

/// Why the application was asked for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    First,
    /// For one more attempt; any token will do.
    Again,
    /// The last one was refused; only another one will do.
    Replacement,
}

/// What of the last answer is needed after its body was read.
#[derive(Clone, Copy, Debug)]
struct LastAnswer {
    status: u16,
    offered: Offered,
    cross_origin: bool,
    /// It had a `Date`.
    dated: bool,
    error: Demand,
}

/// The nonce that came with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offered {
    Absent,
    /// Two of them, or characters that no nonce has.
    Unusable,
    /// The one that was just sent.
    Same,
    New,
}

/// What an error asks of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    Nothing,
    Nonce,
    OtherToken,
}

/// The server wants the nonce that it gives (RFC 9449 §8, §9).
const USE_DPOP_NONCE: &str = "use_dpop_nonce";
/// RFC 6750 §3.1.
const INVALID_TOKEN: &str = "invalid_token";

impl Demand {
    /// Only exactly these codes are acted on: another error with a nonce beside it is none of them.
    fn of(error: &str) -> Self {
        match error {
            USE_DPOP_NONCE => Self::Nonce,
            INVALID_TOKEN => Self::OtherToken,
            _ => Self::Nothing,
        }
    }
}

impl Exchange {
    /// Begins a request.
    #[must_use]
    pub fn begin(policy: &Policy, request: &RequestHead<'_>) -> (Self, Command) {
        Self::begin_with(policy.rules(), policy.lists(request), request)
    }

    /// The same for a list of origins that is kept elsewhere: `listed` says whether [`RequestTarget::origin`] is in it.
    #[must_use]
    pub fn begin_with<O: AsRef<str>>(rules: Rules, listed: bool, request: &RequestHead<'_, O>) -> (Self, Command) {
        let mut exchange = Self {
            rules,
            method: text(request.method),
            origin: request.target.as_ref().map_or_else(|_| String::new(), |target| text(target.origin())),
            awaits: Awaits::Nothing,
            asked: Asked::First,
            following: Following { store_nonce: false, adjust_clock: false, report: None, end: Command::PassThrough },
            access_token_hash: None,
            thumbprint: None,
            input: String::new(),
            nonce: None,
            body: BodyKind::Repeatable,
            sent_at: 0,
            clock_adjustment: 0,
            nonce_retried: false,
            token_retried: false,
            hops: 0,
            last: LastAnswer {
                status: 0,
                offered: Offered::Absent,
                cross_origin: false,
                dated: false,
                error: Demand::Nothing,
            },
        };
        exchange.following.end = match rules.admit(request, listed) {
            Err(error) => Command::Fail(error),
            Ok(Admission::Plain) => Command::PassThrough,
            Ok(Admission::Bound) => exchange.attempt(),
        };
        let command = exchange.next();
        (exchange, command)
    }

    /// Takes what happened, and says what to do next.
    #[must_use]
    pub fn handle(&mut self, event: Event<'_>) -> Command {
        match event {
            Event::Token(token) => self.token(token),
            Event::Prepared(preparation) => self.prepared(preparation),
            Event::Answered(answer) => self.answered(&answer),
            Event::Body(answer) => self.body_read(&answer),
            Event::Done => self.done(),
        }
    }

    /// The kind of server, for the nonce store.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.rules.role
    }

    /// The server's origin, for the nonce store; empty where the URL could not be taken apart.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The newest nonce of the server that this exchange has seen.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// By how many seconds the server's clock is ahead of the time that was handed in, once
    /// [`Command::AdjustClock`] says so.
    #[must_use]
    pub const fn clock_adjustment(&self) -> i64 {
        self.clock_adjustment
    }

    /// The JWS signing input of the proof that [`Command::Send`] asks for. It is handed out once.
    #[must_use]
    pub fn take_signing_input(&mut self) -> String {
        core::mem::take(&mut self.input)
    }

    /// What follows from an event, if it is the one that was awaited; else the exchange is over.
    fn on(&mut self, event: Awaits, follows: impl FnOnce(&mut Self) -> Command) -> Command {
        if core::mem::replace(&mut self.awaits, Awaits::Nothing) != event {
            return Command::Fail(ClientError::OutOfTurn);
        }
        self.following.end = follows(self);
        self.next()
    }

    fn next(&mut self) -> Command {
        let attempt = self.attempt();
        let Following { store_nonce, adjust_clock, report, end } = &mut self.following;
        let command = if core::mem::take(store_nonce) {
            Command::StoreNonce
        } else if core::mem::take(adjust_clock) {
            Command::AdjustClock
        } else if let Some(report) = report.take() {
            Command::Report(report)
        } else {
            // Of the commands that stand there only `Follow` is acknowledged, and then comes an attempt.
            core::mem::replace(end, attempt)
        };
        self.awaits = match command {
            Command::AskToken { .. } => Awaits::Token,
            Command::Prepare => Awaits::Preparation,
            Command::Send => Awaits::Answer,
            Command::ReadBody => Awaits::Body,
            Command::StoreNonce | Command::AdjustClock | Command::Follow | Command::Report(_) => {
                Awaits::Acknowledgement
            }
            Command::PassThrough | Command::Return | Command::Fail(_) => Awaits::Nothing,
        };
        command
    }

    /// [`Event::Done`], as a call of its own.
    #[must_use]
    pub fn done(&mut self) -> Command {
        let end = self.following.end;
        self.on(Awaits::Acknowledgement, |_| end)
    }

    /// First `report`, then the command.
    fn reporting(&mut self, report: Report, command: Command) -> Command {
        self.following.report = Some(report);
        command
    }

    /// A token is asked for before each attempt: it may have been refreshed in between.
    fn attempt(&self) -> Command {
        match self.rules.role {
            Role::ResourceServer => Command::AskToken { stale: false },
            Role::AuthorizationServer => Command::Prepare,
        }
    }

    /// [`Event::Token`], as a call of its own.
    #[must_use]
    pub fn token(&mut self, token: Option<Token<'_>>) -> Command {
        self.on(Awaits::Token, |exchange| exchange.token_given(token))
    }

    fn token_given(&mut self, token: Option<Token<'_>>) -> Command {
        let asked = core::mem::replace(&mut self.asked, Asked::Again);
        let Some(token) = token else {
            return if asked == Asked::First { Command::PassThrough } else { Command::Return };
        };
        if token.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("dpop")) {
            return Command::Fail(ClientError::TokenDowngraded);
        }
        let hash = match AccessTokenHash::of_digest(token.access_token, &token.digest) {
            Ok(hash) => hash,
            Err(error) => return Command::Fail(ClientError::Proof(error)),
        };
        let is_the_same = self.access_token_hash.replace(hash) == Some(hash);
        self.thumbprint = token.thumbprint.map(text);
        if asked == Asked::Replacement {
            if is_the_same {
                return Command::Return;
            }
            return self.reporting(Report::Retry(RetryReason::InvalidToken), Command::Prepare);
        }
        Command::Prepare
    }

    /// [`Event::Prepared`], as a call of its own.
    #[must_use]
    pub fn prepared<O: AsRef<str>>(&mut self, preparation: Preparation<'_, O>) -> Command {
        self.on(Awaits::Preparation, |exchange| exchange.prove(preparation))
    }

    fn prove<O: AsRef<str>>(&mut self, preparation: Preparation<'_, O>) -> Command {
        if let Some(bound_to) = &self.thumbprint
            && *bound_to != preparation.key.thumbprint
        {
            return Command::Fail(ClientError::TokenKeyMismatch);
        }
        // RFC 9449 §8.2: the newest. What the last answer brought is newer than what was stored;
        // otherwise another request may have stored a newer one.
        let stored = preparation.nonce.filter(|nonce| is_nonce(nonce));
        let own = self.nonce.as_deref();
        let nonce = if self.last.offered == Offered::New { own.or(stored) } else { stored.or(own) };
        if preparation.body == BodyKind::Stream && nonce.is_none() && !preparation.heard {
            // A challenge would come when the stream is used up.
            return Command::Fail(ClientError::BodyNotReplayable);
        }
        let request = ProofRequest {
            access_token: self.access_token_hash.as_ref(),
            nonce,
            ..ProofRequest::to(&self.method, preparation.target, preparation.now, preparation.random)
        };
        let input = preparation.key.signing_input_with(&request, "");
        self.nonce = nonce.map(text);
        self.body = preparation.body;
        self.sent_at = preparation.now;
        match input {
            Ok(input) => {
                self.input = input;
                Command::Send
            }
            Err(error) => Command::Fail(ClientError::Proof(error)),
        }
    }

    /// [`Event::Answered`], as a call of its own.
    #[must_use]
    pub fn answered<O: AsRef<str>>(&mut self, answer: &Answer<'_, O>) -> Command {
        self.on(Awaits::Answer, |exchange| exchange.learn(answer))
    }

    fn learn<O: AsRef<str>>(&mut self, answer: &Answer<'_, O>) -> Command {
        self.last = LastAnswer {
            status: answer.status,
            offered: self.offered(answer.dpop_nonce),
            cross_origin: answer.cross_origin,
            dated: answer.date.is_some(),
            error: answer.www_authenticate.map_or(Demand::Nothing, challenged),
        };
        self.learn_clock(self.clock_offset(answer));
        if self.last.offered == Offered::New {
            self.nonce = answer.dpop_nonce.map(text);
            self.following.store_nonce = true;
        }
        self.judge_head(answer)
    }

    fn offered(&self, nonce: Option<&str>) -> Offered {
        match nonce {
            None => Offered::Absent,
            Some(nonce) if !is_nonce(nonce) => Offered::Unusable,
            Some(nonce) if self.nonce.as_deref() == Some(nonce) => Offered::Same,
            Some(_) => Offered::New,
        }
    }

    fn learn_clock(&mut self, adjustment: i64) {
        self.following.adjust_clock = adjustment != 0;
        self.clock_adjustment = adjustment;
    }

    /// Only answers that no cache keeps tell the time.
    fn clock_offset<O>(&self, answer: &Answer<'_, O>) -> i64 {
        let uncached = self.rules.role == Role::AuthorizationServer || matches!(answer.status, 400 | 401);
        answer.date.filter(|_| uncached).map_or(0, |date| clock::offset(self.sent_at, answer.now, date))
    }

    fn judge_head<O: AsRef<str>>(&mut self, answer: &Answer<'_, O>) -> Command {
        let redirects = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
        match (redirects, &answer.location) {
            (true, Some(location)) => self.redirected(location),
            _ if answer.opaque_redirect => Command::Fail(ClientError::RedirectRefused),
            _ if self.rules.role == Role::AuthorizationServer && matches!(answer.status, 200..=299 | 400 | 401) => {
                Command::ReadBody
            }
            _ => {
                // A 401 always has a challenge (RFC 9110 §15.5.2): one that is not seen is hidden, and perhaps its nonce.
                if answer.status == 401 && answer.cross_origin && answer.www_authenticate.is_none() {
                    return self.reporting(Report::NonceHidden, Command::Return);
                }
                self.judge(self.last.error)
            }
        }
    }

    /// Left to the platform, a redirect would take token and proof along. With the same origin, a
    /// safe method and a proof of its own it is as good as a new request.
    fn redirected<O: AsRef<str>>(&mut self, location: &Result<RequestTarget<'_, O>, TargetUriError>) -> Command {
        let stays = location.as_ref().is_ok_and(|target| target.origin() == self.origin);
        let safe = matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        if !stays || !safe || self.hops >= MAX_HOPS {
            return Command::Fail(ClientError::RedirectRefused);
        }
        self.hops = self.hops.saturating_add(1);
        Command::Follow
    }

    /// [`Event::Body`], as a call of its own.
    #[must_use]
    pub fn body_read(&mut self, answer: &TokenAnswer<'_>) -> Command {
        self.on(Awaits::Body, |exchange| exchange.judge_body(answer))
    }

    fn judge_body(&mut self, answer: &TokenAnswer<'_>) -> Command {
        if matches!(self.last.status, 200..=299) {
            // RFC 9449 §5: discard a token that is not bound. `token_type` has no case (RFC 6749 §5.1).
            let bound = answer.token_type.is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
            if answer.has_access_token && !bound && !self.rules.dangerously_accept_bearer {
                return Command::Fail(ClientError::TokenDowngraded);
            }
            // `Date` tells more exactly, and its offset is in `now` already.
            if !self.last.dated {
                let issued = answer.issued_at;
                self.learn_clock(issued.map_or(0, |at| clock::offset(self.sent_at, answer.now, at)));
            }
            return Command::Return;
        }
        let demand = answer.error.map_or(self.last.error, Demand::of);
        self.judge(demand)
    }

    fn judge(&mut self, demand: Demand) -> Command {
        match (demand, self.last.status) {
            (Demand::Nonce, 400 | 401) => self.nonce_demanded(),
            (Demand::OtherToken, 401)
                if self.rules.role == Role::ResourceServer
                    && !self.token_retried
                    && self.body == BodyKind::Repeatable =>
            {
                self.token_retried = true;
                self.asked = Asked::Replacement;
                Command::AskToken { stale: true }
            }
            _ => Command::Return,
        }
    }

    fn nonce_demanded(&mut self) -> Command {
        match self.last.offered {
            Offered::New if self.nonce_retried => Command::Fail(ClientError::NonceRejected),
            Offered::New if self.body != BodyKind::Repeatable => Command::Fail(ClientError::BodyNotReplayable),
            Offered::New => {
                self.nonce_retried = true;
                self.reporting(Report::Retry(RetryReason::UseDpopNonce), self.attempt())
            }
            Offered::Absent if self.last.cross_origin => {
                self.reporting(Report::NonceHidden, Command::Fail(ClientError::NonceHidden))
            }
            Offered::Absent | Offered::Same | Offered::Unusable => Command::Fail(ClientError::NonceRejected),
        }
    }
}

/// A copy. By the way that all texts are written here, it is less code.
fn text(text: &str) -> String {
    let mut copy = String::new();
    copy.push_str(text);
    copy
}

/// What the challenges of a field demand. A nonce is only demanded under the DPoP scheme (RFC 9449
/// §9); another token by either scheme, since some servers name Bearer whatever was used.
fn challenged(field: &str) -> Demand {
    let mut demand = Demand::Nothing;
    let (mut is_dpop, mut said) = (false, false);
    let mut items = challenge::Items::of(field);
    while let Some(item) = items.next() {
        match item {
            challenge::Item::Scheme(scheme) => {
                is_dpop = scheme.eq_ignore_ascii_case("dpop");
                said = false;
            }
            // The first one counts.
            challenge::Item::Parameter(name, value) if !said && name.eq_ignore_ascii_case("error") => {
                said = true;
                if is_dpop && value.is(USE_DPOP_NONCE) {
                    return Demand::Nonce;
                }
                if value.is(INVALID_TOKEN) {
                    demand = Demand::OtherToken;
                }
            }
            challenge::Item::Parameter(..) => {}
        }
    }
    demand
}

#[cfg(test)]
mod tests;
