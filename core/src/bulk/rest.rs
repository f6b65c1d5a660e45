//! For a driver that writes a batch piece by piece: what is left of it, and what is in flight at all.

use super::slots::State;
use super::{Batch, Bulk, Item, Slot};
use crate::command::Command;
use crate::conn::Failure;
use crate::time::Instant;

/// What of a batch was not submitted: from an item on, so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    at: usize,
    number: u32,
    left: u32,
}

/// What is known of an item in flight.
#[derive(Clone, Copy)]
pub(crate) struct Flying {
    pub(crate) row: &'static Command,
    pub(crate) len: u32,
    /// The number of its batch.
    pub(crate) batch: u32,
    /// How often it may be sent in all.
    pub(crate) most: u16,
    /// Nobody turned away from it.
    pub(crate) wanted: bool,
}

impl Rest {
    pub(crate) const NONE: Self = Self { at: 0, number: 0, left: 0 };

    pub(crate) const fn is_empty(self) -> bool {
        self.left == 0
    }

    /// Whether an item in flight is one of these. Batches go out in the order of items, and the next one when nothing
    /// is left of this one: so all that are not older are.
    pub(crate) const fn holds(self, item: Item) -> bool {
        self.left > 0 && item.ticket().0.wrapping_sub(self.at) <= usize::MAX / 2
    }
}

impl Batch<'_> {
    /// What the iterator has not given yet.
    pub(crate) const fn rest(&self) -> Rest {
        Rest { at: self.at, number: self.number, left: self.left }
    }
}

impl<B, S> Bulk<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Slot]> + AsMut<[Slot]>,
{
    /// The rest of a batch.
    pub(crate) fn resume(&self, rest: Rest) -> Batch<'_> {
        let Rest { at, number, left } = rest;
        let (slots, bytes) = (self.slots.as_ref(), self.bytes.as_ref());
        // What stood there may be over and gone by now, and all before it.
        let at = if self.core.window.get(at, slots).is_some() { at } else { self.core.window.head };
        Batch { window: self.core.window, slots, bytes, at, number, left, size: 0 }
    }

    /// How many items are not sent, or go again.
    pub(crate) const fn queued(&self) -> u32 {
        self.core.stats.queued
    }

    /// How many batches are in flight.
    pub(crate) const fn flights(&self) -> u8 {
        self.core.stats.batches_in_flight
    }

    /// Whether something goes again.
    pub(crate) const fn is_held(&self) -> bool {
        self.core.held
    }

    /// What is known of an item, if this time of it is in flight.
    pub(crate) fn flying(&self, item: Item) -> Option<Flying> {
        let slot = self.core.window.get(item.ticket().0, self.slots.as_ref())?;
        let is_in_flight = slot.state == State::Sent && slot.attempts == item.attempts();
        let Slot { row, len, batch, unwanted, .. } = *slot;
        let most = u16::from(self.core.config.max_retries) + 1;
        is_in_flight.then_some(Flying { row, len, batch, most, wanted: !unwanted })
    }

    /// The oldest item in flight, or the oldest behind this one.
    pub(crate) fn next_in_flight(&self, behind: Option<Item>) -> Option<Item> {
        let (window, slots) = (self.core.window, self.slots.as_ref());
        let next = behind.map_or(window.head, |item| item.ticket().0.wrapping_add(1));
        // It may be gone by now, and all before it.
        let mut number = if window.older(next) > window.older(window.tail) { window.head } else { next };
        while let Some(slot) = window.get(number, slots) {
            if slot.state == State::Sent {
                return Some(Item::new(number, slot.attempts));
            }
            number = number.wrapping_add(1);
        }
        None
    }

    /// An item was not sent, and never can be.
    pub(crate) fn refuse(&mut self, now: Instant, item: Item) {
        let _ = self.view().handle_reply(now, item, Failure::NotSent.into(), false);
    }

    /// When something is to be tried for the `n`th time again.
    pub(crate) fn pause(&mut self, n: u8) -> Instant {
        self.core.now_and_a_while(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::{Config, Outcome, Slot};
    use crate::command::set;
    use crate::conn::Failure;
    use crate::time::{Duration, Instant};

    #[test]
    fn a_rest_goes_on_behind_what_is_gone() {
        let now = Instant::ZERO;
        let config = Config { batch_size: 3, retry_base: Duration::ZERO, ..Config::DEFAULT };
        let mut bulk = Bulk::new([0; 512], [Slot::EMPTY; 6], config);
        for key in ["a", "b", "c"] {
            bulk.push(now, &set(key, "v")).unwrap();
        }
        let [a, b, c] = [0, 1, 2].map(|number| Item::new(number, 0));
        assert_eq!(bulk.poll_batch(now).unwrap().count(), 3);
        // The first and the last go again; what is between is over.
        let _ = bulk.handle_reply(now, a, Failure::NotSent.into());
        let _ = bulk.handle_reply(now, b, Outcome::Value);
        let _ = bulk.handle_reply(now, c, Failure::NotSent.into());
        let mut batch = bulk.poll_batch(now).unwrap();
        let (first, _) = batch.next().unwrap();
        let rest = batch.rest();
        let _ = bulk.handle_reply(now, first, Outcome::Value);
        while bulk.poll_result().is_some() {}
        let left: std::vec::Vec<_> = bulk.resume(rest).map(|(item, _)| item.ticket()).collect();
        assert_eq!(left, [c.ticket()]);
    }
}
