//! redis-rs: a command is built, then packed into a buffer that is used again.

use std::hint::black_box;

use redis::Cmd;

use super::workloads::{Command, Workload};
use crate::case::{Case, Kind};

/// redis-rs at a workload.
pub(crate) fn case(workload: &Workload, times: usize) -> Case {
    let command = workload.command;
    let mut out = Vec::new();
    build(command).write_packed_command(&mut out);
    workload.check("redis-rs", &out);
    // Into the command, and out of it.
    Case::new("redis-rs", Kind::Typed, 2.0 * workload.payload as f64, move || {
        for _ in 0..times {
            out.clear();
            build(black_box(command)).write_packed_command(&mut out);
            black_box(&out);
        }
    })
}

#[inline(always)]
fn build(command: Command) -> Cmd {
    match command {
        Command::Ping => redis::cmd("PING"),
        Command::Get(key) => Cmd::get(key),
        Command::Set(key, value) => Cmd::set(key, value),
        Command::MSet(pairs) => Cmd::mset(pairs),
        Command::MGet(keys) => Cmd::mget(keys),
        Command::XAdd(key, fields) => redis::cmd("XADD").arg(key).arg("*").arg(&fields).take(),
    }
}
