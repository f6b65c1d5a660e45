//! respire: requests told to an encoder, directly and as a connection does.

use std::hint::black_box;

use respire_core::command::{AnyRequest, Request, get, mget, mset, ping, raw, set};
use respire_core::resp::{Encoded, Encoder};

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};

/// respire at a workload; each run encodes as many commands as told.
pub(crate) fn cases(workload: &Workload, times: usize) -> Vec<Case> {
    match workload.command {
        Command::Ping => both(workload, times, (), |()| ping()),
        Command::Get(key) => both(workload, times, key, get),
        Command::Set(key, value) => both(workload, times, (key, value), |(key, value)| set(key, value)),
        Command::MSet(pairs) => both(workload, times, pairs, mset),
        Command::MGet(keys) => both(workload, times, keys, mget),
        Command::XAdd(key, fields) => both(workload, times, (key, fields), |(key, fields)| {
            let [(a, one), (b, two)] = fields;
            raw("XADD").key(key).arg("*").arg(a).arg(one).arg(b).arg(two)
        }),
    }
}

fn both<A: Copy + 'static, R: Request>(
    workload: &Workload,
    times: usize,
    args: A,
    request: impl Fn(A) -> R + Copy + 'static,
) -> Vec<Case> {
    let direct = case(workload, "respire", times, move |encoder| {
        let mut encoder = encoder;
        request(black_box(args)).visit(&mut encoder);
        encoder.finish()
    });
    let erased = case(workload, "respire, as dyn", times, move |encoder| {
        let mut encoder = encoder;
        let request = request(black_box(args));
        let request: &dyn AnyRequest = black_box(&request);
        request.encode(&mut encoder);
        encoder.finish()
    });
    vec![direct, erased]
}

fn case(
    workload: &Workload,
    by: &'static str,
    times: usize,
    encode: impl Fn(Encoder<'_>) -> Encoded + 'static,
) -> Case {
    let mut out = vec![0; 8 << 10];
    let encoded = encode(Encoder::new(&mut out));
    assert!(encoded.is_written());
    workload.check(by, &out[..encoded.len()]);
    // Ten arguments or more: the frame moves when their number is known.
    let moved = if workload.args < 10 { 0 } else { workload.frame.len() };
    Case::new(by, Kind::Typed, (workload.payload + moved) as f64, move || {
        for _ in 0..times {
            let encoded = encode(Encoder::new(&mut out));
            assert!(encoded.is_written());
            black_box(&out);
        }
    })
}
