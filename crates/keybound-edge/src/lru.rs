//! Which of a bounded number of keys were used last: an index of places, to keep values beside.
//!
//! Keys are hashes, so they need no hashing; one piece of code serves every cache. A general map and
//! its hasher would add 9 kB to the module.

use alloc::{boxed::Box, vec, vec::Vec};

/// No place.
const NONE: u32 = u32::MAX;

/// Keys by place, in the order of their last use.
#[derive(Debug)]
pub(crate) struct Lru {
    capacity: usize,
    /// The first place of each bucket's chain.
    buckets: Box<[u32]>,
    places: Vec<Place>,
    free: Vec<u32>,
    newest: u32,
    oldest: u32,
}

#[derive(Debug)]
struct Place {
    key: [u8; 32],
    in_bucket: u32,
    newer: u32,
    older: u32,
}

/// Where a new key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inserted {
    pub(crate) place: usize,
    /// The place had another key, which had to go.
    pub(crate) replaced: bool,
}

impl Lru {
    /// Room for so many keys. Memory is taken as it is needed, but for four octets a key.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.min(0x00ff_ffff);
        Self {
            capacity,
            buckets: vec![NONE; capacity.next_power_of_two()].into_boxed_slice(),
            places: Vec::new(),
            free: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// The place of a key, which counts as used now.
    pub(crate) fn get(&mut self, key: &[u8; 32]) -> Option<usize> {
        let place = self.find(key)?;
        self.unlink(place);
        self.link_newest(place);
        usize::try_from(place).ok()
    }

    /// A place for a key that has none yet. `None` if there is room for no key at all.
    pub(crate) fn insert(&mut self, key: [u8; 32]) -> Option<Inserted> {
        if self.capacity == 0 {
            return None;
        }
        let mut replaced = false;
        if self.free.is_empty() && self.places.len() >= self.capacity {
            let oldest = self.oldest;
            self.remove_place(oldest);
            replaced = true;
        }
        let entry = Place { key, in_bucket: NONE, newer: NONE, older: NONE };
        let place = match self.free.pop() {
            Some(place) => {
                *self.at_mut(place)? = entry;
                place
            }
            None => {
                self.places.push(entry);
                u32::try_from(self.places.len().saturating_sub(1)).ok()?
            }
        };
        let bucket = self.bucket_of(&key);
        let head = self.buckets.get(bucket).copied().unwrap_or(NONE);
        self.at_mut(place)?.in_bucket = head;
        *self.buckets.get_mut(bucket)? = place;
        self.link_newest(place);
        Some(Inserted { place: usize::try_from(place).ok()?, replaced })
    }

    /// Takes a key out.
    pub(crate) fn remove(&mut self, place: usize) {
        if let Ok(place) = u32::try_from(place) {
            self.remove_place(place);
        }
    }

    fn remove_place(&mut self, place: u32) {
        let Some(&Place { key, in_bucket, .. }) = self.at(place) else { return };
        let bucket = self.bucket_of(&key);
        let mut current = self.buckets.get(bucket).copied().unwrap_or(NONE);
        if current == place {
            if let Some(head) = self.buckets.get_mut(bucket) {
                *head = in_bucket;
            }
        } else {
            while let Some(entry) = self.at_mut(current) {
                if entry.in_bucket == place {
                    entry.in_bucket = in_bucket;
                    break;
                }
                current = entry.in_bucket;
            }
        }
        self.unlink(place);
        self.free.push(place);
    }

    fn find(&self, key: &[u8; 32]) -> Option<u32> {
        let mut place = self.buckets.get(self.bucket_of(key)).copied()?;
        loop {
            let entry = self.at(place)?;
            if entry.key == *key {
                return Some(place);
            }
            place = entry.in_bucket;
        }
    }

    fn bucket_of(&self, key: &[u8; 32]) -> usize {
        let [a, b, c, d, ..] = *key;
        u32::from_le_bytes([a, b, c, d]) as usize & self.buckets.len().saturating_sub(1)
    }

    fn unlink(&mut self, place: u32) {
        let Some(&Place { newer, older, .. }) = self.at(place) else { return };
        match self.at_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.at_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, place: u32) {
        let before = self.newest;
        if let Some(entry) = self.at_mut(place) {
            (entry.newer, entry.older) = (NONE, before);
        }
        match self.at_mut(before) {
            Some(entry) => entry.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
    }

    fn at(&self, place: u32) -> Option<&Place> {
        self.places.get(usize::try_from(place).ok()?)
    }

    fn at_mut(&mut self, place: u32) -> Option<&mut Place> {
        self.places.get_mut(usize::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All keys but one fall into one bucket.
    fn key(number: u8) -> [u8; 32] {
        let mut key = [0; 32];
        key[31] = number;
        key[0] = u8::from(number == 9);
        key
    }

    #[test]
    fn the_key_that_was_not_used_for_longest_goes_first() {
        let mut lru = Lru::new(3);
        for number in 0..3 {
            assert_eq!(lru.insert(key(number)), Some(Inserted { place: usize::from(number), replaced: false }));
        }
        assert_eq!(lru.get(&key(0)), Some(0));
        assert_eq!(lru.insert(key(9)), Some(Inserted { place: 1, replaced: true }));
        assert_eq!([0, 1, 2, 9].map(|number| lru.get(&key(number))), [Some(0), None, Some(2), Some(1)]);
        assert_eq!(lru.insert(key(3)), Some(Inserted { place: 0, replaced: true }));
    }

    #[test]
    fn a_place_that_was_freed_is_used_again() {
        let mut lru = Lru::new(4);
        for number in 0..4 {
            lru.insert(key(number)).unwrap();
        }
        for number in [1, 3, 0] {
            let place = lru.get(&key(number)).unwrap();
            lru.remove(place);
            assert_eq!(lru.get(&key(number)), None);
        }
        assert_eq!(lru.get(&key(2)), Some(2));
        for number in [5, 6, 7] {
            assert!(!lru.insert(key(number)).unwrap().replaced);
        }
        assert!(lru.insert(key(8)).unwrap().replaced);
        assert_eq!(lru.get(&key(2)), None);
    }

    #[test]
    fn it_agrees_with_a_plain_list() {
        let mut lru = Lru::new(8);
        let mut list: Vec<u8> = Vec::new();
        let mut state = 1_u32;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (state >> 24) as u8 % 20;
            let known = list.iter().position(|other| *other == number);
            assert_eq!(lru.get(&key(number)).is_some(), known.is_some());
            match known {
                Some(at) if state & 0x10000 == 0 => {
                    let place = lru.get(&key(number)).unwrap();
                    lru.remove(place);
                    list.remove(at);
                }
                Some(at) => {
                    list.remove(at);
                    list.push(number);
                }
                None => {
                    assert_eq!(lru.insert(key(number)).unwrap().replaced, list.len() == 8);
                    if list.len() == 8 {
                        list.remove(0);
                    }
                    list.push(number);
                }
            }
        }
        assert!(Lru::new(0).insert(key(1)).is_none());
    }
}
