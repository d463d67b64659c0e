//! What a module without std brings along itself.
#![cfg(target_family = "wasm")]

/// Half a kilobyte; the one of std is ten times as large.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Says nothing: text would bring the formatting machinery. The lints keep panics out of this code.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
