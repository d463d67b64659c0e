//! The exports of the npm package's wasm module. Private to it: `pkg-templates/edge` is the API.
//!
//! Plain functions, whose other side is `pkg-templates/edge/src/module.ts`: generated bindings would be a tenth of the
//! package. Numbers and pointers cross as they are, texts on the [`Desk`].
//!
//! A request crosses into wasm twice when all is warm: `begin` and `signatures`. What a step has to
//! say stands in a block of numbers in memory (`slots`), which the other side reads without a call.

#![allow(unsafe_code, reason = "an exported name is unsafe to give, and texts come from an encoder that is trusted")]

mod certificates;
mod desk;
mod freshness;
mod options;
mod proof_check;
mod runtime;
mod shared;
mod tables;
mod token_endpoint;

use alloc::{boxed::Box, rc::Rc, string::String};
use core::cell::RefCell;

use self::{
    desk::{Desk, some},
    shared::{Memory, Slots},
};
use crate::engine::{Engine, Gone, Step};
use keybound_core::{
    base64url,
    server::{
        answer,
        jwks::Jwks,
        nonce::NonceStatus,
        policy::{ClientType, Scheme},
        reason::Reason,
        replay::{MemoryReplay, ReplayAnswer, ReplayMark, ReplayStore},
        request::Request,
        resource_server::Accepted,
    },
    signature::SignatureError,
    thumbprint::Thumbprint,
    time::Timestamp,
};

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
const NEED_AUTHORIZATION: u32 = 9;

/// The slots of the text that goes with a step: the nonce, token, claims or mark that is asked about, or the mark
/// that an acceptance leaves to the caller.
const TEXT: usize = 15;

/// A resource server.
struct Server {
    engine: Engine,
    slots: Slots,
    memory: Memory,
    /// What the slots point into.
    accepted: Option<Accepted>,
    jkt: String,
    mark: String,
}

/// Marks of one process, shared by the servers that were given it.
struct ReplayMemory(Rc<RefCell<MemoryReplay>>);

/// The octets are 32 random ones, or none where the platform gives none.
#[unsafe(no_mangle)]
extern "C" fn memory_open(desk: &Desk, len: usize, max_entries: u32, max_per_key: u32) -> Box<ReplayMemory> {
    let max_entries = usize::try_from(max_entries).unwrap_or(usize::MAX);
    let memory = match desk.octets(len).as_array() {
        Some(seed) => MemoryReplay::seeded(max_entries, max_per_key, seed),
        None => MemoryReplay::new(max_entries, max_per_key),
    };
    Box::new(ReplayMemory(Rc::new(RefCell::new(memory))))
}

/// The text is the thumbprint, a blank and the key. 0 fresh, 1 replayed, 2 full. The key of a mark of ours stands for
/// itself; any other text counts by its hash.
#[unsafe(no_mangle)]
extern "C" fn memory_claim(memory: &ReplayMemory, desk: &Desk, len: usize, expires_at: f64, now: f64) -> u32 {
    let text = desk.text(len);
    let end = text.bytes().position(|octet| octet == b' ').unwrap_or(0);
    let jkt = text.get(..end).and_then(Thumbprint::parse).unwrap_or(Thumbprint::from_bytes([0; 32]));
    let key = text.get(end.saturating_add(1)..).unwrap_or_default();
    let expires_at = seconds(expires_at).as_seconds_ceil();
    let mark = match base64url::decode_array(key) {
        Ok(hash) => ReplayMark::from_hash(hash, jkt, expires_at),
        Err(_) => ReplayMark::new(jkt, key, "", expires_at),
    };
    let Ok(mut memory) = memory.0.try_borrow_mut() else { return 2 };
    answer_number(memory.claim(&mark, seconds(now).as_seconds()))
}

/// The servers that were given it keep the marks.
#[unsafe(no_mangle)]
extern "C" fn memory_close(memory: Box<ReplayMemory>) {
    drop(memory);
}

/// Reads the options, as JSON, once.
#[unsafe(no_mangle)]
extern "C" fn server_open(desk: &Desk, len: usize) -> Option<Box<Server>> {
    Some(Box::new(Server {
        engine: Engine::new(options::read(desk.text(len))?),
        slots: Slots::new(),
        memory: Memory::default(),
        accepted: None,
        jkt: String::new(),
        mark: String::new(),
    }))
}

#[unsafe(no_mangle)]
extern "C" fn server_close(server: Box<Server>) {
    drop(server);
}

/// Where the slots stand.
#[unsafe(no_mangle)]
extern "C" fn server_slots(server: &Server) -> u32 {
    server.slots.address()
}

/// Marks are claimed here, within `server_signatures`.
#[unsafe(no_mangle)]
extern "C" fn server_use_memory(server: &mut Server, memory: &ReplayMemory) {
    server.memory = Memory::of(memory);
}

/// The texts: method, URL, `Authorization`, `DPoP`. An absent field and an empty one are the same. `known`: the
/// scheme, as in slot 2, of an `Authorization` field that was accepted before; it is left out then, and the SHA-256 of its
/// token, as slot 17 gave it, stands after the texts.
#[unsafe(no_mangle)]
extern "C" fn server_begin(server: &mut Server, desk: &Desk, len: usize, known: u32, now: f64) -> u32 {
    let Some([method, url, authorization, dpop]) = desk.texts(len) else {
        server.slots.set(2, 0);
        return server.write(Step::Rejected(Reason::TargetUnknown));
    };
    let (authorization, dpop) = (some(authorization), some(dpop));
    let request = Request { method, url, authorization: authorization.as_slice(), dpop: dpop.as_slice() };
    let now = seconds(now);
    let (scheme, step) = match (scheme_of(known), desk.hash(len)) {
        (Some(scheme), Some(hash)) => match server.engine.begin_known(&request, scheme, hash, now) {
            Some(step) => (Some(scheme), step),
            None => return NEED_AUTHORIZATION,
        },
        _ => (answer::scheme_used(&request), server.engine.begin(&request, now)),
    };
    let kind = server.write(step);
    // The challenge names the scheme that was used.
    server.slots.set(2, scheme_number(scheme));
    kind
}

/// Goes on after a step of this kind, with the answer as a number: a nonce's status, 1 for a confidential
/// client, the replay store's answer. About keys there is none: they were set, or not.
#[unsafe(no_mangle)]
extern "C" fn server_answer(server: &mut Server, kind: u32, handle: u32, answer: u32) -> u32 {
    let engine = &mut server.engine;
    let step = match kind {
        NEED_NONCE => engine.nonce(handle, nonce_status(answer)),
        NEED_KEYS => engine.resume(handle),
        NEED_CLIENT_TYPE => {
            let client = if answer == 1 { ClientType::Confidential } else { ClientType::Public };
            server.memory.with(|memory| engine.client(handle, client, memory))
        }
        _ => engine.replay(handle, replay_answer(answer)),
    };
    server.write(step)
}

/// The text is a key set; false if it is none.
#[unsafe(no_mangle)]
extern "C" fn server_set_keys(server: &mut Server, desk: &Desk, len: usize, issuer: usize) -> bool {
    let Ok(jwks) = Jwks::parse(desk.text(len)) else { return false };
    server.engine.set_keys(issuer, jwks);
    true
}

/// The text is a source's claims.
#[unsafe(no_mangle)]
extern "C" fn server_source(
    server: &mut Server,
    desk: &Desk,
    len: usize,
    handle: u32,
    active: bool,
    until: f64,
) -> u32 {
    let step = server.engine.source(handle, active, desk.text(len), Timestamp::from_seconds_f64(until));
    server.write(step)
}

/// The key to import for one of the signatures that a request waits for: the token's, or the proof's.
#[unsafe(no_mangle)]
extern "C" fn server_jwk(server: &Server, desk: &mut Desk, handle: u32, token: bool) {
    let signatures = server.engine.signatures_of(handle);
    let check = signatures.and_then(|signatures| if token { signatures.token } else { signatures.proof });
    desk.output = check.map(|check| check.key.to_jwk()).unwrap_or_default();
}

/// `verdicts`: 1 the token's signature verified, 2 the proof's, 4 the certificate was looked at: the text is its reading,
/// as [`certificates`] writes it.
#[unsafe(no_mangle)]
extern "C" fn server_signatures(server: &mut Server, desk: &Desk, len: usize, handle: u32, verdicts: u32) -> u32 {
    let certificate = (verdicts & 4 != 0).then(|| certificates::parse_reading(desk.text(len)));
    let (engine, token, proof) = (&mut server.engine, verdict(verdicts & 1 != 0), verdict(verdicts & 2 != 0));
    let step = server.memory.with(|memory| engine.signatures(handle, token, proof, certificate, memory));
    server.write(step)
}

/// The text is the certificate's reading.
#[unsafe(no_mangle)]
extern "C" fn server_certificate(server: &mut Server, desk: &Desk, len: usize, handle: u32) -> u32 {
    let (engine, reading) = (&mut server.engine, certificates::parse_reading(desk.text(len)));
    let step = server.memory.with(|memory| engine.certificate(handle, reading, memory));
    server.write(step)
}

#[unsafe(no_mangle)]
extern "C" fn server_abandon(server: &mut Server, handle: u32) {
    server.engine.abandon(handle);
}

/// What had to go from the caches: ids of tokens, 0, ids of keys.
#[unsafe(no_mangle)]
extern "C" fn server_gone(server: &mut Server, desk: &mut Desk) {
    desk.output = gone_ids(server.engine.take_gone());
}

/// Empty if it makes none.
#[unsafe(no_mangle)]
extern "C" fn server_nonce(server: &Server, desk: &mut Desk, now: f64) {
    desk.output = server.engine.current_nonce(seconds(now)).unwrap_or_default();
}

/// The challenges of a refusal, a line each. `scheme` as in slot 2.
#[unsafe(no_mangle)]
extern "C" fn server_challenges(server: &Server, desk: &mut Desk, reason: u32, scheme: u32) {
    let context = server.engine.challenge_context();
    let refusal = tables::reason(reason).map(|reason| answer::refusal(&context, reason, scheme_of(scheme)));
    desk.output = tables::lines(refusal.unwrap_or_default());
}

/// The text is the scope that is missing.
#[unsafe(no_mangle)]
extern "C" fn server_scope_challenges(server: &Server, desk: &mut Desk, len: usize, scheme: u32) {
    let scheme = scheme_of(scheme).unwrap_or(Scheme::Bearer);
    let challenges = answer::insufficient_scope(&server.engine.challenge_context(), desk.text(len), scheme);
    desk.output = tables::lines(challenges);
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

    /// From slot 3: the key's id, whether the certificate is needed, and the two signatures. In slot 17: where the
    /// token's SHA-256 stands.
    fn write_signatures(&mut self, handle: u32) {
        let Some(signatures) = self.engine.signatures_of(handle) else { return };
        self.slots.set(3, signatures.key);
        self.slots.set(4, u32::from(signatures.certificate));
        self.slots.set_signature(5, signatures.token);
        self.slots.set_signature(10, signatures.proof);
        self.slots.set(17, shared::address(signatures.token_hash.as_ptr()));
    }
}

/// Ids of tokens, 0, ids of keys, separated by blanks.
fn gone_ids(gone: Gone) -> String {
    let mut out = String::new();
    for id in gone.tokens.into_iter().chain([0]).chain(gone.keys) {
        if !out.is_empty() {
            out.push(' ');
        }
        tables::push_number(u64::from(id), &mut out);
    }
    out
}

fn seconds(value: f64) -> Timestamp {
    // A clock that gives no number is no clock: nothing is fresh then.
    Timestamp::from_seconds_f64(value).unwrap_or(Timestamp::from_seconds(i64::MAX))
}

const fn verdict(verified: bool) -> Result<(), SignatureError> {
    if verified { Ok(()) } else { Err(SignatureError) }
}

const fn answer_number(answer: ReplayAnswer) -> u32 {
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
