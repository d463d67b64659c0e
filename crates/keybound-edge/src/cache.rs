//! What a server remembers between requests, each bounded: verified tokens and clients' keys.
//!
//! What is remembered is that a signature was checked, never a decision: expiry, policy, binding,
//! proof and replay are checked for every request.

use alloc::{sync::Arc, vec::Vec};
use core::num::NonZeroUsize;

use keybound_core::{server::token::VerifiedToken, thumbprint::Thumbprint, time::Timestamp};
use lru::LruCache;

/// How long a verified token is remembered at most, in seconds.
const TOKEN_SECONDS: i64 = 300;

/// A number under which the driver keeps what goes with an entry. Never used twice; 0 is none.
pub type Id = u32;

/// Verified tokens by the SHA-256 of their text.
#[derive(Debug)]
pub struct TokenCache {
    entries: Option<LruCache<[u8; 32], RememberedToken>>,
    next: Id,
}

#[derive(Debug)]
struct RememberedToken {
    id: Id,
    token: Arc<VerifiedToken>,
    until: Timestamp,
}

impl TokenCache {
    /// A cache of so many tokens; 0 remembers none.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { entries: NonZeroUsize::new(capacity).map(LruCache::new), next: 1 }
    }

    /// The token, if it is still remembered.
    pub fn get(&mut self, hash: &[u8; 32], now: Timestamp) -> Option<(Id, Arc<VerifiedToken>)> {
        let entry = self.entries.as_mut()?.get(hash)?;
        (entry.until > now).then(|| (entry.id, Arc::clone(&entry.token)))
    }

    /// Remembers a token until it expires, until `until`, or for five minutes, whichever comes first.
    /// Gives its id, and that of the entry that had to go.
    pub fn put(
        &mut self,
        hash: [u8; 32],
        token: &Arc<VerifiedToken>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> (Id, Id) {
        let Some(entries) = self.entries.as_mut() else { return (0, 0) };
        let id = next_id(&mut self.next);
        let latest = now.plus_seconds(TOKEN_SECONDS);
        let until = [token.expires(), until].into_iter().flatten().fold(latest, Timestamp::min);
        let entry = RememberedToken { id, token: Arc::clone(token), until };
        let gone = entries.push(hash, entry).map_or(0, |(_, entry)| entry.id);
        (id, gone)
    }

    /// Forgets every token that was signed with a key that is not among these.
    pub fn keep_signed_by(&mut self, keys: &[Thumbprint]) -> Vec<Id> {
        let Some(entries) = self.entries.as_mut() else { return Vec::new() };
        let gone: Vec<[u8; 32]> = entries
            .iter()
            .filter(|(_, entry)| entry.token.key().is_some_and(|key| !keys.contains(&key)))
            .map(|(hash, _)| *hash)
            .collect();
        gone.iter().filter_map(|hash| entries.pop(hash)).map(|entry| entry.id).collect()
    }
}

/// Clients' keys that verified a proof, by thumbprint. The driver keeps the imported key.
#[derive(Debug)]
pub struct KeyCache {
    entries: Option<LruCache<Thumbprint, Id>>,
    next: Id,
}

impl KeyCache {
    /// A cache of so many keys; 0 remembers none.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { entries: NonZeroUsize::new(capacity).map(LruCache::new), next: 1 }
    }

    /// The id of a key, 0 if it is not remembered.
    pub fn get(&mut self, key: Thumbprint) -> Id {
        self.entries.as_mut().and_then(|entries| entries.get(&key)).copied().unwrap_or(0)
    }

    /// Remembers a key. Gives its id, and that of the entry that had to go.
    pub fn put(&mut self, key: Thumbprint) -> (Id, Id) {
        let Some(entries) = self.entries.as_mut() else { return (0, 0) };
        if let Some(id) = entries.get(&key) {
            return (*id, 0);
        }
        let id = next_id(&mut self.next);
        let gone = entries.push(key, id).map_or(0, |(_, id)| id);
        (id, gone)
    }
}

fn next_id(next: &mut Id) -> Id {
    let id = *next;
    *next = next.checked_add(1).unwrap_or(1);
    id
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn token(exp: i64) -> Arc<VerifiedToken> {
        let claims = alloc::format!("{{\"exp\":{exp}}}");
        Arc::new(VerifiedToken::from_source(true, &claims, &[], &[String::new()]).unwrap())
    }

    #[test]
    fn tokens_are_forgotten_at_the_earliest_of_expiry_source_and_five_minutes() {
        let mut cache = TokenCache::new(10);
        let now = Timestamp::from_seconds(1000);
        cache.put([1; 32], &token(1010), None, now);
        cache.put([2; 32], &token(9000), None, now);
        cache.put([3; 32], &token(9000), Some(now.plus_seconds(5)), now);
        for (hash, seconds) in [([1; 32], 10), ([2; 32], 300), ([3; 32], 5)] {
            assert!(cache.get(&hash, now.plus_seconds(seconds - 1)).is_some());
            assert!(cache.get(&hash, now.plus_seconds(seconds)).is_none());
        }
    }

    #[test]
    fn caches_hold_to_their_bounds_and_say_who_had_to_go() {
        let mut keys = KeyCache::new(2);
        let key = |octet| Thumbprint::from_bytes([octet; 32]);
        assert_eq!(keys.put(key(1)), (1, 0));
        assert_eq!(keys.put(key(2)), (2, 0));
        assert_eq!(keys.put(key(1)), (1, 0));
        assert_eq!(keys.put(key(3)), (3, 2));
        assert_eq!((keys.get(key(1)), keys.get(key(2))), (1, 0));
        let mut none = KeyCache::new(0);
        assert_eq!(none.put(key(1)), (0, 0));
    }
}
