//! Integers and doubles as the protocol's text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// An integer in the one spelling that counts as one: no sign but `-`, no
/// leading zero, no blank.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut magnitude: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Appends `value` in decimal.
pub(crate) fn push_integer(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    let mut left = value.unsigned_abs();
    let start = out.len();
    loop {
        // A digit is below 10, so the cast keeps all of it.
        out.push(b'0' + (left % 10) as u8);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// `value` in decimal.
pub(crate) fn integer_text(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    push_integer(&mut out, value);
    out
}

/// A double as C's `strtod` reads it, where nothing may be left over and a
/// value out of range or not a number is refused.
pub(crate) fn double(text: &[u8]) -> Option<f64> {
    let text = core::str::from_utf8(text).ok()?;
    let value: f64 = text.parse().ok()?;
    let digits = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let spelled = text.bytes().any(|byte| matches!(byte, b'n' | b'N'));
    let overflow = value.is_infinite() && !spelled;
    let underflow = value == 0.0 && digits.into_iter().any(|byte| matches!(byte, b'1'..=b'9'));
    (!value.is_nan() && !overflow && !underflow).then_some(value)
}

/// A double as `%.17g` writes it, which is how 7.0 writes scores.
pub(crate) fn double_text(value: f64) -> String {
    const PRECISION: i32 = 17;
    if value.is_infinite() {
        return String::from(if value > 0.0 { "inf" } else { "-inf" });
    }
    if value.is_nan() {
        return String::from("nan");
    }
    let scientific = format!("{value:.16e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..PRECISION).contains(&exponent) {
        let decimals = usize::try_from(PRECISION - 1 - exponent).unwrap_or(0);
        let fixed = format!("{value:.decimals$}");
        return String::from(without_zeros(&fixed));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let size = exponent.unsigned_abs();
    format!("{}e{sign}{size:02}", without_zeros(mantissa))
}

/// `text` without the zeros that end its fraction.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::{double, double_text, integer, integer_text};

    #[test]
    fn integers() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999999", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("+1", None),
            ("01", None),
            (" 1", None),
            ("1x", None),
        ] {
            assert_eq!(integer(text.as_bytes()), value, "{text}");
        }
        assert_eq!(integer_text(i64::MIN), b"-9223372036854775808");
        assert_eq!(integer_text(0), b"0");
    }

    #[test]
    fn doubles() {
        assert_eq!(double(b"1e400"), None);
        assert_eq!(double(b"1e-400"), None);
        assert_eq!(double(b"nan"), None);
        assert_eq!(double(b"-inf"), Some(f64::NEG_INFINITY));
        assert_eq!(double(b"0.0e5"), Some(0.0));
        assert_eq!(double(b"1 "), None);
        for (value, text) in [
            (1.1, "1.1000000000000001"),
            (100.0, "100"),
            (0.0, "0"),
            (-0.0, "-0"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e-5, "1.0000000000000001e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5000000000000001e+300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(double_text(value), text);
        }
    }
}
