//! How many bytes an engine takes.

use super::{Call, Engine, Fixed, Link};
#[cfg(feature = "alloc")]
use crate::buffer::Growing;
use crate::pool::{Slot, Waiter};
use crate::pubsub::Entry;

/// How much of each there is, and what a connection takes.
struct Parts {
    connection: usize,
    connections: usize,
    calls: usize,
    bytes: usize,
    subscriptions: usize,
    names: usize,
}

impl Parts {
    /// With the machine itself, which is the rest of it.
    const fn sum(self) -> usize {
        let connections = self.connections.saturating_mul(self.connection.saturating_add(size_of::<Slot>()));
        let calls = self.calls.saturating_mul(size_of::<Call>() + size_of::<Waiter>());
        let entries = self.subscriptions.saturating_mul(size_of::<Entry>()).saturating_add(self.names);
        let machine = size_of::<Engine<Fixed<0, 0, 0, 0>, 0>>();
        machine
            .saturating_add(connections)
            .saturating_add(calls)
            .saturating_add(entries)
            .saturating_add(self.bytes)
    }
}

impl<const N: usize, const B: usize, const Q: usize, const K: usize, const S: usize, const T: usize>
    Fixed<N, B, Q, K, S, T>
{
    /// Bytes of an engine with this memory and `F` requests in flight on each connection, without its hook: all that it
    /// will ever take, but for less than 16 bytes of padding. It is the sum of
    ///
    /// - `N` times a [`Link`] with its two buffers and a [`Slot`] of the pool,
    /// - `Q` times a [`Call`] and a [`Waiter`] in the pool's line,
    /// - `S` times an [`Entry`] of the subscriptions, and `T` for their names,
    /// - `K`, and the machine.
    ///
    /// ```
    /// use respire_core::engine::{Engine, Fixed};
    /// type Memory = Fixed<2, 256, 8, 512>;
    /// const { assert!(Memory::size::<4>() < 8 * 1024) }
    /// const { assert!(size_of::<Engine<Memory, 4>>() < Memory::size::<4>() + 16) }
    /// ```
    pub const fn size<const F: usize>() -> usize {
        let connection = size_of::<Link<[u8; B], F>>();
        Parts { connection, connections: N, calls: Q, bytes: K, subscriptions: S, names: T }.sum()
    }
}

#[cfg(feature = "alloc")]
impl super::Heap {
    /// Bytes of an engine with this memory and `F` requests in flight on each connection, without its hook, while no
    /// buffer is larger than is usual: the engine and all that it asks for. Connections that nobody uses have less.
    pub const fn size<const F: usize>(&self) -> usize {
        let &Self { connections, calls, bytes, subscriptions, names, buffer } = self;
        let connection =
            size_of::<Link<Growing, F>>() + size_of::<Link<[u8; 0], F>>() - size_of::<Link<[u8; 0], 0>>();
        let connection = connection.saturating_add(buffer.0.saturating_mul(2));
        let vectors = 7 * size_of::<alloc::vec::Vec<u8>>();
        Parts { connection, connections, calls, bytes, subscriptions, names }.sum().saturating_add(vectors)
    }
}
