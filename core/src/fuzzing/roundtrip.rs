//! Values that are RESP for sure, in every spelling, of any depth and length.

use alloc::vec::Vec;

use super::grammar::{self, Fatal, Wanted, Written};
use super::oracle::{self, Fault, Tree};
use super::pieces::{self, Dice};
use crate::error::ProtocolError;
use crate::resp::{Reply, Visit};

/// Values that the program `data` writes: read back as they were written, whole and in pieces; and what
/// is over a limit is known to be.
///
/// # Panics
/// If another value comes back.
pub fn roundtrip(data: &[u8]) {
    let written = grammar::run(data);
    let Written { bytes, limits, values, fatal } = &written;
    let (frames, error) = pieces::frames(bytes, *limits, pieces::whole);
    let mut dice = Dice::of(data);
    assert_eq!((&frames, error), in_pieces(&pieces::frames(bytes, *limits, |_| dice.size())));

    assert!(is_right(*fatal, error), "{fatal:?} ends in {error:?}");
    assert_eq!(frames.len(), values.len());
    let mut start = 0;
    for (frame, value) in frames.iter().zip(values) {
        assert_eq!((start + frame.len, frame.over), (value.end, value.over));
        let reply = Reply::new(bytes.get(start..value.end).unwrap_or_default(), *frame);
        compare(reply, &value.visits);
        // The target `differential` does the same with large ones, and nothing else.
        if frame.len < 1 << 13 {
            match oracle::parse(bytes.get(start..).unwrap_or_default()) {
                Ok((tree, len)) => {
                    assert!(len == frame.len && tree == Tree::of(reply), "the oracle: {tree:?}");
                }
                Err(fault) => assert_eq!(fault, Fault::Deep, "the oracle does not take it"),
            }
        }
        start = value.end;
    }
    assert!(start == bytes.len() || error.is_some(), "{} bytes are left", bytes.len() - start);
}

fn in_pieces<T>(scanned: &(Vec<T>, Option<ProtocolError>)) -> (&Vec<T>, Option<ProtocolError>) {
    (&scanned.0, scanned.1)
}

/// Whether a scan ends as it must.
fn is_right(fatal: Option<Fatal>, error: Option<ProtocolError>) -> bool {
    match fatal {
        None => error.is_none(),
        Some(Fatal::Line) => error == Some(ProtocolError::LineTooLong),
        Some(Fatal::Stream) => error == Some(ProtocolError::StreamTooDeep),
    }
}

fn compare(reply: Reply<'_>, wanted: &[Wanted]) {
    let mut visits = reply.preorder();
    for wanted in wanted {
        match (visits.next(), wanted) {
            (Some(Visit::End), Wanted::End) => {}
            (Some(Visit::Value(value)), Wanted::Head(kind, count)) => {
                let announced = value.elements().map(|elements| elements.remaining());
                assert_eq!((value.kind(), announced), (*kind, Some(*count)));
            }
            (Some(Visit::Value(value)), Wanted::Leaf(leaf)) => {
                assert!(!value.kind().is_aggregate());
                assert_eq!(Tree::of(value), *leaf);
            }
            (other, _) => unreachable!("{other:?}"),
        }
    }
    assert!(visits.next().is_none(), "more than was written");
    let direct = reply.elements().map(|elements| (elements.remaining(), elements.count() as u64));
    assert!(direct.is_none_or(|(announced, found)| announced.is_none_or(|n| n == found)));
}
