//! Owned values, with feature `alloc`.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Fill, FromReply, Map, Reply, Seq, fill};
use crate::error::{DecodeError, ErrorKind, ReplyError, ServerError};

/// An error reply on its own: the whole text, as bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ErrorReply(Vec<u8>);

impl ErrorReply {
    /// The borrowed view, with code and message.
    pub fn as_ref(&self) -> ServerError<'_> {
        ServerError::new(&self.0)
    }

    /// The code: `WRONGTYPE`, `ERR`; empty if it is not UTF-8.
    pub fn code(&self) -> &str {
        core::str::from_utf8(self.as_ref().code()).unwrap_or_default()
    }

    /// The code, to be matched.
    pub fn kind(&self) -> ErrorKind<'_> {
        self.as_ref().kind()
    }
}

impl From<ServerError<'_>> for ErrorReply {
    fn from(error: ServerError<'_>) -> Self {
        Self(error.text().to_vec())
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorReply({self})")
    }
}

impl core::error::Error for ErrorReply {}

/// The bytes of a string, however many pieces it came in.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(super) fn bytes(reply: Reply<'_>) -> Result<Vec<u8>, DecodeError> {
    match reply.as_bytes() {
        Some(text) => Ok(text.to_vec()),
        None => pieces(reply),
    }
}

#[inline(never)]
fn pieces(reply: Reply<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    fill::bytes(reply, &mut bytes)?;
    Ok(bytes)
}

/// Room for `count` items that are said to stand at the front of `inside`: for no more than these bytes
/// can be worth.
pub(super) fn room<T>(count: u64, inside: &[u8]) -> Vec<T> {
    /// How many bytes of items to believe in, for each byte that came: one digit is a value of four
    /// bytes, and most items take no more than 32.
    const WORTH: usize = 8;
    let most = inside.len().saturating_mul(WORTH) / size_of::<T>().max(1);
    Vec::with_capacity(usize::try_from(count).unwrap_or(usize::MAX).min(most))
}

/// All that are left.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(super) fn items<'a, T: FromReply<'a>>(seq: &mut Seq<'a, T>) -> Result<Vec<T>, DecodeError> {
    let mut items = room(seq.places(), seq.behind());
    while let Some(item) = T::take(seq) {
        items.push(item?);
    }
    Ok(items)
}

impl<T> Fill<T> for Vec<T> {
    fn one(&mut self, item: T) -> Result<(), DecodeError> {
        self.push(item);
        Ok(())
    }

    fn many(&mut self, items: &[T]) -> Result<(), DecodeError>
    where
        T: Copy,
    {
        self.extend_from_slice(items);
        Ok(())
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Vec<T> {
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        T::vec(reply)
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn take<S>(seq: &mut Seq<'a, S>) -> Option<Result<Self, DecodeError>> {
        T::take_vec(seq)
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Box<[T]> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Vec::from_reply(reply).map(Vec::into_boxed_slice)
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for VecDeque<T> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Vec::from_reply(reply).map(Self::from)
    }
}

impl<'a> FromReply<'a> for String {
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match reply.as_bytes() {
            Some(text) => core::str::from_utf8(text).map(Self::from).map_err(|_| DecodeError::NotUtf8),
            None => Self::from_utf8(bytes(reply)?).map_err(|_| DecodeError::NotUtf8),
        }
    }
}

impl<'a> FromReply<'a> for Box<str> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        String::from_reply(reply).map(String::into_boxed_str)
    }
}

/// Borrowed from the reply if the string is in one piece.
impl<'a> FromReply<'a> for Cow<'a, [u8]> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match reply.as_bytes() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => bytes(reply).map(Cow::Owned),
        }
    }
}

/// Borrowed from the reply if the string is in one piece.
impl<'a> FromReply<'a> for Cow<'a, str> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match reply.as_bytes() {
            Some(_) => <&str>::from_reply(reply).map(Cow::Borrowed),
            None => String::from_reply(reply).map(Cow::Owned),
        }
    }
}

impl<'a, K: FromReply<'a> + Ord, V: FromReply<'a>> FromReply<'a> for BTreeMap<K, V> {
    /// The last of several equal keys wins.
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Map::from_reply(reply)?.collect()
    }
}

impl<'a, T: FromReply<'a> + Ord> FromReply<'a> for BTreeSet<T> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Seq::from_reply(reply)?.collect()
    }
}

#[cfg(feature = "std")]
impl<'a, K, V, S> FromReply<'a> for std::collections::HashMap<K, V, S>
where
    K: FromReply<'a> + Eq + core::hash::Hash,
    V: FromReply<'a>,
    S: core::hash::BuildHasher + Default,
{
    /// The last of several equal keys wins.
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Map::from_reply(reply)?.collect()
    }
}

#[cfg(feature = "std")]
impl<'a, T, S> FromReply<'a> for std::collections::HashSet<T, S>
where
    T: FromReply<'a> + Eq + core::hash::Hash,
    S: core::hash::BuildHasher + Default,
{
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Seq::from_reply(reply)?.collect()
    }
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Result<T, ErrorReply> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match reply.error() {
            Some(error) => Ok(Err(error.into())),
            None => T::from_reply(reply).map(Ok),
        }
    }

    fn try_reply(reply: Reply<'a>) -> Result<Self, ReplyError<'a>> {
        Ok(Self::from_reply(reply)?)
    }
}
