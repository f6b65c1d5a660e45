//! Which owned type stands for which borrowed one, with feature `alloc`.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use super::{Done, ErrorReply, FromReply, Map, Reply, Seq, Value};
use crate::error::ServerError;

/// The owned type that stands for a borrowed one when nothing else is asked for.
pub trait Natural {
    /// `Vec<u8>` for `&[u8]`, the type itself for numbers, and so on through containers.
    type Owned: for<'r> FromReply<'r>;
}

macro_rules! own_nature {
    ($($T:ty)*) => { $( impl Natural for $T { type Owned = Self; } )* };
}

own_nature! { () Done bool i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 isize usize f32 f64 }
own_nature! { String Box<str> Value }

macro_rules! natures {
    ($($T:ty => $Owned:ty $([$($param:tt)+])?;)*) => {
        $( impl $(<$($param)+>)? Natural for $T { type Owned = $Owned; } )*
    };
}

natures! {
    &[u8] => Vec<u8>;
    &str => String;
    Cow<'_, [u8]> => Vec<u8>;
    Cow<'_, str> => String;
    Reply<'_> => Value;
    Option<T> => Option<T::Owned> [T: Natural];
    Result<T, ServerError<'_>> => Result<T::Owned, ErrorReply> [T: Natural];
    Result<T, ErrorReply> => Result<T::Owned, ErrorReply> [T: Natural];
    Seq<'_, T> => Vec<T::Owned> [T: Natural];
    Vec<T> => Vec<T::Owned> [T: Natural];
    Box<[T]> => Box<[T::Owned]> [T: Natural];
    VecDeque<T> => VecDeque<T::Owned> [T: Natural];
    BTreeSet<T> => BTreeSet<T::Owned> [T: Natural<Owned: Ord>];
    [T; N] => [T::Owned; N] [T: Natural<Owned: Default>, const N: usize];
    Map<'_, K, V> => Vec<(K::Owned, V::Owned)> [K: Natural, V: Natural];
    BTreeMap<K, V> => BTreeMap<K::Owned, V::Owned> [K: Natural<Owned: Ord>, V: Natural];
}

macro_rules! tuples {
    ($($($T:ident)+;)+) => { $(
        impl<$($T: Natural),+> Natural for ($($T,)+) {
            type Owned = ($($T::Owned,)+);
        }
    )+ };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

#[cfg(feature = "std")]
mod hashed {
    use core::hash::{BuildHasher, Hash};
    use std::collections::{HashMap, HashSet};

    use super::Natural;

    impl<K, V, S> Natural for HashMap<K, V, S>
    where
        K: Natural<Owned: Eq + Hash>,
        V: Natural,
        S: BuildHasher + Default,
    {
        type Owned = HashMap<K::Owned, V::Owned, S>;
    }

    impl<T: Natural<Owned: Eq + Hash>, S: BuildHasher + Default> Natural for HashSet<T, S> {
        type Owned = HashSet<T::Owned, S>;
    }
}
