//! The token endpoint's exports: the same steps and slots as the resource server's.

use alloc::{string::String, vec::Vec};

use keybound_core::server::token_endpoint::TokenRequest;
use wasm_bindgen::prelude::*;

use super::{
    ACCEPTED, NEED_CERTIFICATE, NEED_NONCE, NEED_REPLAY, NEED_SIGNATURES, REJECTED, ReplayMemory, TEXT, certificates,
    describe_mark, gone_ids, nonce_status, options, replay_answer, seconds,
    shared::{Memory, Slots},
    tables, verdict,
};
use crate::token_engine::{TokenEngine, TokenStep};

/// A token endpoint.
#[wasm_bindgen]
pub struct TokenEndpoint {
    engine: TokenEngine,
    slots: Slots,
    memory: Memory,
    /// What the slots point into.
    jkt: String,
    certificate: String,
    mark: String,
}

#[wasm_bindgen]
impl TokenEndpoint {
    /// Reads the options, as JSON, once.
    pub fn open(options: &str) -> Option<Self> {
        Some(Self {
            engine: TokenEngine::new(options::read_token_endpoint(options)?),
            slots: Slots::new(),
            memory: Memory::default(),
            jkt: String::new(),
            certificate: String::new(),
            mark: String::new(),
        })
    }

    pub fn slots(&self) -> u32 {
        self.slots.address()
    }

    pub fn use_memory(&mut self, memory: &ReplayMemory) {
        self.memory = Memory::of(memory);
    }

    /// `grant`: what is known of the grant, as JSON.
    pub fn begin(&mut self, method: &str, url: &str, dpop: Option<String>, grant: &str, now: f64) -> Option<u32> {
        let grant = options::read_grant(grant)?;
        let dpop = dpop.as_deref();
        let request = TokenRequest { method, url, dpop: dpop.as_slice() };
        let step = self.engine.begin(&request, &grant, seconds(now));
        Some(self.write(step))
    }

    /// Goes on after a step of this kind, with the answer as a number: a nonce's status, 1 for a signature that
    /// verified, the replay store's answer.
    pub fn answer(&mut self, kind: u32, handle: u32, answer: u32) -> u32 {
        let engine = &mut self.engine;
        let step = match kind {
            NEED_NONCE => engine.nonce(handle, nonce_status(answer)),
            NEED_SIGNATURES => self.memory.with(|memory| engine.signature(handle, verdict(answer == 1), memory)),
            _ => engine.replay(handle, replay_answer(answer)),
        };
        self.write(step)
    }

    /// The key to import for the proof's signature.
    pub fn jwk(&self, handle: u32) -> Option<String> {
        self.engine.signature_of(handle).map(|(check, _)| check.key.to_jwk())
    }

    pub fn certificate(&mut self, handle: u32, reading: &str) -> u32 {
        let (engine, reading) = (&mut self.engine, certificates::parse_reading(reading));
        let step = self.memory.with(|memory| engine.certificate(handle, &reading, memory));
        self.write(step)
    }

    pub fn abandon(&mut self, handle: u32) {
        self.engine.abandon(handle);
    }

    pub fn take_gone(&mut self) -> Vec<u32> {
        gone_ids(self.engine.take_gone())
    }

    pub fn current_nonce(&self, now: f64) -> Option<String> {
        self.engine.current_nonce(seconds(now))
    }
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
