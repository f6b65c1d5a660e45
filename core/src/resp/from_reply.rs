//! Values from replies.

use super::{Kind, Map, Reply, Seq, number};
use crate::error::{DecodeError, ReplyError, ServerError};

/// A type that can be made from a reply.
///
/// The same type is made from the RESP2 and the RESP3 shape of one command: a double from the
/// string that RESP2 sends, pairs from a map, from a flat array or from an array of pairs.
/// Conversions never touch the stream; a failure concerns this value alone.
///
/// | type | made from |
/// |---|---|
/// | integers | integer, big number, string of digits; out of range is an error |
/// | `f64`, `f32` | double, integer, string |
/// | `bool` | boolean, 0 and 1, status (true), null (false) |
/// | `&[u8]`, `&str`, `String`, `Vec<u8>` | simple, bulk, verbatim, big number, digits of numbers |
/// | `Option<T>` | null, or `T` |
/// | `Result<T, ServerError>` | an error as a value, or `T`: results inside EXEC |
/// | tuples, `[T; N]` | an aggregate of just as many elements |
/// | `Seq<T>`, `Vec<T>` | any aggregate; an element `(K, V)` takes pairs |
/// | `Map<K, V>`, `BTreeMap`, `HashMap` | map, flat array, array of pairs |
/// | [`Done`] | a status such as `OK` |
/// | `()` | anything but an error |
/// | `Value` | anything at all; an error inside of others is a value |
/// | [`Reply`] | anything at all, an error too |
pub trait FromReply<'a>: Sized {
    /// Makes the value from a reply.
    ///
    /// # Errors
    /// The reply is of another type; an error reply is one, too.
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError>;

    /// Makes the value from the whole answer to a request: the server's error apart.
    ///
    /// # Errors
    /// The server's error, or that the reply is of another type.
    fn try_reply(reply: Reply<'a>) -> Result<Self, ReplyError<'a>> {
        match reply.error() {
            Some(error) => Err(ReplyError::Server(error)),
            None => Ok(Self::from_reply(reply)?),
        }
    }

    /// Takes the next value of a sequence: one element, for a pair two where they stand flat.
    fn take<T>(seq: &mut Seq<'a, T>) -> Option<Result<Self, DecodeError>> {
        seq.advance().map(Self::from_reply)
    }

    /// Makes a vector of such values; bytes make one from a string.
    ///
    /// # Errors
    /// The reply is not an aggregate, or an element is of another type.
    #[cfg(feature = "alloc")]
    #[doc(hidden)]
    fn vec(reply: Reply<'a>) -> Result<alloc::vec::Vec<Self>, DecodeError> {
        super::owned::collect(reply)
    }
}

/// A status reply, such as `OK`. The answer to a command that has nothing else to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Done;

pub(super) const fn unexpected(expected: &'static str, reply: Reply<'_>) -> DecodeError {
    DecodeError::Unexpected { expected, found: reply.kind() }
}

impl<'a> FromReply<'a> for Reply<'a> {
    fn from_reply(reply: Self) -> Result<Self, DecodeError> {
        Ok(reply)
    }

    fn try_reply(reply: Self) -> Result<Self, ReplyError<'a>> {
        Ok(reply)
    }
}

impl<'a> FromReply<'a> for Done {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match (reply.kind(), reply.as_bytes()) {
            (_, Some(b"OK")) => Ok(Self),
            // Inside MULTI nothing is done yet.
            (Kind::Simple, Some(text)) if text != b"QUEUED" => Ok(Self),
            _ => Err(unexpected("a status", reply)),
        }
    }
}

impl<'a> FromReply<'a> for () {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        if reply.kind().is_error() { Err(unexpected("anything but an error", reply)) } else { Ok(()) }
    }
}

impl<'a> FromReply<'a> for &'a [u8] {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        reply.as_bytes().ok_or(unexpected("a string", reply))
    }
}

impl<'a> FromReply<'a> for &'a str {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        core::str::from_utf8(<&[u8]>::from_reply(reply)?).map_err(|_| DecodeError::NotUtf8)
    }
}

macro_rules! integers {
    ($($int:ty),*) => { $(
        impl<'a> FromReply<'a> for $int {
            fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
                let (negative, size) = integer(reply)?;
                let n = if negative {
                    0_i64.checked_sub_unsigned(size).and_then(|n| Self::try_from(n).ok())
                } else {
                    Self::try_from(size).ok()
                };
                n.ok_or(DecodeError::OutOfRange)
            }
        }
    )* };
}

/// An integer, or the text of one: whether it is negative, and its size. Compiled once.
fn integer(reply: Reply<'_>) -> Result<(bool, u64), DecodeError> {
    if let Some(n) = reply.as_integer() {
        return Ok((n < 0, n.unsigned_abs()));
    }
    let text = match (reply.kind(), reply.as_bytes()) {
        (Kind::Simple | Kind::Bulk | Kind::BigNumber, Some(text)) => text,
        _ => return Err(unexpected("an integer", reply)),
    };
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(DecodeError::NotANumber);
    }
    let mut size: u64 = 0;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return Err(DecodeError::NotANumber);
        }
        let more = size.checked_mul(10).and_then(|size| size.checked_add(u64::from(byte - b'0')));
        size = more.ok_or(DecodeError::OutOfRange)?;
    }
    Ok((negative, size))
}

integers!(i8, i16, u16, i32, u32, i64, u64, isize, usize);

impl<'a> FromReply<'a> for u8 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Self::try_from(u16::from_reply(reply)?).map_err(|_| DecodeError::OutOfRange)
    }

    #[cfg(feature = "alloc")]
    fn vec(reply: Reply<'a>) -> Result<alloc::vec::Vec<Self>, DecodeError> {
        super::owned::bytes(reply)
    }
}

impl<'a> FromReply<'a> for f64 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match (reply.kind(), reply.as_bytes()) {
            (Kind::Double | Kind::Integer | Kind::Bulk | Kind::Simple | Kind::BigNumber, Some(text)) => {
                number::parse_double(text).ok_or(DecodeError::NotANumber)
            }
            _ => Err(unexpected("a number", reply)),
        }
    }
}

impl<'a> FromReply<'a> for f32 {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        f64::from_reply(reply).map(|double| double as Self)
    }
}

impl<'a> FromReply<'a> for bool {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match (reply.kind(), reply.as_integer()) {
            (Kind::Boolean, _) => Ok(reply.as_boolean() == Some(true)),
            (_, Some(0)) | (Kind::Null, _) => Ok(false),
            (_, Some(1)) => Ok(true),
            (_, Some(_)) => Err(DecodeError::OutOfRange),
            _ => Done::from_reply(reply).map(|_| true).map_err(|_| unexpected("a boolean", reply)),
        }
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Option<T> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        if reply.is_null() { Ok(None) } else { T::from_reply(reply).map(Some) }
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Result<T, ServerError<'a>> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match reply.error() {
            Some(error) => Ok(Err(error)),
            None => T::from_reply(reply).map(Ok),
        }
    }

    fn try_reply(reply: Reply<'a>) -> Result<Self, ReplyError<'a>> {
        Ok(Self::from_reply(reply)?)
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Seq<'a, T> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        reply.elements().map(Seq::cast).ok_or(unexpected("an array", reply))
    }
}

impl<'a, K: FromReply<'a>, V: FromReply<'a>> FromReply<'a> for Map<'a, K, V> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        reply.pairs().map(Map::cast).ok_or(unexpected("a map", reply))
    }
}

/// `Default` fills the array before its elements are decoded: it is the only way to build one
/// without allocation, `unsafe` or a panic path.
impl<'a, T: FromReply<'a> + Default, const N: usize> FromReply<'a> for [T; N] {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut seq: Seq<'a, T> = Seq::from_reply(reply)?;
        let mut items = core::array::from_fn(|_| T::default());
        for item in &mut items {
            *item = seq.next().ok_or(DecodeError::Length { expected: N })??;
        }
        match seq.advance() {
            Some(_) => Err(DecodeError::Length { expected: N }),
            None => Ok(items),
        }
    }
}

/// A pair is an array of two, or, inside a map or a flat array, two elements in a row.
impl<'a, A: FromReply<'a>, B: FromReply<'a>> FromReply<'a> for (A, B) {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut seq: Seq<'a> = Seq::from_reply(reply)?;
        let pair = pair(&mut seq).ok_or(DecodeError::Length { expected: 2 })??;
        match seq.advance() {
            Some(_) => Err(DecodeError::Length { expected: 2 }),
            None => Ok(pair),
        }
    }

    fn take<T>(seq: &mut Seq<'a, T>) -> Option<Result<Self, DecodeError>> {
        let nested = !seq.is_map() && seq.peek()?.kind() == Kind::Array;
        if nested { seq.advance().map(Self::from_reply) } else { pair(seq) }
    }
}

fn pair<'a, A, B, T>(seq: &mut Seq<'a, T>) -> Option<Result<(A, B), DecodeError>>
where
    A: FromReply<'a>,
    B: FromReply<'a>,
{
    let first = match A::from_reply(seq.advance()?) {
        Ok(first) => first,
        Err(error) => return Some(Err(error)),
    };
    let Some(second) = seq.advance() else { return Some(Err(DecodeError::Length { expected: 2 })) };
    Some(B::from_reply(second).map(|second| (first, second)))
}

macro_rules! tuples {
    ($($len:literal: $($T:ident)+;)+) => { $(
        impl<'a, $($T: FromReply<'a>),+> FromReply<'a> for ($($T,)+) {
            fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
                let mut seq: Seq<'a> = Seq::from_reply(reply)?;
                let missing = DecodeError::Length { expected: $len };
                let tuple = ($($T::from_reply(seq.advance().ok_or(missing)?)?,)+);
                match seq.advance() {
                    Some(_) => Err(missing),
                    None => Ok(tuple),
                }
            }
        }
    )+ };
}

tuples! {
    1: A;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G H;
}
