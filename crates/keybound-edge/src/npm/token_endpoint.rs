//! The token endpoint's exports: the same steps and slots as the resource server's.

use alloc::{boxed::Box, string::String};

use keybound_core::server::{
    reason::Reason,
    token_endpoint::{Grant, TokenRequest},
};

use super::{
    ACCEPTED, NEED_CERTIFICATE, NEED_NONCE, NEED_REPLAY, NEED_SIGNATURES, REJECTED, ReplayMemory, TEXT, certificates,
    describe_mark,
    desk::{Desk, some},
    gone_ids, nonce_status, options, replay_answer, seconds,
    shared::{Memory, Slots},
    tables, verdict,
};
use crate::token_engine::{TokenEngine, TokenStep};

/// A token endpoint.
struct TokenEndpoint {
    engine: TokenEngine,
    slots: Slots,
    memory: Memory,
    /// What the slots point into.
    jkt: String,
    certificate: String,
    mark: String,
}

/// Reads the options, as JSON, once.
#[unsafe(no_mangle)]
extern "C" fn endpoint_open(desk: &Desk, len: usize) -> Option<Box<TokenEndpoint>> {
    Some(Box::new(TokenEndpoint {
        engine: TokenEngine::new(options::read_token_endpoint(desk.text(len))?),
        slots: Slots::new(),
        memory: Memory::default(),
        jkt: String::new(),
        certificate: String::new(),
        mark: String::new(),
    }))
}

#[unsafe(no_mangle)]
extern "C" fn endpoint_close(endpoint: Box<TokenEndpoint>) {
    drop(endpoint);
}

#[unsafe(no_mangle)]
extern "C" fn endpoint_slots(endpoint: &TokenEndpoint) -> u32 {
    endpoint.slots.address()
}

#[unsafe(no_mangle)]
extern "C" fn endpoint_use_memory(endpoint: &mut TokenEndpoint, memory: &ReplayMemory) {
    endpoint.memory = Memory::of(memory);
}

/// The texts: method, URL, `DPoP`, and what is known of the grant, as JSON.
#[unsafe(no_mangle)]
extern "C" fn endpoint_begin(endpoint: &mut TokenEndpoint, desk: &Desk, len: usize, now: f64) -> u32 {
    let Some([method, url, dpop, grant]) = desk.texts(len) else {
        return endpoint.write(TokenStep::Rejected(Reason::TargetUnknown));
    };
    // One that cannot be read is none that was checked.
    let grant = options::read_grant(grant).unwrap_or(Grant { malformed: true, ..Grant::default() });
    let dpop = some(dpop);
    let request = TokenRequest { method, url, dpop: dpop.as_slice() };
    let step = endpoint.engine.begin(&request, &grant, seconds(now));
    endpoint.write(step)
}

/// Goes on after a step of this kind, with the answer as a number: a nonce's status, 1 for a signature that
/// verified, the replay store's answer.
#[unsafe(no_mangle)]
extern "C" fn endpoint_answer(endpoint: &mut TokenEndpoint, kind: u32, handle: u32, answer: u32) -> u32 {
    let engine = &mut endpoint.engine;
    let step = match kind {
        NEED_NONCE => engine.nonce(handle, nonce_status(answer)),
        NEED_SIGNATURES => endpoint.memory.with(|memory| engine.signature(handle, verdict(answer == 1), memory)),
        _ => engine.replay(handle, replay_answer(answer)),
    };
    endpoint.write(step)
}

/// The key to import for the proof's signature.
#[unsafe(no_mangle)]
extern "C" fn endpoint_jwk(endpoint: &TokenEndpoint, desk: &mut Desk, handle: u32) {
    let check = endpoint.engine.signature_of(handle);
    desk.output = check.map(|(check, _)| check.key.to_jwk()).unwrap_or_default();
}

/// The text is the certificate's reading.
#[unsafe(no_mangle)]
extern "C" fn endpoint_certificate(endpoint: &mut TokenEndpoint, desk: &Desk, len: usize, handle: u32) -> u32 {
    let (engine, reading) = (&mut endpoint.engine, certificates::parse_reading(desk.text(len)));
    let step = endpoint.memory.with(|memory| engine.certificate(handle, &reading, memory));
    endpoint.write(step)
}

#[unsafe(no_mangle)]
extern "C" fn endpoint_abandon(endpoint: &mut TokenEndpoint, handle: u32) {
    endpoint.engine.abandon(handle);
}

#[unsafe(no_mangle)]
extern "C" fn endpoint_gone(endpoint: &mut TokenEndpoint, desk: &mut Desk) {
    desk.output = gone_ids(endpoint.engine.take_gone());
}

#[unsafe(no_mangle)]
extern "C" fn endpoint_nonce(endpoint: &TokenEndpoint, desk: &mut Desk, now: f64) {
    desk.output = endpoint.engine.current_nonce(seconds(now)).unwrap_or_default();
}

impl TokenEndpoint {
    fn write(&mut self, step: TokenStep) -> u32 {
        let gone = self.engine.has_gone();
        self.slots.set(0, u32::from(gone));
        let (kind, value) = match step {
            TokenStep::Rejected(reason) => (REJECTED, tables::reason_number(reason)),
            TokenStep::NeedNonce(handle) => {
                self.slots.set_text(TEXT, self.engine.nonce_of(handle));
                (NEED_NONCE, handle)
            }
            TokenStep::NeedCertificate(handle) => (NEED_CERTIFICATE, handle),
            TokenStep::NeedReplay(handle) => {
                self.mark = describe_mark(self.engine.mark_of(handle));
                self.slots.set_text(TEXT, Some(&self.mark));
                (NEED_REPLAY, handle)
            }
            TokenStep::NeedSignature(handle) => {
                let (check, key) = self.engine.signature_of(handle).unzip();
                self.slots.set(3, key.unwrap_or(0));
                self.slots.set_signature(10, check);
                (NEED_SIGNATURES, handle)
            }
            TokenStep::Bound(binding, key) => {
                self.slots.set(4, key);
                self.slots.set(5, u32::from(binding.renews_nonce()));
                self.slots.set(6, u32::from(binding.is_dpop()));
                self.certificate = binding.x5t_s256().map(|x5t| x5t.to_base64url()).unwrap_or_default();
                self.slots.set_text(7, Some(&self.certificate));
                self.jkt = binding.jkt().map(|jkt| jkt.to_base64url()).unwrap_or_default();
                self.slots.set_text(9, Some(&self.jkt));
                self.mark = describe_mark(binding.mark());
                self.slots.set_text(TEXT, Some(&self.mark));
                (ACCEPTED, 0)
            }
        };
        self.slots.set(1, value);
        kind
    }
}
