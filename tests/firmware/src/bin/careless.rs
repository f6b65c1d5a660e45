//! Panics in every way there is, if it is told to: whoever looks for panics must find them here.
//!
//! Exit status: 101.
#![no_std]
#![no_main]

use core::cell::RefCell;
use core::hint::black_box;

use cortex_m_rt::entry;
use respire_firmware::board::host;

#[entry]
fn main() -> ! {
    let (bytes, n) = (black_box([1_u8, 2, 3]), black_box(3_usize));
    let cell = RefCell::new(n);
    let found = match black_box(0) {
        0 => bytes[n].into(),
        1 => bytes[n..].len(),
        2 => bytes.get(n).copied().map(usize::from).unwrap(),
        3 => bytes.get(n).copied().map(usize::from).expect("a byte"),
        4 => n / black_box(0),
        5 => core::str::from_utf8(&bytes).unwrap().len(),
        6 => "\u{e9}"[black_box(1)..].len(),
        7 => {
            let mut copy = [0; 4];
            copy[..black_box(4)].copy_from_slice(&bytes);
            copy.len()
        }
        8 => *cell.borrow_mut() + *cell.borrow(),
        _ => unreachable!("by number {n}"),
    };
    host::exit(found as u8)
}
