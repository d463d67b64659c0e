//! What the TypeScript of `@keybound/browser` calls. Private to that package.
//!
//! Made to be small, also in the bindings: no std, no formatting, no JSON reader; several texts
//! cross as one, with U+0000 between them, and an empty one is none; errors leave as numbers, which
//! TypeScript turns into text; each step of an exchange is one call that returns the number of the
//! next command.

mod numbers;
mod runtime;

use alloc::{string::String, vec::Vec};

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    base64url,
    client::{self, Answer, BodyKind, ClientError, Command, Event, Preparation, RequestHead, Token, TokenAnswer},
    key::{KeyParts, PublicKey},
    proof::build::{AccessTokenHash, BuildError, Claim, ProofRequest, ProofTemplate},
};
use wasm_bindgen::prelude::*;

use crate::platform;

/// A key's part of every proof.
#[wasm_bindgen]
pub struct Key {
    /// None if no key could be made of what was given.
    template: Option<ProofTemplate>,
    /// The hash of the last access token: one serves many requests.
    token: Option<AccessTokenHash>,
    failure: u32,
}

#[wasm_bindgen]
impl Key {
    /// From `alg` and the members of the public JWK: `x` and `y`, `x` alone, or `n` and `e`.
    #[wasm_bindgen(constructor)]
    pub fn new(texts: &str) -> Self {
        let [algorithm, first, second] = parts(texts);
        Self { template: template(algorithm, first, second), token: None, failure: 0 }
    }

    /// The public JWK with its required members (RFC 7638 §3.2), U+0000, and its thumbprint. Empty
    /// for an RSA key of the wrong size, and for a key of another kind than the algorithm's.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        if let Some(template) = &self.template {
            text = template.key().to_jwk();
            text.push('\0');
            text.push_str(&template.key().thumbprint().to_base64url());
        }
        text
    }

    /// The signing input of one proof: method, URL, access token (not if it is the same as the last
    /// time), nonce, then names and JSON values of further claims in turn. Empty if there is none, for the reason that [`Key::failure`] gives.
    pub fn input(&mut self, texts: &str, same_token: bool) -> String {
        self.try_input(texts, same_token).unwrap_or_else(|error| {
            self.failure = numbers::error(ClientError::Proof(error));
            String::new()
        })
    }

    fn try_input(&mut self, texts: &str, same_token: bool) -> Result<String, BuildError> {
        let [method, url, access_token, nonce] = parts(texts);
        if !same_token {
            self.token = some(access_token).map(AccessTokenHash::of).transpose()?;
        }
        let claims = further_claims(texts);
        let random = platform::random();
        let request = ProofRequest {
            access_token: self.token.as_ref(),
            nonce: some(nonce),
            claims: &claims,
            ..ProofRequest::new(method, url, now(0.0), &random)
        };
        self.template.as_ref().ok_or(BuildError::AlgorithmMismatch)?.signing_input(&request)
    }

    /// Why there was no input the last time.
    pub fn failure(&self) -> u32 {
        self.failure
    }
}

fn template(algorithm: &str, first: &str, second: &str) -> Option<ProofTemplate> {
    let algorithm = Algorithm::from_name(algorithm)?;
    let first = base64url::decode(first).ok()?;
    let second = base64url::decode(second).ok()?;
    let parts = match algorithm.key_type() {
        KeyType::Ed25519 => KeyParts::Ed25519 { x: first.as_slice().try_into().ok()? },
        KeyType::Rsa => KeyParts::Rsa { n: &first, e: &second },
        key_type => KeyParts::Ec { key_type, x: &first, y: &second },
    };
    ProofTemplate::new(algorithm, PublicKey::from_parts(parts).ok()?).ok()
}

/// A text that holds U+0000 itself falls apart here, and each part is checked as what it then stands for.
fn further_claims(texts: &str) -> Vec<Claim<'_>> {
    let mut rest = texts.split('\0').skip(4);
    let mut claims = Vec::new();
    while let (Some(name), Some(json)) = (rest.next(), rest.next()) {
        claims.push(Claim { name, json });
    }
    claims
}

/// One request's life: each method takes what happened and returns the number of the next command.
#[wasm_bindgen]
pub struct Exchange {
    /// None if the policy names an origin that is none.
    core: Option<client::Exchange>,
    command: u32,
    text: String,
    seconds: f64,
}

#[wasm_bindgen]
impl Exchange {
    /// Begins with method, URL, `Content-Type`, `Authorization` and `DPoP` of the caller, and then
    /// the origins of the policy. `flags`: 1 resource server, 2 strict, 4 bearer tokens are accepted.
    #[wasm_bindgen(constructor)]
    pub fn new(texts: &str, flags: u32) -> Self {
        let [method, url, content_type, authorization, proof] = parts(texts);
        let mut exchange = Self { core: None, command: 0, text: String::new(), seconds: 0.0 };
        match policy(texts.split('\0').skip(5), flags) {
            Ok(policy) => {
                let request = RequestHead {
                    content_type: some(content_type),
                    authorization: some(authorization),
                    has_proof: !proof.is_empty(),
                    ..RequestHead::new(method, url)
                };
                let (core, command) = client::Exchange::begin(&policy, &request);
                exchange.core = Some(core);
                exchange.command = exchange.numbered(command);
            }
            Err(error) => exchange.command = numbers::error(error),
        }
        exchange
    }

    /// The first command.
    pub fn command(&self) -> u32 {
        self.command
    }

    /// What belongs to the last command: signing input, nonce, or URL.
    pub fn text(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    /// What belongs to the command that adjusts the clock.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Access token, its type, and the thumbprint of its key.
    pub fn token(&mut self, texts: &str) -> u32 {
        let [access_token, token_type, thumbprint] = parts(texts);
        let token = some(access_token).map(|access_token| Token {
            access_token,
            token_type: some(token_type),
            thumbprint: some(thumbprint),
        });
        self.handle(Event::Token(token))
    }

    /// The key, the URL to sign and the stored nonce. `body`: 0 repeatable, 1 large, 2 stream;
    /// `heard`: the server answered before; `offset`: how many seconds its clock is ahead.
    pub fn prepared(&mut self, key: &Key, texts: &str, body: u32, heard: bool, offset: f64) -> u32 {
        let [url, nonce] = parts(texts);
        let Some(template) = &key.template else {
            return numbers::error(ClientError::Proof(BuildError::AlgorithmMismatch));
        };
        let body = match body {
            0 => BodyKind::Repeatable,
            1 => BodyKind::Large,
            _ => BodyKind::Stream,
        };
        self.handle(Event::Prepared(Preparation {
            key: template,
            url,
            nonce: some(nonce),
            now: now(offset),
            random: &platform::random(),
            body,
            heard,
        }))
    }

    /// `Location`, `WWW-Authenticate` and `DPoP-Nonce` of the answer. `flags`: 1 opaque redirect,
    /// 2 CORS may hide fields. `date` is NaN where it is not visible.
    pub fn answered(&mut self, texts: &str, status: u32, flags: u32, date: f64, offset: f64) -> u32 {
        let [location, www_authenticate, dpop_nonce] = parts(texts);
        self.handle(Event::Answered(Answer {
            status: u16::try_from(status).unwrap_or(0),
            opaque_redirect: flags & 1 != 0,
            cross_origin: flags & 2 != 0,
            location: some(location),
            www_authenticate: some(www_authenticate),
            dpop_nonce: some(dpop_nonce),
            date: (!date.is_nan()).then(|| seconds(date)),
            now: now(offset),
        }))
    }

    /// `error`, `token_type` and `access_token` of the answer's JSON.
    pub fn body(&mut self, texts: &str) -> u32 {
        let [error, token_type, access_token] = parts(texts);
        self.handle(Event::Body(TokenAnswer {
            error: some(error),
            token_type: some(token_type),
            has_access_token: !access_token.is_empty(),
        }))
    }

    /// The last command was carried out.
    pub fn done(&mut self) -> u32 {
        self.handle(Event::Done)
    }

    fn handle(&mut self, event: Event<'_>) -> u32 {
        let command = match &mut self.core {
            Some(core) => core.handle(event),
            None => Command::Fail(ClientError::InvalidUrl),
        };
        self.numbered(command)
    }

    fn numbered(&mut self, command: Command) -> u32 {
        let number = numbers::command(&command);
        match command {
            Command::Send { input: text } | Command::StoreNonce(text) | Command::Follow(text) => {
                self.text = text;
            }
            #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
            Command::AdjustClock(seconds) => self.seconds = seconds as f64,
            _ => {}
        }
        number
    }
}

fn policy<'a>(origins: impl Iterator<Item = &'a str>, flags: u32) -> Result<client::Policy, ClientError> {
    let policy = if flags & 1 == 0 {
        client::Policy::authorization_server(origins)
    } else {
        client::Policy::resource_server(origins)
    };
    Ok(policy?.strict(flags & 2 != 0).dangerously_accept_bearer(flags & 4 != 0))
}

/// The first texts of a list; those that are not there are empty.
fn parts<const N: usize>(texts: &str) -> [&str; N] {
    let mut list = texts.split('\0');
    core::array::from_fn(|_| list.next().unwrap_or(""))
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Seconds since 1970 by the clock of a server that is `offset` seconds ahead.
fn now(offset: f64) -> i64 {
    seconds(platform::now() + offset)
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
const fn seconds(number: f64) -> i64 {
    number as i64
}
