//! Random callers, drivers and clocks: the pool does nothing that the model forbids, and all that it demands.

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use respire_core::conn::Token;
use respire_core::pool::{
    Action, Config, DialCode, Got, Id, Order, Place, Pool, Reason, Returned, Slot, Waiter,
};
use respire_core::time::{Duration, Instant};

use crate::model::{Model, Phase, Tested};

/// One step. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Op {
    Get,
    Cancel(u16),
    Put(u16, u8),
    PutAny(u16, u8),
    Remove(u16),
    Opened(u16),
    Failed(u16),
    Closed(u16),
    Reset(u16, bool),
    Health(u16, bool),
    /// All that a driver can say, of any connection that ever was.
    Stale(u16),
    Pass(u32),
    /// As long as the pool wants.
    PassUntil,
    Poll,
    /// To one of a few.
    Configure(u16),
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => Just(Op::Get),
        3 => any::<u16>().prop_map(Op::Cancel),
        10 => (any::<u16>(), 0..8u8).prop_map(|(at, how)| Op::Put(at, how)),
        1 => (any::<u16>(), 0..3u8).prop_map(|(at, how)| Op::PutAny(at, how)),
        1 => any::<u16>().prop_map(Op::Remove),
        10 => any::<u16>().prop_map(Op::Opened),
        3 => any::<u16>().prop_map(Op::Failed),
        2 => any::<u16>().prop_map(Op::Closed),
        3 => (any::<u16>(), prop::bool::weighted(0.8)).prop_map(|(at, ok)| Op::Reset(at, ok)),
        4 => (any::<u16>(), prop::bool::weighted(0.8)).prop_map(|(at, ok)| Op::Health(at, ok)),
        1 => any::<u16>().prop_map(Op::Stale),
        6 => (0..40_000u32).prop_map(Op::Pass),
        3 => Just(Op::PassUntil),
        14 => Just(Op::Poll),
        1 => any::<u16>().prop_map(Op::Configure),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    let span = |most: u64| prop_oneof![Just(0), 1..=most].prop_map(Duration::from_millis);
    let numbers = (0..10u16, 0..5u16, 0..5u16, prop_oneof![3 => Just(0), 1 => 1..6u16], 0..4u16, 0..4u16);
    let spans = (span(300), 0..=120u8, span(60), span(100), span(50), span(40), span(10), span(60));
    (numbers, spans, prop::bool::weighted(0.9), any::<bool>()).prop_map(|(numbers, spans, reuse, lifo)| {
        Config {
            size: numbers.0,
            min_idle: numbers.1,
            max_idle: numbers.2,
            max_active: numbers.3,
            max_dials: numbers.4,
            fail_after: numbers.5,
            lifetime: spans.0,
            lifetime_jitter: spans.1,
            idle_time: spans.2,
            wait_timeout: spans.3,
            health_interval: spans.4,
            dial_timeout: spans.5,
            backoff_base: spans.6,
            backoff_cap: spans.7,
            reuse,
            order: if lifo { Order::Lifo } else { Order::Fifo },
        }
    })
}

struct Play {
    configs: Vec<Config>,
    pool: Tested,
    model: Model,
    now: Instant,
    next: u64,
    /// Every name that was ever told.
    ids: Vec<Id>,
    places: Vec<Place>,
    /// Callers that were answered, each once.
    answers: Vec<Token>,
}

impl Play {
    fn new(configs: Vec<Config>, slots: usize, places: usize, seed: u64) -> Self {
        let config = configs[0];
        let now = Instant::from_millis(10);
        let pool = Pool::new(vec![Slot::EMPTY; slots], vec![Waiter::EMPTY; places], &config, seed, now);
        let model = Model::new(config, slots, places);
        Self { configs, pool, model, now, next: 0, ids: Vec::new(), places: Vec::new(), answers: Vec::new() }
    }

    /// One of the connections that are like this.
    fn choose(&self, at: u16, is: fn(Phase) -> bool) -> Option<Id> {
        let like: Vec<_> = self.model.conns.iter().filter(|conn| is(conn.phase)).collect();
        like.get(usize::from(at) % like.len().max(1)).map(|conn| conn.id)
    }

    fn step(&mut self, op: Op) {
        // No two come to rest at the same time: which of them rests longer is nobody's business.
        if matches!(op, Op::Put(..) | Op::PutAny(..) | Op::Opened(_) | Op::Reset(..) | Op::Stale(_)) {
            self.step(Op::Pass(1));
        }
        let (pool, model, now) = (&mut self.pool, &mut self.model, self.now);
        match op {
            Op::Get => {
                let token = Token(self.next);
                self.next += 1;
                let got = pool.get(now, token);
                match got {
                    Ok(Got::Lent(id)) => self.ids.push(id),
                    Ok(Got::Waiting(place)) => self.places.push(place),
                    Err(_) => {}
                }
                if !matches!(got, Ok(Got::Waiting(_))) {
                    self.answers.push(token);
                }
                model.get(now, token, got);
            }
            Op::Cancel(at) => {
                if let Some(&place) = self.places.get(usize::from(at) % self.places.len().max(1)) {
                    let caller = model.line.iter().find(|caller| caller.place == place);
                    self.answers.extend(caller.map(|caller| caller.token));
                    let done = pool.cancel(now, place);
                    model.cancel(now, place, done);
                }
            }
            Op::Put(at, how) => {
                if let Some(id) = self.choose(at, |phase| matches!(phase, Phase::Lent | Phase::Dead)) {
                    self.put(id, how);
                }
            }
            Op::PutAny(at, how) => {
                if let Some(&id) = self.ids.get(usize::from(at) % self.ids.len().max(1)) {
                    self.put(id, how);
                }
            }
            Op::Remove(at) => {
                if let Some(&id) = self.ids.get(usize::from(at) % self.ids.len().max(1)) {
                    let done = pool.remove(now, id, Reason::User);
                    model.remove(id, Reason::User, done);
                }
            }
            Op::Opened(at) => {
                if let Some(id) = self.choose(at, |phase| phase == Phase::Dialling) {
                    self.opened(id);
                }
            }
            Op::Failed(at) => {
                if let Some(id) = self.choose(at, |phase| phase == Phase::Dialling) {
                    self.failed(id);
                }
            }
            Op::Closed(at) => {
                if let Some(id) = self.choose(at, |_| true) {
                    self.closed(id);
                }
            }
            Op::Reset(at, ok) => {
                if let Some(id) = self.choose(at, |phase| phase == Phase::Resetting) {
                    self.reset(id, ok);
                }
            }
            Op::Health(at, ok) => {
                if let Some(id) = self.choose(at, |phase| phase == Phase::Checking) {
                    self.health(id, ok);
                }
            }
            Op::Stale(at) => {
                if let Some(&id) = self.ids.get(usize::from(at) % self.ids.len().max(1)) {
                    self.opened(id);
                    self.health(id, at % 2 == 0);
                    self.reset(id, at % 2 == 0);
                    self.failed(id);
                    self.closed(id);
                }
            }
            Op::Pass(micros) => self.now = Instant::from_micros(now.as_micros() + u64::from(micros)),
            Op::PassUntil => {
                let until = pool.poll_timeout();
                if until < Instant::MAX {
                    self.now = now.max(until);
                }
            }
            Op::Poll => self.poll(),
            Op::Configure(at) => {
                let config = self.configs[usize::from(at) % self.configs.len()];
                pool.set_config(now, &config);
                model.set_config(config, pool);
            }
            Op::Close => {
                pool.close(now);
                model.close();
            }
        }
        self.model.check(&self.pool.stats());
    }

    fn put(&mut self, id: Id, how: u8) {
        let how = match how {
            0 => Returned::Broken,
            1 | 2 => Returned::NeedsReset,
            _ => Returned::Clean,
        };
        let put = self.pool.put(self.now, id, how);
        self.model.put(self.now, id, how, put);
    }

    fn opened(&mut self, id: Id) {
        let done = self.pool.handle_opened(self.now, id);
        self.model.opened(self.now, id, done, &self.pool);
    }

    fn failed(&mut self, id: Id) {
        let done = self.pool.handle_open_failed(self.now, id, DialCode(7));
        self.model.open_failed(self.now, id, done);
    }

    fn closed(&mut self, id: Id) {
        let done = self.pool.handle_closed(self.now, id);
        self.model.closed(self.now, id, done);
    }

    fn reset(&mut self, id: Id, ok: bool) {
        let done = self.pool.handle_reset(self.now, id, ok);
        self.model.reset(self.now, id, ok, done);
    }

    fn health(&mut self, id: Id, ok: bool) {
        let done = self.pool.handle_health(self.now, id, ok);
        self.model.health(self.now, id, ok, done);
    }

    /// Until there is nothing to do.
    fn poll(&mut self) {
        for _ in 0..500 {
            let Some(action) = self.pool.poll(self.now) else {
                self.model.check_quiet(self.now, &self.pool);
                assert!(self.pool.poll_timeout() <= self.model.next(), "it would sleep too long");
                return;
            };
            match action {
                Action::Open(id) => self.ids.push(id),
                Action::Serve { token, id } => {
                    self.ids.push(id);
                    self.answers.push(token);
                }
                Action::Refuse { token, .. } => self.answers.push(token),
                _ => {}
            }
            self.model.act(self.now, action);
        }
        panic!("no end");
    }

    /// All comes to its end: nobody is forgotten, nothing is left.
    fn finish(&mut self) {
        self.step(Op::Close);
        self.step(Op::Poll);
        while let Some(id) = self.choose(0, |_| true) {
            self.put(id, 3);
            self.step(Op::Poll);
        }
        assert!(self.pool.is_closed());
        assert_eq!((self.pool.poll_timeout(), self.pool.len()), (Instant::MAX, 0));
        self.answers.sort_unstable();
        let all: Vec<_> = (0..self.next).map(Token).collect();
        assert_eq!(self.answers, all, "each caller is answered once");
    }
}

/// One run, from the first call to the end.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    configs: Vec<Config>,
    slots: usize,
    places: usize,
    seed: u64,
    ops: Vec<Op>,
}

impl Case {
    /// Panics where the pool does what its model forbids.
    pub(crate) fn play(self) {
        let mut play = Play::new(self.configs, self.slots, self.places, self.seed);
        self.ops.into_iter().for_each(|op| play.step(op));
        play.finish();
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let configs = prop::collection::vec(config(), 1..4);
    (configs, 0..9usize, 0..6usize, any::<u64>(), prop::collection::vec(op(), 0..200))
        .prop_map(|(configs, slots, places, seed, ops)| Case { configs, slots, places, seed, ops })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2500,
        failure_persistence: None,
        // The usual one takes most of the time where nothing is optimised.
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    })]

    /// S1-KI-01, S1-POOL-01: no leak, no double loan, whatever happens in whatever order.
    #[test]
    fn the_pool_does_as_the_model(case in cases()) {
        case.play();
    }
}
