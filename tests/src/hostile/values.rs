//! Classes 23 and 27 to 30: well-formed, and meant to hurt whoever looks closer.

use super::Attack;
use super::Outcome::Reads;
use super::{Ask, Spoken};

#[rustfmt::skip]
pub(super) const TABLE: &[Attack] = &[
    Attack::long(23, "wide-array", &[(b"*20000\r\n", 1), (b":1\r\n", 20_000)], Reads("20001")).asked(Ask::Count),
    Attack::long(23, "wide-array-of-strings", &[(b"*9999\r\n", 1), (b"$3\r\nabc\r\n", 9999)], Reads("10000")).asked(Ask::Count),
    Attack::long(23, "long-string", &[(b"$100000\r\n", 1), (&[b'\r'; 1000], 100), (b"\r\n", 1)], Reads("1")).asked(Ask::Count),
    Attack::long(23, "long-line", &[(b"+", 1), (&[b'x'; 1000], 60), (b"\r\n", 1)], Reads("1")).asked(Ask::Count),
    Attack::long(23, "long-numbers", &[(b"*2000\r\n", 1), (b":-9223372036854775808\r\n", 2000)], Reads("2001")).asked(Ask::Count),
    Attack::long(23, "many-empty-arrays", &[(b"*20000\r\n", 1), (b"*0\r\n", 20_000)], Reads("20001")).asked(Ask::Count),
    Attack::long(23, "many-chunks", &[(b"$?\r\n", 1), (b";1\r\na\r\n", 20_000), (b";0\r\n", 1)], Reads("1")).asked(Ask::Count),

    Attack::new(27, "keys-that-are-no-numbers", b"%2\r\n,nan\r\n+a\r\n,nan\r\n+b\r\n", Reads(r#"map(4) nan "a" nan "b""#)),
    Attack::new(27, "keys-that-are-arrays", b"%2\r\n*1\r\n:1\r\n+a\r\n*1\r\n:1\r\n+b\r\n", Reads(r#"map(4) array(1) 1 "a" array(1) 1 "b""#)),
    Attack::new(27, "keys-that-are-nulls", b"%1\r\n_\r\n+a\r\n", Reads(r#"map(2) nil "a""#)).only(Spoken::Resp3),
    Attack::new(27, "keys-in-a-tree", b"%2\r\n,nan\r\n+a\r\n%1\r\n_\r\n_\r\n+b\r\n", Reads(r#""a tree""#)).asked(Ask::Tree),
    Attack::long(27, "keys-that-collide", &[(b"%5000\r\n", 1), (b"$1\r\nk\r\n$1\r\nv\r\n", 5000)], Reads(r#"{"k": "v"}"#)).asked(Ask::Map),

    Attack::new(28, "key-twice", b"%2\r\n+a\r\n+1\r\n+a\r\n+2\r\n", Reads(r#"[("a", "1"), ("a", "2")]"#)).asked(Ask::Pairs),
    Attack::new(28, "key-twice-flat", b"*4\r\n+a\r\n+1\r\n+a\r\n+2\r\n", Reads(r#"[("a", "1"), ("a", "2")]"#)).asked(Ask::Pairs),
    Attack::new(28, "key-twice-in-a-map", b"%2\r\n+a\r\n+1\r\n+a\r\n+2\r\n", Reads(r#"{"a": "2"}"#)).asked(Ask::Map),
    Attack::new(28, "member-twice", b"~3\r\n:1\r\n:1\r\n:1\r\n", Reads("[1, 1, 1]")).asked(Ask::Integers),

    Attack::new(29, "error-for-a-terminal", b"-ERR \x1b]0;owned\x07\x1b[2J\x08\r\n", Reads(r"ServerError(ERR \u{1b}]0;owned\u{7}\u{1b}[2J\u{8})")),
    Attack::new(29, "error-of-two-lines", b"!24\r\nERR a\r\nERROR forged line\r\n", Reads(r"ServerError(ERR a\r\nERROR forged line)")),
    Attack::new(29, "error-of-c1-controls", b"-ERR \xc2\x9b2J\xc2\x85\r\n", Reads(r"ServerError(ERR \u{9b}2J\u{85})")),
    Attack::new(29, "line-for-a-terminal", b"+\x1b[2J\r\n", Reads(r#""\x1b[2J""#)),

    Attack::long(30, "monitor-line", &[(b"+1339518083.107412 [0 127.0.0.1:60866] ", 1), (b"\"a\\\"", 10_000), (b"!\r\n", 1)], Reads("1")).asked(Ask::Count),
    Attack::long(30, "blanks", &[(b"-", 1), (b" ", 60_000), (b"\r\n", 1)], Reads("1")).asked(Ask::Count),
    Attack::long(30, "quotes", &[(b"+", 1), (b"\"\\", 30_000), (b"\r\n", 1)], Reads("1")).asked(Ask::Count),
    Attack::long(30, "address-of-colons", &[(b"+1.1 [0 ", 1), (b":", 50_000), (b"] \"x\"\r\n", 1)], Reads("1")).asked(Ask::Count),
];
