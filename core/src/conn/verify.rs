//! Integrity: among the requests go numbers of ours, which must come back among the answers.

use core::num::NonZeroU32;

use super::close::Reason;
use super::connection::Connection;
use super::in_flight::{Answer, Slot};
use super::submit::Rest;
use super::{Token, judge::Verdict};
use crate::buffer::Storage;
use crate::command::{Command, Effect, Request};
use crate::resp::{ArgSink, Digits, Kind, Reply};
use crate::time::Instant;

/// `ECHO` of a number.
struct Number(u64);

impl Request for Number {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        &Command::PROMPT
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("ECHO");
        sink.arg(Digits::unsigned(self.0).as_bytes());
    }
}

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// A request was taken. Behind so many of them goes a number, as soon as there is room for it, and where it
    /// would be answered as always.
    #[cold]
    pub(super) fn count_unverified(&mut self, every: NonZeroU32, deadline: Instant) {
        self.unverified = self.unverified.saturating_add(1);
        let due = self.unverified >= every.get();
        if !due || !self.is_plain() || !self.in_flight.has_room(1) {
            return;
        }
        // Its request may have been in a hurry; the server need not be.
        let usual = self.config.reply_timeout.map(|timeout| self.now.saturating_add(timeout));
        let deadline = usual.map_or(deadline, |usual| usual.max(deadline));
        // Where it stands in the stream, or more: others may have stood there and been taken back.
        let number = self.submitted.max(self.number.wrapping_add(1));
        let Ok((encoded, _)) = self.encode(&Number(number), Rest::Supplied) else { return };
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

    /// Whether the server will answer a number by itself, whatever it says to those that are in flight.
    fn is_plain(&self) -> bool {
        let changes = |slot: &Slot| {
            use Effect::{EndMulti, Multi, None, Select, Tracking, Unwatch, Watch};
            // A transaction that is in flight is in flight to its end.
            !matches!(slot.effect, None | Multi | EndMulti | Select | Tracking | Unwatch | Watch)
        };
        let odd = self.queueing
            || self.quitting
            || self.monitoring
            || self.subscriber.is_active()
            || self.state.logged_out;
        !odd && self.owed == 0 && self.in_flight.position(changes).is_none()
    }

    /// An answer to a number.
    pub(super) fn judge_number(&mut self, kind: Kind, number: Token) -> Verdict {
        let answer = self.lend(self.lent.len).as_bytes();
        let is_it = matches!(kind, Kind::Bulk | Kind::Simple)
            && answer == Some(Digits::unsigned(number.0).as_bytes());
        if !is_it {
            return self.end(Reason::OutOfStep);
        }
        self.in_flight.pop();
        Verdict::Consumed
    }
}
