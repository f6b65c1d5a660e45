//! Time: how long a request, the writing and the handshake may take, and callers who turn away.
//!
//! ```text
//!  submit ──► waits to be sent ──► sent ──► answered
//!               │ deadline          │ deadline, or abandoned
//!               ▼                   ▼
//!             Expired:            TimedOut: its slot stays and drops the answer
//!             never sent            │ no answer within the grace
//!                                   ▼
//!                                 the connection is over
//! ```

use super::close::Reason;
use super::connection::{Connection, Phase};
use super::in_flight::Answer;
use super::{Failure, Token};
use crate::buffer::Storage;
use crate::command::{Args, Blocks, Command, Effect};
use crate::flaw::flaw;
use crate::time::{Duration, Instant};

/// How long a request may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    /// As configured, from this time on, and as long as the server blocks by its own arguments.
    Usual(Instant),
    /// Until then, or for ever.
    Until(Option<Instant>),
}

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Turns away from a request: there will be no event for it. What is known about it is
    /// [`NotSent`](Failure::NotSent) if it could be taken back, and will never be sent. Else it is
    /// [`Unknown`](Failure::Unknown): its slot stays until the answer has come and was dropped, at most for
    /// [`Config::grace`](super::Config::grace). `None`: there is no such request.
    ///
    /// A request that was not sent is taken back unless others that follow may count on it: one that changes
    /// the state of its connection, or any while a transaction is under way.
    pub fn abandon(&mut self, now: Instant, token: Token) -> Option<Failure> {
        let now = self.clock(now);
        let index = self.in_flight.position(|slot| slot.token == token && !slot.discard)?;
        if self.take_back(index) {
            self.late |= self.is_mute() && !self.is_closed();
            return Some(Failure::NotSent);
        }
        self.leave(index, now);
        self.late |= self.is_mute() && !self.is_closed();
        Some(Failure::Unknown)
    }

    /// It is `now`. Early and repeated calls do nothing; a clock that goes back stands still. Call it
    /// when what has arrived in time was read, and before anything more is written; then poll events, which
    /// say what has come to an end.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock(now);
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return;
        }
        if let Phase::Handshake { .. } = self.phase {
            flaw!(HandshakeSkipped => return self.become_ready(super::Protocol::Resp2));
            return self.fail(Reason::HandshakeTimeout);
        }
        if now >= self.write_by {
            if !core::mem::take(&mut self.wrote) {
                return self.fail(Reason::WriteTimeout);
            }
            self.write_by = self.write_deadline();
        }
        self.late = now >= self.wake;
    }

    /// When to call [`handle_timeout`](Self::handle_timeout): at the deadline of the handshake, of
    /// a request or of writing. It may be earlier than any of these, never later.
    #[must_use = "a deadline that nobody keeps is no deadline"]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadline = match self.phase {
            Phase::Handshake { deadline, .. } => deadline,
            Phase::Ready { .. } if !self.in_flight.is_empty() => self.wake.min(self.write_by),
            Phase::Ready { .. } => self.write_by,
            Phase::Idle | Phase::Closed { .. } => Instant::MAX,
        };
        if deadline == Instant::MAX { None } else { Some(deadline) }
    }

    /// How long the driver may sleep from `now` on; `None` for ever. Not at all while it has something
    /// to say by itself: that a deadline has passed, for instance.
    #[must_use = "a deadline that nobody keeps is no deadline"]
    pub fn patience(&self, now: Instant) -> Option<Duration> {
        if self.has_news() {
            return Some(Duration::ZERO);
        }
        self.poll_timeout().map(|deadline| deadline.saturating_since(now))
    }

    /// How often the clock of the driver went back.
    pub const fn clock_faults(&self) -> u32 {
        self.clock_faults
    }

    /// The deadline of a request that was encoded into so many bytes.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn deadline(&mut self, patience: Wait, command: &Command, len: usize) -> Instant {
        let now = match patience {
            Wait::Until(deadline) => return deadline.unwrap_or(Instant::MAX),
            Wait::Usual(now) => self.clock(now),
        };
        let Some(timeout) = self.config.reply_timeout else { return Instant::MAX };
        // Inside a transaction nothing blocks.
        let blocks = match command.blocks {
            Some(blocks) if !self.queueing => {
                blocks(Args::new(self.transmit.spare().get(..len).unwrap_or_default()))
            }
            _ => Blocks::No,
        };
        let deadline = match blocks {
            Blocks::No => now.saturating_add(timeout),
            Blocks::For(span) => now.saturating_add(span).saturating_add(timeout),
            Blocks::Forever => Instant::MAX,
        };
        if blocks == Blocks::No && self.horizon <= deadline {
            return deadline;
        }
        // Behind requests that may block for longer: answers come in their order.
        self.horizon = deadline.max(self.in_flight.latest(self.in_flight.len()));
        self.horizon
    }

    /// The time, which never goes back. From a deadline on nothing is written, until
    /// [`handle_timeout`](Self::handle_timeout) and events have said what is late.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn clock(&mut self, now: Instant) -> Instant {
        if now < self.now {
            self.clock_faults = self.clock_faults.saturating_add(1);
        }
        self.now = self.now.max(now);
        self.now
    }

    /// More bytes wait to be written, or fewer. The time may be an old one: before anything ends because
    /// of it, it is set anew once.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn watch_writing(&mut self) {
        if self.transmit.ready().is_empty() && (self.owed == 0 || !self.lending) {
            self.write_by = Instant::MAX;
        } else if self.write_by == Instant::MAX {
            self.wrote = true;
            self.write_by = self.write_deadline();
        }
    }

    fn write_deadline(&self) -> Instant {
        self.config.write_timeout.map_or(Instant::MAX, |timeout| self.now.saturating_add(timeout))
    }

    /// The next request whose deadline has passed. All answers that are here were looked at before.
    #[cold]
    pub(super) fn poll_late(&mut self) -> Option<(Token, Failure)> {
        let now = self.now;
        let Some(index) = self.in_flight.position(|slot| slot.deadline <= now) else {
            self.late = false;
            self.wake = self.in_flight.earliest();
            return None;
        };
        let &slot = self.in_flight.get(index)?;
        flaw!(OnlyOldest => if index > 0 { return self.look_away() });
        let token = slot.token;
        if slot.answer == Answer::Number && self.take_back(index) {
            return None;
        }
        if slot.discard {
            // What it waits for may be allowed to take longer.
            let before = self.in_flight.latest(index);
            if before > now {
                let deadline = before.saturating_add(self.config.grace);
                self.in_flight.get_mut(index)?.deadline = deadline;
            } else {
                self.fail(Reason::ReplyTimeout);
            }
            return None;
        }
        flaw!(ExpiredIsSent => if slot.start >= self.sent { return self.send_late(index, token) });
        if self.take_back(index) {
            return Some((token, Failure::Expired));
        }
        let newest = index + 1 == self.in_flight.len();
        if self.sent <= slot.start || newest && self.owed > 0 || self.config.grace.is_zero() {
            // It must not be sent, or will not be sent to its end; or nobody waits for what is late.
            self.fail(Reason::ReplyTimeout);
            return None;
        }
        self.leave(index, now);
        Some((token, Failure::TimedOut))
    }

    /// Nobody waits for the answer to this request any more.
    fn leave(&mut self, index: usize, now: Instant) {
        flaw!(Replayed => self.replay(index));
        flaw!(SlotGivenUp => return self.in_flight.remove(index, 0));
        let deadline = now.saturating_add(self.config.grace);
        if let Some(slot) = self.in_flight.get_mut(index) {
            slot.discard = true;
            flaw!(LateIsTold => slot.discard = false);
            slot.deadline = deadline;
        }
        self.wake = self.wake.min(deadline);
    }

    /// Removes a request that nobody knows of, if no other counts on it.
    fn take_back(&mut self, index: usize) -> bool {
        let Some(&slot) = self.in_flight.get(index) else { return false };
        let in_transaction = |effect| matches!(effect, Effect::Multi | Effect::EndMulti);
        let is_needed = slot.effect != Effect::None
            || self.queueing
            || self.in_flight.position(|slot| in_transaction(slot.effect)).is_some();
        if slot.start < self.sent || is_needed {
            return false;
        }
        let next = self.in_flight.get(index + 1).map(|next| next.start);
        if next.is_none() {
            self.owed = 0;
        }
        let len = next.unwrap_or(self.submitted) - slot.start;
        self.transmit.remove((slot.start - self.sent) as usize, len as usize);
        self.submitted -= len;
        self.watch_writing();
        self.in_flight.remove(index, len);
        true
    }
}
