//! The LM3S6965 board: registers, interrupts, time, frames; and what the emulator offers beside them.
//!
//! This is the only place with `unsafe`: registers are memory that the compiler knows nothing of.
#![allow(unsafe_code, reason = "registers, instructions and linker symbols")]

pub mod clock;
mod fault;
pub mod host;
pub mod nic;
mod runtime;
pub mod stack;
mod vectors;

use core::arch::asm;
use core::sync::atomic::{Ordering, compiler_fence};

/// Sleeps until an interrupt comes, unless `busy` already.
///
/// Whatever makes `busy` true with an interrupt wakes, also when it happens after the question: while
/// interrupts are masked, a pending one still ends the sleep, and is served afterwards.
pub fn sleep_unless(busy: impl FnOnce() -> bool) {
    // SAFETY: masks interrupts and unmasks them again below; nothing in between returns early.
    unsafe { asm!("cpsid i", options(nostack, preserves_flags)) };
    compiler_fence(Ordering::SeqCst);
    if !busy() {
        // SAFETY: changes no register and no memory.
        unsafe { asm!("dsb", "wfi", options(nostack, preserves_flags)) };
    }
    compiler_fence(Ordering::SeqCst);
    // SAFETY: interrupts were unmasked before, since this is never called from a handler.
    unsafe { asm!("cpsie i", options(nostack, preserves_flags)) };
}

/// One 32-bit register of the processor or the chip.
#[derive(Clone, Copy)]
struct Register(usize);

impl Register {
    fn read(self) -> u32 {
        // SAFETY: the constants of this module's children are the addresses of registers.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    fn write(self, value: u32) {
        // SAFETY: as for `read`; none of the registers written makes memory change under Rust's feet.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }
}
