//! What `std` would bring: memory, and an end to panics.

use alloc::alloc::{alloc, handle_alloc_error, realloc};
use core::alloc::Layout;
use core::panic::PanicInfo;

#[global_allocator]
static MEMORY: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// `memcpy` and its like, which the compiler calls.
#[link(name = "c")]
unsafe extern "C" {}

/// Where the host puts the lists that it returns: memory that becomes a `Vec`, so it is the global
/// allocator's.
///
/// # Safety
/// As the canonical ABI calls it: `old` is null, or was returned for `old_len` and `align`.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_len: usize, align: usize, len: usize) -> *mut u8 {
    if len == 0 {
        return core::ptr::without_provenance_mut(align);
    }
    // SAFETY: the caller keeps to the ABI, whose alignments are powers of two, and `len` is not zero.
    let (pointer, layout) = unsafe {
        let layout = Layout::from_size_align_unchecked(len, align);
        let pointer = if old_len == 0 {
            alloc(layout)
        } else {
            realloc(old, Layout::from_size_align_unchecked(old_len, align), len)
        };
        (pointer, layout)
    };
    if pointer.is_null() {
        handle_alloc_error(layout);
    }
    pointer
}
