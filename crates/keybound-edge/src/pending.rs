//! Requests that wait for an answer from outside, by handle, bounded in number.

use alloc::collections::BTreeMap;

use keybound_core::time::Timestamp;

/// How many requests may wait at once.
const MAX_PENDING: usize = 20_000;

/// After how many seconds a request that nobody came back for is dropped. A platform may cancel a
/// request while it waits, and then nobody does.
const ABANDONED_SECONDS: i64 = 60;

#[derive(Debug)]
pub(crate) struct Pending<T> {
    entries: BTreeMap<u32, (Timestamp, T)>,
    next: u32,
}

impl<T> Pending<T> {
    pub(crate) const fn new() -> Self {
        Self { entries: BTreeMap::new(), next: 0 }
    }

    /// Keeps a request and gives its handle; `None` if too many wait.
    pub(crate) fn insert(&mut self, entry: T, now: Timestamp) -> Option<u32> {
        if self.entries.len() >= MAX_PENDING {
            let oldest = now.plus_seconds(-ABANDONED_SECONDS);
            self.entries.retain(|_, (since, _)| *since > oldest);
            if self.entries.len() >= MAX_PENDING {
                return None;
            }
        }
        let handle = self.next;
        self.next = self.next.wrapping_add(1);
        self.entries.insert(handle, (now, entry));
        Some(handle)
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        self.entries.get(&handle).map(|(_, entry)| entry)
    }

    pub(crate) fn take(&mut self, handle: u32) -> Option<T> {
        self.entries.remove(&handle).map(|(_, entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abandoned_requests_make_room() {
        let mut pending = Pending::new();
        let now = Timestamp::from_seconds(1000);
        for _ in 0..MAX_PENDING {
            assert!(pending.insert((), now).is_some());
        }
        assert!(pending.insert((), now).is_none());
        assert!(pending.insert((), now.plus_seconds(ABANDONED_SECONDS)).is_some());
        assert!(pending.get(0).is_none());
    }
}
