//! The way that most values take: a whole string, integer or status, in plain sight.
//!
//! Whatever is not plain is left to the scanner, which knows everything; so this can only be faster,
//! not different. Programs for small processors are built without it: there code costs more than
//! time.

use super::{Kind, Limits, number};

/// Whether there is an express way.
pub(super) const OPEN: bool = cfg!(target_pointer_width = "64");

/// How long a number or a status may be to pass.
const LONGEST: usize = 18;

/// How many aggregates inside one another may pass.
const DEEPEST: usize = 8;

/// The reply that `bytes` start with, if it is whole and plain: what stands behind it, and its kind.
#[inline(always)]
pub(super) fn reply<'a>(bytes: &'a [u8], limits: &Limits) -> Option<(&'a [u8], Kind)> {
    let found = leaf(bytes, limits, odd_reply)?;
    if (bytes.len() - found.0.len()) as u64 > limits.frame { None } else { Some(found) }
}

/// What stands behind plain values at the start, at most so many that `last` of `left` are left; and
/// how many are.
#[inline(always)]
pub(super) fn leaves<'a>(bytes: &'a [u8], limits: &Limits, mut left: u32, last: u32) -> (&'a [u8], u32) {
    let mut rest = bytes;
    while left > last
        && let Some((behind, _)) = leaf(rest, limits, odd_leaf)
    {
        rest = behind;
        left -= 1;
    }
    (rest, left)
}

/// A string, an integer or a status; all else is `odd`.
#[inline(always)]
fn leaf<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    odd: impl FnOnce(&'a [u8], &Limits) -> Option<(&'a [u8], Kind)>,
) -> Option<(&'a [u8], Kind)> {
    match bytes.first_chunk() {
        Some(&word) => plain(u64::from_le_bytes(word), bytes, limits, odd),
        None => short_leaf(bytes, limits),
    }
}

/// One at the end of the bytes.
#[cold]
#[inline(never)]
fn short_leaf<'a>(bytes: &'a [u8], limits: &Limits) -> Option<(&'a [u8], Kind)> {
    plain(short_word(bytes), bytes, limits, odd_leaf)
}

#[inline(always)]
fn plain<'a>(
    word: u64,
    bytes: &'a [u8],
    limits: &Limits,
    odd: impl FnOnce(&'a [u8], &Limits) -> Option<(&'a [u8], Kind)>,
) -> Option<(&'a [u8], Kind)> {
    match word as u8 {
        b'$' => match number(word, bytes) {
            // On this way pointers have 64 bits.
            Some((length, behind)) if length <= limits.bulk => {
                line_end(behind, length as usize).map(|rest| (rest, Kind::Bulk))
            }
            _ => odd(bytes, limits),
        },
        b':' => match number(word, bytes) {
            Some((_, rest)) => Some((rest, Kind::Integer)),
            None => odd(bytes, limits),
        },
        b'+' => status(bytes, limits).map(|rest| (rest, Kind::Simple)),
        _ => odd(bytes, limits),
    }
}

/// The kinds that are not as frequent.
#[inline(never)]
fn odd_leaf<'a>(bytes: &'a [u8], _limits: &Limits) -> Option<(&'a [u8], Kind)> {
    let (kind, len) = match bytes {
        [b'_', ..] => (Kind::Null, 1),
        [b'$' | b'*', b'-', b'1', ..] => (Kind::Null, 3),
        [b'#', b't' | b'f', ..] => (Kind::Boolean, 2),
        [b':', b'-', ..] => {
            let digits = bytes.iter().skip(2).take(LONGEST).take_while(|byte| byte.is_ascii_digit()).count();
            if matches!(digits, 0 | LONGEST) {
                return None;
            }
            (Kind::Integer, digits + 2)
        }
        [b',', text @ ..] => {
            let end = text.iter().take(LONGEST).position(|&byte| byte <= b'\r')?;
            if !number::is_double(text.get(..end)?) {
                return None;
            }
            (Kind::Double, end + 1)
        }
        _ => return None,
    };
    line_end(bytes, len).map(|rest| (rest, kind))
}

/// The same at the top, where it may be an aggregate.
#[inline(never)]
fn odd_reply<'a>(bytes: &'a [u8], limits: &Limits) -> Option<(&'a [u8], Kind)> {
    let kind = match bytes {
        [b'*', b'-', ..] => return odd_leaf(bytes, limits),
        [b'*', ..] => Kind::Array,
        [b'%', ..] => Kind::Map,
        [b'~', ..] => Kind::Set,
        [b'>', ..] => Kind::Push,
        _ => return odd_leaf(bytes, limits),
    };
    aggregate(bytes, limits).map(|rest| (rest, kind))
}

/// What stands behind an aggregate with all its values.
#[inline(always)]
fn aggregate<'a>(bytes: &'a [u8], limits: &Limits) -> Option<&'a [u8]> {
    let (mut outer, mut depth) = ([0_u32; DEEPEST], 0);
    let (mut rest, mut left, mut total) = (bytes, 1_u32, 0_u32);
    if usize::from(limits.depth) < DEEPEST {
        return None;
    }
    loop {
        // Here stands the header of an aggregate, or nothing that is plain.
        let pairs = match rest.first()? {
            b'*' | b'~' => false,
            b'%' => true,
            b'>' if depth == 0 => false,
            _ => return None,
        };
        let word = rest.first_chunk().map_or_else(|| short_word(rest), |&word| u64::from_le_bytes(word));
        let (count, behind) = number(word, rest)?;
        let count = u32::try_from(count).ok()?.checked_mul(1 + u32::from(pairs))?;
        total = total.checked_add(count)?;
        if count > limits.elements || total > limits.total {
            return None;
        }
        *outer.get_mut(depth)? = left - 1;
        depth += 1;
        (rest, left) = leaves(behind, limits, count, 0);
        while left == 0 {
            depth -= 1;
            left = *outer.get(depth)?;
            if depth == 0 {
                return Some(rest);
            }
            (rest, left) = leaves(rest, limits, left, 0);
        }
    }
}

/// As many of the first eight bytes as there are, and zeros.
#[cold]
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The number behind the first byte, without sign or zeros in front, and what stands behind its
/// line. `word` is the first eight bytes.
#[inline(always)]
fn number(word: u64, bytes: &[u8]) -> Option<(u64, &[u8])> {
    const CRLF: u16 = u16::from_le_bytes(*b"\r\n");
    let one = (word >> 8) as u8 ^ b'0';
    if (word >> 16) as u16 == CRLF {
        return if one <= 9 { Some((one.into(), bytes.get(4..)?)) } else { None };
    }
    // Both at once: 118 more than 9 has the highest bit set.
    let two = (word >> 8) as u16 ^ 0x3030;
    if (two.wrapping_add(0x7676) | two) & 0x8080 != 0 || one == 0 {
        return None;
    }
    let both = u64::from(two & 0xff) * 10 + u64::from(two >> 8);
    if (word >> 24) as u16 == CRLF { Some((both, bytes.get(5..)?)) } else { digits(bytes, both) }
}

/// The rest of a number of which two digits were read.
#[inline(always)]
fn digits(bytes: &[u8], mut value: u64) -> Option<(u64, &[u8])> {
    let mut at = 3;
    loop {
        let digit = bytes.get(at)? ^ b'0';
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
    }
    if at <= LONGEST { Some((value, line_end(bytes, at)?)) } else { None }
}

#[inline(always)]
fn status<'a>(bytes: &'a [u8], limits: &Limits) -> Option<&'a [u8]> {
    let at = match bytes {
        [_, b'O', b'K', b'\r', ..] => 3,
        _ => bytes.iter().take(LONGEST).position(|&byte| byte <= b'\r')?,
    };
    if at <= limits.line as usize { line_end(bytes, at) } else { None }
}

/// What stands behind the CRLF at `at`.
#[inline(always)]
fn line_end(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let (end, rest) = bytes.get(at..)?.split_first_chunk()?;
    if end == b"\r\n" { Some(rest) } else { None }
}

#[cfg(test)]
mod tests {
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
        let mut found =
            behind.into_iter().filter(|behind| text.len() + behind.len() >= least).map(|behind| {
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
        for n in (0..=if cfg!(miri) { 2 } else { 30 })
            .chain([80, 90, 99, 100, 101, 109, 110, 190, 255, 909, 999, 1000, 12_345, 1_234_567])
        {
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
        all.push((":1099511627776\r\n".into(), Kind::Integer));
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
        assert_eq!(passes(&format!(":{}\r\n", digits(LONGEST - 1))), Some(Kind::Integer));
        assert_eq!(passes(&format!(":-{}\r\n", digits(LONGEST - 1))), Some(Kind::Integer));
        for text in [
            format!(":{}\r\n", digits(LONGEST)),
            format!(":-{}\r\n", digits(LONGEST)),
            format!("+{}\r\n", "a".repeat(LONGEST)),
            format!(",{}\r\n", digits(LONGEST)),
        ] {
            assert_eq!(passes(&text), None, "{text:?}");
        }
        for text in [
            ":+1\r\n",
            ":01\r\n",
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
        assert_eq!(passes_under(&limits, "*0\r\n"), None, "levels are the scanner's");
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
}
