//! Who has a whole client load in batches, and what must be true of it.

use alloc::vec::Vec;

use super::super::net::Net;
use super::super::server::Name;
use super::super::work::{Plan, Word};
use super::WholeEngine;
use super::judge::{Asked, Judge};
use crate::bulk::{self, Bulk, Cancelled, Slot, Value};
use crate::command::{Retry, words};
use crate::conn::{Failure, Token};
use crate::engine::{Failed, Lease, LoadConfig, Loaded, Loader};
use crate::resp::Digits;
use crate::time::{Duration, Instant};

/// One loader. Its items are told to the judge like all others.
#[derive(Debug)]
pub(super) struct Loads {
    loader: Loader<Vec<u8>, Vec<Slot>>,
    config: bulk::Config,
    /// Tokens by the number of the item.
    tokens: Vec<u64>,
    tickets: Vec<bulk::Ticket>,
    /// The last item that was pushed for each key.
    last: [Option<u64>; KEYS],
    /// There is always a connection to be had, if nobody keeps them.
    pub(super) is_certain: bool,
}

/// The token of its wishes: none of what is asked has it.
const WISH: Token = Token(1 << 40);

/// As many as plans have.
const KEYS: usize = 4;

impl Loads {
    pub(super) fn new(net: &mut Net, is_certain: bool) -> Self {
        let random = &mut net.random;
        let mut ms = |most| Duration::from_millis(random.below(most));
        let (flush_interval, idle, timeout) = (ms(20), ms(50), ms(100));
        let config = bulk::Config {
            status: !random.one_in(8),
            batch_size: random.between(1, 12) as u32,
            batch_bytes: random.between(64, 600) as u32,
            flush_interval,
            max_retries: random.below(4) as u8,
            concurrent_flush: random.one_in(2),
            max_batches: random.between(1, 4) as u8,
            ceiling: if random.one_in(2) { Retry::LastWriteWins } else { Retry::ReadOnly },
            retry_base: Duration::from_millis(1),
            retry_cap: Duration::from_millis(10),
            seed: random.bits(),
        };
        let bytes = if random.one_in(2) { 200 } else { 2000 };
        let slots = random.between(2, 40) as usize;
        let bulk = Bulk::new(alloc::vec![0; bytes], alloc::vec![Slot::EMPTY; slots], config);
        let timeout = random.one_in(4).then_some(timeout);
        let loader = Loader::new(bulk, WISH, LoadConfig { idle, timeout });
        Self { loader, config, tokens: Vec::new(), tickets: Vec::new(), last: [None; KEYS], is_certain }
    }

    pub(super) const fn is_waiting(&self) -> bool {
        self.loader.is_waiting()
    }

    pub(super) const fn is_over(&self) -> bool {
        self.loader.is_over()
    }

    /// Whether every item was told of.
    pub(super) fn is_idle(&self) -> bool {
        self.loader.bulk().is_empty()
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.loader.poll_timeout()
    }

    pub(super) fn handle_leased(&mut self, now: Instant, token: Token, lease: Lease) -> bool {
        self.loader.handle_leased(now, token, lease)
    }

    pub(super) fn handle_failed(&mut self, now: Instant, token: Token, failed: &Failed) -> bool {
        self.loader.handle_failed(now, token, failed)
    }

    pub(super) const fn flush(&mut self) {
        self.loader.flush();
    }

    pub(super) fn close(&mut self, engine: &mut WholeEngine, now: Instant) {
        self.loader.close(engine, now);
    }

    /// One thing of many.
    pub(super) fn work(&mut self, net: &mut Net, engine: &mut WholeEngine, judge: &mut Judge) -> bool {
        let now = Instant::from_micros(net.now);
        match net.random.below(24) {
            0 => self.loader.flush(),
            1 if !self.tickets.is_empty() => {
                let at = net.random.below(self.tickets.len() as u64) as usize;
                let ticket = self.tickets.swap_remove(at);
                let Some(cancelled) = self.loader.cancel(ticket) else { return false };
                let token = self.token(ticket);
                match cancelled {
                    Cancelled::Dropped => judge.cancelled(token, Failure::NotSent),
                    // Its answer may have been told.
                    _ if judge.is_over(token) => {}
                    _ => judge.cancelled(token, Failure::Unknown),
                }
            }
            2 if net.random.one_in(8) => self.loader.give_up(engine, now),
            _ => {
                for _ in 0..net.random.between(1, 6) {
                    self.push(net, judge);
                }
            }
        }
        true
    }

    fn push(&mut self, net: &mut Net, judge: &mut Judge) {
        let (plan, now) = (Plan::data(&mut net.random), Instant::from_micros(net.now));
        let plan = Plan { later: None, chunked: false, ..plan };
        let token = judge.next();
        let (name, digits) = (Name::new(token), Digits::unsigned(plan.number));
        let (parts, len) = plan.words(&digits, name.as_bytes());
        let Some(parts) = parts.get(..len) else { return };
        let is_safe = net.random.one_in(8);
        let pushed = match is_safe {
            true => self.loader.push_safe(now, &words(parts)),
            false => self.loader.push(now, &words(parts)),
        };
        let Ok(ticket) = pushed else { return };
        let ceiling = if is_safe { Retry::Never } else { self.config.ceiling };
        let has_key = matches!(plan.word, Word::Get | Word::Set | Word::Swap);
        let key = self.last.get_mut(plan.number as usize).filter(|_| has_key);
        let before = key.and_then(|last| last.replace(token));
        judge.taken(Asked::item(plan, ceiling, self.config.max_retries).at(None, before));
        self.tokens.push(token);
        self.tickets.push(ticket);
    }

    /// Moves what can be moved. Whether anything has come of it.
    pub(super) fn turn(&mut self, engine: &mut WholeEngine, now: Instant, judge: &mut Judge) -> bool {
        let before = (self.loader.is_waiting(), self.loader.lease());
        let mut did = false;
        while let Some(loaded) = self.loader.poll_answer(engine, now) {
            did = true;
            if let Loaded::Answer { ticket, reply } = loaded {
                let token = self.tokens.get(ticket.number()).copied();
                judge.reply(token.unwrap_or(u64::MAX), reply);
            }
        }
        while let Some(told) = self.loader.poll_result() {
            did = true;
            let token = self.tokens.get(told.ticket.number()).copied().unwrap_or(u64::MAX);
            let (ticket, is_doubtful) = (told.ticket, told.doubtful);
            match told.result {
                Value::Answered | Value::Error(_) if !judge.is_over(token) => {
                    judge.flag(|| alloc::format!("{token} has a result and no answer"));
                }
                Value::Answered | Value::Error(_) => {}
                Value::Failed(failure) => judge.cancelled(token, failure),
                Value::Overtaken if is_doubtful => judge.cancelled(token, Failure::Unknown),
                Value::Overtaken => judge.cancelled(token, Failure::NotSent),
            }
            self.tickets.retain(|other| *other != ticket);
        }
        did || before != (self.loader.is_waiting(), self.loader.lease())
    }

    fn token(&self, ticket: bulk::Ticket) -> u64 {
        self.tokens.get(ticket.number()).copied().unwrap_or(u64::MAX)
    }
}
