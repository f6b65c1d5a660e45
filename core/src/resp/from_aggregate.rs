//! What is made of others, from replies.

use super::from_reply::unexpected;
use super::{Expects, FromReply, Map, Reply, Seq};
use crate::error::{DecodeError, ReplyError, ServerError};

impl<'a, T: FromReply<'a>> FromReply<'a> for Option<T> {
    const EXPECTS: Expects = T::EXPECTS;

    #[cfg_attr(target_pointer_width = "64", inline)]
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
    const EXPECTS: Expects = Expects::Aggregate;

    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        reply.elements().map(Seq::cast).ok_or(unexpected("an array", reply))
    }
}

impl<'a, K: FromReply<'a>, V: FromReply<'a>> FromReply<'a> for Map<'a, K, V> {
    const EXPECTS: Expects = Expects::Aggregate;

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
    const EXPECTS: Expects = Expects::Aggregate;

    const PLACES: u64 = 2;

    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut seq: Seq<'a> = Seq::from_reply(reply)?;
        let pair = pair(&mut seq).ok_or(DecodeError::Length { expected: 2 })??;
        match seq.advance() {
            Some(_) => Err(DecodeError::Length { expected: 2 }),
            None => Ok(pair),
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn take<T>(seq: &mut Seq<'a, T>) -> Option<Result<Self, DecodeError>> {
        if seq.is_flat() { pair(seq) } else { seq.advance().map(Self::from_reply) }
    }
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
fn pair<'a, A, B, T>(seq: &mut Seq<'a, T>) -> Option<Result<(A, B), DecodeError>>
where
    A: FromReply<'a>,
    B: FromReply<'a>,
{
    let first = seq.next_as(A::from_reply)?;
    // Whatever the first is, the second is no part of the next pair.
    let second = seq.next_as(B::from_reply).unwrap_or(Err(DecodeError::Length { expected: 2 }));
    Some(match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    })
}

macro_rules! tuples {
    ($($len:literal: $($T:ident)+;)+) => { $(
        impl<'a, $($T: FromReply<'a>),+> FromReply<'a> for ($($T,)+) {
            fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
                let mut seq: Seq<'a> = Seq::from_reply(reply)?;
                let missing = DecodeError::Length { expected: $len };
                let tuple = ($(seq.next_as($T::from_reply).ok_or(missing)??,)+);
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
    9: A B C D E F G H I;
    10: A B C D E F G H I J;
    11: A B C D E F G H I J K;
    12: A B C D E F G H I J K L;
}
