//! How much RAM is used: by the statics, and by the stack where it was deepest.
//!
//! The start-up code paints all memory between the statics and the top of RAM; the stack grows down
//! into it, and what is no longer painted has been used.

use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    /// The start of RAM, where the statics begin; the linker's.
    static _ram_start: u32;
    /// The lowest word that the stack may use; the linker's.
    static _stack_end: u32;
    /// The end of the highest; the linker's.
    static _stack_start: u32;
}

/// The bytes of stack that were used at the deepest point until now.
///
/// Misses what was reserved below that and never written.
#[must_use]
pub fn deepest() -> usize {
    let (mut word, end) = (&raw const _stack_end, &raw const _stack_start);
    // SAFETY: all words between the two symbols are RAM, aligned, and belong to the stack only.
    while word < end && unsafe { word.read_volatile() } == STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    end as usize - word as usize
}

/// The bytes of all statics.
#[must_use]
pub fn statics() -> usize {
    (&raw const _stack_end) as usize - (&raw const _ram_start) as usize
}
