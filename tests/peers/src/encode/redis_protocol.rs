//! redis-protocol: a frame that borrows its strings, into a buffer that is used again.

use std::hint::black_box;

use bytes::BytesMut;
use redis_protocol::resp2::encode::extend_encode_borrowed;
use redis_protocol::resp2::types::BorrowedFrame;

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};

/// redis-protocol at a workload.
pub(crate) fn case(workload: &Workload, times: usize) -> Case {
    let command = workload.command;
    let mut out = BytesMut::new();
    encode(command, &mut out);
    workload.check("redis-protocol", &out);
    Case::new("redis-protocol", Kind::Typed, workload.payload as f64, move || {
        for _ in 0..times {
            out.clear();
            encode(black_box(command), &mut out);
            black_box(&out);
        }
    })
}

#[inline(always)]
fn encode(command: Command, out: &mut BytesMut) {
    let mut frames = |frames: &[BorrowedFrame<'_>]| {
        extend_encode_borrowed(out, &BorrowedFrame::Array(frames), false).unwrap();
    };
    match command {
        Command::Ping => frames(&[bulk("PING")]),
        Command::Get(key) => frames(&[bulk("GET"), bulk(key)]),
        Command::Set(key, value) => frames(&[bulk("SET"), bulk(key), bulk(value)]),
        Command::XAdd(key, [(a, one), (b, two)]) => frames(&["XADD", key, "*", a, one, b, two].map(bulk)),
        Command::MGet(keys) => {
            let mut args = Vec::with_capacity(1 + keys.len());
            args.push(bulk("MGET"));
            args.extend(keys.iter().map(|key| bulk(key)));
            frames(&args);
        }
        Command::MSet(pairs) => {
            let mut args = Vec::with_capacity(1 + 2 * pairs.len());
            args.push(bulk("MSET"));
            args.extend(pairs.iter().flat_map(|(key, value)| [bulk(key), bulk(value)]));
            frames(&args);
        }
    }
}

#[inline(always)]
fn bulk(text: &str) -> BorrowedFrame<'_> {
    BorrowedFrame::BulkString(text.as_bytes())
}
