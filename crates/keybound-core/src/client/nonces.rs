//! The newest nonce of each server (RFC 9449 §8.2), a bounded number of them.

use alloc::{string::String, vec::Vec};

use super::Role;
use crate::nonce_syntax::is_nonce;

/// Nonces by role and origin: an authorization server's never reaches a resource server, not even
/// at the same origin (RFC 9449 §9). Past its capacity the one that was unused for longest goes.
#[derive(Clone, Debug)]
pub struct NonceCache {
    /// Most recently used last.
    entries: Vec<Entry>,
    capacity: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    role: Role,
    origin: String,
    nonce: String,
}

impl NonceCache {
    /// A cache for this many servers (at least one).
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { entries: Vec::new(), capacity }
    }

    /// The newest nonce of a server.
    pub fn get(&mut self, role: Role, origin: &str) -> Option<&str> {
        let entry = self.take(role, origin)?;
        self.entries.push(entry);
        self.entries.last().map(|entry| entry.nonce.as_str())
    }

    /// Keeps a server's newest nonce; what cannot be one is ignored (RFC 9449 §8.1).
    pub fn set(&mut self, role: Role, origin: &str, nonce: &str) {
        if !is_nonce(nonce) {
            return;
        }
        self.take(role, origin);
        if self.entries.len() >= self.capacity.max(1) {
            self.entries.remove(0);
        }
        self.entries.push(Entry { role, origin: origin.into(), nonce: nonce.into() });
    }

    fn take(&mut self, role: Role, origin: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.role == role && entry.origin == origin)?;
        Some(self.entries.remove(at))
    }
}

impl Default for NonceCache {
    /// A cache for 64 servers, more than a page speaks to.
    fn default() -> Self {
        Self::new(64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_origins_are_kept_apart() {
        let mut cache = NonceCache::default();
        cache.set(Role::AuthorizationServer, "https://a.example", "as");
        cache.set(Role::ResourceServer, "https://a.example", "rs");
        cache.set(Role::ResourceServer, "https://a.example:8443", "other");
        assert_eq!(cache.get(Role::AuthorizationServer, "https://a.example"), Some("as"));
        assert_eq!(cache.get(Role::ResourceServer, "https://a.example"), Some("rs"));
        assert_eq!(cache.get(Role::AuthorizationServer, "https://a.example:8443"), None);
    }

    #[test]
    fn the_newest_replaces_the_older_and_garbage_replaces_nothing() {
        let mut cache = NonceCache::default();
        for nonce in ["one", "two", "a, b", "", "qu\"ote"] {
            cache.set(Role::ResourceServer, "https://a.example", nonce);
        }
        assert_eq!(cache.get(Role::ResourceServer, "https://a.example"), Some("two"));
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let mut cache = NonceCache::new(2);
        cache.set(Role::ResourceServer, "https://a.example", "a");
        cache.set(Role::ResourceServer, "https://b.example", "b");
        assert!(cache.get(Role::ResourceServer, "https://a.example").is_some());
        cache.set(Role::ResourceServer, "https://c.example", "c");
        assert_eq!(cache.get(Role::ResourceServer, "https://b.example"), None);
        assert_eq!(cache.get(Role::ResourceServer, "https://a.example"), Some("a"));
        assert_eq!(cache.get(Role::ResourceServer, "https://c.example"), Some("c"));
    }
}
