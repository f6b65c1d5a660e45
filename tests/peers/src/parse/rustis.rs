//! rustis: its parser by the entry points of its own benchmarks. They take one whole reply.

use std::hint::black_box;

use rustis::resp::bench_support::{
    BenchPubSubPush, BenchTape, bench_decode_chunked, bench_decode_stream_prereserve, bench_decode_to,
    bench_parse_only, bench_tape_footprint,
};
use rustis::resp::{BulkString, Value};
use serde::de::DeserializeOwned;

use super::leaves::Leaves;
use super::workloads::{Typed, Workload};
use crate::case::{Case, Kind};
use crate::tree::Tree;

const BY: &str = "rustis";

/// rustis at a workload.
pub(crate) fn cases(workload: &Workload) -> Vec<Case> {
    let typed = match workload.typed {
        Typed::Status => typed::<String>(workload),
        Typed::Integer => typed::<i64>(workload),
        Typed::Bytes => typed::<BulkString>(workload),
        Typed::List => typed::<Vec<BulkString>>(workload),
        Typed::Nested => typed::<Vec<Vec<BulkString>>>(workload),
        Typed::Map => typed::<Vec<(BulkString, BulkString)>>(workload),
        Typed::Message => message(workload),
    };
    vec![tape(workload), typed, owned(workload)]
}

/// The index of a reply, without its values.
fn tape(workload: &Workload) -> Case {
    for reply in workload.each() {
        assert_eq!(bench_tape_footprint(reply).0, reply.len(), "{}", workload.name);
    }
    let each = workload.each();
    if let Some(piece) = workload.piece {
        let bytes = workload.bytes;
        return Case::new(BY, Kind::Frame, workload.wire(), move || {
            let len = bench_decode_stream_prereserve(black_box(bytes), piece).unwrap();
            assert_eq!(len, bytes.len());
        });
    }
    let mut tape = BenchTape::new();
    Case::new(BY, Kind::Frame, 0.0, move || each.clone().for_each(|reply| bench_parse_only(reply, &mut tape)))
}

fn typed<T: Leaves + DeserializeOwned + 'static>(workload: &Workload) -> Case {
    let mut leaves = Vec::new();
    decode::<T>(workload).for_each(|value| value.leaves(&mut leaves));
    workload.check_leaves(BY, &leaves);
    case::<T>(workload, Kind::Typed)
}

/// As its subscribers get one: both parsed and copied out.
fn message(workload: &Workload) -> Case {
    let mut leaves = Vec::new();
    for reply in workload.each() {
        let message = BenchPubSubPush::new(reply).unwrap().deliver().unwrap();
        leaves.extend([b"message".to_vec(), message.channel().to_vec(), message.payload().to_vec()]);
    }
    workload.check_leaves(BY, &leaves);
    let count = workload.units;
    let mut push = BenchPubSubPush::new(workload.each().next().unwrap()).unwrap();
    Case::new(BY, Kind::Typed, workload.payload() - "message".len() as f64, move || {
        for _ in 0..count {
            black_box(push.deliver().unwrap());
        }
    })
}

fn owned(workload: &Workload) -> Case {
    workload.check_trees(BY, decode::<Value>(workload).map(to_tree).collect());
    case::<Value>(workload, Kind::Owned)
}

/// The whole reply is copied, then its strings out of the copy.
fn case<T: DeserializeOwned + 'static>(workload: &Workload, kind: Kind) -> Case {
    if let Some(pieces) = workload.cut() {
        return Case::new(BY, kind, workload.payload(), move || {
            black_box(bench_decode_chunked::<T>(black_box(&pieces)).unwrap());
        });
    }
    let each = workload.each();
    Case::new(BY, kind, workload.wire() + workload.payload(), move || {
        each.clone().for_each(|reply| {
            black_box(bench_decode_to::<T>(black_box(reply)).unwrap());
        });
    })
}

fn decode<T: DeserializeOwned>(workload: &Workload) -> impl Iterator<Item = T> {
    workload.each().map(|reply| bench_decode_to(reply).unwrap())
}

fn to_tree(value: Value) -> Tree {
    let all = |values: Vec<Value>| values.into_iter().map(to_tree).collect();
    match value {
        Value::SimpleString(text) => Tree::Status(text.into()),
        Value::Integer(n) => Tree::Integer(n),
        Value::BulkString(text) => Tree::Bulk(text),
        Value::Array(items) => Tree::Array(all(items)),
        Value::Push(items) => Tree::Push(all(items)),
        Value::Map(pairs) => Tree::Map(pairs.into_iter().map(|(k, v)| (to_tree(k), to_tree(v))).collect()),
        other => panic!("no workload has {other:?}"),
    }
}
