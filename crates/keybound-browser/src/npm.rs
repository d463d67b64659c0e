//! What the TypeScript of `@keybound/browser` calls. Private to that package.
//!
//! Made to be small, also in the bindings: no std, no formatting, no JSON reader; several texts
//! cross as one, each followed by U+0000, and an empty one is none; errors leave as numbers, which
//! TypeScript turns into text; each step of an exchange is one call that returns the number of the
//! next command.

mod numbers;
mod runtime;

use alloc::{string::String, vec::Vec};

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    base64url,
    client::{
        self, Answer, BodyKind, ClientError, Command, Event, Preparation, RequestHead, Token,
        TokenAnswer,
    },
    key::{KeyParts, PublicKey},
    proof::build::{BuildError, Claim, ProofRequest, ProofTemplate},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Fills the octets from a cryptographic source.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(octets: &mut [u8]);

    /// Milliseconds since 1970.
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// A key's part of every proof.
#[wasm_bindgen]
pub struct Key(ProofTemplate);

#[wasm_bindgen]
impl Key {
    /// From `alg` and the members of the public JWK: `x` and `y`, `x` alone, or `n` and `e`.
    #[wasm_bindgen(constructor)]
    pub fn new(texts: &str) -> Result<Self, JsValue> {
        let [algorithm, first, second] = parts(texts);
        // SubtleCrypto exported the members. What fails here is an RSA key of the wrong size, or a
        // key of another kind than the algorithm's.
        template(algorithm, first, second)
            .map(Self)
            .ok_or_else(|| thrown(ClientError::Proof(BuildError::AlgorithmMismatch)))
    }

    /// The public JWK with its required members (RFC 7638 §3.2), U+0000, and its thumbprint.
    pub fn describe(&self) -> String {
        let mut text = self.0.key().to_jwk();
        text.push('\0');
        text.push_str(&self.0.key().thumbprint().to_base64url());
        text
    }

    /// The signing input of one proof: method, URL, access token, nonce, then names and JSON values
    /// of further claims in turn.
    pub fn input(&self, texts: &str) -> Result<String, JsValue> {
        let [method, url, access_token, nonce] = parts(texts);
        let claims = further_claims(texts);
        let random = random();
        let request = ProofRequest {
            access_token: some(access_token),
            nonce: some(nonce),
            claims: &claims,
            ..ProofRequest::new(method, url, seconds(date_now() / 1000.0), &random)
        };
        self.0.signing_input(&request).map_err(|error| thrown(ClientError::Proof(error)))
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

/// Which requests get token and proof.
#[wasm_bindgen]
pub struct Policy(client::Policy);

#[wasm_bindgen]
impl Policy {
    /// `flags`: 1 resource server, 2 strict, 4 bearer tokens are accepted.
    #[wasm_bindgen(constructor)]
    pub fn new(origins: &str, flags: u32) -> Result<Self, JsValue> {
        let origins = origins.split_terminator('\0');
        let policy = if flags & 1 == 0 {
            client::Policy::authorization_server(origins)
        } else {
            client::Policy::resource_server(origins)
        };
        policy
            .map(|policy| Self(policy.strict(flags & 2 != 0).dangerously_accept_bearer(flags & 4 != 0)))
            .map_err(thrown)
    }
}

/// One request's life: each method takes what happened and returns the number of the next command.
#[wasm_bindgen]
pub struct Exchange {
    core: client::Exchange,
    command: u32,
    text: String,
    seconds: f64,
}

#[wasm_bindgen]
impl Exchange {
    /// Begins with method, URL, `Content-Type`, `Authorization` and `DPoP` of the caller.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &Policy, texts: &str) -> Self {
        let [method, url, content_type, authorization, proof] = parts(texts);
        let request = RequestHead {
            content_type: some(content_type),
            authorization: some(authorization),
            has_proof: !proof.is_empty(),
            ..RequestHead::new(method, url)
        };
        let (core, command) = client::Exchange::begin(&policy.0, &request);
        let mut exchange = Self { core, command: 0, text: String::new(), seconds: 0.0 };
        exchange.command = exchange.numbered(command);
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
        let body = match body {
            0 => BodyKind::Repeatable,
            1 => BodyKind::Large,
            _ => BodyKind::Stream,
        };
        self.handle(Event::Prepared(Preparation {
            key: &key.0,
            url,
            nonce: some(nonce),
            now: seconds(date_now() / 1000.0 + offset),
            random: &random(),
            body,
            heard,
        }))
    }

    /// `Location`, `WWW-Authenticate` and `DPoP-Nonce` of the answer. `flags`: 1 opaque redirect,
    /// 2 CORS may hide fields, 4 there is a `Location`, 8 a `WWW-Authenticate`, 16 a `DPoP-Nonce`.
    /// `date` is NaN where it is not visible.
    pub fn answered(&mut self, texts: &str, status: u32, flags: u32, date: f64, offset: f64) -> u32 {
        let [location, www_authenticate, dpop_nonce] = parts(texts);
        let field = |flag: u32, text| (flags & flag != 0).then_some(text);
        self.handle(Event::Answered(Answer {
            status: u16::try_from(status).unwrap_or(0),
            opaque_redirect: flags & 1 != 0,
            cross_origin: flags & 2 != 0,
            location: field(4, location),
            www_authenticate: field(8, www_authenticate),
            dpop_nonce: field(16, dpop_nonce),
            date: (!date.is_nan()).then(|| seconds(date)),
            now: seconds(date_now() / 1000.0 + offset),
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
        let command = self.core.handle(event);
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

/// The first texts of a list; those that are not there are empty.
fn parts<const N: usize>(texts: &str) -> [&str; N] {
    let mut list = texts.split('\0');
    core::array::from_fn(|_| list.next().unwrap_or(""))
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn random() -> [u8; 16] {
    let mut octets = [0; 16];
    get_random_values(&mut octets);
    octets
}

#[allow(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
const fn seconds(number: f64) -> i64 {
    number as i64
}

fn thrown(error: ClientError) -> JsValue {
    JsValue::from_f64(f64::from(numbers::error(error)))
}
