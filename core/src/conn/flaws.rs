//! What some mistakes of [`flaw`](crate::flaw) take more than a line for.

use super::connection::Connection;
use super::in_flight::Slot;
use super::{Failure, Token};
use crate::buffer::Storage;
use crate::time::{Duration, Instant};

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Sends a request once more, with a slot for the second answer.
    pub(super) fn replay(&mut self, index: usize) {
        let Some(slot) = self.in_flight.get(index).copied() else { return };
        let Some(frame) = crate::flaw::kept_frame(slot.start) else { return };
        let Some(reservation) = self.transmit.reserve(frame.len()) else { return };
        self.transmit.spare().iter_mut().zip(&frame).for_each(|(place, &byte)| *place = byte);
        self.in_flight.push(Slot { start: self.submitted, discard: true, ..slot });
        self.transmit.commit(reservation);
        self.submitted += frame.len() as u64;
    }

    /// Waits for the oldest request only.
    pub(super) fn look_away(&mut self) -> Option<(Token, Failure)> {
        self.late = false;
        self.wake = self.in_flight.head().map_or(Instant::MAX, |slot| slot.deadline);
        None
    }

    /// Says that a request was not sent, and leaves it where it will be.
    pub(super) fn send_late(&mut self, index: usize, token: Token) -> Option<(Token, Failure)> {
        let deadline = self.now.saturating_add(Duration::from_secs(1));
        let slot = self.in_flight.get_mut(index)?;
        (slot.discard, slot.deadline) = (true, deadline);
        Some((token, Failure::Expired))
    }

    /// Gives the newest request less time than it has.
    pub(super) fn hasten(&mut self) {
        let newest = self.in_flight.len().saturating_sub(1);
        if let Some(slot) = self.in_flight.get_mut(newest) {
            let early = slot.deadline.as_micros().saturating_sub(5000);
            slot.deadline = Instant::from_micros(early);
            self.wake = self.wake.min(slot.deadline);
        }
    }
}
