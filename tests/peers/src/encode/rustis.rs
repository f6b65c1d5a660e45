//! rustis: a command is built, by its fast path where there is one, then copied into the write buffer.

use std::hint::black_box;

use bytes::BytesMut;
use rustis::resp::bench_support::bench_encode_command;
use rustis::resp::{FastPathCommandBuilder, cmd};

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};

/// rustis at a workload.
pub(crate) fn case(workload: &Workload, times: usize) -> Case {
    let command = workload.command;
    let mut out = BytesMut::new();
    bench_encode_command(&build(command), &mut out);
    workload.check("rustis", &out);
    // The arguments into the command, the whole frame into the buffer.
    let copied = (workload.payload + workload.frame.len()) as f64;
    Case::new("rustis", Kind::Typed, copied, move || {
        for _ in 0..times {
            bench_encode_command(&build(black_box(command)), &mut out);
        }
    })
}

#[inline(always)]
fn build(command: Command) -> rustis::resp::Command {
    match command {
        Command::Ping => cmd("PING").into(),
        Command::Get(key) => FastPathCommandBuilder::get(key),
        Command::Set(key, value) => FastPathCommandBuilder::set(key, value),
        Command::MSet(pairs) => cmd("MSET").key_with_step(pairs, 2).into(),
        Command::MGet(keys) => cmd("MGET").keys(keys).readonly().into(),
        Command::XAdd(key, fields) => cmd("XADD").key(key).arg("*").arg(fields).into(),
    }
}
