//! What is sent again, and in which order.

use respire_core::bulk::{Config, Outcome, Value, Verdict};
use respire_core::command::{Retry, words};
use respire_core::conn::Failure;
use respire_core::time::{Duration, Instant};

use crate::support::{at, batch, bulk, config, error, fail, numbers, push, results};

/// S0-OPT-20: after a connection is lost no SET is lost, and no INCR applied twice.
#[test]
fn only_what_may_be_executed_twice_is_sent_again() {
    let again = |text: &str, failure| {
        let mut bulk = bulk(Config { batch_size: 1, ..config() });
        push(&mut bulk, at(0), text).unwrap();
        let item = batch(&mut bulk, at(0))[0];
        fail(&mut bulk, at(0), item, failure) == Verdict::Again
    };
    for text in ["SET k v", "GET k", "DEL k", "SET k v NX", "HSET h f v"] {
        assert!(again(text, Failure::Unknown) && again(text, Failure::TimedOut), "{text}");
    }
    for text in ["INCR k", "LPUSH l x", "SET k v GET", "EVAL s 0", "FLUSHALL", "NEW k"] {
        assert!(!again(text, Failure::Unknown) && !again(text, Failure::TimedOut), "{text}");
        assert!(again(text, Failure::NotSent) && again(text, Failure::Expired), "{text}");
    }
    assert!(!again("GET k", Failure::TooLarge) && !again("GET k", Failure::TooDeep));
}

#[test]
fn a_server_that_was_not_ready_is_asked_again() {
    let again = |text: &str, said: &str| {
        let mut bulk = bulk(Config { batch_size: 1, ..config() });
        push(&mut bulk, at(0), text).unwrap();
        let item = batch(&mut bulk, at(0))[0];
        error(&mut bulk, at(0), item, said) == Verdict::Again
    };
    for said in ["LOADING", "BUSY a script", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY You"] {
        assert!(again("INCR k", said) && again("SET k v", said), "{said}");
        assert!(!again("EVAL s 0", said), "a script may say {said}");
    }
    for said in ["WRONGTYPE", "ERR", "OOM", "NOPERM", "MOVED 1 h:1", "LOADINGS", ""] {
        assert!(!again("SET k v", said), "{said}");
    }
}

#[test]
fn a_ceiling_and_a_caller_who_knows_better() {
    let mut careful = bulk(Config { ceiling: Retry::ReadOnly, batch_size: 3, ..config() });
    push(&mut careful, at(0), "SET a 1").unwrap();
    push(&mut careful, at(0), "GET a").unwrap();
    careful.push_safe(at(0), &words(&["INCR", "b"])).unwrap();
    let items = batch(&mut careful, at(0));
    let verdicts: Vec<_> =
        items.iter().map(|&item| fail(&mut careful, at(0), item, Failure::Unknown)).collect();
    assert_eq!(verdicts, [Verdict::Told, Verdict::Again, Verdict::Again]);
}

#[test]
fn an_item_is_sent_again_so_often_and_no_more() {
    for max_retries in [0, 1, 3] {
        let mut bulk = bulk(Config { max_retries, ..config() });
        push(&mut bulk, at(0), "INCR n").unwrap();
        bulk.flush();
        for attempt in 0..=max_retries {
            let items = batch(&mut bulk, at(0));
            assert_eq!((items.len(), items[0].attempts()), (1, attempt));
            let expected = if attempt < max_retries { Verdict::Again } else { Verdict::Told };
            assert_eq!(error(&mut bulk, at(0), items[0], "LOADING"), expected);
        }
        let told = bulk.poll_result().unwrap();
        assert_eq!((told.retries, told.doubtful), (max_retries, false));
        assert!(matches!(told.result, Value::Error(error) if error.code() == b"LOADING"));
    }
}

#[test]
fn what_may_have_been_executed_once_is_never_said_not_to_be() {
    let mut bulk = bulk(Config { max_retries: 1, ..config() });
    push(&mut bulk, at(0), "SET a 1").unwrap();
    bulk.flush();
    let item = batch(&mut bulk, at(0))[0];
    assert_eq!(fail(&mut bulk, at(0), item, Failure::Unknown), Verdict::Again);
    let item = batch(&mut bulk, at(0))[0];
    assert_eq!(fail(&mut bulk, at(0), item, Failure::NotSent), Verdict::Told);
    let told = bulk.poll_result().unwrap();
    assert_eq!((told.doubtful, told.result), (true, Value::Failed(Failure::Unknown)));
}

/// S1-BP-04: it goes on at the first item without an answer, and what is behind it waits.
#[test]
fn what_goes_again_goes_first() {
    let mut bulk = bulk(Config { batch_size: 3, max_batches: 2, ..config() });
    for text in ["SET a 1", "INCR n", "SET b 1", "SET c 1", "SET a 2", "GET a", "SET a 3", "GET a"] {
        push(&mut bulk, at(0), text).unwrap();
    }
    let (first, second) = (batch(&mut bulk, at(0)), batch(&mut bulk, at(0)));
    assert_eq!((numbers(&first), numbers(&second)), (vec![0, 1, 2], vec![3, 4, 5]));
    assert_eq!(bulk.handle_reply(at(0), first[0], Outcome::Value), Verdict::Told);
    for (place, &item) in first.iter().skip(1).chain(&second).enumerate() {
        assert!(batch(&mut bulk, at(0)).is_empty(), "not all that was in flight is resolved");
        let expected = if place == 0 { Verdict::Told } else { Verdict::Again };
        assert_eq!(fail(&mut bulk, at(0), item, Failure::Unknown), expected);
    }
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [2, 3, 4]);
    // Two that go again and two new ones, a whole batch of them.
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [5, 6, 7]);
    assert_eq!(results(&mut bulk), [(0, "Answered".into()), (1, "Failed(Unknown)".into())]);
}

#[test]
fn what_goes_again_waits_for_no_full_batch() {
    let mut bulk = bulk(Config { batch_size: 3, max_batches: 2, ..config() });
    for _ in 0..6 {
        push(&mut bulk, at(0), "INCR n").unwrap();
    }
    let (first, second) = (batch(&mut bulk, at(0)), batch(&mut bulk, at(0)));
    assert_eq!(bulk.handle_reply(at(0), first[0], Outcome::Value), Verdict::Told);
    for &item in first.iter().skip(1).chain(&second) {
        assert_eq!(fail(&mut bulk, at(0), item, Failure::NotSent), Verdict::Again);
    }
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [1, 2, 3]);
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [4, 5]);
}

#[test]
fn an_item_is_too_late_once_one_behind_it_has_changed_its_key() {
    let mut bulk = bulk(Config { batch_size: 5, ..config() });
    for text in ["SET a 1", "SET b 1", "GET a", "ECHO x", "SET c 1"] {
        push(&mut bulk, at(0), text).unwrap();
    }
    let items = batch(&mut bulk, at(0));
    assert_eq!(error(&mut bulk, at(0), items[0], "LOADING"), Verdict::Again);
    assert_eq!(error(&mut bulk, at(0), items[1], "LOADING"), Verdict::Again);
    for &item in items.iter().skip(2) {
        assert_eq!(bulk.handle_reply(at(0), item, Outcome::Value), Verdict::Told);
    }
    let told: Vec<_> = results(&mut bulk).into_iter().take(2).collect();
    assert_eq!(told, [(2, "Answered".into()), (0, "Overtaken".into())]);
    assert_eq!(numbers(&batch(&mut bulk, at(0))), [1]);
}

#[test]
fn a_retry_waits_as_long_as_chance_says_and_everything_behind_it_too() {
    let mut waits = Vec::new();
    for seed in 0..100 {
        let mut bulk = bulk(Config { seed, retry_base: Duration::from_millis(8), ..Config::DEFAULT });
        push(&mut bulk, at(100), "SET a 1").unwrap();
        bulk.flush();
        let item = batch(&mut bulk, at(100))[0];
        assert_eq!(error(&mut bulk, at(100), item, "LOADING"), Verdict::Again);
        push(&mut bulk, at(100), "SET b 1").unwrap();
        bulk.flush();
        let wake = bulk.poll_timeout();
        let early = Instant::from_micros(wake.as_micros() - 1);
        assert!(wake == at(100) || batch(&mut bulk, early).is_empty());
        assert_eq!(numbers(&batch(&mut bulk, wake)), [0, 1]);
        waits.push(wake.saturating_since(at(100)).as_micros());
    }
    assert!(waits.iter().all(|&wait| wait < 8000), "{waits:?}");
    let below = |limit| waits.iter().filter(|&&wait| wait < limit).count();
    assert!((10..40).contains(&below(2000)) && (60..90).contains(&below(6000)), "{waits:?}");
}

/// S0-OPT-20: nothing more is sent, and what is known is said.
#[test]
fn giving_up_resolves_all_that_is_not_in_flight() {
    let mut bulk = bulk(Config { batch_size: 2, concurrent_flush: false, ..config() });
    for text in ["SET a 1", "INCR b", "SET c 1"] {
        push(&mut bulk, at(0), text).unwrap();
    }
    let items = batch(&mut bulk, at(0));
    assert_eq!(fail(&mut bulk, at(0), items[0], Failure::Unknown), Verdict::Again);
    bulk.give_up(at(0));
    assert_eq!(fail(&mut bulk, at(0), items[1], Failure::Unknown), Verdict::Told);
    let expected = [(0, "Failed(Unknown)"), (2, "Failed(NotSent)"), (1, "Failed(Unknown)")];
    assert_eq!(results(&mut bulk), expected.map(|(number, end)| (number, end.to_owned())));
    assert!(bulk.is_empty());
}
