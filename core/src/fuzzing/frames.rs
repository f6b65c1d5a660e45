//! Bytes from a server that may be anything.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::pieces::{self, Dice};
use crate::error::ProtocolError;
use crate::resp::{Frame, Kind, Limits, Over, Reply, Scanner, Visit};

/// Frames of any bytes: every accessor of every accepted reply ends, and they agree with each other;
/// who skips replies in constant memory finds the same ends.
///
/// # Panics
/// If any of that is not so.
pub fn frames(data: &[u8]) {
    let (frames, error) = pieces::frames(data, Limits::SERVER, pieces::whole);
    let mut rest = data;
    for frame in &frames {
        let (bytes, behind) = rest.split_at(frame.len);
        check(bytes, *frame);
        rest = behind;
    }
    let kept: Vec<_> = frames.iter().map(|frame| (frame.kind, frame.len, frame.over)).collect();
    let mut dice = Dice::of(data);
    assert_eq!(skip(data, || dice.size()), (kept, error), "skipped");
}

fn check(bytes: &[u8], frame: Frame) {
    let reply = Reply::new(bytes, frame);
    assert_eq!(reply.kind(), frame.kind);
    assert_eq!(Reply::parse(bytes), Some(reply), "equal to itself");

    let (mut values, mut ends) = (0, 0);
    for visit in reply.preorder() {
        match visit {
            Visit::Value(value) => {
                values += 1;
                accessors(value);
            }
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
}

/// Each kind has its own, and no other.
fn accessors(value: Reply<'_>) {
    let kind = value.kind();
    let text = matches!(kind, Kind::Simple | Kind::Bulk | Kind::Verbatim | Kind::BigNumber);
    let number = matches!(kind, Kind::Integer | Kind::Double);
    assert_eq!(value.chunks().is_some(), text || number);
    assert!(value.as_bytes().is_none() || text || number);
    assert!(value.as_bytes().is_some() || kind == Kind::Bulk || !text && !number, "only bulks are streamed");
    assert_eq!(value.as_integer().is_some(), kind == Kind::Integer);
    assert_eq!(value.as_double().is_some(), kind == Kind::Double);
    assert_eq!(value.as_boolean().is_some(), kind == Kind::Boolean);
    assert_eq!(value.format().map(<[u8]>::len), (kind == Kind::Verbatim).then_some(3));
    assert_eq!(value.error().is_some(), kind.is_error());
    assert_eq!(value.is_null(), kind == Kind::Null);
    assert_eq!(value.elements().is_some(), kind.is_aggregate());
    assert_eq!(value.pairs().is_some(), matches!(kind, Kind::Map | Kind::Array));
}

type Skipped = (Kind, usize, Option<Over>);

/// What all frames are, of which nothing is kept, and the error that ended it.
fn skip(data: &[u8], mut size: impl FnMut() -> usize) -> (Vec<Skipped>, Option<ProtocolError>) {
    let mut scanner = Scanner::new(Limits::SERVER);
    let (mut first, mut start, mut end) = (0, 0, 0);
    let mut skipped = Vec::new();
    loop {
        match scanner.scan(data.get(start..end).unwrap_or_default()) {
            Ok(Some(frame)) => {
                start += frame.len;
                skipped.push((frame.kind, start - first, frame.over));
                first = start;
                continue;
            }
            Ok(None) => {}
            Err(error) => return (skipped, Some(error)),
        }
        start += scanner.settled();
        scanner.forget();
        assert_eq!(scanner.is_inside(), start > first, "forgetting is no fresh start");
        if end == data.len() {
            return (skipped, None);
        }
        end = data.len().min(end + size().max(1));
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
