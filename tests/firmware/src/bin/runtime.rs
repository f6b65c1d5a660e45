//! Whether memory is moved and filled, and 64 bits divided, as [`board`](respire_firmware::board) promises
//! to compiled code. Needs no network.
//!
//! Exit status: 0, or 1.
#![no_std]
#![no_main]

use core::array;
use core::hint::black_box;

use cortex_m_rt::entry;
use respire_firmware::board::host;

const SIZE: usize = 64;

/// Numbers with few bits and with many, at both ends of the words.
const NUMBERS: [u64; 12] = [
    1,
    2,
    3,
    10,
    1000,
    0xffff_ffff,
    0x1_0000_0000,
    0x1_0000_0001,
    0x0123_4567_89ab_cdef,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

#[entry]
fn main() -> ! {
    let right = moves() && copies() && fills() && divides();
    host::exit(u8::from(!right))
}

/// Within the same memory, up and down, aligned and not.
fn moves() -> bool {
    all(|from, to, len| {
        let mut bytes = pattern();
        bytes.copy_within(black_box(from..from + len), to);
        holds(&bytes, to, len, |at| start(from + at))
    })
}

/// From other memory.
fn copies() -> bool {
    all(|from, to, len| {
        let (source, mut bytes) = (pattern(), [0xee; SIZE]);
        bytes[to..to + len].copy_from_slice(black_box(&source[from..from + len]));
        bytes.iter().enumerate().all(|(at, &byte)| {
            let inside = (to..to + len).contains(&at);
            byte == if inside { start(from + at - to) } else { 0xee }
        })
    })
}

/// With zero, and with another byte.
fn fills() -> bool {
    all(|from, to, len| {
        let mut bytes = pattern();
        bytes[to..to + len].fill(0);
        let is_clear = holds(black_box(&bytes), to, len, |_| 0);
        bytes[to..to + len].fill(black_box(from as u8));
        is_clear && holds(&bytes, to, len, |_| from as u8)
    })
}

fn divides() -> bool {
    let pairs = NUMBERS.iter().flat_map(|&a| NUMBERS.iter().map(move |&b| (a, b)));
    pairs.chain(NUMBERS.iter().map(|&b| (0, b))).all(|(a, b)| {
        let (a, b) = (black_box(a), black_box(b));
        let (quotient, rest) = (a / b, a % b);
        rest < b && quotient.checked_mul(b).and_then(|n| n.checked_add(rest)) == Some(a)
    })
}

/// Whether it is right for all places and lengths: from, to, how many.
fn all(right: impl Fn(usize, usize, usize) -> bool) -> bool {
    (0..9).all(|from| (0..9).all(|to| (0..40).all(|len| right(from, to, len))))
}

/// Whether there are the bytes of `new` at `to`, and those of the pattern around them.
fn holds(bytes: &[u8; SIZE], to: usize, len: usize, new: impl Fn(usize) -> u8) -> bool {
    bytes.iter().enumerate().all(|(at, &byte)| {
        let inside = (to..to + len).contains(&at);
        byte == if inside { new(at - to) } else { start(at) }
    })
}

fn pattern() -> [u8; SIZE] {
    array::from_fn(start)
}

/// What is at this place at the start: no byte twice.
fn start(at: usize) -> u8 {
    (at * 3 + 1) as u8
}
