//! A second opinion on RESP3: the parser of the crate `redis-protocol`, for the target `differential`.

use std::collections::BTreeSet;

use redis_protocol::resp3::decode::complete::decode;
use redis_protocol::resp3::types::{OwnedFrame, VerbatimStringFormat};
use respire_core::resp::{Kind, Reply};

/// How many bytes the other parser takes of a whole frame; nothing if it declines. Where it takes the
/// frame, it has read the same value.
///
/// It recurses, so it is not asked about frames that may be nested deeper than [`DEPTH`].
///
/// # Panics
/// If it has read another value.
pub fn second_opinion(frame: &[u8]) -> Option<usize> {
    let reply = Reply::parse(frame)?;
    if !is_shallow(frame, reply) {
        return None;
    }
    let (value, len) = decode(frame).ok()??;
    let mut twice = false;
    let ours = ours(reply, &mut twice);
    assert!(twice || ours == theirs(&value), "{ours} or {value:?}");
    Some(len)
}

/// How deep the other parser is sent.
pub const DEPTH: usize = 60;

/// What is RESP and the other parser declines, and why.
pub const DECLINED: &[(&[u8], &str)] = &[
    (b"$-1\r\n", "a null of RESP2 begins a stream"),
    (b"*-1\r\n", "a null of RESP2 begins a stream"),
    (b"*1\r\n$-1\r\n", "nor may it stand inside"),
    (b"$?\r\n;1\r\na\r\n;0\r\n", "a stream is told in parts, not as a frame"),
    (b"*?\r\n.\r\n", "a stream is told in parts, not as a frame"),
    (b"|1\r\n+a\r\n:1\r\n_\r\n", "a null has no attributes"),
    (b"|0\r\n|0\r\n:1\r\n", "attributes stand in front of values only"),
    (b"-ERR \xff\r\n", "errors are UTF-8"),
    (b"=5\r\nabc:x\r\n", "the formats are txt and mkd"),
    (b"%1\r\n*0\r\n:1\r\n", "a key must have a hash"),
    (b"~1\r\n%0\r\n", "a member must have a hash"),
];

/// Whether the frame is certainly no deeper than [`DEPTH`]. Attributes are not seen from outside, so
/// with them every header may be one level.
fn is_shallow(frame: &[u8], reply: Reply<'_>) -> bool {
    let starts = |tags: &[u8]| {
        let first = frame.first().is_some_and(|tag| tags.contains(tag));
        let rest = frame.windows(2).filter(|pair| pair[0] == b'\n' && tags.contains(&pair[1]));
        usize::from(first) + rest.count()
    };
    starts(b"*%~>|") <= DEPTH || starts(b"|") == 0 && is_within(reply, DEPTH)
}

fn is_within(reply: Reply<'_>, depth: usize) -> bool {
    let Some(elements) = reply.elements() else { return true };
    depth > 0 && elements.flatten().all(|element| is_within(element, depth - 1))
}

/// A value as text, with what the other parser keeps: no order in sets and maps, and no member twice.
/// `twice` becomes true if a map has a key twice: which of the two values it keeps is left to chance.
fn ours(reply: Reply<'_>, twice: &mut bool) -> String {
    let text =
        || reply.chunks().map(|chunks| chunks.flatten().copied().collect::<Vec<u8>>()).unwrap_or_default();
    let elements = reply.elements().into_iter().flatten().flatten();
    let inside = elements.map(|element| ours(element, twice)).collect::<Vec<_>>();
    match reply.kind() {
        Kind::Null => "null".into(),
        Kind::Integer => format!("integer {:?}", reply.as_integer()),
        Kind::Double => format!("double {:?}", reply.as_double()),
        Kind::Boolean => format!("boolean {:?}", reply.as_boolean()),
        Kind::Error | Kind::BulkError => show("error", reply.error().unwrap().text()),
        Kind::Verbatim => format!("{} {}", reply.format().unwrap().escape_ascii(), show("verbatim", &text())),
        Kind::Simple => show("simple", &text()),
        Kind::Bulk => show("bulk", &text()),
        Kind::BigNumber => show("number", &text()),
        Kind::Array => list("array", inside),
        Kind::Push => list("push", inside),
        Kind::Set => unordered("set", inside),
        Kind::Map => {
            let keys: BTreeSet<&String> = inside.iter().step_by(2).collect();
            *twice |= keys.len() < inside.len() / 2;
            let pairs = inside.chunks(2).map(|pair| format!("{} => {}", pair[0], pair[1]));
            unordered("map", pairs.collect())
        }
    }
}

fn theirs(frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Null => "null".into(),
        OwnedFrame::Number { data, .. } => format!("integer {:?}", Some(data)),
        OwnedFrame::Double { data, .. } => format!("double {:?}", Some(data)),
        OwnedFrame::Boolean { data, .. } => format!("boolean {:?}", Some(data)),
        OwnedFrame::SimpleError { data, .. } => show("error", data.as_bytes()),
        OwnedFrame::BlobError { data, .. } => show("error", data),
        OwnedFrame::SimpleString { data, .. } => show("simple", data),
        OwnedFrame::BlobString { data, .. } => show("bulk", data),
        OwnedFrame::BigNumber { data, .. } => show("number", data),
        OwnedFrame::VerbatimString { data, format, .. } => {
            let format = if *format == VerbatimStringFormat::Text { "txt" } else { "mkd" };
            format!("{format} {}", show("verbatim", data))
        }
        OwnedFrame::Array { data, .. } => list("array", data.iter().map(theirs).collect()),
        OwnedFrame::Push { data, .. } => list("push", data.iter().map(theirs).collect()),
        OwnedFrame::Set { data, .. } => unordered("set", data.iter().map(theirs).collect()),
        OwnedFrame::Map { data, .. } => {
            let pairs = data.iter().map(|(key, value)| format!("{} => {}", theirs(key), theirs(value)));
            unordered("map", pairs.collect())
        }
        other => format!("{other:?}"),
    }
}

fn show(kind: &str, bytes: &[u8]) -> String {
    format!("{kind} {}", bytes.escape_ascii())
}

fn unordered(kind: &str, mut items: Vec<String>) -> String {
    items.sort();
    items.dedup();
    list(kind, items)
}

fn list(kind: &str, items: Vec<String>) -> String {
    format!("{kind} [{}]", items.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declined_is_resp() {
        for (frame, why) in DECLINED {
            assert!(Reply::parse(frame).is_some(), "{}", frame.escape_ascii());
            assert_eq!(second_opinion(frame), None, "{}: {why}", frame.escape_ascii());
        }
    }

    #[test]
    fn most_vectors_are_not_declined() {
        let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/differential");
        let (mut asked, mut agreed) = (0, 0);
        for entry in std::fs::read_dir(corpus).unwrap() {
            let data = std::fs::read(entry.unwrap().path()).unwrap();
            let counted = std::cell::Cell::new((0, 0));
            respire_core::fuzzing::differential(&data, |frame| {
                let opinion = second_opinion(frame);
                let (asked, agreed) = counted.get();
                counted.set((asked + 1, agreed + usize::from(opinion.is_some())));
                opinion
            });
            asked += counted.get().0;
            agreed += counted.get().1;
        }
        assert!(agreed * 3 > asked * 2, "{agreed} of {asked}");
    }
}
