//! A failing seed made small: fewer faults, fewer steps.

use alloc::string::String;

use super::play::World;
use super::sweep::Calls;
use super::{Options, run};

/// The smallest story found that still goes wrong: without each fault that it does not need, and with
/// as few steps. The same options if nothing goes wrong with them.
#[must_use]
pub fn shrink(options: &Options) -> Options {
    let mut small = *options;
    let fails = |options: &Options| run(options).wrong.is_some();
    if !fails(&small) {
        return small;
    }
    loop {
        let before = small;
        for fault in small.faults.iter() {
            let fewer = Options { faults: small.faults.without(fault), ..small };
            if fails(&fewer) {
                small = fewer;
            }
        }
        let mut cut = small.steps / 2;
        while cut > 0 {
            let fewer = Options { steps: small.steps - cut, ..small };
            if fails(&fewer) {
                small = fewer;
                cut = cut.min(small.steps / 2);
            } else {
                cut /= 2;
            }
        }
        if small == before {
            return small;
        }
    }
}

/// The last `lines` of what happened, one in a line, and what is wrong.
#[must_use]
pub fn transcript(options: &Options, lines: usize) -> String {
    let (report, kept, _) = World::new(options, lines.max(1), Calls::default()).play();
    let mut text = String::new();
    for line in kept {
        text += &line;
        text.push('\n');
    }
    text += &alloc::format!("{report}\n");
    text
}
