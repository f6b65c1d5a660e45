//! Pipelines among everything else, over whatever becomes of connections: what the server has executed, what callers
//! and hooks were told, and what is left in the end.

use std::cell::RefCell;
use std::collections::BTreeMap;

use respire_core::command::{Retry, Subscription::Channel, append, get, select};
use respire_core::conn::{self, Failure, Protocol, Settings};
use respire_core::engine::{Config, Heap, Lease, Life, Options, Ticket};
use respire_core::hook::{Attempt, Batch, BatchEnd, Dial, DialEnd, End, Hook, Refusal};
use respire_core::key::{Databases, Shard};
use respire_core::pool;
use respire_core::random::Random;
use respire_core::resp::Value;
use respire_core::retry::{self, BreakerConfig, BudgetConfig};
use respire_core::time::Instant;

use crate::live::ms;
use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config};

/// Counts what has begun and not ended, and forbids something now and then.
#[derive(Default)]
pub(crate) struct Balance {
    dials: i64,
    commands: i64,
    pipelines: i64,
    forbids: Option<Random>,
}

/// One more, unless it is forbidden.
fn begin(count: &mut i64, forbids: &mut Option<Random>) -> Result<(), Refusal> {
    if forbids.as_mut().is_some_and(|random| random.one_in(20)) {
        return Err(Refusal(1));
    }
    *count += 1;
    Ok(())
}

fn end(count: &mut i64) {
    *count -= 1;
    assert!(*count >= 0, "what has not begun has not ended");
}

impl Hook for Balance {
    fn before_dial(&mut self, _now: Instant, _dial: &mut Dial<'_>) -> Result<(), Refusal> {
        begin(&mut self.dials, &mut self.forbids)
    }

    fn after_dial(&mut self, _now: Instant, _dial: &Dial<'_>, _end: &DialEnd<'_>) {
        end(&mut self.dials);
    }

    fn before_command(&mut self, _now: Instant, _attempt: &Attempt<'_>) -> Result<(), Refusal> {
        begin(&mut self.commands, &mut self.forbids)
    }

    fn after_command(&mut self, _now: Instant, _attempt: &Attempt<'_>, _end: &End<'_>) {
        end(&mut self.commands);
    }

    fn before_pipeline(&mut self, _now: Instant, _batch: &Batch) -> Result<(), Refusal> {
        begin(&mut self.pipelines, &mut self.forbids)
    }

    fn after_pipeline(&mut self, _now: Instant, _batch: &Batch, _end: &BatchEnd) {
        end(&mut self.pipelines);
    }
}

/// A request that appends a letter to the log of its pipeline.
struct Letter {
    log: usize,
    letter: char,
}

/// What was told of a request, as far as the server can contradict it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// The log was so long then.
    Answered(i64),
    NotExecuted,
    Unknown,
}

impl From<Failure> for Fate {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent | Failure::Expired => Self::NotExecuted,
            _ => Self::Unknown,
        }
    }
}

const fn is_rejected(refused: Option<pool::Refusal>) -> bool {
    matches!(
        refused,
        Some(pool::Refusal::Unavailable(pool::Unavailable { code: pool::DialCode::REJECTED, .. }))
    )
}

/// A story by its seed.
struct Story<'h> {
    random: Random,
    net: Net<&'h RefCell<Balance>>,
    databases: Databases,
    /// Of each pipeline: its database, and whether its requests may go again whatever they are.
    logs: Vec<(u32, bool)>,
    letters: BTreeMap<u64, Letter>,
    fates: BTreeMap<u64, Fate>,
    tickets: Vec<(u64, Ticket)>,
    wishes: u64,
    leases: Vec<Lease>,
    /// Wishes and requests that were taken and are not over.
    pending: usize,
    asked: u64,
}

/// Any configuration with these databases.
fn any(random: &mut Random, databases: Databases) -> Config {
    let mut some = |spans: &[u64]| ms(spans[random.below(spans.len() as u64) as usize]);
    let (reply, grace) = (some(&[50, 400, 5000]), some(&[0, 50, 5000]));
    let pool = pool::Config {
        lifetime: some(&[0, 0, 50, 900]),
        idle_time: some(&[0, 20]),
        wait_timeout: some(&[30, 500, 5000]),
        health_interval: some(&[0, 40]),
        ..config().pool
    };
    Config {
        lanes: random.below(4) as u8,
        databases,
        connection: conn::Config { reply_timeout: Some(reply), grace, ..config().connection },
        retry: retry::Policy { retries: random.below(4) as u32, ..config().retry },
        budget: BudgetConfig { percent: 20, burst: 1000, floor: 100 },
        breaker: random.one_in(4).then(|| BreakerConfig {
            least: 3,
            open: ms(60),
            ..BreakerConfig::default()
        }),
        pool: pool::Config {
            size: random.between(1, 6) as u16,
            min_idle: random.below(2) as u16,
            reuse: !random.one_in(6),
            ..pool
        },
        timeout: random.one_in(3).then(|| ms(300)),
        ..config()
    }
}

impl<'h> Story<'h> {
    fn new(seed: u64, hook: &'h RefCell<Balance>) -> Self {
        let mut random = Random::new(seed);
        let databases = Databases::range(1, random.between(1, 3) as u8);
        let memory = Heap {
            connections: 6,
            calls: random.between(20, 64) as usize,
            bytes: random.between(0, 8) as usize * 300,
            buffer: (64, if random.one_in(2) { 256 } else { 1 << 20 }),
            ..HEAP
        };
        let config = any(&mut random, databases);
        let mut net = Net::with_hook(memory, &config, hook);
        net.settings = Settings { db: 1, ..Settings::NONE };
        if random.one_in(2) {
            net.settings.protocol = Some(Protocol::Resp2);
        }
        Self {
            random,
            net,
            databases,
            logs: Vec::new(),
            letters: BTreeMap::new(),
            fates: BTreeMap::new(),
            tickets: Vec::new(),
            wishes: 0,
            leases: Vec::new(),
            pending: 0,
            asked: 0,
        }
    }

    /// Up to twenty letters, in a pipeline.
    fn write(&mut self) {
        let shard = self.random.below(self.databases.count().into()) as u8;
        let database = 1 + u32::from(shard);
        let safe = self.random.one_in(3);
        let options = Options {
            shard: Some(Shard { ordinal: shard, database }),
            own: self.random.one_in(4),
            class: safe.then_some(Retry::Always),
            timeout: self.random.one_in(4).then(|| ms(self.random.between(1, 200))),
            keys: 1,
            label: None,
        };
        let (now, count, log) = (self.net.now, self.random.between(1, 20) as usize, self.logs.len());
        let key = format!("log {log}");
        let Ok(mut pipeline) = self.net.engine.pipeline(now, count, &options) else { return };
        for letter in ('a'..='z').take(count) {
            let (n, text) = (self.asked, letter.to_string());
            self.asked += 1;
            if let Ok(ticket) = pipeline.push(token(n), &append(key.as_str(), text.as_str())) {
                self.letters.insert(n, Letter { log, letter });
                self.tickets.push((n, ticket));
                self.pending += 1;
            }
        }
        drop(pipeline);
        self.logs.push((database, safe));
    }

    fn cancel(&mut self) {
        if self.tickets.is_empty() {
            return;
        }
        let at = self.random.below(self.tickets.len() as u64) as usize;
        let (n, ticket) = self.tickets.swap_remove(at);
        if let Some(failure) = self.net.engine.cancel(self.net.now, ticket) {
            self.over(n, failure.into());
        }
    }

    fn over(&mut self, n: u64, fate: Fate) {
        assert_eq!(self.fates.insert(n, fate), None, "told twice");
        self.pending -= 1;
    }

    /// What was told, of which nothing may be told twice.
    fn listen(&mut self) {
        for told in self.net.told() {
            match told {
                Told::Reply(n, Value::Integer(length)) => self.over(n, Fate::Answered(length)),
                Told::Failed(n, failed) if self.letters.contains_key(&n) => {
                    assert!(!is_rejected(failed.refused), "the server has all databases: {failed:?}");
                    self.over(n, failed.failure.into());
                }
                Told::Failed(..) => self.pending -= 1,
                Told::Leased(_, lease) => {
                    self.pending -= 1;
                    self.leases.push(lease);
                }
                Told::Happened(..) | Told::Message(..) => {}
                other => panic!("nobody has asked: {other:?}"),
            }
        }
        let stats = self.net.engine.pool_stats();
        let sum = stats.idle + stats.lent + stats.dialling + stats.resetting + stats.checking + stats.closing;
        assert_eq!(stats.total, sum);
        let pipelines = self.net.engine.hook().borrow().pipelines as usize;
        assert_eq!(self.net.engine.pending(), self.pending + pipelines, "{:?}", self.net.engine);
    }

    /// A lessee leaves his connection in another database.
    fn release(&mut self) {
        let Some(lease) = self.leases.pop() else { return };
        let now = self.net.now;
        if let Some(connection) = self.net.engine.leased(lease) {
            let _ = connection.submit(now, token(1), &select(self.random.below(3) as i64));
            self.net.turn();
            while self.net.engine.leased(lease).is_some_and(|lent| lent.poll_event().is_some()) {}
        }
        self.net.engine.release(self.net.now, lease);
    }

    /// Some of the bytes of one connection, either way.
    fn trickle(&mut self) {
        let sockets: Vec<_> = self.net.sockets.values().copied().collect();
        if sockets.is_empty() {
            return;
        }
        let (id, client) = sockets[self.random.below(sockets.len() as u64) as usize];
        let bytes = self.net.engine.poll_transmit(id).to_vec();
        let n = self.random.below(bytes.len() as u64 + 1) as usize;
        self.net.server.receive(self.net.wall(), client, &bytes[..n]);
        self.net.engine.handle_transmitted(id, n);
        let said = self.net.server.output(client).to_vec();
        if let Some(space) = self.net.engine.recv_space(id) {
            let n = self.random.below(said.len().min(space.len()) as u64 + 1) as usize;
            space[..n].copy_from_slice(&said[..n]);
            self.net.engine.handle_received(id, n);
            self.net.server.sent(client, n);
        }
        // Some of what comes of it, as far as the driver gets.
        for _ in 0..self.random.below(3) {
            self.net.step();
        }
    }

    /// One connection is lost.
    fn cut_one(&mut self) {
        let at = self.random.below(6) as usize;
        if let Some((id, client)) = self.net.sockets.remove(&at) {
            self.net.server.disconnect(client);
            self.net.engine.handle_transport_error(id);
        }
    }

    fn step(&mut self) {
        match self.random.below(24) {
            0..5 => self.write(),
            5 | 6 => self.cancel(),
            7 if self.leases.len() < 2 => {
                let taken = self.net.engine.lease(self.net.now, token(1_000_000 + self.wishes)).is_ok();
                self.wishes += u64::from(taken);
                self.pending += usize::from(taken);
            }
            8 => self.release(),
            9 | 10 => self.net.silent = self.random.one_in(2),
            11 => self.net.down = self.random.one_in(4),
            12 if self.random.one_in(3) => self.net.cut(),
            13 => self.cut_one(),
            14 if self.random.one_in(2) => {
                let config = any(&mut self.random, self.databases);
                self.net.engine.reconfigure(self.net.now, &config);
            }
            15 if self.random.one_in(2) => self.net.engine.renew(self.net.now),
            16 => {
                let now = self.net.now;
                if self.random.one_in(2) {
                    let _ = self.net.engine.subscribe(now, Channel, b"news");
                } else {
                    self.net.engine.unsubscribe(now, Channel, b"news");
                }
            }
            17..21 => self.trickle(),
            _ => self.net.ms(self.random.below(200)),
        }
        if self.random.one_in(3) {
            self.net.turn();
        }
        self.listen();
    }

    /// All is well again, and everybody gives back what he has.
    fn settle(&mut self) {
        (self.net.silent, self.net.down) = (false, false);
        // They may have the only connection.
        while self.net.engine.unsubscribe(self.net.now, Channel, b"news") {}
        for _ in 0..60 {
            self.net.ms(1000);
            self.listen();
            let none = self.leases.is_empty();
            while let Some(lease) = self.leases.pop() {
                self.net.engine.release(self.net.now, lease);
            }
            if none && self.pending == 0 {
                break;
            }
        }
        assert_eq!((self.pending, self.leases.len()), (0, 0), "{:?}", self.net.engine);
    }

    /// What a database has of a log.
    fn log(&mut self, database: u32, log: usize) -> String {
        let (now, client) = (self.net.wall(), self.net.server.connect(self.net.wall()));
        let key = format!("log {log}");
        let ask = format!("SELECT {database}\r\n*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len());
        self.net.server.receive(now, client, ask.as_bytes());
        let said = String::from_utf8(self.net.server.output(client).to_vec()).unwrap();
        self.net.server.disconnect(client);
        let said = said.strip_prefix("+OK\r\n").unwrap();
        if said.starts_with("$-1") { String::new() } else { said.lines().nth(1).unwrap().to_owned() }
    }

    /// The server is the witness.
    fn judge(&mut self) {
        for log in 0..self.logs.len() {
            let (database, safe) = self.logs[log];
            let text = self.log(database, log);
            for other in (0..4).filter(|other| *other != database) {
                assert_eq!(self.log(other, log), "", "of database {database}");
            }
            let mut all_answered = true;
            for (n, Letter { letter, .. }) in self.letters.iter().filter(|(_, letter)| letter.log == log) {
                let executed = text.matches(*letter).count();
                assert!(safe || executed <= 1, "{text}");
                match self.fates[n] {
                    Fate::Answered(length) => {
                        assert_eq!(text.chars().nth(length as usize - 1), Some(*letter), "{text}");
                    }
                    Fate::NotExecuted => assert_eq!(executed, 0, "{letter} in {text}"),
                    Fate::Unknown => {}
                }
                all_answered &= matches!(self.fates[n], Fate::Answered(_));
            }
            if !safe || all_answered {
                let ends: Vec<_> = ('a'..='z').filter_map(|letter| text.rfind(letter)).collect();
                assert!(ends.is_sorted(), "out of order: {text}");
            }
        }
    }
}

/// S1-CLI-05, S1-BP-04, S1-HOOK-01, S1-HOOK-03, X-04: whatever happens, each request is told once and truly, to its own
/// caller; a pipeline is executed in its order and in its database; what hooks were told begins and ends; and nothing is left.
#[test]
fn pipelines_stay_in_order_whatever_happens() {
    let (seeds, steps) = if cfg!(miri) { (2, 20) } else { (300, 60) };
    for seed in 0..seeds {
        let hook = RefCell::new(Balance {
            forbids: (seed % 3 == 0).then(|| Random::new(seed + 1)),
            ..Balance::default()
        });
        let _whose = Whose(seed);
        let story = &mut Story::new(seed, &hook);
        for _ in 0..steps {
            story.step();
        }
        if story.random.one_in(3) {
            story.net.engine.close(story.net.now);
        }
        story.settle();
        story.judge();
        story.net.engine.close(story.net.now);
        story.net.ms(6000);
        story.listen();
        assert_eq!((story.net.engine.life(), story.net.sockets.len()), (Life::Closed, 0));
        let Balance { dials, commands, pipelines, .. } = *hook.borrow();
        assert_eq!((dials, commands, pipelines), (0, 0, 0), "what has begun has ended");
        assert!(story.net.engine.submit(story.net.now, token(0), &get("k"), &NONE).is_err());
    }
}

/// Says which seed it was.
struct Whose(u64);

impl Drop for Whose {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {}", self.0);
        }
    }
}
