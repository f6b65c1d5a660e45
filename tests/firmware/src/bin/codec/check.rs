//! Whether each call does what it should.

use core::hint::black_box;

use respire_core::command::{
    AnyRequest, ExpiryOptions, Later, WhenOptions, get, incr_by, mget, mset, raw, set, words,
};
use respire_core::error::ReplyError;
use respire_core::resp::{Kind, Limits, Reply, Scanner};

use crate::calls;

/// 0, or the number of the first group of checks that fails.
pub(crate) fn all() -> u8 {
    let groups = [encodes, lists, counts, reads_strings, reads_numbers, reads_the_rest, walks, refuses];
    (1..).zip(groups).find(|(_, is_right)| !is_right()).map_or(0, |(number, _)| number)
}

fn encodes() -> bool {
    written(&get("key"), b"*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n")
        && written(
            &set("key", 21).ex(60).nx(),
            b"*6\r\n$3\r\nSET\r\n$3\r\nkey\r\n$2\r\n21\r\n$2\r\nNX\r\n$2\r\nEX\r\n$2\r\n60\r\n",
        )
        && written(
            &incr_by("n", i64::MIN),
            b"*3\r\n$6\r\nINCRBY\r\n$1\r\nn\r\n$20\r\n-9223372036854775808\r\n",
        )
        && written(
            &raw("XADD").key("log").arg("*").arg("at").arg(u64::MAX),
            b"*5\r\n$4\r\nXADD\r\n$3\r\nlog\r\n$1\r\n*\r\n$2\r\nat\r\n$20\r\n18446744073709551615\r\n",
        )
        && written(&words(&["CONFIG", "GET"]), b"*2\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n")
        && written(&set("key", Later(1000)), b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1000\r\n\r\n")
        && double_is_written()
}

#[cfg(feature = "doubles")]
fn double_is_written() -> bool {
    written(&set("t", 21.5), b"*3\r\n$3\r\nSET\r\n$1\r\nt\r\n$4\r\n21.5\r\n")
}

#[cfg(not(feature = "doubles"))]
const fn double_is_written() -> bool {
    true
}

/// With more than nine arguments the header is wider.
fn lists() -> bool {
    let keys = black_box(["a", "bc", "def", "g", "h", "i", "j", "k", "l", "m"]);
    let pairs = black_box([("a", "1"), ("bc", "")]);
    written(
        &mget(&keys),
        b"*11\r\n$4\r\nMGET\r\n$1\r\na\r\n$2\r\nbc\r\n$3\r\ndef\r\n$1\r\ng\r\n$1\r\nh\r\n$1\r\ni\r\n$1\r\nj\r\n$1\r\nk\r\n$1\r\nl\r\n$1\r\nm\r\n",
    ) && written(&mset(&pairs), b"*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\n1\r\n$2\r\nbc\r\n$0\r\n\r\n")
}

/// What does not fit is not written.
fn counts() -> bool {
    let mut out = [0; 21];
    let value = black_box([b'v'; 200]);
    calls::encode(black_box(&set("key", &value)), &mut out).is_none()
        && calls::encode(black_box(&get("ke")), &mut out) == Some(21)
        && calls::encode(black_box(&get("key")), &mut out).is_none()
}

fn written(request: &dyn AnyRequest, expected: &[u8]) -> bool {
    let mut out = black_box([0; 256]);
    let len = calls::encode(black_box(request), &mut out);
    len.and_then(|len| out.get(..len)) == Some(expected)
}

fn reads_strings() -> bool {
    with(b"$5\r\nhello\r\n", |r| matches!(calls::bytes(r), Ok(b"hello")))
        && with(b"+OK\r\n", |r| calls::done(r).is_ok() && matches!(calls::text(r), Ok("OK")))
        && with(b"$2\r\n\xc3\xa9\r\n", |r| matches!(calls::text(r), Ok("\u{e9}")))
        && with(b"$2\r\n\xff\xff\r\n", |r| calls::text(r).is_err())
        && with(b"=7\r\ntxt:abc\r\n", |r| {
            matches!(calls::bytes(r), Ok(b"abc")) && calls::format(r) == Some(b"txt")
        })
        && with(b"$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n", |r| calls::chunks(r) == Some((2, 294)))
        && with(b"_\r\n", |r| matches!(calls::maybe(r), Ok(None)) && calls::kind(r).1)
        && with(b"$-1\r\n", |r| matches!(calls::maybe(r), Ok(None)))
        && with(b"$0\r\n\r\n", |r| matches!(calls::maybe(r), Ok(Some(b""))))
}

fn reads_numbers() -> bool {
    with(b":-9223372036854775808\r\n", |r| matches!(calls::long(r), Ok(i64::MIN)))
        && with(b"$5\r\n65535\r\n", |r| matches!(calls::short(r), Ok(u16::MAX)))
        && with(b":65536\r\n", |r| calls::short(r).is_err() && calls::byte(r).is_err())
        && with(b"(255\r\n", |r| matches!(calls::byte(r), Ok(255)))
        && with(b"#t\r\n", |r| matches!(calls::truth(r), Ok(true)))
        && with(b":0\r\n", |r| matches!(calls::truth(r), Ok(false)))
        && with(b",-1.5e3\r\n", |r| matches!(calls::bytes(r), Ok(b"-1.5e3")))
        && double_is_read()
}

#[cfg(feature = "doubles")]
fn double_is_read() -> bool {
    with(b",-1.5e3\r\n", |r| matches!(calls::double(r), Ok(-1500.0)))
        && with(b"$3\r\ninf\r\n", |r| matches!(calls::double(r), Ok(f64::INFINITY)))
}

#[cfg(not(feature = "doubles"))]
const fn double_is_read() -> bool {
    true
}

fn reads_the_rest() -> bool {
    with(b"-WRONGTYPE no\r\n", |r| {
        matches!(calls::long(r), Err(ReplyError::Server(_))) && calls::nothing(r).is_err()
    }) && with(b"!5\r\nERR x\r\n", |r| matches!(calls::kind(r), (Kind::BulkError, false, Some(_))))
        && with(b"*3\r\n:1\r\n$1\r\na\r\n_\r\n", |r| matches!(calls::tuple(r), Ok((1, "a", None))))
        && with(b"~3\r\n:1\r\n:2\r\n:3\r\n", |r| {
            matches!(calls::array(r), Ok([1, 2, 3])) && matches!(calls::sum(r), Ok(6))
        })
        && with(b"*2\r\n:1\r\n:2\r\n", |r| calls::array(r).is_err())
        && with(b"*2\r\n:7\r\n-ERR x\r\n", |r| matches!(calls::results(r), Ok((Ok(7), Err(_)))))
        && with(b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", |r| {
            calls::cursor(r).is_ok_and(|(cursor, keys)| cursor == b"0" && keys.remaining() == Some(2))
        })
}

fn walks() -> bool {
    with(b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n", |r| {
        calls::lookup(r, "b") == Some(2) && calls::walk(r) == (5, 0)
    }) && with(b"*4\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:2\r\n", |r| calls::lookup(r, "a") == Some(3))
        && with(b"*?\r\n:1\r\n*2\r\n:2\r\n:3\r\n.\r\n", |r| calls::walk(r) == (5, 1))
        && with(b"|1\r\n+ttl\r\n:3600\r\n*2\r\n|1\r\n+a\r\n:0\r\n:5\r\n:6\r\n", |r| {
            matches!(calls::sum(r), Ok(11)) && calls::walk(r) == (3, 0)
        })
        && with(b">2\r\n+message\r\n*0\r\n", |r| calls::kind(r).0 == Kind::Push)
}

fn refuses() -> bool {
    [&b"$01\r\na\r\n"[..], b"*1\r\n>0\r\n", b":1x\r\n", b"#y\r\n", b"$2\r\nabc\r\n", b",1.x\r\n", b"?\r\n"]
        .iter()
        .all(|bytes| calls::scan(&mut Scanner::new(Limits::DEVICE), black_box(bytes)).is_err())
}

/// Whether the only reply in these bytes is `right`, and found at its last byte, in whatever pieces it comes.
fn with(bytes: &[u8], right: impl Fn(Reply<'_>) -> bool) -> bool {
    let bytes = black_box(bytes);
    for step in 1..=bytes.len() {
        let mut scanner = Scanner::new(Limits::DEVICE);
        let mut seen = 0;
        let frame = loop {
            seen = bytes.len().min(seen + step);
            match bytes.get(..seen).map(|bytes| calls::scan(&mut scanner, bytes)) {
                Some(Ok(Some(frame))) => break frame,
                Some(Ok(None)) if seen < bytes.len() => {}
                _ => return false,
            }
        };
        if frame.len != bytes.len() || seen != bytes.len() || !right(calls::reply(bytes, frame)) {
            return false;
        }
    }
    true
}
