//! Decimal numbers of the protocol, both ways, without allocation.

use core::fmt::{self, Write};

use super::encode::copy;

/// A number at the start of a line.
pub(crate) enum Line<T> {
    /// The number, and how many bytes it takes with its CRLF.
    Whole(T, usize),
    /// Right so far; the line end is not here yet.
    Partial,
    /// Not a number of the kind asked for.
    Bad,
}

/// A length or count: at most 19 decimal digits without sign or leading zeros, then CRLF. Never
/// wraps: the limit is compared in 64 bits before any cast.
#[inline]
pub(crate) fn length(line: &[u8]) -> Line<u64> {
    match whole_number(line) {
        // The second digit, if there is one, is there when the line is whole.
        Line::Whole(_, len) if len > 3 && line.first() == Some(&b'0') => Line::Bad,
        whole => whole,
    }
}

/// A signed 64-bit integer, then CRLF. `+` is allowed, as the specification has it, and so are zeros
/// in front, with 19 digits altogether.
#[inline]
pub(crate) fn integer(line: &[u8]) -> Line<i64> {
    let (negative, text) = match line {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] => (false, text),
        text => (false, text),
    };
    match whole_number(text) {
        Line::Whole(size, len) => {
            let value = if negative { 0_i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() };
            value.map_or(Line::Bad, |value| Line::Whole(value, line.len() - text.len() + len))
        }
        Line::Partial => Line::Partial,
        Line::Bad => Line::Bad,
    }
}

/// Up to 19 digits, then CRLF.
#[inline]
fn whole_number(line: &[u8]) -> Line<u64> {
    let (value, digits) = leading_number(line);
    match line.get(digits..) {
        Some([b'\r', b'\n', ..]) if matches!(digits, 1..=LONGEST) => Line::Whole(value, digits + 2),
        Some([]) if digits <= LONGEST => Line::Partial,
        Some([b'\r']) if matches!(digits, 1..=LONGEST) => Line::Partial,
        _ => Line::Bad,
    }
}

/// The most digits that always fit into 64 bits.
const LONGEST: usize = 19;

/// The number that a line starts with, and how many digits it has: right up to [`LONGEST`], and at
/// most one more is looked at.
#[inline]
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
#[inline]
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
    let (whole, rest) = leading_digits(text);
    let (fraction, rest) = rest.strip_prefix(b".").map_or((&[][..], rest), leading_digits);
    let exponent_is_right = match rest {
        [] => true,
        [b'e' | b'E', exponent @ ..] => {
            let (digits, rest) = leading_digits(unsigned(exponent));
            !digits.is_empty() && rest.is_empty()
        }
        _ => false,
    };
    exponent_is_right && !(whole.is_empty() && fraction.is_empty())
}

/// A text without its sign.
fn unsigned(text: &[u8]) -> &[u8] {
    match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    }
}

/// The digits that a text starts with, and the rest.
fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or_default()
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
    while n >= limit && width < 20 {
        width += 1;
        limit = limit.saturating_mul(10);
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
        match length(bytes) {
            Line::Whole(n, used) => {
                assert_eq!(used, bytes.len());
                Some(Some(n))
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
        for n in [0, 1, -1, 42, i64::MAX, i64::MIN] {
            let digits = Digits::signed(n);
            let mut line = [0; 22];
            let used = digits.as_bytes().len();
            line[..used].copy_from_slice(digits.as_bytes());
            line[used..used + 2].copy_from_slice(b"\r\n");
            assert!(matches!(integer(&line[..used + 2]), Line::Whole(m, _) if m == n), "{n}");
            assert!(matches!(integer(&line[..used + 1]), Line::Partial));
        }
        assert!(matches!(integer(b"9223372036854775808\r\n"), Line::Bad));
        assert!(matches!(integer(b"-9223372036854775809\r\n"), Line::Bad));
        assert!(matches!(integer(b"-\r\n"), Line::Bad));
        assert!(matches!(integer(b"\r\n"), Line::Bad));
        assert!(matches!(integer(b"+5\r\n"), Line::Whole(5, 4)));
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
