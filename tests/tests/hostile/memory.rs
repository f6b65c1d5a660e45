//! How much memory a thread has at its peak.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what each thread allocates and frees.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends has no counters any more.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call is handed on to the system's allocator as it came; the counters allocate
// nothing, since they are constants at first and need no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may exist for a moment.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// What `run` returns, and how many bytes more than before this thread had while it ran.
pub(crate) fn peak<T>(run: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.get();
    let outer = PEAK.replace(before);
    let value = run();
    let peak = PEAK.get();
    PEAK.set(peak.max(outer));
    (usize::try_from(peak - before).unwrap_or(0), value)
}

#[test]
fn the_peak_of_a_thread_is_its_own() {
    let (bytes, ()) = peak(|| {
        drop(std::hint::black_box(vec![0_u8; 100_000]));
        drop(std::hint::black_box(vec![0_u8; 200_000]));
        std::thread::spawn(|| drop(std::hint::black_box(vec![0_u8; 5_000_000]))).join().unwrap();
    });
    assert!((200_000..250_000).contains(&bytes), "{bytes}");
    let (bytes, grown) = peak(|| {
        let mut grown: Vec<u8> = Vec::with_capacity(1000);
        grown.reserve_exact(100_000);
        grown
    });
    assert!((101_000..102_000).contains(&bytes), "{bytes}");
    drop(grown);
}
