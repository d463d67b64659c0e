//! The exports of the npm package's wasm module. Private to it: `pkg-templates/edge` is the API.
//!
//! A request crosses into wasm twice when all is warm: `begin` and `signatures`. What a step has to
//! say stands in a block of numbers in memory (`slots`), which the other side reads without a call.

mod certificates;
mod freshness;
mod options;
mod proof_check;
mod runtime;
mod shared;
mod tables;
mod token_endpoint;

use alloc::{rc::Rc, string::String, vec::Vec};
use core::cell::RefCell;

use keybound_core::{
    base64url,
    server::{
        answer,
        jwks::Jwks,
        nonce::NonceStatus,
        policy::{ClientType, Scheme},
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        request::Request,
        resource_server::Accepted,
    },
    signature::SignatureError,
    thumbprint::Thumbprint,
    time::Timestamp,
};
use wasm_bindgen::prelude::*;

use self::shared::{Memory, Slots};
use crate::engine::{Engine, Gone, Step};

/// The kinds of steps, as numbers. `pkg-templates/edge/src/engine.ts` has the same list.
const REJECTED: u32 = 0;
const ACCEPTED: u32 = 1;
const NEED_NONCE: u32 = 2;
const NEED_KEYS: u32 = 3;
const NEED_SOURCE: u32 = 4;
const NEED_SIGNATURES: u32 = 5;
const NEED_CERTIFICATE: u32 = 6;
const NEED_REPLAY: u32 = 7;
const NEED_CLIENT_TYPE: u32 = 8;

/// The slots of the text that goes with a step: the nonce, token, claims or mark that is asked about, or the mark
/// that an acceptance leaves to the caller.
const TEXT: usize = 15;

/// A resource server.
#[wasm_bindgen]
pub struct Server {
    engine: Engine,
    slots: Slots,
    memory: Memory,
    /// What the slots point into.
    accepted: Option<Accepted>,
    jkt: String,
    mark: String,
}

/// Marks of one process, shared by the servers that were given it.
#[wasm_bindgen]
pub struct ReplayMemory(Rc<RefCell<MemoryReplay>>);

#[wasm_bindgen]
impl ReplayMemory {
    /// `seed` is 32 random octets, or none where the platform gives none.
    #[wasm_bindgen(constructor)]
    pub fn new(max_entries: u32, max_per_key: u32, seed: &[u8]) -> Self {
        let max_entries = usize::try_from(max_entries).unwrap_or(usize::MAX);
        let memory = match seed.as_array() {
            Some(seed) => MemoryReplay::seeded(max_entries, max_per_key, seed),
            None => MemoryReplay::new(max_entries, max_per_key),
        };
        Self(Rc::new(RefCell::new(memory)))
    }

    /// 0 fresh, 1 replayed, 2 full. The key of a mark of ours stands for itself; any other text
    /// counts by its hash.
    pub fn claim(&self, key: &str, jkt: &str, expires_at: f64, now: f64) -> u8 {
        let jkt = Thumbprint::parse(jkt).unwrap_or(Thumbprint::from_bytes([0; 32]));
        let expires_at = seconds(expires_at).as_seconds_ceil();
        let mark = match base64url::decode_array(key) {
            Ok(hash) => ReplayMark::from_hash(hash, jkt, expires_at),
            Err(_) => ReplayMark::new(jkt, key, "", expires_at),
        };
        let Ok(mut memory) = self.0.try_borrow_mut() else { return 2 };
        answer_number(memory.claim(&mark, seconds(now).as_seconds()))
    }
}

#[wasm_bindgen]
impl Server {
    /// Reads the options, as JSON, once.
    pub fn open(options: &str) -> Option<Self> {
        Some(Self {
            engine: Engine::new(options::read(options)?),
            slots: Slots::new(),
            memory: Memory::default(),
            accepted: None,
            jkt: String::new(),
            mark: String::new(),
        })
    }

    /// Where the slots stand.
    pub fn slots(&self) -> u32 {
        self.slots.address()
    }

    /// Marks are claimed here, within `signatures`.
    pub fn use_memory(&mut self, memory: &ReplayMemory) {
        self.memory = Memory::of(memory);
    }

    pub fn begin(
        &mut self,
        method: &str,
        url: &str,
        authorization: Option<String>,
        dpop: Option<String>,
        now: f64,
    ) -> u32 {
        let authorization = authorization.as_deref();
        let dpop = dpop.as_deref();
        let request = Request { method, url, authorization: authorization.as_slice(), dpop: dpop.as_slice() };
        let scheme = answer::scheme_used(&request);
        let step = self.engine.begin(&request, seconds(now));
        let kind = self.write(step);
        // The challenge names the scheme that was used.
        self.slots.set(2, scheme_number(scheme));
        kind
    }

    /// Goes on after a step of this kind, with the answer as a number: a nonce's status, 1 for a confidential
    /// client, the replay store's answer. About keys there is none: they were set, or not.
    pub fn answer(&mut self, kind: u32, handle: u32, answer: u32) -> u32 {
        let engine = &mut self.engine;
        let step = match kind {
            NEED_NONCE => engine.nonce(handle, nonce_status(answer)),
            NEED_KEYS => engine.resume(handle),
            NEED_CLIENT_TYPE => {
                let client = if answer == 1 { ClientType::Confidential } else { ClientType::Public };
                self.memory.with(|memory| engine.client(handle, client, memory))
            }
            _ => engine.replay(handle, replay_answer(answer)),
        };
        self.write(step)
    }

    /// False if the text is no key set.
    pub fn set_keys(&mut self, issuer: u32, json: &str) -> bool {
        let (Ok(jwks), Ok(issuer)) = (Jwks::parse(json), usize::try_from(issuer)) else {
            return false;
        };
        self.engine.set_keys(issuer, jwks);
        true
    }

    pub fn source(&mut self, handle: u32, active: bool, claims: &str, until: f64) -> u32 {
        let until = Timestamp::from_seconds_f64(until);
        let step = self.engine.source(handle, active, claims, until);
        self.write(step)
    }

    /// The key to import for one of the signatures that a request waits for: the token's, or the proof's.
    pub fn jwk(&self, handle: u32, token: bool) -> Option<String> {
        let signatures = self.engine.signatures_of(handle)?;
        let check = if token { signatures.token } else { signatures.proof };
        check.map(|check| check.key.to_jwk())
    }

    /// `certificate`: undefined if it was not looked at, else as [`certificates`] writes readings.
    pub fn signatures(&mut self, handle: u32, token: bool, proof: bool, certificate: Option<String>) -> u32 {
        let certificate = certificate.as_deref().map(certificates::parse_reading);
        let (engine, token, proof) = (&mut self.engine, verdict(token), verdict(proof));
        let step = self.memory.with(|memory| engine.signatures(handle, token, proof, certificate, memory));
        self.write(step)
    }

    pub fn certificate(&mut self, handle: u32, reading: &str) -> u32 {
        let (engine, reading) = (&mut self.engine, certificates::parse_reading(reading));
        let step = self.memory.with(|memory| engine.certificate(handle, reading, memory));
        self.write(step)
    }

    pub fn abandon(&mut self, handle: u32) {
        self.engine.abandon(handle);
    }

    /// Ids of tokens, 0, ids of keys: what had to go from the caches.
    pub fn take_gone(&mut self) -> Vec<u32> {
        gone_ids(self.engine.take_gone())
    }

    pub fn current_nonce(&self, now: f64) -> Option<String> {
        self.engine.current_nonce(seconds(now))
    }

    /// The challenges of a refusal, a line each. `scheme` as in slot 2.
    pub fn challenges(&self, reason: u32, scheme: u32) -> String {
        let Some(reason) = tables::reason(reason) else { return String::new() };
        tables::lines(answer::refusal(&self.engine.challenge_context(), reason, scheme_of(scheme)))
    }

    pub fn scope_challenges(&self, scope: &str, scheme: u32) -> String {
        let scheme = scheme_of(scheme).unwrap_or(Scheme::Bearer);
        tables::lines(answer::insufficient_scope(&self.engine.challenge_context(), scope, scheme))
    }
}

impl Server {
    fn write(&mut self, step: Step) -> u32 {
        let gone = self.engine.has_gone();
        self.slots.set(0, u32::from(gone));
        let (kind, value) = match step {
            Step::Rejected(reason) => (REJECTED, tables::reason_number(reason)),
            Step::NeedNonce(handle) => {
                self.slots.set_text(TEXT, self.engine.nonce_of(handle));
                (NEED_NONCE, handle)
            }
            Step::NeedSource(handle) => {
                self.slots.set_text(TEXT, self.engine.token_of(handle));
                (NEED_SOURCE, handle)
            }
            Step::NeedClientType(handle) => {
                self.slots.set_text(TEXT, self.engine.claims_of(handle));
                (NEED_CLIENT_TYPE, handle)
            }
            Step::NeedCertificate(handle) => (NEED_CERTIFICATE, handle),
            Step::NeedReplay(handle) => {
                self.mark = describe_mark(self.engine.mark_of(handle));
                self.slots.set_text(TEXT, Some(&self.mark));
                (NEED_REPLAY, handle)
            }
            Step::NeedKeys(handle, issuer) => {
                self.slots.set(3, u32::try_from(issuer).unwrap_or(u32::MAX));
                (NEED_KEYS, handle)
            }
            Step::NeedSignatures(handle) => {
                self.write_signatures(handle);
                (NEED_SIGNATURES, handle)
            }
            Step::Accepted(outcome) => {
                self.slots.set(3, outcome.token);
                self.slots.set(4, outcome.key);
                self.slots.set(5, u32::from(outcome.accepted.renews_nonce()));
                let dpop = u32::from(outcome.accepted.jkt().is_some());
                let mtls = u32::from(outcome.accepted.x5t_s256().is_some());
                self.slots.set(6, dpop | (mtls << 1));
                self.slots.set_text(7, Some(outcome.accepted.claims_json()));
                self.jkt = outcome.accepted.jkt().map(|jkt| jkt.to_base64url()).unwrap_or_default();
                self.slots.set_text(9, Some(&self.jkt));
                self.mark = describe_mark(outcome.accepted.mark());
                self.slots.set_text(TEXT, Some(&self.mark));
                self.accepted = Some(outcome.accepted);
                (ACCEPTED, 0)
            }
        };
        self.slots.set(1, value);
        kind
    }

    /// From slot 3: the key's id, whether the certificate is needed, and the two signatures.
    fn write_signatures(&mut self, handle: u32) {
        let Some(signatures) = self.engine.signatures_of(handle) else { return };
        self.slots.set(3, signatures.key);
        self.slots.set(4, u32::from(signatures.certificate));
        self.slots.set_signature(5, signatures.token);
        self.slots.set_signature(10, signatures.proof);
    }
}

/// Ids of tokens, 0, ids of keys.
fn gone_ids(gone: Gone) -> Vec<u32> {
    let mut ids = gone.tokens;
    ids.push(0);
    ids.extend(gone.keys);
    ids
}

fn seconds(value: f64) -> Timestamp {
    // A clock that gives no number is no clock: nothing is fresh then.
    Timestamp::from_seconds_f64(value).unwrap_or(Timestamp::from_seconds(i64::MAX))
}

const fn verdict(verified: bool) -> Result<(), SignatureError> {
    if verified { Ok(()) } else { Err(SignatureError) }
}

const fn answer_number(answer: ReplayAnswer) -> u8 {
    match answer {
        ReplayAnswer::Fresh => 0,
        ReplayAnswer::Replayed => 1,
        ReplayAnswer::Full => 2,
        ReplayAnswer::Unavailable | ReplayAnswer::External => 3,
    }
}

const fn replay_answer(number: u32) -> ReplayAnswer {
    match number {
        0 => ReplayAnswer::Fresh,
        1 => ReplayAnswer::Replayed,
        2 => ReplayAnswer::Full,
        4 => ReplayAnswer::External,
        _ => ReplayAnswer::Unavailable,
    }
}

const fn nonce_status(number: u32) -> NonceStatus {
    match number {
        0 => NonceStatus::Current,
        1 => NonceStatus::Previous,
        2 => NonceStatus::Stale,
        _ => NonceStatus::Unknown,
    }
}

const fn scheme_number(scheme: Option<Scheme>) -> u32 {
    match scheme {
        None => 0,
        Some(Scheme::Dpop) => 1,
        Some(Scheme::Bearer) => 2,
    }
}

const fn scheme_of(number: u32) -> Option<Scheme> {
    match number {
        1 => Some(Scheme::Dpop),
        2 => Some(Scheme::Bearer),
        _ => None,
    }
}

/// Key, thumbprint and expiry of a mark, separated by blanks; empty if there is none.
fn describe_mark(mark: Option<&ReplayMark>) -> String {
    let Some(mark) = mark else { return String::new() };
    let mut out = mark.key();
    out.push(' ');
    out.push_str(&mark.jkt().to_base64url());
    out.push(' ');
    tables::push_number(u64::try_from(mark.expires_at()).unwrap_or(0), &mut out);
    out
}
