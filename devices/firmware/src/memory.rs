//! The heap: one piece of memory of a known size, see `limits.rs`.

use crate::limits;
use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// Makes the heap usable. To be called once, before anything else.
///
/// # Panics
/// When it is called again.
#[allow(unsafe_code, reason = "the allocator is handed its memory; there is no safe way to do so")]
pub fn prepare() {
    // SAFETY: the macro's memory is used for nothing else, and a second call panics before it touches it.
    unsafe {
        embedded_alloc::init!(HEAP, limits::HEAP);
    }
}

/// Bytes in use.
pub(crate) fn used() -> usize {
    HEAP.used()
}
