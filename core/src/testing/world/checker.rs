//! What must be true of every request, whatever goes wrong.
//!
//! | the caller was told | the server executed it |
//! |---|---|
//! | an answer, made for this request | once |
//! | a refusal by its code | never |
//! | not sent | never |
//! | unknown, or the caller turned away | once or never |

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::digest::Digest;
use super::line::{Did, Line, Owner, Tag};
use super::machine::{Machine, Outcome};
use super::server::Server;
use crate::conn::{CloseReason, Config, Event, Protocol, Token};
use crate::error::ProtocolError;
use crate::resp::{Kind, Reply};
use crate::time::{Duration, Instant};

/// Every request of a run, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Checker {
    ops: Vec<Op>,
    blocks: Vec<Fate>,
    /// What is wrong, if anything.
    pub(super) wrong: Option<String>,
    /// How often each outcome was told.
    pub(super) outcomes: [u64; Outcome::ALL.len()],
}

/// A request that was taken.
#[derive(Debug)]
struct Op {
    line: usize,
    deadline: Option<Instant>,
    state: State,
    fate: Fate,
    /// The transaction it belongs to, and whether it ends it.
    block: Option<usize>,
    ends: bool,
    resets: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waiting,
    /// Nobody waits for it, and its answer may come.
    Discarded,
    Resolved,
}

/// How often the server may have executed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Never,
    Once,
    Maybe,
    /// As its transaction was.
    AsBlock,
}

/// What a request is to the checker.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kindred {
    pub(super) block: Option<usize>,
    pub(super) ends: bool,
    pub(super) resets: bool,
}

/// One life of a connection.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) line: usize,
    pub(super) ready: bool,
    pub(super) over: bool,
    /// The latest time that the connection was told, and how long it keeps slots that nobody waits for.
    pub(super) clock: Instant,
    grace: Duration,
    /// Slots that the connection must hold, oldest first.
    pub(super) waiting: VecDeque<u64>,
    /// The answer that is being told in parts.
    parts: Option<(Token, Digest)>,
    /// It was pushed, and its reply must be next.
    confirmed: Option<u64>,
    /// The server's last word was there when the handshake was done.
    worded: bool,
    /// There are slots for numbers, too, which nobody waits for.
    verified: bool,
}

impl Life {
    pub(super) fn new(line: usize, clock: Instant, config: &Config) -> Self {
        let verified = config.verify_every.is_some();
        Self { line, clock, grace: config.grace, verified, ..Self::default() }
    }
}

impl Checker {
    pub(super) fn flag(&mut self, what: impl FnOnce() -> String) {
        if self.wrong.is_none() {
            self.wrong = Some(what());
        }
    }

    /// The token of the next request.
    pub(super) const fn next_token(&self) -> u64 {
        self.ops.len() as u64
    }

    pub(super) fn begin_block(&mut self) -> usize {
        // Until EXEC is answered, nothing of it was executed.
        self.blocks.push(Fate::Never);
        self.blocks.len() - 1
    }

    /// The request with the next token was taken.
    pub(super) fn taken(&mut self, life: &mut Life, deadline: Option<Instant>, kindred: Kindred) {
        let Kindred { block, ends, resets } = kindred;
        let token = self.next_token();
        life.waiting.push_back(token);
        let state = State::Waiting;
        self.ops.push(Op { line: life.line, deadline, state, fate: Fate::Maybe, block, ends, resets });
        if ends && let Some(fate) = block.and_then(|at| self.blocks.get_mut(at)) {
            *fate = Fate::Maybe;
        }
    }

    /// The caller of a request has turned away, and knows whether it may be executed.
    pub(super) fn abandoned(&mut self, life: &mut Life, token: u64, taken_back: bool) {
        if taken_back {
            life.waiting.retain(|&waiting| waiting != token);
            self.resolve(life, token, Outcome::TakenBack, Fate::Never);
        } else {
            self.discard(life, token, Outcome::Abandoned);
        }
    }

    /// Nobody waits for it any more, but for its answer there is a slot, for as long as the grace.
    fn discard(&mut self, life: &Life, token: u64, outcome: Outcome) {
        self.resolve(life, token, outcome, Fate::Maybe);
        if let Some(op) = self.ops.get_mut(token as usize) {
            op.state = State::Discarded;
            op.deadline = Some(life.clock.saturating_add(life.grace));
        }
    }

    /// Somebody who waits and has not turned away.
    pub(super) fn nth_waiting(&self, life: &Life, n: usize) -> Option<u64> {
        let token = *life.waiting.get(n.checked_rem(life.waiting.len())?)?;
        self.is_waiting(token).then_some(token)
    }

    pub(super) fn is_waiting(&self, token: u64) -> bool {
        self.ops.get(token as usize).is_some_and(|op| op.state == State::Waiting)
    }

    fn is_discarded(&self, token: u64) -> bool {
        self.ops.get(token as usize).is_some_and(|op| op.state == State::Discarded)
    }

    fn count(&mut self, outcome: Outcome) {
        if let Some(count) = self.outcomes.get_mut(outcome as usize) {
            *count += 1;
        }
    }

    /// An event was told.
    pub(super) fn told(&mut self, life: &mut Life, line: &mut Line, event: &Event<'_>) {
        if life.over {
            return self.flag(|| format!("an event behind the last: {event:?}"));
        }
        // Where an answer is missing, a confirmation may be to none that is its turn.
        if life.confirmed.is_some() && !line.shifted && !matches!(event, Event::Reply { .. }) {
            self.flag(|| format!("a confirmation was no answer, but there is {event:?}"));
        }
        match *event {
            Event::Ready { protocol } => self.ready(life, line, protocol),
            _ if !life.ready && !matches!(event, Event::Closed(_)) => {
                self.flag(|| format!("{event:?} before the handshake was done"));
            }
            Event::Reply { token, reply } => {
                let outcome = Outcome::of_reply(reply);
                if life.confirmed.take() == Some(token.0) {
                    life.waiting.retain(|&waiting| waiting != token.0);
                    return self.resolve(life, token.0, Outcome::Ok, Fate::Once);
                }
                self.answered(life, line, token.0, Some(Digest::of(reply)), Some(reply), outcome);
            }
            Event::Part { token, part, last } => {
                // The caller may have turned away in the midst of the parts before.
                let begun = life.parts.take().filter(|(first, _)| !self.is_discarded(first.0));
                let (first, mut digest) = begun.unwrap_or((token, Digest::NEW));
                if first != token || !self.is_waiting(token.0) {
                    self.flag(|| format!("a part for {token:?} behind one for {first:?}"));
                }
                digest.part(part);
                if last {
                    self.answered(life, line, token.0, Some(digest.finish()), None, Outcome::Ok);
                } else {
                    life.parts = Some((token, digest));
                }
            }
            Event::Push(reply) => self.pushed(life, line, Some(Digest::of(reply))),
            Event::PushTooLarge => self.pushed(life, line, None),
            Event::Failed { token, failure } => {
                life.parts.take_if(|(first, _)| *first == token);
                match Outcome::of_failure(failure) {
                    Outcome::Oversized => {
                        self.answered(life, line, token.0, None, None, Outcome::Oversized);
                    }
                    outcome @ (Outcome::Expired | Outcome::TimedOut) if !self.is_late(life, token.0) => {
                        self.flag(|| format!("{token:?} is {outcome:?} before its deadline"));
                    }
                    Outcome::TimedOut => self.discard(life, token.0, Outcome::TimedOut),
                    outcome => {
                        life.waiting.retain(|&waiting| waiting != token.0);
                        let never = matches!(outcome, Outcome::NotSent | Outcome::Expired);
                        let fate = if never { Fate::Never } else { Fate::Maybe };
                        self.resolve(life, token.0, outcome, fate);
                    }
                }
            }
            Event::Closed(reason) => {
                life.over = true;
                let blames = matches!(
                    reason,
                    CloseReason::Protocol(_) | CloseReason::Unsolicited | CloseReason::OutOfStep
                );
                // A stream cannot be skipped inside an answer that is skipped, because it is too deep.
                let is_limit = reason == CloseReason::Protocol(ProtocolError::StreamTooDeep);
                if blames && !is_limit && !line.spoilt && !line.shifted {
                    self.flag(|| format!("the server has done nothing wrong, and {reason}"));
                }
                let left = life.waiting.iter().copied().find(|&token| self.is_waiting(token));
                if let Some(token) = left {
                    self.flag(|| format!("the connection is over, and t{token}e is not resolved"));
                }
            }
            #[allow(unreachable_patterns, reason = "events may be added")]
            _ => self.flag(|| format!("an event that nobody knows: {event:?}")),
        }
    }

    fn ready(&mut self, life: &mut Life, line: &mut Line, protocol: Protocol) {
        if life.ready {
            self.flag(|| "ready twice".into());
        }
        life.ready = true;
        // Pushes behind the last answer will be told.
        let here = line.down.taken_total();
        let told = line.tags.iter().take_while(|tag| tag.end <= here).enumerate();
        let steps = told.filter(|(_, tag)| tag.owner == Owner::Handshake);
        let end = steps.last().map_or(0, |(at, _)| at + 1);
        for tag in line.tags.drain(..end) {
            if !matches!(tag.owner, Owner::Handshake | Owner::Push) {
                self.flag(|| format!("the handshake took {tag:?}"));
            }
        }
        life.worded = line.tags.iter().any(|tag| tag.end <= here && tag.owner == Owner::LastWord);
        if line.shifted && !life.worded {
            self.flag(|| "ready, but the answers of the handshake are shifted".into());
        }
        if (protocol == Protocol::Resp3) != line.session.resp3 && !line.session.over {
            self.flag(|| format!("{protocol:?} is not what the server speaks"));
        }
    }

    /// Passes over answers that nobody waits for, up to the next that somebody must be told of.
    fn next_tag(&self, life: &mut Life, line: &mut Line) -> Option<Tag> {
        loop {
            let tag = line.told()?;
            if tag.owner == Owner::Handshake && life.ready && life.verified {
                line.tags.pop_front();
                continue;
            }
            let dropped = match tag.owner {
                Owner::Answer(token) => Some(token),
                Owner::LastWord => life.waiting.front().copied(),
                _ => None,
            };
            match dropped {
                Some(token) if self.is_discarded(token) => {
                    line.tags.pop_front();
                    life.waiting.retain(|&waiting| waiting != token);
                }
                _ => return Some(tag),
            }
        }
    }

    /// A request was answered, by these values if they were told.
    fn answered(
        &mut self,
        life: &mut Life,
        line: &mut Line,
        token: u64,
        digest: Option<u64>,
        reply: Option<Reply<'_>>,
        outcome: Outcome,
    ) {
        let Some(tag) = self.next_tag(life, line) else {
            return self.flag(|| format!("t{token}e was answered, but no answer came"));
        };
        let rightful = tag.owner == Owner::Answer(token)
            || tag.owner == Owner::LastWord && life.waiting.front() == Some(&token);
        if !rightful {
            return self.flag(|| format!("t{token}e was given {tag:?}"));
        }
        line.tags.pop_front();
        if digest.is_some_and(|digest| digest != tag.digest) {
            return self.flag(|| format!("t{token}e was answered by other values than were sent: {reply:?}"));
        }
        if life.waiting.pop_front() != Some(token) {
            return self.flag(|| format!("t{token}e was answered out of turn"));
        }
        if outcome == Outcome::Rejected && tag.did == Did::Ran {
            return self.flag(|| format!("t{token}e was executed, and its error says it was not"));
        }
        self.end_block(token, tag.did, reply.map(Reply::kind));
        let fate = match tag.did {
            Did::Ran => Fate::Once,
            Did::Refused => Fate::Never,
            Did::Queued => Fate::AsBlock,
        };
        self.resolve(life, token, outcome, fate);
    }

    /// If it was EXEC or DISCARD, its transaction is over.
    fn end_block(&mut self, token: u64, did: Did, kind: Option<Kind>) {
        let Some(op) = self.ops.get(token as usize).filter(|op| op.ends) else { return };
        let Some(fate) = op.block.and_then(|at| self.blocks.get_mut(at)) else { return };
        *fate = match (did, kind) {
            (Did::Ran, Some(Kind::Array)) => Fate::Once,
            (Did::Ran, None) => Fate::Maybe,
            _ => Fate::Never,
        };
    }

    fn pushed(&mut self, life: &mut Life, line: &mut Line, digest: Option<u64>) {
        let Some(tag) = self.next_tag(life, line) else {
            return self.flag(|| "a push was told that did not come".into());
        };
        line.tags.pop_front();
        if digest.is_some_and(|digest| digest != tag.digest) {
            return self.flag(|| format!("{tag:?} was told as another push"));
        }
        match tag.owner {
            Owner::Push => {}
            Owner::Confirmation(token) if self.is_discarded(token) => {
                life.waiting.retain(|&waiting| waiting != token);
            }
            Owner::Confirmation(token) => life.confirmed = Some(token),
            _ => self.flag(|| format!("{tag:?} was told as a push")),
        }
    }

    fn resolve(&mut self, life: &Life, token: u64, outcome: Outcome, fate: Fate) {
        let Some(op) = self.ops.get_mut(token as usize) else {
            return self.flag(|| format!("t{token}e was never submitted"));
        };
        let (state, line) = (op.state, op.line);
        op.state = State::Resolved;
        op.fate = fate;
        if op.ends
            && fate == Fate::Never
            && op.fate == Fate::Never
            && let Some(fate) = op.block.and_then(|at| self.blocks.get_mut(at))
        {
            *fate = Fate::Never;
        }
        match state {
            State::Waiting if line == life.line => self.count(outcome),
            State::Waiting => self.flag(|| format!("t{token}e was resolved by another connection")),
            State::Discarded => self.flag(|| format!("t{token}e was abandoned and resolved: {outcome:?}")),
            State::Resolved => self.flag(|| format!("t{token}e was resolved twice: {outcome:?}")),
        }
    }

    /// All that came was looked at, and all events were told.
    pub(super) fn drained(&mut self, life: &mut Life, line: &mut Line, machine: &dyn Machine) {
        if life.over || !life.ready {
            return;
        }
        // The handshake may have taken the server's last word for its last answer, and pushes with it.
        if life.worded {
            return;
        }
        if let Some(tag) = self.next_tag(life, line) {
            return self.flag(|| format!("{tag:?} came, and nobody was told"));
        }
        let (held, waiting) = (machine.in_flight(), life.waiting.len());
        if held < waiting || held > waiting && !life.verified {
            return self.flag(|| format!("{held} requests in flight, not {waiting}"));
        }
        if life.confirmed.is_some() && !line.shifted {
            self.flag(|| "a confirmation was no answer".into());
        }
        let deadline = |&token: &u64| {
            let op = self.ops.get(token as usize).filter(|op| op.state == State::Waiting)?;
            op.deadline
        };
        let first = life.waiting.iter().filter_map(deadline).min();
        if first.is_some_and(|first| machine.poll_timeout().is_none_or(|at| at > first)) {
            self.flag(|| format!("nobody watches the time: {:?}", machine.poll_timeout()));
        }
    }

    /// Whether the deadline of a request has passed. How long a slot is kept that nobody waits for depends on
    /// those before it.
    fn is_late(&self, life: &Life, token: u64) -> bool {
        let op = self.ops.get(token as usize).filter(|op| op.state == State::Waiting);
        op.is_some_and(|op| op.deadline.is_some_and(|deadline| deadline <= life.clock))
    }

    /// Bytes are about to be written: none may be of a request that is known to be late.
    pub(super) fn writes(&mut self, life: &Life) {
        let late = |&token: &u64| self.is_waiting(token) && self.is_late(life, token);
        if let Some(token) = life.waiting.iter().copied().find(late) {
            self.flag(|| format!("bytes are written, but t{token}e is late"));
        }
    }

    /// What a RESET that was answered must have done.
    pub(super) fn is_reset(&self, token: Token) -> bool {
        self.ops.get(token.0 as usize).is_some_and(|op| op.resets)
    }

    /// The timer fired, and all events were told.
    pub(super) fn timed(&mut self, life: &Life) {
        let late = life.waiting.iter().copied().find(|&token| self.is_late(life, token));
        if let Some(token) = late.filter(|_| !life.over) {
            self.flag(|| format!("t{token}e is not resolved after its deadline"));
        }
    }

    /// The truth table, once nothing will be executed any more.
    pub(super) fn finish(&mut self, server: &Server) {
        for token in 0..self.next_token() {
            let Some(op) = self.ops.get(token as usize) else { return };
            let fate = match op.fate {
                Fate::AsBlock => op.block.and_then(|at| self.blocks.get(at)).copied().unwrap_or(Fate::Maybe),
                fate => fate,
            };
            let count = server.count(token);
            let right = match fate {
                Fate::Never => count == 0,
                Fate::Once => count == 1,
                Fate::Maybe | Fate::AsBlock => count <= 1,
            };
            let state = op.state;
            if !right {
                return self
                    .flag(|| format!("t{token}e was executed {count} times, not {fate:?} ({state:?})"));
            }
            if state == State::Waiting {
                return self.flag(|| format!("t{token}e was never resolved"));
            }
        }
    }
}
