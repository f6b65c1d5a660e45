//! What takes the express way, and what does not.

extern crate std;

use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;
use crate::resp::Scanner;

/// The kind of the reply at the start, if it passes; it passes whatever stands behind it, or not at all.
/// Only aggregates want eight bytes to look at.
fn passes_under(limits: &Limits, text: &str) -> Option<Kind> {
    let behind = ["", "+", "$5\r\nabcde\r\n", "0123456789"];
    let least = if text.starts_with(['*', '%', '~', '>']) { 8 } else { 0 };
    let mut found = behind.into_iter().filter(|behind| text.len() + behind.len() >= least).map(|behind| {
        let bytes = format!("{text}{behind}");
        let (rest, kind) = reply(bytes.as_bytes(), limits)?;
        assert_eq!(rest, behind.as_bytes(), "{text:?}");
        Some(kind)
    });
    let first = found.next().unwrap();
    assert!(found.all(|kind| kind == first), "{text:?}");
    first
}

fn passes(text: &str) -> Option<Kind> {
    passes_under(&Limits::SERVER, text)
}

/// An aggregate of so many values.
fn aggregate_of(tag: char, count: usize, value: &str, values: usize) -> String {
    format!("{tag}{count}\r\n{}", value.repeat(values))
}

fn plain_ones() -> Vec<(String, Kind)> {
    let mut all = Vec::new();
    for text in ["OK", "", "O", "OKAY", "PONG", "sixteen letters."] {
        all.push((format!("+{text}\r\n"), Kind::Simple));
    }
    for n in (0..=if cfg!(miri) { 2 } else { 30 }).chain([
        80,
        90,
        99,
        100,
        101,
        109,
        110,
        190,
        255,
        909,
        999,
        1000,
        12_345,
        1 << 40,
    ]) {
        all.push((format!(":{n}\r\n"), Kind::Integer));
        all.push((format!(":-{n}\r\n"), Kind::Integer));
        if n < if cfg!(miri) { 20 } else { 1000 } {
            all.push((format!("${n}\r\n{}\r\n", "x".repeat(n)), Kind::Bulk));
            all.push((aggregate_of('*', n, ":1\r\n", n), Kind::Array));
            all.push((aggregate_of('~', n, "$2\r\nab\r\n", n), Kind::Set));
            all.push((aggregate_of('%', n, "_\r\n", 2 * n), Kind::Map));
            all.push((aggregate_of('>', n, "+a\r\n", n), Kind::Push));
        }
    }
    for text in ["$-1\r\n", "*-1\r\n", "_\r\n"] {
        all.push((text.into(), Kind::Null));
    }
    for text in ["#t\r\n", "#f\r\n"] {
        all.push((text.into(), Kind::Boolean));
    }
    for text in [",1\r\n", ",-1.5e-7\r\n", ",inf\r\n", ",nan\r\n", ",1234567890.12345\r\n"] {
        all.push((text.into(), Kind::Double));
    }
    for text in [
        "*2\r\n*1\r\n:1\r\n:2\r\n",
        "*3\r\n:0\r\n*2\r\n:1\r\n%1\r\n+k\r\n~0\r\n:3\r\n",
        "*2\r\n*0\r\n*0\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n$1\r\na\r\n",
    ] {
        all.push((text.into(), Kind::Array));
    }
    all
}

#[test]
fn plain_replies_pass_once_they_are_whole() {
    for (text, kind) in plain_ones() {
        assert_eq!(passes(&text), Some(kind), "{text:?}");
        let step = if text.len() < 100 { 1 } else { text.len() / 7 };
        for end in (0..text.len()).step_by(step) {
            assert_eq!(reply(&text.as_bytes()[..end], &Limits::SERVER), None, "{text:?} up to {end}");
        }
    }
}

#[test]
fn what_is_long_or_not_plain_does_not_pass() {
    let digits = |n| "123456789012345678901"[..n].parse::<String>().unwrap();
    assert_eq!(passes(&format!(":{}\r\n", digits(19))), Some(Kind::Integer));
    assert_eq!(passes(&format!(":-{}\r\n", digits(LONGEST - 1))), Some(Kind::Integer));
    for text in [
        format!(":{}\r\n", digits(20)),
        format!(":-{}\r\n", digits(LONGEST)),
        format!("+{}\r\n", "a".repeat(LONGEST)),
        format!(",{}\r\n", digits(LONGEST)),
    ] {
        assert_eq!(passes(&text), None, "{text:?}");
    }
    for text in [
        ":+1\r\n",
        ":-\r\n",
        "-ERR\r\n",
        "(12\r\n",
        "!1\r\ne\r\n",
        "=5\r\ntxt:a\r\n",
        "*?\r\n.\r\n",
        "$?\r\n;0\r\n",
        "|1\r\n+a\r\n:1\r\n:2\r\n",
        "*1\r\n|0\r\n:1\r\n",
        "*1\r\n>0\r\n",
        "*1\r\n(1\r\n",
        ",x\r\n",
        "#x\r\n",
        "_x\r\n",
        "$-2\r\n",
        "+a\nb\r\n",
    ] {
        assert_eq!(passes(text), None, "{text:?}");
    }
    let deep = "*1\r\n".repeat(DEEPEST + 1) + ":1\r\n";
    assert_eq!(passes(&deep), None);
}

#[test]
fn what_is_over_a_limit_does_not_pass() {
    let limits = Limits { line: 3, bulk: 4, elements: 4, total: 6, depth: 8, ..Limits::SERVER };
    let passes = |text: &str| passes_under(&limits, text).is_some();
    assert!(passes("+ab\r\n") && !passes("+abcd\r\n"));
    assert!(passes("$4\r\nabcd\r\n") && !passes("$5\r\nabcde\r\n"));
    assert!(passes("*4\r\n_\r\n_\r\n_\r\n_\r\n") && !passes("*5\r\n_\r\n_\r\n_\r\n_\r\n_\r\n"));
    assert!(passes("%2\r\n_\r\n_\r\n_\r\n_\r\n"));
    assert!(passes("*3\r\n_\r\n*2\r\n_\r\n_\r\n*1\r\n_\r\n"), "six altogether");
    assert!(!passes("*3\r\n_\r\n*2\r\n_\r\n_\r\n*2\r\n_\r\n_\r\n"), "seven");
    let limits = Limits { depth: 7, ..Limits::SERVER };
    assert_eq!(passes_under(&limits, "*1\r\n*0\r\n"), None, "levels are the scanner's");
    for (text, _) in plain_ones() {
        let limits = |frame| Limits { frame, ..Limits::SERVER };
        let len = text.len() as u64;
        assert!(passes_under(&limits(len), &text).is_some());
        assert_eq!(passes_under(&limits(len - 1), &text), None);
    }
}

#[test]
fn values_pass_up_to_the_last() {
    let bytes = b":1\r\n$1\r\na\r\n_\r\n+OK\r\n";
    let leaves = |left, last| {
        let (rest, left) = leaves(bytes, &Limits::SERVER, left, last);
        (rest.len(), left)
    };
    assert_eq!(leaves(9, 0), (0, 5));
    assert_eq!(leaves(4, 0), (0, 0));
    assert_eq!(leaves(4, 1), (5, 1), "the last one stays");
    assert_eq!(leaves(2, 1), (15, 1));
    assert_eq!(leaves(1, 1), (19, 1));
}

#[test]
fn no_wrong_byte_passes() {
    // In two pieces it is not this way that is taken.
    let slow = |bytes: &[u8]| {
        let mut scanner = Scanner::new(Limits::SERVER);
        let begun = [b"|0\r\n", bytes].concat();
        let found = scanner.scan(&begun).ok().flatten()?;
        Some((found.len - 4, found.kind))
    };
    for (text, _) in plain_ones() {
        if text.len() > if cfg!(miri) { 6 } else { 60 } {
            continue;
        }
        for at in 0..text.len() {
            for byte in (0..=u8::MAX).step_by(if cfg!(miri) { 41 } else { 1 }) {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                if let Some((rest, kind)) = reply(&bytes, &Limits::SERVER) {
                    let found = Some((bytes.len() - rest.len(), kind));
                    assert_eq!(found, slow(&bytes), "{}", bytes.escape_ascii());
                }
            }
        }
    }
}
