//! What a module without std brings along itself.
#![cfg(target_family = "wasm")]

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
    ptr::null_mut,
};

/// Memory in blocks of powers of two. A block that is free again serves the next request of its size, and none is ever
/// split or joined: memory grows to what was in use at once, at most doubled, and then no more.
///
/// A quarter of the code of the smallest library for this.
struct Blocks {
    /// The first free block of each size; each holds the address of the next.
    free: [Cell<*mut u8>; usize::BITS as usize],
    /// Where memory was never given out; 0 before the first time.
    unused: Cell<usize>,
}

const PAGE: usize = 1 << 16;

// SAFETY: a module without shared memory has one thread.
unsafe impl Sync for Blocks {}

#[global_allocator]
static BLOCKS: Blocks = Blocks { free: [const { Cell::new(null_mut()) }; usize::BITS as usize], unused: Cell::new(0) };

/// The power of two that holds the layout, at least 8.
fn power(layout: Layout) -> u32 {
    let size = layout.size().max(8);
    usize::BITS.wrapping_sub(size.wrapping_sub(1).leading_zeros())
}

impl Blocks {
    fn take(&self, power: u32) -> Option<*mut u8> {
        let free = self.free.get(power as usize)?;
        let block = free.get();
        if !block.is_null() {
            // SAFETY: a free block holds the address of the next one.
            free.set(unsafe { block.cast::<*mut u8>().read() });
            return Some(block);
        }
        let end = wasm32::memory_size(0).wrapping_mul(PAGE);
        let start = if self.unused.get() == 0 { end } else { self.unused.get() };
        let unused = start.checked_add(1 << power)?;
        if unused > end && wasm32::memory_grow(0, unused.wrapping_sub(end).div_ceil(PAGE)) == usize::MAX {
            return None;
        }
        self.unused.set(unused);
        Some(start as *mut u8)
    }
}

// SAFETY: a block is its caller's alone until it comes back, and as large as asked for. It is aligned for whatever this
// code asks for: blocks begin at multiples of 8, since the memory's end does and each block is a multiple of it.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(power(layout)).unwrap_or(null_mut())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if let Some(free) = self.free.get(power(layout) as usize) {
            // SAFETY: nobody uses the block any more, and it has room for an address.
            unsafe { block.cast::<*mut u8>().write(free.get()) };
            free.set(block);
        }
    }
}

/// Says nothing: text would bring the formatting machinery. The lints keep panics out of this code.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
