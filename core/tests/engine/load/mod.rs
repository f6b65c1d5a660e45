//! Batches over the engine.

mod closing;
mod connections;
mod hooks;

use std::collections::BTreeMap;
use std::time::Duration;

use respire_core::bulk::{self, Bulk, Cancelled, Refused, Slot};
use respire_core::command::{AnyRequest, get, incr, ping, raw, set};
use respire_core::conn::Failure;
use respire_core::engine::{Config, Heap, Life, LoadConfig, Loaded, Loader};
use respire_core::hook::{Attempt, Batch, BatchEnd, End, Hook, Refusal};
use respire_core::pool;
use respire_core::resp;
use respire_core::time::Instant;

use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config, ready};

/// The token of the loader's wishes.
const WISH: u64 = 1 << 40;

/// A loader in the net, and what came of its items.
struct Load<H: Hook = ()> {
    net: Net<H>,
    loader: Loader<Vec<u8>, Vec<Slot>>,
    answers: BTreeMap<usize, resp::Value>,
    results: BTreeMap<usize, String>,
    told: Vec<Told>,
}

/// Batches of ten, at once and without long pauses.
const TENS: bulk::Config = bulk::Config {
    batch_size: 10,
    retry_base: Duration::from_millis(2),
    retry_cap: Duration::from_millis(20),
    ..bulk::Config::DEFAULT
};

fn load(config: &Config, bulk: bulk::Config) -> Load {
    let mut net = Net::new(config);
    net.turn();
    loading(net, bulk)
}

fn loading<H: Hook>(net: Net<H>, config: bulk::Config) -> Load<H> {
    let bulk = Bulk::new(vec![0; 16 << 10], vec![Slot::EMPTY; 400], config);
    let loader = Loader::new(bulk, token(WISH), LoadConfig::DEFAULT);
    Load { net, loader, answers: BTreeMap::new(), results: BTreeMap::new(), told: Vec::new() }
}

impl<H: Hook> Load<H> {
    fn push(&mut self, request: &dyn AnyRequest) -> bulk::Ticket {
        self.loader.push(self.net.now, request).expect("room for an item")
    }

    /// Appends so many letters to one key.
    fn letters(&mut self, count: u8) {
        for n in 0..count {
            self.push(&raw("APPEND").key("log").arg(char::from(b'a' + n).to_string().as_str()));
        }
    }

    /// All of the loader, and one step of the net.
    fn step(&mut self) -> bool {
        let mut moved = false;
        while let Some(loaded) = self.loader.poll_answer(&mut self.net.engine, self.net.now) {
            moved = true;
            let Loaded::Answer { ticket, reply } = loaded else { panic!("{loaded:?}") };
            let answer = reply.get().unwrap_or(resp::Value::Null);
            assert_eq!(self.answers.insert(ticket.number(), answer), None, "answered twice");
        }
        while let Some(told) = self.loader.poll_result() {
            moved = true;
            let before = self.results.insert(told.ticket.number(), format!("{:?}", told.result));
            assert_eq!(before, None, "told twice");
        }
        moved |= self.net.step();
        for told in self.net.told() {
            moved = true;
            let now = self.net.now;
            let is_its = match told {
                Told::Leased(token, lease) => {
                    self.loader.handle_leased(now, respire_core::conn::Token(token), lease)
                }
                Told::Failed(token, ref failed) => {
                    self.loader.handle_failed(now, respire_core::conn::Token(token), failed)
                }
                _ => false,
            };
            if !is_its {
                self.told.push(told);
            }
        }
        moved
    }

    fn turn(&mut self) {
        while self.step() {}
    }

    fn ms(&mut self, millis: u64) {
        let end = self.net.now.saturating_add(Duration::from_millis(millis));
        self.turn();
        for _ in 0..10_000 {
            let due = self.net.engine.poll_timeout().min(self.loader.poll_timeout());
            if due > end {
                self.net.now = end;
                return;
            }
            self.net.now = self.net.now.max(due);
            self.net.engine.handle_timeout(self.net.now);
            self.turn();
        }
        panic!("timers that nothing comes of: {:?} {:?}", self.loader, self.net.engine);
    }

    /// What the server keeps there.
    fn value(&mut self, key: &str) -> String {
        let engine_is_open = self.net.engine.life() != Life::Closed;
        assert!(engine_is_open, "nobody to ask");
        self.net.engine.submit(self.net.now, token(1000), &get(key), &NONE).unwrap();
        self.ms(1000);
        match self.told.pop() {
            Some(Told::Reply(1000, resp::Value::Bulk(text))) => String::from_utf8(text).unwrap(),
            Some(Told::Reply(1000, resp::Value::Null)) => String::new(),
            other => panic!("{other:?}"),
        }
    }

    fn count(&self, result: &str) -> usize {
        self.results.values().filter(|told| *told == result).count()
    }

    /// The number of a key, by the server and without the engine.
    fn kept(&mut self, key: &str) -> String {
        let (now, client) = (self.net.wall(), self.net.server.connect(self.net.wall()));
        self.net.server.receive(now, client, format!("GET {key}\r\n").as_bytes());
        let said = String::from_utf8(self.net.server.output(client).to_vec()).unwrap();
        self.net.server.disconnect(client);
        said.lines().nth(1).unwrap_or_default().to_owned()
    }
}

const NOT_SENT: &str = "Failed(NotSent)";
const UNKNOWN: &str = "Failed(Unknown)";

#[test]
fn a_batch_is_written_in_one_go_and_more_than_a_connection_holds_follows_in_order() {
    let mut load = load(&config(), bulk::Config { batch_size: 26, ..TENS });
    load.letters(25);
    load.turn();
    assert_eq!((load.results.len(), load.loader.is_waiting()), (0, false), "neither many, nor old");
    load.letters(1);
    load.turn();
    assert_eq!(load.count("Answered"), 26, "a connection has 16 in flight");
    let lengths = load.answers.values().cloned().collect::<Vec<_>>();
    assert!(lengths.iter().cloned().eq((1..=26).map(|n| resp::Value::Integer(if n == 26 { 26 } else { n }))));
    assert_eq!(load.loader.bulk().stats().batches, 1);
    assert_eq!(load.loader.bulk().stats().retries, 0, "nothing is refused for lack of room");
    assert_eq!(load.value("log"), "abcdefghijklmnopqrstuvwxya");
}

#[test]
fn what_is_larger_than_the_buffer_follows_and_what_never_fits_is_refused_alone() {
    let memory = Heap { buffer: (256, 1024), ..HEAP };
    let mut load = loading(Net::with(memory, &config()), TENS);
    let (value, huge) = ("v".repeat(300), "v".repeat(2000));
    for n in 0..9 {
        load.push(&set(&format!("k{n}"), value.as_str()));
    }
    load.push(&set("huge", huge.as_str()));
    load.turn();
    load.ms(100);
    assert_eq!((load.count("Answered"), load.results[&9].as_str()), (9, NOT_SENT));
    assert_eq!(load.loader.bulk().stats().retries, 0);
}

/// S0-BULK-03: an error is that of one item.
#[test]
fn an_error_is_an_answer() {
    let mut load = load(&config(), TENS);
    load.push(&set("k", "v"));
    load.push(&incr("k"));
    load.push(&get("k"));
    load.loader.flush();
    load.turn();
    assert!(load.results[&1].contains("ERR value is not"), "{:?}", load.results);
    assert_eq!((load.count("Answered"), load.answers.len()), (2, 3));
}

#[test]
fn what_is_cancelled_is_not_told_and_not_written_if_it_was_not() {
    let mut load = load(&config(), bulk::Config { batch_size: 20, ..TENS });
    let tickets: Vec<_> = (0..20).map(|n| load.push(&raw("RPUSH").key("l").arg(n))).collect();
    assert_eq!(load.loader.cancel(tickets[3]), Some(Cancelled::Dropped));
    load.loader.flush();
    load.net.silent = true;
    while load.loader.bulk().stats().in_flight == 0 {
        load.net.silent = load.loader.lease().is_some();
        load.step();
    }
    load.net.silent = true;
    load.turn();
    // One was written, the other has no room yet.
    assert_eq!(load.loader.cancel(tickets[5]), Some(Cancelled::Sent));
    assert_eq!(load.loader.cancel(tickets[18]), Some(Cancelled::Sent));
    load.net.silent = false;
    load.turn();
    assert_eq!(load.count("Answered"), 17);
    assert!([3, 5, 18].iter().all(|n| !load.results.contains_key(n)));
    assert!(load.loader.bulk().is_empty());
    load.net.engine.submit(load.net.now, token(1), &raw("LLEN").key("l"), &NONE).unwrap();
    load.turn();
    assert_eq!(load.told.pop(), Some(Told::Reply(1, resp::Value::Integer(18))));
}

#[test]
fn an_answer_that_takes_too_long_fails_its_item_only() {
    let mut load = load(&config(), bulk::Config { max_retries: 0, ..TENS });
    let timeout = Some(Duration::from_millis(30));
    load.loader.set_config(load.net.now, TENS, LoadConfig { timeout, ..LoadConfig::DEFAULT });
    load.push(&ping());
    load.loader.flush();
    load.turn();
    load.net.silent = true;
    load.push(&incr("n"));
    load.loader.flush();
    load.ms(29);
    assert_eq!(load.results.len(), 1);
    load.ms(1);
    assert_eq!(load.results[&1], "Failed(TimedOut)");
    load.net.silent = false;
    load.push(&get("n"));
    load.loader.flush();
    load.ms(10);
    assert_eq!(load.answers[&2], crate::text("1"));
}

/// The token of a loader is its own.
#[test]
fn what_is_for_others_is_not_taken() {
    let mut net = ready(&config());
    let bulk = Bulk::new(vec![0; 100], vec![Slot::EMPTY; 4], TENS);
    let mut loader = Loader::new(bulk, token(WISH), LoadConfig::DEFAULT);
    net.engine.lease(net.now, token(5)).unwrap();
    net.turn();
    let lease = net.leased();
    assert!(!loader.handle_leased(net.now, token(5), lease), "another token");
    assert!(!loader.handle_leased(net.now, token(WISH), lease), "it has not wished");
    let failed = respire_core::engine::Failed {
        failure: Failure::NotSent,
        why: None,
        refused: None,
        attempts: 0,
        elapsed: Duration::ZERO,
    };
    assert!(!loader.handle_failed(net.now, token(WISH), &failed));
}

#[test]
fn what_goes_again_keeps_its_connection() {
    let mut load = load(&config(), TENS);
    load.loader.set_config(load.net.now, TENS, LoadConfig { idle: Duration::ZERO, ..LoadConfig::DEFAULT });
    load.net.silent = true;
    load.push(&set("k", "v"));
    load.loader.flush();
    load.turn();
    load.net.silent = false;
    load.ms(20);
    assert_eq!((load.count("Answered"), load.loader.lease()), (1, None), "given back at once");
    load.net.silent = true;
    load.push(&set("k", "w"));
    load.loader.flush();
    while load.loader.bulk().stats().in_flight == 0 {
        load.step();
    }
    load.net.cut();
    load.net.silent = false;
    load.ms(0);
    assert!(load.loader.bulk().stats().queued == 1 && load.loader.lease().is_some(), "{:?}", load.loader);
    load.ms(20);
    assert_eq!((load.count("Answered"), load.loader.lease()), (2, None));
}
