//! A set of marks that grows a page at a time: no insertion moves more than a page, and pages are
//! given back as they are.
//!
//! Extendible hashing: the directory's entry for the first bits of a mark's hash is its page; a full
//! page is split by one more bit.

use alloc::{boxed::Box, vec::Vec};

/// What is kept of a mark's SHA-256. Two marks have it in common once in 2^96 times, and then one is
/// refused, never accepted. All zeros stands for an empty place.
type Kept = [u32; 3];

const PLACES: usize = 128;
/// Filled to seven eighths, so that the next empty place is near.
const FULL: usize = 112;
/// More pages with one beginning than this are no accident.
const DEEPEST: u32 = 24;

/// How marks spread over pages and keys over counters: strongly universal (multiply-shift), so that
/// nobody who does not know the seed can make marks that meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed([u64; 4]);

impl Seed {
    pub(super) fn new(octets: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(octets.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        Self(words)
    }

    pub(super) fn spread(&self, kept: Kept) -> u32 {
        let [first, second, third, plus] = self.0;
        let [a, b, c] = kept.map(u64::from);
        let sum = first.wrapping_mul(a).wrapping_add(second.wrapping_mul(b)).wrapping_add(third.wrapping_mul(c));
        #[allow(clippy::cast_possible_truncation, reason = "the upper half is meant")]
        let upper = (sum.wrapping_add(plus) >> 32) as u32;
        upper
    }
}

/// The first 96 bits of a hash.
pub(super) fn keep(hash: &[u8; 32]) -> Kept {
    let mut kept = [0; 3];
    for (word, chunk) in kept.iter_mut().zip(hash.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*chunk);
    }
    if kept == [0; 3] { [1, 0, 0] } else { kept }
}

#[derive(Debug)]
struct Page {
    /// How many first bits of the hash its marks have in common.
    depth: u32,
    len: usize,
    places: [Kept; PLACES],
}

impl Page {
    const EMPTY: Self = Self { depth: 0, len: 0, places: [[0; 3]; PLACES] };

    /// The place of a mark, or the empty one where it would go.
    fn probe(&self, kept: Kept, hash: u32) -> Option<usize> {
        let start = usize::try_from(hash).unwrap_or_default() % PLACES;
        let (before, after) = self.places.split_at_checked(start)?;
        let mut places = (start..).zip(after).chain((0..).zip(before));
        places.find(|(_, place)| **place == [0; 3] || **place == kept).map(|(place, _)| place)
    }

    fn insert(&mut self, kept: Kept, hash: u32) {
        if let Some(place) = self.probe(kept, hash).and_then(|place| self.places.get_mut(place)) {
            *place = kept;
            self.len = self.len.saturating_add(1);
        }
    }
}

/// The pages of all sets, of one size, so that one set's serve the next.
#[derive(Debug, Default)]
pub(super) struct Pages {
    #[allow(clippy::vec_box, reason = "pages stay where they are while the list grows")]
    pages: Vec<Box<Page>>,
    /// What dropped sets left behind, a list for each.
    free: Vec<Vec<u32>>,
}

impl Pages {
    fn get(&self, number: u32) -> Option<&Page> {
        self.pages.get(usize::try_from(number).ok()?).map(AsRef::as_ref)
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut Page> {
        self.pages.get_mut(usize::try_from(number).ok()?).map(AsMut::as_mut)
    }

    fn take(&mut self, depth: u32) -> Option<u32> {
        while self.free.last().is_some_and(Vec::is_empty) {
            self.free.pop();
        }
        if let Some(number) = self.free.last_mut().and_then(Vec::pop) {
            *self.get_mut(number)? = Page { depth, ..Page::EMPTY };
            return Some(number);
        }
        self.pages.push(Box::new(Page { depth, ..Page::EMPTY }));
        u32::try_from(self.pages.len().saturating_sub(1)).ok()
    }

    /// Takes a set's pages back. They are emptied when they are needed.
    pub(super) fn give_back(&mut self, set: MarkSet) {
        self.free.push(set.owned);
    }

    /// Memory in use, in octets.
    pub(super) fn octets(&self) -> usize {
        let lists: usize = self.free.iter().map(|list| list.capacity().saturating_mul(size_of::<u32>())).sum();
        let pages = self.pages.len().saturating_mul(size_of::<Page>());
        pages.saturating_add(self.pages.capacity().saturating_mul(size_of::<usize>())).saturating_add(lists)
    }
}

/// A set of marks.
#[derive(Debug, Default)]
pub(super) struct MarkSet {
    /// The page for each beginning of `depth` bits.
    directory: Vec<u32>,
    depth: u32,
    owned: Vec<u32>,
    len: usize,
}

impl MarkSet {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains(&self, pages: &Pages, kept: Kept, hash: u32) -> bool {
        let page = self.page_of(hash).and_then(|number| pages.get(number));
        page.is_some_and(|page| page.probe(kept, hash).is_some_and(|place| page.places.get(place) == Some(&kept)))
    }

    /// Inserts a mark that is not there. False: there is no room.
    pub(super) fn insert(&mut self, pages: &mut Pages, seed: &Seed, kept: Kept, hash: u32) -> bool {
        if self.directory.is_empty() {
            let Some(first) = pages.take(0) else { return false };
            self.directory.push(first);
            self.owned.push(first);
        }
        loop {
            let Some(number) = self.page_of(hash) else { return false };
            let Some(page) = pages.get_mut(number) else { return false };
            if page.len < FULL {
                page.insert(kept, hash);
                self.len = self.len.saturating_add(1);
                return true;
            }
            if page.depth >= DEEPEST || self.split(pages, seed, number, hash).is_none() {
                return false;
            }
        }
    }

    fn page_of(&self, hash: u32) -> Option<u32> {
        self.directory.get(beginning(hash, self.depth)).copied()
    }

    /// Moves half of a page's marks to a new one.
    fn split(&mut self, pages: &mut Pages, seed: &Seed, number: u32, hash: u32) -> Option<()> {
        let old_depth = pages.get(number)?.depth;
        let depth = old_depth.saturating_add(1);
        let new_number = pages.take(depth)?;
        self.owned.push(new_number);
        let page = pages.get_mut(number)?;
        let marks = core::mem::replace(page, Page { depth, ..Page::EMPTY }).places;
        for kept in marks.into_iter().filter(|kept| *kept != [0; 3]) {
            let hash = seed.spread(kept);
            let home = if beginning(hash, depth) & 1 == 1 { new_number } else { number };
            pages.get_mut(home)?.insert(kept, hash);
        }
        if old_depth == self.depth {
            self.directory = self.directory.iter().flat_map(|number| [*number; 2]).collect();
            self.depth = depth;
        }
        // The entries of the old page's beginning, and of those the second half.
        let entries = 1_usize.checked_shl(self.depth.saturating_sub(old_depth))?;
        let first = beginning(hash, old_depth).checked_mul(entries)?;
        let second_half = first.checked_add(entries >> 1)?..first.checked_add(entries)?;
        self.directory.get_mut(second_half)?.fill(new_number);
        Some(())
    }

    /// Memory in use beside the pages, in octets.
    pub(super) fn octets(&self) -> usize {
        self.directory.capacity().saturating_add(self.owned.capacity()).saturating_mul(size_of::<u32>())
    }
}

/// The first bits of a hash.
fn beginning(hash: u32, bits: u32) -> usize {
    usize::try_from(hash.checked_shr(u32::BITS.saturating_sub(bits)).unwrap_or(0)).unwrap_or_default()
}
