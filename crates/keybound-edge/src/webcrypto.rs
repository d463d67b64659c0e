//! Signatures through SubtleCrypto, with a bounded memory of imported keys.

use alloc::vec::Vec;
use core::cell::RefCell;

use keybound_core::{
    algorithm::Algorithm,
    sha256,
    signature::{AsyncSignatureVerifier, SignatureCheck, SignatureError},
    thumbprint::Thumbprint,
};
use keybound_webcrypto::ImportedKey;

use crate::lru::Lru;

/// Checks signatures with SubtleCrypto, and imports a key once: a warm check costs one call.
///
/// Of clients' keys and issuers' keys it remembers those that verified a signature. They are no I/O
/// objects: keep it with the server, from one request to the next.
#[derive(Debug)]
pub struct CachedWebCrypto(RefCell<Keys>);

#[derive(Debug)]
struct Keys {
    index: Lru,
    keys: Vec<Option<ImportedKey>>,
}

impl CachedWebCrypto {
    /// Remembers so many keys at most.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(RefCell::new(Keys { index: Lru::new(capacity), keys: Vec::new() }))
    }

    fn remembered(&self, name: &[u8; 32]) -> Option<ImportedKey> {
        let keys = &mut *self.0.try_borrow_mut().ok()?;
        keys.keys.get(keys.index.get(name)?)?.clone()
    }

    fn remember(&self, name: [u8; 32], key: ImportedKey) {
        let Ok(mut keys) = self.0.try_borrow_mut() else { return };
        let keys = &mut *keys;
        let place = match keys.index.get(&name) {
            Some(place) => Some(place),
            None => keys.index.insert(name).map(|inserted| inserted.place),
        };
        let Some(place) = place else { return };
        match keys.keys.get_mut(place) {
            Some(there) => *there = Some(key),
            None => keys.keys.push(Some(key)),
        }
    }
}

impl AsyncSignatureVerifier for CachedWebCrypto {
    async fn verify(&self, check: SignatureCheck<'_>) -> Result<(), SignatureError> {
        let name = name_of(check.key.thumbprint(), check.algorithm);
        if let Some(key) = self.remembered(&name) {
            return key.verify(check.message, check.signature).await.map_err(|_| SignatureError);
        }
        let key = ImportedKey::import(check.key, check.algorithm).await.map_err(|_| SignatureError)?;
        key.verify(check.message, check.signature).await.map_err(|_| SignatureError)?;
        self.remember(name, key);
        Ok(())
    }
}

/// A key is imported for one algorithm.
fn name_of(key: Thumbprint, algorithm: Algorithm) -> [u8; 32] {
    sha256::digest_parts(&[key.as_bytes(), algorithm.name().as_bytes()])
}
