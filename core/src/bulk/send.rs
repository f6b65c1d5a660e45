//! Batches out.

use super::machine::{Core, Flight, View};
use super::slots::{State, Window};
use super::{Item, Slot};
use crate::command::Frame;
use crate::flaw::flaw;
use crate::time::Instant;

/// Items that go out together, in order.
#[derive(Clone, Debug)]
#[must_use = "its items are in flight: submit them, or say that they were not sent"]
pub struct Batch<'a> {
    pub(super) window: Window,
    pub(super) slots: &'a [Slot],
    pub(super) bytes: &'a [u8],
    /// The next one, if it is in the batch.
    pub(super) at: usize,
    pub(super) number: u32,
    pub(super) left: u32,
    pub(super) size: usize,
}

impl Batch<'_> {
    /// Its number, from 0, as results have it.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// How many bytes all of it has.
    pub const fn size(&self) -> usize {
        self.size
    }
}

impl<'a> Iterator for Batch<'a> {
    type Item = (Item, Frame<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let number = self.at;
            let slot = self.window.get(number, self.slots)?;
            self.at = number.wrapping_add(1);
            if slot.batch == self.number {
                self.left = self.left.saturating_sub(1);
                return Some((
                    Item::new(number, slot.attempts),
                    Frame::new(slot.frame(self.bytes), slot.row),
                ));
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Batch<'_> {}

impl<'a> View<'a> {
    pub(super) fn poll_batch(mut self, now: Instant) -> Option<Batch<'a>> {
        self.core.tick(now);
        if !self.core.is_due() {
            return None;
        }
        let (number, first) = (self.core.number, self.core.next);
        let (count, size) = self.fill(number);
        let flight = self.core.flights.iter_mut().find(|flight| flight.left == 0)?;
        *flight = Flight { number, left: count };
        self.core.number = number.checked_add(1).filter(|&next| next != Slot::NO_BATCH).unwrap_or(0);
        self.core.held = false;
        let stats = &mut self.core.stats;
        stats.batches = stats.batches.wrapping_add(1);
        stats.batches_in_flight = stats.batches_in_flight.wrapping_add(1);
        stats.sent = stats.sent.wrapping_add(u64::from(count));
        stats.in_flight = stats.in_flight.wrapping_add(count);
        self.skip();
        let Self { core, slots, bytes } = self;
        Some(Batch { window: core.window, slots, bytes, at: first, number, left: count, size })
    }

    /// Puts items into the batch of this number; how many, and how many bytes they have.
    fn fill(&mut self, number: u32) -> (u32, usize) {
        let (most, most_bytes) = (self.core.config.items(), self.core.config.batch_bytes as usize);
        let (mut count, mut size) = (0_u32, 0_usize);
        while count < most {
            let Some(slot) = self.core.window.get_mut(self.core.next, self.slots) else { break };
            if slot.state == State::Queued {
                let len = slot.len as usize;
                let grown = size.saturating_add(len);
                if count > 0 && grown > most_bytes {
                    break;
                }
                slot.state = State::Sent;
                slot.batch = number;
                slot.index = count;
                (count, size) = (count.saturating_add(1), grown);
                self.core.queued_bytes = self.core.queued_bytes.saturating_sub(len);
                self.core.stats.queued = self.core.stats.queued.wrapping_sub(1);
            }
            self.core.next = self.core.next.wrapping_add(1);
        }
        (count, size)
    }
}

impl Core {
    /// Whether a batch may go out, and there is reason to.
    fn is_due(&self) -> bool {
        let (queued, flying) = (self.stats.queued, self.stats.batches_in_flight);
        if queued == 0 || flying >= self.config.batches() {
            return false;
        }
        if self.held {
            flaw!(NothingWaits => return self.now >= self.again_at);
            return flying == 0 && self.now >= self.again_at;
        }
        queued >= self.config.items()
            || self.queued_bytes >= self.config.batch_bytes as usize
            || self.window.older(self.flush) > self.window.older(self.next)
    }

    /// When a batch is due.
    pub(super) fn wake(&self) -> Instant {
        let (queued, flying) = (self.stats.queued, self.stats.batches_in_flight);
        if self.is_due() {
            self.now
        } else if queued == 0 || flying >= self.config.batches() || self.held && flying > 0 {
            Instant::MAX
        } else if self.held {
            self.again_at
        } else {
            self.flush_at
        }
    }
}
