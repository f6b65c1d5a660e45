//! The memory of an engine: fixed, or as much as is asked for once.

use super::call::Call;
use super::link::Link;
use crate::buffer::Storage;
use crate::conn;
use crate::pool::{Slot, Waiter};
use crate::pubsub::Entry;

/// Where an engine keeps everything: connections with their buffers, the pool's slots and line, calls, and
/// the bytes of requests that wait or may go again. `F` is how many requests a connection has in flight.
pub trait Memory<const F: usize> {
    /// The buffers of connections.
    type Storage: Storage;
    /// The connections.
    type Links: AsRef<[Link<Self::Storage, F>]> + AsMut<[Link<Self::Storage, F>]>;
    /// As many of the pool's slots.
    type Slots: AsRef<[Slot]> + AsMut<[Slot]>;
    /// The pool's line.
    type Line: AsRef<[Waiter]> + AsMut<[Waiter]>;
    /// Requests that were taken and not answered.
    type Calls: AsRef<[Call]> + AsMut<[Call]>;
    /// Bytes of requests.
    type Bytes: AsRef<[u8]> + AsMut<[u8]>;
    /// Bytes of the names of subscriptions, and 8 more for each.
    type Names: AsRef<[u8]> + AsMut<[u8]>;
    /// Subscriptions.
    type Entries: AsRef<[Entry]> + AsMut<[Entry]>;

    /// Whether there can be any: if not, a program has no code for them.
    const SUBSCRIBES: bool;

    /// All of it, for connections of this sort.
    fn split(self, config: conn::Config) -> Parts<Self, F>
    where
        Self: Sized;
}

/// The parts of the memory.
#[expect(missing_debug_implementations, reason = "mere memory")]
pub struct Parts<M: Memory<F>, const F: usize> {
    /// See [`Memory::Links`].
    pub links: M::Links,
    /// See [`Memory::Slots`].
    pub slots: M::Slots,
    /// See [`Memory::Line`].
    pub line: M::Line,
    /// See [`Memory::Calls`].
    pub calls: M::Calls,
    /// See [`Memory::Bytes`].
    pub bytes: M::Bytes,
    /// See [`Memory::Names`].
    pub names: M::Names,
    /// See [`Memory::Entries`].
    pub entries: M::Entries,
}

/// Memory of a size that is known when the program is compiled: `N` connections with two buffers of `B` bytes each,
/// `Q` calls, as many of which may wait for connections, `K` bytes of requests that are kept, and, if there are to be
/// any, `S` subscriptions with `T` bytes of names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed<
    const N: usize,
    const B: usize,
    const Q: usize,
    const K: usize,
    const S: usize = 0,
    const T: usize = 0,
>;

impl<
    const N: usize,
    const B: usize,
    const Q: usize,
    const K: usize,
    const S: usize,
    const T: usize,
    const F: usize,
> Memory<F> for Fixed<N, B, Q, K, S, T>
{
    type Storage = [u8; B];
    type Links = [Link<[u8; B], F>; N];
    type Slots = [Slot; N];
    type Line = [Waiter; Q];
    type Calls = [Call; Q];
    type Bytes = [u8; K];
    type Names = [u8; T];
    type Entries = [Entry; S];

    const SUBSCRIBES: bool = S > 0;

    fn split(self, config: conn::Config) -> Parts<Self, F> {
        Parts {
            links: core::array::from_fn(|_| Link::new([0; B], [0; B], config)),
            slots: [Slot::EMPTY; N],
            line: [Waiter::EMPTY; Q],
            calls: [Call::EMPTY; Q],
            bytes: [0; K],
            names: [0; T],
            entries: [Entry::EMPTY; S],
        }
    }
}

/// Memory that is asked for once, when the engine is made; the memory of connections grows as it must, and is given back by
/// those that nobody has used for a second.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heap {
    /// How many connections.
    pub connections: usize,
    /// How many calls, as many of which may wait for connections.
    pub calls: usize,
    /// Bytes of requests that are kept.
    pub bytes: usize,
    /// How many subscriptions.
    pub subscriptions: usize,
    /// Bytes of their names, and 8 more for each.
    pub names: usize,
    /// How large each buffer of a connection is while it is in use, and may become.
    pub buffer: (usize, usize),
}

#[cfg(feature = "alloc")]
impl<const F: usize> Memory<F> for Heap {
    type Storage = crate::buffer::Growing;
    type Links = alloc::vec::Vec<Link<Self::Storage, F>>;
    type Slots = alloc::vec::Vec<Slot>;
    type Line = alloc::vec::Vec<Waiter>;
    type Calls = alloc::vec::Vec<Call>;
    type Bytes = alloc::vec::Vec<u8>;
    type Names = alloc::vec::Vec<u8>;
    type Entries = alloc::vec::Vec<Entry>;

    const SUBSCRIBES: bool = true;

    fn split(self, config: conn::Config) -> Parts<Self, F> {
        let growing = || crate::buffer::Growing::new(self.buffer.0, self.buffer.1);
        Parts {
            links: (0..self.connections).map(|_| Link::new(growing(), growing(), config)).collect(),
            slots: alloc::vec![Slot::EMPTY; self.connections],
            line: alloc::vec![Waiter::EMPTY; self.calls],
            calls: alloc::vec![Call::EMPTY; self.calls],
            bytes: alloc::vec![0; self.bytes],
            names: alloc::vec![0; self.names],
            entries: alloc::vec![Entry::EMPTY; self.subscriptions],
        }
    }
}
