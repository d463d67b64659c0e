//! Replay marks in the memory of one process, forgotten a span of time at once.

use alloc::{vec, vec::Vec};

use super::{
    ReplayAnswer, ReplayMark, ReplayStore,
    mark_set::{MarkSet, Pages, Seed, keep},
};
use crate::thumbprint::Thumbprint;

/// Seconds of the first spans: marks are forgotten a span at a time.
const SPAN_SECONDS: i64 = 64;

/// So many spans of one length; where marks last so long that there were more, new ones are twice as
/// long.
const MAX_SPANS: usize = 16;

/// Any value serves where nobody hostile chooses marks, or where the process gives none.
const DEFAULT_SEED: [u8; 32] = *b"keybound: replay marks are apart";

/// Marks of one process (RFC 9449 §11.1). Bounded in all and for each client key; when full, it
/// refuses.
///
/// A claim costs the same however many marks there are, also the one that forgets a span of them.
/// A mark takes at most 32 octets. Memory that marks needed once serves later ones.
#[derive(Debug)]
pub struct MemoryReplay {
    /// A handful, in no order.
    spans: Vec<Span>,
    pages: Pages,
    span_seconds: i64,
    seed: Seed,
    max_entries: usize,
    max_per_key: u32,
    /// Counters in a row.
    counters: usize,
    entries: usize,
}

/// Marks that expire in one span of time.
#[derive(Debug)]
struct Span {
    seconds: i64,
    /// Seconds since the epoch, exclusive.
    ends: i64,
    marks: MarkSet,
    /// Counts of marks by key, in two rows: a key is over its bound when both of its counters are.
    counts: Vec<u32>,
}

impl MemoryReplay {
    /// A store of at most so many marks in all and for each client key.
    ///
    /// The bound for each key is counted in a table that keys share: with both bounds nearly
    /// reached, a key may be refused a few marks early, and never gets more than its bound.
    #[must_use]
    pub fn new(max_entries: usize, max_per_key: u32) -> Self {
        Self::seeded(max_entries, max_per_key, &DEFAULT_SEED)
    }

    /// As [`MemoryReplay::new`], with 32 random octets: nobody who does not know them can make marks
    /// that are dear to keep.
    #[must_use]
    pub fn seeded(max_entries: usize, max_per_key: u32, seed: &[u8; 32]) -> Self {
        // In a full store other keys then add an eighth of the bound to a counter.
        let keys = max_entries.checked_div(usize::try_from(max_per_key).unwrap_or(usize::MAX)).unwrap_or(0);
        Self {
            spans: Vec::new(),
            pages: Pages::default(),
            span_seconds: SPAN_SECONDS,
            seed: Seed::new(seed),
            max_entries,
            max_per_key,
            counters: keys.saturating_mul(8).clamp(64, 1 << 16).next_power_of_two(),
            entries: 0,
        }
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

    /// The memory that is held for marks, in octets.
    #[must_use]
    pub fn octets(&self) -> usize {
        let spans = self.spans.iter().map(|span| {
            let counts = span.counts.capacity().saturating_mul(size_of::<u32>());
            span.marks.octets().saturating_add(counts).saturating_add(size_of::<Span>())
        });
        spans.fold(self.pages.octets(), usize::saturating_add)
    }

    fn forget_expired(&mut self, now: i64) {
        while let Some(place) = self.spans.iter().position(|span| span.ends <= now) {
            let Some(mut span) = self.spans.pop() else { break };
            // The last one takes its place.
            if let Some(expired) = self.spans.get_mut(place) {
                core::mem::swap(expired, &mut span);
            }
            self.entries = self.entries.saturating_sub(span.marks.len());
            self.pages.give_back(span.marks);
        }
    }

    /// Where a key's marks are counted, in each row.
    fn counters_of(&self, jkt: Thumbprint) -> [usize; 2] {
        let [first, second, third, ..] = keep(jkt.as_bytes());
        let column = |kept| usize::try_from(self.seed.spread(kept)).unwrap_or_default() & self.counters.wrapping_sub(1);
        [column([first, second, third]), column([third, first, second]).saturating_add(self.counters)]
    }

    /// The span for marks that expire then.
    fn span_of(&mut self, expires_at: i64) -> usize {
        let seconds = self.span_seconds;
        // The next multiple of a power of two.
        let ends = (expires_at | seconds.wrapping_sub(1)).saturating_add(1);
        if let Some(place) = self.spans.iter().position(|span| (span.seconds, span.ends) == (seconds, ends)) {
            return place;
        }
        if self.spans.iter().filter(|span| span.seconds == seconds).count() >= MAX_SPANS {
            self.span_seconds = seconds.saturating_mul(2);
            return self.span_of(expires_at);
        }
        let counts = vec![0; self.counters.saturating_mul(2)];
        self.spans.push(Span { seconds, ends, marks: MarkSet::default(), counts });
        self.spans.len().saturating_sub(1)
    }
}

impl ReplayStore for MemoryReplay {
    fn claim(&mut self, mark: &ReplayMark, now: i64) -> ReplayAnswer {
        self.forget_expired(now);
        let kept = keep(mark.hash());
        let hash = self.seed.spread(kept);
        if self.spans.iter().any(|span| span.marks.contains(&self.pages, kept, hash)) {
            return ReplayAnswer::Replayed;
        }
        let counters = self.counters_of(mark.jkt());
        let count = |counter: &usize| {
            let counts = self.spans.iter().filter_map(|span| span.counts.get(*counter));
            counts.fold(0_u32, |sum, count| sum.saturating_add(*count))
        };
        let of_key = counters.iter().map(count).min().unwrap_or(0);
        if self.entries >= self.max_entries || of_key >= self.max_per_key {
            return ReplayAnswer::Full;
        }
        let place = self.span_of(mark.expires_at());
        let Some(span) = self.spans.get_mut(place) else { return ReplayAnswer::Full };
        if !span.marks.insert(&mut self.pages, &self.seed, kept, hash) {
            return ReplayAnswer::Full;
        }
        for counter in counters {
            if let Some(count) = span.counts.get_mut(counter) {
                *count = count.saturating_add(1);
            }
        }
        self.entries = self.entries.saturating_add(1);
        ReplayAnswer::Fresh
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

    /// The thumbprint of one of many clients.
    fn client(number: usize) -> Thumbprint {
        Thumbprint::from_bytes(crate::sha256::digest(&number.to_le_bytes()))
    }

    #[test]
    fn a_mark_is_claimed_once_until_it_expires() {
        let mut store = MemoryReplay::new(100, 100);
        assert_eq!(store.claim(&mark(A, 1, 1360), 1000), ReplayAnswer::Fresh);
        assert_eq!(store.claim(&mark(A, 1, 1360), 1000), ReplayAnswer::Replayed);
        // A newly signed proof with the same jti expires at another time.
        assert_eq!(store.claim(&mark(A, 1, 1700), 1100), ReplayAnswer::Replayed);
        assert_eq!(store.claim(&mark(A, 1, 1720), 1359), ReplayAnswer::Replayed);
        assert_eq!(store.claim(&mark(A, 1, 1860), 1360 + SPAN_SECONDS), ReplayAnswer::Fresh);
        assert_eq!(store.len(), 1);
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
        for number in 0..19 {
            assert_eq!(store.claim(&mark(client(number), 0, 1300), 1000), ReplayAnswer::Fresh);
        }
        assert_eq!(store.claim(&mark(B, 11, 1300), 1000), ReplayAnswer::Full);
        assert_eq!(store.claim(&mark(B, 11, 2300), 2000), ReplayAnswer::Fresh);
    }

    #[test]
    fn a_million_marks_stay_apart_and_take_at_most_32_octets_each() {
        const MILLION: usize = 1_000_000;
        let mut store = MemoryReplay::new(MILLION, 10_000);
        let clients: Vec<_> = (0..1000).map(client).collect();
        // As hashes are, for less.
        let quick = |number: usize, expires_at| {
            let mixed = u128::try_from(number + 1).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let mut hash = [0; 32];
            hash[..16].copy_from_slice(&(mixed ^ (mixed >> 64)).to_be_bytes());
            ReplayMark::from_hash(hash, clients[number % 1000], expires_at)
        };
        // Five minutes of traffic, as it comes: marks expire in the order in which they are made.
        let of = |number: usize| quick(number, 1360 + i64::try_from(number).unwrap() * 300 / 1_000_000);
        let mut worst = 0;
        for number in 0..MILLION {
            assert_eq!(store.claim(&of(number), 1000), ReplayAnswer::Fresh, "{number}");
            if number > 100_000 && number % 1000 == 0 {
                worst = worst.max(store.octets() / number);
            }
        }
        assert!((0..MILLION).step_by(29).all(|number| store.claim(&of(number), 1000) == ReplayAnswer::Replayed));
        assert_eq!(store.claim(&of(MILLION), 1000), ReplayAnswer::Full);
        assert!(store.octets() <= 32 * MILLION && worst <= 32, "{}, {worst}", store.octets());

        // The next ones use the same memory.
        let octets = store.octets();
        for number in 0..MILLION / 4 {
            assert_eq!(store.claim(&quick(MILLION + number, 2060), 1700), ReplayAnswer::Fresh);
        }
        assert_eq!(store.len(), MILLION / 4);
        assert!(store.octets() <= octets + octets / 20, "{} after {octets}", store.octets());
    }

    #[test]
    fn every_count_of_marks_in_one_span_takes_at_most_32_octets_each() {
        let mut store = MemoryReplay::new(1_000_000, 1_000_000);
        for number in 0..300_000 {
            store.claim(&mark(A, number, 1300), 1000);
            assert!(number < 20_000 || store.octets() <= 32 * number, "{} for {number}", store.octets());
        }
    }

    #[test]
    fn other_clients_leave_a_keys_bound_alone() {
        let mut store = MemoryReplay::new(100_000, 100);
        for number in 0..99_000 {
            store.claim(&mark(client(number), number, 1300), 1000);
        }
        assert_eq!(store.len(), 99_000);
        let fresh = (0..100).filter(|jti| store.claim(&mark(A, *jti, 1300), 1000) == ReplayAnswer::Fresh).count();
        assert!(fresh >= 75, "{fresh}");
    }

    #[test]
    fn marks_that_last_for_days_need_few_spans() {
        let mut store = MemoryReplay::new(1_000_000, 1_000_000);
        for number in 0..10_000 {
            let expires_at = 1000 + i64::try_from(number).unwrap() * 86_400 * 7 / 10_000;
            assert_eq!(store.claim(&mark(A, number, expires_at), 1000), ReplayAnswer::Fresh);
            assert_eq!(store.claim(&mark(A, number, expires_at), 1000), ReplayAnswer::Replayed);
        }
        assert!(store.spans.len() <= 15 * MAX_SPANS, "{}", store.spans.len());
        assert_eq!(store.claim(&mark(A, 9_999, 0), 86_400 * 6), ReplayAnswer::Replayed);
    }

    #[test]
    fn marks_that_were_made_to_meet_fill_the_store_and_are_refused() {
        // As if the seed were known: marks whose hashes have everything in common but the end.
        let seed = [0; 32];
        let mut store = MemoryReplay::seeded(1_000_000, 1_000_000, &seed);
        let made = |number: u32| {
            let mut hash = [0; 32];
            hash[8..12].copy_from_slice(&number.to_le_bytes());
            ReplayMark::from_hash(hash, A, 1300)
        };
        let answers: Vec<_> = (1..1000).map(|number| store.claim(&made(number), 1000)).collect();
        assert!(answers.contains(&ReplayAnswer::Fresh) && answers.contains(&ReplayAnswer::Full));
        assert_eq!(store.claim(&made(1), 1000), ReplayAnswer::Replayed);
        assert!(store.octets() < 1 << 27, "{}", store.octets());
    }
}
