//! hiredis: pointers and lengths of the arguments, a new string each time.

use std::ffi::{c_char, c_int};
use std::hint::black_box;
use std::slice;

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};
use crate::hiredis::{Hiredis, hiredis};

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
    arguments.format(library, command, |frame| workload.check(BY, frame));
    Case::new(BY, Kind::Typed, copied, move || {
        for _ in 0..times {
            arguments.format(library, black_box(command), |frame| {
                black_box(frame);
            });
        }
    })
    .counted(library.is_modern())
}

/// Pointers and lengths, in memory that is used again.
#[derive(Default)]
struct Arguments {
    pointers: Vec<*const c_char>,
    lens: Vec<usize>,
}

impl Arguments {
    #[inline(always)]
    fn format(&mut self, library: &Hiredis, command: Command, each: impl FnOnce(&[u8])) {
        self.pointers.clear();
        self.lens.clear();
        match command {
            Command::Ping => self.push("PING"),
            Command::Get(key) => self.all(&["GET", key]),
            Command::Set(key, value) => self.all(&["SET", key, value]),
            Command::MSet(pairs) => {
                self.push("MSET");
                pairs.iter().for_each(|(key, value)| {
                    self.push(key);
                    self.push(value);
                });
            }
            Command::MGet(keys) => {
                self.push("MGET");
                self.all(keys);
            }
            Command::XAdd(key, [(a, one), (b, two)]) => self.all(&["XADD", key, "*", a, one, b, two]),
        }
        let mut frame = std::ptr::null_mut();
        // SAFETY: as many pointers as lengths, each to that many bytes; the frame is freed once.
        unsafe {
            let count = self.lens.len() as c_int;
            let len = (library.format)(&raw mut frame, count, self.pointers.as_ptr(), self.lens.as_ptr());
            let len = usize::try_from(len).expect("hiredis has no memory");
            each(slice::from_raw_parts(frame.cast(), len));
            (library.free_command)(frame);
        }
    }

    #[inline(always)]
    fn all(&mut self, args: &[&str]) {
        args.iter().for_each(|arg| self.push(arg));
    }

    #[inline(always)]
    fn push(&mut self, arg: &str) {
        self.pointers.push(arg.as_ptr().cast());
        self.lens.push(arg.len());
    }
}
