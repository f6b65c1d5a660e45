//! Many requests in batches, over a connection that an engine lends.

use std::collections::BTreeMap;
use std::time::Instant;

use respire_core::bulk::{self, Bulk, Config, Item, Outcome, Slot, Verdict};
use respire_core::command::{AnyRequest, incr, ping, raw, set};
use respire_core::conn::{Connection, Event, Failure};
use respire_core::engine::Lease;
use respire_core::resp::Value;
use respire_core::time::Duration;
use respire_tests::engine::Told;
use respire_tests::proxy::{Act, At, Proxy, Script, Way, What};

use crate::support::{Admin, App, LIMIT, config, ms, redis, status, text};

/// A bulk, and the connection that its batches go to: another one when that is lost.
struct Loader {
    app: App,
    bulk: Bulk<Vec<u8>, Vec<Slot>>,
    wish: Option<u64>,
    lease: Option<Lease>,
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

impl Loader {
    fn new(app: App, config: Config) -> Self {
        let bulk = Bulk::new(vec![0; 4 << 20], vec![Slot::EMPTY; 20_000], config);
        let (answers, results) = (BTreeMap::new(), BTreeMap::new());
        Self { app, bulk, wish: None, lease: None, answers, results, most: 0 }
    }

    fn push(&mut self, request: &dyn AnyRequest) -> usize {
        self.bulk.push(self.app.now(), request).expect("room for an item").number()
    }

    /// All that was pushed is sent, and told.
    fn finish(&mut self) -> &BTreeMap<usize, Done> {
        self.bulk.flush();
        let start = Instant::now();
        while !self.bulk.is_empty() {
            assert!(start.elapsed() < LIMIT, "{:?} {:?}", self.bulk, self.app);
            self.turn(ms(20));
        }
        &self.results
    }

    fn turn(&mut self, patience: Duration) {
        self.connect();
        self.send();
        let due = self.bulk.poll_timeout().saturating_since(self.app.now());
        self.app.turn(patience.min(due));
        self.hear();
        while let Some(told) = self.bulk.poll_result() {
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

    /// Wishes for a connection if there is none.
    fn connect(&mut self) {
        if self.lease.is_some() {
            return;
        }
        let token = match self.wish {
            Some(token) => token,
            None => self.app.wish().expect("a wish that is taken"),
        };
        self.wish = Some(token);
        let told = self.app.listen().get(&token).map(|record| record.told.clone());
        if let Some(told) = told {
            self.wish = None;
            if let Told::Leased(lease) = told {
                self.lease = Some(lease);
            }
        }
    }

    /// Batches go out while there is a connection.
    fn send(&mut self) {
        let Some(lease) = self.lease else { return };
        let now = self.app.now();
        let mut refused = Vec::new();
        while let Some(batch) = self.bulk.poll_batch(now) {
            let connection = self.app.engine.leased(lease).expect("a lease");
            for (item, frame) in batch {
                if connection.submit(now, item.token(), &frame).is_err() {
                    refused.push(item);
                }
            }
            self.most = self.most.max(self.bulk.stats().batches_in_flight);
        }
        for item in refused {
            let _ = self.bulk.handle_reply(now, item, Failure::NotSent.into());
        }
    }

    /// What the connection says goes to the bulk.
    fn hear(&mut self) {
        let Some(lease) = self.lease else { return };
        let now = self.app.now();
        while let Some(event) = self.app.engine.leased(lease).and_then(Connection::poll_event) {
            match event {
                Event::Reply { token, reply } => {
                    let item = Item::from_token(token);
                    let answer = reply.get().unwrap_or(Value::Null);
                    if self.bulk.handle_reply(now, item, Outcome::of(reply)) == Verdict::Told {
                        self.answers.insert(item.ticket().number(), answer);
                    }
                }
                Event::Failed { token, failure } => {
                    let _ = self.bulk.handle_reply(now, Item::from_token(token), failure.into());
                }
                Event::Closed(_) => {
                    self.app.release(lease);
                    self.lease = None;
                    return;
                }
                other => panic!("nobody asked for this: {other:?}"),
            }
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
    let mut loader = Loader::new(app, Config { concurrent_flush: false, ..PLAIN });
    let batches_of = |results: &BTreeMap<usize, Done>| {
        let mut sizes = BTreeMap::new();
        results.values().for_each(|done| *sizes.entry(done.batch).or_insert(0) += 1);
        sizes.into_values().collect::<Vec<_>>()
    };
    for n in 0..2500 {
        loader.push(&set(&format!("k{n}"), n));
    }
    let results = loader.finish();
    assert!(results.len() == 2500 && results.values().all(|done| done.result == "Answered"));
    assert_eq!(batches_of(results), [1000, 1000, 500]);
    assert_eq!(batches(&proxy), [1000, 1000, 500], "{:?}", loader.bulk);
    let stats = loader.bulk.stats();
    assert_eq!((stats.items, stats.batches, stats.mean_fill(), stats.retries), (2500, 3, 83_333, 0));
    assert_eq!((stats.answered, stats.failed, stats.depth, stats.queued), (2500, 0, 0, 0));
    assert_eq!(Admin::of(&server).ask("DBSIZE"), Value::Integer(2500));
}

/// S0-BULK-03: one item that fails does not fail its neighbours.
#[test]
fn bulk_mixed() {
    let Some(server) = redis() else { return };
    Admin::of(&server).ask("SET text t");
    let mut loader = Loader::new(App::new(server.addr(), &config()), PLAIN);
    for n in 0..1000 {
        match n {
            17 => loader.push(&raw("LPUSH").key("text").arg("x")),
            _ => loader.push(&set(&format!("k{n}"), n)),
        };
    }
    let results = loader.finish();
    let wrong: Vec<_> = results.iter().filter(|(_, done)| done.result != "Answered").collect();
    let [(17, done)] = wrong[..] else { panic!("{wrong:?}") };
    assert!(done.index == 17 && done.result.contains("WRONGTYPE"), "{done:?}");
    assert_eq!(loader.answers.values().filter(|answer| **answer == status("OK")).count(), 999);
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
        let mut loader = Loader::new(App::new(proxy.address(), &config()), PLAIN);
        // The shared connection is the first.
        loader.app.value(&ping());
        for n in 0..1000 {
            match n % 2 {
                0 => loader.push(&set(&format!("k{n}"), n)),
                _ => loader.push(&incr(&format!("k{n}"))),
            };
        }
        loader.finish();
        assert!(proxy.accepted() >= 3, "{}", proxy.accepted());
        assert!(!loader.app.close(ms(0)), "what is lent is waited for");
        if let Some(lease) = loader.lease.take() {
            loader.app.release(lease);
        }
        assert!(loader.app.close(LIMIT));
        loader.app.until("the server to be left alone", |_| admin.count() == 0);
        let (mut unknown, mut executed) = (0, 0);
        for (number, done) in &loader.results {
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
        assert!(unknown > 10 && loader.bulk.stats().retries > 10, "{unknown}, {:?}", loader.bulk);
    }
}

/// S0-OPT-17: with batches or without, the results are the same.
#[test]
fn bulk_off_equals_bulk_on() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let run = |status| {
        admin.ask("FLUSHALL");
        let mut loader = Loader::new(App::new(server.addr(), &config()), Config { status, ..PLAIN });
        for n in 0..600 {
            let key = format!("k{}", n % 7);
            match n % 5 {
                0 => loader.push(&incr(&key)),
                1 => loader.push(&raw("RPUSH").key(&format!("l{}", n % 3)).arg(n)),
                2 => loader.push(&raw("GET").key(&key)),
                3 => loader.push(&raw("HSET").key(&key).arg("field").arg(n)),
                _ => loader.push(&set(&key, n)),
            };
        }
        let results: Vec<_> = loader.finish().values().map(|done| done.result.clone()).collect();
        (results, std::mem::take(&mut loader.answers), loader.bulk.stats().batches)
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
    let mut loader = Loader::new(App::new(server.addr(), &config()), PLAIN);
    loader.turn(ms(10));
    let start = Instant::now();
    loader.push(&set("k", "v"));
    while admin.ask("EXISTS k") == Value::Integer(0) {
        assert!(start.elapsed() < LIMIT);
        loader.turn(ms(20));
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
        let mut loader = Loader::new(App::new(server.addr(), &config()), config_of);
        loader.app.value(&ping());
        while loader.lease.is_none() {
            loader.turn(ms(5));
        }
        admin.ask("CLIENT PAUSE 500");
        for n in 0..1000 {
            loader.push(&raw("RPUSH").key("l").arg(n));
        }
        loader.finish();
        assert_eq!(loader.most, most);
        assert!(loader.answers.values().cloned().eq((1..=1000).map(Value::Integer)));
        let Value::Array(items) = admin.ask("LRANGE l 0 -1") else { panic!("a list") };
        assert!(items.into_iter().eq((0..1000).map(|n| text(&n.to_string()))));
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
    let mut loader = Loader::new(App::new(server.addr(), &config()), one);
    loader.app.value(&set("k", "v"));
    while loader.lease.is_none() {
        loader.turn(ms(5));
    }
    let (start, writes) = (Instant::now(), loader.app.counts().writes);
    for n in 0..10_000 {
        loader.push(&set("k", n));
    }
    loader.finish();
    let (bulk, writes) = (start.elapsed(), loader.app.counts().writes - writes);
    let batches = loader.bulk.stats().batches;
    assert!(batches == 10 && writes <= 2 * batches, "{writes} writes for {batches} batches");
    println!("{bulk:?} against {single:?}");
    // What is not optimised is busy with itself.
    assert!(cfg!(debug_assertions) || bulk * 5 < single, "{bulk:?} against {single:?}");
}
