//! What compiled code calls by itself: to move and to fill memory, and to divide 64 bits.
//!
//! The versions that come with Rust give way to these. They are faster and take 4.3 KB; these take 112 bytes.
//! Copies move words, aligned or not, as this processor may. A division takes 64 rounds of subtraction: it
//! is for times, a few in each turn.
//!
//! Names and registers are those of the "Run-time ABI for the Arm Architecture": each may use up r0 to r3 and
//! r12.

use core::arch::global_asm;

/// A function starts here, for the linker.
macro_rules! entry {
    ($name:literal) => {
        concat!(".global ", $name, "\n.type ", $name, ", %function\n", $name, ":")
    };
}

// memcpy, memmove: to r0, from r1, r2 bytes; r0 stays.
global_asm!(
    ".section .text.memmove,\"ax\",%progbits",
    ".syntax unified",
    ".thumb",
    entry!("memcpy"),
    entry!("memmove"),
    entry!("__aeabi_memcpy"),
    entry!("__aeabi_memcpy4"),
    entry!("__aeabi_memcpy8"),
    entry!("__aeabi_memmove"),
    entry!("__aeabi_memmove4"),
    entry!("__aeabi_memmove8"),
    // If the target begins inside the source, the last byte is first.
    "subs r3, r0, r1",
    "cmp r3, r2",
    "blo 4f",
    "mov r3, r0",
    "1:",
    "subs r2, r2, #4",
    "blo 2f",
    "ldr r12, [r1], #4",
    "str r12, [r3], #4",
    "b 1b",
    "2:",
    "adds r2, r2, #4",
    "3:",
    "subs r2, r2, #1",
    "blo 5f",
    "ldrb r12, [r1], #1",
    "strb r12, [r3], #1",
    "b 3b",
    "4:",
    "subs r2, r2, #1",
    "blo 5f",
    "ldrb r3, [r1, r2]",
    "strb r3, [r0, r2]",
    "b 4b",
    "5:",
    "bx lr",
);

// __aeabi_memclr: at r0, r1 bytes. __aeabi_memset: at r0, r1 bytes of r2. memset: at r0, r2 bytes of r1;
// r0 stays.
global_asm!(
    ".section .text.memset,\"ax\",%progbits",
    ".syntax unified",
    ".thumb",
    entry!("__aeabi_memclr"),
    entry!("__aeabi_memclr4"),
    entry!("__aeabi_memclr8"),
    "movs r2, #0",
    entry!("__aeabi_memset"),
    entry!("__aeabi_memset4"),
    entry!("__aeabi_memset8"),
    "mov r3, r1",
    "mov r1, r2",
    "mov r2, r3",
    entry!("memset"),
    "mov r3, r0",
    "1:",
    "subs r2, r2, #1",
    "blo 2f",
    "strb r1, [r3], #1",
    "b 1b",
    "2:",
    "bx lr",
);

// r1:r0 divided by r3:r2: the quotient in r1:r0, the remainder in r3:r2. Rust asks about zero before.
global_asm!(
    ".section .text.__aeabi_uldivmod,\"ax\",%progbits",
    ".syntax unified",
    ".thumb",
    entry!("__aeabi_uldivmod"),
    "push {{r4, r5, r6, lr}}",
    "movs r4, #0",
    "movs r5, #0",
    "movs r6, #64",
    // The next bit of the dividend goes into the remainder, r5:r4, which is never more than the bits until
    // now; the place that it leaves takes a bit of the quotient.
    "1:",
    "adds r0, r0, r0",
    "adcs r1, r1, r1",
    "adcs r4, r4, r4",
    "adcs r5, r5, r5",
    "cmp r4, r2",
    "sbcs r12, r5, r3",
    "blo 2f",
    "subs r4, r4, r2",
    "sbcs r5, r5, r3",
    "adds r0, r0, #1",
    "2:",
    "subs r6, r6, #1",
    "bne 1b",
    "mov r2, r4",
    "mov r3, r5",
    "pop {{r4, r5, r6, pc}}",
);
