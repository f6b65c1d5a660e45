//! Counts the instructions that the codec takes for small requests and replies. Needs no network.
//!
//! For an emulator that takes a nanosecond for each instruction, `-icount shift=0`: then the microseconds of a
//! thousand rounds are the instructions of one, those of the loop included, and the same in every run.
//!
//! Exit status: 0, or 1.
#![no_std]
#![no_main]

use core::ffi::CStr;
use core::hint::black_box;

use cortex_m_rt::entry;
use respire_core::command::{AnyRequest, ExpiryOptions, get, set};
use respire_core::resp::{Done, Encoder, FromReply, Limits, Reply, Scanner};
use respire_firmware::board::clock::Clock;
use respire_firmware::board::host;

#[entry]
fn main() -> ! {
    let clock = Clock::start();
    let mut long = [b'v'; 208];
    long[..6].copy_from_slice(b"$200\r\n");
    long[206..].copy_from_slice(b"\r\n");
    let right = encode(&clock, c"encode GET: ", &get("sensor:1"))
        && encode(&clock, c"encode SET with EX: ", &set("sensor:1", "21.5").ex(60))
        && decode::<Done>(&clock, c"decode +OK: ", b"+OK\r\n")
        && decode::<i64>(&clock, c"decode :12345: ", b":12345\r\n")
        && decode::<&[u8]>(&clock, c"decode $21: ", b"$21\r\nabcdefghijklmnopqrstu\r\n")
        && decode::<&[u8]>(&clock, c"decode $200: ", &long);
    host::exit(u8::from(!right))
}

fn encode(clock: &Clock, label: &CStr, request: &dyn AnyRequest) -> bool {
    let mut out = [0; 128];
    rounds(clock, label, || {
        let mut encoder = Encoder::new(black_box(&mut out));
        black_box(request).encode(&mut encoder);
        encoder.finish().is_written()
    })
}

/// Scans a reply and reads it as `T`.
fn decode<'r, T: FromReply<'r>>(clock: &Clock, label: &CStr, bytes: &'r [u8]) -> bool {
    let mut scanner = Scanner::new(Limits::DEVICE);
    rounds(clock, label, || {
        let bytes = black_box(bytes);
        match scanner.scan(bytes) {
            Ok(Some(frame)) => black_box(Reply::new(bytes, frame).get::<T>()).is_ok(),
            _ => false,
        }
    })
}

fn rounds(clock: &Clock, label: &CStr, mut round: impl FnMut() -> bool) -> bool {
    let mut right = true;
    let micros = micros(clock, || {
        right &= round();
        right
    });
    host::report(label, micros);
    right
}

/// How long a thousand rounds take, or less if one fails.
fn micros(clock: &Clock, mut round: impl FnMut() -> bool) -> u32 {
    let start = clock.now();
    let _ = (0..1000).all(|_| black_box(round()));
    clock.now().saturating_since(start).as_micros() as u32
}
