//! Imported keys, bounded: JavaScript does not reliably say when it is done with one.

use alloc::vec::Vec;

use crate::PreparedKey;

/// The handle of no key.
pub(super) const NONE: u64 = 0;

/// About a megabyte, when full.
const CAPACITY: u64 = 4096;

/// The keys that were imported last. The oldest give way; whoever needs one of those imports it again.
pub(super) struct ImportedKeys {
    /// The key of handle `h` stands at `h` modulo the capacity, beside its handle.
    places: Vec<(u64, PreparedKey)>,
    last: u64,
}

impl ImportedKeys {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), last: NONE }
    }

    /// A handle that no key had before.
    pub(super) fn remember(&mut self, key: PreparedKey) -> u64 {
        // 64 bits are not used up.
        let handle = self.last.saturating_add(1);
        self.last = handle;
        match place(handle).and_then(|place| self.places.get_mut(place)) {
            Some(entry) => *entry = (handle, key),
            // Handles follow each other, so that the next place is always the end.
            None => self.places.push((handle, key)),
        }
        handle
    }

    /// The key of this handle, unless it gave way.
    pub(super) fn get(&self, handle: u64) -> Option<&PreparedKey> {
        let (found, key) = self.places.get(place(handle)?)?;
        (*found == handle).then_some(key)
    }
}

fn place(handle: u64) -> Option<usize> {
    usize::try_from(handle.checked_sub(1)?.checked_rem(CAPACITY)?).ok()
}

#[cfg(test)]
mod tests {
    use keybound_core::{algorithm::KeyType, key::PublicKey};

    use super::*;

    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"}"#;
    const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn key(jwk: &str) -> Option<PreparedKey> {
        PreparedKey::import(&PublicKey::from_jwk(jwk).ok()?).ok()
    }

    #[test]
    fn a_handle_is_never_the_handle_of_another_key() {
        let (Some(first), Some(other)) = (key(ED25519), key(P256)) else { unreachable!("both are keys") };
        let mut keys = ImportedKeys::new();
        let handle = keys.remember(first);
        for _ in 1..CAPACITY {
            keys.remember(other.clone());
        }
        assert_eq!(keys.get(handle).map(PreparedKey::key_type), Some(KeyType::Ed25519), "all fit");
        let last = keys.remember(other);
        assert!(keys.get(handle).is_none(), "its place is taken");
        assert_eq!(keys.get(last).map(PreparedKey::key_type), Some(KeyType::P256));
        assert_eq!(keys.places.len() as u64, CAPACITY, "no more are kept");
    }

    #[test]
    fn what_is_no_handle_has_no_key() {
        let mut keys = ImportedKeys::new();
        assert!(key(P256).is_some_and(|key| keys.remember(key) == 1));
        for handle in [NONE, 2, CAPACITY.saturating_add(1), u64::MAX] {
            assert!(keys.get(handle).is_none(), "{handle}");
        }
    }
}
