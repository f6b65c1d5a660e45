//! hiredis: pointers and lengths of the arguments, a new string each time.

use std::hint::black_box;
use std::slice;

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};
use crate::hiredis::{Arguments, Hiredis, hiredis};

const BY: &str = "hiredis";

/// hiredis at a workload.
pub(crate) fn case(workload: &Workload, times: usize) -> Case {
    let copied = workload.payload as f64;
    let library = match hiredis() {
        Ok(library) => library,
        Err(why) => return Case::missing(BY, Kind::Typed, copied, why),
    };
    let command = workload.command;
    let mut arguments = Arguments::default();
    format(library, &mut arguments, command, |frame| workload.check(BY, frame));
    Case::new(BY, Kind::Typed, copied, move || {
        for _ in 0..times {
            format(library, &mut arguments, black_box(command), |frame| {
                black_box(frame);
            });
        }
    })
    .counted(library.is_modern())
}

#[inline(always)]
fn format(library: &Hiredis, arguments: &mut Arguments, command: Command, each: impl FnOnce(&[u8])) {
    arguments.clear();
    match command {
        Command::Ping => arguments.push("PING"),
        Command::Get(key) => arguments.all(&["GET", key]),
        Command::Set(key, value) => arguments.all(&["SET", key, value]),
        Command::MSet(pairs) => {
            arguments.push("MSET");
            pairs.iter().for_each(|(key, value)| {
                arguments.push(key);
                arguments.push(value);
            });
        }
        Command::MGet(keys) => {
            arguments.push("MGET");
            arguments.all(keys);
        }
        Command::XAdd(key, [(a, one), (b, two)]) => arguments.all(&["XADD", key, "*", a, one, b, two]),
    }
    let mut frame = std::ptr::null_mut();
    // SAFETY: as many pointers as lengths, each to that many bytes; the frame is freed once.
    unsafe {
        let (count, pointers, lens) = arguments.parts();
        let len = (library.format)(&raw mut frame, count, pointers, lens);
        let len = usize::try_from(len).expect("hiredis has no memory");
        each(slice::from_raw_parts(frame.cast(), len));
        (library.free_command)(frame);
    }
}
