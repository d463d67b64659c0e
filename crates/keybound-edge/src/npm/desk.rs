//! Where texts are put for the other side: one desk serves all calls, since each is done with it before the next.

use alloc::{boxed::Box, string::String, vec::Vec};

/// Texts in and out.
#[derive(Default)]
pub(super) struct Desk {
    /// What came with this call.
    input: Vec<u8>,
    /// What goes with its result.
    pub(super) output: String,
}

impl Desk {
    /// The one text of this call, whatever is in it.
    pub(super) fn text(&self, len: usize) -> &str {
        text(self.octets(len))
    }

    /// The texts of this call, with U+0000 between them; `None` if they are not so many: then one of them had U+0000
    /// itself, which no field, URL or JSON text has.
    pub(super) fn texts<const N: usize>(&self, len: usize) -> Option<[&str; N]> {
        let mut list = self.octets(len).split(|octet| *octet == 0);
        let texts = core::array::from_fn(|_| list.next());
        let complete = list.next().is_none() && texts.iter().all(Option::is_some);
        complete.then(|| texts.map(|octets| text(octets.unwrap_or_default())))
    }

    /// The hash that stands after the texts.
    pub(super) fn hash(&self, len: usize) -> Option<&[u8; 32]> {
        self.input.get(len..).and_then(<[u8]>::first_chunk)
    }

    /// The octets of this call.
    pub(super) fn octets(&self, len: usize) -> &[u8] {
        self.input.get(..len).unwrap_or_default()
    }
}

fn text(octets: &[u8]) -> &str {
    // SAFETY: the other side writes them with `TextEncoder.encodeInto`, which writes whole characters in UTF-8, and an
    // octet of zero is never part of a longer one.
    unsafe { core::str::from_utf8_unchecked(octets) }
}

/// An empty text stands for none.
pub(super) fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The desk that all calls use.
#[unsafe(no_mangle)]
extern "C" fn open() -> Box<Desk> {
    Box::default()
}

/// Where the texts of the next call go.
#[unsafe(no_mangle)]
extern "C" fn room(desk: &mut Desk, len: usize) -> *mut u8 {
    if desk.input.len() < len {
        desk.input = alloc::vec![0; len];
    }
    desk.input.as_mut_ptr()
}

/// Where the text of the last call is.
#[unsafe(no_mangle)]
extern "C" fn text_at(desk: &Desk) -> *const u8 {
    desk.output.as_ptr()
}

/// How long it is.
#[unsafe(no_mangle)]
extern "C" fn length(desk: &Desk) -> usize {
    desk.output.len()
}
