//! Long answers whose memory is taken with them.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::buffer::Growing;
use respire_core::command::get;
use respire_core::conn::{Connection, Event, Token};
use respire_core::resp::Reply;
use respire_core::time::Instant;

use super::supply::{ready, value};

/// From so many bytes on no more is read than an answer has.
const LONG: usize = 64 << 10;

type Machine = Connection<Growing, 8>;

fn connection() -> Machine {
    ready(Growing::new(4096, 1 << 20), Growing::new(4096, 1 << 20))
}

fn frame(value: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
}

/// Reads up to `most` bytes of the wire at once. How many.
fn read(connection: &mut Machine, wire: &[u8], most: usize) -> usize {
    let space = connection.recv_space().expect("room");
    let n = space.len().min(most).min(wire.len());
    space[..n].copy_from_slice(&wire[..n]);
    connection.handle_received(n);
    n
}

fn answered(connection: &mut Machine) -> Option<(Token, usize)> {
    match connection.poll_event() {
        None => None,
        Some(Event::Reply { token, reply }) => Some((token, reply.get::<&[u8]>().expect("a string").len())),
        other => panic!("{other:?}"),
    }
}

/// Answers of these lengths, read in pieces of these lengths; of which, in turn, the memory is taken or not.
fn run(lens: &[usize], pieces: &[usize], takes: &[bool]) {
    let mut connection = connection();
    let values: Vec<_> = lens.iter().map(|&len| value(len)).collect();
    let wire: Vec<_> = values.iter().flat_map(|value| frame(value)).collect();
    for number in 0..lens.len() {
        connection.submit(Instant::ZERO, Token(number as u64), &get("k")).expect("room");
    }
    connection.handle_transmitted(usize::MAX);
    let (mut at, mut next, mut ends) = (0, 0, 0);
    let (mut pieces, mut takes) = (pieces.iter().cycle(), takes.iter().cycle());
    let mut memory = vec![b'?'; 100];
    while next < lens.len() {
        at += read(&mut connection, &wire[at..], *pieces.next().unwrap());
        while let Some((token, len)) = answered(&mut connection) {
            assert_eq!((token, len), (Token(next as u64), lens[next]));
            ends += frame(&values[next]).len();
            if *takes.next().unwrap() {
                let taken = connection.take_lent(&mut memory);
                let reply = taken.clone().map(|taken| Reply::parsed(&memory[taken]));
                assert!(reply.is_none_or(|reply| reply.get::<&[u8]>() == Ok(&values[next])));
                assert!(taken.is_some() || ends < at, "nothing stands behind it");
            } else {
                assert_eq!(connection.lent().get::<&[u8]>(), Ok(&values[next][..]));
            }
            next += 1;
        }
    }
    assert_eq!((at, ends, connection.in_flight()), (wire.len(), wire.len(), 0));
    // It works as before.
    connection.submit(Instant::ZERO, Token(9), &get("k")).expect("room");
    connection.handle_transmitted(usize::MAX);
    assert_eq!(read(&mut connection, &frame(b"last"), 100), 10);
    assert_eq!(answered(&mut connection), Some((Token(9), 4)));
}

#[test]
fn no_more_is_read_than_a_long_answer_has() {
    let mut connection = connection();
    connection.submit(Instant::ZERO, Token(1), &get("k")).expect("room");
    connection.submit(Instant::ZERO, Token(2), &get("k")).expect("room");
    connection.handle_transmitted(usize::MAX);
    let long = value(LONG);
    let wire = [frame(&long), frame(b"next")].concat();
    let mut at = 0;
    // At most one line end is left to be seen by itself.
    while at < frame(&long).len() {
        assert_eq!(answered(&mut connection), None);
        at += read(&mut connection, &wire[at..], usize::MAX);
    }
    assert_eq!(at, frame(&long).len());
    assert_eq!(answered(&mut connection), Some((Token(1), LONG)));
    let mut memory = Vec::new();
    let taken = connection.take_lent(&mut memory).expect("its memory");
    assert_eq!(&memory[taken], &wire[..at]);
    assert_eq!(connection.take_lent(&mut Vec::new()), None, "there is no other");
    read(&mut connection, &wire[at..], usize::MAX);
    assert_eq!(answered(&mut connection), Some((Token(2), 4)));
}

#[test]
fn every_end_of_a_piece_will_do() {
    let len = frame(&value(LONG)).len();
    // Inside both heads and both line ends, and around them.
    for first in (1..20).chain(len - 5..len + 20) {
        for second in [1, 2, 3, 10, usize::MAX] {
            run(&[LONG, LONG], &[first, second, usize::MAX], &[true]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, ..ProptestConfig::default() })]

    #[test]
    fn each_answer_is_its_own_whoever_has_the_memory(
        lens in vec(prop_oneof![0_usize..100, 1000_usize..10_000, LONG - 3..LONG + 3, LONG..3 * LONG], 1..8),
        pieces in vec(prop_oneof![1_usize..50, 1000_usize..20_000, LONG..4 * LONG], 1..8),
        takes in vec(any::<bool>(), 1..5),
    ) {
        // Small pieces of long answers take long.
        prop_assume!(pieces.iter().sum::<usize>() > 1000);
        run(&lens, &pieces, &takes);
    }
}
