//! What stands inside an aggregate, element by element or the whole tree in order.

use core::marker::PhantomData;

use super::{FromReply, Kind, Reply};
use crate::error::DecodeError;

/// The elements of an aggregate, decoded one by one as `T`.
///
/// Lazy: an element that nobody asks for is never decoded, and a nested aggregate is skipped only
/// when the element behind it is wanted.
#[derive(Debug)]
pub struct Seq<'a, T = Reply<'a>> {
    parent: Kind,
    rest: &'a [u8],
    /// How many are left; `None` until the end marker.
    left: Option<u64>,
    /// The element lent last, if it must still be skipped.
    inside: Option<Reply<'a>>,
    item: PhantomData<fn() -> T>,
}

impl<'a> Seq<'a> {
    pub(super) const fn new(parent: Kind, rest: &'a [u8], left: Option<u64>) -> Self {
        Self { parent, rest, left, inside: None, item: PhantomData }
    }
}

impl<'a, T> Seq<'a, T> {
    /// The same elements as another type.
    pub fn cast<U>(self) -> Seq<'a, U> {
        let Self { parent, rest, left, inside, .. } = self;
        Seq { parent, rest, left, inside, item: PhantomData }
    }

    /// How many elements are left, if the server said so.
    pub const fn remaining(&self) -> Option<u64> {
        self.left
    }

    /// Whether the elements are the keys and values of a map.
    pub fn is_map(&self) -> bool {
        self.parent == Kind::Map
    }

    /// How many places to prepare: few, as the number is the peer's claim.
    #[cfg(any(feature = "alloc", feature = "heapless", feature = "serde"))]
    pub(super) fn hint(&self) -> Option<usize> {
        usize::try_from(self.left?.min(64)).ok()
    }

    /// The bytes behind the last element, once [`advance`](Self::advance) has found none.
    pub(super) const fn behind(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element as it is, without taking it.
    pub(super) fn peek(&self) -> Option<Reply<'a>> {
        self.clone().advance()
    }

    /// The next element as it is. Inlined where memory is no object: as a call, it copies the element
    /// once more, which takes a quarter of the time of a walk over pairs.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn advance(&mut self) -> Option<Reply<'a>> {
        advance(&mut self.rest, &mut self.left, &mut self.inside)
    }
}

/// [`Seq::advance`], compiled once for all types of elements.
fn advance<'a>(
    rest: &mut &'a [u8],
    left: &mut Option<u64>,
    inside: &mut Option<Reply<'a>>,
) -> Option<Reply<'a>> {
    if let Some(inside) = inside.take() {
        *rest = inside.body().get(inside.inner_len()..).unwrap_or_default();
    }
    match left {
        Some(0) => return None,
        Some(left) => *left -= 1,
        None if rest.first() == Some(&b'.') => {
            *left = Some(0);
            return None;
        }
        None => {}
    }
    let (reply, behind) = Reply::first(rest)?;
    if reply.has_inside() {
        *inside = Some(reply);
    } else {
        *rest = behind;
    }
    Some(reply)
}

// Derived, it would ask for `T: Clone`.
impl<T> Clone for Seq<'_, T> {
    fn clone(&self) -> Self {
        let &Self { parent, rest, left, inside, item } = self;
        Self { parent, rest, left, inside, item }
    }
}

impl<'a, T: FromReply<'a>> Iterator for Seq<'a, T> {
    type Item = Result<T, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        T::take(self)
    }
}

/// The pairs of a map, in the server's order, duplicates kept, decoded one by one.
///
/// One type for the maps of RESP3, the flat arrays that RESP2 sends for them, and arrays of pairs.
#[derive(Clone, Debug)]
pub struct Map<'a, K = Reply<'a>, V = Reply<'a>>(Seq<'a, (K, V)>);

impl<'a> Map<'a> {
    pub(super) fn new(elements: Seq<'a>) -> Self {
        Self(elements.cast())
    }
}

impl<'a, K, V> Map<'a, K, V> {
    /// The same pairs as other types.
    pub fn cast<L, W>(self) -> Map<'a, L, W> {
        Map(self.0.cast())
    }
}

impl<'a, K: FromReply<'a>, V: FromReply<'a>> Iterator for Map<'a, K, V> {
    type Item = Result<(K, V), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// A value and all inside it, in the order of the bytes, in constant memory whatever the depth.
///
/// A reader that wants the shape keeps its own stack: an aggregate with a count is followed by
/// that many values, a streamed one by values up to [`Visit::End`].
#[derive(Clone, Debug)]
pub struct Preorder<'a> {
    first: Option<Reply<'a>>,
    rest: &'a [u8],
}

/// A step of [`Preorder`].
#[derive(Clone, Copy, Debug)]
pub enum Visit<'a> {
    /// A leaf, or an aggregate whose elements follow.
    Value(Reply<'a>),
    /// The innermost streamed aggregate has ended.
    End,
}

impl PartialEq for Visit<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(a), Self::Value(b)) => a.same_head(*b),
            (Self::End, Self::End) => true,
            _ => false,
        }
    }
}

impl<'a> Preorder<'a> {
    pub(super) fn new(root: Reply<'a>) -> Self {
        let rest = if root.kind().is_aggregate() {
            root.body().get(..root.inner_len()).unwrap_or_default()
        } else {
            &[]
        };
        Self { first: Some(root), rest }
    }
}

impl<'a> Iterator for Preorder<'a> {
    type Item = Visit<'a>;

    fn next(&mut self) -> Option<Visit<'a>> {
        if let Some(root) = self.first.take() {
            return Some(Visit::Value(root));
        }
        if let Some(rest) = self.rest.strip_prefix(b".\r\n") {
            self.rest = rest;
            return Some(Visit::End);
        }
        let (reply, behind) = Reply::first(self.rest)?;
        self.rest = if reply.is_streamed() && !reply.kind().is_aggregate() {
            reply.body().get(reply.inner_len()..).unwrap_or_default()
        } else {
            behind
        };
        Some(Visit::Value(reply))
    }
}
