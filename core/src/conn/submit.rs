//! From requests to bytes: measured, written whole, and only then given a slot.

use super::connection::{Connection, Phase};
use super::handshake::{StepRequest, Steps};
use super::in_flight::Slot;
use super::settings::Settings;
use super::{SubmitError, Token};
use crate::buffer::{Reservation, Storage};
use crate::command::{Command, Effect, Request};
use crate::error::{Full, Misuse};
use crate::resp::{Measure, Writer, Written};
use crate::time::Instant;

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Takes a request: encodes it whole and gives it a slot, or refuses it and changes nothing.
    /// Its answer will carry `token`, which is the caller's choice. A value that it leaves for
    /// [`Later`](crate::command::Later) is [supplied](Self::supply) next.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit(&mut self, now: Instant, token: Token, request: &impl Request) -> Result<(), SubmitError> {
        self.submit_until(self.reply_deadline(now), token, request)
    }

    /// Until when a request that is submitted now may wait for its answer.
    pub(crate) fn reply_deadline(&self, now: Instant) -> Option<Instant> {
        self.config.reply_timeout.map(|timeout| now.saturating_add(timeout))
    }

    /// [`submit`](Self::submit) with the request's own deadline, or none: blocking commands wait as
    /// long as they say and a little more.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &impl Request,
    ) -> Result<(), SubmitError> {
        // What does not depend on the type of the request is compiled once, not for each type.
        let command = request.command();
        let mut measure = Measure::new();
        request.visit(&mut measure);
        let reservation = self.admit(command, measure)?;
        let mut writer = Writer::new(self.transmit.reserved(&reservation), measure.args());
        request.visit(&mut writer);
        let written = writer.finish();
        let slot = Slot {
            token,
            deadline: deadline.unwrap_or(Instant::MAX),
            start: self.submitted,
            effect: command.effect,
            left: u32::try_from(measure.args().saturating_sub(1)).unwrap_or(u32::MAX),
            discard: false,
            chunks: request.in_chunks(),
        };
        self.take(reservation, measure, written, slot)
    }

    /// Room for a request, if it may be sent now.
    fn admit(&mut self, command: &Command, measure: Measure) -> Result<Reservation, SubmitError> {
        match self.phase {
            Phase::Ready { .. } if self.owed > 0 => return Err(SubmitError::Owed),
            Phase::Ready { .. } => {}
            Phase::Closed { .. } => return Err(SubmitError::Closed),
            Phase::Idle | Phase::Handshake { .. } => return Err(SubmitError::NotReady),
        }
        if measure.args() == 0 {
            return Err(Misuse::Empty.into());
        }
        // Without a row nobody knows whether the second word is part of the name.
        let words = if command.words.is_empty() { 2 } else { command.words.len() };
        if measure.later().is_some_and(|later| later.at < words) {
            return Err(Misuse::Later.into());
        }
        if self.queueing && matches!(command.effect, Effect::Subscribe(_) | Effect::Unsubscribe(_)) {
            return Err(Misuse::SubscribeInMulti.into());
        }
        if self.in_flight.is_full() {
            return Err(Full::InFlight.into());
        }
        Ok(self.reserve(measure)?)
    }

    fn reserve(&mut self, measure: Measure) -> Result<Reservation, Full> {
        let len = measure.frame_len();
        // Waiting makes no room in a buffer that is empty: the memory is not to be had.
        let never = len > self.transmit.limit() || self.transmit.is_empty();
        self.transmit.reserve(len).ok_or(if never { Full::TooLarge } else { Full::Transmit })
    }

    /// Takes a request that was written into its reservation.
    fn take(
        &mut self,
        reservation: Reservation,
        measure: Measure,
        written: Written,
        slot: Slot,
    ) -> Result<(), SubmitError> {
        if slot.effect == Effect::ReplyMode && !turns_replies_on(self.transmit.reserved(&reservation)) {
            return Err(Misuse::ReplyOff.into());
        }
        self.commit(reservation, measure, written)?;
        match slot.effect {
            Effect::Multi => self.queueing = true,
            Effect::EndMulti | Effect::Reset => self.queueing = false,
            _ => {}
        }
        self.in_flight.push(slot);
        Ok(())
    }

    fn commit(&mut self, reservation: Reservation, measure: Measure, written: Written) -> Result<(), Misuse> {
        let owed = measure.owed();
        if !written.exact || owed != written.later.map_or(0, |later| later.len) {
            return Err(Misuse::Inconsistent);
        }
        let len = measure.frame_len();
        self.transmit.commit(reservation);
        self.submitted = self.submitted.saturating_add(len as u64);
        if let Some(later) = written.later.filter(|_| owed > 0) {
            self.transmit.hold(len.saturating_sub(later.at));
            self.owed = owed;
        }
        Ok(())
    }

    pub(super) fn put_steps(&mut self, steps: Steps, settings: &Settings<'_>) -> Result<(), Full> {
        for step in steps.iter() {
            let request = StepRequest { step, settings };
            let mut measure = Measure::new();
            request.visit(&mut measure);
            let reservation = match self.reserve(measure) {
                Ok(reservation) => reservation,
                Err(full) => {
                    self.transmit.wipe();
                    return Err(full);
                }
            };
            let mut writer = Writer::new(self.transmit.reserved(&reservation), measure.args());
            request.visit(&mut writer);
            let written = writer.finish();
            // Ours are the same each time they are visited.
            let _ = self.commit(reservation, measure, written);
        }
        Ok(())
    }
}

/// Whether the frame of a CLIENT REPLY request says ON.
fn turns_replies_on(frame: &[u8]) -> bool {
    const ON: &[u8] = b"\r\n$2\r\nON\r\n";
    let end = frame.len().checked_sub(ON.len()).and_then(|at| frame.get(at..));
    frame.starts_with(b"*3\r\n") && end.is_some_and(|end| end.eq_ignore_ascii_case(ON))
}
