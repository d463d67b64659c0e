//! The exports of the npm package's second wasm module. Private to it: `pkg-templates/edge` is the API.

mod keys;
mod runtime;

use keybound_core::{
    algorithm::{Algorithm, KeyType},
    key::{KeyParts, PublicKey},
};
use wasm_bindgen::prelude::*;

use self::keys::{ImportedKeys, NONE};
use crate::PreparedKey;

/// What became of a signature. `pkg-templates/edge/src/wasm-signatures.ts` has the same numbers.
const INVALID: u32 = 0;
const VALID: u32 = 1;
const KEY_FORGOTTEN: u32 = 2;

/// Checks signatures with keys that were imported before.
#[wasm_bindgen]
pub struct Signatures(ImportedKeys);

#[wasm_bindgen]
impl Signatures {
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default, reason = "for JavaScript")]
    pub fn new() -> Self {
        Self(ImportedKeys::new())
    }

    /// A handle for the point of P-256 with these coordinates; 0 if there is none.
    pub fn import_p256(&mut self, x: &[u8], y: &[u8]) -> u64 {
        self.import(KeyParts::Ec { key_type: KeyType::P256, x, y })
    }

    /// A handle for the encoded point of Ed25519; 0 if it is none, or none that may be a key.
    pub fn import_ed25519(&mut self, x: &[u8]) -> u64 {
        x.try_into().map_or(NONE, |x| self.import(KeyParts::Ed25519 { x }))
    }

    /// `algorithm`: its place in [`Algorithm::ALL`], as the first module numbers them.
    pub fn verify(&self, key: u64, algorithm: usize, message: &[u8], signature: &[u8]) -> u32 {
        let Some(key) = self.0.get(key) else { return KEY_FORGOTTEN };
        let algorithm = Algorithm::ALL.get(algorithm);
        let verified = algorithm.is_some_and(|algorithm| key.verify(*algorithm, message, signature).is_ok());
        if verified { VALID } else { INVALID }
    }
}

impl Signatures {
    fn import(&mut self, parts: KeyParts<'_>) -> u64 {
        let key = PublicKey::from_parts(parts).ok().and_then(|key| PreparedKey::import(&key).ok());
        key.map_or(NONE, |key| self.0.remember(key))
    }
}
