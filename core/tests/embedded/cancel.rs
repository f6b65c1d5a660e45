//! Turns that are dropped wherever they wait: nothing is lost, nothing is sent twice.

use std::cell::RefCell;

use respire_core::command::incr;
use respire_core::conn::Token;
use respire_core::time::Instant;

use super::turns::Driver;
use super::wire::{Call, Wire};
use super::{ready, started};

/// xorshift64.
fn random(mut state: u64) -> impl FnMut() -> u64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn every_request_is_executed_and_answered_once() {
    for seed in 1..=500 {
        for which in 0..2 {
            session(seed * 2_654_435_761, which);
        }
    }
}

/// Ten INCRs, whose answers tell of one that was lost or sent twice.
fn session(seed: u64, which: usize) {
    let mut dice = random(seed);
    let mut waits = random(seed + 1);
    let step = [1, 2, 5, 30, 1000][dice() as usize % 5];
    let room = [1, 10, usize::MAX][dice() as usize % 3];
    let one_in = 1 + dice() % 4;
    let wire = RefCell::new(Wire {
        step,
        // Only halves are for a server that does not read.
        room: if which == 1 { room } else { usize::MAX },
        buffers: which == 0 && dice().is_multiple_of(2),
        waits: Box::new(move || !waits().is_multiple_of(one_in)),
        ..Wire::new()
    });
    let mut drivers = Driver::both(&wire);
    let mut connection = started();
    let mut events = Vec::new();
    let (mut asked, mut dropped) = (0, 0);
    for _ in 0..200_000 {
        if connection.is_ready() && asked < 10 && dice().is_multiple_of(3) {
            asked += u64::from(connection.submit(Instant::ZERO, Token(asked + 1), &incr("n")).is_ok());
        }
        let polls = 1 + dice() as usize % 4;
        match drivers[which].turn(polls, &mut connection, &mut events) {
            Some(result) => result.unwrap(),
            None => dropped += 1,
        }
        if events.len() == 11 {
            break;
        }
    }
    let wanted = (1..=10).map(|n| format!("Reply {{ token: Token({n}), reply: {n} }}"));
    assert_eq!(events[1..], wanted.collect::<Vec<_>>(), "seed {seed}, {which}");
    assert_eq!(wire.borrow().server.commands_received(), 11, "HELLO and ten more");
    assert!(one_in == 1 || dropped > 0, "seed {seed}: nothing was dropped");
}

#[test]
fn a_dropped_flush_is_made_up_for() {
    for which in 0..2 {
        let wire = RefCell::new(Wire { buffers: true, ..Wire::new() });
        let mut drivers = Driver::both(&wire);
        let mut connection = ready();
        let mut events = Vec::new();
        connection.submit(Instant::ZERO, Token(1), &incr("n")).unwrap();
        let mut polls = 0;
        wire.borrow_mut().waits = Box::new(move || {
            polls += 1;
            polls > 1
        });
        assert_eq!(drivers[which].turn(3, &mut connection, &mut events), None);
        assert_eq!(wire.borrow().calls, [Call::Write(21)], "written, and no more");
        wire.borrow_mut().waits = Box::new(|| false);
        assert_eq!(drivers[which].turn(3, &mut connection, &mut events), Some(Ok(())));
        assert_eq!(wire.borrow().calls, [Call::Write(21), Call::Flush, Call::Read(4)]);
    }
}

#[test]
fn a_request_of_a_dropped_turn_is_resolved_by_what_was_sent() {
    for which in 0..2 {
        for (writes, failure) in [(0, "Expired"), (1, "TimedOut"), (5, "TimedOut")] {
            let wire = RefCell::new(Wire { step: 5, ..Wire::new() });
            let mut drivers = Driver::both(&wire);
            let mut connection = ready();
            let mut events = Vec::new();
            connection.submit(Instant::ZERO, Token(1), &incr("n")).unwrap();
            let mut polls = 0;
            wire.borrow_mut().waits = Box::new(move || {
                polls += 1;
                polls > writes
            });
            assert_eq!(drivers[which].turn(2, &mut connection, &mut events), None);
            assert_eq!(wire.borrow().calls.len(), writes);
            connection.handle_timeout(Instant::from_millis(5000));
            assert_eq!(drivers[which].turn(1, &mut connection, &mut events), Some(Ok(())));
            let failed = format!("Failed {{ token: Token(1), failure: {failure} }}");
            assert_eq!(events, [failed], "{writes} writes");
            assert_eq!(connection.in_flight(), usize::from(writes > 0));
        }
    }
}
