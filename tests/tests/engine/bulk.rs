//! Many requests in batches, over a connection that an engine lends.

use std::collections::BTreeMap;
use std::time::Instant;

use respire_core::bulk::{self, Bulk, Config, Slot};
use respire_core::command::{AnyRequest, incr, ping, raw, set};
use respire_core::conn::{Failure, Token};
use respire_core::engine::{Life, LoadConfig, Loaded, Loader};
use respire_core::resp::Value;
use respire_core::time::Duration;
use respire_tests::engine::Told;
use respire_tests::proxy::{Act, At, Proxy, Script, Way, What};

use crate::support::{Admin, App, LIMIT, config, ms, redis, status, text};

/// A loader over an engine, and what came of its items.
struct Load {
    app: App,
    loader: Loader<Vec<u8>, Vec<Slot>>,
    /// Answers, by the number of the item.
    answers: BTreeMap<usize, Value>,
    results: BTreeMap<usize, Done>,
    /// The most batches that were in flight at once.
    most: u8,
}

/// How an item ended.
#[derive(Clone, PartialEq, Debug)]
struct Done {
    result: String,
    /// Not executed, as far as it is told.
    never: bool,
    batch: Option<u32>,
    index: u32,
}

/// The token of wishes: no request of these tests has it.
const WISH: Token = Token(1 << 40);

impl Load {
    fn new(app: App, config: Config) -> Self {
        let bulk = Bulk::new(vec![0; 4 << 20], vec![Slot::EMPTY; 20_000], config);
        let loader = Loader::new(bulk, WISH, LoadConfig { idle: LIMIT, ..LoadConfig::DEFAULT });
        Self { app, loader, answers: BTreeMap::new(), results: BTreeMap::new(), most: 0 }
    }

    fn push(&mut self, request: &dyn AnyRequest) -> usize {
        self.loader.push(self.app.now(), request).expect("room for an item").number()
    }

    /// All that was pushed is sent, and told.
    fn finish(&mut self) -> &BTreeMap<usize, Done> {
        self.loader.flush();
        let start = Instant::now();
        while !self.loader.bulk().is_empty() {
            assert!(start.elapsed() < LIMIT, "{:?} {:?}", self.loader, self.app);
            self.turn(ms(20));
        }
        &self.results
    }

    /// Closes the loader and then the engine, and waits for the end of both.
    fn close(&mut self) {
        let (now, start) = (self.app.now(), Instant::now());
        self.loader.close(&mut self.app.engine, now);
        self.app.engine.close(now);
        while !self.loader.is_over() || self.app.engine.life() != Life::Closed {
            assert!(start.elapsed() < LIMIT, "{:?} {:?}", self.loader, self.app);
            self.turn(ms(20));
        }
        self.poll();
    }

    /// A connection is there, and something has gone over it.
    fn warm_up(&mut self) {
        self.push(&ping());
        self.finish();
        self.answers.clear();
        self.results.clear();
    }

    fn turn(&mut self, patience: Duration) {
        self.poll();
        let due = self.loader.poll_timeout().saturating_since(self.app.now());
        self.app.turn(patience.min(due));
        let now = self.app.now();
        for record in self.app.take_told() {
            let is_its = match record.told {
                Told::Leased(lease) => self.loader.handle_leased(now, record.token, lease),
                Told::Failed(ref failed) => self.loader.handle_failed(now, record.token, failed),
                _ => false,
            };
            assert!(is_its, "nobody asked: {record:?}");
        }
    }

    fn poll(&mut self) {
        let now = self.app.now();
        while let Some(loaded) = self.loader.poll_answer(&mut self.app.engine, now) {
            let Loaded::Answer { ticket, reply } = loaded else {
                panic!("nobody asked for this: {loaded:?}")
            };
            self.answers.insert(ticket.number(), reply.get().unwrap_or(Value::Null));
        }
        self.most = self.most.max(self.loader.bulk().stats().batches_in_flight);
        while let Some(told) = self.loader.poll_result() {
            let result = format!("{:?}", told.result);
            let never = matches!(
                told.result,
                bulk::Value::Failed(Failure::NotSent | Failure::Expired) | bulk::Value::Overtaken
            );
            let done = Done { result, never, batch: told.batch, index: told.index };
            let before = self.results.insert(told.ticket.number(), done);
            assert!(before.is_none(), "told twice: {before:?}");
        }
    }
}

const PLAIN: Config = Config { retry_base: ms(2), retry_cap: ms(20), ..Config::DEFAULT };

/// How many requests went through a proxy in one go: until the first answer to one of them came.
fn batches(proxy: &Proxy) -> Vec<usize> {
    let sets = |bytes: &[u8]| bytes.windows(7).filter(|window| window == b"\r\nSET\r\n").count();
    let (mut asked, mut batches) = (0, Vec::new());
    for entry in proxy.log().entries() {
        match &entry.what {
            What::Passed(Way::Requests, bytes) => asked += sets(bytes),
            What::Passed(Way::Replies, _) if asked > 0 => {
                batches.push(std::mem::take(&mut asked));
            }
            _ => {}
        }
    }
    batches
}

/// S0-OPT-18, S0-MON-03: 2 500 items are three batches, and counted so.
#[test]
fn batch() {
    let Some(server) = redis() else { return };
    let proxy = Proxy::new(server.addr(), Script::new());
    let app = App::new(proxy.address(), &config());
    let mut load = Load::new(app, Config { concurrent_flush: false, ..PLAIN });
    let batches_of = |results: &BTreeMap<usize, Done>| {
        let mut sizes = BTreeMap::new();
        results.values().for_each(|done| *sizes.entry(done.batch).or_insert(0) += 1);
        sizes.into_values().collect::<Vec<_>>()
    };
    for n in 0..2500 {
        load.push(&set(&format!("k{n}"), n));
    }
    let results = load.finish();
    assert!(results.len() == 2500 && results.values().all(|done| done.result == "Answered"));
    assert_eq!(batches_of(results), [1000, 1000, 500]);
    assert_eq!(batches(&proxy), [1000, 1000, 500], "{:?}", load.loader);
    let stats = load.loader.bulk().stats();
    assert_eq!((stats.items, stats.batches, stats.mean_fill(), stats.retries), (2500, 3, 83_333, 0));
    assert_eq!((stats.answered, stats.failed, stats.depth, stats.queued), (2500, 0, 0, 0));
    assert_eq!(Admin::of(&server).ask("DBSIZE"), Value::Integer(2500));
}

/// S0-BULK-03: one item that fails does not fail its neighbours.
#[test]
fn bulk_mixed() {
    let Some(server) = redis() else { return };
    Admin::of(&server).ask("SET text t");
    let mut load = Load::new(App::new(server.addr(), &config()), PLAIN);
    for n in 0..1000 {
        match n {
            17 => load.push(&raw("LPUSH").key("text").arg("x")),
            _ => load.push(&set(&format!("k{n}"), n)),
        };
    }
    let results = load.finish();
    let wrong: Vec<_> = results.iter().filter(|(_, done)| done.result != "Answered").collect();
    let [(17, done)] = wrong[..] else { panic!("{wrong:?}") };
    assert!(done.index == 17 && done.result.contains("WRONGTYPE"), "{done:?}");
    assert_eq!(load.answers.values().filter(|answer| **answer == status("OK")).count(), 999);
}

/// S0-OPT-20: when the connection is lost in the middle of a batch no SET is lost, and no INCR is applied twice.
#[test]
fn bulk_retry() {
    let Some(server) = redis() else { return };
    for cut in [1, 300, 777] {
        let admin = Admin::of(&server);
        admin.ask("FLUSHALL");
        let before = admin.calls("incr");
        let script = Script::new()
            .connection(1)
            .replies(At::Before(cut), Act::Cut)
            .connection(2)
            .requests(At::Within(40, 7), Act::Reset);
        let proxy = Proxy::new(server.addr(), script);
        let mut load = Load::new(App::new(proxy.address(), &config()), PLAIN);
        // The shared connection is the first.
        load.app.value(&ping());
        for n in 0..1000 {
            match n % 2 {
                0 => load.push(&set(&format!("k{n}"), n)),
                _ => load.push(&incr(&format!("k{n}"))),
            };
        }
        load.finish();
        assert!(proxy.accepted() >= 3, "{}", proxy.accepted());
        load.close();
        load.app.until("the server to be left alone", |_| admin.count() == 0);
        let (mut unknown, mut executed) = (0, 0);
        for (number, done) in &load.results {
            let value = admin.ask(&format!("GET k{number}"));
            if number % 2 == 0 {
                assert_eq!((&*done.result, value), ("Answered", text(&number.to_string())));
                continue;
            }
            let once = value == text("1");
            assert!(once || value == Value::Null, "k{number} is {value:?}");
            executed += u64::from(once);
            match &*done.result {
                "Answered" => assert!(once, "k{number}"),
                _ if done.never => assert!(!once, "k{number}: {done:?}"),
                _ => unknown += 1,
            }
        }
        assert_eq!(admin.calls("incr") - before, executed);
        assert!(unknown > 10 && load.loader.bulk().stats().retries > 10, "{unknown}, {:?}", load.loader);
    }
}

/// S0-OPT-17: with batches or without, the results are the same.
#[test]
fn bulk_off_equals_bulk_on() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let run = |status| {
        admin.ask("FLUSHALL");
        let mut load = Load::new(App::new(server.addr(), &config()), Config { status, ..PLAIN });
        for n in 0..600 {
            let key = format!("k{}", n % 7);
            match n % 5 {
                0 => load.push(&incr(&key)),
                1 => load.push(&raw("RPUSH").key(&format!("l{}", n % 3)).arg(n)),
                2 => load.push(&raw("GET").key(&key)),
                3 => load.push(&raw("HSET").key(&key).arg("field").arg(n)),
                _ => load.push(&set(&key, n)),
            };
        }
        let results: Vec<_> = load.finish().values().map(|done| done.result.clone()).collect();
        (results, std::mem::take(&mut load.answers), load.loader.bulk().stats().batches)
    };
    let (on, off) = (run(true), run(false));
    assert_eq!((on.0, on.1), (off.0, off.1));
    assert_eq!((on.2, off.2), (1, 600));
}

/// S0-OPT-19: one item alone is sent when it has waited for so long.
#[test]
fn flush_interval() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut load = Load::new(App::new(server.addr(), &config()), PLAIN);
    load.turn(ms(10));
    let start = Instant::now();
    load.push(&set("k", "v"));
    while admin.ask("EXISTS k") == Value::Integer(0) {
        assert!(start.elapsed() < LIMIT);
        load.turn(ms(20));
    }
    let took = start.elapsed();
    assert!((ms(5000)..ms(6000)).contains(&took), "{took:?}");
}

/// S0-OPT-21: batches go out while earlier ones are not answered, so many at most, and in order.
#[test]
fn bulk_concurrent() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for (concurrent_flush, most) in [(true, 3), (false, 1)] {
        admin.ask("FLUSHALL");
        let config_of = Config { batch_size: 100, max_batches: 3, concurrent_flush, ..PLAIN };
        let mut load = Load::new(App::new(server.addr(), &config()), config_of);
        load.warm_up();
        admin.ask("CLIENT PAUSE 500");
        for n in 0..1000 {
            load.push(&raw("RPUSH").key("l").arg(n));
        }
        load.finish();
        assert_eq!(load.most, most);
        assert!(load.answers.values().cloned().eq((1..=1000).map(Value::Integer)));
        let Value::Array(items) = admin.ask("LRANGE l 0 -1") else { panic!("a list") };
        assert!(items.into_iter().eq((0..1000).map(|n| text(&n.to_string()))));
    }
}

/// S0-SVC-04: to close flushes, and every item that was pushed before is executed and told.
#[test]
fn close_flushes_batches() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for warm in [false, true] {
        admin.ask("FLUSHALL");
        let mut load = Load::new(App::new(server.addr(), &config()), PLAIN);
        if warm {
            load.warm_up();
        }
        for n in 0..2500 {
            load.push(&set(&format!("k{n}"), n));
        }
        load.close();
        assert_eq!(load.results.values().filter(|done| done.result == "Answered").count(), 2500);
        assert_eq!(admin.ask("DBSIZE"), Value::Integer(2500));
    }
}

/// S0-BULK-01: a batch is one write, and ten thousand items take a fraction of the time of single requests.
#[test]
fn a_batch_is_one_write() {
    let Some(server) = redis() else { return };
    let mut app = App::new(server.addr(), &config());
    app.value(&set("k", "v"));
    let (start, writes) = (Instant::now(), app.counts().writes);
    for n in 0..1000 {
        app.value(&set("k", n));
    }
    assert_eq!(app.counts().writes - writes, 1000);
    let single = start.elapsed() * 10;
    // A connection has room for one batch at a time.
    let one = Config { concurrent_flush: false, ..PLAIN };
    let mut load = Load::new(App::new(server.addr(), &config()), one);
    load.warm_up();
    let (start, writes) = (Instant::now(), load.app.counts().writes);
    for n in 0..10_000 {
        load.push(&set("k", n));
    }
    load.finish();
    let (bulk, writes) = (start.elapsed(), load.app.counts().writes - writes);
    let batches = load.loader.bulk().stats().batches - 1;
    assert!(batches == 10 && writes <= 2 * batches, "{writes} writes for {batches} batches");
    println!("{bulk:?} against {single:?}");
    // What is not optimised is busy with itself.
    assert!(cfg!(debug_assertions) || bulk * 5 < single, "{bulk:?} against {single:?}");
}
