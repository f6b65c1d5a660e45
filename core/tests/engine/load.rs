//! Batches over connections that the engine lends.

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

/// S0-OPT-20: no SET is lost, no INCR is executed twice, however much of a batch was answered.
#[test]
fn a_loss_in_the_middle_of_a_batch() {
    for answered in 0..24 {
        for size in [5, 20] {
            let mut load = load(&config(), bulk::Config { batch_size: size, ..TENS });
            load.net.silent = true;
            for n in 0..20 {
                match n % 2 {
                    0 => load.push(&set(&format!("k{n}"), n)),
                    _ => load.push(&incr(&format!("k{n}"))),
                };
            }
            load.net.silent = false;
            while load.loader.lease().is_none() {
                load.step();
            }
            load.net.silent = true;
            load.turn();
            let id = load.loader.lease().unwrap().id();
            let (_, client) = load.net.sockets[&id.index()];
            let output = load.net.server.output(client).to_vec();
            let n = output.len().min(answered * 4);
            if n > 0 {
                load.net.engine.recv_space(id).unwrap()[..n].copy_from_slice(&output[..n]);
                load.net.engine.handle_received(id, n);
                load.net.server.sent(client, n);
            }
            load.net.cut();
            load.net.silent = false;
            load.loader.flush();
            load.ms(500);
            assert_eq!(load.results.len(), 20, "{answered} {size}: {:?}", load.loader);
            for n in 0..20 {
                let (kept, told) = (load.kept(&format!("k{n}")), load.results[&n].clone());
                match (n % 2, told.as_str()) {
                    (0, "Answered") => assert_eq!(kept, n.to_string()),
                    (1, "Answered") => assert_eq!(kept, "1"),
                    (1, NOT_SENT) => assert_eq!(kept, "", "{n}"),
                    (1, UNKNOWN) => assert!(kept == "1" || kept.is_empty(), "{n}: {kept}"),
                    _ => panic!("{answered} {size}: {n} is {told}, {kept}"),
                }
            }
        }
    }
}

#[test]
fn a_connection_that_is_lost_between_batches_is_replaced() {
    let mut load = load(&config(), TENS);
    for round in 0..5 {
        load.letters(10);
        load.turn();
        assert_eq!(load.count("Answered"), 10 * (round + 1));
        load.net.cut();
        load.turn();
        assert!(load.loader.lease().is_none(), "nothing to send, so nothing to wish for");
    }
    assert_eq!(load.value("log"), "abcdefghij".repeat(5));
}

#[test]
fn while_nobody_listens_items_wait() {
    let mut load = load(&config(), TENS);
    load.net.down = true;
    load.letters(10);
    load.ms(5000);
    assert_eq!(load.results.len(), 0);
    let dials = load.net.dials;
    assert!((10..2000).contains(&dials), "{dials}");
    load.net.down = false;
    load.ms(1000);
    assert_eq!(load.count("Answered"), 10);
    load.net.down = true;
    load.net.cut();
    load.letters(10);
    load.ms(100);
    load.loader.give_up(&mut load.net.engine, load.net.now);
    load.ms(1);
    assert_eq!(load.count(NOT_SENT), 10);
    assert!(!load.loader.is_waiting(), "what is not needed is not wished for");
    load.ms(600);
    assert_eq!(load.net.engine.pending(), 0);
}

#[test]
fn a_connection_is_given_back_when_there_is_nothing_to_send() {
    let mut load = load(&config(), TENS);
    load.letters(10);
    load.ms(999);
    assert_eq!((load.net.engine.pool_stats().lent, load.loader.lease().is_some()), (2, true));
    load.ms(1);
    assert_eq!((load.net.engine.pool_stats().lent, load.loader.lease()), (1, None));
    let dials = load.net.dials;
    load.letters(9);
    load.ms(4999);
    assert_eq!((load.count("Answered"), load.loader.lease()), (10, None), "they may wait for others");
    load.ms(1);
    assert_eq!((load.count("Answered"), load.net.dials), (19, dials), "the same one again");
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

/// S0-SVC-04: to close flushes, and every item that was pushed before is executed and told.
#[test]
fn close_sends_what_is_there() {
    // Without a connection, while one is dialled, with one that is idle, and with one that is lost meanwhile.
    for state in 0..4 {
        let mut load = load(&config(), TENS);
        if state > 0 {
            load.push(&ping());
            load.loader.flush();
        }
        if state > 1 {
            load.turn();
        } else {
            load.step();
        }
        for _ in 0..3 {
            load.letters(15);
        }
        load.loader.close(&mut load.net.engine, load.net.now);
        load.net.engine.close(load.net.now);
        assert_eq!(load.loader.push(load.net.now, &ping()), Err(Refused::Closed));
        if state == 3 {
            load.net.cut();
        }
        load.ms(300);
        assert_eq!(load.count("Answered"), 45 + usize::from(state > 0), "{state}: {:?}", load.loader);
        assert_eq!(load.kept("log"), "abcdefghijklmno".repeat(3), "{state}");
        assert!(load.loader.is_over() && load.loader.bulk().is_empty());
        assert_eq!((load.net.engine.life(), load.net.sockets.len()), (Life::Closed, 0), "{state}");
    }
}

/// S0-SVC-04: a server that is dead does not keep anybody.
#[test]
fn close_has_an_end() {
    let drain = Some(Duration::from_millis(200));
    // Nobody listens; it says nothing, to the handshake or to batches; it is silent and nobody has closed the loader.
    for state in 0..5 {
        let mut load = load(&Config { drain, ..config() }, bulk::Config { batch_size: 30, ..TENS });
        match state {
            0 => load.net.down = true,
            1 => load.net.silent = true,
            _ => {
                load.push(&ping());
                load.loader.flush();
                load.turn();
                load.net.silent = true;
            }
        }
        load.letters(20);
        load.letters(20);
        if state == 3 {
            load.turn();
        }
        if state < 4 {
            load.loader.close(&mut load.net.engine, load.net.now);
        }
        load.net.engine.close(load.net.now);
        load.ms(200);
        let others = usize::from(state > 1);
        assert_eq!(load.results.len(), 40 + others, "{state}: {:?} {:?}", load.loader, load.net.engine);
        let not_sent = load.count(NOT_SENT);
        // As many as a connection has in flight may have been executed.
        assert_eq!(load.count(UNKNOWN), if state > 1 { 16 } else { 0 }, "{state}");
        assert_eq!(not_sent + load.count(UNKNOWN), 40);
        assert!(load.loader.is_over(), "{state}: {:?}", load.loader);
        load.ms(1);
        assert_eq!((load.net.engine.life(), load.net.sockets.len()), (Life::Closed, 0), "{state}");
        load.loader.close(&mut load.net.engine, load.net.now);
        assert_eq!(load.loader.poll_timeout(), Instant::MAX);
    }
}

/// What only the engine is told waits for what has a connection, and for nothing else.
#[test]
fn whoever_is_not_closed_before_the_engine_is_told_all_the_same() {
    let mut load = load(&config(), TENS);
    load.letters(5);
    load.turn();
    load.net.engine.close(load.net.now);
    load.net.turn();
    load.ms(10);
    assert_eq!(load.results.len(), 5);
    assert_eq!(load.net.engine.life(), Life::Closed);
    assert_eq!(load.loader.push(load.net.now, &ping()), Err(Refused::Closed));
}

#[test]
fn with_one_connection_for_all_nobody_starves() {
    let pool = pool::Config { size: 1, ..config().pool };
    let mut load = load(&Config { lanes: 0, pool, ..config() }, TENS);
    let mut batches = Vec::new();
    let mut asked = 0;
    for round in 0..20 {
        // There is always another batch.
        while load.loader.bulk().stats().queued < 40 {
            load.push(&raw("RPUSH").key("l").arg(1));
        }
        load.net.engine.submit(load.net.now, token(round), &ping(), &NONE).unwrap();
        asked += 1;
        for _ in 0..40 {
            load.step();
            load.net.now = load.net.now.saturating_add(Duration::from_millis(1));
            load.net.engine.handle_timeout(load.net.now);
        }
        batches.push(load.loader.bulk().stats().batches);
        assert_eq!(load.told.len(), asked, "round {round}: {:?} {:?}", load.loader, load.net.engine);
    }
    assert!(load.told.iter().all(|told| matches!(told, Told::Reply(..))), "{:?}", load.told);
    assert!(batches.windows(2).all(|two| two[0] < two[1]), "{batches:?}");
    load.loader.close(&mut load.net.engine, load.net.now);
    load.ms(100);
    assert_eq!(load.net.dials, 1);
    assert_eq!(load.loader.bulk().stats().retries, 0);
    assert!(load.loader.is_over());
}

#[test]
fn a_connection_that_is_to_be_replaced_is_given_back_between_batches() {
    let mut load = load(&config(), TENS);
    load.letters(10);
    load.turn();
    let before = load.loader.lease().unwrap();
    load.net.engine.renew(load.net.now);
    load.letters(10);
    load.turn();
    load.ms(50);
    assert_eq!(load.count("Answered"), 20);
    let is_there = load.net.sockets.values().any(|(id, _)| id.is_same_connection(before.id()));
    assert!(!is_there, "{:?}", load.loader);
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

/// What a hook was told.
#[derive(Default)]
struct Log {
    told: Vec<String>,
    refuses: bool,
}

impl Hook for Log {
    fn before_pipeline(&mut self, _: Instant, batch: &Batch) -> Result<(), Refusal> {
        if self.refuses {
            return Err(Refusal(1));
        }
        self.told.push(format!("batch of {}, {} bytes", batch.commands, batch.bytes));
        Ok(())
    }

    fn after_pipeline(&mut self, _: Instant, _: &Batch, end: &BatchEnd) {
        let tally = end.tally;
        self.told
            .push(format!("{} answered, {} errors, {} failed", tally.answered, tally.errors, tally.failed));
    }

    fn before_command(&mut self, _: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        if attempt.command.words.is_empty() {
            return Err(Refusal(2));
        }
        self.told.push(format!("{:?} {} of {}", attempt.command.words, attempt.number, attempt.most));
        Ok(())
    }

    fn after_command(&mut self, _: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
        let name = respire_core::hook::Kind::from(end.outcome).name();
        self.told.push(format!("{:?} {name}, {} bytes", attempt.command.words, end.bytes));
    }
}

/// S1-HOOK-02: a hook stands around each batch, and around each item of it that it lets pass.
#[test]
fn a_hook_stands_around_batches() {
    let mut load = loading(Net::with_hook(HEAP, &config(), Log::default()), TENS);
    load.push(&set("k", "v"));
    load.push(&incr("k"));
    load.push(&raw("DEL").key("k"));
    load.loader.flush();
    load.turn();
    assert_eq!((load.results[&0].as_str(), load.results[&2].as_str()), ("Answered", NOT_SENT));
    let told = std::mem::take(&mut load.net.engine.hook_mut().told);
    assert_eq!(
        told,
        [
            "batch of 3, 68 bytes",
            r#"["SET"] 1 of 4"#,
            r#"["INCR"] 1 of 4"#,
            r#"["SET"] answered, 5 bytes"#,
            r#"["INCR"] server, 46 bytes"#,
            "1 answered, 1 errors, 1 failed",
        ]
    );
    load.net.engine.hook_mut().refuses = true;
    load.push(&set("k", "w"));
    load.loader.flush();
    load.turn();
    assert_eq!((load.results[&3].as_str(), load.loader.bulk().stats().retries), (NOT_SENT, 0));
    load.net.engine.hook_mut().refuses = false;
    // Twenty items, of which sixteen are written: all are told of, those that were written twice.
    load.loader.set_config(
        load.net.now,
        bulk::Config { batch_size: 20, max_retries: 0, ..TENS },
        LoadConfig::DEFAULT,
    );
    load.net.silent = true;
    for _ in 0..20 {
        load.push(&incr("n"));
    }
    load.turn();
    load.net.cut();
    load.ms(10);
    assert_eq!((load.count(UNKNOWN), load.count(NOT_SENT)), (16, 6));
    let told = &load.net.engine.hook().told;
    let of = |what: &str| told.iter().filter(|line| line.contains(what)).count();
    assert_eq!((of("1 of 1"), of("INCR\"] unknown"), told.len()), (17, 16, 2 + 17 * 2), "{told:#?}");
    assert_eq!(told.last().unwrap(), "0 answered, 0 errors, 20 failed");
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
