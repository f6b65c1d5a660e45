//! What must be true of all that a whole client is told.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::machine::Outcome;
use super::super::server::{Name, Server};
use super::super::work::{Plan, Word};
use super::WholeEngine;
use crate::command::Retry;
use crate::conn::{self, Failure};
use crate::engine::{Config, Failed};
use crate::key::Shard;
use crate::resp::Reply;
use crate::retry::BudgetConfig;
use crate::time::Instant;

/// Remembers what was asked, and what was told.
#[derive(Debug)]
pub(super) struct Judge {
    asked: Vec<Asked>,
    waiting: usize,
    retries: u32,
    ceiling: Retry,
    budget: BudgetConfig,
    began: Instant,
    pub(super) outcomes: [u64; Outcome::ALL.len()],
    pub(super) wrong: Option<String>,
}

/// Something that was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Nothing for a wish.
    plan: Option<Plan>,
    by: By,
    over: Option<Over>,
    /// The database that it is for, if there are several.
    shard: Option<Shard>,
    /// What is to be executed before it, if both are answered.
    before: Option<u64>,
}

/// How it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Call,
    /// On a connection of its caller's own, who may give it back before the answer.
    Lease,
    /// In a batch: what may go again, and how often.
    Batch(Retry, u8),
}

/// What its caller knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    Answered,
    Refused,
    NotSent,
    Unknown,
}

impl Asked {
    pub(super) const fn plan(plan: Plan) -> Self {
        Self { plan: Some(plan), by: By::Call, over: None, shard: None, before: None }
    }

    /// In this database, and behind that.
    pub(super) const fn at(self, shard: Option<Shard>, before: Option<u64>) -> Self {
        Self { shard, before, ..self }
    }

    pub(super) const fn wish() -> Self {
        Self { plan: None, by: By::Call, over: None, shard: None, before: None }
    }

    /// In a batch, to go again if it is at most this, so many times.
    pub(super) const fn item(plan: Plan, ceiling: Retry, retries: u8) -> Self {
        Self { by: By::Batch(ceiling, retries), ..Self::plan(plan) }
    }

    pub(super) const fn leased(plan: Plan) -> Self {
        Self { plan: Some(plan), by: By::Lease, over: None, shard: None, before: None }
    }
}

impl Judge {
    pub(super) const fn new(config: &Config, now: Instant) -> Self {
        Self {
            asked: Vec::new(),
            waiting: 0,
            retries: config.retry.retries,
            ceiling: config.retry.ceiling,
            budget: config.budget,
            began: now,
            outcomes: [0; Outcome::ALL.len()],
            wrong: None,
        }
    }

    pub(super) fn flag(&mut self, what: impl FnOnce() -> String) {
        if self.wrong.is_none() {
            self.wrong = Some(what());
        }
    }

    pub(super) const fn requests(&self) -> u64 {
        self.asked.len() as u64
    }

    /// The token of what is asked next.
    pub(super) const fn next(&self) -> u64 {
        self.asked.len() as u64
    }

    pub(super) fn taken(&mut self, asked: Asked) -> u64 {
        self.waiting += usize::from(asked.by == By::Call);
        self.asked.push(asked);
        self.asked.len() as u64 - 1
    }

    /// How many are to be told.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn is_over(&self, token: u64) -> bool {
        self.asked.get(token as usize).is_none_or(|asked| asked.over.is_some())
    }

    pub(super) fn is_answered(&self, token: u64) -> bool {
        self.asked.get(token as usize).is_some_and(|asked| asked.over == Some(Over::Answered))
    }

    /// Somebody is told something, for the first and only time.
    fn over(&mut self, token: u64, how: Over) -> Option<Asked> {
        let Some(asked) = self.asked.get_mut(token as usize) else {
            self.flag(|| alloc::format!("{token} was told, and never asked"));
            return None;
        };
        if let Some(before) = asked.over {
            self.flag(|| alloc::format!("{token} was told {how:?} after {before:?}"));
            return None;
        }
        asked.over = Some(how);
        let asked = *asked;
        self.waiting -= usize::from(asked.by == By::Call);
        let outcome = match how {
            Over::Answered => Outcome::Ok,
            Over::Refused => Outcome::Rejected,
            Over::NotSent => Outcome::NotSent,
            Over::Unknown => Outcome::Unknown,
        };
        if let Some(count) = self.outcomes.get_mut(outcome as usize) {
            *count += 1;
        }
        Some(asked)
    }

    pub(super) fn reply(&mut self, token: u64, reply: Reply<'_>) {
        let how = if reply.error().is_some() { Over::Refused } else { Over::Answered };
        let Some(asked) = self.over(token, how) else { return };
        let name = Name::new(token);
        match asked.plan.map(|plan| plan.word) {
            None => self.flag(|| alloc::format!("{token} wished for a connection, and got an answer")),
            Some(Word::Echo) if how == Over::Answered && reply.as_bytes() != Some(name.as_bytes()) => {
                self.flag(|| alloc::format!("{token} got the answer {reply:?}"));
            }
            // Not an answer of another's: each count is one's own.
            Some(Word::Count) if how == Over::Answered && reply.get::<u64>().is_err() => {
                self.flag(|| alloc::format!("{token} got no count: {reply:?}"));
            }
            _ => {}
        }
    }

    pub(super) fn failed(&mut self, token: u64, failed: &Failed) {
        let how = match failed.failure {
            Failure::NotSent | Failure::Expired => Over::NotSent,
            Failure::TooLarge | Failure::TooDeep => Over::Answered,
            Failure::Unknown | Failure::TimedOut => Over::Unknown,
        };
        self.over(token, how);
    }

    pub(super) fn cancelled(&mut self, token: u64, failure: Failure) {
        let known = matches!(failure, Failure::NotSent | Failure::Expired);
        self.over(token, if known { Over::NotSent } else { Over::Unknown });
    }

    pub(super) fn leased(&mut self, token: u64) {
        if let Some(asked) = self.over(token, Over::Answered)
            && asked.plan.is_some()
        {
            self.flag(|| alloc::format!("{token} asked something, and got a connection"));
        }
    }

    /// On a connection of somebody's own.
    pub(super) fn lease_event(&mut self, event: &conn::Event<'_>) {
        match event {
            conn::Event::Reply { token, reply } => {
                let how = if reply.error().is_some() { Over::Refused } else { Over::Answered };
                // It may be queued only: whether it is executed EXEC says.
                if let Some(asked) = self.asked.get_mut(token.0 as usize)
                    && asked.by == By::Lease
                {
                    asked.over = Some(how);
                } else {
                    self.flag(|| alloc::format!("{token:?} was told on a lease"));
                }
            }
            conn::Event::Failed { token, failure } => {
                if let Some(asked) = self.asked.get_mut(token.0 as usize) {
                    asked.over =
                        Some(if *failure == Failure::NotSent { Over::NotSent } else { Over::Unknown });
                }
            }
            _ => {}
        }
    }

    /// The pool's sums are right.
    pub(super) fn balanced(&mut self, engine: &WholeEngine, wishes: usize, now: Instant) {
        let stats = engine.pool_stats();
        let sum = stats.idle + stats.lent + stats.dialling + stats.resetting + stats.checking + stats.closing;
        if stats.total != sum {
            self.flag(|| alloc::format!("the pool has lost count: {stats:?}"));
        }
        // A fifth, what was saved up, and so many a second.
        let (stats, budget) = (engine.stats(), self.budget);
        let seconds = 1 + now.saturating_since(self.began).as_secs();
        let paid = stats.requests / 5 + u64::from(budget.burst) + u64::from(budget.floor) * seconds;
        if stats.retries > paid + 1 {
            self.flag(|| alloc::format!("{stats:?} with a budget for {paid} retries"));
        }
        let waiting = self.waiting + wishes;
        if engine.pending() != waiting {
            self.flag(|| alloc::format!("{} pending, and {waiting} wait", engine.pending()));
        }
    }

    /// All is over: what the server did is what was said.
    pub(super) fn finish(&mut self, server: &Server) {
        for (token, asked) in self.asked.clone().into_iter().enumerate() {
            let Some(plan) = asked.plan else { continue };
            let (count, token) = (u32::from(server.count(token as u64)), token as u64);
            let class = match plan.word {
                Word::Echo => Retry::Always,
                Word::Get => Retry::ReadOnly,
                Word::Set => Retry::LastWriteWins,
                Word::Swap | Word::Count | Word::Wait => Retry::Accumulating,
                _ => Retry::Never,
            };
            let most = match asked.by {
                By::Call if class <= self.ceiling => 1 + self.retries,
                By::Batch(ceiling, retries) if class <= ceiling => 1 + u32::from(retries),
                _ => 1,
            };
            let is_leased = asked.by == By::Lease;
            let wrong = match asked.over {
                None if !is_leased => Some("was never told"),
                Some(Over::NotSent) if count > 0 => Some("was not sent"),
                Some(Over::Answered) if count == 0 && !is_leased => Some("was answered"),
                _ if count > most => Some("must not be executed so often"),
                _ => None,
            };
            let wrong = wrong.or_else(|| self.misplaced(server, token, &asked));
            if let Some(wrong) = wrong {
                let word = plan.word.name();
                self.flag(|| alloc::format!("{token} ({word}) {wrong}, and was executed {count} times"));
            }
        }
    }

    /// Whether something was executed where or when it should not be.
    fn misplaced(&self, server: &Server, token: u64, asked: &Asked) -> Option<&'static str> {
        let ran = server.ran(token)?;
        if let Some(shard) = asked.shard
            && ran.db != Some(shard.database.into())
        {
            return Some("was for another database");
        }
        let before = asked.before.filter(|before| self.is_answered(*before) && self.is_answered(token))?;
        (server.ran(before)?.first > ran.last).then_some("was to be executed behind another")
    }
}
