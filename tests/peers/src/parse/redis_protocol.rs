//! redis-protocol: ranges are frames; owned frames copy, bytes frames share the buffer.

use std::hint::black_box;

use bytes::BytesMut;
use redis_protocol::{resp2, resp3};

use super::workloads::{Scale, Workload, pieces};
use crate::case::{Case, Kind};
use crate::tree::Tree;

const RESP2: &str = "redis-protocol resp2";
const RESP3: &str = "redis-protocol resp3";

/// redis-protocol at a workload. What comes in pieces is decoded from its start with each of them.
pub(crate) fn cases(workload: &Workload, scale: Scale) -> Vec<Case> {
    if let Some(piece) = workload.piece {
        let [large, small] = scale.again;
        let elements = if piece == 1 { small } else { large };
        let again = pieces(workload.name, piece, elements);
        let note = format!("{elements} elements: it starts again with each piece");
        let cases = [in_resp2(&again), in_resp3(&again)].into_iter().flatten();
        return cases.map(|case| case.noted(&note).units(elements)).collect();
    }
    let mut cases = if workload.is_resp2() { in_resp2(workload) } else { Vec::new() };
    cases.extend(in_resp3(workload));
    cases
}

/// The cases of one version, whose functions have the same names.
macro_rules! cases {
    ($workload:ident, $by:ident, $shared:literal, $decode:path, $to_tree:ident) => {{
        use $decode as decode;
        let workload: &Workload = $workload;
        let mut ends = Vec::new();
        slices(
            workload.bytes,
            |bytes| decode::decode_range(bytes).unwrap().map(|(_, len)| len),
            |len| {
                ends.push(ends.last().unwrap_or(&0) + len);
            },
        );
        workload.check_ends($by, &ends);
        let mut trees = Vec::new();
        slices(
            workload.bytes,
            |bytes| {
                let (frame, len) = decode::decode(bytes).unwrap()?;
                trees.push($to_tree(frame));
                Some(len)
            },
            |_| {},
        );
        workload.check_trees($by, trees);

        let frame = slice_case(workload, Kind::Frame, $by, 0.0, |bytes| {
            let (frame, len) = decode::decode_range(bytes).unwrap()?;
            black_box(frame);
            Some(len)
        });
        let owned = slice_case(workload, Kind::Owned, $by, workload.payload(), |bytes| {
            let (frame, len) = decode::decode(bytes).unwrap()?;
            black_box(frame);
            Some(len)
        });
        let shared =
            bytes_case(workload, $shared, |buffer| match decode::decode_bytes_mut(buffer).unwrap() {
                Some((frame, ..)) => {
                    black_box(frame);
                    true
                }
                None => false,
            });
        vec![frame, owned, shared]
    }};
}

fn in_resp2(workload: &Workload) -> Vec<Case> {
    cases!(workload, RESP2, "redis-protocol resp2, shared", resp2::decode, tree_of_resp2)
}

fn in_resp3(workload: &Workload) -> Vec<Case> {
    cases!(workload, RESP3, "redis-protocol resp3, shared", resp3::decode::complete, tree_of_resp3)
}

/// Decodes from slices, with a function that says how long a reply is once it is whole.
fn slice_case(
    workload: &Workload,
    kind: Kind,
    by: &'static str,
    copied: f64,
    mut decode: impl FnMut(&[u8]) -> Option<usize> + 'static,
) -> Case {
    let bytes = workload.bytes;
    let Some(pieces) = workload.cut() else {
        return Case::new(by, kind, copied, move || slices(black_box(bytes), &mut decode, |_| {}));
    };
    let mut buffer = vec![0; bytes.len()];
    Case::new(by, kind, copied, move || {
        let (mut at, mut len) = (0, None);
        for piece in black_box(&pieces) {
            buffer[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
            len = decode(&buffer[..at]);
        }
        assert_eq!(len, Some(at));
    })
}

/// Decodes from a buffer that the frames take their bytes from.
fn bytes_case(
    workload: &Workload,
    by: &'static str,
    mut decode: impl FnMut(&mut BytesMut) -> bool + 'static,
) -> Case {
    let bytes = workload.bytes;
    let Some(pieces) = workload.cut() else {
        let prepare = |buffer: &mut BytesMut| {
            buffer.clear();
            buffer.extend_from_slice(bytes);
        };
        let run = move |buffer: &mut BytesMut| {
            while !buffer.is_empty() {
                assert!(decode(buffer));
            }
        };
        return Case::fed(by, Kind::Owned, 0.0, BytesMut::new(), prepare, run);
    };
    let mut buffer = BytesMut::new();
    Case::new(by, Kind::Owned, 0.0, move || {
        buffer.reserve(bytes.len());
        let mut done = false;
        for piece in black_box(&pieces) {
            buffer.extend_from_slice(piece);
            done = decode(&mut buffer);
        }
        assert!(done && buffer.is_empty());
    })
}

#[inline(always)]
fn slices(bytes: &[u8], mut decode: impl FnMut(&[u8]) -> Option<usize>, mut each: impl FnMut(usize)) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = decode(rest).unwrap();
        each(len);
        rest = &rest[len..];
    }
}

fn tree_of_resp2(frame: resp2::types::OwnedFrame) -> Tree {
    use resp2::types::OwnedFrame;
    match frame {
        OwnedFrame::SimpleString(text) => Tree::Status(text),
        OwnedFrame::Integer(n) => Tree::Integer(n),
        OwnedFrame::BulkString(text) => Tree::Bulk(text),
        OwnedFrame::Array(items) => Tree::Array(items.into_iter().map(tree_of_resp2).collect()),
        other => panic!("no workload has {other:?}"),
    }
}

/// Its maps have no order: sorted, as those of the workloads are.
fn tree_of_resp3(frame: resp3::types::OwnedFrame) -> Tree {
    use resp3::types::OwnedFrame;
    let all = |frames: Vec<_>| frames.into_iter().map(tree_of_resp3).collect();
    match frame {
        OwnedFrame::SimpleString { data, .. } => Tree::Status(data),
        OwnedFrame::Number { data, .. } => Tree::Integer(data),
        OwnedFrame::BlobString { data, .. } => Tree::Bulk(data),
        OwnedFrame::Array { data, .. } => Tree::Array(all(data)),
        OwnedFrame::Push { data, .. } => Tree::Push(all(data)),
        OwnedFrame::Map { data, .. } => {
            let pairs = data.into_iter().map(|(key, value)| (tree_of_resp3(key), tree_of_resp3(value)));
            Tree::Map(pairs.collect()).sorted()
        }
        other => panic!("no workload has {other:?}"),
    }
}
