//! Bytes from a server that may be anything.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::oracle::{self, Fault, Tree};
use crate::error::ProtocolError;
use crate::resp::{Done, Frame, FromReply, Kind, Limits, Map, Reply, Scanner, Seq, Value, Visit};

/// Frames of any bytes: the same whole, in pieces and byte by byte, the same as a naive reader
/// finds; every accessor and conversion of every accepted reply ends.
///
/// # Panics
/// If any of that is not so.
pub fn frames(data: &[u8]) {
    let whole = scan(data, |rest| rest);
    let mut seed = data.iter().fold(1u32, |seed, &byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let pieces = scan(data, |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (seed >> 24) as usize % 90
    });
    assert_eq!(whole, pieces, "in pieces");
    assert_eq!(whole, scan(data, |_| 1), "byte by byte");

    let mut rest = data;
    for frame in &whole.0 {
        let (bytes, behind) = rest.split_at(frame.len);
        check(bytes, *frame);
        rest = behind;
    }
    let last = oracle::parse(rest);
    match whole.1 {
        None => assert!(matches!(last, Err(Fault::Short | Fault::Deep)), "{last:?}"),
        Some(error) => assert!(last.is_err(), "{error} but {last:?}"),
    }
}

/// Every frame, and the error that ended it. `size` says how many bytes come next.
fn scan(data: &[u8], mut size: impl FnMut(usize) -> usize) -> (Vec<Frame>, Option<ProtocolError>) {
    let mut scanner = Scanner::new(Limits::SERVER);
    let (mut start, mut end) = (0, 0);
    let mut frames = Vec::new();
    loop {
        match scanner.scan(data.get(start..end).unwrap_or_default()) {
            Ok(Some(frame)) => {
                assert!(frame.len > frame.body && start + frame.len <= end, "{frame:?}");
                start += frame.len;
                frames.push(frame);
            }
            Ok(None) => {
                assert!(start + scanner.settled() <= end, "settled more than there is");
                if end == data.len() {
                    return (frames, None);
                }
                end = data.len().min(end + size(data.len() - end));
            }
            Err(error) => return (frames, Some(error)),
        }
    }
}

fn check(bytes: &[u8], frame: Frame) {
    let reply = Reply::new(bytes, frame);
    assert_eq!(reply.kind(), frame.kind);
    match oracle::parse(bytes) {
        Ok((tree, len)) => {
            assert_eq!(len, frame.len);
            assert_eq!(Tree::of(reply), tree);
        }
        Err(fault) => assert_eq!(fault, Fault::Deep, "the oracle does not take it"),
    }
    assert_eq!(Reply::parse(bytes), Some(reply), "equal to itself");

    let mut values = 0;
    let mut ends = 0;
    for visit in reply.preorder() {
        match visit {
            Visit::Value(_) => values += 1,
            Visit::End => ends += 1,
        }
    }
    assert!(values >= 1 && ends <= values && values <= bytes.len());
    let mut shown = Counter(0);
    // A big number is shown as it came, and a script may send one without a digit.
    assert!(write!(shown, "{reply:?}").is_ok() && (shown.0 > 0 || reply.kind() == Kind::BigNumber));
    if let Some(elements) = reply.elements() {
        let announced = elements.remaining();
        let found = elements.count() as u64;
        assert!(announced.is_none_or(|announced| announced == found));
    }
    convert(reply);
}

/// Conversions may fail, nothing else.
fn convert(reply: Reply<'_>) {
    fn to<'a, T: FromReply<'a>>(reply: Reply<'a>) {
        let decoded = T::from_reply(reply).is_ok();
        let answered = reply.get::<T>().is_ok();
        assert!(decoded == answered || reply.kind().is_error());
    }
    to::<Value>(reply);
    to::<Done>(reply);
    to::<bool>(reply);
    to::<u8>(reply);
    to::<i64>(reply);
    to::<f64>(reply);
    to::<&str>(reply);
    to::<String>(reply);
    to::<Vec<u8>>(reply);
    to::<Option<Vec<Value>>>(reply);
    to::<Vec<Option<&[u8]>>>(reply);
    to::<BTreeMap<Vec<u8>, i64>>(reply);
    to::<BTreeSet<String>>(reply);
    to::<[i64; 2]>(reply);
    to::<(i64, &str)>(reply);
    for pair in Seq::<(Reply<'_>, Value)>::from_reply(reply).into_iter().flatten() {
        assert!(pair.is_err() || reply.kind().is_aggregate());
    }
    for pair in Map::<Reply<'_>, f64>::from_reply(reply).into_iter().flatten() {
        assert!(pair.is_err() || matches!(reply.kind(), Kind::Map | Kind::Array));
    }
}

/// Counts what is written.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
