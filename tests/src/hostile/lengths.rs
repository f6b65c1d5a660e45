//! Classes 1, 5, 6 and 7: numbers that are none, and nulls.

use respire_core::resp::DecodeError::Unexpected;
use respire_core::resp::Kind;
use respire_core::resp::ProtocolError::{BadInteger, BadLength, BadNull};

use super::Outcome::{Decode, Fatal, Reads};
use super::{Ask, Attack, Spoken};

#[rustfmt::skip]
pub(super) const TABLE: &[Attack] = &[
    Attack::new(1, "length-2-64", b"$18446744073709551616\r\n", Fatal(BadLength)),
    Attack::new(1, "length-2-64-minus-1", b"$18446744073709551615\r\n", Fatal(BadLength)),
    Attack::new(1, "length-2-64-of-an-error", b"!18446744073709551616\r\n", Fatal(BadLength)),
    Attack::new(1, "length-2-64-of-a-verbatim", b"=18446744073709551616\r\n", Fatal(BadLength)),
    Attack::new(1, "count-2-64-of-a-map", b"%18446744073709551616\r\n", Fatal(BadLength)),
    Attack::new(1, "count-2-64-of-a-push", b">18446744073709551616\r\n", Fatal(BadLength)),
    Attack::new(1, "count-of-forty-digits", b"*1111111111111111111111111111111111111111\r\n", Fatal(BadLength)),
    Attack::new(1, "chunk-2-64", b"$?\r\n;18446744073709551616\r\n", Fatal(BadLength)),
    Attack::new(1, "integer-2-63", b":9223372036854775808\r\n", Fatal(BadInteger)),
    Attack::long(1, "digits-without-end", &[(b"$", 1), (b"1", u64::MAX)], Fatal(BadLength)),
    Attack::long(1, "integer-without-end", &[(b":", 1), (b"0", u64::MAX)], Fatal(BadInteger)),

    Attack::new(5, "bulk-of-minus-2", b"$-2\r\n", Fatal(BadLength)),
    Attack::new(5, "array-of-minus-2", b"*-2\r\n", Fatal(BadLength)),
    Attack::new(5, "map-of-minus-1", b"%-1\r\n", Fatal(BadLength)),
    Attack::new(5, "set-of-minus-1", b"~-1\r\n", Fatal(BadLength)),
    Attack::new(5, "set-of-minus-5", b"~-5\r\n", Fatal(BadLength)),
    Attack::new(5, "push-of-minus-1", b">-1\r\n", Fatal(BadLength)),
    Attack::new(5, "attributes-of-minus-1", b"|-1\r\n", Fatal(BadLength)),
    Attack::new(5, "verbatim-of-minus-1", b"=-1\r\n", Fatal(BadLength)),
    Attack::new(5, "bulk-error-of-minus-1", b"!-1\r\n", Fatal(BadLength)),
    Attack::new(5, "chunk-of-minus-1", b"$?\r\n;-1\r\n", Fatal(BadLength)),
    Attack::new(5, "minus-1-inside", b"*2\r\n:1\r\n%-1\r\n", Fatal(BadLength)),

    Attack::new(6, "length-minus-0", b"$-0\r\n\r\n", Fatal(BadLength)),
    Attack::new(6, "length-plus-3", b"$+3\r\nabc\r\n", Fatal(BadLength)),
    Attack::new(6, "length-blank-3", b"$ 3\r\nabc\r\n", Fatal(BadLength)),
    Attack::new(6, "length-3-blank", b"$3 \r\nabc\r\n", Fatal(BadLength)),
    Attack::new(6, "length-03", b"$03\r\nabc\r\n", Fatal(BadLength)),
    Attack::new(6, "count-00", b"*00\r\n", Fatal(BadLength)),
    Attack::new(6, "length-hexadecimal", b"$0x3\r\nabc\r\n", Fatal(BadLength)),
    Attack::new(6, "length-of-nothing", b"$\r\n", Fatal(BadLength)),
    Attack::new(6, "count-of-nothing", b"*\r\n", Fatal(BadLength)),
    Attack::new(6, "integer-underscore", b":1_0\r\n", Fatal(BadInteger)),
    Attack::new(6, "integer-two-signs", b":--1\r\n", Fatal(BadInteger)),
    Attack::new(6, "integer-point", b":1.5\r\n", Fatal(BadInteger)),
    Attack::new(6, "integer-plus", b":+7\r\n", Reads("7")).asked(Ask::Integer),

    Attack::new(7, "null-bulk", b"$-1\r\n", Reads("nil")),
    Attack::new(7, "null-array", b"*-1\r\n", Reads("nil")),
    Attack::new(7, "null-of-resp3-in-resp2", b"_\r\n", Reads("nil")).only(Spoken::Resp2),
    Attack::new(7, "nulls-of-both-inside", b"*4\r\n_\r\n$-1\r\n*-1\r\n:1\r\n", Reads("[None, None, None, Some(1)]")).asked(Ask::Holes),
    Attack::new(7, "null-for-a-number", b"*-1\r\n", Decode(Unexpected { expected: "an integer", found: Kind::Null })).asked(Ask::Integer),
    Attack::new(7, "null-with-something", b"_x\r\n", Fatal(BadNull)),
    Attack::new(7, "null-with-a-number", b"_0\r\n", Fatal(BadNull)),
];
