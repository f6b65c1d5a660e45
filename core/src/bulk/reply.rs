//! What became of an item: a result, or another time.

use super::lane::{Lane, is_among};
use super::machine::View;
use super::slots::State;
use super::{Item, Outcome, Resolved, Slot, Ticket, Value, Verdict};
use crate::command::{Args, Retry};
use crate::conn::Failure;
use crate::error::{Author, ServerError};
use crate::flaw::flaw;
use crate::resp::copy;
use crate::time::Instant;

/// When an item may go again, by what was said of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Always: it was not executed.
    Always,
    /// If it may be executed twice, without an answer or with one that proves nothing.
    IfSafe { answered: bool },
    /// Never: it was answered.
    Never,
}

impl<'a> View<'a> {
    /// An item that may not go again is resolved, whatever was said of it.
    pub(super) fn handle_reply(
        &mut self,
        now: Instant,
        item: Item,
        outcome: Outcome<'_>,
        may_go: bool,
    ) -> Verdict {
        self.core.tick(now);
        let number = item.ticket().0;
        let Some(slot) = self.flying(item) else { return Verdict::Stale };
        self.land(slot.batch);
        let args = Args::new(slot.frame(self.bytes));
        let again = Again::after(outcome, args);
        let goes = may_go && again.is_for(&slot, args, self.core.config.ceiling);
        if goes && !slot.unwanted && slot.attempts < self.core.config.max_retries {
            self.requeue(number, Lane::of(args), again != Again::Always);
            return Verdict::Again;
        }
        let is_answered = matches!(again, Again::Never | Again::IfSafe { answered: true });
        let lane = if self.core.held && is_answered { Lane::of(args) } else { Lane::NONE };
        let state = match outcome {
            Outcome::Value => State::Answered,
            Outcome::Error(error) => self.keep(number, error),
            Outcome::Failed(failure) => State::Failed(failure),
        };
        let before = self.core.window.older(number).saturating_sub(self.core.window.older(self.core.next));
        self.resolve(number, state);
        self.overtake(before, lane);
        if slot.unwanted { Verdict::Unwanted } else { Verdict::Told }
    }

    /// What is known of an item, if this time of it is in flight.
    fn flying(&self, item: Item) -> Option<Slot> {
        let slot = self.core.window.get(item.ticket().0, self.slots).copied()?;
        flaw!(EarlierAttempt => return Some(slot).filter(|slot| slot.state == State::Sent));
        Some(slot).filter(|slot| slot.state == State::Sent && slot.attempts == item.attempts())
    }

    /// An item of this batch is not in flight any more.
    fn land(&mut self, batch: u32) {
        let stats = &mut self.core.stats;
        stats.in_flight = stats.in_flight.wrapping_sub(1);
        let mut flights = self.core.flights.iter_mut();
        if let Some(flight) = flights.find(|flight| flight.number == batch) {
            flight.left = flight.left.saturating_sub(1);
            if flight.left == 0 {
                stats.batches_in_flight = stats.batches_in_flight.wrapping_sub(1);
            }
        }
    }

    /// The item goes again, from its old place.
    fn requeue(&mut self, number: usize, lane: Lane, doubt: bool) {
        flaw!(BatchGoesWhole => self.put_back_batch_of(number));
        let Some(slot) = self.core.window.get_mut(number, self.slots) else { return };
        slot.state = State::Queued;
        slot.attempts = slot.attempts.saturating_add(1);
        slot.lane = lane;
        slot.doubt |= doubt;
        let (len, attempts) = (slot.len, slot.attempts);
        let core = &mut *self.core;
        core.queue(len);
        if core.window.older(number) < core.window.older(core.next) {
            core.next = number;
        }
        if core.window.older(number) >= core.window.older(core.flush) {
            core.flush = number.wrapping_add(1);
        }
        core.stats.retries = core.stats.retries.wrapping_add(1);
        if !core.held {
            core.held = true;
            core.again_at = core.now_and_a_while(attempts);
        }
    }

    /// Keeps the text of an error where the request was.
    fn keep(&mut self, number: usize, error: ServerError<'_>) -> State {
        if let Some(slot) = self.core.window.get_mut(number, self.slots) {
            let len = error.text().len().min(slot.len as usize).min(usize::from(u8::MAX));
            let start = slot.start as usize;
            if let Some(room) = self.bytes.get_mut(start..start.saturating_add(len)) {
                copy(room, error.text().get(..len).unwrap_or_default());
            }
            slot.text = len as u8;
        }
        State::Error
    }

    /// The item has a result, or is done if nobody wants it.
    pub(super) fn resolve(&mut self, number: usize, state: State) {
        let Some(slot) = self.core.window.get_mut(number, self.slots) else { return };
        if slot.unwanted {
            slot.state = State::Done;
            return self.free();
        }
        slot.state = state.in_doubt(slot.doubt);
        flaw!(ResultLost => if matches!(slot.state, State::Failed(_)) {
            slot.state = State::Done;
            return self.free();
        });
        let stats = &mut self.core.stats;
        match slot.state {
            State::Answered | State::Error => stats.answered = stats.answered.wrapping_add(1),
            _ => stats.failed = stats.failed.wrapping_add(1),
        }
        self.core.rate.count(self.core.now);
        self.core.window.tell(number, self.slots);
    }

    /// An item was answered: those of so many before it that touch the same, and are to go again, may not.
    fn overtake(&mut self, before: usize, lane: Lane) {
        flaw!(OvertakenGoes => return);
        if lane == Lane::NONE {
            return;
        }
        let mut number = self.core.next;
        for _ in 0..before {
            let slot = self.core.window.get(number, self.slots);
            let waits = slot.filter(|slot| slot.state == State::Queued);
            if let Some(len) = waits.filter(|slot| slot.lane.meets(lane)).map(|slot| slot.len) {
                self.resolve(number, State::Overtaken);
                self.unqueue(len);
            }
            number = number.wrapping_add(1);
        }
    }

    pub(super) fn poll_result(mut self) -> Option<Resolved<'a>> {
        loop {
            let number = self.core.window.pop(self.slots)?;
            let slot = self.core.window.get_mut(number, self.slots)?;
            let (told, state) = (*slot, slot.state);
            slot.state = State::Done;
            self.free();
            if !told.unwanted {
                return Some(resolved(number, &told, state, self.bytes));
            }
        }
    }
}

impl Again {
    fn after(outcome: Outcome<'_>, args: Args<'_>) -> Self {
        match outcome {
            Outcome::Value => Self::Never,
            Outcome::Error(error) if !is_passing(error) => Self::Never,
            // The server looks at what it says so before it starts any command.
            Outcome::Error(_) if args.author() == Author::Server => Self::Always,
            Outcome::Error(_) => Self::IfSafe { answered: true },
            Outcome::Failed(Failure::NotSent | Failure::Expired) => Self::Always,
            Outcome::Failed(Failure::Unknown | Failure::TimedOut) => Self::IfSafe { answered: false },
            Outcome::Failed(Failure::TooLarge | Failure::TooDeep) => Self::Never,
        }
    }

    /// Whether it is for this item. What may be executed twice is no more than the ceiling, or its caller says so.
    fn is_for(self, slot: &Slot, args: Args<'_>, ceiling: Retry) -> bool {
        flaw!(RetriedBlindly => return self != Self::Never);
        match self {
            Self::Always => true,
            Self::IfSafe { .. } => slot.safe || Retry::of(args) <= ceiling,
            Self::Never => false,
        }
    }
}

impl State {
    /// The same of an item that an earlier time may have executed.
    fn in_doubt(self, doubt: bool) -> Self {
        flaw!(DoubtForgotten => return self);
        match self {
            Self::Failed(Failure::NotSent | Failure::Expired) | Self::Overtaken if doubt => {
                Self::Failed(Failure::Unknown)
            }
            state => state,
        }
    }
}

/// Whether an error speaks of the server's state only, which will pass. By their code: parsing the others costs more.
fn is_passing(error: ServerError<'_>) -> bool {
    let code = error.code();
    is_among(b"LOADING BUSY TRYAGAIN CLUSTERDOWN MASTERDOWN READONLY", code)
        && code.iter().all(u8::is_ascii_uppercase)
}

/// A result in words of the caller. `state` is what the slot's was before it was polled.
pub(super) fn resolved<'b>(number: usize, slot: &Slot, state: State, bytes: &'b [u8]) -> Resolved<'b> {
    Resolved {
        ticket: Ticket(number),
        batch: Some(slot.batch).filter(|&batch| batch != Slot::NO_BATCH),
        index: slot.index,
        retries: slot.attempts,
        doubtful: slot.doubt,
        result: match state {
            State::Error => Value::Error(ServerError::new(slot.error(bytes))),
            State::Failed(failure) => Value::Failed(failure),
            State::Overtaken => Value::Overtaken,
            _ => Value::Answered,
        },
    }
}
