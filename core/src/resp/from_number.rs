//! Numbers and truths from replies.

#[cfg(feature = "alloc")]
use super::Seq;
use super::from_reply::{text, unexpected};
use super::{Done, Expects, FromReply, Kind, Reply, number};
use crate::error::DecodeError;

macro_rules! integers {
    ($($int:ty),*) => { $(
        impl<'a> FromReply<'a> for $int {
            const EXPECTS: Expects = Expects::Scalar;

            #[inline]
            fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
                match reply.as_integer() {
                    Some(n) => Self::try_from(n).map_err(|_| DecodeError::OutOfRange),
                    None => written(text("an integer", reply)?),
                }
            }
        }
    )* };
}

/// An integer that is written as a string, a double or a big number.
fn written<T: TryFrom<i64> + TryFrom<u64>>(text: &[u8]) -> Result<T, DecodeError> {
    let (negative, size) = digits(text)?;
    let n = if negative {
        0_i64.checked_sub_unsigned(size).and_then(|n| T::try_from(n).ok())
    } else {
        T::try_from(size).ok()
    };
    n.ok_or(DecodeError::OutOfRange)
}

/// The text of a number: whether it is negative, and its size. Compiled once for each size.
macro_rules! parsers {
    ($($name:ident: $Size:ty),*) => { $(
        fn $name(text: &[u8]) -> Result<(bool, $Size), DecodeError> {
            let (negative, digits) = match text {
                [b'-', digits @ ..] => (true, digits),
                [b'+', digits @ ..] | digits => (false, digits),
            };
            if digits.is_empty() {
                return Err(DecodeError::NotANumber);
            }
            let mut size: $Size = 0;
            for &byte in digits {
                if !byte.is_ascii_digit() {
                    return Err(DecodeError::NotANumber);
                }
                // Not `checked_mul`, which is a long routine where registers are short.
                let more = if size > <$Size>::MAX / 10 { None } else { (size * 10).checked_add((byte - b'0').into()) };
                size = more.ok_or(DecodeError::OutOfRange)?;
            }
            Ok((negative, size))
        }
    )* };
}

parsers!(digits: u64, wide: u128);
integers!(i8, i16, u16, i32, u32, i64, u64, isize, usize);

impl<'a> FromReply<'a> for u8 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Self::try_from(u16::from_reply(reply)?).map_err(|_| DecodeError::OutOfRange)
    }

    #[cfg(feature = "alloc")]
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn vec(reply: Reply<'a>) -> Result<alloc::vec::Vec<Self>, DecodeError> {
        super::owned::bytes(reply)
    }

    #[cfg(feature = "alloc")]
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn take_vec<S>(seq: &mut Seq<'a, S>) -> Option<Result<alloc::vec::Vec<Self>, DecodeError>> {
        seq.next_as(Self::vec)
    }

    #[cfg(any(feature = "alloc", feature = "heapless"))]
    fn fill<C: super::Fill<Self>>(reply: Reply<'a>, container: &mut C) -> Result<(), DecodeError> {
        super::fill::bytes(reply, container)
    }
}

impl<'a> FromReply<'a> for i128 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let (negative, size) = wide(text("an integer", reply)?)?;
        let n = if negative { 0_i128.checked_sub_unsigned(size) } else { size.try_into().ok() };
        n.ok_or(DecodeError::OutOfRange)
    }
}

impl<'a> FromReply<'a> for u128 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match wide(text("an integer", reply)?)? {
            (true, 1..) => Err(DecodeError::OutOfRange),
            (_, size) => Ok(size),
        }
    }
}

impl<'a> FromReply<'a> for f64 {
    const EXPECTS: Expects = Expects::Scalar;

    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        number::parse_double(text("a number", reply)?).ok_or(DecodeError::NotANumber)
    }
}

/// A number that only an infinite one could stand for is out of range.
impl<'a> FromReply<'a> for f32 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let double = f64::from_reply(reply)?;
        let single = double as Self;
        if single.is_infinite() && double.is_finite() { Err(DecodeError::OutOfRange) } else { Ok(single) }
    }
}

impl<'a> FromReply<'a> for bool {
    const EXPECTS: Expects = Expects::Scalar;

    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match (reply.kind(), reply.as_integer()) {
            (Kind::Boolean, _) => Ok(reply.as_boolean() == Some(true)),
            (_, Some(0)) | (Kind::Null, _) => Ok(false),
            (_, Some(1)) => Ok(true),
            (_, Some(_)) => Err(DecodeError::OutOfRange),
            _ => match text("a boolean", reply)? {
                b"0" => Ok(false),
                b"1" => Ok(true),
                _ => Done::from_reply(reply).map(|_| true).map_err(|_| unexpected("a boolean", reply)),
            },
        }
    }
}
