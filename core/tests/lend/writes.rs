//! What is written, and in how many calls.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::buffer::{Growing, Storage};
use respire_core::command::{
    ExpiryOptions, Later, Request, Secret, chunked, get, mset, raw, set, set_get, words,
};
use respire_core::conn::{Part, SubmitError, Token};
use respire_core::error::{Full, Misuse};
use respire_core::io::{CallError, Driver, Socket};

use crate::wire::{Broken, FROM, Wire, call, driver, small, value, whole};

#[test]
fn a_long_value_is_one_write_and_no_copy() {
    let value = value(1 << 20);
    let request = set("key", &value).ex(60);
    let frame = whole(&request);
    // Its frame would not fit in.
    let mut driver = small(Wire::new(4096).answers(frame.len(), b"+OK\r\n"));
    assert_eq!(call(&mut driver, &request), Ok(b"OK".to_vec()));
    let wire = driver.transport();
    assert!(wire.written == frame);
    assert_eq!(wire.writes, [(frame.len(), frame.len())]);
    assert_eq!(wire.waits, [], "the answer was there");
}

#[test]
fn memory_that_could_grow_does_not() {
    let value = value(1 << 20);
    let request = set("key", &value);
    for (from, grows) in [(4096, false), (usize::MAX, true)] {
        let wire = Wire::new(from).answers(whole(&request).len(), b"+OK\r\n");
        let mut driver = driver(wire, Growing::new(64, 2 << 20), Growing::new(64, 2 << 20));
        let size = |driver: &Driver<Wire, Growing, 4>| format!("{driver:?}").matches("size: 64").count();
        assert_eq!(call(&mut driver, &request), Ok(b"OK".to_vec()));
        assert_eq!(size(&driver), if grows { 1 } else { 2 }, "{driver:?}");
        assert!(driver.transport().written == whole(&request));
    }
}

#[test]
fn only_what_is_long_is_lent() {
    for (len, is_lent) in [(FROM - 1, false), (FROM, true), (FROM + 1, true)] {
        let value = value(len);
        let request = set("key", &value);
        let wire = Wire::new(FROM).answers(whole(&request).len(), b"+OK\r\n");
        let mut driver = driver(wire, [0; 64], [0; 64]);
        let result = call(&mut driver, &request);
        assert_eq!(result.is_ok(), is_lent, "{len}: {result:?}");
        assert!(is_lent || result == Err(CallError::Refused(Full::TooLarge.into())));
    }
}

#[test]
fn a_socket_that_says_nothing_about_it_is_given_copies() {
    struct Plain(Wire);
    impl Socket for Plain {
        type Error = Broken;
        fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
            self.0.try_read(buffer)
        }
        fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
            self.0.try_write(bytes)
        }
    }
    let mut socket = Plain(Wire::new(0));
    assert_eq!(socket.lends_from(), usize::MAX);
    // Its vectored writes are writes of one part each.
    assert_eq!(socket.try_write_vectored([b"", b"ab", b"cd"]), Ok(Some(2)));
    assert_eq!(socket.try_write_vectored([b"ef", b"gh", b""]), Ok(Some(2)));
    assert_eq!(socket.try_write_vectored([b"", b"", b""]), Ok(Some(0)));
    assert_eq!(socket.0.written, b"abef");
    // Behind a reference it is the same socket.
    fn through(mut socket: impl Socket<Error = Broken>) -> (usize, Result<Option<usize>, Broken>) {
        (socket.lends_from(), socket.try_write_vectored([b"a", b"b", b"c"]))
    }
    assert_eq!(through(&mut Wire::new(7)), (7, Ok(Some(3))));
}

#[test]
fn any_argument_may_be_long_and_the_first_is_lent() {
    let (long, longer) = (value(FROM), value(60));
    let words_of_it: [&[u8]; 3] = [b"GET", &long, b"x"];
    let name_of_it: [&[u8]; 2] = [&long, b"x"];
    let pairs: [(&[u8], &[u8]); 2] = [(&long, b"1"), (b"b", &longer)];
    check(&words(&words_of_it));
    check(&words(&name_of_it));
    check(&get(&long));
    check(&mset(&pairs));
    check(&raw("AUTH").with(Secret(&long)));
    check(&raw("EVAL").arg(&long).arg(1).key("k").arg(&longer));
    check(&chunked(set_get("k", &long)));
    let many: Vec<&[u8]> = [&b"DEL"[..], &long].into_iter().chain([&b"k"[..]; 7]).collect();
    check(&words(&many));
    let many: Vec<&[u8]> = [&b"DEL"[..], &long].into_iter().chain([&b"k"[..]; 10]).collect();
    check(&words(&many));
    // The second one needs room.
    let pairs: [(&[u8], &[u8]); 2] = [(&long, b"1"), (b"b", &long)];
    let refused = call(&mut small(Wire::new(FROM)), &mset(&pairs));
    assert_eq!(refused, Err(CallError::Refused(Full::TooLarge.into())));

    fn check(request: &impl Request) {
        for vectored in [true, false] {
            let frame = whole(request);
            let wire = Wire { vectored, ..Wire::new(FROM).answers(frame.len(), b"+OK\r\n") };
            let mut driver = small(wire);
            let fetched = driver.fetch(request, |part: Part<'_>| panic!("{part:?}"), |_| ());
            assert!(matches!(fetched, Ok(Some(_))), "{fetched:?}");
            assert_eq!(driver.transport().written, frame);
            assert_eq!(driver.transport().writes.len(), if vectored { 1 } else { 3 });
        }
    }
}

#[test]
fn what_nobody_would_supply_is_still_refused() {
    let long = value(FROM);
    let mut driver = driver(Wire::new(FROM), [0; 256], [0; 256]);
    let streamed = Err(CallError::Refused(SubmitError::Misuse(Misuse::Streamed)));
    assert_eq!(call(&mut driver, &set("k", Later(5))), streamed);
    assert_eq!(call(&mut driver, &raw("SET").arg(&long).arg(Later(5))), streamed);
    assert_eq!(call(&mut driver, &raw("SET").arg("k").arg(Later(5)).arg(&long)), streamed);
    assert_eq!(call(&mut driver, &chunked(set("k", &long))), streamed);
    let reply_off = raw("CLIENT REPLY").arg(&long);
    assert_eq!(call(&mut driver, &reply_off), Err(CallError::Refused(Misuse::ReplyOff.into())));
    assert_eq!((&driver.transport().written[..], driver.connection().in_flight()), (&b""[..], 0));
    // Submitting lends nothing: it has nobody to write for it.
    driver.submit(Token(1), &get(&long)).unwrap();
    assert_eq!(driver.connection().owed(), 0);
    assert_eq!(driver.connection().poll_transmit(), whole(&get(&long)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the socket takes, in whatever parts: the wire carries the plain frames.
    #[test]
    fn the_wire_carries_the_frames(
        lens in vec((0..3 * FROM, 0..3 * FROM, 0..40usize), 1..4),
        takes in vec(prop_oneof![1 => Just(None), 3 => (1..40usize).prop_map(Some), 1 => (1..500usize).prop_map(Some)], 0..60),
        vectored in any::<bool>(),
        room in 64..600usize,
        grows in any::<bool>(),
    ) {
        let wire = Wire { vectored, takes: takes.into(), ..Wire::new(FROM) };
        if grows {
            exchange(driver(wire, Growing::new(64, 64), Growing::new(64, room)), &lens, room);
        } else {
            let (mut receive, mut transmit) = ([0; 64], vec![0; room]);
            exchange(driver(wire, &mut receive[..], &mut transmit[..]), &lens, room);
        }
    }
}

fn exchange<S: Storage>(mut driver: Driver<Wire, S, 4>, lens: &[(usize, usize, usize)], room: usize) {
    let mut wanted = Vec::new();
    for &(key, long, tail) in lens {
        let (key, long, tail) = (value(key), value(long), "t".repeat(tail));
        let request = raw("SET").key(&key).arg(&long).arg(&tail);
        let frame = whole(&request);
        let lent = [key.len(), long.len()].into_iter().find(|&len| len >= FROM).unwrap_or(0);
        let at = wanted.len() + frame.len();
        driver.transport_mut().answers.push_back((at, b"+OK\r\n"));
        let result = call(&mut driver, &request);
        if frame.len() - lent > room {
            assert_eq!(result, Err(CallError::Refused(Full::TooLarge.into())));
            driver.transport_mut().answers.pop_back();
        } else {
            assert_eq!(result, Ok(b"OK".to_vec()));
            wanted.extend(frame);
        }
        assert!(driver.transport().written == wanted);
    }
}
