//! Classes 11, 12, 21 and 22: attributes, streams, nested pushes, and shapes that nobody expects.

use respire_core::resp::DecodeError::{Length, NotANumber, Unexpected};
use respire_core::resp::Kind;
use respire_core::resp::ProtocolError::{BadLength, BadStream, NestedPush};

use super::Outcome::{Decode, Fatal, Reads, Stalls};
use super::{Ask, Attack, Manner};

#[rustfmt::skip]
pub(super) const TABLE: &[Attack] = &[
    Attack::new(11, "attributes-in-front", b"|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n", Reads(r#""v""#)),
    Attack::new(11, "attributes-of-each", b"*3\r\n|1\r\n+a\r\n:1\r\n:1\r\n|1\r\n+a\r\n:2\r\n:2\r\n|1\r\n+a\r\n:3\r\n:3\r\n", Reads("[1, 2, 3]")).asked(Ask::Integers),
    Attack::new(11, "attributes-of-attributes", b"|1\r\n|1\r\n+a\r\n:1\r\n+k\r\n|1\r\n+b\r\n:2\r\n*1\r\n:3\r\n+v\r\n", Reads(r#""v""#)),
    Attack::new(11, "attributes-of-keys", b"%1\r\n|1\r\n+a\r\n:1\r\n+k\r\n|1\r\n+a\r\n:1\r\n+v\r\n", Reads(r#"{"k": "v"}"#)).asked(Ask::Map),
    Attack::new(11, "attributes-of-nothing", b"|1\r\n+a\r\n:1\r\n", Stalls).comes(Manner::Last),
    Attack::new(11, "attributes-empty", b"|0\r\n|0\r\n|0\r\n:7\r\n", Reads("7")).asked(Ask::Integer),
    Attack::new(11, "attributes-with-an-error", b"|1\r\n+a\r\n-ERR inside\r\n+fine\r\n", Reads(r#""fine""#)),

    Attack::new(12, "streamed-string", b"$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;2\r\nld\r\n;0\r\n", Reads(r#""Hello world""#)).asked(Ask::Text),
    Attack::new(12, "streamed-array", b"*?\r\n:1\r\n:2\r\n.\r\n", Reads("[1, 2]")).asked(Ask::Integers),
    Attack::new(12, "streamed-map", b"%?\r\n+a\r\n+b\r\n.\r\n", Reads(r#"{"a": "b"}"#)).asked(Ask::Map),
    Attack::new(12, "streamed-set", b"~?\r\n.\r\n", Reads("[]")).asked(Ask::Integers),
    Attack::new(12, "chunk-of-no-stream", b";3\r\nabc\r\n", Fatal(BadStream)),
    Attack::new(12, "end-of-no-stream", b".\r\n", Fatal(BadStream)),
    Attack::new(12, "end-of-a-counted-array", b"*1\r\n.\r\n", Fatal(BadStream)),
    Attack::new(12, "streamed-map-half-a-pair", b"%?\r\n+a\r\n.\r\n", Fatal(BadStream)),
    Attack::new(12, "streamed-push", b">?\r\n.\r\n", Fatal(BadLength)),
    Attack::new(12, "streamed-attributes", b"|?\r\n.\r\n", Fatal(BadLength)),
    Attack::new(12, "streamed-string-without-end", b"$?\r\n;1\r\na\r\n", Stalls).comes(Manner::Last),
    Attack::new(12, "streamed-string-of-others", b"$?\r\n+a\r\n", Fatal(BadStream)),

    Attack::new(21, "push-in-an-array", b"*1\r\n>1\r\n+a\r\n", Fatal(NestedPush)),
    Attack::new(21, "push-in-exec", b"*3\r\n>3\r\n$9\r\nsubscribe\r\n$2\r\nc1\r\n:1\r\n>3\r\n$9\r\nsubscribe\r\n$2\r\nc2\r\n:2\r\n>3\r\n$9\r\nsubscribe\r\n$2\r\nc3\r\n:3\r\n+OK\r\n$1\r\nv\r\n", Fatal(NestedPush)),
    Attack::new(21, "push-in-a-map", b"%1\r\n+k\r\n>0\r\n", Fatal(NestedPush)),
    Attack::new(21, "push-in-a-push", b">1\r\n>0\r\n", Fatal(NestedPush)),
    Attack::new(21, "push-in-attributes", b"|1\r\n+k\r\n>0\r\n:1\r\n", Fatal(NestedPush)),
    Attack::new(21, "push-in-a-stream", b"*?\r\n>0\r\n.\r\n", Fatal(NestedPush)),

    Attack::new(22, "odd-pairs", b"*3\r\n+a\r\n+b\r\n+c\r\n", Decode(Length { expected: 2 })).asked(Ask::Pairs),
    Attack::new(22, "odd-map", b"*3\r\n+a\r\n+b\r\n+c\r\n", Decode(Length { expected: 2 })).asked(Ask::Map),
    Attack::new(22, "null-among-numbers", b"*3\r\n:1\r\n$-1\r\n:3\r\n", Decode(Unexpected { expected: "an integer", found: Kind::Null })).asked(Ask::Integers),
    Attack::new(22, "error-among-numbers", b"*2\r\n:1\r\n-ERR inside\r\n", Decode(Unexpected { expected: "an integer", found: Kind::Error })).asked(Ask::Integers),
    Attack::new(22, "array-for-a-number", b"*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n", Decode(Unexpected { expected: "an integer", found: Kind::Array })).asked(Ask::Integer),
    Attack::new(22, "array-among-numbers", b"*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n", Decode(Unexpected { expected: "an integer", found: Kind::Array })).asked(Ask::Integers),
    Attack::new(22, "number-for-a-list", b":5\r\n", Decode(Unexpected { expected: "an array", found: Kind::Integer })).asked(Ask::Integers),
    Attack::new(22, "map-for-text", b"%1\r\n+a\r\n+b\r\n", Decode(Unexpected { expected: "a string", found: Kind::Map })).asked(Ask::Text),
    Attack::new(22, "word-for-a-number", b"$3\r\n1e5\r\n", Decode(NotANumber)).asked(Ask::Integer),
    Attack::new(22, "boolean-for-text", b"#t\r\n", Decode(Unexpected { expected: "a string", found: Kind::Boolean })).asked(Ask::Text),
    Attack::new(22, "error-for-a-map", b"-WRONGTYPE no hash\r\n", Reads("ServerError(WRONGTYPE no hash)")).asked(Ask::Map),
    Attack::new(22, "redirection-inside", b"*3\r\n:1\r\n-MOVED 1 203.0.113.9:6379\r\n:3\r\n", Reads("array(3) 1 ServerError(MOVED 1 203.0.113.9:6379) 3")),
    Attack::new(22, "redirection-forged", b"-MOVED 15495 203.0.113.9:6379\r\n", Reads("ServerError(MOVED 15495 203.0.113.9:6379)")),
];
