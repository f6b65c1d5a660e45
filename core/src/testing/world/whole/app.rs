//! What the application of a whole client asks for.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::super::net::Net;
use super::super::server::Name;
use super::super::work::{Plan, Word};
use super::judge::{Asked, Judge};
use super::{Heap, WholeEngine};
use crate::command::{AnyRequest, Retry, words};
use crate::conn::{self, Token};
use crate::engine::{Config, Lease, Options, Refused, Ticket};
use crate::key::Databases;
use crate::pool;
use crate::pubsub;
use crate::resp::Digits;
use crate::retry::{self, Backoff, BreakerConfig, BudgetConfig};
use crate::time::{Duration, Instant};

/// Who asks.
#[derive(Debug)]
pub(super) struct App {
    tickets: Vec<(u64, Ticket)>,
    leases: Vec<Lease>,
    /// As the client was made.
    config: Config,
    /// Whether it is told otherwise while it runs.
    changes: bool,
}

/// A client as they come.
pub(super) fn config(net: &mut Net) -> (Config, Heap) {
    let random = &mut net.random;
    let connections = random.between(1, 4) as usize;
    let mut patience = || Duration::from_millis(random.between(10, 120));
    let every = if patience().as_millis().is_multiple_of(3) { 2 } else { 0 };
    let connection = conn::Config {
        verify_every: NonZeroU32::new(every),
        handshake_timeout: patience(),
        reply_timeout: Some(patience()),
        write_timeout: Some(patience()),
        grace: patience(),
        ..conn::Config::SERVER
    };
    let (wait_timeout, dial_timeout, timeout) = (patience(), patience(), patience());
    let (idle_time, health_interval, lifetime) = (patience(), patience(), patience());
    let mut some = |span: Duration| if random.one_in(2) { span } else { Duration::ZERO };
    let (idle_time, health_interval, lifetime) = (some(idle_time), some(health_interval), some(lifetime));
    let backoff =
        Backoff::new(Duration::from_millis(1), Duration::from_millis(20)).unwrap_or(Backoff::DEFAULT);
    let ceiling = [Retry::ReadOnly, Retry::LastWriteWins, Retry::Always];
    // One behind the last that the server has is refused.
    let databases = match random.below(6) {
        0 => Databases::range(3, 2),
        1 => Databases::range(14, 3),
        _ => Databases::one(0),
    };
    let config = Config {
        lanes: random.below(3) as u8,
        databases,
        connection,
        pool: pool::Config {
            size: connections as u16,
            min_idle: random.below(2) as u16,
            wait_timeout,
            dial_timeout,
            idle_time,
            health_interval,
            lifetime,
            reuse: !random.one_in(8),
            backoff_base: Duration::from_millis(1),
            backoff_cap: Duration::from_millis(20),
            ..pool::Config::DEFAULT
        },
        retry: retry::Policy {
            retries: random.below(4) as u32,
            backoff,
            ceiling: ceiling.get(random.below(3) as usize).copied().unwrap_or(Retry::Always),
        },
        budget: BudgetConfig { percent: 20, burst: random.below(20) as u16, floor: random.below(3) as u16 },
        breaker: random.one_in(4).then(|| BreakerConfig {
            least: 1 + random.below(4) as u32,
            window: Duration::from_millis(50),
            open: Duration::from_millis(10),
            ..BreakerConfig::default()
        }),
        dials: (2000, 20),
        timeout: random.one_in(2).then_some(timeout * 2),
        db: 0,
        blocking: Config::DEFAULT.blocking,
        drain: Config::DEFAULT.drain,
        address: Config::DEFAULT.address,
        pubsub: pubsub::Config {
            batch: random.between(1, 8) as u16,
            retry_base: Duration::from_millis(1),
            retry_cap: Duration::from_millis(20),
            ..pubsub::Config::DEFAULT
        },
        seed: random.bits(),
    };
    let bytes = if random.one_in(4) { 128 } else { 2048 };
    let calls = random.between(1, 24) as usize;
    // A connection of their own must leave another. One cannot be shared by those to several databases.
    let shared = config.lanes > 0 && databases.count() < 2 && !net.server.old;
    let listens = (connections > 1 || shared) && net.random.one_in(2);
    let subscriptions = if listens { net.random.between(3, 12) as usize } else { 0 };
    (config, Heap { connections, calls, bytes, subscriptions, names: 120, buffer: (64, 4096) })
}

/// A request that anybody may make.
fn plan(net: &mut Net) -> Plan {
    let plan = match net.random.below(12) {
        0 => Plan { number: 1 + net.random.below(20), ..Plan::new(Word::Wait) },
        1..=4 => Plan::new(Word::Count),
        5..=8 => Plan::new(Word::Echo),
        _ => Plan::data(&mut net.random),
    };
    Plan { later: None, ..plan }
}

impl App {
    pub(super) fn new(net: &mut Net, config: Config) -> Self {
        Self { tickets: Vec::new(), leases: Vec::new(), config, changes: net.random.one_in(3) }
    }

    /// Whether there is always another connection to be had, behind those that are shared or for subscriptions.
    pub(super) fn leaves_one(&self, connections: usize, subscriptions: usize) -> bool {
        let count = usize::from(self.config.databases.count()).max(1);
        let most = connections.saturating_sub(1).max(1) / count;
        let lanes = usize::from(self.config.lanes).min(most) * count;
        !self.changes && connections > lanes + usize::from(subscriptions > 0)
    }

    /// One thing of many.
    pub(super) fn work(&mut self, net: &mut Net, engine: &mut WholeEngine, judge: &mut Judge) -> bool {
        let now = Instant::from_micros(net.now);
        match net.random.below(20) {
            0..=1 => self.cancel(net, engine, judge),
            2 => match engine.lease(now, Token(judge.next())) {
                Ok(ticket) => {
                    let token = judge.taken(Asked::wish());
                    self.tickets.push((token, ticket));
                    true
                }
                Err(_) => false,
            },
            3..=5 if !self.leases.is_empty() => self.use_lease(net, engine, judge),
            6 if !self.leases.is_empty() => {
                let at = net.random.below(self.leases.len() as u64) as usize;
                let lease = self.leases.swap_remove(at);
                // It knows of its answers, or not yet.
                if net.random.one_in(2)
                    && let Some(connection) = engine.leased(lease)
                {
                    while let Some(event) = connection.poll_event() {
                        judge.lease_event(&event);
                    }
                }
                engine.release(now, lease);
                true
            }
            7 => {
                let options = self.options(net);
                let count = net.random.between(1, 6) as usize;
                let plans: Vec<_> = (0..count).map(|_| plan(net)).collect();
                let Ok(mut pipeline) = engine.pipeline(now, count, &options) else { return false };
                let (shard, mut before) = (options.shard, None);
                for plan in plans {
                    let push = |token, request: &dyn AnyRequest| pipeline.push(token, request);
                    let token = self.ask_by(push, plan, Asked::plan(plan).at(shard, before), judge);
                    before = token.or(before);
                }
                true
            }
            8 if self.changes && net.random.one_in(2) => {
                engine.renew(now);
                true
            }
            8 if self.changes => {
                let (other, _) = config(net);
                // Subscriptions must leave another connection, or share the only one.
                let size = self.config.pool.size;
                let lanes = if size > 1 { other.lanes } else { self.config.lanes };
                let pool = pool::Config { size: other.pool.size.max(size.min(2)), ..other.pool };
                // What it is judged by stays.
                let verify_every = self.config.connection.verify_every;
                let other = Config {
                    connection: conn::Config { verify_every, ..other.connection },
                    retry: retry::Policy { backoff: other.retry.backoff, ..self.config.retry },
                    budget: self.config.budget,
                    lanes,
                    pool,
                    ..other
                };
                engine.reconfigure(now, &other);
                true
            }
            _ => {
                let (options, plan) = (self.options(net), plan(net));
                self.ask(plan, &options, net, engine, judge).is_some()
            }
        }
    }

    fn options(&self, net: &mut Net) -> Options {
        let ordinal = net.random.below(self.config.databases.count().into()) as u8;
        Options {
            timeout: net.random.one_in(8).then(|| Duration::from_micros(net.random.below(30_000))),
            own: net.random.one_in(16),
            shard: self.config.databases.shard(ordinal).filter(|_| self.config.databases.count() > 1),
            ..Options::default()
        }
    }

    fn ask(
        &mut self,
        plan: Plan,
        options: &Options,
        net: &Net,
        engine: &mut WholeEngine,
        judge: &mut Judge,
    ) -> Option<u64> {
        let now = Instant::from_micros(net.now);
        let submit = |token, request: &dyn AnyRequest| engine.submit(now, token, request, options);
        self.ask_by(submit, plan, Asked::plan(plan).at(options.shard, None), judge)
    }

    /// The same, however it is handed over.
    fn ask_by(
        &mut self,
        submit: impl FnOnce(Token, &dyn AnyRequest) -> Result<Ticket, Refused>,
        plan: Plan,
        asked: Asked,
        judge: &mut Judge,
    ) -> Option<u64> {
        let token = judge.next();
        let (name, digits) = (Name::new(token), Digits::unsigned(plan.number));
        let (parts, len) = plan.words(&digits, name.as_bytes());
        let ticket = submit(Token(token), &words(parts.get(..len)?)).ok()?;
        judge.taken(asked);
        self.tickets.push((token, ticket));
        Some(token)
    }

    /// A request that a server in order answers.
    pub(super) fn ask_plainly(
        &mut self,
        net: &mut Net,
        engine: &mut WholeEngine,
        judge: &mut Judge,
    ) -> Option<u64> {
        let shard = self.config.databases.shard(0).filter(|_| self.config.databases.count() > 1);
        self.ask(Plan::new(Word::Echo), &Options { shard, ..Options::default() }, net, engine, judge)
    }

    fn cancel(&mut self, net: &mut Net, engine: &mut WholeEngine, judge: &mut Judge) -> bool {
        self.tickets.retain(|&(token, _)| !judge.is_over(token));
        let at = net.random.below(self.tickets.len() as u64) as usize;
        let Some(&(token, ticket)) = self.tickets.get(at) else { return false };
        match engine.cancel(Instant::from_micros(net.now), ticket) {
            Some(failure) => judge.cancelled(token, failure),
            None => judge.flag(|| alloc::format!("{token} is not over, and cannot be cancelled")),
        }
        true
    }

    /// Something that only a connection of one's own can do: a transaction, or a part of one.
    fn use_lease(&mut self, net: &mut Net, engine: &mut WholeEngine, judge: &mut Judge) -> bool {
        let at = net.random.below(self.leases.len() as u64) as usize;
        let Some(&lease) = self.leases.get(at) else { return false };
        let now = Instant::from_micros(net.now);
        let Some(connection) = engine.leased(lease) else {
            judge.flag(|| "a lease has ended by itself".into());
            return true;
        };
        while let Some(event) = connection.poll_event() {
            judge.lease_event(&event);
        }
        let plan = match net.random.below(8) {
            0 => Plan::new(Word::Watch),
            1 => Plan::new(Word::Multi),
            2 => Plan::new(Word::Exec),
            3 => Plan::new(Word::Discard),
            _ => Plan::new(Word::Count),
        };
        let token = judge.next();
        let (name, digits) = (Name::new(token), Digits::unsigned(plan.number));
        let (parts, len) = plan.words(&digits, name.as_bytes());
        // MULTI and its like have no arguments.
        let len = if matches!(plan.word, Word::Multi | Word::Exec | Word::Discard) { 1 } else { len };
        let Some(parts) = parts.get(..len) else { return false };
        if connection.submit(now, Token(token), &words(parts)).is_ok() {
            judge.taken(Asked::leased(plan));
        }
        true
    }

    /// A connection of one's own is as good as new.
    pub(super) fn leased(
        &mut self,
        lease: Lease,
        line: Option<usize>,
        net: &Net,
        engine: &mut WholeEngine,
        judge: &mut Judge,
    ) {
        self.leases.push(lease);
        let Some(connection) = engine.leased(lease) else {
            return judge.flag(|| "a lease that is none".into());
        };
        let state = connection.state();
        if connection.owes_answers() || state.transaction || state.watching {
            judge.flag(|| alloc::format!("lent with {} in flight, {state:?}", connection.in_flight()));
        }
        if line.and_then(|line| net.lines.get(line)).is_some_and(|line| line.session.is_altered()) {
            judge.flag(|| "lent although the server remembers something".into());
        }
    }

    pub(super) fn release_all(&mut self, engine: &mut WholeEngine, now: Instant) {
        for lease in self.leases.drain(..) {
            engine.release(now, lease);
        }
    }
}
