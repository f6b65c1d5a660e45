//! When batches go, and how large they are.

use std::cell::RefCell;

use respire_core::bulk::{Bulk, Cancelled, Config, ItemError, Outcome, Refused, Slot, Value, Verdict};
use respire_core::command::{AnyRequest, Command, Later, Request, chunked, get, set, words};
use respire_core::conn::Failure;
use respire_core::error::{Misuse, ServerError};
use respire_core::resp::ArgSink;
use respire_core::time::{Duration, Instant};

use crate::support::{at, batch, bulk, config, numbers, push, results};

/// S0-OPT-18: 2500 items are batches of 1000, 1000 and 500.
#[test]
fn a_full_batch_goes_at_once_and_the_rest_when_it_is_flushed() {
    let mut bulk = Bulk::new(vec![0; 1 << 20], vec![Slot::EMPTY; 3000], Config::DEFAULT);
    for n in 0..2500 {
        bulk.push(at(0), &set("key", n)).unwrap();
    }
    assert_eq!(bulk.poll_timeout(), at(0));
    assert_eq!(bulk.poll_batch(at(0)).unwrap().len(), 1000);
    assert_eq!(bulk.poll_batch(at(0)).unwrap().len(), 1000);
    assert!(bulk.poll_batch(at(0)).is_none());
    bulk.flush();
    assert_eq!(bulk.poll_batch(at(0)).unwrap().len(), 500);
    assert_eq!((bulk.stats().batches, bulk.stats().mean_fill()), (3, 83_333));
}

/// S0-OPT-19: one item goes after the interval, and never without one.
#[test]
fn no_item_waits_longer_than_the_interval() {
    let mut timed = bulk(config());
    push(&mut timed, at(1000), "SET a 1").unwrap();
    push(&mut timed, at(3000), "SET b 1").unwrap();
    assert_eq!(timed.poll_timeout(), at(6000));
    assert!(batch(&mut timed, at(5999)).is_empty());
    assert_eq!(numbers(&batch(&mut timed, at(6000))), [0, 1]);
    push(&mut timed, at(6000), "SET c 1").unwrap();
    assert_eq!(timed.poll_timeout(), at(11_000));

    let mut untimed = bulk(Config { flush_interval: Duration::ZERO, ..config() });
    push(&mut untimed, at(0), "SET a 1").unwrap();
    assert_eq!(untimed.poll_timeout(), Instant::MAX);
    assert!(batch(&mut untimed, at(u64::MAX / 1000)).is_empty());
    assert!(!untimed.is_closed());
    untimed.close();
    assert!(untimed.is_closed());
    assert_eq!(numbers(&batch(&mut untimed, at(0))), [0], "the time before was later");
    assert_eq!(untimed.stats().clock_faults, 1);
    assert_eq!(push(&mut untimed, at(0), "SET b 1"), Err(Refused::Closed));
}

#[test]
fn so_many_bytes_make_a_batch() {
    // Each of these takes 27 bytes.
    let mut bulk = bulk(Config { batch_bytes: 54, ..config() });
    push(&mut bulk, at(0), "SET a 1").unwrap();
    assert!(batch(&mut bulk, at(0)).is_empty());
    push(&mut bulk, at(0), "SET b 1").unwrap();
    push(&mut bulk, at(0), "SET c 1").unwrap();
    let sent = bulk.poll_batch(at(0)).unwrap();
    assert_eq!((sent.len(), sent.size()), (2, 54));
    let long = "v".repeat(100);
    push(&mut bulk, at(0), &format!("SET d {long}")).unwrap();
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [2]);
    bulk.flush();
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [3], "larger than a batch: alone");
}

/// S0-OPT-17: without batches each item goes at once, by the same calls and with the same results.
#[test]
fn batches_that_are_off_change_no_result() {
    let told = |status| {
        let mut bulk = bulk(Config { status, batch_size: 4, ..config() });
        let mut sizes = Vec::new();
        for text in ["SET a 1", "LPUSH a x", "GET a", "INCR n"] {
            push(&mut bulk, at(0), text).unwrap();
            let items = batch(&mut bulk, at(0));
            sizes.push(items.len());
            for item in items {
                let wrong = item.ticket().number() == 1;
                let wrong = wrong.then(|| Outcome::Error(ServerError::new(b"WRONGTYPE")));
                assert_eq!(bulk.handle_reply(at(0), item, wrong.unwrap_or(Outcome::Value)), Verdict::Told);
            }
        }
        (sizes, results(&mut bulk))
    };
    let (on, off) = (told(true), told(false));
    assert_eq!((on.0, off.0), (vec![0, 0, 0, 4], vec![1; 4]));
    assert_eq!(on.1, off.1);
    assert_eq!(on.1.len(), 4);
}

/// S0-OPT-21: no more batches in flight than allowed, or one.
#[test]
fn batches_in_flight_are_bounded() {
    for (concurrent_flush, max_batches, expected) in [(true, 3, 3), (true, 100, 8), (false, 3, 1)] {
        let mut bulk = bulk(Config { batch_size: 2, concurrent_flush, max_batches, ..config() });
        for n in 0..40 {
            push(&mut bulk, at(0), &format!("SET {n} 1")).unwrap();
        }
        let flying: Vec<_> = std::iter::repeat_with(|| batch(&mut bulk, at(0))).take(9).collect();
        let flying: Vec<_> = flying.into_iter().filter(|items| !items.is_empty()).collect();
        assert_eq!(flying.len(), expected);
        assert_eq!(bulk.poll_timeout(), Instant::MAX);
        for &item in &flying[0] {
            assert!(batch(&mut bulk, at(0)).is_empty(), "the first is not answered to its end");
            assert_eq!(bulk.handle_reply(at(0), item, Outcome::Value), Verdict::Told);
        }
        assert_eq!(batch(&mut bulk, at(0)).len(), 2);
    }
}

/// S0-BULK-02: what is full takes nothing, says what is full, and is flushed.
#[test]
fn a_refused_item_changes_nothing() {
    let mut bulk = Bulk::new([0; 64], [Slot::EMPTY; 2], Config::DEFAULT);
    let long = "v".repeat(60);
    assert_eq!(bulk.push(at(0), &set("a", long.as_str())), Err(Refused::TooLarge));
    bulk.push(at(0), &set("a", "1")).unwrap();
    assert_eq!(bulk.poll_timeout(), at(5000));
    assert_eq!(bulk.push(at(0), &set("b", "a value too long")), Err(Refused::Bytes));
    assert_eq!(bulk.poll_timeout(), at(0));
    assert_eq!(bulk.poll_batch(at(0)).unwrap().len(), 1);
    bulk.push(at(0), &set("b", "1")).unwrap();
    assert_eq!(bulk.push(at(0), &get("c")), Err(Refused::Items));
    assert_eq!((bulk.stats().refused, bulk.stats().items, bulk.stats().bytes), (3, 2, 54));
}

#[test]
fn what_cannot_be_kept_or_shared_is_refused() {
    let mut bulk = bulk(config());
    for text in ["MULTI", "exec", "SUBSCRIBE a", "SELECT 1", "AUTH p", "CLIENT REPLY OFF", "WATCH k", "QUIT"]
    {
        assert_eq!(push(&mut bulk, at(0), text), Err(Refused::Effect), "{text}");
    }
    assert_eq!(bulk.push(at(0), &words::<&str>(&[])), Err(Refused::Misuse(Misuse::Empty)));
    assert_eq!(bulk.push(at(0), &set("k", Later(5))), Err(Refused::Misuse(Misuse::Streamed)));
    assert_eq!(bulk.push(at(0), &chunked(get("k"))), Err(Refused::Misuse(Misuse::Streamed)));
    assert!(bulk.is_empty() && bulk.stats().bytes == 0);
}

/// Echoes another word each time.
struct Fickle(RefCell<Vec<&'static str>>);

impl Request for Fickle {
    type Reply<'r> = ();

    fn command(&self) -> &'static Command {
        &Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("ECHO");
        sink.arg(self.0.borrow_mut().pop().expect("so often").as_bytes());
    }
}

#[test]
fn an_item_that_changes_its_mind_is_refused() {
    let mut bulk = Bulk::new([0; 64], [Slot::EMPTY; 4], Config { batch_size: 1, ..config() });
    for key in ["a", "b"] {
        bulk.push(at(0), &set(key, "1")).unwrap();
    }
    let (first, _) = bulk.poll_batch(at(0)).unwrap().next().unwrap();
    assert_eq!(bulk.handle_reply(at(0), first, Outcome::Value), Verdict::Told);
    assert!(bulk.poll_result().is_some());
    // There is room in front only: it is asked once more.
    for again in ["", "longer"] {
        let fickle = Fickle(RefCell::new(vec![again, "word"]));
        assert_eq!(bulk.push(at(0), &fickle), Err(Refused::Misuse(Misuse::Inconsistent)), "{again}");
    }
    assert_eq!((bulk.len(), bulk.stats().bytes), (1, 27));
    let steady = Fickle(RefCell::new(vec!["word", "word"]));
    assert!(bulk.push(at(0), &steady).is_ok());
}

/// What is known of a command goes with its bytes.
#[test]
fn an_item_goes_with_the_row_of_its_command() {
    let mut bulk = bulk(Config { batch_size: 1, ..config() });
    bulk.push(at(0), &get("k")).unwrap();
    let (_, frame) = bulk.poll_batch(at(0)).unwrap().next().unwrap();
    assert_eq!(frame.row().words, ["GET"]);
}

/// S0-BULK-03: one item fails, and 999 do not.
#[test]
fn an_error_is_one_items_own() {
    let mut bulk = Bulk::new(vec![0; 1 << 16], vec![Slot::EMPTY; 1000], Config::DEFAULT);
    for n in 0..1000 {
        bulk.push(at(0), &set("key", n)).unwrap();
    }
    let sent = bulk.poll_batch(at(0)).unwrap();
    let number = sent.number();
    let items: Vec<_> = sent.map(|(item, _)| item).collect();
    for item in items {
        let wrong = Outcome::Error(ServerError::new(b"WRONGTYPE Operation against"));
        let outcome = if item.ticket().number() == 17 { wrong } else { Outcome::Value };
        assert_eq!(bulk.handle_reply(at(0), item, outcome), Verdict::Told);
    }
    let errors: Vec<_> = bulk.errors(number).collect();
    assert_eq!((errors.len(), errors[0].index), (1, 17));
    assert_eq!(errors[0].error, ItemError::Server(ServerError::new(b"WRONGTYPE Operation against")));
    assert_eq!(errors[0].to_string(), "item 17: WRONGTYPE Operation against");
    assert_eq!(bulk.errors(number + 1).count(), 0);
    for n in 0..1000 {
        let told = bulk.poll_result().unwrap();
        assert_eq!((told.ticket.number(), told.result == Value::Answered), (n, n != 17));
    }
    assert!(bulk.poll_result().is_none() && bulk.is_empty());
}

#[test]
fn the_text_of_an_error_takes_no_more_room_than_the_request() {
    let mut bulk = bulk(config());
    let long = "v".repeat(300);
    push(&mut bulk, at(0), "ECHO a").unwrap();
    push(&mut bulk, at(0), &format!("ECHO {long}")).unwrap();
    bulk.flush();
    let items = batch(&mut bulk, at(0));
    let text = "ERR ".to_owned() + &"x".repeat(500);
    for item in items {
        let error = Outcome::Error(ServerError::new(text.as_bytes()));
        assert_eq!(bulk.handle_reply(at(0), item, error), Verdict::Told);
    }
    for len in [21, 255] {
        assert_eq!(
            bulk.poll_result().unwrap().result,
            Value::Error(ServerError::new(&text.as_bytes()[..len]))
        );
    }
}

/// S0-ERR-03: an item is cancelled wherever it is, and the late answer goes to nobody.
#[test]
fn a_cancelled_item_has_no_result() {
    let mut bulk = bulk(config());
    let tickets: Vec<_> = (0..4).map(|_| push(&mut bulk, at(0), "INCR n").unwrap()).collect();
    assert_eq!(bulk.cancel(tickets[1]), Some(Cancelled::Dropped));
    assert_eq!(bulk.cancel(tickets[1]), None);
    bulk.flush();
    let items = batch(&mut bulk, at(0));
    assert_eq!(numbers(&items), [0, 2, 3]);
    assert_eq!(bulk.cancel(tickets[0]), Some(Cancelled::Sent));
    assert_eq!(bulk.handle_reply(at(0), items[0], Outcome::Value), Verdict::Unwanted);
    assert_eq!(bulk.handle_reply(at(0), items[1], Outcome::Value), Verdict::Told);
    assert_eq!(bulk.cancel(tickets[2]), Some(Cancelled::Resolved));
    assert_eq!(bulk.cancel(tickets[3]), Some(Cancelled::Sent));
    // Nobody wants it, so it is not sent again, whatever it is.
    assert_eq!(bulk.handle_reply(at(0), items[2], Failure::NotSent.into()), Verdict::Unwanted);
    assert_eq!(results(&mut bulk), []);
    assert!(bulk.is_empty());
    assert_eq!(bulk.cancel(tickets[0]), None);
    assert_eq!(bulk.handle_reply(at(0), items[0], Outcome::Value), Verdict::Stale);
}

#[test]
fn memory_is_the_callers_of_any_sort() {
    let (mut bytes, mut slots) = ([0; 100], [Slot::EMPTY; 2]);
    let mut lent = Bulk::new(&mut bytes[..], &mut slots[..], Config::DEFAULT);
    lent.push(at(0), &get("k")).unwrap();
    let mut none = Bulk::new([0; 0], [Slot::EMPTY; 0], Config::DEFAULT);
    assert_eq!(none.push(at(0), &get("k")), Err(Refused::Items));
    none.flush();
    assert!(none.poll_batch(at(0)).is_none() && none.poll_result().is_none());
    let mut few = Bulk::new([0; 0], [Slot::EMPTY; 1], Config::DEFAULT);
    assert_eq!(few.push(at(0), &get("k")), Err(Refused::TooLarge));
    let shown = format!("{lent:?}");
    assert!(shown.contains("items: 1") && !shown.contains("GET"), "{shown}");
}

/// S0-MON-03: what is counted.
#[test]
fn figures_tell_what_was_done() {
    let mut bulk = bulk(Config { batch_size: 5, ..config() });
    for n in 0..10 {
        push(&mut bulk, at(100 * n), "SET k v").unwrap();
        for item in batch(&mut bulk, at(100 * n)) {
            assert_eq!(bulk.handle_reply(at(100 * n), item, Outcome::Value), Verdict::Told);
        }
    }
    bulk.handle_timeout(at(1400));
    let stats = bulk.stats();
    assert_eq!(
        (stats.items, stats.batches, stats.sent, stats.answered, stats.mean_fill()),
        (10, 2, 10, 10, 500)
    );
    assert_eq!((stats.queued, stats.in_flight, stats.batches_in_flight, stats.depth), (0, 0, 0, 10));
    assert_eq!((stats.items_per_second, stats.bytes), (10, 270));
    bulk.handle_timeout(at(2400));
    assert_eq!(bulk.stats().items_per_second, 0);
}
