//! How many bytes an engine takes.

use super::{Call, Engine, Fixed, Link};
#[cfg(feature = "alloc")]
use crate::buffer::Growing;
use crate::pool::{Slot, Waiter};

/// So many connections, calls and kept bytes, and the machine itself, which is the rest of it.
const fn sum(connection: usize, count: usize, calls: usize, bytes: usize) -> usize {
    let machine = size_of::<Engine<Fixed<0, 0, 0, 0>, 0>>();
    let connections = count.saturating_mul(connection.saturating_add(size_of::<Slot>()));
    let calls = calls.saturating_mul(size_of::<Call>() + size_of::<Waiter>());
    machine.saturating_add(connections).saturating_add(calls).saturating_add(bytes)
}

impl<const N: usize, const B: usize, const Q: usize, const K: usize> Fixed<N, B, Q, K> {
    /// Bytes of an engine with this memory and `F` requests in flight on each connection, without its hook: all that it
    /// will ever take, but for less than 16 bytes of padding. It is the sum of
    ///
    /// - `N` times a [`Link`] with its two buffers and a [`Slot`] of the pool,
    /// - `Q` times a [`Call`] and a [`Waiter`] in the pool's line,
    /// - `K`, and the machine.
    ///
    /// ```
    /// use respire_core::engine::{Engine, Fixed};
    /// type Memory = Fixed<2, 256, 8, 512>;
    /// const { assert!(Memory::size::<4>() < 7 * 1024) }
    /// const { assert!(size_of::<Engine<Memory, 4>>() < Memory::size::<4>() + 16) }
    /// ```
    pub const fn size<const F: usize>() -> usize {
        sum(size_of::<Link<[u8; B], F>>(), N, Q, K)
    }
}

#[cfg(feature = "alloc")]
impl super::Heap {
    /// Bytes of an engine with this memory and `F` requests in flight on each connection, without its hook, while each
    /// buffer is as small as at rest: the engine and all that it has asked for.
    pub const fn size<const F: usize>(&self) -> usize {
        let buffers = self.buffer.0.saturating_mul(2);
        let vectors = 5 * size_of::<alloc::vec::Vec<u8>>();
        let connection = size_of::<Link<Growing, F>>().saturating_add(buffers);
        sum(connection, self.connections, self.calls, self.bytes).saturating_add(vectors)
    }
}
