//! Numbers of 80 bits, the `long double` of x86.
//!
//! INCRBYFLOAT and HINCRBYFLOAT count in this type and write the result with
//! 17 decimals. Doubles would show other digits: 10.5 plus 0.1 is 10.6 only
//! with the eleven bits more.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// A number with 64 bits of precision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extended {
    negative: bool,
    size: Size,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Zero,
    /// `bits` times two to the power of `exponent`; the top bit is set.
    Finite {
        bits: u64,
        exponent: i32,
    },
    Infinite,
}

/// The binary exponents of the largest and the smallest normal number.
const HIGHEST: i32 = 16383 - 63;
const LOWEST: i32 = -16382 - 63;
/// Beyond this many digits before or after the point, nothing is in range.
const DECIMALS: i32 = 5000;
/// No text that stands for a number is longer in servers.
const LENGTH: usize = 255;

impl Extended {
    pub(crate) const ZERO: Self = Self { negative: false, size: Size::Zero };

    /// A number as `strtold` reads it in full, if it is one and in range.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > LENGTH {
            return None;
        }
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let lower = text.to_ascii_lowercase();
        if matches!(lower.as_slice(), b"inf" | b"infinity") {
            let size = Size::Infinite;
            return Some(Self { negative, size });
        }
        let mut parts = lower.splitn(2, |&byte| byte == b'e');
        let (digits, power) = (parts.next()?, parts.next());
        let power = match power {
            Some(power) => small_integer(power)?,
            None => 0,
        };
        let mut parts = digits.splitn(2, |&byte| byte == b'.');
        let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut number = Big::default();
        for &byte in whole.iter().chain(fraction) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number.multiply_add(10, u32::from(digit));
        }
        let decimals = i32::try_from(fraction.len()).ok()?;
        let size = scale(number, power.checked_sub(decimals)?)?;
        Some(Self { negative, size })
    }

    pub(crate) fn is_finite(self) -> bool {
        !matches!(self.size, Size::Infinite)
    }

    /// The sum, rounded once; infinite also where it is not a number, since
    /// both are refused alike.
    pub(crate) fn add(self, other: Self) -> Self {
        let (high, low) = match (self.size, other.size) {
            (Size::Infinite, _) | (_, Size::Zero) => return self,
            (_, Size::Infinite) | (Size::Zero, _) => return other,
            (Size::Finite { exponent: a, .. }, Size::Finite { exponent: b, .. }) if a >= b => (self, other),
            _ => (other, self),
        };
        let (Size::Finite { bits, exponent }, Size::Finite { bits: low_bits, exponent: low_exponent }) =
            (high.size, low.size)
        else {
            return Self::ZERO;
        };
        // 62 bits below the larger number, and whether anything is beyond.
        let wide = u128::from(bits) << 62;
        let distance = exponent.abs_diff(low_exponent);
        let low_wide = u128::from(low_bits) << 62;
        let shifted = low_wide.checked_shr(distance).unwrap_or(0);
        let lost = shifted.checked_shl(distance).unwrap_or(0) != low_wide;
        let low_wide = shifted | u128::from(lost);
        let (sum, negative) = if high.negative == low.negative {
            (wide + low_wide, high.negative)
        } else if wide >= low_wide {
            (wide - low_wide, high.negative)
        } else {
            (low_wide - wide, low.negative)
        };
        Self { negative: negative && sum != 0, size: round(sum, exponent - 62, false) }
    }

    /// The number with at most 17 decimals and no zeros after them; `None` if
    /// it is not finite.
    pub(crate) fn text(self) -> Option<String> {
        let text = match self.size {
            Size::Zero => String::from("0"),
            Size::Infinite => return None,
            Size::Finite { bits, exponent } if exponent >= 0 => {
                let mut whole = Big::from(bits);
                whole.shift_left(exponent.unsigned_abs());
                whole.decimal()
            }
            Size::Finite { bits, exponent } => fraction(bits, exponent.unsigned_abs()),
        };
        // Servers turn a negative zero into a plain one.
        if self.negative && text != "0" { Some(format!("-{text}")) } else { Some(text) }
    }
}

/// `bits` over two to the power of `shift`, in decimal.
fn fraction(bits: u64, shift: u32) -> String {
    const UNIT: u128 = 100_000_000_000_000_000;
    // Below 2^121, so nothing overflows.
    let scaled = u128::from(bits) * UNIT;
    let kept = scaled.checked_shr(shift).unwrap_or(0);
    let rest = scaled - kept.checked_shl(shift).unwrap_or(0);
    let half = 1_u128.checked_shl(shift - 1).unwrap_or(u128::MAX);
    let up = match rest.cmp(&half) {
        Ordering::Greater => true,
        Ordering::Equal => kept % 2 == 1,
        Ordering::Less => false,
    };
    let rounded = kept + u128::from(up);
    let text = format!("{}.{:017}", rounded / UNIT, rounded % UNIT);
    String::from(text.trim_end_matches('0').trim_end_matches('.'))
}

/// An exponent; one that is far out of range counts as just out of it.
fn small_integer(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i32 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(i32::from(digit));
    }
    let value = value.min(2 * DECIMALS);
    Some(if negative { -value } else { value })
}

/// `number` times ten to the power of `power`, rounded; `None` out of range.
fn scale(mut number: Big, power: i32) -> Option<Size> {
    if number.bits() == 0 {
        return Some(Size::Zero);
    }
    if !(-DECIMALS..=DECIMALS).contains(&power) {
        return None;
    }
    let mut divisor = Big::from(1);
    for _ in 0..power.unsigned_abs() {
        if power > 0 {
            number.multiply_add(10, 0);
        } else {
            divisor.multiply_add(10, 0);
        }
    }
    // Long division in base two: after the shifts the first bit is near the
    // front, and 70 of them are more than the 64 to keep.
    let shift = i32::try_from(number.bits()).ok()? - i32::try_from(divisor.bits()).ok()?;
    if shift > 0 {
        divisor.shift_left(shift.unsigned_abs());
    } else {
        number.shift_left(shift.unsigned_abs());
    }
    const STEPS: i32 = 70;
    let mut quotient: u128 = 0;
    for _ in 0..STEPS {
        quotient <<= 1;
        if number.cmp(&divisor) != Ordering::Less {
            number.subtract(&divisor);
            quotient |= 1;
        }
        number.shift_left(1);
    }
    match round(quotient, shift - (STEPS - 1), number.bits() != 0) {
        Size::Finite { bits, exponent } => Some(Size::Finite { bits, exponent }),
        _ => None,
    }
}

/// `wide` times two to the power of `exponent` with 64 bits, to the nearest
/// and on a tie to the even one; `more` says that something is beyond `wide`.
fn round(wide: u128, exponent: i32, more: bool) -> Size {
    if wide == 0 {
        return Size::Zero;
    }
    let zeros = wide.leading_zeros();
    let wide = wide << zeros;
    // The upper half, which has its top bit set.
    let kept = (wide >> 64) as u64;
    let rest = wide as u64;
    let half = 1_u64 << 63;
    let up = rest > half || rest == half && (more || kept % 2 == 1);
    let exponent = exponent - zeros.cast_signed() + 64;
    let (bits, exponent) = match kept.checked_add(u64::from(up)) {
        Some(bits) => (bits, exponent),
        None => (half, exponent + 1),
    };
    if exponent > HIGHEST {
        Size::Infinite
    } else if exponent < LOWEST {
        // Subnormal numbers show no digit with 17 decimals.
        Size::Zero
    } else {
        Size::Finite { bits, exponent }
    }
}

/// A whole number of any size, the lowest limb first, no zero on top.
#[derive(Clone, Default)]
struct Big(Vec<u32>);

impl From<u64> for Big {
    fn from(value: u64) -> Self {
        let mut big = Self(Vec::from([value as u32, (value >> 32) as u32]));
        big.trim();
        big
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// How many bits it has.
    fn bits(&self) -> u32 {
        let limbs = u32::try_from(self.0.len()).unwrap_or(0);
        match self.0.last() {
            Some(top) => limbs * u32::BITS - top.leading_zeros(),
            None => 0,
        }
    }

    fn multiply_add(&mut self, factor: u32, term: u32) {
        let mut carry = u64::from(term);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, by: u32) {
        if self.0.is_empty() {
            return;
        }
        let (limbs, by) = (by / 32, by % 32);
        let mut carry = 0_u64;
        for limb in &mut self.0 {
            carry |= u64::from(*limb) << by;
            *limb = carry as u32;
            carry >>= 32;
        }
        self.0.push(carry as u32);
        self.0.splice(..0, (0..limbs).map(|_| 0));
        self.trim();
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let by_size = self.0.len().cmp(&other.0.len());
        by_size.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes `other` off, which is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        let others = other.0.iter().copied().chain(core::iter::repeat(0));
        for (limb, off) in self.0.iter_mut().zip(others) {
            let (value, first) = limb.overflowing_sub(off);
            let (value, second) = value.overflowing_sub(u32::from(borrow));
            *limb = value;
            borrow = first || second;
        }
        self.trim();
    }

    fn decimal(mut self) -> String {
        const GROUP: u32 = 1_000_000_000;
        let mut groups = Vec::new();
        while !self.0.is_empty() {
            let mut rest = 0_u64;
            for limb in self.0.iter_mut().rev() {
                let value = rest << 32 | u64::from(*limb);
                *limb = (value / u64::from(GROUP)) as u32;
                rest = value % u64::from(GROUP);
            }
            groups.push(rest);
            self.trim();
        }
        let mut text = format!("{}", groups.pop().unwrap_or(0));
        for group in groups.into_iter().rev() {
            text.push_str(&format!("{group:09}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Extended;
    use alloc::string::String;

    fn sum(a: &str, b: &str) -> Option<String> {
        let a = Extended::parse(a.as_bytes())?;
        a.add(Extended::parse(b.as_bytes())?).text()
    }

    // Each checked against redis-server 7.0.15 with INCRBYFLOAT.
    #[test]
    fn sums_are_those_of_long_doubles() {
        for (a, b, result) in [
            ("10.5", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0", "0.1", "0.1"),
            ("0.1", "0.2", "0.3"),
            ("3000.1", "0", "3000.10000000000000009"),
            ("123456789.123456789", "987654321.987654321", "1111111111.11111110995989293"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("9007199254740993", "0.5", "9007199254740993.5"),
            ("1e17", "1", "100000000000000001"),
            ("1e20", "0", "100000000000000000000"),
            ("1", "-1", "0"),
            ("-0", "0", "0"),
            ("-1.5", "0.25", "-1.25"),
            ("1e-18", "0", "0"),
            ("1e-17", "0", "0.00000000000000001"),
        ] {
            assert_eq!(sum(a, b).as_deref(), Some(result), "{a} + {b}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1x", "e5", "1e", "1 ", " 1", "nan", "1e6000"] {
            assert!(Extended::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(sum("inf", "1"), None);
    }
}
