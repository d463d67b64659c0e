//! Replay marks (RFC 9449 §11.1): what is remembered of a proof, for how long, and a store in memory.

mod mark_set;
mod memory;

use alloc::string::String;

use crate::{base64url, server::reason::Reason, sha256, thumbprint::Thumbprint};

pub use self::memory::MemoryReplay;

/// The mark of one proof. Two proofs with one `jti` of one key for one origin have one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayMark {
    hash: [u8; 32],
    jkt: Thumbprint,
    expires_at: i64,
}

impl ReplayMark {
    /// The mark of a proof. `expires_at` is in seconds since the epoch.
    #[must_use]
    pub fn new(jkt: Thumbprint, jti: &str, origin: &str, expires_at: i64) -> Self {
        // The thumbprint has a fixed length and the origin holds no NUL: one text for each triple.
        let hash = sha256::digest_parts(&[jkt.as_bytes(), origin.as_bytes(), &[0], jti.as_bytes()]);
        Self { hash, jkt, expires_at }
    }

    /// A mark whose hash is known: one that was handed out and comes back.
    #[must_use]
    pub const fn from_hash(hash: [u8; 32], jkt: Thumbprint, expires_at: i64) -> Self {
        Self { hash, jkt, expires_at }
    }

    /// What to insert: 43 characters of base64url.
    #[must_use]
    pub fn key(&self) -> String {
        base64url::encode(&self.hash)
    }

    /// The same as octets.
    #[must_use]
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The client's key, to shard by.
    #[must_use]
    pub const fn jkt(&self) -> Thumbprint {
        self.jkt
    }

    /// Until when to remember it, in seconds since the epoch.
    #[must_use]
    pub const fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

/// What a replay store said of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayAnswer {
    /// Not seen before, and now marked.
    Fresh,
    /// Seen before.
    Replayed,
    /// The store keeps no more marks, in all or of this key.
    Full,
    /// The store gave no answer.
    Unavailable,
    /// Nobody was asked: the caller claims the mark by itself before it acts on the request.
    External,
}

impl ReplayAnswer {
    /// Whether the proof may be used.
    pub(crate) const fn check(self) -> Result<(), Reason> {
        match self {
            Self::Fresh | Self::External => Ok(()),
            Self::Replayed => Err(Reason::ProofReplayed),
            Self::Full => Err(Reason::ReplayStoreFull),
            Self::Unavailable => Err(Reason::ReplayStoreUnavailable),
        }
    }
}

/// A place that remembers marks.
pub trait ReplayStore {
    /// Inserts a mark unless it is there, as one step. `now` is in seconds since the epoch.
    fn claim(&mut self, mark: &ReplayMark, now: i64) -> ReplayAnswer;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_origins_and_identifiers_have_marks_of_their_own() {
        let (a, b) = (Thumbprint::from_bytes([1; 32]), Thumbprint::from_bytes([2; 32]));
        let of = |jkt, jti, origin| ReplayMark::new(jkt, jti, origin, 0);
        let first = of(a, "b", "https://a");
        for other in
            [of(b, "b", "https://a"), of(a, "c", "https://a"), of(a, "b", "https://b"), of(a, "", "https://ab")]
        {
            assert_ne!(first.hash(), other.hash());
        }
        assert_eq!(first.key().len(), 43);
    }
}
