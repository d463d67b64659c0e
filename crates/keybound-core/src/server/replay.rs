//! Replay marks (RFC 9449 §11.1): what is remembered of a proof, for how long, and a store in memory.

use alloc::{string::String, vec::Vec};

use crate::{base64url, server::reason::Reason, sha256, thumbprint::Thumbprint};

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

/// Seconds of one bucket: marks are forgotten a bucket at a time.
const BUCKET_SECONDS: i64 = 64;

/// Counters of a bucket's marks by key, two rows of them: a key is over its bound when both of its
/// counters are. Two keys share both once in sixteen million times.
const COUNTERS: usize = 4096;

/// Marks of one process. Bounded in all and for each client key.
#[derive(Debug)]
pub struct MemoryReplay {
    /// A handful, in no order.
    buckets: Vec<Bucket>,
    max_entries: usize,
    max_per_key: u32,
    entries: usize,
}

#[derive(Debug)]
struct Bucket {
    /// Which span of time its marks expire in.
    index: i64,
    marks: MarkSet,
    counts: Vec<u32>,
}

impl MemoryReplay {
    /// A store of at most so many marks in all and for each client key.
    #[must_use]
    pub const fn new(max_entries: usize, max_per_key: u32) -> Self {
        Self { buckets: Vec::new(), max_entries, max_per_key, entries: 0 }
    }

    /// How many marks there are, including some that are due to be forgotten.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    fn forget_expired(&mut self, now: i64) {
        let current = now.div_euclid(BUCKET_SECONDS);
        // A bucket holds marks that expire up to its end.
        self.buckets.retain(|bucket| bucket.index >= current);
        self.entries = self.buckets.iter().map(|bucket| bucket.marks.len).sum();
    }
}

impl ReplayStore for MemoryReplay {
    fn claim(&mut self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        self.forget_expired(now);
        let fingerprint = fingerprint(mark);
        if self.buckets.iter().any(|bucket| bucket.marks.contains(fingerprint)) {
            return ReplayAnswer::Replayed;
        }
        let counters = counters(mark.jkt);
        let of_key = counters.map(|counter| {
            self.buckets
                .iter()
                .filter_map(|bucket| bucket.counts.get(counter))
                .fold(0_u32, |sum, count| sum.saturating_add(*count))
        });
        let of_key = of_key.into_iter().min().unwrap_or(0);
        if self.entries >= self.max_entries || of_key >= self.max_per_key {
            return ReplayAnswer::Full;
        }
        let index = mark.expires_at.div_euclid(BUCKET_SECONDS);
        let place = match self.buckets.iter().position(|bucket| bucket.index == index) {
            Some(place) => place,
            None => {
                self.buckets.push(Bucket {
                    index,
                    marks: MarkSet::default(),
                    counts: alloc::vec![0; COUNTERS.saturating_mul(2)],
                });
                self.buckets.len().saturating_sub(1)
            }
        };
        let Some(bucket) = self.buckets.get_mut(place) else { return ReplayAnswer::Unavailable };
        bucket.marks.insert(fingerprint);
        for counter in counters {
            if let Some(count) = bucket.counts.get_mut(counter) {
                *count = count.saturating_add(1);
            }
        }
        self.entries = self.entries.saturating_add(1);
        ReplayAnswer::Fresh
    }
}

/// Half of the hash is enough to tell marks apart; zero stands for an empty place.
fn fingerprint(mark: &ReplayMark) -> u128 {
    let (half, _) = mark.hash.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    u128::from_le_bytes(*half).max(1)
}

fn counters(jkt: Thumbprint) -> [usize; 2] {
    let [a, b, c, d, ..] = *jkt.as_bytes();
    let row = |low: u8, high: u8| usize::from(u16::from_le_bytes([low, high])) & COUNTERS.saturating_sub(1);
    [row(a, b), row(c, d).saturating_add(COUNTERS)]
}

/// A set of marks: open addressing, sixteen octets a place, filled to seven eighths, grown by a third.
#[derive(Debug, Default)]
struct MarkSet {
    places: Vec<u128>,
    len: usize,
}

impl MarkSet {
    fn contains(&self, mark: u128) -> bool {
        self.probe(mark).is_some_and(|place| self.places.get(place) == Some(&mark))
    }

    fn insert(&mut self, mark: u128) {
        if self.len.saturating_mul(8) >= self.places.len().saturating_mul(7) {
            self.grow();
        }
        if let Some(place) = self.probe(mark).and_then(|place| self.places.get_mut(place)) {
            *place = mark;
            self.len = self.len.saturating_add(1);
        }
    }

    fn grow(&mut self) {
        let size = self.places.len();
        let larger = size.saturating_add(size.checked_div(3).unwrap_or(0)).max(16);
        let old = core::mem::replace(&mut self.places, alloc::vec![0; larger]);
        for mark in old.into_iter().filter(|mark| *mark != 0) {
            if let Some(place) = self.probe(mark).and_then(|place| self.places.get_mut(place)) {
                *place = mark;
            }
        }
    }

    /// The place of a mark, or the empty one where it would go.
    fn probe(&self, mark: u128) -> Option<usize> {
        let size = self.places.len();
        // The product of two 64-bit numbers fits; its upper half is below `size`.
        #[allow(clippy::cast_possible_truncation, reason = "the low and the high half are meant")]
        let start = ((u128::from(mark as u64).wrapping_mul(size as u128)) >> 64) as usize;
        let (before, after) = self.places.split_at_checked(start)?;
        let free_or_same = |(_, place): &(usize, &u128)| **place == 0 || **place == mark;
        after
            .iter()
            .enumerate()
            .find(free_or_same)
            .map(|(offset, _)| start.saturating_add(offset))
            .or_else(|| before.iter().enumerate().find(free_or_same).map(|(offset, _)| offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Thumbprint = Thumbprint::from_bytes([1; 32]);
    const B: Thumbprint = Thumbprint::from_bytes([2; 32]);

    fn mark(jkt: Thumbprint, jti: usize, expires_at: i64) -> ReplayMark {
        ReplayMark::new(jkt, &alloc::format!("jti-{jti}"), "https://rs.example", expires_at)
    }

    #[test]
    fn a_mark_is_claimed_once_until_it_expires() {
        let mut store = MemoryReplay::new(100, 100);
        assert_eq!(store.claim(&mark(A, 1, 1360), 1000), ReplayAnswer::Fresh);
        assert_eq!(store.claim(&mark(A, 1, 1360), 1000), ReplayAnswer::Replayed);
        // A newly signed proof with the same jti expires at another time.
        assert_eq!(store.claim(&mark(A, 1, 1700), 1100), ReplayAnswer::Replayed);
        assert_eq!(store.claim(&mark(A, 1, 1720), 1360), ReplayAnswer::Replayed);
        assert_eq!(store.claim(&mark(A, 1, 1860), 1360 + 2 * BUCKET_SECONDS), ReplayAnswer::Fresh);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn keys_origins_and_identifiers_have_marks_of_their_own() {
        let of = |jkt, jti, origin| ReplayMark::new(jkt, jti, origin, 0);
        let first = of(A, "b", "https://a");
        for other in
            [of(B, "b", "https://a"), of(A, "c", "https://a"), of(A, "b", "https://b"), of(A, "", "https://ab")]
        {
            assert_ne!(first.hash(), other.hash());
        }
        assert_eq!(first.key().len(), 43);
    }

    #[test]
    fn a_full_store_refuses_and_one_key_cannot_fill_it() {
        let mut store = MemoryReplay::new(30, 10);
        for jti in 0..10 {
            assert_eq!(store.claim(&mark(A, jti, 1300), 1000), ReplayAnswer::Fresh);
        }
        assert_eq!(store.claim(&mark(A, 10, 1300), 1000), ReplayAnswer::Full);
        assert_eq!(store.claim(&mark(A, 0, 1300), 1000), ReplayAnswer::Replayed);
        assert_eq!(store.claim(&mark(B, 10, 1300), 1000), ReplayAnswer::Fresh);
        for index in 0..19_u8 {
            let jkt = Thumbprint::from_bytes([index.wrapping_add(100); 32]);
            assert_eq!(store.claim(&mark(jkt, 0, 1300), 1000), ReplayAnswer::Fresh);
        }
        assert_eq!(store.claim(&mark(B, 11, 1300), 1000), ReplayAnswer::Full);
        assert_eq!(store.claim(&mark(B, 11, 2300), 2000), ReplayAnswer::Fresh);
    }

    #[test]
    fn many_marks_stay_apart_and_small() {
        let mut store = MemoryReplay::new(1_000_000, 1_000_000);
        for jti in 0..100_000 {
            assert_eq!(store.claim(&mark(A, jti, 1300), 1000), ReplayAnswer::Fresh);
        }
        assert!((0..100_000).all(|jti| store.claim(&mark(A, jti, 1300), 1000) == ReplayAnswer::Replayed));
        let octets: usize = store.buckets.iter().map(|bucket| bucket.marks.places.capacity() * 16).sum();
        assert!(octets <= 32 * 100_000, "{octets}");
    }
}
