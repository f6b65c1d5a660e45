//! What stands inside an aggregate, element by element or the whole tree in order.

use core::marker::PhantomData;

use super::skip::{self, Owed};
use super::{FromReply, Kind, Reply, express};
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
    /// What stands in front of that and belongs to the element lent last.
    inside: Owed,
    item: PhantomData<fn() -> T>,
}

impl<'a> Seq<'a> {
    pub(super) const fn new(parent: Kind, rest: &'a [u8], left: Option<u64>) -> Self {
        Self { parent, rest, left, inside: Owed::Nothing, item: PhantomData }
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

    /// How many elements are left of its type, as far as the server said so.
    #[cfg(feature = "alloc")]
    pub(super) fn places(&self) -> u64
    where
        T: FromReply<'a>,
    {
        let flat = self.is_map() || self.rest.first() != Some(&b'*');
        self.left.unwrap_or(0) / if flat { T::PLACES } else { 1 }
    }

    /// The bytes behind the last element, once [`advance`](Self::advance) has found none.
    pub(super) const fn behind(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether the next pair is two elements in a row, and not an array.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn is_flat(&self) -> bool {
        let is_plain = || matches!((self.inside, self.rest), (Owed::Nothing, [b'$' | b':' | b'+', ..]));
        self.is_map() || express::OPEN && is_plain() || !self.is_before_array()
    }

    /// Whether the next element is an array.
    fn is_before_array(&self) -> bool {
        self.clone().advance().is_some_and(|next| next.kind() == Kind::Array)
    }

    /// The next element as it is.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn advance(&mut self) -> Option<Reply<'a>> {
        self.next_as(|reply| reply)
    }

    /// What `make` makes of the next element. Where memory is no object, it is compiled for each kind of
    /// value that is plain, so that nobody asks again of which kind it is.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn next_as<U>(&mut self, make: impl FnOnce(Reply<'a>) -> U) -> Option<U> {
        if !express::OPEN {
            return advance(&mut self.rest, &mut self.left, &mut self.inside).map(make);
        }
        if let (Owed::Nothing, Some(left)) = (self.inside, self.left) {
            let next = left.checked_sub(1)?;
            if let Some((plain, behind)) = express::value(self.rest) {
                self.rest = behind;
                self.left = Some(next);
                return Some(Reply::plain(plain, make));
            }
        }
        // Nobody else has the address of `self`: its fields can stay in registers.
        let (mut rest, mut left, mut inside) = (self.rest, self.left, self.inside);
        let reply = advance(&mut rest, &mut left, &mut inside);
        (self.rest, self.left, self.inside) = (rest, left, inside);
        reply.map(make)
    }
}

/// What stands inside the next element, as other types.
#[cfg(feature = "alloc")]
impl<'a, T> Seq<'a, T> {
    /// What `make` makes of all elements of the next one. They are not skipped once more.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn next_inside<U: FromReply<'a>, C>(
        &mut self,
        make: impl FnOnce(&mut Seq<'a, U>) -> Result<C, DecodeError>,
    ) -> Option<Result<C, DecodeError>> {
        let reply = self.advance()?;
        let mut inner = match Seq::from_reply(reply) {
            Ok(inner) => inner,
            Err(error) => return Some(Err(error)),
        };
        let counted = inner.left.is_some();
        let made = make(&mut inner);
        if let (true, Some(0), Owed::Nothing) = (counted, inner.left, inner.inside) {
            (self.rest, self.inside) = (inner.rest, Owed::Nothing);
        }
        Some(made)
    }
}

/// [`Seq::advance`], compiled once for all types of elements.
#[cfg_attr(target_pointer_width = "64", inline(never))]
fn advance<'a>(rest: &mut &'a [u8], left: &mut Option<u64>, inside: &mut Owed) -> Option<Reply<'a>> {
    *rest = rest.get(skip::owed(rest, *inside)..).unwrap_or_default();
    *inside = Owed::Nothing;
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
    *rest = behind;
    *inside = reply.owed();
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

    #[cfg_attr(target_pointer_width = "64", inline)]
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

    #[cfg_attr(target_pointer_width = "64", inline)]
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
            root.body().get(..skip::owed(root.body(), root.owed())).unwrap_or_default()
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
        let inside = if reply.kind().is_aggregate() { Owed::Nothing } else { reply.owed() };
        self.rest = behind.get(skip::owed(behind, inside)..).unwrap_or_default();
        Some(Visit::Value(reply))
    }
}
