//! Nothing is allocated on the way of a key.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use respire_core::command::{Request, get, words};
use respire_core::key::{HashKey, Keyed, Policy};
use respire_core::resp::Encoder;

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

fn asked(f: impl FnOnce()) -> u64 {
    let before = ASKED.get();
    f();
    ASKED.get() - before
}

/// S0-PERF-01: no allocation for prefix, hash, database and the whole request, clean or not.
#[test]
fn nothing_is_allocated() {
    assert_eq!(asked(|| drop(std::hint::black_box(vec![1]))), 1, "this counts");
    let managed = Policy::MANAGED.with_prefix(b"shop:").unwrap();
    for policy in [managed, managed.with_hash(None), managed.with_hash(Some(HashKey([1; 16]))), Policy::PLAIN]
    {
        for key in ["session:0123456789abcdef", " Session::{01}:: "] {
            let (mut scratch, mut frame) = ([0; 128], [0; 256]);
            let count = asked(|| {
                std::hint::black_box(policy.map(key.as_bytes(), &mut scratch).unwrap().key);
                let mut encoder = Encoder::new(&mut frame);
                Keyed::<_, 128>::new(&policy, get(key)).unwrap().visit(&mut encoder);
                let mut encoder = Encoder::new(&mut frame);
                Keyed::<_, 128>::new(&policy, words(&["MGET", key, key])).unwrap().visit(&mut encoder);
                assert!(encoder.finish().is_written());
            });
            assert_eq!(count, 0, "{key}");
        }
    }
}
