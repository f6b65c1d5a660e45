//! The computer that runs the emulator: its exit status, its command line, its terminal.
//!
//! Semihosting: the operation in r0, its argument in r1, and a breakpoint that the emulator answers. On
//! a real chip without a debugger it is a fault.

use core::arch::asm;
use core::ffi::CStr;

/// Ends the emulator with this exit status.
pub fn exit(status: u8) -> ! {
    const APPLICATION_EXIT: u32 = 0x2_0026;
    let block = [APPLICATION_EXIT, u32::from(status)];
    loop {
        call(EXIT_EXTENDED, &raw const block as usize);
    }
}

/// Prints a text as it is.
pub fn print(text: &CStr) {
    call(WRITE0, text.as_ptr() as usize);
}

/// Prints `label`, a number and a line end. Without `core::fmt`, which costs as much as TCP.
pub fn report(label: &CStr, mut number: u32) {
    // Ten digits at most, then the line end and the terminator.
    let mut text = *b"..........\n\0";
    let mut start = 10;
    for digit in text[..10].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        start -= 1;
        if number == 0 {
            break;
        }
    }
    print(label);
    call(WRITE0, text[start..].as_ptr() as usize);
}

/// The last word of the command line, in `line`. `None`: there is none, or the line is longer than that.
///
/// The last, because without arguments the command line is the path of the firmware.
#[must_use]
pub fn argument(line: &mut [u8; 128]) -> Option<&[u8]> {
    let mut block = [line.as_mut_ptr() as usize, line.len()];
    if call(GET_CMDLINE, &raw mut block as usize) != 0 {
        return None;
    }
    line.get(..block[1])?.rsplit(|&byte| byte == b' ').next()
}

/// The number that is written in these digits.
#[must_use]
pub fn number(digits: &[u8]) -> Option<u32> {
    let mut number: Option<u32> = None;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?);
    }
    number
}

/// The text, if it is all ASCII: to know UTF-8 costs 400 bytes.
#[must_use]
pub fn text(bytes: &[u8]) -> Option<&str> {
    // SAFETY: ASCII is UTF-8.
    bytes.iter().all(u8::is_ascii).then(|| unsafe { core::str::from_utf8_unchecked(bytes) })
}

/// Seconds since 1970: the only thing here that differs from run to run.
#[must_use]
pub fn time() -> u32 {
    call(TIME, 0)
}

const WRITE0: u32 = 0x04;
const TIME: u32 = 0x11;
const GET_CMDLINE: u32 = 0x15;
const EXIT_EXTENDED: u32 = 0x20;

fn call(operation: u32, argument: usize) -> u32 {
    let result;
    // SAFETY: callers pass what the operation asks for. It may write memory, so no `nomem` here.
    unsafe {
        asm!("bkpt 0xab", inlateout("r0") operation => result, in("r1") argument, options(nostack));
    }
    result
}
