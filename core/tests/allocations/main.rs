//! Where nothing is allocated: on the way of a key, of a request and its answer, and for what a server announces.

mod announced;
mod key;
mod requests;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use respire_core::buffer::Storage;
use respire_core::conn::{Config, Connection, Protocol, Settings};
use respire_core::time::Instant;

/// The system's allocator, which counts what this thread asks of it.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's promise is ours.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is ours.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How often this asks for memory.
fn asked(f: impl FnOnce()) -> u64 {
    let before = ASKED.get();
    f();
    ASKED.get() - before
}

#[test]
fn this_counts() {
    assert_eq!(asked(|| drop(std::hint::black_box(vec![1]))), 1);
    let mut grown = vec![1];
    let count = asked(|| grown.extend_from_slice(std::hint::black_box(&[0; 1000])));
    assert_eq!(count, 1, "also what only grows");
}

const RESP2: Settings<'static> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

/// A connection in this memory, ready.
fn ready<S: Storage>(memory: impl Fn() -> S, config: Config) -> Connection<S, 4> {
    let mut connection = Connection::new(memory(), memory(), config);
    connection.start(Instant::ZERO, &RESP2).unwrap();
    assert!(connection.poll_event().is_some() && connection.is_ready());
    connection
}
