//! Several requests as one value: tuples, slices, arrays and vectors.

use alloc::vec::Vec;

use super::{OwnedReply, Request};
use crate::error::ReplyError;
use crate::resp::{FromReply, Reply};

/// Requests that go out together and whose answers come back together, each with a result of its
/// own: one that fails does not fail its neighbours.
pub trait Pipeline {
    /// A result for each request, in their order and shape.
    type Output<E>;

    /// Results that are not all in yet.
    type Partial<E>;

    /// Whether the last request must not be sent unless all before it were.
    const ATOMIC: bool = false;

    /// How many requests there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows request `index` to `each`; `None` if there is none.
    fn visit<V: Each>(&self, index: usize, each: &mut V) -> Option<V::Output>;

    /// No results yet.
    fn start<E>(&self) -> Self::Partial<E>;

    /// Keeps the answer to request `index`.
    fn put<E>(partial: &mut Self::Partial<E>, index: usize, answer: Result<Reply<'_>, E>)
    where
        E: for<'r> From<ReplyError<'r>>;

    /// All results; `missing` stands in where no answer was kept.
    fn finish<E>(partial: Self::Partial<E>, missing: impl Fn() -> E) -> Self::Output<E>;
}

/// Someone who is shown requests of any type.
pub trait Each {
    /// What comes of one.
    type Output;

    /// Takes a look at one.
    fn request<R: Request>(&mut self, request: &R) -> Self::Output;
}

fn decode<T: for<'r> FromReply<'r>, E: for<'r> From<ReplyError<'r>>>(
    answer: Result<Reply<'_>, E>,
) -> Result<T, E> {
    answer.and_then(|reply| reply.get().map_err(E::from))
}

impl<R: OwnedReply> Pipeline for [R] {
    type Output<E> = Vec<Result<R::Owned, E>>;
    type Partial<E> = Vec<Option<Result<R::Owned, E>>>;

    fn len(&self) -> usize {
        <[R]>::len(self)
    }

    fn visit<V: Each>(&self, index: usize, each: &mut V) -> Option<V::Output> {
        self.get(index).map(|request| each.request(request))
    }

    fn start<E>(&self) -> Self::Partial<E> {
        let mut partial = Vec::new();
        partial.resize_with(<[R]>::len(self), || None);
        partial
    }

    fn put<E>(partial: &mut Self::Partial<E>, index: usize, answer: Result<Reply<'_>, E>)
    where
        E: for<'r> From<ReplyError<'r>>,
    {
        if let Some(place) = partial.get_mut(index) {
            *place = Some(decode(answer));
        }
    }

    fn finish<E>(partial: Self::Partial<E>, missing: impl Fn() -> E) -> Self::Output<E> {
        partial.into_iter().map(|result| result.unwrap_or_else(|| Err(missing()))).collect()
    }
}

/// Whatever lends a slice of requests is the pipeline of that slice.
macro_rules! like_a_slice {
    ($([$($generic:tt)*] $Type:ty;)+) => { $(
        impl<R: OwnedReply, $($generic)*> Pipeline for $Type {
            type Output<E> = <[R] as Pipeline>::Output<E>;
            type Partial<E> = <[R] as Pipeline>::Partial<E>;

            fn len(&self) -> usize {
                self.as_slice().len()
            }

            fn visit<V: Each>(&self, index: usize, each: &mut V) -> Option<V::Output> {
                self.as_slice().visit(index, each)
            }

            fn start<E>(&self) -> Self::Partial<E> {
                self.as_slice().start()
            }

            fn put<E>(partial: &mut Self::Partial<E>, index: usize, answer: Result<Reply<'_>, E>)
            where
                E: for<'r> From<ReplyError<'r>>,
            {
                <[R]>::put(partial, index, answer);
            }

            fn finish<E>(partial: Self::Partial<E>, missing: impl Fn() -> E) -> Self::Output<E> {
                <[R]>::finish(partial, missing)
            }
        }
    )+ };
}

like_a_slice! {
    [] Vec<R>;
    [const N: usize] [R; N];
}

impl<P: Pipeline + ?Sized> Pipeline for &P {
    type Output<E> = P::Output<E>;
    type Partial<E> = P::Partial<E>;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn visit<V: Each>(&self, index: usize, each: &mut V) -> Option<V::Output> {
        (**self).visit(index, each)
    }

    fn start<E>(&self) -> Self::Partial<E> {
        (**self).start()
    }

    fn put<E>(partial: &mut Self::Partial<E>, index: usize, answer: Result<Reply<'_>, E>)
    where
        E: for<'r> From<ReplyError<'r>>,
    {
        P::put(partial, index, answer);
    }

    fn finish<E>(partial: Self::Partial<E>, missing: impl Fn() -> E) -> Self::Output<E> {
        P::finish(partial, missing)
    }
}

macro_rules! tuples {
    ($($len:literal: $($R:ident $at:tt)+;)+) => { $(
        impl<$($R: OwnedReply),+> Pipeline for ($($R,)+) {
            type Output<E> = ($(Result<$R::Owned, E>,)+);
            type Partial<E> = ($(Option<Result<$R::Owned, E>>,)+);

            fn len(&self) -> usize {
                $len
            }

            fn visit<V: Each>(&self, index: usize, each: &mut V) -> Option<V::Output> {
                match index {
                    $($at => Some(each.request(&self.$at)),)+
                    _ => None,
                }
            }

            fn start<E>(&self) -> Self::Partial<E> {
                ($(None::<Result<$R::Owned, E>>,)+)
            }

            fn put<E>(partial: &mut Self::Partial<E>, index: usize, answer: Result<Reply<'_>, E>)
            where
                E: for<'r> From<ReplyError<'r>>,
            {
                match index {
                    $($at => partial.$at = Some(decode(answer)),)+
                    _ => {}
                }
            }

            fn finish<E>(partial: Self::Partial<E>, missing: impl Fn() -> E) -> Self::Output<E> {
                ($(partial.$at.unwrap_or_else(|| Err(missing())),)+)
            }
        }
    )+ };
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 F 4;
    6: A 0 B 1 C 2 D 3 F 4 G 5;
    7: A 0 B 1 C 2 D 3 F 4 G 5 H 6;
    8: A 0 B 1 C 2 D 3 F 4 G 5 H 6 I 7;
}
