//! Classes 13 to 18: line ends, texts, scalars, and protocols that are not RESP.

use respire_core::resp::DecodeError::NotUtf8;
use respire_core::resp::ProtocolError::{
    BadBoolean, BadDouble, BadInteger, BadLength, BadLineEnd, BadTerminator, BadVerbatim, LineTooLong,
    UnknownType,
};

use super::Outcome::{Decode, Ends, Fatal, NoEntry, Reads, Stalls};
use super::{Ask, Attack, Manner};

#[rustfmt::skip]
pub(super) const TABLE: &[Attack] = &[
    Attack::new(13, "bare-lf", b"+a\nb\r\n", Fatal(BadLineEnd)),
    Attack::new(13, "bare-cr", b"+a\rb\r\n", Fatal(BadLineEnd)),
    Attack::new(13, "two-cr", b"+a\r\r\n", Fatal(BadLineEnd)),
    Attack::new(13, "error-bare-lf", b"-ERR a\n", Fatal(BadLineEnd)),
    Attack::new(13, "double-cr-and-more", b",1.5\rx", Fatal(BadLineEnd)),
    Attack::new(13, "length-bare-lf", b"$3\nabc\r\n", Fatal(BadLength)),
    Attack::new(13, "length-cr-and-more", b"$3\rxabc\r\n", Fatal(BadLength)),
    Attack::new(13, "integer-cr-and-more", b":1\r:", Fatal(BadInteger)),
    Attack::new(13, "line-end-first", b"\r\n+OK\r\n", Fatal(UnknownType(b'\r'))),
    Attack::new(13, "cr-and-then-nothing", b"+a\r", Stalls).comes(Manner::Last),
    Attack::new(13, "cr-and-then-the-end", b"$1\r\na\r", Ends).comes(Manner::Close),
    Attack::new(13, "line-ends-in-a-string", b"$6\r\n\r\r\n\n\r\n\r\n", Reads(r#""\r\r\n\n\r\n""#)),

    Attack::new(14, "terminator-xx", b"$3\r\nabcXX", Fatal(BadTerminator)),
    Attack::new(14, "terminator-missing", b"$3\r\nabc+OK\r\n", Fatal(BadTerminator)),
    Attack::new(14, "terminator-half", b"$3\r\nabc\r+", Fatal(BadTerminator)),
    Attack::new(14, "longer-than-it-says", b"$3\r\nabcd\r\n", Fatal(BadTerminator)),
    Attack::new(14, "one-byte-of-none", b"$0\r\na\r\n", Fatal(BadTerminator)),
    Attack::new(14, "bulk-error-lf-cr", b"!3\r\nERR\n\r", Fatal(BadTerminator)),
    Attack::new(14, "verbatim-longer", b"=5\r\ntxt:ab\r\n", Fatal(BadTerminator)),
    Attack::new(14, "inside-an-array", b"*2\r\n$3\r\nabcXX:1\r\n", Fatal(BadTerminator)),
    Attack::new(14, "smuggled-answer", b"$5\r\n$1\r\na\r\n", Reads(r#""$1\r\na""#)),
    Attack::new(14, "shorter-than-it-says", b"$9\r\nabc\r\n", Ends).comes(Manner::Close),

    Attack::long(15, "line-without-end", &[(b"+", 1), (&[b'a'; 4096], u64::MAX)], Fatal(LineTooLong)),
    Attack::long(15, "error-without-end", &[(b"-", 1), (&[b'a'; 4096], u64::MAX)], Fatal(LineTooLong)),
    Attack::long(15, "big-number-without-end", &[(b"(", 1), (&[b'1'; 4096], u64::MAX)], Fatal(LineTooLong)),
    Attack::long(15, "line-without-end-inside", &[(b"*2\r\n+", 1), (&[b'a'; 4096], u64::MAX)], Fatal(LineTooLong)),
    Attack::long(15, "line-just-over", &[(b"+", 1), (b"a", 257), (b"\r\n", 1)], Fatal(LineTooLong)).tight(),
    Attack::long(15, "line-just-allowed", &[(b"+", 1), (b"a", 256), (b"\r\n", 1)], Reads("1")).tight().asked(Ask::Count),

    Attack::new(16, "error-not-utf-8", b"-ERR \xc3\x28 \xff\0\r\n", Reads(r"ServerError(ERR \xc3( \xff\u{0})")),
    Attack::new(16, "line-not-utf-8", b"+\xff\0\xfe\r\n", Reads(r#""\xff\x00\xfe""#)),
    Attack::new(16, "big-number-not-a-number", b"(1\x00\x32\xff\r\n", Reads(r"1\x002\xff")),
    Attack::new(16, "string-not-utf-8", b"$3\r\n\0\xff\xc3\r\n", Reads(r#""\x00\xff\xc3""#)),
    Attack::new(16, "string-not-utf-8-for-text", b"$3\r\n\0\xff\xc3\r\n", Decode(NotUtf8)).asked(Ask::Text),
    Attack::new(16, "bulk-error-not-utf-8", b"!5\r\nERR \xff\r\n", Reads(r"ServerError(ERR \xff)")),
    Attack::new(16, "error-empty", b"-\r\n", Reads("ServerError()")),

    Attack::new(17, "double-a-word", b",abc\r\n", Fatal(BadDouble)),
    Attack::new(17, "double-infinity", b",infinity\r\n", Fatal(BadDouble)),
    Attack::new(17, "double-comma", b",1,5\r\n", Fatal(BadDouble)),
    Attack::new(17, "double-hexadecimal", b",0x10\r\n", Fatal(BadDouble)),
    Attack::long(17, "double-without-end", &[(b",", 1), (b"1", u64::MAX)], Fatal(BadDouble)),
    Attack::new(17, "double-minus-nan", b",-nan\r\n", Reads("NaN")).asked(Ask::Double),
    Attack::new(17, "double-overflow", b",1e999\r\n", Reads("inf")).asked(Ask::Double),
    Attack::new(17, "boolean-x", b"#x\r\n", Fatal(BadBoolean)),
    Attack::new(17, "boolean-in-full", b"#true\r\n", Fatal(BadBoolean)),
    Attack::new(17, "verbatim-without-colon", b"=7\r\ntxt abc\r\n", Fatal(BadVerbatim)),
    Attack::new(17, "verbatim-too-short", b"=3\r\ntxt\r\n", Fatal(BadVerbatim)),
    Attack::new(17, "verbatim-format-of-line-ends", b"=5\r\na\r\n:a\r\n", Reads(r#""a""#)),
    Attack::new(17, "big-number-of-a-script", b"(123a  X\r\n", Reads("123a  X")),

    Attack::new(18, "type-at", b"@\r\n", Fatal(UnknownType(b'@'))),
    Attack::new(18, "type-zero", b"\0\0\0\0", Fatal(UnknownType(0))),
    Attack::new(18, "type-unknown-inside", b"*2\r\n:1\r\n@\r\n", Fatal(UnknownType(b'@'))),
    Attack::new(18, "inline-command", b"PING\r\n", Fatal(UnknownType(b'P'))),
    Attack::new(18, "http-behind-the-handshake", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Fatal(UnknownType(b'H'))),
    Attack::new(18, "tls-behind-the-handshake", b"\x15\x03\x01\x00\x02\x02\x50", Fatal(UnknownType(0x15))),
    Attack::new(18, "http", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", NoEntry("HTTP")).comes(Manner::Greeting),
    Attack::new(18, "html", b"<html>", NoEntry("HTTP")).comes(Manner::Greeting),
    Attack::new(18, "tls", b"\x15\x03\x01\x00\x02\x02\x46", NoEntry("TLS")).comes(Manner::Greeting),
    Attack::new(18, "ssh", b"SSH-2.0-OpenSSH_9.6\r\n", NoEntry("broke the protocol")).comes(Manner::Greeting),
    Attack::new(18, "smtp", b"220 mail.example ESMTP\r\n", NoEntry("broke the protocol")).comes(Manner::Greeting),
    Attack::new(18, "memcached", b"ERROR\r\n", NoEntry("broke the protocol")).comes(Manner::Greeting),
    // The greeting of POP3 is RESP by chance.
    Attack::new(18, "pop3", b"+OK POP3 server ready\r\n", NoEntry("no request")).comes(Manner::Greeting),
];
