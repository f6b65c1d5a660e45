//! What ends a program that went wrong: each kind has an exit status of its own.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use super::host;

/// Says nothing about the panic: its text would pull 12 KiB of formatting into flash.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    host::print(c"panic\n");
    host::exit(101)
}

#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    host::print(c"fault\n");
    host::exit(102)
}

#[exception]
unsafe fn DefaultHandler(_number: i16) -> ! {
    host::print(c"interrupt\n");
    host::exit(103)
}
