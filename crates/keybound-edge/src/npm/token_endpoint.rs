//! The token endpoint's exports: the same steps and slots as the resource server's.

use alloc::{string::String, vec::Vec};

use keybound_core::server::{
    answer,
    reason::Answer,
    token_endpoint::{Binding, TokenRequest},
};
use wasm_bindgen::prelude::*;

use super::{
    ACCEPTED, NEED_CERTIFICATE, NEED_NONCE, NEED_REPLAY, NEED_SIGNATURES, REJECTED, ReplayMemory, certificates,
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
    bound: Option<Binding>,
}

#[wasm_bindgen]
impl TokenEndpoint {
    /// Reads the options, as JSON, once.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &str) -> Result<Self, JsError> {
        Ok(Self {
            engine: TokenEngine::new(options::read_token_endpoint(options)?),
            slots: Slots::new(),
            memory: Memory::default(),
            bound: None,
        })
    }

    pub fn slots(&self) -> u32 {
        self.slots.address()
    }

    pub fn use_memory(&mut self, memory: &ReplayMemory) {
        self.memory = Memory::of(memory);
    }

    /// `grant`: what is known of the grant, as JSON.
    pub fn begin(
        &mut self,
        method: &str,
        url: &str,
        dpop: Option<String>,
        grant: &str,
        now: f64,
    ) -> Result<u32, JsError> {
        let grant = options::read_grant(grant)?;
        let dpop = dpop.as_deref();
        let request = TokenRequest { method, url, dpop: dpop.as_slice() };
        let step = self.engine.begin(&request, &grant, seconds(now));
        Ok(self.write(step))
    }

    pub fn nonce_of(&self, handle: u32) -> Option<String> {
        self.engine.nonce_of(handle).map(String::from)
    }

    pub fn nonce(&mut self, handle: u32, status: u8) -> u32 {
        let step = self.engine.nonce(handle, nonce_status(status));
        self.write(step)
    }

    pub fn proof_jwk(&self, handle: u32) -> Option<String> {
        self.engine.signature_of(handle).map(|(check, _)| check.key.to_jwk())
    }

    pub fn signature(&mut self, handle: u32, valid: bool) -> u32 {
        let engine = &mut self.engine;
        let step = self.memory.with(|memory| engine.signature(handle, verdict(valid), memory));
        self.write(step)
    }

    pub fn certificate(&mut self, handle: u32, reading: &str) -> u32 {
        let (engine, reading) = (&mut self.engine, certificates::parse_reading(reading));
        let step = self.memory.with(|memory| engine.certificate(handle, &reading, memory));
        self.write(step)
    }

    pub fn mark_of(&self, handle: u32) -> Option<String> {
        self.engine.mark_of(handle).map(describe_mark)
    }

    pub fn accepted_mark(&self) -> Option<String> {
        self.bound.as_ref()?.mark().map(describe_mark)
    }

    pub fn replay(&mut self, handle: u32, answer: u8) -> u32 {
        let step = self.engine.replay(handle, replay_answer(answer));
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

    /// `jkt` and `x5t#S256` of the binding, each empty if there is none, separated by a blank.
    pub fn binding(&self) -> String {
        let mut out = String::new();
        let Some(bound) = &self.bound else { return out };
        if let Some(jkt) = bound.jkt() {
            out.push_str(&jkt.to_base64url());
        }
        out.push(' ');
        if let Some(thumbprint) = bound.x5t_s256() {
            out.push_str(&thumbprint.to_base64url());
        }
        out
    }
}

impl TokenEndpoint {
    fn write(&mut self, step: TokenStep) -> u32 {
        let gone = self.engine.has_gone();
        self.slots.set(0, u32::from(gone));
        let (kind, value) = match step {
            TokenStep::Rejected(reason) => (REJECTED, tables::reason_number(reason)),
            TokenStep::NeedNonce(handle) => (NEED_NONCE, handle),
            TokenStep::NeedCertificate(handle) => (NEED_CERTIFICATE, handle),
            TokenStep::NeedReplay(handle) => (NEED_REPLAY, handle),
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
                self.slots.set(11, u32::from(binding.mark().is_some()));
                self.bound = Some(binding);
                (ACCEPTED, 0)
            }
        };
        self.slots.set(1, value);
        kind
    }
}

/// The OAuth error of a reason at a token endpoint, where it is another than at a resource server.
#[wasm_bindgen]
pub fn token_endpoint_error(reason: u32) -> Option<String> {
    match answer::token_endpoint_error(tables::reason(reason)?) {
        Answer::Error(error) => Some(String::from(error.name())),
        _ => None,
    }
}
