//! What a hostile or broken server sends, class by class: a typed error, the same however the
//! bytes arrive, or a value.

extern crate alloc;

mod support;

use respire_core::resp::{DecodeError, Kind, Limits, Over, ProtocolError, ProtocolError::*, Reply, Scanner};
use support::oracle::{self, Fault};
use support::{scan_everyway, show};

#[rustfmt::skip]
const ERRORS: &[(&str, &[u8], ProtocolError)] = &[
    // Lengths that no 64-bit number holds, or no limit allows.
    ("length, 2^64", b"$18446744073709551616\r\n", BadLength),
    ("length, forty digits", b"*1111111111111111111111111111111111111111\r\n", BadLength),
    ("length, 2^64 of an error", b"!18446744073709551616\r\n", BadLength),
    ("length, 2^64 of a verbatim", b"=18446744073709551616\r\n", BadLength),
    ("length, 2^64 of a chunk", b"$?\r\n;18446744073709551616\r\n", BadLength),
    ("length, 2^63-1", b"$9223372036854775807\r\n", TooLarge),
    ("length, 2^63+1", b"$9223372036854775809\r\n", TooLarge),
    ("length, 2^64-1: more than 19 digits", b"$18446744073709551615\r\n", BadLength),
    ("length, just over what is skipped", b"$2147483648\r\n", TooLarge),
    ("length of an error", b"!2147483648\r\n", TooLarge),
    ("length of a verbatim", b"=2147483648\r\ntxt:", TooLarge),
    ("length of a chunk", b"$?\r\n;2147483648\r\n", TooLarge),
    ("length, 2^32+3 is not 3", b"$4294967299\r\nabc\r\n", TooLarge),
    ("count, 2^32-1", b"*4294967295\r\n", TooLarge),
    ("count, 2^32+1 is not 1", b"*4294967297\r\n:1\r\n", TooLarge),
    ("count, 2^62 pairs", b"%4611686018427387904\r\n", TooLarge),
    ("count, 2^63 pairs wrap to none", b"%9223372036854775808\r\n", TooLarge),
    ("count, 2^63+1 attributes wrap to one", b"|9223372036854775809\r\n", TooLarge),
    ("count, pairs just over the limit", b"%357913942\r\n", TooLarge),
    ("count of a set", b"~715827883\r\n", TooLarge),
    ("count of a push", b">715827883\r\n", TooLarge),
    // Negative lengths.
    ("bulk of -2", b"$-2\r\n", BadLength),
    ("array of -2", b"*-2\r\n", BadLength),
    ("array of -10", b"*-10\r\n", BadLength),
    ("map of -1", b"%-1\r\n", BadLength),
    ("set of -1", b"~-1\r\n", BadLength),
    ("push of -1", b">-1\r\n", BadLength),
    ("attributes of -1", b"|-1\r\n", BadLength),
    ("verbatim of -1", b"=-1\r\n", BadLength),
    ("bulk error of -1", b"!-1\r\n", BadLength),
    ("chunk of -1", b"$?\r\n;-1\r\n", BadLength),
    // Spellings of numbers.
    ("length -0", b"$-0\r\n", BadLength),
    ("length +3", b"$+3\r\nabc\r\n", BadLength),
    ("length with a blank", b"$ 3\r\nabc\r\n", BadLength),
    ("length and a blank", b"$3 \r\nabc\r\n", BadLength),
    ("length with zeros", b"$03\r\nabc\r\n", BadLength),
    ("count with zeros", b"*00\r\n", BadLength),
    ("length without digits", b"$\r\n", BadLength),
    ("count without digits", b"*\r\n", BadLength),
    ("length in hexadecimal", b"$0x3\r\nabc\r\n", BadLength),
    ("integer with an underscore", b":1_0\r\n", BadInteger),
    ("integer without digits", b":\r\n", BadInteger),
    ("integer, a sign alone", b":-\r\n", BadInteger),
    ("integer, two signs", b":--1\r\n", BadInteger),
    ("integer with a blank", b": 1\r\n", BadInteger),
    ("integer with a point", b":1.5\r\n", BadInteger),
    ("integer, 2^63", b":9223372036854775808\r\n", BadInteger),
    ("integer, -2^63-1", b":-9223372036854775809\r\n", BadInteger),
    ("integer, zeros without end", b":0000000000000000000000000000000000000000000", BadInteger),
    ("null with something", b"_x\r\n", BadNull),
    ("null with a number", b"_0\r\n", BadNull),
    // Line ends.
    ("line, bare LF", b"+a\nb\r\n", BadLineEnd),
    ("line, bare CR", b"+a\rb\r\n", BadLineEnd),
    ("line, two CR", b"+a\r\r\n", BadLineEnd),
    ("error, bare LF", b"-ERR a\n", BadLineEnd),
    ("big number, bare LF", b"(12\n", BadLineEnd),
    ("double, CR and more", b",1.5\rx", BadLineEnd),
    ("double, bare LF", b",1.5\n", BadLineEnd),
    ("length, bare LF", b"$3\nabc\r\n", BadLength),
    ("length, CR and more", b"$3\rxabc\r\n", BadLength),
    ("count, bare LF", b"*1\n:1\r\n", BadLength),
    ("integer, bare LF", b":1\n", BadInteger),
    ("integer, CR and more", b":1\r:", BadInteger),
    ("null, bare LF", b"_\n", BadNull),
    ("null, CR and more", b"_\r_", BadNull),
    ("boolean, bare LF", b"#t\n", BadBoolean),
    ("null bulk, bare LF", b"$-1\n", BadLength),
    ("line feed first", b"\r\n+OK\r\n", UnknownType(b'\r')),
    // What follows a string.
    ("bulk, other terminator", b"$3\r\nabcXX", BadTerminator),
    ("bulk, no terminator", b"$3\r\nabc+OK\r\n", BadTerminator),
    ("bulk, CR and more", b"$3\r\nabc\r+", BadTerminator),
    ("bulk, longer than it says", b"$3\r\nabcd\r\n", BadTerminator),
    ("bulk of none with one", b"$0\r\na\r\n", BadTerminator),
    ("bulk error, other terminator", b"!3\r\nERR\n\r", BadTerminator),
    ("verbatim, other terminator", b"=5\r\ntxt:ab\r\n", BadTerminator),
    ("chunk, other terminator", b"$?\r\n;2\r\nabc\r\n", BadTerminator),
    // Doubles, booleans, verbatim strings.
    ("double, a word", b",abc\r\n", BadDouble),
    ("double, empty", b",\r\n", BadDouble),
    ("double, infinity in full", b",infinity\r\n", BadDouble),
    ("double, capital", b",Inf\r\n", BadDouble),
    ("double, NaN", b",NaN\r\n", BadDouble),
    ("double, comma", b",1,5\r\n", BadDouble),
    ("double, hexadecimal", b",0x10\r\n", BadDouble),
    ("double, blank", b",1.5 \r\n", BadDouble),
    ("double, two signs", b",--1\r\n", BadDouble),
    ("double, a point alone", b",.\r\n", BadDouble),
    ("double, not UTF-8", b",1\xff\r\n", BadDouble),
    ("double, digits without end", b",111111111111111111111111111111111111111111111111", BadDouble),
    ("boolean, another letter", b"#x\r\n", BadBoolean),
    ("boolean, a capital", b"#T\r\n", BadBoolean),
    ("boolean, empty", b"#\r\n", BadBoolean),
    ("boolean, a word", b"#true\r\n", BadBoolean),
    ("verbatim, no colon", b"=7\r\ntxt abc\r\n", BadVerbatim),
    ("verbatim, too short", b"=3\r\ntxt\r\n", BadVerbatim),
    ("verbatim, empty", b"=0\r\n\r\n", BadVerbatim),
    // Other protocols, other types.
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\n", UnknownType(b'H')),
    ("TLS alert", b"\x15\x03\x01\x00\x02\x02\x50", UnknownType(0x15)),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", UnknownType(b'S')),
    ("zero byte", b"\0", UnknownType(0)),
    ("unknown type inside", b"*2\r\n:1\r\n@\r\n", UnknownType(b'@')),
    ("inline command", b"PING\r\n", UnknownType(b'P')),
    // Pushes have their own place.
    ("push in an array", b"*1\r\n>1\r\n+a\r\n", NestedPush),
    ("push in EXEC", b"*3\r\n>3\r\n+subscribe\r\n+c1\r\n:1\r\n", NestedPush),
    ("push in a map", b"%1\r\n+k\r\n>0\r\n", NestedPush),
    ("push in a push", b">1\r\n>0\r\n", NestedPush),
    ("push in attributes", b"|1\r\n+k\r\n>0\r\n:1\r\n", NestedPush),
    ("push in a stream", b"*?\r\n>0\r\n.\r\n", NestedPush),
    ("attributes and push in an array", b"*1\r\n|1\r\n+a\r\n:1\r\n>1\r\n+x\r\n", NestedPush),
    // Streams.
    ("chunk without a stream", b";3\r\nabc\r\n", BadStream),
    ("end without a stream", b".\r\n", BadStream),
    ("end in a counted array", b"*1\r\n.\r\n", BadStream),
    ("end behind attributes", b"*?\r\n|1\r\n+a\r\n+b\r\n.\r\n", BadStream),
    ("end inside a counted array in a stream", b"*?\r\n*2\r\n:1\r\n.\r\n", BadStream),
    ("end with something", b"*?\r\n.x\r\n", BadStream),
    ("streamed map, a key without value", b"%?\r\n+a\r\n.\r\n", BadStream),
    ("streamed map, three values", b"%?\r\n+a\r\n+b\r\n*?\r\n+d\r\n.\r\n.\r\n", BadStream),
    ("streamed map, attributes and a key", b"%?\r\n|1\r\n+a\r\n+b\r\n+k\r\n.\r\n", BadStream),
    ("streamed string, other than chunks", b"$?\r\n+a\r\n", BadStream),
    ("streamed string, end of an array", b"$?\r\n.\r\n", BadStream),
    ("streamed push", b">?\r\n.\r\n", BadLength),
    ("streamed error", b"!?\r\n;0\r\n", BadLength),
    ("streamed attributes", b"|?\r\n.\r\n", BadLength),
];

#[rustfmt::skip]
const VALUES: &[(&str, &[u8], &str)] = &[
    ("a null bulk in RESP3", b"%1\r\n+k\r\n$-1\r\n", r#"map(2) "k" nil"#),
    ("a null array in RESP3", b"~1\r\n*-1\r\n", "set(1) nil"),
    ("a null in RESP2", b"*1\r\n_\r\n", "array(1) nil"),
    ("error text that is not UTF-8", b"-ERR \xc3\x28 \xff\0\r\n", r"ServerError(ERR \xc3( \xff\u{0})"),
    ("error text for a terminal", b"-ERR \x1b[2J\x07\r\n", r"ServerError(ERR \u{1b}[2J\u{7})"),
    ("a key that is not a number", b"%1\r\n,nan\r\n,nan\r\n", "map(2) nan nan"),
    ("CRLF at the end of a payload", b"$2\r\n\r\n\r\n", r#""\r\n""#),
];

/// S1-CONN-05: what breaks the protocol has a name.
#[test]
fn every_error_is_the_same_however_it_arrives() {
    for &(name, bytes, error) in ERRORS {
        assert_eq!(scan_everyway(bytes), Err(error), "{name}: {}", show(bytes));
        assert!(oracle::parse(bytes).is_err(), "{name}: the oracle takes it");
        assert!(Reply::parse(bytes).is_none(), "{name}");
    }
}

/// S1-CONN-05: and it is told at the first byte that shows it.
#[test]
fn no_error_comes_too_late() {
    // Where the naive reader knows that no byte can mend it, the scanner knows, too.
    for &(name, bytes, error) in ERRORS {
        for end in 0..=bytes.len() {
            let found = support::scan_at(&bytes[..end], []);
            assert!(found == Ok(None) || found == Err(error), "{name} at {end}: {found:?}");
            if oracle::parse(&bytes[..end]) == Err(Fault::Bad) {
                assert_eq!(found, Err(error), "{name} at {end}");
            }
        }
    }
}

#[test]
fn an_error_inside_an_aggregate_or_behind_a_reply_is_the_same() {
    for &(name, bytes, error) in ERRORS {
        let first = [b"$2\r\nok\r\n", bytes].concat();
        let mut scanner = Scanner::new(Limits::SERVER);
        let frame = scanner.scan(&first).unwrap().unwrap();
        assert_eq!(scanner.scan(&first[frame.len..]), Err(error), "{name}");
        let inside = [b"*3\r\n:1\r\n", bytes].concat();
        let expected = match (bytes[0], error) {
            (b'>', BadLength | TooLarge | NestedPush) => NestedPush,
            _ => error,
        };
        assert_eq!(scan_everyway(&inside), Err(expected), "{name}, inside");
    }
}

#[test]
fn odd_values_are_values() {
    for &(name, bytes, reads) in VALUES {
        let frame = scan_everyway(bytes).unwrap().unwrap();
        assert_eq!(format!("{:?}", Reply::new(bytes, frame)), reads, "{name}");
    }
}

#[test]
fn a_line_without_end_is_cut_off() {
    // An interpreter takes its time.
    let most = if cfg!(miri) { 600 } else { Limits::SERVER.line };
    let (limits, most) = (Limits { line: most, ..Limits::SERVER }, most as usize);
    let step = most / 65;
    for tag in [b'+', b'-', b'('] {
        let mut bytes = vec![b'a'; most + 2];
        bytes[0] = tag;
        let mut scanner = Scanner::new(limits);
        assert_eq!(scanner.scan(&bytes[..=most]), Ok(None), "64 KiB are allowed");
        assert_eq!(scanner.scan(&bytes), Err(LineTooLong));
        assert_eq!(support::scan_under(limits, &bytes, (0..bytes.len()).step_by(step)), Err(LineTooLong));
        bytes.truncate(most + 1);
        bytes.extend_from_slice(b"\r\n");
        assert_eq!(Reply::parse(&bytes).map(|reply| reply.error().is_some()), Some(tag == b'-'));
        bytes.insert(1, b'a');
        assert_eq!(
            support::scan_under(limits, &bytes, []),
            Err(LineTooLong),
            "the end is there, but too far"
        );
        assert_eq!(support::scan_under(limits, &bytes, (0..bytes.len()).step_by(step - 1)), Err(LineTooLong));
    }
}

/// What a reply of these bytes is over, scanned whole and in every way that it can be cut once.
fn over(limits: Limits, bytes: &[u8]) -> Option<Over> {
    let whole = Scanner::new(limits).scan(bytes).unwrap().expect("a whole reply");
    for cut in 0..bytes.len() {
        let mut scanner = Scanner::new(limits);
        assert_eq!(scanner.scan(&bytes[..cut]), Ok(None), "cut at {cut}");
        let begun = scanner.over();
        assert!(begun.is_none() || begun == whole.over);
        assert_eq!(scanner.scan(bytes), Ok(Some(whole)), "cut at {cut}");
        assert_eq!(scanner.over(), None, "the next reply");
    }
    assert_eq!(whole.len, bytes.len());
    whole.over
}

/// S0-SEC-03: replies have limits, to the byte.
#[test]
fn limits_are_kept_to_the_byte() {
    let limits = Limits { line: 3, bulk: 4, elements: 2, total: 4, depth: 2, frame: 36, skip: 1000 };
    let over = |bytes: &[u8]| over(limits, bytes);
    let line = |bytes: &[u8]| Scanner::new(limits).scan(bytes);
    assert_eq!(over(b"+abc\r\n"), None);
    assert_eq!(line(b"+abcd"), Err(LineTooLong));
    assert_eq!(over(b"$4\r\nabcd\r\n"), None);
    assert_eq!(over(b"$5\r\nabcde\r\n"), Some(Over::Bulk));
    assert_eq!(over(b"!5\r\nabcde\r\n"), Some(Over::Bulk));
    assert_eq!(over(b"=5\r\ntxt:a\r\n"), Some(Over::Bulk));
    assert_eq!(over(b"$?\r\n;5\r\nabcde\r\n;0\r\n"), Some(Over::Bulk));
    assert_eq!(over(b"*2\r\n:1\r\n:2\r\n"), None);
    assert_eq!(over(b"*3\r\n:1\r\n:2\r\n:3\r\n"), Some(Over::Elements));
    assert_eq!(over(b"%1\r\n:1\r\n:2\r\n"), None);
    assert_eq!(over(b"%2\r\n:1\r\n:2\r\n:3\r\n:4\r\n"), Some(Over::Elements));
    assert_eq!(over(b"|2\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n"), Some(Over::Elements));
    assert_eq!(over(b"*2\r\n*1\r\n:1\r\n*1\r\n:1\r\n"), None);
    assert_eq!(over(b"*2\r\n*1\r\n:1\r\n*2\r\n:1\r\n:2\r\n"), Some(Over::Total));
    assert_eq!(over(b"*?\r\n:1\r\n:2\r\n:3\r\n:4\r\n.\r\n"), None, "no count, no limit of one aggregate");
    assert_eq!(over(b"*?\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n.\r\n"), Some(Over::Total));
    assert_eq!(over(b"*1\r\n*1\r\n*0\r\n"), None, "nothing is inside the third");
    assert_eq!(over(b"*2\r\n*1\r\n*1\r\n:1\r\n:2\r\n"), Some(Over::Depth));
    assert_eq!(over(b"*1\r\n*1\r\n|1\r\n:1\r\n:2\r\n:3\r\n"), Some(Over::Depth));
    assert_eq!(over(b"|1\r\n:1\r\n*1\r\n*1\r\n:1\r\n$1\r\na\r\n"), Some(Over::Depth), "in an attribute");
    assert_eq!(over(&[&b"*2\r\n"[..], &b"$4\r\nabcd\r\n".repeat(2)].concat()), None);
    assert_eq!(over(b"*2\r\n*2\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n$4\r\nabcd\r\n"), Some(Over::Frame));
}

#[test]
fn what_is_over_a_limit_keeps_its_kind_and_its_end() {
    let limits = Limits { elements: 1, depth: 1, ..Limits::SERVER };
    for (bytes, kind) in [
        (&b"*3\r\n:1\r\n%1\r\n+a\r\n_\r\n$1\r\na\r\n"[..], Kind::Array),
        (b"|3\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n*1\r\n:7\r\n%1\r\n:1\r\n:2\r\n", Kind::Map),
        (b"|3\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n#t\r\n", Kind::Boolean),
        (b"~1\r\n*1\r\n*1\r\n*2\r\n:1\r\n:2\r\n", Kind::Set),
        (b">2\r\n+a\r\n+b\r\n", Kind::Push),
    ] {
        assert!(over(limits, bytes).is_some());
        let frame = Scanner::new(limits).scan(bytes).unwrap().unwrap();
        assert_eq!(frame.kind, kind);
        let reply = Reply::new(bytes, frame);
        assert_eq!((reply.kind(), Some(reply)), (kind, Reply::parse(bytes)));
    }
    assert_eq!(Scanner::new(limits).scan(b"*2\r\n>0\r\n"), Err(NestedPush));
}

#[test]
fn no_more_is_skipped_than_is_allowed() {
    let limits = Limits { bulk: 4, elements: 2, depth: 1, skip: 50, ..Limits::SERVER };
    let scan = |bytes: &[u8]| Scanner::new(limits).scan(bytes);
    assert_eq!(scan(b"$43\r\n"), Ok(None), "5 and 43 bytes, and a line end");
    assert_eq!(scan(b"$44\r\n"), Err(TooLarge));
    assert_eq!(scan(b"*15\r\n"), Ok(None), "5 bytes, and 15 values of three at least");
    assert_eq!(scan(b"*16\r\n"), Err(TooLarge));
    let deep = b"*1\r\n".repeat(20);
    assert_eq!(scan(&deep[..44]), Ok(None));
    assert_eq!(scan(&deep[..48]), Err(TooLarge));
    let attributes = b"|0\r\n".repeat(20);
    let limits = Limits { frame: 30, skip: 50, ..Limits::SERVER };
    assert_eq!(Scanner::new(limits).scan(&attributes[..44]), Ok(None));
    assert_eq!(Scanner::new(limits).scan(&attributes), Err(TooLarge), "attributes of nothing");
}

#[test]
fn what_may_just_be_skipped_is_skipped_at_every_cut() {
    for bytes in [
        &b"*2\r\n$5\r\nhello\r\n$5\r\nhello\r\n"[..],
        b"*2\r\n+hello\r\n-hello\r\n",
        b"*2\r\n=9\r\ntxt:hello\r\n(12345\r\n",
        b"*2\r\n:1\r\n$?\r\n;5\r\nhello\r\n;0\r\n",
        b"$5\r\nhello\r\n",
        b"+hello\r\n",
    ] {
        let skip = bytes.len() as u64;
        let limits = Limits { elements: 1, frame: 5, skip, ..Limits::SERVER };
        assert!(over(limits, bytes).is_some(), "{}", bytes.escape_ascii());
        let limits = Limits { skip: skip - 1, ..limits };
        assert_eq!(Scanner::new(limits).scan(bytes), Err(TooLarge), "{}", bytes.escape_ascii());
    }
}

#[test]
fn streams_are_as_deep_as_other_aggregates() {
    let deepest = Limits::MAX_DEPTH;
    for depth in [5, deepest, deepest + 1] {
        let bytes = [b"*?\r\n".repeat(depth), b":1\r\n".to_vec(), b".\r\n".repeat(depth)].concat();
        let found = support::scan_at(&bytes, 0..bytes.len());
        if depth > deepest {
            assert_eq!(found, Err(StreamTooDeep));
        } else {
            let reply = Reply::new(&bytes, found.unwrap().unwrap());
            assert_eq!(reply.preorder().count(), 2 * depth + 1);
        }
    }
    let limits = Limits { depth: 1, ..Limits::SERVER };
    assert_eq!(Scanner::new(limits).scan(b"*2\r\n*1\r\n:1\r\n*?\r\n"), Err(StreamTooDeep), "over a limit");
}

#[test]
fn attributes_without_end_never_become_a_reply() {
    let many = if cfg!(miri) { 200 } else { 10_000 };
    let bytes = b"|1\r\n+a\r\n:1\r\n".repeat(many);
    assert_eq!(support::scan_at(&bytes, (0..bytes.len()).step_by(1009)), Ok(None));
    let nested = b"|1\r\n".repeat(many);
    assert_eq!(support::scan_at(&nested, (0..nested.len()).step_by(1009)), Ok(None));
}

#[test]
fn counts_are_promises_and_cost_nothing() {
    // Each level owes as much as the limit allows: 2^28 values of 2^28 values, and so on.
    let bytes = b"*268435456\r\n".repeat(2000);
    let limits = Limits { skip: u64::MAX, ..Limits::SERVER };
    assert_eq!(Scanner::new(limits).scan(&bytes[..15 * 12]), Ok(None), "less than 2^32 values");
    assert_eq!(Scanner::new(limits).scan(&bytes), Err(TooLarge), "nothing overflows");
    assert_eq!(support::scan_at(&bytes, []), Err(TooLarge));
    assert_eq!(support::scan_at(b"*268435456\r\n:1\r\n", []), Ok(None));
}

#[test]
fn a_reply_of_another_shape_fails_alone() {
    let reply = |bytes| Reply::parse(bytes).unwrap();
    let odd = reply(b"*3\r\n+a\r\n+b\r\n+c\r\n");
    let pairs: Vec<_> = odd.pairs().unwrap().cast::<&str, &str>().collect();
    assert_eq!(pairs, [Ok(("a", "b")), Err(DecodeError::Length { expected: 2 })]);
    let mixed = reply(b"*6\r\n+a\r\n:1\r\n:2\r\n:3\r\n:4\r\n+b\r\n");
    let pairs: Vec<_> = mixed.pairs().unwrap().cast::<u8, u8>().collect();
    let bad = Err(DecodeError::NotANumber);
    assert_eq!(pairs, [bad, Ok((2, 3)), bad], "a key that is none takes its value along");
    let holed = reply(b"*3\r\n:1\r\n$-1\r\n:3\r\n");
    let numbers: Vec<_> = holed.elements().unwrap().cast::<i64>().collect();
    assert_eq!(numbers[0], Ok(1));
    assert!(matches!(numbers[1], Err(DecodeError::Unexpected { .. })));
    assert_eq!(numbers[2], Ok(3), "the element behind is in its place");
    let failed = reply(b"*2\r\n-WRONGTYPE no list\r\n*2\r\n:1\r\n:2\r\n");
    let results: Vec<_> = failed.elements().unwrap().cast::<[i64; 2]>().collect();
    assert!(results[0].is_err());
    assert_eq!(results[1], Ok([1, 2]));
}
