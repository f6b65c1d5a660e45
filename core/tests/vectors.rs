//! Every type of the protocol, in every way its bytes can arrive, against a naive reader.

extern crate alloc;

mod support;
#[path = "vectors/table.rs"]
mod table;

use respire_core::resp::{Kind, Reply, Visit};
use support::oracle::{self, Tree};
use support::{scan_everyway, show, skip_byte_by_byte};
use table::{VECTORS, Vector};

/// S1-CONN-05: all types of RESP2 and RESP3, also streamed ones and what stands in front of others.
#[test]
fn every_vector_is_one_frame_however_it_arrives() {
    for Vector { name, bytes, reads } in VECTORS {
        let frame = scan_everyway(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let frame = frame.unwrap_or_else(|| panic!("{name}: not whole"));
        assert_eq!(frame.len, bytes.len(), "{name}");
        let reply = Reply::new(bytes, frame);
        assert_eq!(reply.kind(), frame.kind, "{name}");
        assert_eq!(format!("{reply:?}"), *reads, "{name}");
        assert_eq!(Reply::parse(bytes), Some(reply), "{name}");
    }
}

/// S1-CONN-05: and each is read as a naive reader reads it.
#[test]
fn every_vector_reads_as_the_oracle_says() {
    for Vector { name, bytes, .. } in VECTORS {
        let (tree, len) = oracle::parse(bytes).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        assert_eq!(len, bytes.len(), "{name}");
        assert_eq!(Tree::of(Reply::parse(bytes).unwrap()), tree, "{name}");
    }
}

#[test]
fn no_shorter_piece_of_a_vector_is_a_frame() {
    for Vector { name, bytes, .. } in VECTORS {
        for end in 0..bytes.len() {
            let piece = &bytes[..end];
            assert_eq!(support::scan_at(piece, []), Ok(None), "{name}: {}", show(piece));
            assert_eq!(oracle::parse(piece), Err(oracle::Fault::Short), "{name}: {}", show(piece));
        }
    }
}

#[test]
fn frames_in_a_row_do_not_touch_each_other() {
    for first in VECTORS {
        // An interpreter takes its time.
        for second in VECTORS.iter().step_by(if cfg!(miri) { 23 } else { 1 }) {
            let both = [first.bytes, second.bytes].concat();
            let frame = support::scan_at(&both, []).unwrap().unwrap();
            assert_eq!(frame.len, first.bytes.len(), "{} then {}", first.name, second.name);
            let reply = Reply::new(&both, frame);
            assert_eq!(format!("{reply:?}"), first.reads, "{} then {}", first.name, second.name);
        }
    }
}

#[test]
fn a_vector_can_be_skipped_without_keeping_it() {
    for Vector { name, bytes, .. } in VECTORS {
        let kind = Reply::parse(bytes).unwrap().kind();
        assert_eq!(skip_byte_by_byte(bytes), Ok(Some((kind, bytes.len()))), "{name}");
    }
}

#[test]
fn accessors_answer_for_their_kind_only() {
    for Vector { name, bytes, .. } in VECTORS {
        let reply = Reply::parse(bytes).unwrap();
        let kind = reply.kind();
        let streamed = bytes.starts_with(b"$?");
        let text = matches!(kind, Kind::Simple | Kind::Bulk | Kind::Verbatim | Kind::BigNumber);
        let number = matches!(kind, Kind::Integer | Kind::Double);
        assert_eq!(reply.as_bytes().is_some(), (text || number) && !streamed, "{name}");
        assert_eq!(reply.chunks().is_some(), text || number, "{name}");
        assert_eq!(reply.as_integer().is_some(), kind == Kind::Integer, "{name}");
        assert_eq!(reply.as_double().is_some(), kind == Kind::Double, "{name}");
        assert_eq!(reply.as_boolean().is_some(), kind == Kind::Boolean, "{name}");
        assert_eq!(reply.format().is_some(), kind == Kind::Verbatim, "{name}");
        assert_eq!(reply.error().is_some(), kind.is_error(), "{name}");
        assert_eq!(reply.is_null(), kind == Kind::Null, "{name}");
        assert_eq!(reply.elements().is_some(), kind.is_aggregate(), "{name}");
        assert_eq!(reply.pairs().is_some(), matches!(kind, Kind::Map | Kind::Array), "{name}");
    }
}

#[test]
fn elements_and_preorder_meet_the_same_values() {
    fn walk(reply: Reply<'_>, seen: &mut Vec<String>) {
        let elements = reply.elements();
        match &elements {
            Some(elements) => seen.push(format!("{:?} of {:?}", reply.kind(), elements.remaining())),
            None => seen.push(format!("{reply:?}")),
        }
        let streamed = elements.as_ref().is_some_and(|elements| elements.remaining().is_none());
        for element in elements.into_iter().flatten() {
            walk(element.unwrap(), seen);
        }
        if streamed {
            seen.push("end".into());
        }
    }
    for Vector { name, bytes, .. } in VECTORS {
        let reply = Reply::parse(bytes).unwrap();
        let mut seen = Vec::new();
        walk(reply, &mut seen);
        let told: Vec<String> = reply
            .preorder()
            .map(|visit| match visit {
                Visit::End => "end".into(),
                Visit::Value(value) => match value.elements() {
                    Some(elements) => format!("{:?} of {:?}", value.kind(), elements.remaining()),
                    None => format!("{value:?}"),
                },
            })
            .collect();
        assert_eq!(told, seen, "{name}");
    }
}

#[test]
fn replies_are_equal_when_they_say_the_same() {
    let same = |a: &[u8], b: &[u8]| Reply::parse(a).unwrap() == Reply::parse(b).unwrap();
    for (at, a) in VECTORS.iter().enumerate() {
        for (other, b) in VECTORS.iter().enumerate().step_by(if cfg!(miri) { 23 } else { 1 }) {
            // Only the two spellings of one value read alike.
            let alike = at == other
                || a.reads == b.reads
                    && Reply::parse(a.bytes).unwrap().kind() == Reply::parse(b.bytes).unwrap().kind();
            assert_eq!(same(a.bytes, b.bytes), alike, "{} and {}", a.name, b.name);
        }
    }
    assert!(same(b"$?\r\n;1\r\na\r\n;0\r\n", b"$1\r\na\r\n"));
    assert!(!same(b"=5\r\ntxt:a\r\n", b"=5\r\nmkd:a\r\n"), "the format is part of the value");
    assert!(!same(b"+a\r\n", b"$1\r\na\r\n"), "kinds count");
    assert!(same(b":+1\r\n", b":1\r\n"), "one number");
}
