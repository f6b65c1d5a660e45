//! What an engine takes: the table of `docs/PERFORMANCE.md`.

use respire_core::buffer::Growing;
use respire_core::conn::Connection;
use respire_core::engine::{Call, Engine, Fixed, Heap, Link};
use respire_core::{bulk, pool, pubsub, stats};

const PERFORMANCE: &str = include_str!("../../../docs/PERFORMANCE.md");

/// What one more of them takes.
const IN_FLIGHT: usize = size_of::<Connection<[u8; 0], 9>>() - size_of::<Connection<[u8; 0], 8>>();

/// S1-IMP-02: all memory of an engine is the sum of parts of known size, and no part is larger than is said in
/// `docs/PERFORMANCE.md`.
#[test]
fn memory_is_the_sum_of_its_parts() {
    let parts = [
        ("a connection, 8 requests in flight, without its two buffers", size_of::<Connection<[u8; 0], 8>>()),
        ("a link of an engine: such a connection, and what it is used for", size_of::<Link<[u8; 0], 8>>()),
        ("a request in flight on a connection", IN_FLIGHT),
        ("a slot of the pool", size_of::<pool::Slot>()),
        ("a place in the pool's line", size_of::<pool::Waiter>()),
        ("a call of an engine", size_of::<Call>()),
        (
            "the engine itself, with places for sixteen lanes, pool and breaker",
            size_of::<Engine<Fixed<0, 0, 0, 0>, 0>>(),
        ),
        ("a pool by itself", size_of::<pool::Pool<[pool::Slot; 0], [pool::Waiter; 0]>>()),
        ("batches by themselves", size_of::<bulk::Bulk<[u8; 0], [bulk::Slot; 0]>>()),
        ("an item of a batch, without its bytes", size_of::<bulk::Slot>()),
        ("a name in a registry of subscriptions, without its bytes", size_of::<pubsub::Entry>()),
        ("a histogram of times", size_of::<stats::Histogram>()),
    ];
    for (what, size) in parts {
        println!("{size:6} {what}");
        // The first figure is that of 64 bits with `alloc`, the largest of all.
        let row = PERFORMANCE
            .lines()
            .find_map(|line| line.strip_prefix("| ")?.strip_prefix(what)?.strip_prefix(" | "));
        let said = row.and_then(|row| row.split(' ').next()?.parse::<usize>().ok());
        assert!(said.is_some_and(|said| size <= said), "{what}: {size}, and {said:?} is said");
    }

    fn whole<
        const N: usize,
        const B: usize,
        const Q: usize,
        const K: usize,
        const S: usize,
        const F: usize,
    >() {
        type Memory<const N: usize, const B: usize, const Q: usize, const K: usize, const S: usize> =
            Fixed<N, B, Q, K, S, S>;
        let stated = Memory::<N, B, Q, K, S>::size::<F>();
        let size = size_of::<Engine<Memory<N, B, Q, K, S>, F>>();
        println!(
            "{size:6} an engine of {N} connections of {B} bytes, {F} in flight, {Q} calls, {K} bytes kept, {S} subscriptions"
        );
        assert!(size.abs_diff(stated) < 16, "{size}, and {stated} are stated");
    }
    whole::<0, 0, 0, 0, 0, 0>();
    whole::<1, 128, 2, 0, 0, 1>();
    whole::<1, 256, 4, 256, 0, 4>();
    whole::<2, 512, 8, 1024, 0, 4>();
    whole::<3, 333, 5, 7, 5, 3>();
    whole::<8, 4096, 64, 16384, 16, 16>();
}

/// S1-IMP-02: the same where memory is asked for when the engine is made.
#[test]
fn memory_of_a_heap_is_the_sum_of_its_parts() {
    const HEAP: Heap =
        Heap { connections: 4, calls: 32, bytes: 4096, subscriptions: 3, names: 100, buffer: (256, 1 << 20) };
    let links = 4 * (size_of::<Link<Growing, 16>>() + 16 * IN_FLIGHT + 2 * 256 + size_of::<pool::Slot>());
    let calls = 32 * (size_of::<Call>() + size_of::<pool::Waiter>());
    let all = size_of::<Engine<Heap, 16>>() + links + calls + 4096 + 3 * size_of::<pubsub::Entry>() + 100;
    assert!(HEAP.size::<16>().abs_diff(all) < 16, "{all}");
    assert!(Heap { connections: 5, ..HEAP }.size::<16>() - HEAP.size::<16>() == links / 4);
}
