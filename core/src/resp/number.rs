//! Decimal numbers of the protocol, both ways, without allocation.

use core::fmt::{self, Write};

use super::encode::copy;

/// What stands at the start of a line.
#[derive(Clone, Copy)]
pub(crate) enum Line {
    /// What was asked for, in so many bytes with its CRLF.
    Whole(usize),
    /// Right so far; the line end is not here yet.
    Partial,
    /// Something else.
    Bad,
}

/// The line end, if it stands behind so many bytes that are right.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(super) fn end(line: &[u8], len: usize) -> Line {
    match line.get(len..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Line::Whole(len + 2),
        [] | [b'\r'] => Line::Partial,
        _ => Line::Bad,
    }
}

/// A length or count: at most 19 decimal digits without sign or leading zeros, then CRLF. Never
/// wraps: the limit is compared in 64 bits before any cast.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(crate) fn length(line: &[u8], value: &mut u64) -> Line {
    match whole_number(line, value) {
        // The second digit, if there is one, is there when the line is whole.
        Line::Whole(len) if len > 3 && line.first() == Some(&b'0') => Line::Bad,
        whole => whole,
    }
}

/// A signed 64-bit integer, then CRLF. `+` is allowed, as the specification has it, and so are zeros
/// in front, with 19 digits altogether. The value is in two's complement.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(crate) fn integer(line: &[u8], value: &mut u64) -> Line {
    let (signs, text) = match line {
        [b'-' | b'+', text @ ..] => (1, text),
        text => (0, text),
    };
    match whole_number(text, value) {
        Line::Whole(len) => {
            let negative = line.first() == Some(&b'-');
            if *value > i64::MAX.unsigned_abs() + u64::from(negative) {
                return Line::Bad;
            }
            if negative {
                *value = value.wrapping_neg();
            }
            Line::Whole(len + signs)
        }
        other => other,
    }
}

/// Up to 19 digits, then CRLF.
#[cfg_attr(target_pointer_width = "64", inline)]
fn whole_number(line: &[u8], value: &mut u64) -> Line {
    let (number, digits) = leading_number(line);
    *value = number;
    match end(line, digits) {
        Line::Partial if line.is_empty() => Line::Partial,
        whole if matches!(digits, 1..=LONGEST) => whole,
        _ => Line::Bad,
    }
}

/// The most digits that always fit into 64 bits.
const LONGEST: usize = 19;

/// The number that a line starts with, and how many digits it has: right up to [`LONGEST`], and at
/// most one more is looked at.
#[cfg_attr(target_pointer_width = "64", inline)]
fn leading_number(line: &[u8]) -> (u64, usize) {
    let seen = line.get(..=LONGEST).unwrap_or(line);
    let (mut value, mut digits) = (0_u64, 0);
    for &byte in seen {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(digit.into());
        digits += 1;
    }
    (value, digits)
}

/// A length that was checked before, and what stands behind its CRLF.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(crate) fn checked_length(line: &[u8]) -> (u64, &[u8]) {
    let (value, digits) = leading_number(line);
    (value, line.get(digits + 2..).unwrap_or_default())
}

/// Whether a whole text is a double, in Redis' spellings: `inf`, `-inf`, `nan`, `-nan`, exponents.
///
/// Exactly what [`parse_double`] reads. Reading takes 18 KiB of tables and code, which a program that
/// never asks for a double should not carry because the scanner checks their syntax.
pub(crate) fn is_double(text: &[u8]) -> bool {
    let text = unsigned(text);
    if matches!(text, b"inf" | b"nan") {
        return true;
    }
    let mut rest = text;
    let mut digits = skip_digits(&mut rest);
    if let [b'.', fraction @ ..] = rest {
        rest = fraction;
        digits += skip_digits(&mut rest);
    }
    if let [b'e' | b'E', exponent @ ..] = rest
        && digits > 0
    {
        rest = unsigned(exponent);
        digits = skip_digits(&mut rest);
    }
    digits > 0 && rest.is_empty()
}

/// A text without its sign.
fn unsigned(text: &[u8]) -> &[u8] {
    match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    }
}

/// Steps over the digits that a text starts with. Says how many there were.
fn skip_digits(text: &mut &[u8]) -> usize {
    let mut count = 0;
    while let [b'0'..=b'9', rest @ ..] = *text {
        *text = rest;
        count += 1;
    }
    count
}

/// A whole text as a double; see [`is_double`].
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    // `str::parse` also takes "infinity" and "NaN", which no server means.
    if is_double(text) { core::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

/// Decimal digits of a number, in a small buffer of its own.
pub(crate) struct Digits {
    /// A sign and 19 digits, or 20 digits.
    bytes: [u8; 20],
    len: usize,
}

impl Digits {
    /// The digits of `n`.
    pub(crate) fn unsigned(n: u64) -> Self {
        Self::behind(0, n)
    }

    /// Sign and digits of `n`.
    pub(crate) fn signed(n: i64) -> Self {
        Self::behind(usize::from(n < 0), n.unsigned_abs())
    }

    /// The digits of `n` behind so many signs.
    fn behind(signs: usize, n: u64) -> Self {
        let mut digits = Self { bytes: [b'-'; 20], len: signs.saturating_add(width(n)) };
        if let Some(places) = digits.bytes.get_mut(signs..digits.len) {
            put_digits(places, n);
        }
        digits
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// How many digits `n` has.
const fn width(n: u64) -> usize {
    let (mut width, mut limit) = (1, 10_u64);
    while width < 20 && n >= limit {
        width += 1;
        // No power of ten behind the last one fits.
        limit = limit.wrapping_mul(10);
    }
    width
}

/// How long the line is that starts a frame with this number.
pub(super) const fn line_len(n: u64) -> usize {
    width(n) + 3
}

/// The line that starts a frame, of that length: `kind`, the digits of `n`, CRLF. What is left of the room.
pub(super) fn put_line(room: &mut [u8], len: usize, kind: u8, n: u64) -> &mut [u8] {
    let Some((line, rest)) = room.split_at_mut_checked(len) else { return &mut [] };
    if let [first, digits @ .., cr, lf] = line {
        (*first, *cr, *lf) = (kind, b'\r', b'\n');
        put_digits(digits, n);
    }
    rest
}

/// The last digits of `n`, as many as there are places.
fn put_digits(places: &mut [u8], mut n: u64) {
    for place in places.iter_mut().rev() {
        let (rest, digit) = by_ten(n);
        *place = digit + b'0';
        n = rest;
    }
}

/// Whether the processor divides 64 bits by itself. On the others it is a long routine, which nothing
/// else in the core needs.
pub(super) const WIDE: bool = cfg!(any(target_pointer_width = "64", target_family = "wasm"));

/// A tenth of `n`, and what is left.
const fn by_ten(n: u64) -> (u64, u8) {
    if WIDE { (n / 10, (n % 10) as u8) } else { by_ten_in_parts(n) }
}

/// By hand, in parts of 32 and 16 bits.
const fn by_ten_in_parts(n: u64) -> (u64, u8) {
    let (high, low) = ((n >> 32) as u32, n as u32);
    if high == 0 {
        return ((low / 10) as u64, (low % 10) as u8);
    }
    let middle = (high % 10) << 16 | low >> 16;
    let last = (middle % 10) << 16 | low & 0xffff;
    let tenth = ((high / 10) as u64) << 32 | (((middle / 10) << 16) | (last / 10)) as u64;
    (tenth, (last % 10) as u8)
}

/// The shortest text that reads back as the same double, in a small buffer of its own.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct DoubleText {
    bytes: [u8; 31],
    len: u8,
}

impl DoubleText {
    pub(crate) fn new(value: f64) -> Self {
        let mut text = Self { bytes: [0; 31], len: 0 };
        let size = value.abs();
        let plain = size == 0.0 || (1e-5..1e16).contains(&size) || !value.is_finite();
        // 31 bytes hold the longest of both forms: 17 digits, sign, point, exponent.
        let _ = if plain { write!(text, "{value}") } else { write!(text, "{value:e}") };
        text.bytes.make_ascii_lowercase();
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

impl Write for DoubleText {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let start = usize::from(self.len);
        let end = start.saturating_add(s.len());
        copy(self.bytes.get_mut(start..end).ok_or(fmt::Error)?, s.as_bytes());
        self.len = end as u8;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len(bytes: &[u8]) -> Option<Option<u64>> {
        let mut value = 0;
        match length(bytes, &mut value) {
            Line::Whole(used) => {
                assert_eq!(used, bytes.len());
                Some(Some(value))
            }
            Line::Partial => Some(None),
            Line::Bad => None,
        }
    }

    #[test]
    fn lengths_are_plain_digits() {
        assert_eq!(len(b"0\r\n"), Some(Some(0)));
        assert_eq!(len(b"9999999999999999999\r\n"), Some(Some(9_999_999_999_999_999_999)));
        assert_eq!(len(b"9999999999999999999"), Some(None));
        assert_eq!(len(b"10000000000000000000"), None, "20 digits");
        assert_eq!(len(b"12\r"), Some(None));
        assert_eq!(len(b"12"), Some(None));
        assert_eq!(len(b""), Some(None));
        for bad in [&b"+3\r\n"[..], b" 3\r\n", b"03\r\n", b"-1\r\n", b"\r\n", b"1_0\r\n", b"1\rx", b"1\n"] {
            assert_eq!(len(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn integers_cover_the_whole_range() {
        let mut value = 0;
        for n in [0, 1, -1, 42, i64::MAX, i64::MIN] {
            let digits = Digits::signed(n);
            let mut line = [0; 22];
            let used = digits.as_bytes().len();
            line[..used].copy_from_slice(digits.as_bytes());
            line[used..used + 2].copy_from_slice(b"\r\n");
            assert!(matches!(integer(&line[..used + 2], &mut value), Line::Whole(len) if len == used + 2));
            assert_eq!(value.cast_signed(), n);
            assert!(matches!(integer(&line[..used + 1], &mut value), Line::Partial));
        }
        assert!(matches!(integer(b"9223372036854775808\r\n", &mut value), Line::Bad));
        assert!(matches!(integer(b"-9223372036854775809\r\n", &mut value), Line::Bad));
        assert!(matches!(integer(b"-\r\n", &mut value), Line::Bad));
        assert!(matches!(integer(b"\r\n", &mut value), Line::Bad));
        assert!(matches!(integer(b"+5\r\n", &mut value), Line::Whole(4)));
        assert_eq!(value, 5);
    }

    #[test]
    fn doubles_read_back() {
        for d in [0.0, 1.5, -2.25, 0.1, 1e300, -1e-300, f64::MAX, f64::MIN_POSITIVE, 5e-324, 123_456_789.125]
        {
            let text = DoubleText::new(d);
            assert_eq!(parse_double(text.as_bytes()), Some(d), "{:?}", core::str::from_utf8(text.as_bytes()));
        }
        assert_eq!(DoubleText::new(f64::INFINITY).as_bytes(), b"inf");
        assert_eq!(DoubleText::new(f64::NEG_INFINITY).as_bytes(), b"-inf");
        assert!(parse_double(b"-nan").unwrap().is_nan());
        for bad in [&b"infinity"[..], b"NaN", b"", b"-", b"1,5", b"0x10"] {
            assert_eq!(parse_double(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_looks_like_a_double_can_be_read() {
        const ALPHABET: &[u8] = b"05+-.eE";
        for len in 0..=if cfg!(miri) { 2 } else { 6 } {
            for number in 0..ALPHABET.len().pow(len) {
                let mut text = [0; 6];
                let text = &mut text[..len as usize];
                for (at, byte) in text.iter_mut().enumerate() {
                    *byte = ALPHABET[number / ALPHABET.len().pow(at as u32) % ALPHABET.len()];
                }
                let text = core::str::from_utf8(text).unwrap();
                assert_eq!(is_double(text.as_bytes()), text.parse::<f64>().is_ok(), "{text:?}");
            }
        }
    }

    #[test]
    fn numbers_are_divided_in_parts() {
        let mut n = u64::MAX;
        while n > 0 {
            for n in [n, n - 1, n.swap_bytes(), n / 3] {
                assert_eq!(by_ten_in_parts(n), (n / 10, (n % 10) as u8), "{n}");
            }
            n = n / 7 * 5;
        }
    }
}
