//! The memory of an engine: fixed, or as much as is asked for once.

use super::call::Call;
use super::link::Link;
use crate::buffer::Storage;
use crate::conn;
use crate::pool::{Slot, Waiter};

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
}

/// Memory of a size that is known when the program is compiled: `N` connections with two buffers of `B` bytes each,
/// `Q` calls, as many of which may wait for connections, and `K` bytes of requests that are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fixed<const N: usize, const B: usize, const Q: usize, const K: usize>;

impl<const N: usize, const B: usize, const Q: usize, const K: usize, const F: usize> Memory<F>
    for Fixed<N, B, Q, K>
{
    type Storage = [u8; B];
    type Links = [Link<[u8; B], F>; N];
    type Slots = [Slot; N];
    type Line = [Waiter; Q];
    type Calls = [Call; Q];
    type Bytes = [u8; K];

    fn split(self, config: conn::Config) -> Parts<Self, F> {
        Parts {
            links: core::array::from_fn(|_| Link::new([0; B], [0; B], config)),
            slots: [Slot::EMPTY; N],
            line: [Waiter::EMPTY; Q],
            calls: [Call::EMPTY; Q],
            bytes: [0; K],
        }
    }
}

/// Memory that is asked for once, when the engine is made; the buffers of connections grow as they must.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heap {
    /// How many connections.
    pub connections: usize,
    /// How many calls, as many of which may wait for connections.
    pub calls: usize,
    /// Bytes of requests that are kept.
    pub bytes: usize,
    /// How large each buffer of a connection is at rest, and may become.
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

    fn split(self, config: conn::Config) -> Parts<Self, F> {
        let growing = || crate::buffer::Growing::new(self.buffer.0, self.buffer.1);
        Parts {
            links: (0..self.connections).map(|_| Link::new(growing(), growing(), config)).collect(),
            slots: alloc::vec![Slot::EMPTY; self.connections],
            line: alloc::vec![Waiter::EMPTY; self.calls],
            calls: alloc::vec![Call::EMPTY; self.calls],
            bytes: alloc::vec![0; self.bytes],
        }
    }
}
