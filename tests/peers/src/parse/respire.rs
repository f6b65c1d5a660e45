//! respire: the scanner, replies as borrowed and as owned Rust values, and the owned tree.

use std::hint::black_box;

use respire_core::resp::{Done, Frame, FromReply, Limits, Map, Reply, Scanner, Seq, Value};

use super::leaves::Leaves;
use super::workloads::{Typed, Workload};
use crate::case::{Case, Kind};
use crate::tree::Tree;

const BY: &str = "respire";
const OWNED: &str = "respire, owned types";

/// respire at a workload.
pub(crate) fn cases(workload: &Workload) -> Vec<Case> {
    let mut cases = vec![frame(workload), borrowed(workload)];
    match workload.typed {
        Typed::Status => cases.push(typed::<String>(workload)),
        Typed::Integer => {}
        Typed::Bytes => cases.push(typed::<Vec<u8>>(workload)),
        Typed::List => cases.push(typed::<Vec<Vec<u8>>>(workload)),
        Typed::Nested => cases.push(typed::<Vec<Vec<Vec<u8>>>>(workload)),
        Typed::Map => cases.push(typed::<Vec<(Vec<u8>, Vec<u8>)>>(workload)),
        Typed::Message => cases.push(typed::<(Vec<u8>, Vec<u8>, Vec<u8>)>(workload)),
    }
    cases.push(tree(workload));
    cases
}

fn frame(workload: &Workload) -> Case {
    let bytes = workload.bytes;
    let (mut ends, mut end) = (Vec::new(), 0);
    scan(bytes, |_, frame| {
        end += frame.len;
        ends.push(end);
    });
    workload.check_ends(BY, &ends);
    each(workload, Kind::Frame, BY, 0.0, |_, frame| {
        black_box(frame);
    })
}

/// Types that borrow the bytes; elements are taken one by one.
fn borrowed(workload: &Workload) -> Case {
    let typed = workload.typed;
    let mut leaves = Vec::new();
    scan(workload.bytes, |bytes, frame| {
        walk(Reply::new(bytes, frame), typed, |leaf| leaves.push(leaf.bytes()));
    });
    workload.check_leaves(BY, &leaves);
    macro_rules! case {
        ($Typed:ident) => {
            each(workload, Kind::Typed, BY, 0.0, |bytes, frame| {
                walk(Reply::new(bytes, frame), Typed::$Typed, Leaf::used);
            })
        };
    }
    // The type is known where a caller asks for it.
    match typed {
        Typed::Status => case!(Status),
        Typed::Integer => case!(Integer),
        Typed::Bytes => case!(Bytes),
        Typed::List => case!(List),
        Typed::Nested => case!(Nested),
        Typed::Map => case!(Map),
        Typed::Message => case!(Message),
    }
}

enum Leaf<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
}

impl Leaf<'_> {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Integer(n) => n.to_string().into(),
            Self::Bytes(bytes) => bytes.to_vec(),
        }
    }

    /// As if its caller looked at it.
    #[inline(always)]
    fn used(self) {
        match self {
            Self::Integer(n) => {
                black_box(n);
            }
            Self::Bytes(bytes) => {
                black_box(bytes);
            }
        }
    }
}

#[inline(always)]
fn walk<'a>(reply: Reply<'a>, typed: Typed, mut each: impl FnMut(Leaf<'a>)) {
    match typed {
        Typed::Status => {
            let Done = reply.get().unwrap();
            each(Leaf::Bytes(b"OK"));
        }
        Typed::Integer => each(Leaf::Integer(reply.get().unwrap())),
        Typed::Bytes => each(Leaf::Bytes(reply.get().unwrap())),
        Typed::List => {
            let items: Seq<'_, &[u8]> = reply.get().unwrap();
            items.for_each(|item| each(Leaf::Bytes(item.unwrap())));
        }
        Typed::Nested => {
            let items: Seq<'_, Seq<'_, &[u8]>> = reply.get().unwrap();
            for items in items {
                items.unwrap().for_each(|item| each(Leaf::Bytes(item.unwrap())));
            }
        }
        Typed::Map => {
            let pairs: Map<'_, &[u8], &[u8]> = reply.get().unwrap();
            for pair in pairs {
                let (key, value) = pair.unwrap();
                each(Leaf::Bytes(key));
                each(Leaf::Bytes(value));
            }
        }
        Typed::Message => {
            let (kind, channel, message): (&[u8], &[u8], &[u8]) = reply.get().unwrap();
            [kind, channel, message].into_iter().for_each(|bytes| each(Leaf::Bytes(bytes)));
        }
    }
}

/// The types that the peers make, too.
fn typed<T: Leaves + for<'r> FromReply<'r> + 'static>(workload: &Workload) -> Case {
    let mut leaves = Vec::new();
    scan(workload.bytes, |bytes, frame| {
        Reply::new(bytes, frame).get::<T>().unwrap().leaves(&mut leaves);
    });
    workload.check_leaves(OWNED, &leaves);
    each(workload, Kind::Typed, OWNED, workload.payload(), |bytes, frame| {
        black_box(Reply::new(bytes, frame).get::<T>().unwrap());
    })
}

fn tree(workload: &Workload) -> Case {
    let mut trees = Vec::new();
    scan(workload.bytes, |bytes, frame| {
        trees.push(to_tree(Reply::new(bytes, frame).get::<Value>().unwrap()));
    });
    workload.check_trees(BY, trees);
    each(workload, Kind::Owned, BY, workload.payload(), |bytes, frame| {
        black_box(Reply::new(bytes, frame).get::<Value>().unwrap());
    })
}

fn to_tree(value: Value) -> Tree {
    let all = |values: Vec<Value>| values.into_iter().map(to_tree).collect();
    match value {
        Value::Simple(text) => Tree::Status(text),
        Value::Bulk(text) => Tree::Bulk(text),
        Value::Integer(n) => Tree::Integer(n),
        Value::Array(items) => Tree::Array(all(items)),
        Value::Push(items) => Tree::Push(all(items)),
        Value::Map(pairs) => Tree::Map(pairs.into_iter().map(|(k, v)| (to_tree(k), to_tree(v))).collect()),
        other => panic!("no workload has {other:?}"),
    }
}

/// A case that does something with each frame.
fn each(
    workload: &Workload,
    kind: Kind,
    by: &'static str,
    copied: f64,
    mut each: impl FnMut(&[u8], Frame) + 'static,
) -> Case {
    let bytes = workload.bytes;
    let Some(pieces) = workload.cut() else {
        return Case::new(by, kind, copied, move || scan(black_box(bytes), &mut each));
    };
    let mut buffer = vec![0; bytes.len()];
    Case::new(by, kind, copied, move || {
        let mut scanner = Scanner::new(Limits::SERVER);
        let (mut at, mut whole) = (0, false);
        for piece in black_box(&pieces) {
            buffer[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
            if let Some(frame) = scanner.scan(&buffer[..at]).unwrap() {
                each(&buffer[..at], frame);
                whole = true;
            }
        }
        assert!(whole);
    })
}

#[inline(always)]
fn scan(bytes: &[u8], mut each: impl FnMut(&[u8], Frame)) {
    let mut scanner = Scanner::new(Limits::SERVER);
    let mut rest = bytes;
    while !rest.is_empty() {
        let frame = scanner.scan(rest).unwrap().unwrap();
        each(rest, frame);
        rest = &rest[frame.len..];
    }
}
