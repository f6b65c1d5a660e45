//! A bulk as it should be, in vectors, with the server that executes its items.

use std::collections::VecDeque;

use respire_core::bulk::{Cancelled, Config, Value, Verdict};
use respire_core::conn::Failure;
use respire_core::error::ServerError;
use respire_core::time::{Duration, Instant};

use crate::kinds::Kind;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Queued,
    Sent { batch: u32 },
    Told,
    Done,
}

/// How an item ended, owned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Answered,
    Error(String),
    Failed(Failure),
    Overtaken,
}

impl End {
    pub(crate) fn of(value: Value<'_>) -> Self {
        match value {
            Value::Answered => Self::Answered,
            Value::Error(error) => Self::Error(String::from_utf8_lossy(error.text()).into_owned()),
            Value::Failed(failure) => Self::Failed(failure),
            Value::Overtaken => Self::Overtaken,
        }
    }
}

/// What the server or the line does to an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Value,
    WrongType,
    Loading,
    Failed(Failure),
}

impl Fate {
    pub(crate) const LOADING: ServerError<'static> = ServerError::new(b"LOADING");
    pub(crate) const WRONG_TYPE: ServerError<'static> = ServerError::new(b"WRONGTYPE");
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) len: usize,
    pub(crate) safe: bool,
    pub(crate) state: State,
    /// The batch that it was in last, and its place there.
    pub(crate) batch: Option<(u32, u32)>,
    pub(crate) attempts: u8,
    pub(crate) doubt: bool,
    pub(crate) unwanted: bool,
    pub(crate) end: Option<End>,
    /// When the server executed it.
    pub(crate) executed: Vec<u64>,
    /// The server's answer was the end of it.
    pub(crate) answered: bool,
}

pub(crate) struct Model {
    pub(crate) config: Config,
    pub(crate) slots: usize,
    pub(crate) now: Instant,
    pub(crate) items: Vec<Item>,
    pub(crate) results: VecDeque<usize>,
    pub(crate) flush: usize,
    pub(crate) flush_at: Option<Instant>,
    pub(crate) held: bool,
    /// The earliest and the latest time at which items may go again.
    pub(crate) again: (Instant, Instant),
    pub(crate) batches: u32,
    pub(crate) closed: bool,
    pub(crate) clock: u64,
}

impl Model {
    pub(crate) fn new(config: Config, slots: usize) -> Self {
        Self {
            config,
            slots,
            now: Instant::ZERO,
            items: Vec::new(),
            results: VecDeque::new(),
            flush: 0,
            flush_at: None,
            held: false,
            again: (Instant::ZERO, Instant::ZERO),
            batches: 0,
            closed: false,
            clock: 0,
        }
    }

    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.flush_at.is_some_and(|at| self.now >= at) {
            self.flush = self.items.len();
            self.flush_at = None;
        }
    }

    /// Items from the oldest that is not done.
    pub(crate) fn window(&self) -> &[Item] {
        let head = self.items.iter().position(|item| item.state != State::Done).unwrap_or(self.items.len());
        &self.items[head..]
    }

    pub(crate) fn queued(&self) -> Vec<usize> {
        (0..self.items.len()).filter(|&at| self.items[at].state == State::Queued).collect()
    }

    /// The batches in flight.
    pub(crate) fn flying(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self
            .items
            .iter()
            .filter_map(|item| if let State::Sent { batch } = item.state { Some(batch) } else { None })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn most(&self) -> usize {
        if self.config.status { self.config.batch_size.max(1) as usize } else { 1 }
    }

    fn lanes(&self) -> usize {
        if self.config.concurrent_flush { usize::from(self.config.max_batches.clamp(1, 8)) } else { 1 }
    }

    pub(crate) fn push(&mut self, kind: &Kind, safe: bool) {
        let item = Item {
            kind: kind.clone(),
            len: kind.frame().len(),
            safe,
            state: State::Queued,
            batch: None,
            attempts: 0,
            doubt: false,
            unwanted: false,
            end: None,
            executed: Vec::new(),
            answered: false,
        };
        self.items.push(item);
        if self.flush_at.is_none() && self.config.flush_interval > Duration::ZERO {
            self.flush_at = Some(self.now.saturating_add(self.config.flush_interval));
        }
    }

    /// Nothing waits any more: neither does the clock.
    fn settle(&mut self) {
        if self.queued().is_empty() {
            self.flush_at = None;
            self.held = false;
        }
    }

    /// The items that go out now. `None` if it depends on chance.
    pub(crate) fn batch(&self) -> Option<Vec<usize>> {
        let queued = self.queued();
        let bytes: usize = queued.iter().map(|&at| self.items[at].len).sum();
        let Some(&first) = queued.first() else { return Some(vec![]) };
        let flying = self.flying().len();
        if flying >= self.lanes() || self.held && flying > 0 {
            return Some(vec![]);
        }
        if self.held {
            if self.now < self.again.0 {
                return Some(vec![]);
            } else if self.now < self.again.1 {
                return None;
            }
        }
        let full = queued.len() >= self.most() || bytes >= self.config.batch_bytes as usize;
        if !(self.held || full || first < self.flush) {
            return Some(vec![]);
        }
        Some(self.filled())
    }

    /// The items of the next batch, whenever that is.
    pub(crate) fn filled(&self) -> Vec<usize> {
        let (mut batch, mut size) = (Vec::new(), 0);
        for at in self.queued() {
            size += self.items[at].len;
            if batch.len() == self.most() || !batch.is_empty() && size > self.config.batch_bytes as usize {
                break;
            }
            batch.push(at);
        }
        batch
    }

    pub(crate) fn send(&mut self, batch: &[usize]) {
        for (place, &at) in (0..).zip(batch) {
            self.items[at].state = State::Sent { batch: self.batches };
            self.items[at].batch = Some((self.batches, place));
        }
        self.batches += 1;
        self.held = false;
        self.settle();
    }

    pub(crate) fn cancel(&mut self, at: usize) -> Option<Cancelled> {
        let item = self.items.get_mut(at).filter(|item| !item.unwanted && item.state != State::Done)?;
        item.unwanted = true;
        let cancelled = match item.state {
            State::Queued if item.attempts == 0 => Cancelled::Dropped,
            State::Told => Cancelled::Resolved,
            _ => Cancelled::Sent,
        };
        if item.state == State::Queued {
            item.state = State::Done;
        }
        self.settle();
        Some(cancelled)
    }

    /// The server may have executed an item that it was given.
    pub(crate) fn execute(&mut self, at: usize) {
        self.clock += 1;
        self.items[at].executed.push(self.clock);
    }

    pub(crate) fn reply(&mut self, at: usize, fate: Fate) -> Verdict {
        let script = self.items[at].kind.script;
        let (always, unless_harmful) = match fate {
            Fate::Loading => (!script, script),
            Fate::Failed(Failure::NotSent | Failure::Expired) => (true, false),
            Fate::Failed(Failure::Unknown | Failure::TimedOut) => (false, true),
            _ => (false, false),
        };
        let item = &mut self.items[at];
        let harmless = item.safe || item.kind.retry <= self.config.ceiling;
        let again = always || unless_harmful && harmless;
        if again && !item.unwanted && item.attempts < self.config.max_retries {
            item.attempts += 1;
            item.doubt |= unless_harmful;
            item.state = State::Queued;
            let longest =
                self.config.retry_base.saturating_mul(1 << (item.attempts - 1)).min(self.config.retry_cap);
            if !self.held {
                self.held = true;
                self.again = (self.now, self.now.saturating_add(longest));
            }
            self.flush = self.flush.max(at + 1);
            return Verdict::Again;
        }
        item.answered = matches!(fate, Fate::Value | Fate::WrongType | Fate::Failed(Failure::TooLarge))
            || fate == Fate::Loading && script;
        let end = match fate {
            Fate::Value => End::Answered,
            Fate::WrongType => End::Error("WRONGTYPE".into()),
            Fate::Loading => End::Error("LOADING".into()),
            Fate::Failed(failure) => End::Failed(failure),
        };
        let (unwanted, answered, touches) = (item.unwanted, item.answered, item.kind.touches.clone());
        self.end(at, end);
        if answered {
            for before in 0..at {
                let item = &self.items[before];
                if item.state == State::Queued && item.kind.touches.meets(&touches) {
                    self.end(before, End::Overtaken);
                }
            }
            self.settle();
        }
        if unwanted { Verdict::Unwanted } else { Verdict::Told }
    }

    fn end(&mut self, at: usize, end: End) {
        let item = &mut self.items[at];
        if item.unwanted {
            item.state = State::Done;
            return;
        }
        let surely_not = matches!(end, End::Overtaken | End::Failed(Failure::NotSent | Failure::Expired));
        item.end = Some(if surely_not && item.doubt { End::Failed(Failure::Unknown) } else { end });
        item.state = State::Told;
        self.results.push_back(at);
    }

    pub(crate) fn give_up(&mut self) {
        for at in self.queued() {
            self.end(at, End::Failed(Failure::NotSent));
        }
        self.settle();
    }

    /// The items of a batch whose results wait and are no answers, by their places there.
    pub(crate) fn errors(&self, batch: u32) -> Vec<(usize, u32)> {
        let told = self.results.iter().map(|&at| (at, &self.items[at]));
        told.filter(|(_, item)| !item.unwanted && item.end != Some(End::Answered))
            .filter_map(|(at, item)| {
                item.batch.filter(|&(number, _)| number == batch).map(|(_, place)| (at, place))
            })
            .collect()
    }

    /// The next result; those that nobody wants are gone.
    pub(crate) fn result(&mut self) -> Option<usize> {
        while let Some(at) = self.results.pop_front() {
            self.items[at].state = State::Done;
            if !self.items[at].unwanted {
                return Some(at);
            }
        }
        None
    }

    /// What must be true of everything that ever happened.
    pub(crate) fn check_history(&self) {
        for (at, item) in self.items.iter().enumerate() {
            let harmless = item.safe || item.kind.retry <= self.config.ceiling;
            assert!(item.executed.len() <= 1 || harmless, "executed twice: {at} {item:?}");
            if let Some(End::Overtaken | End::Failed(Failure::NotSent | Failure::Expired)) = item.end {
                assert!(item.executed.is_empty(), "executed, and said not to be: {at} {item:?}");
            }
            if item.end == Some(End::Answered) {
                assert!(!item.executed.is_empty(), "never executed: {at} {item:?}");
            }
        }
        for (at, later) in self.items.iter().enumerate().filter(|(_, later)| later.answered) {
            for earlier in &self.items[..at] {
                if earlier.kind.touches.meets(&later.kind.touches) {
                    assert!(
                        earlier.executed.last() < later.executed.last() || earlier.executed.is_empty(),
                        "out of order: {earlier:?} {at} {later:?}"
                    );
                }
            }
        }
    }
}
