//! Random calls, with everything that a connection can say.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::bulk::{Bulk, Config, Item, Outcome, Refused, Slot, Ticket, Verdict};
use respire_core::command::{Args, Retry};
use respire_core::conn::Failure;
use respire_core::resp::Encoder;
use respire_core::time::{Duration, Instant};

use crate::kinds::Kind;
use crate::model::{End, Fate, Model, State};

#[derive(Clone, Debug)]
enum Op {
    Push {
        dice: u8,
        len: u8,
        safe: bool,
    },
    Cancel {
        at: u8,
    },
    Flush,
    GiveUp,
    Poll,
    /// The oldest item on the wire is answered.
    Reply(u8),
    /// The oldest is not answered in time; the server may have executed it.
    TimedOut {
        executed: bool,
    },
    /// So many of the newest on the wire were not written, and so many of the others executed.
    Lost {
        unwritten: u8,
        executed: u8,
    },
    Stale(u8),
    Results(u8),
    Pass(u8),
    Back,
    Close,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (any::<u8>(), 0..20_u8, prop::bool::weighted(0.1)).prop_map(|(dice, len, safe)| Op::Push { dice, len, safe }),
        2 => any::<u8>().prop_map(|at| Op::Cancel { at }),
        2 => Just(Op::Flush),
        1 => Just(Op::Back),
        8 => Just(Op::Poll),
        10 => any::<u8>().prop_map(Op::Reply),
        1 => any::<bool>().prop_map(|executed| Op::TimedOut { executed }),
        2 => (0..6_u8, 0..6_u8).prop_map(|(unwritten, executed)| Op::Lost { unwritten, executed }),
        1 => any::<u8>().prop_map(Op::Stale),
        6 => (1..6_u8).prop_map(Op::Results),
        4 => (0..6_u8).prop_map(Op::Pass),
    ]
}

fn config() -> impl Strategy<Value = Config> {
    let sizes = (0..6_u32, 20..200_u32, 0..6_u64, 0..4_u8, prop_oneof![0..5_u8, Just(200)]);
    let kinds =
        (prop::bool::weighted(0.9), prop::bool::weighted(0.7), any::<u64>(), prop::bool::weighted(0.8));
    (sizes, kinds).prop_map(|((batch_size, batch_bytes, interval, max_retries, max_batches), kinds)| {
        let (status, concurrent_flush, seed, usual) = kinds;
        Config {
            status,
            batch_size,
            batch_bytes,
            flush_interval: Duration::from_millis(interval),
            max_retries,
            concurrent_flush,
            max_batches,
            ceiling: if usual { Retry::LastWriteWins } else { Retry::ReadOnly },
            retry_base: Duration::from_millis(2),
            retry_cap: Duration::from_millis(3),
            seed,
        }
    })
}

/// The machine beside its model, and the wire between them and a server.
struct Pair {
    bulk: Bulk<Vec<u8>, Vec<Slot>>,
    model: Model,
    memory: usize,
    wire: VecDeque<Item>,
    told: Vec<Item>,
    clock_faults: u32,
}

impl Pair {
    fn new(config: Config, slots: usize, memory: usize) -> Self {
        let bulk = Bulk::new(vec![0; memory], vec![Slot::EMPTY; slots], config);
        Self {
            bulk,
            model: Model::new(config, slots),
            memory,
            wire: VecDeque::new(),
            told: Vec::new(),
            clock_faults: 0,
        }
    }

    fn step(&mut self, op: &Op) {
        let now = self.model.now;
        match *op {
            Op::Push { dice, len, safe } => self.push(&Kind::new(dice, len), safe),
            Op::Cancel { at } => self.cancel(usize::from(at)),
            Op::Flush => {
                self.bulk.flush();
                self.model.flush = self.model.items.len();
            }
            Op::GiveUp => {
                self.bulk.give_up(now);
                self.model.tick(now);
                self.model.give_up();
            }
            Op::Poll => self.poll(),
            Op::Reply(dice) => {
                let fate = match dice % 8 {
                    0 | 1 => Fate::Loading,
                    2 => Fate::WrongType,
                    3 => Fate::Failed(Failure::TooLarge),
                    _ => Fate::Value,
                };
                self.answer(fate);
            }
            Op::TimedOut { executed } => {
                if let Some(item) = self.wire.pop_front() {
                    self.fail(item, Failure::TimedOut, executed);
                }
            }
            Op::Lost { unwritten, executed } => self.lose(usize::from(unwritten), usize::from(executed)),
            Op::Stale(at) => self.stale(usize::from(at)),
            Op::Results(count) => (0..count).for_each(|_| self.result()),
            Op::Pass(millis) => {
                let now = now.saturating_add(Duration::from_millis(millis.into()));
                self.bulk.handle_timeout(now);
                self.model.tick(now);
            }
            Op::Back => {
                self.bulk.handle_timeout(Instant::ZERO);
                self.clock_faults += u32::from(now > Instant::ZERO);
            }
            Op::Close => {
                self.bulk.close();
                self.model.closed = true;
                self.model.flush = self.model.items.len();
            }
        }
        self.check();
    }

    fn push(&mut self, kind: &Kind, safe: bool) {
        let (now, len) = (self.model.now, kind.frame().len());
        self.model.tick(now);
        let window: Vec<usize> = self.model.window().iter().map(|item| item.len).collect();
        let pushed =
            kind.with(
                |request| {
                    if safe { self.bulk.push_safe(now, request) } else { self.bulk.push(now, request) }
                },
            );
        let used: usize = window.iter().sum();
        match pushed {
            Ok(ticket) => {
                assert!(!self.model.closed && window.len() < self.model.slots && used + len <= self.memory);
                assert_eq!(ticket.number(), self.model.items.len());
                self.model.push(kind, safe);
            }
            Err(Refused::Closed) => assert!(self.model.closed),
            Err(Refused::Items) => assert_eq!(window.len(), self.model.slots),
            Err(Refused::TooLarge) => assert!(len > self.memory),
            Err(Refused::Bytes) => {
                let longest = window.iter().copied().max().unwrap_or(0).max(len);
                assert!(!window.is_empty() && used + len + longest > self.memory, "{window:?} {len}");
            }
            Err(other) => panic!("{other:?}"),
        }
        if matches!(pushed, Err(Refused::Items | Refused::Bytes)) {
            self.model.flush = self.model.items.len();
        }
    }

    fn cancel(&mut self, at: usize) {
        let at = at % (self.model.items.len() + 1);
        // The ticket of an item that was not pushed yet cannot be had: only once it was, this is one.
        let Some(ticket) = self.ticket(at) else { return };
        assert_eq!(self.bulk.cancel(ticket), self.model.cancel(at));
        assert_eq!(self.bulk.cancel(ticket), None);
    }

    fn ticket(&self, at: usize) -> Option<Ticket> {
        (at < self.model.items.len())
            .then(|| Item::from_token(respire_core::conn::Token((at as u64) << 8)).ticket())
    }

    fn poll(&mut self) {
        let now = self.model.now;
        self.model.tick(now);
        let (expected, wake) = (self.model.batch(), self.bulk.poll_timeout());
        let Some(batch) = self.bulk.poll_batch(now) else {
            assert!(
                expected.is_none_or(|expected| expected.is_empty()),
                "should send {:?}",
                self.model.batch()
            );
            assert!(wake > now, "it was to be polled");
            return;
        };
        assert!(wake <= now, "it was not to be polled before {wake:?}");
        assert_eq!(batch.number(), self.model.batches);
        let expected = expected.unwrap_or_else(|| self.model.filled());
        assert_eq!(batch.len(), expected.len());
        let (size, mut sent) = (batch.size(), 0);
        let mut items = Vec::new();
        for ((item, frame), &at) in batch.zip(&expected) {
            let model = &self.model.items[at];
            assert_eq!((item.ticket().number(), item.attempts()), (at, model.attempts));
            assert_eq!(Item::from_token(item.token()), item);
            let mut bytes = vec![0; 400];
            let mut encoder = Encoder::new(&mut bytes);
            respire_core::command::AnyRequest::encode(&frame, &mut encoder);
            let len = encoder.finish().len();
            bytes.truncate(len);
            assert_eq!(bytes, model.kind.frame());
            assert_eq!(Args::new(&bytes).count(), model.kind.words.len());
            sent += bytes.len();
            items.push(item);
        }
        assert_eq!(size, sent);
        self.model.send(&expected);
        self.wire.extend(items);
    }

    fn answer(&mut self, fate: Fate) {
        let Some(item) = self.wire.pop_front() else { return };
        let at = item.ticket().number();
        if fate != Fate::Loading || self.model.items[at].kind.script {
            self.model.execute(at);
        }
        let outcome = match fate {
            Fate::Value => Outcome::Value,
            Fate::WrongType => Outcome::Error(Fate::WRONG_TYPE),
            Fate::Loading => Outcome::Error(Fate::LOADING),
            Fate::Failed(failure) => failure.into(),
        };
        self.reply(item, fate, outcome);
    }

    fn fail(&mut self, item: Item, failure: Failure, executed: bool) {
        if executed {
            self.model.execute(item.ticket().number());
        }
        self.reply(item, Fate::Failed(failure), failure.into());
    }

    fn reply(&mut self, item: Item, fate: Fate, outcome: Outcome<'_>) {
        let now = self.model.now;
        self.model.tick(now);
        let expected = self.model.reply(item.ticket().number(), fate);
        assert_eq!(self.bulk.handle_reply(now, item, outcome), expected, "{item:?} {fate:?}");
        self.told.push(item);
    }

    fn lose(&mut self, unwritten: usize, executed: usize) {
        let written = self.wire.len().saturating_sub(unwritten);
        for (place, item) in std::mem::take(&mut self.wire).into_iter().enumerate() {
            let failure = if place < written { Failure::Unknown } else { Failure::NotSent };
            self.fail(item, failure, place < written.min(executed));
        }
    }

    /// What was said once is not heard twice.
    fn stale(&mut self, at: usize) {
        let now = self.model.now;
        if let Some(&item) = self.told.get(at % self.told.len().max(1)) {
            assert_eq!(self.bulk.handle_reply(now, item, Outcome::Value), Verdict::Stale);
            self.model.tick(now);
        }
    }

    fn result(&mut self) {
        let expected = self.model.result();
        let told = self.bulk.poll_result();
        assert_eq!(told.map(|told| told.ticket.number()), expected);
        if let (Some(told), Some(at)) = (told, expected) {
            let item = &self.model.items[at];
            assert_eq!(Some(End::of(told.result)), item.end);
            assert_eq!((told.retries, told.doubtful), (item.attempts, item.doubt));
            assert_eq!(told.batch.map(|batch| (batch, told.index)), item.batch);
            assert_eq!(told.error().is_none(), told.result == respire_core::bulk::Value::Answered);
        }
    }

    /// After every step.
    fn check(&self) {
        let (stats, model) = (self.bulk.stats(), &self.model);
        let flying = model.flying();
        assert_eq!(stats.queued as usize, model.queued().len());
        assert_eq!(stats.in_flight as usize, self.wire.len());
        assert_eq!(usize::from(stats.batches_in_flight), flying.len());
        assert!(
            flying.len()
                <= if model.config.concurrent_flush {
                    8.min(model.config.max_batches.max(1)).into()
                } else {
                    1
                }
        );
        assert_eq!(stats.depth as usize, model.window().len());
        assert_eq!(self.bulk.len(), model.window().len());
        assert_eq!(stats.bytes, model.window().iter().map(|item| item.len).sum::<usize>());
        assert_eq!((stats.items as usize, stats.batches), (model.items.len(), u64::from(model.batches)));
        assert_eq!(stats.clock_faults, self.clock_faults);
        assert!(stats.sent <= stats.batches * u64::from(model.config.batch_size.max(1)));
        for batch in 0..model.batches {
            let errors: Vec<_> =
                self.bulk.errors(batch).map(|error| (error.ticket.number(), error.index)).collect();
            assert_eq!(errors, model.errors(batch));
        }
    }

    /// Everything comes to an end, and all memory back.
    fn finish(&mut self, give_up: bool) {
        self.step(&Op::Close);
        if give_up {
            self.step(&Op::GiveUp);
        }
        for _ in 0..10_000 {
            if self.bulk.is_empty() {
                break;
            }
            self.step(&Op::Poll);
            self.answer(Fate::Value);
            self.step(&Op::Results(1));
            self.step(&Op::Pass(1));
        }
        assert!(self.bulk.is_empty(), "{:?}", self.bulk);
        assert_eq!((self.bulk.stats().bytes, self.bulk.poll_timeout()), (0, Instant::MAX));
        assert!(self.model.items.iter().all(|item| item.state == State::Done));
        assert!(self.model.items.iter().all(|item| item.unwanted || item.end.is_some()));
        let stats = self.bulk.stats();
        let unwanted = self.model.items.iter().filter(|item| item.unwanted).count() as u64;
        assert_eq!(stats.dropped, unwanted);
        let resolved = self.model.items.iter().filter(|item| item.end.is_some()).count() as u64;
        assert_eq!(stats.answered + stats.failed, resolved);
        self.model.check_history();
    }
}

/// One run, from the first call to the end.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    config: Config,
    slots: usize,
    memory: usize,
    ops: Vec<Op>,
    give_up: bool,
}

impl Case {
    /// Panics where the machine is not as its model.
    pub(crate) fn play(self) {
        let mut pair = Pair::new(self.config, self.slots, self.memory);
        self.ops.iter().for_each(|op| pair.step(op));
        pair.finish(self.give_up);
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    (config(), 1..12_usize, 30..400_usize, vec(op(), 1..120), prop::bool::weighted(0.2))
        .prop_map(|(config, slots, memory, ops, give_up)| Case { config, slots, memory, ops, give_up })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2500, failure_persistence: None, ..ProptestConfig::default() })]

    /// S0-BULK-01: replies are matched in order. S0-BULK-02: a refused push takes nothing. S0-BULK-03: each item has
    /// its own result. S0-OPT-20: only what is safe is sent again. S0-OPT-21: batches in flight are bounded, and order per
    /// key is kept. S0-ERR-03: a cancelled item's late reply changes nothing else. S1-BP-04: it goes on at the first item
    /// without an answer.
    #[test]
    fn a_bulk_does_what_the_naive_one_does(case in cases()) {
        case.play();
    }
}
