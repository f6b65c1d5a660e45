//! Values from replies.

use super::{Kind, Reply, Seq};
use crate::error::{DecodeError, ReplyError};

/// A type that can be made from a reply.
///
/// The same type is made from the RESP2 and the RESP3 shape of one command: a double from the
/// string that RESP2 sends, pairs from a map, from a flat array or from an array of pairs.
/// Conversions never touch the stream; a failure concerns this value alone.
///
/// | type | made from |
/// |---|---|
/// | integers, `i8` to `u128` | integer, big number, string of digits; out of range is an error |
/// | `f64`, `f32` | double, integer, big number, string; `inf`, `-inf`, `nan` |
/// | `bool` | boolean, 0 and 1, status (true), null (false) |
/// | `&[u8]`, `&str` | simple, bulk, verbatim, big number, digits of numbers, if in one piece |
/// | `Vec<u8>`, `Box<[u8]>`, `String`, `Box<str>` ¹ | the same, and strings that were streamed |
/// | `Cow<[u8]>`, `Cow<str>` ¹ | the same: borrowed, and owned if it was streamed |
/// | `Option<T>` | null, or `T` |
/// | `Result<T, ServerError>`, `Result<T, ErrorReply>` ¹ | an error as a value, or `T`: results inside EXEC |
/// | tuples of up to 12, `[T; N]` | an aggregate of just as many elements |
/// | `Seq<T>`, `Vec<T>` ¹, `Box<[T]>` ¹, `VecDeque<T>` ¹ | any aggregate; an element `(K, V)` takes pairs |
/// | `BTreeSet<T>` ¹, `HashSet<T>` ² | the same; equal elements are one |
/// | `Map<K, V>`, `BTreeMap` ¹, `HashMap` ² | map, flat array, array of pairs; the last of equal keys wins |
/// | `heapless::{Vec, Deque, String}` ³ | as `Vec` and `String`; too much is an error |
/// | `heapless::{IndexMap, LinearMap, IndexSet}` ³ | as `HashMap` and `HashSet`; too much is an error |
/// | `Serde<T>` ⁴ | whatever serde makes a `T` from |
/// | [`Done`] | a status such as `OK` |
/// | `()` | anything but an error |
/// | `Value` ¹ | anything at all; an error inside of others is a value |
/// | [`Reply`] | anything at all, an error too |
///
/// With feature ¹ `alloc`, ² `std`, ³ `heapless`, ⁴ `serde`. Attributes are no part of any of them
/// but [`Reply`].
pub trait FromReply<'a>: Sized {
    /// What the answer can be at all.
    const EXPECTS: Expects = Expects::Anything;

    /// Makes the value from a reply.
    ///
    /// # Errors
    /// The reply is of another type; an error reply is one, too.
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError>;

    /// Makes the value from the whole answer to a request: the server's error apart.
    ///
    /// # Errors
    /// The server's error, or that the reply is of another type.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn try_reply(reply: Reply<'a>) -> Result<Self, ReplyError<'a>> {
        match reply.error() {
            Some(error) => Err(ReplyError::Server(error)),
            None => Ok(Self::from_reply(reply)?),
        }
    }

    /// Takes the next value of a sequence: one element, for a pair two where they stand flat.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn take<T>(seq: &mut Seq<'a, T>) -> Option<Result<Self, DecodeError>> {
        seq.next_as(Self::from_reply)
    }

    /// How many elements it is where it stands flat.
    #[doc(hidden)]
    const PLACES: u64 = 1;

    /// All elements of an aggregate, or all bytes of a string.
    ///
    /// # Errors
    /// As with [`fill`](Self::fill).
    #[cfg(feature = "alloc")]
    #[doc(hidden)]
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn vec(reply: Reply<'a>) -> Result<alloc::vec::Vec<Self>, DecodeError> {
        super::owned::items(&mut Seq::from_reply(reply)?)
    }

    /// The same of the next value of a sequence.
    #[cfg(feature = "alloc")]
    #[doc(hidden)]
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn take_vec<S>(seq: &mut Seq<'a, S>) -> Option<Result<alloc::vec::Vec<Self>, DecodeError>> {
        seq.next_inside(super::owned::items)
    }

    /// Puts such values into a container: the elements of an aggregate, for bytes those of a string.
    ///
    /// # Errors
    /// The reply is not an aggregate, an element is of another type, or the container is full.
    #[cfg(any(feature = "alloc", feature = "heapless"))]
    #[doc(hidden)]
    fn fill<C: super::Fill<Self>>(reply: Reply<'a>, container: &mut C) -> Result<(), DecodeError> {
        super::fill::elements(reply, container)
    }
}

/// A status reply, such as `OK`. The answer to a command that has nothing else to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Done;

pub(super) const fn unexpected(expected: &'static str, reply: Reply<'_>) -> DecodeError {
    DecodeError::Unexpected { expected, found: reply.kind() }
}

/// The bytes of a string, if they are in one piece.
#[inline]
pub(super) fn text<'a>(expected: &'static str, reply: Reply<'a>) -> Result<&'a [u8], DecodeError> {
    match reply.as_bytes() {
        Some(text) => Ok(text),
        None if reply.is_streamed_string() => Err(DecodeError::Streamed),
        None => Err(unexpected(expected, reply)),
    }
}

/// What the answer to a command can be at all, errors and null apart. A connection checks it before anybody reads:
/// an answer of another sort belongs to another request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Expects {
    /// Nobody knows.
    Anything,
    /// One value: text, a number, a truth.
    Scalar,
    /// An array, a map or a set.
    Aggregate,
}

impl Expects {
    /// Whether an answer can be of this kind.
    pub const fn admits(self, kind: Kind) -> bool {
        match self {
            _ if kind.is_error() || matches!(kind, Kind::Null) => true,
            Self::Anything => true,
            Self::Scalar => !kind.is_aggregate(),
            Self::Aggregate => kind.is_aggregate(),
        }
    }
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
    const EXPECTS: Expects = Expects::Scalar;

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
    const EXPECTS: Expects = Expects::Scalar;

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        text("a string", reply)
    }
}

impl<'a> FromReply<'a> for &'a str {
    const EXPECTS: Expects = Expects::Scalar;

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        core::str::from_utf8(<&[u8]>::from_reply(reply)?).map_err(|_| DecodeError::NotUtf8)
    }
}
