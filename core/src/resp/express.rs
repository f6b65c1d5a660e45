//! The way that most values take: a whole string, integer or status, in plain sight.
//!
//! Whatever is not plain is left to the scanner, which knows everything; so this can only be faster,
//! not different. Programs for small processors are built without it: there code costs more than
//! time.

use super::{Kind, Limits, number};

/// A plain value in bytes that were checked.
pub(super) enum Plain<'a> {
    /// The payload of a string.
    Bulk(&'a [u8]),
    /// The value of an integer, and its digits.
    Integer(u64, &'a [u8]),
    /// The text of a status.
    Simple(&'a [u8]),
}

/// Where a plain value stands that was checked: what a [`Reply`](super::Reply) is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) kind: Kind,
    pub(super) number: u64,
    /// Its payload, from the start of the bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    /// All of it.
    pub(crate) len: usize,
}

/// Whether there is an express way.
pub(crate) const OPEN: bool = cfg!(target_pointer_width = "64");

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

/// The string, integer or status that `bytes` start with, if it is whole.
#[inline(always)]
pub(super) fn whole(bytes: &[u8], limits: &Limits) -> Option<Whole> {
    let word = word(bytes);
    let (kind, value, start, rest) = match word as u8 {
        b'$' => {
            let (length, behind) = number(word, bytes)?;
            if length > limits.bulk {
                return None;
            }
            (Kind::Bulk, 0, bytes.len() - behind.len(), line_end(behind, length as usize)?)
        }
        b':' => {
            let (value, rest) = integer(word, bytes)?;
            (Kind::Integer, value, 1, rest)
        }
        b'+' => (Kind::Simple, 0, 1, status(bytes, limits)?),
        _ => return None,
    };
    let len = bytes.len() - rest.len();
    let whole = Whole { kind, number: value, start, end: len.saturating_sub(2), len };
    if len as u64 > limits.frame { None } else { Some(whole) }
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

/// The plain value that checked bytes start with, and what stands behind it.
#[inline(always)]
pub(super) fn value(bytes: &[u8]) -> Option<(Plain<'_>, &[u8])> {
    const STATUS: u64 = u64::from_le_bytes(*b"+OK\r\n\0\0\0");
    let word = word(bytes);
    match word as u8 {
        b'$' => {
            let (length, behind) = checked_number(word, bytes)?;
            let (payload, behind) = behind.split_at_checked(length as usize)?;
            Some((Plain::Bulk(payload), behind.get(2..)?))
        }
        b':' => {
            let (value, behind) = integer(word, bytes)?;
            let digits = bytes.get(1..bytes.len().wrapping_sub(behind.len()).wrapping_sub(2))?;
            Some((Plain::Integer(value, digits), behind))
        }
        b'+' if word << 24 == STATUS << 24 => Some((Plain::Simple(bytes.get(1..3)?), bytes.get(5..)?)),
        _ => None,
    }
}

/// How many bytes there are up to the first value that is not plain, at most `count` values.
#[inline(always)]
pub(super) fn checked_leaves(bytes: &[u8], count: u64) -> (&[u8], u64) {
    const ANY: Limits = Limits { bulk: u64::MAX, line: u32::MAX, ..Limits::SERVER };
    let some = u32::try_from(count).unwrap_or(u32::MAX);
    let (rest, left) = leaves(bytes, &ANY, some, 0);
    (rest, count - u64::from(some - left))
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
    plain(word(bytes), bytes, limits, odd_leaf)
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
        b':' => match integer(word, bytes) {
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
    let (count, behind) = header(bytes, kind, limits)?;
    if count > limits.total || limits.depth == 0 {
        return None;
    }
    let (rest, left) = leaves(behind, limits, count, 0);
    if left == 0 { Some((rest, kind)) } else { nested(rest, limits, left, count).map(|rest| (rest, kind)) }
}

/// How many values an aggregate announces, and what stands behind its header.
#[inline(always)]
fn header<'a>(bytes: &'a [u8], kind: Kind, limits: &Limits) -> Option<(u32, &'a [u8])> {
    let (count, behind) = number(word(bytes), bytes)?;
    let count = if kind == Kind::Map { count.checked_mul(2)? } else { count };
    if count > limits.elements.into() { None } else { Some((count as u32, behind)) }
}

/// What stands behind an aggregate in which another one comes next, and of which so many values are
/// `left`; `total` were announced. Only here it matters how deep they may be.
#[inline(never)]
fn nested<'a>(bytes: &'a [u8], limits: &Limits, left: u32, total: u32) -> Option<&'a [u8]> {
    let (mut outer, mut depth) = ([0_u32; DEEPEST - 1], 0);
    let (mut rest, mut left, mut total) = (bytes, left, total);
    if usize::from(limits.depth) < DEEPEST {
        return None;
    }
    loop {
        // Here stands the header of an aggregate, or nothing that is plain.
        let kind = match rest.first()? {
            b'*' | b'~' => Kind::Array,
            b'%' => Kind::Map,
            _ => return None,
        };
        let (count, behind) = header(rest, kind, limits)?;
        total = total.checked_add(count)?;
        if total > limits.total {
            return None;
        }
        *outer.get_mut(depth)? = left - 1;
        depth += 1;
        (rest, left) = leaves(behind, limits, count, 0);
        while left == 0 {
            if depth == 0 {
                return Some(rest);
            }
            depth -= 1;
            left = *outer.get(depth)?;
            (rest, left) = leaves(rest, limits, left, 0);
        }
    }
}

/// How many values an aggregate in checked bytes announces, the values of pairs included, and what
/// stands behind its header.
#[inline(always)]
pub(super) fn checked_header(bytes: &[u8], kind: Kind) -> Option<(u64, &[u8])> {
    let (count, behind) = checked_number(word(bytes), bytes)?;
    Some((if kind == Kind::Map { count.checked_mul(2)? } else { count }, behind))
}

/// The first eight bytes; behind the end of the bytes there are zeros.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(&word), _, _) => u64::from_le_bytes(word),
        (None, Some(&front), Some(&back)) => {
            // Where both have the same bytes, it does not matter that there are two of them.
            let front = u64::from(u32::from_le_bytes(front));
            front | u64::from(u32::from_le_bytes(back)) << ((bytes.len() * 8) & 31)
        }
        _ => shortest_word(bytes),
    }
}

/// The same of less than four.
#[cold]
fn shortest_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte))
}

/// The number behind the first byte, without sign or zeros in front, and what stands behind its
/// line. `word` is the first eight bytes.
#[inline(always)]
fn number(word: u64, bytes: &[u8]) -> Option<(u64, &[u8])> {
    let one = (word >> 8) as u8 ^ b'0';
    if (word >> 16) as u16 == CRLF {
        return if one <= 9 { Some((one.into(), bytes.get(4..)?)) } else { None };
    }
    let both = if one == 0 { None } else { both(word) }?;
    if (word >> 24) as u16 == CRLF { Some((both, bytes.get(5..)?)) } else { digits(bytes, both) }
}

/// An integer without sign, and what stands behind its line.
#[inline(always)]
fn integer(word: u64, bytes: &[u8]) -> Option<(u64, &[u8])> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // One digit and two are found sooner.
    if (word >> 16) as u16 == CRLF {
        let one = (word >> 8) as u8 ^ b'0';
        return if one <= 9 { Some((one.into(), bytes.get(4..)?)) } else { None };
    }
    if (word >> 24) as u16 == CRLF {
        let two = both(word)?;
        return Some((two, bytes.get(5..)?));
    }
    // The highest bit of the first byte that is a carriage return; those behind may be wrong.
    let line = word ^ (ONES * b'\r' as u64);
    let ends = line.wrapping_sub(ONES) & !line & (ONES << 7);
    if ends == 0 {
        return long_integer(bytes);
    }
    // The digits are moved to the end, as if zeros stood in front.
    let end = ends.trailing_zeros();
    let digits = ((word >> 8) ^ ZEROS).checked_shl(79_u32.wrapping_sub(end))?;
    if are_digits(digits) { Some((eight(digits), line_end(bytes, end as usize / 8)?)) } else { None }
}

/// One that takes more than eight bytes.
#[inline(never)]
fn long_integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut rest, mut value) = (bytes.get(1..)?, 0_u64);
    for _ in 0..2 {
        if let Some((&word, behind)) = rest.split_first_chunk()
            && are_digits(u64::from_le_bytes(word) ^ ZEROS)
        {
            value = value * 100_000_000 + eight(u64::from_le_bytes(word) ^ ZEROS);
            rest = behind;
        }
    }
    let mut at = bytes.len() - rest.len();
    while let Some(digit @ 0..=9) = bytes.get(at).map(|byte| byte ^ b'0')
        && at <= 19
    {
        value = value * 10 + u64::from(digit);
        at += 1;
    }
    if at > 1 && value <= i64::MAX as u64 { Some((value, line_end(bytes, at)?)) } else { None }
}

const CRLF: u16 = u16::from_le_bytes(*b"\r\n");

/// Eight characters `0`.
const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

/// Whether each byte is 9 at most.
#[inline(always)]
const fn are_digits(bytes: u64) -> bool {
    // 118 more than 9 has the highest bit set. A byte that has it already may carry.
    (bytes.wrapping_add(u64::from_le_bytes([118; 8])) | bytes) & u64::from_le_bytes([128; 8]) == 0
}

/// The number of eight digits, the first one in the lowest byte: pairs, then pairs of those.
#[inline(always)]
const fn eight(digits: u64) -> u64 {
    let digits = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let digits = digits.wrapping_mul(100).wrapping_add(digits >> 16) & 0x0000_ffff_0000_ffff;
    digits.wrapping_mul(10_000).wrapping_add(digits >> 32) & 0xffff_ffff
}

/// The same as [`number`] in a line that was checked.
#[inline(always)]
fn checked_number(word: u64, bytes: &[u8]) -> Option<(u64, &[u8])> {
    let one = (word >> 8) as u8 ^ b'0';
    if one > 9 {
        return None;
    }
    let (second, third) = ((word >> 16) as u8, (word >> 24) as u8);
    if second == b'\r' {
        return Some((one.into(), bytes.get(4..)?));
    }
    let both = u64::from(one) * 10 + u64::from(second ^ b'0');
    if third == b'\r' { Some((both, bytes.get(5..)?)) } else { digits(bytes, both) }
}

/// The number of the two digits behind the first byte.
#[inline(always)]
fn both(word: u64) -> Option<u64> {
    // 118 more than 9 has the highest bit set.
    let two = (word >> 8) as u16 ^ 0x3030;
    let bad = (two.wrapping_add(0x7676) | two) & 0x8080 != 0;
    if bad { None } else { Some(u64::from(two & 0xff) * 10 + u64::from(two >> 8)) }
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

#[cfg(all(test, target_pointer_width = "64"))]
mod numbers;
#[cfg(all(test, target_pointer_width = "64"))]
mod passes;
