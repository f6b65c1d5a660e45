//! Owned values, with feature `alloc`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::from_reply::unexpected;
use super::{Done, FromReply, Map, Reply, Seq};
use crate::error::{DecodeError, ErrorKind, ReplyError, ServerError};

/// Never reserve more than this many elements from a count: it is the peer's claim.
const TRUSTED: u64 = 64;

/// The owned type that stands for a borrowed one when nothing else is asked for.
pub trait Natural {
    /// `Vec<u8>` for `&[u8]`, the type itself for numbers, and so on through containers.
    type Owned: for<'r> FromReply<'r>;
}

macro_rules! own_nature {
    ($($T:ty),*) => { $( impl Natural for $T { type Owned = $T; } )* };
}

own_nature!(
    (),
    Done,
    bool,
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    isize,
    usize,
    f32,
    f64,
    String,
    super::Value
);

impl Natural for &[u8] {
    type Owned = Vec<u8>;
}

impl Natural for &str {
    type Owned = String;
}

impl Natural for Reply<'_> {
    type Owned = super::Value;
}

impl<T: Natural> Natural for Option<T> {
    type Owned = Option<T::Owned>;
}

impl<T: Natural> Natural for Seq<'_, T> {
    type Owned = Vec<T::Owned>;
}

impl<K: Natural, V: Natural> Natural for Map<'_, K, V> {
    type Owned = Vec<(K::Owned, V::Owned)>;
}

impl<A: Natural, B: Natural> Natural for (A, B) {
    type Owned = (A::Owned, B::Owned);
}

impl<A: Natural, B: Natural, C: Natural> Natural for (A, B, C) {
    type Owned = (A::Owned, B::Owned, C::Owned);
}

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

pub(super) fn bytes(reply: Reply<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    for chunk in reply.chunks().ok_or(unexpected("a string", reply))? {
        bytes.extend_from_slice(chunk);
    }
    Ok(bytes)
}

pub(super) fn collect<'a, T: FromReply<'a>>(reply: Reply<'a>) -> Result<Vec<T>, DecodeError> {
    let seq: Seq<'a, T> = Seq::from_reply(reply)?;
    let hint = seq.remaining().unwrap_or(0).min(TRUSTED);
    let mut items = Vec::with_capacity(usize::try_from(hint).unwrap_or(0));
    for item in seq {
        items.push(item?);
    }
    Ok(items)
}

impl<'a, T: FromReply<'a>> FromReply<'a> for Vec<T> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        T::vec(reply)
    }
}

impl<'a> FromReply<'a> for String {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Self::from_utf8(bytes(reply)?).map_err(|_| DecodeError::NotUtf8)
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
