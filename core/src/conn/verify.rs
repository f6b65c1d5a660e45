//! Integrity: among the requests go numbers of ours, which must come back among the answers.

use core::num::NonZeroU32;

use super::close::Reason;
use super::connection::Connection;
use super::in_flight::{Answer, Slot};
use super::submit::Rest;
use super::{Token, poll::Verdict};
use crate::buffer::Storage;
use crate::command::{Args, Blocks, Command, Effect, Request};
use crate::resp::{ArgSink, Digits, Kind, Reply};
use crate::time::Instant;

/// `ECHO` of a number.
struct Number(u64);

impl Request for Number {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        &Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("ECHO");
        sink.arg(Digits::unsigned(self.0).as_bytes());
    }

    fn blocking(&self) -> Option<fn(Args<'_>) -> Blocks> {
        None
    }
}

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// A request was taken. Behind so many of them goes a number, as soon as there is room for it, and where it
    /// would be answered as always.
    #[cold]
    pub(super) fn count_unverified(&mut self, every: NonZeroU32, deadline: Instant) {
        self.unverified = self.unverified.saturating_add(1);
        let due = self.unverified >= every.get();
        let plain = !self.queueing && !self.subscriber.is_active() && !self.monitoring && self.owed == 0;
        if !due || !plain || self.in_flight.is_full() || self.is_leaving() {
            return;
        }
        // Its request may have been in a hurry; the server need not be.
        let usual = self.config.reply_timeout.map(|timeout| self.now.saturating_add(timeout));
        let deadline = usual.map_or(deadline, |usual| usual.max(deadline));
        // Where it stands in the stream, or more: others may have stood there and been taken back.
        let number = self.submitted.max(self.number.wrapping_add(1));
        let Ok(encoded) = self.encode(&Number(number), Rest::Supplied) else { return };
        let slot = Slot {
            token: Token(number),
            deadline: deadline.saturating_add(self.config.grace),
            start: self.submitted,
            effect: Effect::None,
            left: 0,
            discard: true,
            answer: Answer::Number,
        };
        (self.unverified, self.number) = (0, number);
        self.take(encoded, slot);
    }

    /// Whether QUIT was taken: nobody answers behind it.
    fn is_leaving(&self) -> bool {
        self.quitting || self.in_flight.position(|slot| slot.effect == Effect::Quit).is_some()
    }

    /// An answer to a number.
    pub(super) fn judge_number(&mut self, kind: Kind, number: Token) -> Verdict {
        let answer = self.lend(self.lent.len).as_bytes();
        let is_it = matches!(kind, Kind::Bulk | Kind::Simple)
            && answer == Some(Digits::unsigned(number.0).as_bytes());
        if !is_it && !kind.is_error() {
            return self.end(Reason::OutOfStep);
        }
        self.in_flight.pop();
        Verdict::Consumed
    }
}
