//! What replies cost: no stack for depth, no second look at bytes, no memory from a count.

extern crate alloc;

mod support;

use std::hint::black_box;

use respire_core::resp::{Limits, Reply, Scanner};

const DEEP: usize = 100_000;

/// Runs on a stack that a recursion over a deep reply overflows at once.
#[cfg(not(target_os = "wasi"))]
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(128 << 10).spawn(test).unwrap().join().unwrap();
}

/// Inside a component there are no threads, and the only stack is small: wasmtime gives half a MiB,
/// which is five bytes for each level of `DEEP`.
#[cfg(target_os = "wasi")]
fn on_a_small_stack(test: impl FnOnce()) {
    test();
}

/// Values nested as deep as `DEEP`, one in another.
fn nested(header: &str, inner: &str) -> Vec<u8> {
    [header.repeat(DEEP), inner.into()].concat().into_bytes()
}

fn shapes() -> Vec<Vec<u8>> {
    vec![
        nested("*1\r\n", ":1\r\n"),
        nested("*1\r\n", "*0\r\n"),
        nested("~1\r\n", "$1\r\nx\r\n"),
        nested("*2\r\n:1\r\n", "_\r\n"),
        nested("%1\r\n+k\r\n", "_\r\n"),
        [b"%1\r\n".repeat(DEEP), b":1\r\n".to_vec(), b":2\r\n".repeat(DEEP)].concat(),
        [b"*2\r\n".repeat(DEEP), b":1\r\n".to_vec(), b":2\r\n".repeat(DEEP)].concat(),
        nested("*1\r\n|1\r\n+a\r\n:1\r\n", ":1\r\n"),
        [b"|1\r\n+a\r\n".repeat(DEEP), b":1\r\n".repeat(DEEP + 1)].concat(),
        [b"|1\r\n".repeat(DEEP), b":1\r\n".repeat(2 * DEEP + 1)].concat(),
        nested("|0\r\n", ":1\r\n"),
        [b"*?\r\n*?\r\n".to_vec(), b"*1\r\n".repeat(DEEP), b":1\r\n.\r\n.\r\n".to_vec()].concat(),
    ]
}

#[test]
fn depth_costs_no_stack_and_no_time() {
    on_a_small_stack(|| {
        for bytes in shapes() {
            let step = 4096;
            let frame = support::scan_at(&bytes, (0..bytes.len()).step_by(step)).unwrap().unwrap();
            assert_eq!(frame.len, bytes.len());
            let reply = Reply::new(&bytes, frame);
            assert_eq!(reply.kind(), frame.kind);
            let visits = reply.preorder().count();
            let shown = format!("{reply:?}");
            assert_eq!(shown.split(' ').count(), visits, "one word for each value");
            assert_eq!(reply, Reply::parse(&bytes).unwrap());
            let elements = reply.elements().into_iter().flatten().map(Result::unwrap);
            assert!(elements.map(|element| element.preorder().count()).sum::<usize>() < visits + 1);
            assert!(reply.get::<i64>().is_err() || !reply.kind().is_aggregate());
        }
    });
}

#[test]
fn replies_that_differ_at_the_bottom_are_not_equal() {
    on_a_small_stack(|| {
        let (a, b) = (nested("*1\r\n", ":1\r\n"), nested("*1\r\n", ":2\r\n"));
        assert_ne!(Reply::parse(&a), Reply::parse(&b));
    });
}

#[cfg(feature = "alloc")]
#[test]
fn owned_trees_stop_at_their_depth() {
    use respire_core::resp::{DecodeError, FromReply, Value, Visit};

    on_a_small_stack(|| {
        for bytes in shapes() {
            let reply = Reply::parse(&bytes).unwrap();
            let tree = Value::from_reply(reply);
            if reply.preorder().filter(|visit| is_aggregate(*visit)).count() > Value::MAX_DEPTH {
                assert_eq!(tree, Err(DecodeError::TooDeep));
            } else {
                assert!(tree.is_ok());
            }
        }
        for depth in [1, Value::MAX_DEPTH, Value::MAX_DEPTH + 1] {
            let bytes = [b"*1\r\n".repeat(depth), b":1\r\n".to_vec()].concat();
            let tree = Reply::parse(&bytes).unwrap().get::<Value>();
            assert_eq!(tree.is_ok(), depth <= Value::MAX_DEPTH, "{depth}");
        }
    });

    fn is_aggregate(visit: Visit<'_>) -> bool {
        matches!(visit, Visit::Value(value) if value.kind().is_aggregate())
    }
}

#[cfg(feature = "alloc")]
#[test]
fn a_count_reserves_nothing() {
    use respire_core::resp::DecodeError;

    // Elements that cannot be decoded: the first one ends it, whatever was announced.
    let bytes = [b"*5000000\r\n".to_vec(), b"_\r\n".repeat(5_000_000)].concat();
    let reply = Reply::parse(&bytes).unwrap();
    let error = reply.get::<Vec<[[u64; 8]; 8]>>().unwrap_err();
    assert!(matches!(error, respire_core::resp::ReplyError::Decode(DecodeError::Unexpected { .. })));
}

/// How many bytes a scanner may have looked at when `bytes` came in pieces of `size`: whatever was
/// not settled before, each time.
fn visits(bytes: &[u8], size: usize) -> usize {
    let mut scanner = Scanner::new(Limits::SERVER);
    let (mut start, mut visits) = (0, 0);
    for end in (size..bytes.len() + size).step_by(size) {
        let end = end.min(bytes.len());
        loop {
            visits += end - start - scanner.settled();
            match scanner.scan(&bytes[start..end]).unwrap() {
                Some(frame) => start += frame.len,
                None => break,
            }
        }
        // Given once more, nothing is looked at but what is not settled.
        assert_eq!(scanner.scan(&bytes[start..end]), Ok(None));
    }
    assert_eq!(start, bytes.len());
    visits
}

/// S1-KI-03: replies are read in one pass.
#[test]
fn no_byte_is_looked_at_again_and_again() {
    let bulk = [b"$100000\r\n".to_vec(), vec![b'x'; 100_000], b"\r\n".to_vec()].concat();
    let line = [b"+".to_vec(), vec![b'x'; 60_000], b"\r\n".to_vec()].concat();
    let wide = [b"*20000\r\n".to_vec(), b":1\r\n".repeat(20_000)].concat();
    let bulks = [b"*9999\r\n".to_vec(), b"$3\r\nabc\r\n".repeat(9999)].concat();
    let deep = nested("*1\r\n", ":1\r\n");
    for bytes in [&bulk, &line, &wide, &bulks, &deep] {
        for size in [64, 100, 1024, 4096] {
            let visits = visits(bytes, size);
            assert!(visits <= bytes.len() * 5 / 4 + 64, "{visits} for {} in {size}s", bytes.len());
        }
    }
    for bytes in [&bulk, &line] {
        assert!(visits(bytes, 1) <= 2 * bytes.len() + 64, "byte by byte");
    }
    // Headers wait for their line end: as often looked at as they have bytes, and they are short.
    for bytes in [&wide, &bulks, &deep] {
        assert!(visits(bytes, 1) <= 4 * bytes.len(), "byte by byte");
    }
    let longest = b":-9223372036854775808\r\n".repeat(2000);
    assert!(visits(&longest, 1) <= 13 * longest.len());
}

#[test]
fn elements_are_walked_in_linear_time() {
    // Quadratic, this would take a day.
    let inner = [b"*300000\r\n".to_vec(), b"*1\r\n:1\r\n".repeat(300_000)].concat();
    let reply = Reply::parse(&inner).unwrap();
    let sum: i64 = reply.elements().unwrap().cast::<[i64; 1]>().map(|one| one.unwrap()[0]).sum();
    assert_eq!(sum, 300_000);
    let pairs = [b"*200000\r\n".to_vec(), b"*2\r\n:1\r\n:2\r\n".repeat(200_000)].concat();
    let pairs = Reply::parse(&pairs).unwrap().pairs().unwrap().cast::<i64, i64>().map(Result::unwrap).count();
    assert_eq!(black_box(pairs), 200_000);
}
