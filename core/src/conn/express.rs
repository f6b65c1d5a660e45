//! The way that most requests and answers take: there is nothing special about them.
//!
//! Whatever there is, goes the way that knows everything; so this can only be faster, not different. Programs
//! for small processors are built without it: there code costs more than time.

use super::connection::{Connection, Phase};
use super::in_flight::{Answer, Slot};
use super::{Token, Wait};
use crate::buffer::Storage;
use crate::command::{AnyRequest, Command, Effect};
use crate::resp::{Encoder, Reply, Whole};
use crate::time::Instant;

pub(super) use crate::resp::OPEN;

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Takes a request that does nothing to the connection. If it says no, nothing has changed.
    #[inline(always)]
    pub(super) fn submit_plain(
        &mut self,
        patience: Wait,
        token: Token,
        request: &dyn AnyRequest,
        command: &Command,
    ) -> bool {
        let is_plain = command.effect == Effect::None && command.blocks.is_none();
        let is_open = matches!(self.phase, Phase::Ready { .. })
            && self.owed == 0
            && self.config.verify_every.is_none()
            && self.in_flight.has_room(1);
        if !is_plain || !is_open {
            return false;
        }
        let mut encoder = Encoder::new(self.transmit.spare());
        let teller = request.encode(&mut encoder);
        let encoded = encoder.finish();
        if teller.is_some() || !encoded.is_whole() {
            return false;
        }
        let deadline = match (patience, self.config.reply_timeout) {
            (Wait::Until(deadline), _) => deadline.unwrap_or(Instant::MAX),
            (Wait::Usual(_), None) => Instant::MAX,
            (Wait::Usual(now), Some(timeout)) => {
                let deadline = self.now.max(now).saturating_add(timeout);
                // Behind requests that may block for longer.
                if self.horizon > deadline {
                    return false;
                }
                deadline
            }
        };
        if let Wait::Usual(now) = patience {
            self.clock(now);
        }
        let slot = Slot {
            token,
            deadline,
            start: self.submitted,
            effect: Effect::None,
            left: 0,
            discard: false,
            answer: Answer::Whole(command.expects),
        };
        self.take(encoded, slot);
        true
    }

    /// Whether all that was received was told, and nothing else is to be.
    #[inline(always)]
    pub(super) fn is_quiet(&self) -> bool {
        let is_open = matches!(self.phase, Phase::Ready { announced: true }) && self.ended.is_none();
        let is_between = self.receive.unread().is_empty() && !self.scanner.is_inside();
        is_open && is_between && !(self.late | self.skipping)
    }

    /// The next event, if it is such an answer. What it lends is [`plain`](Self::plain).
    #[inline(always)]
    pub(crate) fn poll_plain(&mut self) -> Option<(Token, Whole)> {
        if !OPEN || self.lent.answers.is_some() {
            return None;
        }
        self.release();
        self.answer_plain()
    }

    /// The answer that [`poll_plain`](Self::poll_plain) has found.
    #[inline(always)]
    pub(crate) fn plain(&self, found: Whole) -> Reply<'_> {
        Reply::whole(self.receive.unread(), found)
    }

    /// How many bytes a request may have.
    pub(crate) fn longest_request(&self) -> usize {
        self.transmit.limit()
    }

    /// When the newest request is given up.
    #[inline]
    pub(crate) fn newest_deadline(&self) -> Instant {
        let newest = (0..self.in_flight.len()).rev().filter_map(|index| self.in_flight.get(index));
        // A number of ours may stand behind it.
        let mut newest = newest.filter(|slot| slot.answer != Answer::Number);
        newest.next().map_or(Instant::MAX, |slot| slot.deadline)
    }

    /// The bytes of the newest request, if none of them was sent.
    #[inline(always)]
    pub(crate) fn newest(&self) -> &[u8] {
        let (ready, mut end) = (self.transmit.ready(), self.submitted);
        for index in (0..self.in_flight.len()).rev() {
            let Some(slot) = self.in_flight.get(index) else { break };
            // A number of ours may stand behind it.
            if slot.answer != Answer::Number {
                let start = slot.start.checked_sub(self.sent).and_then(|start| usize::try_from(start).ok());
                let len = usize::try_from(end.saturating_sub(slot.start)).ok();
                let frame = start.and_then(|start| ready.get(start..));
                return len.and_then(|len| frame?.get(..len)).unwrap_or_default();
            }
            end = slot.start;
        }
        &[]
    }

    /// The answer that stands next among what was received, if it is plain. One that nobody waits for is passed
    /// over, and `None` says that there is more to look at.
    #[inline(always)]
    pub(super) fn answer_plain(&mut self) -> Option<(Token, Whole)> {
        let slot = self.in_flight.head()?;
        let Answer::Whole(expects) = slot.answer else { return None };
        let is_plain = slot.effect == Effect::None && slot.start < self.sent;
        let is_open = matches!(self.phase, Phase::Ready { announced: true });
        if !is_plain || !is_open || self.skipping | self.early | self.monitoring || self.owed > 0 {
            return None;
        }
        let found = self.scanner.whole(self.receive.unread())?;
        if !expects.admits(found.kind) {
            return None;
        }
        self.lent.len = found.len;
        Some((self.in_flight.pop()?, found))
    }
}
