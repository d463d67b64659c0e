//! Requests that wait for an answer from outside, by handle, bounded in number and in octets.

use alloc::vec::Vec;

use keybound_core::time::Timestamp;

/// How many requests may wait at once. A handle has sixteen bits for the place.
const MAX_PENDING: usize = 20_000;

/// How many octets of requests may wait at once: a small part of the memory that a worker has.
const MAX_OCTETS: usize = 16 * 1024 * 1024;

/// After how many seconds a request that nobody came back for is dropped. A platform may cancel a
/// request while it waits, and then nobody does.
const ABANDONED_SECONDS: i64 = 60;

/// What waits, and holds parts of a request meanwhile.
pub(crate) trait Held {
    /// About how many octets.
    fn octets(&self) -> usize;
}

#[derive(Debug)]
pub(crate) struct Pending<T> {
    places: Vec<Place<T>>,
    free: Vec<u16>,
    octets: usize,
}

#[derive(Debug)]
struct Place<T> {
    /// Counts the requests that had this place: an old handle opens no new request.
    turn: u16,
    entry: Option<(Timestamp, T)>,
}

impl<T: Held> Pending<T> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), octets: 0 }
    }

    /// Keeps a request and gives its handle; `None` if too many wait.
    pub(crate) fn insert(&mut self, entry: T, now: Timestamp) -> Option<u32> {
        let octets = self.octets.saturating_add(entry.octets());
        if octets > MAX_OCTETS || (self.free.is_empty() && self.places.len() >= MAX_PENDING) {
            self.drop_abandoned(now);
        }
        let octets = self.octets.saturating_add(entry.octets());
        if octets > MAX_OCTETS {
            return None;
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.places.len() >= MAX_PENDING => return None,
            None => {
                self.places.push(Place { turn: 0, entry: None });
                u16::try_from(self.places.len().saturating_sub(1)).ok()?
            }
        };
        let place = self.places.get_mut(usize::from(index))?;
        place.entry = Some((now, entry));
        self.octets = octets;
        Some((u32::from(place.turn) << 16) | u32::from(index))
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        let (index, turn) = split(handle);
        let place = self.places.get(usize::from(index)).filter(|place| place.turn == turn)?;
        place.entry.as_ref().map(|(_, entry)| entry)
    }

    pub(crate) fn take(&mut self, handle: u32) -> Option<T> {
        let (index, turn) = split(handle);
        let place = self.places.get_mut(usize::from(index)).filter(|place| place.turn == turn)?;
        let (_, entry) = place.entry.take()?;
        self.octets = self.octets.saturating_sub(entry.octets());
        place.turn = place.turn.wrapping_add(1);
        self.free.push(index);
        Some(entry)
    }

    fn drop_abandoned(&mut self, now: Timestamp) {
        let oldest = now.plus_seconds(-ABANDONED_SECONDS);
        for (index, place) in (0_u16..).zip(&mut self.places) {
            if let Some((_, entry)) = place.entry.take_if(|(since, _)| *since <= oldest) {
                self.octets = self.octets.saturating_sub(entry.octets());
                place.turn = place.turn.wrapping_add(1);
                self.free.push(index);
            }
        }
    }
}

const fn split(handle: u32) -> (u16, u16) {
    let [high, higher, low, lower] = handle.to_be_bytes();
    (u16::from_be_bytes([low, lower]), u16::from_be_bytes([high, higher]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something that holds so many octets.
    impl Held for usize {
        fn octets(&self) -> usize {
            *self
        }
    }

    #[test]
    fn large_requests_are_bounded_in_all() {
        let mut pending = Pending::new();
        let now = Timestamp::from_seconds(1000);
        let half = MAX_OCTETS / 2;
        let first = pending.insert(half, now).unwrap();
        assert!(pending.insert(half, now).is_some());
        assert!(pending.insert(1, now).is_none());
        assert!(pending.insert(0, now).is_some());
        assert_eq!(pending.take(first), Some(half));
        assert!(pending.insert(half, now).is_some());
        assert!(pending.insert(MAX_OCTETS, now.plus_seconds(ABANDONED_SECONDS)).is_some());
        assert!(pending.insert(MAX_OCTETS + 1, now.plus_seconds(2 * ABANDONED_SECONDS)).is_none());
    }

    #[test]
    fn abandoned_requests_make_room() {
        let mut pending = Pending::new();
        let now = Timestamp::from_seconds(1000);
        for _ in 0..MAX_PENDING {
            assert!(pending.insert(1, now).is_some());
        }
        assert!(pending.insert(1, now).is_none());
        assert!(pending.insert(1, now.plus_seconds(ABANDONED_SECONDS)).is_some());
        assert!(pending.get(0).is_none());
    }

    #[test]
    fn a_handle_opens_its_own_request_only() {
        let mut pending = Pending::new();
        let now = Timestamp::from_seconds(1000);
        let first = pending.insert(11, now).unwrap();
        assert_eq!(pending.take(first), Some(11));
        let second = pending.insert(12, now).unwrap();
        assert_ne!(first, second);
        assert_eq!(pending.get(first), None);
        assert_eq!(pending.take(first), None);
        assert_eq!(pending.take(u32::MAX), None);
        assert_eq!(pending.get(second), Some(&12));
    }
}
