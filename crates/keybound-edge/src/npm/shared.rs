//! What both roles' exports have: the block of numbers, and the marks in memory.

use alloc::{boxed::Box, rc::Rc};
use core::cell::RefCell;

use keybound_core::{server::replay::MemoryReplay, signature::SignatureCheck};

use super::{ReplayMemory, tables};

const LENGTH: usize = 24;

/// The block of numbers in which a step says what it needs.
pub(super) struct Slots(Box<[u32; LENGTH]>);

impl Slots {
    pub(super) fn new() -> Self {
        Self(Box::new([0; LENGTH]))
    }

    /// Where it stands.
    pub(super) fn address(&self) -> u32 {
        address(self.0.as_ptr())
    }

    pub(super) fn set(&mut self, slot: usize, value: u32) {
        if let Some(place) = self.0.get_mut(slot) {
            *place = value;
        }
    }

    /// Address and length of a text, in this slot and the next.
    pub(super) fn set_text(&mut self, slot: usize, text: Option<&str>) {
        self.set_all(slot, &span(text.unwrap_or_default().as_bytes()));
    }

    /// A signature to check: the algorithm's number plus one (0: nothing to check), and address and
    /// length of message and signature.
    pub(super) fn set_signature(&mut self, slot: usize, check: Option<SignatureCheck<'_>>) {
        let numbers = check.map_or([0; 5], |check| {
            let [message, message_len] = span(check.message);
            let [signature, signature_len] = span(check.signature);
            let algorithm = tables::algorithm_number(check.algorithm).saturating_add(1);
            [algorithm, message, message_len, signature, signature_len]
        });
        self.set_all(slot, &numbers);
    }

    fn set_all(&mut self, first: usize, numbers: &[u32]) {
        for (slot, number) in (first..).zip(numbers) {
            self.set(slot, *number);
        }
    }
}

fn span(octets: &[u8]) -> [u32; 2] {
    [address(octets.as_ptr()), u32::try_from(octets.len()).unwrap_or(0)]
}

/// An address in the module's memory, which has 32 bits.
pub(super) fn address<T>(pointer: *const T) -> u32 {
    u32::try_from(pointer.addr()).unwrap_or(0)
}

/// Marks that are claimed within a step, if a server was given such a store.
#[derive(Default)]
pub(super) struct Memory(Option<Rc<RefCell<MemoryReplay>>>);

impl Memory {
    pub(super) fn of(memory: &ReplayMemory) -> Self {
        Self(Some(Rc::clone(&memory.0)))
    }

    pub(super) fn with<R>(&self, step: impl FnOnce(Option<&mut MemoryReplay>) -> R) -> R {
        let mut memory = self.0.as_ref().and_then(|memory| memory.try_borrow_mut().ok());
        step(memory.as_deref_mut())
    }
}
