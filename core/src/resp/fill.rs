//! Containers that are filled from replies.

use super::from_reply::unexpected;
use super::{FromReply, Reply, Seq};
use crate::error::DecodeError;

/// A container of `T` that may be full.
pub trait Fill<T> {
    /// Puts one in.
    ///
    /// # Errors
    /// There is no room.
    fn one(&mut self, item: T) -> Result<(), DecodeError>;

    /// Puts all of them in.
    ///
    /// # Errors
    /// There is no room.
    fn many(&mut self, items: &[T]) -> Result<(), DecodeError>
    where
        T: Copy;
}

/// All elements of an aggregate.
pub(super) fn elements<'a, T, C>(reply: Reply<'a>, container: &mut C) -> Result<(), DecodeError>
where
    T: FromReply<'a>,
    C: Fill<T>,
{
    let seq: Seq<'a, T> = Seq::from_reply(reply)?;
    for item in seq {
        container.one(item?)?;
    }
    Ok(())
}

/// All bytes of a string, in however many pieces.
pub(super) fn bytes<C: Fill<u8>>(reply: Reply<'_>, container: &mut C) -> Result<(), DecodeError> {
    for chunk in reply.chunks().ok_or(unexpected("a string", reply))? {
        container.many(chunk)?;
    }
    Ok(())
}
