//! What the TypeScript of `@keybound/browser` calls. Private to that package.
//!
//! Made to be small, on both sides: no std, no formatting, no JSON reader, and plain functions
//! instead of generated bindings, which would be a third of the package. Keys and hashes are the
//! platform's: a key's encoded header and thumbprint are handed in, as the hash of an access token
//! is. Numbers and pointers cross as they are. Texts cross on the [`Desk`]: several as one, with
//! U+0000 between them, and an empty one is none. Errors leave as numbers, which TypeScript turns
//! into text; each step of an exchange is one call that returns the number of the next command. The other side is `pkg-templates/browser/src/module.ts`.
#![allow(unsafe_code, reason = "an exported name is unsafe to give, and texts come from an encoder that is trusted")]

mod numbers;
mod runtime;

use alloc::{boxed::Box, string::String, vec::Vec};

use keybound_core::{
    client::{self, Answer, BodyKind, ClientError, Command, Preparation, RequestHead, Role, Rules, Token, TokenAnswer},
    proof::build::{AccessTokenHash, BuildError, ProofHead, ProofRequest, is_registered},
    target_uri::RequestTarget,
};

/// Random octets that stand before the texts of each call: a `jti` (RFC 9449 §4.2).
const RANDOM: usize = 16;
/// Where the texts begin: after the SHA-256 of an access token, where the call takes one.
const TEXTS: usize = 48;

/// As many texts are in turn what a call says of them. What any number of further ones are stands after them.
const FIRST: usize = 7;

/// Where octets and texts are put for the other side.
#[derive(Default)]
struct Desk {
    /// What came with this call.
    input: Vec<u8>,
    /// What goes with its result.
    output: String,
    /// The hash of the last proof's access token: one serves many.
    hash: Option<AccessTokenHash>,
}

impl Desk {
    /// The first texts of this call, those that are not there being empty; and the others.
    #[inline(never)]
    fn texts(&self, len: usize) -> ([&str; FIRST], Texts<'_>) {
        let mut list = Texts(self.input.get(TEXTS..).and_then(|octets| octets.get(..len)));
        (core::array::from_fn(|_| list.next().unwrap_or("")), list)
    }

    fn random(&self) -> &[u8] {
        self.input.get(..RANDOM).unwrap_or_default()
    }

    fn digest(&self) -> [u8; 32] {
        self.input.get(RANDOM..TEXTS).and_then(|octets| octets.try_into().ok()).unwrap_or_default()
    }
}

/// Texts with U+0000 between them. What the library has for this splits at any pattern, and is a kilobyte.
#[derive(Clone)]
struct Texts<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Texts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.take()?;
        let end = rest.iter().position(|octet| *octet == 0);
        let (text, rest) = match end {
            Some(end) => (rest.get(..end)?, rest.get(end.saturating_add(1)..)),
            None => (rest, None),
        };
        self.0 = rest;
        // SAFETY: the other side writes them with `TextEncoder.encodeInto`, which writes whole characters in UTF-8.
        Some(unsafe { core::str::from_utf8_unchecked(text) })
    }
}

/// The desk that all calls use.
#[unsafe(no_mangle)]
extern "C" fn open() -> Box<Desk> {
    Box::default()
}

/// Where the random octets, the digest and the texts of the next call go.
#[unsafe(no_mangle)]
extern "C" fn room(desk: &mut Desk, len: usize) -> *mut u8 {
    if desk.input.len() < len {
        desk.input.resize(len, 0);
    }
    desk.input.as_mut_ptr()
}

/// Where the text of the last call is.
#[unsafe(no_mangle)]
extern "C" fn text(desk: &Desk) -> *const u8 {
    desk.output.as_ptr()
}

/// How long it is.
#[unsafe(no_mangle)]
extern "C" fn length(desk: &Desk) -> usize {
    desk.output.len()
}

/// The signing input of one proof becomes the text. The texts: encoded header, method, where it goes (see
/// [`RequestTarget::of_parts`]), access token, whose digest stands before them (not if it is the same as the last time),
/// nonce, further claims as JSON members, each after a comma, and then their names. Returns 0, or why there is none.
#[unsafe(no_mangle)]
extern "C" fn input(desk: &mut Desk, len: usize, same_token: bool, now: f64) -> u32 {
    match try_input(desk, len, same_token, now) {
        Ok(text) => {
            desk.output = text;
            0
        }
        Err(error) => numbers::error(ClientError::Proof(error)),
    }
}

fn try_input(desk: &mut Desk, len: usize, same_token: bool, now: f64) -> Result<String, BuildError> {
    if !same_token {
        let ([_, _, _, _, token, ..], _) = desk.texts(len);
        desk.hash = some(token).map(|token| AccessTokenHash::of_digest(token, &desk.digest())).transpose()?;
    }
    // A text that holds U+0000 itself falls apart here, and each part is checked as what it then stands for.
    let ([header, method, origin, path, _, nonce, further], mut names) = desk.texts(len);
    if names.any(is_registered) {
        return Err(BuildError::ClaimName);
    }
    let request = ProofRequest {
        access_token: desk.hash.as_ref(),
        nonce: some(nonce),
        ..ProofRequest::to(method, RequestTarget::of_parts(origin, path), seconds(now), desk.random())
    };
    ProofHead { header, thumbprint: "" }.signing_input_with(&request, further)
}

/// One request's life: each function takes what happened and returns the number of the next command.
struct Exchange {
    core: client::Exchange,
    command: u32,
}

/// Begins with method, origin, `Content-Type`, `Authorization` and `DPoP` of the caller, two empty texts, and then the
/// origins of the policy. `flags`: 1 resource server, 2 strict, 4 bearer tokens are accepted.
#[unsafe(no_mangle)]
extern "C" fn begin(desk: &Desk, len: usize, flags: u32) -> Box<Exchange> {
    let ([method, origin, content_type, authorization, proof, ..], origins) = desk.texts(len);
    let (mut listed, mut all_are_origins) = (false, true);
    for text in origins {
        listed |= text == origin;
        all_are_origins &= RequestTarget::of_parts(text, "").is_ok();
    }
    let rules = Rules {
        role: if flags & 1 == 0 { Role::AuthorizationServer } else { Role::ResourceServer },
        strict: flags & 2 != 0,
        dangerously_accept_bearer: flags & 4 != 0,
    };
    let request = RequestHead {
        content_type: some(content_type),
        authorization: some(authorization),
        has_proof: !proof.is_empty(),
        ..RequestHead::to(method, RequestTarget::of_parts(origin, ""))
    };
    let (core, command) = client::Exchange::begin_with(rules, listed, &request);
    let command = if all_are_origins { numbers::command(command) } else { numbers::error(ClientError::InvalidUrl) };
    Box::new(Exchange { core, command })
}

/// The first command.
#[unsafe(no_mangle)]
extern "C" fn first(exchange: &Exchange) -> u32 {
    exchange.command
}

/// What belongs to the command that adjusts the clock.
#[unsafe(export_name = "seconds")]
extern "C" fn clock_seconds(exchange: &Exchange) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let seconds = exchange.core.clock_adjustment() as f64;
    seconds
}

/// Access token, whose digest stands before the texts, its type, and the thumbprint of its key.
#[unsafe(no_mangle)]
extern "C" fn token(desk: &Desk, exchange: &mut Exchange, len: usize) -> u32 {
    let ([access_token, token_type, thumbprint, ..], _) = desk.texts(len);
    let token = some(access_token).map(|access_token| Token {
        access_token,
        token_type: some(token_type),
        thumbprint: some(thumbprint),
        digest: desk.digest(),
    });
    numbers::command(exchange.core.token(token))
}

/// The key's encoded header and thumbprint, what to sign (see [`RequestTarget::of_parts`]), and the stored nonce. `body`:
/// 0 repeatable, 1 large, 2 stream, and 4 more where the server answered before; `now` by the server's clock. The signing
/// input becomes the text.
#[unsafe(no_mangle)]
extern "C" fn proof(desk: &mut Desk, exchange: &mut Exchange, len: usize, body: u32, now: f64) -> u32 {
    let ([header, thumbprint, origin, path, nonce, ..], _) = desk.texts(len);
    let command = exchange.core.prepared(Preparation {
        key: ProofHead { header, thumbprint },
        target: RequestTarget::of_parts(origin, path),
        nonce: some(nonce),
        now: seconds(now),
        random: desk.random(),
        body: match body & 3 {
            0 => BodyKind::Repeatable,
            1 => BodyKind::Large,
            _ => BodyKind::Stream,
        },
        heard: body & 4 != 0,
    });
    desk.output = exchange.core.take_signing_input();
    numbers::command(command)
}

/// The origin of `Location`, `WWW-Authenticate` and `DPoP-Nonce` of the answer. `flags`: 1 opaque redirect,
/// 2 CORS may hide fields. `date` is NaN where it is not visible.
#[unsafe(no_mangle)]
extern "C" fn answer(
    desk: &Desk,
    exchange: &mut Exchange,
    len: usize,
    status: u32,
    flags: u32,
    date: f64,
    now: f64,
) -> u32 {
    let ([location, www_authenticate, dpop_nonce, ..], _) = desk.texts(len);
    numbers::command(exchange.core.answered(&Answer {
        status: u16::try_from(status).unwrap_or(0),
        opaque_redirect: flags & 1 != 0,
        cross_origin: flags & 2 != 0,
        location: some(location).map(|origin| RequestTarget::of_parts(origin, "")),
        www_authenticate: some(www_authenticate),
        dpop_nonce: some(dpop_nonce),
        date: (!date.is_nan()).then(|| seconds(date)),
        now: seconds(now),
    }))
}

/// `error`, `token_type` and `access_token` of the answer's JSON. `issued` is NaN where no token tells.
#[unsafe(no_mangle)]
extern "C" fn body(desk: &Desk, exchange: &mut Exchange, len: usize, issued: f64, now: f64) -> u32 {
    let ([error, token_type, access_token, ..], _) = desk.texts(len);
    numbers::command(exchange.core.body_read(&TokenAnswer {
        error: some(error),
        token_type: some(token_type),
        has_access_token: !access_token.is_empty(),
        issued_at: (!issued.is_nan()).then(|| seconds(issued)),
        now: seconds(now),
    }))
}

/// The last command was carried out.
#[unsafe(no_mangle)]
extern "C" fn done(exchange: &mut Exchange) -> u32 {
    numbers::command(exchange.core.done())
}

/// The exchange is over, and its pointer is none any more.
#[unsafe(no_mangle)]
extern "C" fn end(_: Box<Exchange>) {}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
const fn seconds(number: f64) -> i64 {
    number as i64
}
