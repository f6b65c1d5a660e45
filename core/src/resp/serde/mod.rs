//! Values from replies through serde, with feature `serde`.

mod access;
mod deserializer;
mod error;

use serde::Deserialize;

use super::{FromReply, Reply};
use crate::error::DecodeError;

pub use deserializer::Deserializer;

/// How deep a reply may be nested, and a type wrapped: serde recurses, and this is all the stack it gets.
const MAX_DEPTH: u8 = 64;

/// Whatever serde can make from a reply: `reply.get::<Serde<User>>()`.
///
/// Nothing is allocated by this crate, but for streamed strings; `&str` and `&[u8]` borrow from the
/// reply. As everywhere, the type decides, and both protocols are read alike:
///
/// | serde asks for | made from |
/// |---|---|
/// | integers, floats, `bool`, `str` | what [`FromReply`] makes them from: digits in a string are a number |
/// | `char` | a string of one |
/// | bytes (as serde_bytes has them) | a string |
/// | option | null, or what is inside |
/// | unit, unit struct | anything but an error |
/// | seq | any aggregate; an element that is a tuple of two takes pairs that stand flat |
/// | tuple, tuple struct | an aggregate of just as many elements |
/// | map, struct | map, flat array, array of pairs; a field that the type lacks is skipped |
/// | enum | a string for a variant without content; else a map of one entry, or an array of two: name and content |
/// | anything (`deserialize_any`) | null as unit, strings as `str` if they are UTF-8 and else as bytes, big numbers as integers if 64 bits hold them and else as `str` |
///
/// A string is then no number: `#[serde(flatten)]`, untagged and internally tagged enums ask for
/// anything first, and see what RESP2 sends for a number as a string.
///
/// A reply that is nested deeper than 64 is [`DecodeError::TooDeep`], unless nobody looks inside; an
/// error inside of a value is [`DecodeError::Unexpected`], where it is not skipped.
///
/// ```
/// use respire_core::resp::{Reply, Serde};
///
/// #[derive(serde::Deserialize, PartialEq, Debug)]
/// struct User<'a> {
///     name: &'a str,
///     age: u8,
/// }
///
/// let resp2 = Reply::parse(b"*4\r\n$4\r\nname\r\n$3\r\nann\r\n$3\r\nage\r\n$2\r\n30\r\n").unwrap();
/// let resp3 = Reply::parse(b"%2\r\n$4\r\nname\r\n$3\r\nann\r\n$3\r\nage\r\n$2\r\n30\r\n").unwrap();
/// for reply in [resp2, resp3] {
///     assert_eq!(reply.get(), Ok(Serde(User { name: "ann", age: 30 })));
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Serde<T>(pub T);

impl<'de, T: Deserialize<'de>> FromReply<'de> for Serde<T> {
    fn from_reply(reply: Reply<'de>) -> Result<Self, DecodeError> {
        T::deserialize(Deserializer::new(reply)).map(Self)
    }
}

#[cfg(feature = "alloc")]
impl<T: serde::de::DeserializeOwned> super::Natural for Serde<T> {
    type Owned = Self;
}
