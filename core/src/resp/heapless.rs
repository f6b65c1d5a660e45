//! Containers of heapless, whose capacity is fixed, with feature `heapless`.
//!
//! A reply that holds more than the container is [`DecodeError::Capacity`]; nothing is cut off.

use core::hash::{BuildHasher, Hash};

use heapless::{Deque, IndexMap, IndexSet, LinearMap, String, Vec};

use super::{Fill, FromReply, Map, Reply, Seq};
use crate::error::DecodeError;

/// More than `capacity` has room for.
const fn full(capacity: usize) -> DecodeError {
    DecodeError::Capacity { capacity }
}

impl<T, const N: usize> Fill<T> for Vec<T, N> {
    fn one(&mut self, item: T) -> Result<(), DecodeError> {
        self.push(item).map_err(|_| full(N))
    }

    fn many(&mut self, items: &[T]) -> Result<(), DecodeError>
    where
        T: Copy,
    {
        self.extend_from_slice(items).map_err(|_| full(N))
    }
}

impl<T, const N: usize> Fill<T> for Deque<T, N> {
    fn one(&mut self, item: T) -> Result<(), DecodeError> {
        self.push_back(item).map_err(|_| full(N))
    }

    fn many(&mut self, items: &[T]) -> Result<(), DecodeError>
    where
        T: Copy,
    {
        items.iter().try_for_each(|&item| self.one(item))
    }
}

impl<'a, T: FromReply<'a>, const N: usize> FromReply<'a> for Vec<T, N> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut items = Self::new();
        T::fill(reply, &mut items)?;
        Ok(items)
    }
}

impl<'a, T: FromReply<'a>, const N: usize> FromReply<'a> for Deque<T, N> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut items = Self::new();
        T::fill(reply, &mut items)?;
        Ok(items)
    }
}

impl<'a, const N: usize> FromReply<'a> for String<N> {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        Self::from_utf8(Vec::from_reply(reply)?).map_err(|_| DecodeError::NotUtf8)
    }
}

/// The last of several equal keys wins. At most 65 535 entries, which is checked when it is compiled.
impl<'a, K, V, S, const N: usize> FromReply<'a> for IndexMap<K, V, S, N>
where
    K: FromReply<'a> + Eq + Hash,
    V: FromReply<'a>,
    S: BuildHasher + Default,
{
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        // heapless 0.9.3 has 16 bits for the place of an entry.
        const { assert!(N <= u16::MAX as usize) }
        let mut map = Self::default();
        for pair in Map::from_reply(reply)? {
            let (key, value) = pair?;
            map.insert(key, value).map_err(|_| full(N))?;
        }
        Ok(map)
    }
}

/// Equal elements are one. At most 65 535 of them, which is checked when it is compiled.
impl<'a, T, S, const N: usize> FromReply<'a> for IndexSet<T, S, N>
where
    T: FromReply<'a> + Eq + Hash,
    S: BuildHasher + Default,
{
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        const { assert!(N <= u16::MAX as usize) }
        let mut set = Self::default();
        for item in Seq::from_reply(reply)? {
            set.insert(item?).map_err(|_| full(N))?;
        }
        Ok(set)
    }
}

/// The last of several equal keys wins.
impl<'a, K, V, const N: usize> FromReply<'a> for LinearMap<K, V, N>
where
    K: FromReply<'a> + Eq,
    V: FromReply<'a>,
{
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        let mut map = Self::new();
        for pair in Map::from_reply(reply)? {
            let (key, value) = pair?;
            map.insert(key, value).map_err(|_| full(N))?;
        }
        Ok(map)
    }
}

#[cfg(feature = "alloc")]
mod natural {
    use super::{BuildHasher, Deque, Hash, IndexMap, IndexSet, LinearMap, String, Vec};
    use crate::resp::Natural;

    impl<T: Natural, const N: usize> Natural for Vec<T, N> {
        type Owned = Vec<T::Owned, N>;
    }

    impl<T: Natural, const N: usize> Natural for Deque<T, N> {
        type Owned = Deque<T::Owned, N>;
    }

    impl<const N: usize> Natural for String<N> {
        type Owned = Self;
    }

    impl<K, V, S, const N: usize> Natural for IndexMap<K, V, S, N>
    where
        K: Natural<Owned: Eq + Hash>,
        V: Natural,
        S: BuildHasher + Default,
    {
        type Owned = IndexMap<K::Owned, V::Owned, S, N>;
    }

    impl<T: Natural<Owned: Eq + Hash>, S: BuildHasher + Default, const N: usize> Natural for IndexSet<T, S, N> {
        type Owned = IndexSet<T::Owned, S, N>;
    }

    impl<K: Natural<Owned: Eq>, V: Natural, const N: usize> Natural for LinearMap<K, V, N> {
        type Owned = LinearMap<K::Owned, V::Owned, N>;
    }
}
