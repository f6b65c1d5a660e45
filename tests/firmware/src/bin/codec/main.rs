//! All of the codec and nothing else: requests are written, replies are scanned in pieces and read as every
//! type. Needs no network.
//!
//! What is linked here shows what the codec costs, and that nothing in it can panic: `tests/tools/no_panic`
//! looks at the symbols. So the checks do not index either. Doubles, whose text is made and read by
//! Rust's own library, come with the feature `doubles`.
//!
//! Exit status: 0, or the number of what fails: see `check`.
#![no_std]
#![no_main]

mod calls;
mod check;

use cortex_m_rt::entry;
use respire_firmware::board::host;

#[entry]
fn main() -> ! {
    host::exit(check::all())
}
